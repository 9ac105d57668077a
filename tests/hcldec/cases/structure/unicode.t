result_type = object({
  ñandú-x = string
  日本      = string
})
result = {
  ñandú-x = "👨‍👩‍👧"
  日本      = "é"
}
