result_type = object({
  v0 = number
  v1 = tuple([number, number])
  v2 = object({
    a = number
    b = number
  })
  v3 = object({
    a = number
    b = number
  })
  v4 = object({
  })
  v5 = tuple([])
  v6 = number
  v7 = number
  v8 = number
  v9 = number
})
result = {
  v0 = 3
  v1 = [1, 2]
  v2 = {
    a = 1
    b = 2
  }
  v3 = {
    a = 1
    b = 2
  }
  v4 = {}
  v5 = []
  v6 = 3
  v7 = 1
  v8 = 1
  v9 = 3
}
