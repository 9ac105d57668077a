source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "file" {
    source      = "files/data.txt"
    destination = "/tmp/data.txt"
  }
}
