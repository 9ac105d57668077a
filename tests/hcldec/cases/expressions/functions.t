result_type = object({ first = string, greeting = string, rest = string, sum = number })
result      = { first = "a of 3", greeting = "Hello, YOU", rest = "x of 2", sum = 3 }
