result_type = map(string)
result      = { a = "1", b = "2" }
