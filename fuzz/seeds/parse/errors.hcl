a = [1 2
b = "x
c = f(1,
d {
  e = 1 +
}
"q" = 1
x = 'y'
