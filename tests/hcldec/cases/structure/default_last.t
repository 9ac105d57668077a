result_type = string
result      = "dflt"
