variable "s" {
  default = "x"
}
variable "n" {
  type    = number
  default = 3
}
variable "b" {
  type    = bool
  default = true
}
variable "l" {
  type    = list(string)
  default = ["a", "b"]
}
variable "m" {
  type    = map(string)
  default = {
    k = "v"
  }
}
variable "o" {
  type = object({
    a = string
    b = number
  })
  default = {
    a = "x"
    b = 1
  }
}
source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "shell-local" {
    inline = ["echo ${var.n} ${var.l[0]} ${var.m.k} ${var.m["k"]} ${var.o.b}"]
  }
}
