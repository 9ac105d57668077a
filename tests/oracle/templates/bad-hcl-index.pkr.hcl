locals {
  a = ["x"][3]
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
