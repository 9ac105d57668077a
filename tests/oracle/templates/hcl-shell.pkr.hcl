source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "shell" {
    inline = ["echo one", "echo two"]
    environment_vars = ["A=1"]
  }
}
