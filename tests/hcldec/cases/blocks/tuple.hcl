v { x = 1 }
v { x = ["a", true] }
v { x = null }
