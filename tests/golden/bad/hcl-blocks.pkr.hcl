sourc "arm" "x" {}
variable "a" "b" {}
varible "c" {}
packer {
  required_version = ">= 2.0"
  required_plugins {
    git = { version = "x1", source = "github.com/ethanmdavidson/git" }
  }
}
top = 1
build {
  nam = "x"
  provisionr "shell" {}
}
