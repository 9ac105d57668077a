#!/usr/bin/env bats
# Images that the machine's own firmware starts, by a boot loader in them; what
# -persist and -ssh do.

# shellcheck disable=SC2154 # set by the helpers
load ../cli/helpers

setup() { build_setup; }
teardown_file() { rm -rf "$BATS_FILE_TMPDIR/images"; }

machine() { "$here/tests/images/machine" "$1"; }

# image ARCH: out.img, made once for each architecture: an EFI system
# partition on /boot, and the root; a copy of it in the test's folder.
image() {
  local made=$BATS_FILE_TMPDIR/images/$1.img base
  if [ ! -e "$made" ]; then
    mkdir -p "${made%/*}"
    base=$(machine "$1")/rootfs.tar.gz
    template "$base" new '[]' '.builders[0] += {image_size: "96MiB", image_type: "dos", image_partitions: [
      {name: "esp", type: "ef", size: "40MiB", filesystem: "vfat", mountpoint: "/boot"},
      {name: "root", type: "83", size: "0", filesystem: "ext4", mountpoint: "/"}]}' # as on a UEFI machine
    if [ "$1" = amd64 ]; then
      jq '.builders[0].image_setup_extra = [
        ["syslinux", "--install", "--offset", "1048576", "$IMAGE_PATH"],
        ["dd", "if=/usr/lib/syslinux/mbr/mbr.bin", "of=$IMAGE_PATH", "conv=notrunc", "status=none"],
        ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--activate", "$IMAGE_PATH", "1"]]' t.json >u.json
      mv u.json t.json
    fi
    run -0 build t.json
    image_is_clean out.img
    mv out.img "$made"
  fi
  cp --sparse=always "$made" out.img
}

boot() {
  echo "slipway boot $*"
  timeout 120 "$slipway" boot -timeout=100 -memory=512 -cpus=1 "$@" "$BATS_TEST_TMPDIR/out.img"
}

# No QEMU of ours is left, nor anything it was given.
no_machine_left() {
  local tries=0
  while pgrep -af "qemu-system" | grep -F "file=$BATS_TEST_TMPDIR/" >&2; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || return 1
    sleep 0.1
  done
  ! find "$BATS_TEST_TMPDIR" -name 'vl.*' | grep .
}

@test "boot: a PC by BIOS; without -persist the image stays as it is" {
  image amd64
  sha256sum out.img >before
  run -0 boot -until='MACHINE by BIOS, boot 1'
  sha256sum -c --quiet before
  no_machine_left
}

@test "boot: a PC by UEFI; with -persist the second start sees the first" {
  image amd64
  run -0 boot -firmware=uefi -persist -until='MACHINE by UEFI, boot 1'
  [ "$(ext_cat out.img 2 /count)" = 1 ]
  run -0 boot -persist -append=quiet -until='MACHINE by BIOS, boot 2' # by no firmware's loader: QEMU itself
  [ "$(ext_cat out.img 2 /count)" = 2 ]
  no_machine_left
}

@test "boot: arm64 by UEFI" {
  image arm64
  sha256sum out.img >before
  run -0 boot -firmware=uefi -until='MACHINE by UEFI, boot 1'
  sha256sum -c --quiet before
}

# shows TEXT PID: wait until the process has written TEXT to the file console.
shows() {
  local tries=0
  until grep -q "$1" console; do
    tries=$((tries + 1))
    [ "$tries" -lt 900 ]
    kill -0 "$2"
    sleep 0.1
  done
}

# A port of this host that nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

@test "boot: -ssh forwards a port, and one logs in" {
  local port boot key
  image amd64
  port=$(free_port)
  key=$BATS_TEST_TMPDIR/key
  install -m 600 "$(machine amd64)/key" "$key"
  # Its own end is the answer that came by SSH, written to the console.
  timeout 120 "$slipway" boot -timeout=100 -memory=512 -cpus=1 -append=quiet -ssh="$port" -until='goodbye from root' "$BATS_TEST_TMPDIR/out.img" >console &
  boot=$!
  shows 'SSH is ready' "$boot"
  run -0 timeout 60 ssh -F none -i "$key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    root@127.0.0.1 'id -u; (sleep 2; echo goodbye from root >/dev/console) </dev/null >/dev/null 2>&1 &'
  [ "$output" = 0 ]
  wait "$boot"
  no_machine_left
}

@test "boot: a person at the terminal ends it with Ctrl-A x; a signal, even KILL, leaves no machine" {
  local boot image="$BATS_TEST_TMPDIR/an image, with a comma.img"
  image amd64
  mv out.img "$image"
  mkfifo keys
  timeout 120 "$slipway" boot -memory=512 -cpus=1 -append=quiet "$image" <keys >console &
  boot=$!
  exec 7>keys
  shows 'SSH is ready' "$boot"
  printf '\001x' >&7
  exec 7>&-
  wait "$boot"
  no_machine_left
  for signal in TERM KILL; do
    "$slipway" boot -timeout=100 -memory=512 -cpus=1 -append=quiet -until=never "$image" >console &
    boot=$!
    shows 'MACHINE by' "$boot"
    kill -"$signal" "$boot"
    ! wait "$boot" || false
    no_machine_left
  done
}

@test "boot: an SSH port that is taken, and firmware that the machine has not" {
  local port listener
  image amd64
  python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(1); print(s.getsockname()[1], flush=True); time.sleep(100)' >port &
  listener=$!
  until [ -s port ]; do sleep 0.05; done
  port=$(cat port)
  run -1 boot -ssh="$port" -until=never
  kill "$listener"
  [[ $output == *"$port"* ]]
  run -1 boot -machine=raspi3b -until=never
  [[ $output == *"the machine 'raspi3b' does not run x86-64"* ]]
  run -1 boot -firmware=uefi -append=quiet -until=never
  [[ $output == *"-append gives words to a kernel that QEMU starts"* ]]
  run -1 boot -firmware=coreboot
  [[ $output == *"coreboot"* ]]
}
