result_type = map(object({
  x = string
}))
result = {
  k = {
    x = "q"
  }
}
