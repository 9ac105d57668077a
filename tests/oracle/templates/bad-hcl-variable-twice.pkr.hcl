variable "n" {
  default = "1"
}
variable "n" {
  default = "2"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
