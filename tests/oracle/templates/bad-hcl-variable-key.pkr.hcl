variable "a" {
  default = "x"
  typo    = "y"
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
