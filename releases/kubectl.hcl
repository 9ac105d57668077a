# kubectl
release "kubectl" {
  title    = "kubectl, the command line of Kubernetes"
  homepage = "https://kubernetes.io/docs/reference/kubectl/"
  license  = "Apache-2.0"
  arch = {
    x86_64  = "amd64"
    i386    = "386"
    aarch64 = "arm64"
    armv7l  = "arm"
    ppc64le = "ppc64le"
    s390x   = "s390x"
  }
  libc     = "none"
  base     = "https://dl.k8s.io/release"
  url      = "${base}/v${version}/bin/linux/${arch}/kubectl"
  file     = "kubectl"
  bin      = ["."]
  validate = ["kubectl", "version", "--client"]
  expect   = "v${version}"

  versions {
    url     = "https://api.github.com/repos/kubernetes/kubernetes/releases?per_page=100"
    path    = ["*", "tag_name"]
    pattern = "^v(.*)$"
  }
  # Its makers sign it by cosign alone, which is not judged here: the checksum is as good as their site's certificate.
  checksum {
    url = "${url}.sha256"
  }
}
