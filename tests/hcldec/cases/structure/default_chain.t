result_type = string
result      = "second"
