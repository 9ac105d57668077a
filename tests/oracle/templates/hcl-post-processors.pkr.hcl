source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  post-processor "manifest" {
    output = "m.json"
  }
  post-processors {
    post-processor "artifice" {
      files = ["a"]
    }
    post-processor "checksum" {
      checksum_types = ["sha256"]
    }
  }
}
