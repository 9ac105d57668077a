result_type = tuple([number, number, number, number])
result      = [12345678901234567890, 1000, -1, 1.5]
