result = {
  full   = ["x", "y"]
  legacy = ["x", "y"]
  old    = "x"
  single = [3]
  null   = []
  self   = ["b", "a", "b"]
}
