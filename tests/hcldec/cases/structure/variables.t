result_type = object({
  a = string
})
result = {
  a = "hi, 2"
}
