source "arm" "pi"
{
  file_urls          = ["base.img"]
  file_checksum_type = "none"
  image_path         = "board.img"
  image_build_method = "reuse"
}
locals {
  retries: 3
  greeting = "hello ${USER}"
}
build {
  source = ["source.arm.pi"]
}
