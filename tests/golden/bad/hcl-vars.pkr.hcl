variable "a" {
  type    = number
  default = "twelve"
}
variable "b" {
  typ = string
}
variable "a" {}
variables {
  z = 1
}
variable "z" {}
variable "port" {
  type    = number
  default = 80
  validation {
    condition     = var.port > 1024
    error_message = "The port must be above 1024."
  }
}
variable "pw" {
  type      = string
  default   = "hunter2"
  sensitive = true
  validation {
    condition     = var.pw != "hunter2"
    error_message = "Not that one: ${var.pw}."
  }
}
build {
  sources = ["source.null.x"]
}
source "null" "x" { communicator = "none" }
variable "pin" {
  type      = number
  sensitive = true
  default   = "correct-horse"
}
