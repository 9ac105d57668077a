result_type = object({
  b = object({
    n = object({
      y = number
    })
    x = string
  })
})
result = {
  b = {
    n = {
      y = 2
    }
    x = "1"
  }
}
