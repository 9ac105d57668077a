# Labels become attributes; what is not there is null; numbers may be written as strings.
result_type = list(object({ kind = string, name = string, note = string, port = number }))
result = [
  { kind = "web", name = "a", note = null, port = 80 },
  { kind = "web", name = "b", note = "x", port = 81 },
]
