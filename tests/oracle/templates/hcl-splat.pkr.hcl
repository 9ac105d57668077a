locals {
  objects = [{ name = "a" }, { name = "b" }]
  names   = local.objects[*].name
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
