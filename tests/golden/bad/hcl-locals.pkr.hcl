locals {
  a = local.b
  b = "${local.c}-x"
  c = [local.a]
  d = local.nonne
  none = 1
  e = local.e
}
local "a" {
  expression = 1
}
data "nul" "x" {}
data "null" "y" { inptu = "x" }
data "null" "z" { input = data.null.zz.output }
