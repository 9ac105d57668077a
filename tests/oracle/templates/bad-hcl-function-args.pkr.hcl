locals {
  a = upper("x", "y")
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
