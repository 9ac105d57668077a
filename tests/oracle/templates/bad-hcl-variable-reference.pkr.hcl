variable "a" {
  default = "x"
}
variable "b" {
  default = var.a
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
