source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "shell" {
    only   = ["null.one"]
    inline = ["true"]
  }
}
