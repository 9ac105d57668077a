result = {
  a = [1, "x", null]
}
