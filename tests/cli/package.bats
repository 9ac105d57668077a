#!/usr/bin/env bats
# Post-processors over a built image.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { build_setup; }

# read_for POST_PROCESSORS: build with these, and how many bytes all processes of it have read, in MiB.
read_for() {
  jq --argjson post "$1" '."post-processors" = $post' t.json >p.json
  PACKER_LOG=1 bash -c 'timeout 300 "$1" build -force p.json >log 2>&1 || { cat log >&2; exit 1; }
    awk "/^rchar/ {print int(\$2 / 1048576)}" /proc/self/io' bash "$slipway"
}

@test "post-processors: block map, checksums and a compressed file of one reading of the image" {
  # Data that no step reads again, so that its size is what a reading costs.
  template "$(small)/base.img.xz" reuse "$(shell 'dd if=/dev/urandom of=/data bs=1M count=24')"
  build t.json
  local none one all
  none=$(read_for '[]')
  one=$(read_for '[["bmap"]]')
  all=$(read_for '[["bmap", {"type": "checksum", "checksum_types": ["sha256", "md5"], "output": "sums.{{.ChecksumType}}"}],
    [{"type": "compress", "output": "out.img.zst"}], [{"type": "compress", "output": "out.img.gz"}]]')
  grep -q "reading 'out.img' for block map, checksum, compress, compress\$" log
  echo "read: $none MiB, with a block map $one MiB, with all $all MiB"
  # The image's data once, and for all of them not once more.
  [ $((one - none)) -ge 24 ]
  [ $((one - none)) -lt $(($(du -m out.img | cut -f 1) + 12)) ]
  [ "$all" -lt $((one + 12)) ]
  sha256sum -c sums.sha256
  md5sum -c sums.md5
  zstd -qdc out.img.zst | cmp - out.img
  gzip -dc out.img.gz | cmp - out.img
  bmaptool copy --bmap out.img.bmap out.img copy.img
  cmp out.img copy.img
}

@test "post-processors: an image that one of them changes is read again for the next" {
  template "$(small)/base.img.xz" reuse "$(shell true)"
  jq '."post-processors" = [["bmap"], [{"type": "shell-local", "inline": ["printf x | dd of=out.img bs=1 seek=440 conv=notrunc"]}],
    [{"type": "compress", "output": "out.img.zst"}]]' t.json >p.json
  build p.json
  zstd -qdc out.img.zst | cmp - out.img
  [ "$(od -A n -c -j 440 -N 1 out.img | tr -d ' ')" = x ]
}
