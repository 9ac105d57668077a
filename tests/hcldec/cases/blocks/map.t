result_type = map(object({ ip = string }))
result = {
  a = { ip = "10.0.0.1" }
  b = { ip = "10.0.0.2" }
}
