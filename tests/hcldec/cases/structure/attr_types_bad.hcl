b = { x = "a" }
c = { x = "s" }
d = ["a"]
e = "x"
f = "yes"
