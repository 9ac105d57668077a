# Prometheus' node_exporter
release "node_exporter" {
  title    = "Prometheus' exporter of a machine's own figures"
  homepage = "https://prometheus.io/"
  license  = "Apache-2.0"
  arch = {
    x86_64  = "amd64"
    i386    = "386"
    aarch64 = "arm64"
    armv7l  = "armv7"
    armv6l  = "armv6"
    armv5l  = "armv5"
    riscv64 = "riscv64"
    ppc64le = "ppc64le"
    s390x   = "s390x"
  }
  libc     = "none"
  base     = "https://github.com/prometheus/node_exporter/releases/download"
  url      = "${base}/v${version}/node_exporter-${version}.linux-${arch}.tar.gz"
  strip    = 1
  bin      = ["."]
  validate = ["node_exporter", "--version"]
  expect   = "version ${version} "

  versions {
    url     = "https://api.github.com/repos/prometheus/node_exporter/releases?per_page=100"
    path    = ["*", "tag_name"]
    pattern = "^v(.*)$"
  }
  # Its makers sign no releases: the checksum is as good as their site's certificate.
  checksum {
    url = "${base}/v${version}/sha256sums.txt"
  }
}
