variable "password" {
  type      = string
  default   = "x"
  sensitive = true
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
