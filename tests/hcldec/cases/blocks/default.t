result_type = object({ a = string, b = string, c = string })
result      = { a = "fallback", b = "given", c = "given" }
