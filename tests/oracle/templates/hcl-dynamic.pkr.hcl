locals {
  steps = ["a", "b"]
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  dynamic "provisioner" {
    for_each = local.steps
    labels   = ["shell-local"]
    content {
      inline = ["echo ${provisioner.value}"]
    }
  }
}
