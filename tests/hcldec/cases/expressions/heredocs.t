result_type = object({
  v0 = string
  v1 = string
  v2 = string
  v3 = string
  v4 = string
  v5 = string
  v6 = string
  v7 = string
})
result = {
  v0 = "a\n"
  v1 = "a\n b\n"
  v2 = "a\n\n b\n"
  v3 = ""
  v4 = "  1\nb\n"
  v5 = "\n  x\n\n"
  v6 = "1\n2\n"
  v7 = "a\\nb \"q\" \\\\ $${x} %%{y}\n"
}
