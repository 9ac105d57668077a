v = {
  wrap        = "${people[0].age}"
  joined      = "${people[0].age}${people[1].age}"
  cond_string = true ? 1 : "a"
  cond_list   = true ? [1, 2] : ["a"]
  cond_map    = false ? { a = 1 } : { b = "x" }
  cond_null   = true ? null : "a"
  parsed      = "5" + 1
  negative    = -"5"
  compare     = "10" > 9
  not_equal   = "1" == 1
  not         = !"true"
  remainder   = 7.5 % 2
  precise     = 1 / 3 * 3 == 1
  index       = names["1"]
  attr        = one["name"]
  legacy      = names.0
}
