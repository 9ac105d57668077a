result_type = tuple([string, number, tuple([number, string])])
result      = ["1", 5, [1, "y"]]
