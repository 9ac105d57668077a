#!/usr/bin/env bats
# slipway build on bad input: each mistake has its own clear error, and leaves
# nothing behind.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

setup() { build_setup; }

fails() {
  local word
  run -1 build t.json
  for word in "$@"; do
    [[ $output == *"$word"* ]] || { echo "the error does not say '$word'"; return 1; }
  done
  [ ! -e out.img ]
  nothing_left
}

packed() { sha256sum "$1" >"$1.sha256"; }

@test "error: wrong digest" {
  template "$(small)/base.img.xz" reuse "$(shell true)" '.builders[0].file_checksum = ("0" * 64)'
  fails 0000000000000000 "$(cut -d' ' -f1 "$(small)/base.img.xz.sha256")"
}

@test "error: no such file" {
  template "$(small)/base.img.xz" reuse "$(shell true)" '.builders[0].file_urls = ["/nonexistent/base.img"]'
  fails /nonexistent/base.img
}

@test "error: a place where no image can be is told before the steps run" {
  mkdir out.d
  local place
  for place in out.d out.d/ made/ /dev/null; do
    template "$(small)/base.img.xz" reuse "$(shell 'echo it ran')" ".builders[0].image_path = \"$place\""
    run -1 build -force t.json
    echo "$output"
    [[ $output == *"image_path '$place' is "*"file"* && $output != *"it ran"* ]]
  done
  [ -d out.d ] && [ -c /dev/null ] && [ ! -e made ]
  printf '#!/bin/sh\n' >program
  chmod +x program
  place=program/out.img
  template "$(small)/base.img.xz" reuse "$(shell 'echo it ran')" ".builders[0].image_path = \"$place\""
  run -1 build t.json
  [[ $output == *"image_path '$place': 'program' is no folder"* && $output != *"it ran"* ]]
  place=$(printf 'x%.0s' $(seq 300))
  template "$(small)/base.img.xz" reuse "$(shell 'echo it ran')" ".builders[0].image_path = \"$place\""
  run -1 build t.json
  [[ $output == *"image_path '$place': File name too long"* && $output != *"it ran"* ]]
  [ "$(id -u)" -ne 0 ] || return 0 # who may write everywhere
  chmod a-w out.d
  template "$(small)/base.img.xz" reuse "$(shell 'echo it ran')" '.builders[0].image_path = "out.d/a/b.img"'
  run -1 build t.json
  [[ $output == *"write in the folder 'out.d': Permission denied"* && $output != *"it ran"* ]]
}

@test "error: a base that is no file" {
  local base
  mkfifo base.fifo
  for base in base.fifo .; do
    template "$(small)/base.img.xz" reuse "$(shell true)" ".builders[0].file_urls = [\"$base\"]"
    run -1 timeout 20 "$slipway" build t.json
    [[ $output == *"it is not a file"* ]]
  done
}

@test "error: truncated and damaged .xz, .gz and .zip" {
  local name
  for name in base.img.xz base.img.gz base.zip; do
    head -c 700000 "$(small)/$name" >short."${name##*.}"
    packed short."${name##*.}"
    template "$PWD/short.${name##*.}" reuse "$(shell true)"
    fails "short.${name##*.}"
    cp "$(small)/$name" bad."${name##*.}"
    chmod u+w bad."${name##*.}"
    dd if=/dev/urandom of=bad."${name##*.}" bs=1000 seek=500 count=1 conv=notrunc status=none
    packed bad."${name##*.}"
    template "$PWD/bad.${name##*.}" reuse "$(shell true)"
    fails "bad.${name##*.}"
    [[ $output != *blobs/* ]] # the cache's own name for it
  done
}

@test "error: an archive whose members leave the folder" {
  python3 - <<'PYTHON'
import io, tarfile
def make(name, *members):
    with tarfile.open(name, "w:gz") as tar:
        for path, kind, text in members:
            info = tarfile.TarInfo(path)
            info.type = kind
            if kind == tarfile.SYMTYPE:
                info.linkname = text
                tar.addfile(info)
            else:
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
make("dots.tar.gz", ("../escaped", tarfile.REGTYPE, "out"))
make("link.tar.gz", ("out", tarfile.SYMTYPE, "/tmp"), ("out/escaped-by-link", tarfile.REGTYPE, "out"))
PYTHON
  local name
  for name in dots link; do
    packed $name.tar.gz
    template "$PWD/$name.tar.gz" new "$(shell true)" '.builders[0] += {image_size: "64MiB", image_partitions: [{name: "root", type: "83", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
    run -1 build t.json
    [ ! -e out.img ]
  done
  [ ! -e /tmp/escaped-by-link ]
  [ -z "$(find "$BATS_FILE_TMPDIR" -name 'escaped*')" ]
}

@test "error: partitions that overlap, and one past the end" {
  template "$(small)/rootfs.tar.gz" new "$(shell true)" '.builders[0] += {image_size: "100MiB", image_partitions: [
    {name: "boot", type: "c", start_sector: "2048", size: "32MiB", filesystem: "vfat", mountpoint: "/boot"},
    {name: "root", type: "83", start_sector: "4096", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  fails overlap boot root
  template "$(small)/rootfs.tar.gz" new "$(shell true)" '.builders[0] += {image_size: "100MiB", image_partitions: [
    {name: "root", type: "83", start_sector: "2048", size: "300MiB", filesystem: "ext4", mountpoint: "/"}]}'
  fails root 300
}

@test "error: a root without a shell" {
  mkdir -p empty/etc empty/usr
  tar -czf empty.tar.gz -C empty .
  packed empty.tar.gz
  template "$PWD/empty.tar.gz" new "$(shell true)" '.builders[0] += {image_size: "64MiB", image_partitions: [{name: "root", type: "83", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  fails shell
}

@test "error: a damaged ext4" {
  cp "$(small)/base.img" damaged.img
  chmod u+w damaged.img
  dd if=/dev/urandom of=damaged.img bs=4096 seek=4353 count=40 conv=notrunc status=none
  packed damaged.img
  template "$PWD/damaged.img" reuse "$(shell true)" '.builders[0] += {image_partitions: [
    {name: "boot", type: "c", start_sector: "2048", size: "16MiB", filesystem: "vfat", mountpoint: "/boot"},
    {name: "root", type: "83", start_sector: "34816", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  fails damaged
}

@test "a damaged ext4 that can be mended is mended, whichever way it is read" {
  cp "$(small)/base.img" damaged.img
  chmod u+w damaged.img
  debugfs -w -R 'sif /etc links_count 9' "damaged.img?offset=$((34816 * 512))"
  run ! e2fsck -fn "damaged.img?offset=$((34816 * 512))"
  packed damaged.img
  template "$PWD/damaged.img" reuse "$(shell 'echo hello >/etc/hello')"
  for SLIPWAY_EXTRACT in '' 1; do
    export SLIPWAY_EXTRACT
    rm -f out.img
    "$slipway" cache prune -all
    build t.json
    e2fsck -fn "out.img?offset=$((34816 * 512))"
    [ "$(ext_cat out.img 2 /etc/hello)" = hello ]
  done
  nothing_left
}

@test "error: a damaged FAT" {
  cp "$(small)/base.img" damaged.img
  chmod u+w damaged.img
  dd if=/dev/zero of=damaged.img bs=512 seek=2048 count=60 conv=notrunc status=none
  dd if="$(small)/base.img" of=damaged.img bs=512 skip=2048 seek=2048 count=1 conv=notrunc status=none
  packed damaged.img
  template "$PWD/damaged.img" reuse "$(shell true)"
  fails boot
}

@test "error: the image is full: by how much, and which key to change" {
  template "$(small)/base.img.xz" reuse "$(shell 'dd if=/dev/urandom of=/srv-big bs=1M count=100 2>/dev/null')"
  fails "'out.img': '/srv-big': partition 2 (/): no space left" image_size
  template "$(small)/base.img.xz" reuse "$(shell 'dd if=/dev/urandom of=/boot/big bs=1M count=20 2>/dev/null')"
  fails "'out.img': partition 1 (/boot) is full"
}

@test "error: the cache is full: where it is, and how to move it" {
  mkdir small-cache
  template "$(small)/base.img.xz" reuse "$(shell true)"
  # shellcheck disable=SC2016 # for the shell inside
  run -1 "$here/tests/images/inside" sh -c 'mount -t tmpfs -o size=3m none small-cache && SLIPWAY_CACHE_DIR=$PWD/small-cache "$@"' \
    sh "$slipway" build t.json
  [[ $output == *"unpack 'base.img.xz': "*"No space left on device"*"the cache '$PWD/small-cache' needs room"*SLIPWAY_CACHE_DIR* ]]
  nothing_left
}

@test "error: wrong types in a template are told with their places" {
  template "$(small)/base.img.xz" reuse '[{"type": "shell", "inline": {"a": 1}}]' '.builders[0].image_partitions = "no list" | .builders[0].image_size = ["2G"]'
  fails 'on t.json line' image_partitions image_size
}

@test "error: not an image at all" {
  echo 'just text' >text.img
  packed text.img
  template "$PWD/text.img" reuse "$(shell true)"
  fails text.img
}

@test "error: what a step says in other bytes than UTF-8 is passed on, and does not stand for the reason" {
  jq -n '{builders: [{type: "null", communicator: "none"}], provisioners: [{type: "shell-local",
    inline: ["printf \"caf\\351: gone\\n\" >&2; exit 3"]}]}' >t.json
  fails "provisioner 1 (shell-local)"
  [[ $output != *"without a result"* ]]
}

@test "files of an artifact may have names of any bytes" {
  jq -n '{builders: [{type: "null", communicator: "none"}], provisioners: [{type: "shell-local",
    inline: ["touch \"$(printf \"caf\\351.txt\")\""]}], "post-processors": [{type: "artifice", files: ["caf*.txt"]}]}' >t.json
  run -0 build t.json
  [[ $output == *$'--> null: caf\351.txt'* ]]
}

@test "a password in the address of a base is shown nowhere" {
  template "$(small)/base.img.xz" reuse "$(shell true)" '.builders[0] |= del(.file_checksum) + {
    file_urls: ["http://user:secret@127.0.0.1:1/base.img"], file_checksum_url: "/nonexistent/sums"}'
  PACKER_LOG=1 fails /nonexistent/sums
  [[ $output == *Retrieving* && $output != *secret* ]]
}

@test "the list of builds that failed has what a message that goes over lines is about" {
  jq -n '{builders: [{type: "null", communicator: "none"}], provisioners: [{type: "shell-local",
    inline: ["echo one", "echo the reason", "exit 3"]}]}' >t.json
  run -1 build t.json
  [[ $output == *"had errors:"*"--> null: "*"Its last lines:"$'\n'"    one"$'\n'"    the reason"* ]]
  jq '.provisioners[0].inline = ["seq 9", "echo the reason", "exit 3"]' t.json >u.json
  run -1 build u.json
  [[ $output == *"had errors:"*"--> null: "*"Its last lines:"$'\n'"    ..."$'\n'"    the reason"* ]]
  jq '.provisioners[0].inline = ["exit 3"]' t.json >u.json
  run -1 build u.json
  [[ $output == *"had errors:"*"--> null: "*"exit code 3; expected 0"* ]]
}
