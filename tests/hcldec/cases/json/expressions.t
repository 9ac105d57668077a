result = {
  template = 2
  text     = "n is 1"
  escaped  = "$${x}"
  nested   = [1, 2.5, true, null, { key = "v" }]
  big      = 123456789012345678901234567890
}
