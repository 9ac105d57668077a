# Terraform
release "terraform" {
  title    = "Terraform"
  homepage = "https://developer.hashicorp.com/terraform"
  license  = "BUSL-1.1"
  arch = {
    x86_64  = "amd64"
    i386    = "386"
    aarch64 = "arm64"
    armv6l  = "arm"
  }
  libc     = "none"
  base     = "https://releases.hashicorp.com/${name}"
  url      = "${base}/${version}/${name}_${version}_linux_${arch}.zip"
  bin      = ["."]
  validate = ["terraform", "version"]
  expect   = "v${version}"

  versions {
    url  = "${base}/index.json"
    path = ["versions", "@"]
  }
  checksum {
    url = "${base}/${version}/${name}_${version}_SHA256SUMS"
  }
  # By HashiCorp's key (https://www.hashicorp.com/.well-known/pgp-key.txt): keep it as releases.d/terraform.asc.
  signature {
    url = "${base}/${version}/${name}_${version}_SHA256SUMS.sig"
    of  = "checksum"
  }
}
