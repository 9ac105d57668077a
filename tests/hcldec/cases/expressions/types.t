result_type = object({
  attr        = string
  compare     = bool
  cond_list   = list(string)
  cond_map    = map(string)
  cond_null   = string
  cond_string = string
  index       = string
  joined      = string
  legacy      = string
  negative    = number
  not         = bool
  not_equal   = bool
  parsed      = number
  precise     = bool
  remainder   = number
  wrap        = number
})
result = {
  attr        = "z"
  compare     = true
  cond_list   = ["1", "2"]
  cond_map    = { b = "x" }
  cond_null   = null
  cond_string = "1"
  index       = "a"
  joined      = "12"
  legacy      = "b"
  negative    = -5
  not         = false
  not_equal   = false
  parsed      = 6
  precise     = true
  remainder   = 1.5
  wrap        = 1
}
