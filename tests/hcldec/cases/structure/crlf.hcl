# c
a = "x"

