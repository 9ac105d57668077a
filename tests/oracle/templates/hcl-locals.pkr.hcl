variable "a" {
  default = "x"
}
locals {
  b = "${var.a}-y"
  c = upper(local.b)
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "shell-local" {
    inline = ["echo ${local.c}"]
  }
}
