locals {
  a = nosuch("x")
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
