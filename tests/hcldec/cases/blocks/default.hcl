b = "given"
