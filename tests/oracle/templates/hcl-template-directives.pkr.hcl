variable "list" {
  default = ["a", "b"]
}
locals {
  text = "%{ for x in var.list ~}${x} %{ endfor ~}%{ if true }yes%{ else }no%{ endif }"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
