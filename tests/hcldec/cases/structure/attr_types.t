result_type = object({
  a = list(string)
  b = map(number)
  c = object({
    x = string
    y = number
  })
  d = tuple([string, bool])
  e = set(string)
  f = bool
})
result = {
  a = ["1", "x", "true"]
  b = {
    x = 1
    y = 2
  }
  c = {
    x = "1"
    y = 2
  }
  d = ["1", true]
  e = ["1", "a", "b"]
  f = true
}
