#!/usr/bin/env bats
# packer-builder-arm's own templates, unchanged, with stand-ins for the bases
# and scripts that they name. The templates are not part of the project:
# SLIPWAY_BOARD_TEMPLATES names the folder that has them as boards/.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

setup() {
  build_setup
  boards=${SLIPWAY_BOARD_TEMPLATES:-$here/../shared/templates}/boards
  [ -d "$boards" ] || skip 'board templates: SLIPWAY_BOARD_TEMPLATES is not set'
  mkdir -p site scripts
  cp "$(small armhf)"/boards/* "$(small arm64)"/boards/* site/
  for script in install_docker_apt.sh bootstrap_resizerootfs.sh resizerootfs; do
    printf '#!/bin/sh\necho %s >>/var/log/stand-in.log\n' $script >scripts/$script
    chmod 755 scripts/$script
  done
  python3 "$BATS_TEST_DIRNAME/proxy.py" site >port 3>&- &
  server=$!
  for _ in $(seq 50); do
    [ -s port ] && break
    sleep 0.1
  done
  http_proxy=http://127.0.0.1:$(cat port)
  export http_proxy
}

teardown() {
  [ -z "${server-}" ] || kill "$server"
  printf '%s\n' "${output-}" | tail -n 30
}

# The template with https made http, so that the stand-ins are reached, and a fixed digest replaced by theirs.
board() {
  local template=$boards/$1 digest
  digest=$(cd site && sha256sum "${2:-/dev/null}" | cut -d' ' -f1)
  sed -E -e '/"?file_/ s|https://|http://|' -e "s/(\"?file_checksum\"?( *)[:=]( *))\"[0-9a-f]{64}\"/\1\"$digest\"/" "$template" >"${template##*/}"
  run -0 build "${template##*/}"
}

@test "board: armv7 alpine" {
  board armv7/alpine.json
  [ "$(ext_cat alpine.img 1 /etc/resolv.conf)" = 'nameserver 8.8.8.8' ]
  [ "$(ext_cat alpine.img 1 /var/log/stand-in.log)" = 'apk update' ]
}

@test "board: beaglebone-black" {
  board beaglebone-black/debian.json bone-debian-10.13-iot-armhf-2022-10-01-4gb.img.xz
  ext_has beaglebone-black.img 1 /tmp/test
}

@test "board: odroid-xu4" {
  board odroid-xu4/ubuntu.json
  ext_has odroid-xu4.img 2 /home/odroid/test_file
}

@test "board: parallella" {
  board parallella/archlinuxarm.json
  [ "$(fat_cat parallella.img 1 /zImage)" = 'stand-in kernel' ]
  ext_has parallella.img 2 /home/alarm/other_packages
}

@test "board: raspberry-pi archlinuxarm" {
  board raspberry-pi/archlinuxarm.json
  [[ $(ext_cat raspberry-pi.img 2 /var/log/stand-in.log) == *bootstrap_resizerootfs.sh* ]]
  image_is_clean raspberry-pi.img
}

@test "board: raspberry-pi raspbian" {
  board raspberry-pi/raspbian.json
  ext_has raspberry-pi.img 2 /tmp/test
}

@test "board: raspberry-pi raspbian-resize" {
  board raspberry-pi/raspbian-resize.json
  [ "$(stat -c %s raspberry-pi.img)" = 6000000000 ]
  [ "$(size_of raspberry-pi.img 2)" -gt 5500000000 ]
  image_is_clean raspberry-pi.img
}

@test "board: raspberry-pi-4 ubuntu" {
  board raspberry-pi-4/ubuntu_server_20.04_arm64.json
  [ "$(ext_cat ubuntu-20.04.img 2 /var/log/stand-in.log)" = install_docker_apt.sh ]
}

@test "board: wandboard" {
  board wandboard/archlinuxarm.json
  [[ $(ext_cat wandboard.img 1 /var/log/stand-in.log) == *"pacman -Sy uboot-wandboard"* ]]
  run ! ext_has wandboard.img 1 /boot/boot.scr
}
