result_type = object({
  v0  = tuple([number, number])
  v1  = tuple([number, number])
  v10 = tuple([string])
  v11 = tuple([])
  v12 = tuple([number, number])
  v13 = tuple([number, number])
  v2  = tuple([number, number])
  v3  = tuple([number, number])
  v4  = tuple([tuple([number, number]), tuple([number])])
  v5 = tuple([object({
    a = number
  })])
  v6 = tuple([number])
  v7 = tuple([])
  v8 = tuple([])
  v9 = tuple([number])
})
result = {
  v0  = [1, 2]
  v1  = [1, 2]
  v10 = ["x"]
  v11 = []
  v12 = [1, 2]
  v13 = [1, 2]
  v2  = [1, 3]
  v3  = [1, 2]
  v4  = [[1, 2], [3]]
  v5 = [{
    a = 1
  }]
  v6 = [1]
  v7 = []
  v8 = []
  v9 = [5]
}
