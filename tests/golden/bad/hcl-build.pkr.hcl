source "arm" "pi" {
  file_urls          = ["/base.img"]
  file_checksum_type = "none"
  image_build_method = "reuse"
  image_path         = "x.img"
  image_partitions {
    nam = "boot"
    size = "0"
  }
  image_siz = "3G"
}
source "amr" "pi" {}
source "null" "n" { communicator = "none" }
build {
  sources = ["source.arm.pie", source.arm.pi, "amr.pi", "null.n", 3]
  provisioner "shel" { inline = ["true"] }
  provisioner "shell" {
    inlin = ["true"]
    only = ["arm.pie"]
    timeout = "5"
  }
  provisioner "shell" {
    only = ["null.n"]
    inline = ["true"]
  }
  provisioner "shell-local" {
    inline = ["echo ${source.nam} ${vra.x} ${var.x} ${local.y} ${upper("a")} ${build.Id}"]
    max_retries = -1
    keep_input_artifact = true
  }
  post-processor "compres" {}
  post-processors {
    post-processor "manifest" { pause_before = "1s" }
    provisioner "shell" {}
  }
  error-cleanup-provisioner "shell-local" {}
  error-cleanup-provisioner "shell-local" { inline = ["true"] }
}
