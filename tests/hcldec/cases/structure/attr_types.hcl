a = [1, "x", true]
b = { x = 1, y = "2" }
c = { x = 1, y = "2" }
d = [1, "true"]
e = ["b", "a", 1, "b"]
f = "true"
