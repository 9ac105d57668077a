result_type = map(object({
  x = string
}))
result = {
  k = {
    x = "1"
  }
  l = {
    x = null
  }
}
