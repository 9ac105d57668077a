#!/usr/bin/env bats
# Real firmware boots from `slipway serve` to a line of a Linux userland.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { lab_start && mkdir root; }
teardown() { lab_stop; }

# serves OPTIONS...: slipway in the server's namespace; its log is serve.log.
serves() {
  background serve server "$slipway" serve -state="$PWD/state" "$@"
  wait_for 20 shows serve ' ready'
}
ask() { server env SLIPWAY_CONTROL="$PWD/state/control" "$slipway" "$@"; }

linux() {
  cp "$(netboot "${1:-amd64}")"/{vmlinuz,initrd.img} root/
  echo 'as slipway served it' >root/marker
}

@test "firmware: iPXE's ROM on BIOS boots a kernel from a folder" {
  linux
  echo 'console=ttyS0 panic=-1' >root/cmdline
  serves -quick root -interface eth0
  boots bios 'MARKER x86_64 10.77.0.'
  grep -F 'as slipway served it' machine.txt
  run -0 ask machine show 52:54:00:77:00:01
  [[ $output == *' bios  up'*'DISCOVER by ipxe on bios'*'HTTP: /vmlinuz'* ]]
  run -0 ask lease ls
  [[ $output == *10.77.0.*52:54:00:77:00:01* ]]
}
