# Helm
release "helm" {
  title    = "Helm, packages for Kubernetes"
  homepage = "https://helm.sh/"
  license  = "Apache-2.0"
  arch = {
    x86_64  = "amd64"
    i386    = "386"
    aarch64 = "arm64"
    armv7l  = "arm"
    riscv64 = "riscv64"
    ppc64le = "ppc64le"
    s390x   = "s390x"
  }
  libc     = "none"
  base     = "https://get.helm.sh"
  url      = "${base}/helm-v${version}-linux-${arch}.tar.gz"
  strip    = 1
  bin      = ["."]
  validate = ["helm", "version", "--short"]
  expect   = "v${version}"

  versions {
    url     = "https://api.github.com/repos/helm/helm/releases?per_page=100"
    path    = ["*", "tag_name"]
    pattern = "^v(.*)$"
  }
  checksum {
    url = "${url}.sha256sum"
  }
  # By the keys of its maintainers (KEYS in https://github.com/helm/helm): keep them as releases.d/helm.asc.
  signature {
    url = "https://github.com/helm/helm/releases/download/v${version}/helm-v${version}-linux-${arch}.tar.gz.asc"
  }
}
