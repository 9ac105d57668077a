# Rust
release "rust" {
  title    = "Rust: its compiler, cargo and the standard library"
  homepage = "https://www.rust-lang.org/"
  license  = "MIT OR Apache-2.0"
  arch = {
    x86_64      = "x86_64-unknown-linux-gnu"
    i386        = "i686-unknown-linux-gnu"
    aarch64     = "aarch64-unknown-linux-gnu"
    armv7l      = "armv7-unknown-linux-gnueabihf"
    armv6l      = "arm-unknown-linux-gnueabihf"
    riscv64     = "riscv64gc-unknown-linux-gnu"
    ppc64le     = "powerpc64le-unknown-linux-gnu"
    s390x       = "s390x-unknown-linux-gnu"
    loongarch64 = "loongarch64-unknown-linux-gnu"

    x86_64-musl  = "x86_64-unknown-linux-musl"
    aarch64-musl = "aarch64-unknown-linux-musl"
  }
  libc     = "glibc"
  base     = "https://static.rust-lang.org"
  url      = "${base}/dist/rust-${version}-${arch}.tar.xz"
  strip    = 1
  merge    = ["rustc", "rust-std-${arch}", "cargo", "clippy-preview", "rustfmt-preview"]
  bin      = ["bin"]
  validate = ["bin/rustc", "--version"]
  expect   = "rustc ${version} "

  versions {
    url     = "${base}/manifests.txt"
    pattern = "/channel-rust-([0-9]+\\.[0-9]+\\.[0-9]+)\\.toml"
  }
  checksum {
    url = "${url}.sha256"
  }
  # By Rust's key (https://static.rust-lang.org/rust-key.gpg.ascii): keep it as releases.d/rust.asc.
  signature {
    url = "${url}.asc"
  }
}
