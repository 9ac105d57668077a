locals {
  a = "x" + 1
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
