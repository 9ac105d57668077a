source "arm" "pi" {
  file_urls           = ["http://example.org/base.img.xz"]
  file_checksum_types = "none"
  image_build_methods = "reuse"
}

build {
  source "source.arm.pi" {
    image_paht = "out.img"
  }
}
