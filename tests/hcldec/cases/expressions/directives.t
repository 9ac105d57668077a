result_type = object({
  v0  = string
  v1  = string
  v10 = string
  v2  = string
  v3  = string
  v4  = string
  v5  = string
  v6  = string
  v7  = string
  v8  = string
  v9  = string
})
result = {
  v0  = "a"
  v1  = "b"
  v10 = "b"
  v2  = ""
  v3  = "1,2,"
  v4  = "0=a"
  v5  = "a=1"
  v6  = "a1b"
  v7  = "abc"
  v8  = "x"
  v9  = ""
}
