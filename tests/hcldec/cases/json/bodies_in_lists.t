result_type = object({
  a = string
  b = string
})
result = {
  a = "x"
  b = "y"
}
