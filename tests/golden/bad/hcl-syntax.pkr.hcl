variable "token" {
  type      = string
  sensitive = true
}
source "null" "x" {
  communicator = "none
}
