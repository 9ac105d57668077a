#!/usr/bin/env bats
# The builder arm-image (packer-plugin-arm-image): its keys lead to the same images as the arm builder's.

# shellcheck disable=SC2154,SC2030,SC2031 # set by the helpers; for one test
load helpers

setup() {
  build_setup
  base=$(small armhf)/base.img.xz
  sum=$(cut -d' ' -f1 "$base.sha256")
}

# arm_image STEPS [JQ]: write t.json
arm_image() {
  jq -n --arg url "$base" --arg sum "sha256:$sum" --argjson steps "$1" '{
    builders: [{type: "arm-image", iso_url: $url, iso_checksum: $sum, output_filename: "out.img"}],
    provisioners: $steps
  }' | jq "${2:-.}" >t.json
}

@test "arm-image: an image changed by its keys is the arm builder's, byte for byte" {
  export SOURCE_DATE_EPOCH=1700000000
  arm_image "$(shell 'echo it runs >/etc/built; uname -m >>/etc/built; echo on >/boot/flag')" \
    '.builders[0] += {image_type: "raspberrypi", name: "pi"}'
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/built)" = "$(printf 'it runs\narmv7l')" ]
  [ "$(fat_cat out.img 1 /flag)" = on ]
  image_is_clean out.img
  mv out.img first.img
  template "$base" reuse "$(shell 'echo it runs >/etc/built; uname -m >>/etc/built; echo on >/boot/flag')" \
    '.builders[0].name = "pi"'
  run -0 build t.json
  cmp first.img out.img
  rm first.img
  nothing_left
}

@test "arm-image: output-NAME/image, several URLs, a file with the digest, mounts by hand" {
  arm_image "$(shell 'ls /mnt >/list')" 'del(.builders[0].output_filename, .builders[0].iso_url) |
    .builders[0] += {name: "pi", iso_urls: ["/nowhere/there.img", "'"$base"'"], iso_checksum: "file:'"$base"'.sha256",
      image_mounts: ["/mnt", "/"]}'
  run -0 build t.json
  [[ $(ext_cat output-pi/image 2 /list) == *cmdline.txt* ]]
}

@test "arm-image: target_image_size and last_partition_extra_size grow the last partition" {
  arm_image '[]' '.builders[0] += {target_image_size: 150000640, image_type: "raspberrypi"}'
  run -0 build t.json
  [ "$(stat -c %s out.img)" = 150000640 ]
  [ "$(size_of out.img 2)" -gt 125000000 ]
  [ "$(size_of out.img 1)" = $((16 << 20)) ]
  image_is_clean out.img
  arm_image '[]' '.builders[0] += {last_partition_extra_size: (20 * 1048576)}'
  run -0 build -force t.json
  [ "$(stat -c %s out.img)" = $((86 << 20)) ]
  [ "$(size_of out.img 2)" -ge $((68 << 20)) ]
  image_is_clean out.img
}

@test "arm-image: resolv-conf" {
  local way
  for way in off bind-host; do
    arm_image "$(shell 'grep -q ^nameserver /etc/resolv.conf || test ! -s /etc/resolv.conf; touch /there')" \
      ".builders[0][\"resolv-conf\"] = \"$way\""
    run -0 build -force t.json
    [[ $(ext out.img 2 'stat /etc/resolv.conf') == *'../run/systemd/resolve/stub-resolv.conf'* ]]
  done
  arm_image "$(shell 'touch /there')" '.builders[0]["resolv-conf"] = "delete"'
  run -0 build -force t.json
  run ! ext_has out.img 2 /etc/resolv.conf
  arm_image "$(shell 'touch /there')" '.builders[0]["resolv-conf"] = "copy-host"'
  run -0 build -force t.json
  [ "$(ext_cat out.img 2 /etc/resolv.conf)" = "$(cat /etc/resolv.conf)" ]
}

@test "arm-image: qemu_args reach qemu, and a kind of image has its own" {
  arm_image "$(shell 'grep ^model /proc/cpuinfo >/cpu; echo "$QEMU_CPU" >>/cpu')" \
    '.builders[0] += {qemu_args: ["-cpu", "cortex-a9"]}'
  run -0 build t.json
  [[ $(ext_cat out.img 2 /cpu) == *cortex-a9* ]]
  arm_image "$(shell 'echo "$QEMU_CPU" >/cpu')" '.builders[0] += {image_type: "beaglebone", image_mounts: ["/boot", "/"]}'
  run -0 build -force t.json
  [ "$(ext_cat out.img 2 /cpu)" = cortex-a8 ]
}

@test "arm-image: mounts of the host, and keys that have no effect" {
  mkdir shared
  echo 'of the host' >shared/file
  arm_image "$(shell 'cat /mnt/file >/copied')" '.builders[0] += {
    additional_chroot_mounts: [["bind", "'"$PWD"'/shared", "/mnt"]],
    command_wrapper: "sudo {{.Command}}", qemu_required: true, image_arch: "arm", disable_embedded: true}'
  run -0 build t.json
  [[ $output == *"'command_wrapper' has no effect"* ]]
  [ "$(ext_cat out.img 2 /copied)" = 'of the host' ]
}

@test "arm-image: an image that is larger than its target is left alone, with a reason" {
  arm_image '[]' '.builders[0] += {target_image_size: 1048576}'
  run -1 build t.json
  [[ $output == *'resize can only grow it'* ]]
  [ ! -e out.img ]
  nothing_left
}

@test "arm-image: in HCL2, the same bytes as in JSON" {
  export SOURCE_DATE_EPOCH=1700000000
  cat >t.pkr.hcl <<END
packer {
  required_plugins {
    arm-image = {
      version = ">= 0.2.7"
      source  = "github.com/solo-io/arm-image"
    }
  }
}

source "arm-image" "pi" {
  iso_url                  = "$base"
  iso_checksum             = "sha256:$sum"
  image_type               = "raspberrypi"
  target_image_size        = 100 * 1024 * 1024
  output_filename          = "hcl.img"
  additional_chroot_mounts = [["tmpfs", "tmpfs", "/mnt"]]
  resolv-conf              = "delete"
}

build {
  sources = ["source.arm-image.pi"]
  provisioner "shell" {
    inline = ["touch /mnt/gone /there"]
  }
}
END
  run -0 build t.pkr.hcl
  arm_image "$(shell 'touch /mnt/gone /there')" '.builders[0] += {name: "arm-image.pi", image_type: "raspberrypi", target_image_size: 104857600,
    additional_chroot_mounts: [["tmpfs", "tmpfs", "/mnt"]], "resolv-conf": "delete"}'
  run -0 build t.json
  cmp hcl.img out.img
  ext_has out.img 2 /there
  run ! ext_has out.img 2 /mnt/gone
}
