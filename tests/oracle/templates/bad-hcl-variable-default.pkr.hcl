variable "n" {
  type    = number
  default = "not a number"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
