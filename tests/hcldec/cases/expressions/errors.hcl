a = "👩‍👩‍👧‍👦é" + 1
c = names[3]
d = unknown
e = true ? [] : {}
f = "x ${null} y"
