packer {
  required_plugins {
    arm = { version = ">= 1.0", source = "github.com/x/arm" }
  }
}
variable "size" {
  type    = object({ a = optional(number, 1), b = list(string) })
  default = { a = 1, b = ["x"] }
}
locals { now = timestamp() }
source "arm" "pi" {
  image = "pi-${var.size.a}.img" # here
  d { a = 1 }
  c "x" y {
    a = [for k, v in m : "${k}=${v}" if k != null]
  }
}
build {
  sources = ["source.arm.pi"]
  provisioner "shell" {
    inline = [<<-EOT
      echo ${upper(var.x)}
        %{ if a ~}
        b
        %{ endif ~}
      EOT
      , "x"
    ]
  }
}
