# Node.js
release "node" {
  title    = "Node.js, JavaScript on servers"
  homepage = "https://nodejs.org/"
  license  = "MIT"
  arch = {
    x86_64  = "x64"
    aarch64 = "arm64"
    armv7l  = "armv7l"
    ppc64le = "ppc64le"
    s390x   = "s390x"
  }
  base     = "https://nodejs.org/dist"
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
}
