source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "shell" {
    inline       = ["true"]
    max_retries  = 2
    pause_before = "1s"
    timeout      = "1m"
  }
}
