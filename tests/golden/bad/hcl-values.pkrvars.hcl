token = ["secret-in-a-list"]
names = "x"
toke  = 1
other = 2
