variable "size" {
  type = number
}
variable "names" {
  type = list(string)
}
variable "token" {
  type      = string
  sensitive = true
}
variable "flag" {
  type = bool
}
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["source.null.x"]
}
