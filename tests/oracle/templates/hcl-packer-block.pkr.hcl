packer {
  required_version = ">= 1.2.0"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
