locals {
  a = local.b
  b = local.a
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
