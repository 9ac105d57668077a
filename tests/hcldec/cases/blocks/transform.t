result = { upper = "Ä-B", length = 3, reversed = "b-Ä", first = "Ä" }
