#!/usr/bin/env bats
# Images that slipway built boot in QEMU to a line of the service that the
# template installed.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load ../cli/helpers

setup() { build_setup; }

service() {
  jq -n --arg unit "[Unit]
Description=Marker
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo MARKER \$\$(uname -m) \$\$(cat /etc/hostname) >/dev/console'
[Install]
WantedBy=multi-user.target
" '[
    {type: "file", content: $unit, destination: "/etc/systemd/system/marker.service"},
    {type: "shell", inline: ["systemctl enable marker.service", "echo built-here >/etc/hostname"]}]'
}

boots() {
  template "$1" reuse "$(service)"
  run -0 build t.json
  image_is_clean out.img
  sha256sum out.img >before
  run -0 timeout 400 "$slipway" boot -until="$2" -timeout=300 "${@:3}" out.img
  sha256sum -c --quiet before
}

@test "boot: arm64, from .img.xz" { boots "$(debian arm64)/base.img.xz" 'MARKER aarch64 built-here'; }

@test "boot: arm64 on raspi3b" { boots "$(debian arm64)/base.img.xz" 'MARKER aarch64 built-here' -machine=raspi3b; }

@test "boot: armhf, from .zip" { boots "$(debian armhf)/base.zip" 'MARKER armv7l built-here'; }

@test "boot: new on gpt, ext4, from a root archive, with a package by apt-get, and shrunk" {
  template "$(debian arm64)/rootfs.tar.gz" new "$(service | jq '. + [{type: "shell", inline: ["apt-get update", "apt-get install -y --no-install-recommends hello", "hello"]}]')" \
    '.builders[0] += {image_size: "1GiB", image_shrink: true, image_type: "gpt", image_partitions: [
      {name: "boot", type: "ef00", size: "64MiB", filesystem: "vfat", mountpoint: "/boot/firmware"},
      {name: "root", type: "8300", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  run -0 build t.json
  [[ $output == *"Hello, world!"*"The image is cut to "* ]]
  image_is_clean out.img
  run -0 timeout 400 "$slipway" boot -until='MARKER aarch64' -timeout=300 out.img
}

@test "boot: time-out, panic and the end of the machine are told apart" {
  template "$(debian arm64)/base.img.xz" reuse "$(shell true)"
  run -0 build t.json
  run -1 timeout 100 "$slipway" boot -until='never shown' -timeout=4 out.img
  [[ $output == *"did not show 'never shown' within 4 s"* ]]
  run -1 timeout 200 "$slipway" boot -until='never shown' -timeout=150 -append='init=/nonexistent' out.img
  [[ $output == *"kernel panicked"* ]]
}
