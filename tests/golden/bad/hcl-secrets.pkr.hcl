# No word of a secret in any message.
variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

local "token" {
  expression = "${var.password}-${var.password}"
  sensitive  = true
}

source "null" "x" {
  communicator = var.password
}

build {
  sources = ["source.null.x"]

  provisioner "shell-local" {
    inline  = ["echo ${local.token}", "echo hunter2"]
    timeout = local.token
  }
  provisioner "sleep" {
    duration = "hunter2"
  }
}
