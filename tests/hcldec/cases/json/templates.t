result_type = object({
  a = tuple([number, string, string, object({
    k1 = string
  })])
})
result = {
  a = [1, "x hi", "$${q}", {
    k1 = "y"
  }]
}
