# Zig
release "zig" {
  title    = "The Zig programming language"
  homepage = "https://ziglang.org/"
  license  = "MIT"
  arch = {
    x86_64      = "x86_64"
    i386        = "x86"
    aarch64     = "aarch64"
    armv7l      = "armv7a"
    riscv64     = "riscv64"
    ppc64le     = "powerpc64le"
    loongarch64 = "loongarch64"
    s390x       = "s390x"
  }
  libc = "none"
  base = "https://ziglang.org"
  # The order of the name's parts was changed with 0.14.1.
  url = (
    length(regexall("^0\\.([0-9]|1[0-4])\\.", version)) > 0 && version != "0.14.1" ?
    "${base}/download/${version}/zig-linux-${arch}-${version}.tar.xz" :
    "${base}/download/${version}/zig-${arch}-linux-${version}.tar.xz"
  )
  strip    = 1
  bin      = ["."]
  validate = ["zig", "version"]
  expect   = version

  versions {
    url     = "${base}/download/index.json"
    path    = ["@"]
    pattern = "^[0-9].*$"
  }
  checksum {
    url  = "${base}/download/index.json"
    path = [version, "${arch}-linux", "shasum"]
  }
  signature {
    url  = "${url}.minisig"
    type = "minisign"
    key  = "RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U"
  }
}
