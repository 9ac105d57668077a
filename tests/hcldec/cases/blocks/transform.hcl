name = "Ä-b"
