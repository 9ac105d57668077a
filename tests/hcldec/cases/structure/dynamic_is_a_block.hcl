dynamic "b" {
  for_each = [1, 2]
  content {
    x = b.value
  }
}
