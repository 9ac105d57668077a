# Node.js
release "node" {
  title    = "Node.js, JavaScript on servers"
  homepage = "https://nodejs.org/"
  license  = "MIT"
  arch = {
    x86_64       = "x64"
    i386         = "x86"
    aarch64      = "arm64"
    armv7l       = "armv7l"
    armv6l       = "armv6l"
    riscv64      = "riscv64"
    ppc64le      = "ppc64le"
    s390x        = "s390x"
    loongarch64  = "loong64"
    x86_64-musl  = "x64-musl"
    aarch64-musl = "arm64-musl"
  }
  libc = "glibc"
  # What the project itself does not build, its unofficial builds may have, in the same layout and unsigned.
  base = (
    contains(["x86_64", "aarch64", "armv7l", "ppc64le", "s390x"], machine) ?
    "https://nodejs.org/dist" : "https://unofficial-builds.nodejs.org/download/release"
  )
  url      = "${base}/v${version}/node-v${version}-linux-${arch}.tar.xz"
  strip    = 1
  bin      = ["bin"]
  validate = ["bin/node", "--version"]
  expect   = "v${version}"

  versions {
    url     = "${base}/index.json"
    path    = ["*", "version"]
    pattern = "^v(.*)$"
  }
  checksum {
    url = "${base}/v${version}/SHASUMS256.txt"
  }
  # By the keys of those who make releases (https://github.com/nodejs/release-keys): keep them as releases.d/node.asc.
  signature {
    url = length(regexall("unofficial", base)) > 0 ? null : "${base}/v${version}/SHASUMS256.txt.sig"
    of  = "checksum"
  }
}
