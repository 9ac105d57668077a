# Deno
release "deno" {
  title    = "Deno, a runtime for JavaScript and TypeScript"
  homepage = "https://deno.com/"
  license  = "MIT"
  arch = {
    x86_64  = "x86_64-unknown-linux-gnu"
    aarch64 = "aarch64-unknown-linux-gnu"
  }
  libc     = "glibc"
  base     = "https://github.com/denoland/deno/releases/download"
  url      = "${base}/v${version}/deno-${arch}.zip"
  bin      = ["."]
  validate = ["deno", "--version"]
  expect   = "deno ${version} "

  versions {
    url     = "https://api.github.com/repos/denoland/deno/releases?per_page=100"
    path    = ["*", "tag_name"]
    pattern = "^v(.*)$"
  }
  # Its makers sign no releases: the checksum is as good as their site's certificate.
  checksum {
    url = "${url}.sha256sum"
  }
}
