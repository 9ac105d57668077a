# The Go programming language
release "go" {
  title    = "The Go programming language"
  homepage = "https://go.dev/"
  license  = "BSD-3-Clause"
  arch = {
    x86_64      = "amd64"
    i386        = "386"
    aarch64     = "arm64"
    armv6l      = "armv6l"
    riscv64     = "riscv64"
    ppc64le     = "ppc64le"
    s390x       = "s390x"
    loongarch64 = "loong64"
  }
  # Until 1.20 the programs of these archives were linked with glibc.
  libc     = length(regexall("^1\\.([0-9]|1[0-9]|20)([^0-9]|$)", version)) > 0 ? "glibc" : "none"
  base     = "https://go.dev/dl"
  url      = "${base}/go${version}.linux-${arch}.tar.gz"
  strip    = 1
  bin      = ["bin"]
  validate = ["bin/go", "version"]
  expect   = "go${version} "

  versions {
    url     = "${base}/?mode=json&include=all"
    path    = ["*", "version"]
    pattern = "^go(.*)$"
  }
  checksum {
    url  = "${base}/?mode=json&include=all"
    path = ["*", "files", "*", "filename=go${version}.linux-${arch}.tar.gz", "sha256"]
  }
  # By Google's key for Linux packages (https://www.google.com/linuxrepositories): keep it as releases.d/go.asc.
  signature {
    url = "${url}.asc"
  }
}
