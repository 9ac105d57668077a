result = {
  list    = ["0:b", "1:a", "2:b"]
  some    = ["b", "b"]
  grouped = { a = [1], b = [0, 2] }
  object  = { x = 1, y = 2 }
  keys    = ["age", "name"]
  empty   = []
}
