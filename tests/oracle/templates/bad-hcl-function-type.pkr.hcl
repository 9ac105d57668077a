locals {
  a = length(5)
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
