a = 1
dynamic "d" {
  for_each = { x = 1, y = 2 }
  iterator = i
  content {
    b = i.value
  }
}
dynamic "c" {
  for_each = [1]
  labels = ["a", c.key]
  content {}
}
