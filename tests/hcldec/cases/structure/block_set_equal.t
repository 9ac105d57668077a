result_type = set(object({
  x = string
}))
result = [{
  x = "q"
  }, {
  x = null
}]
