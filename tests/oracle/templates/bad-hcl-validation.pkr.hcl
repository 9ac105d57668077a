variable "size" {
  type    = number
  default = 1
  validation {
    condition     = var.size > 2
    error_message = "The size must be more than two."
  }
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
}
