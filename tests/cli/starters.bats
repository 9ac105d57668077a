#!/usr/bin/env bats
# The starter templates of boards/: each is valid, and builds on a stand-in of
# the shape that its vendor's base has.

# shellcheck disable=SC2154,SC2016 # set by the helpers; dollars for the guest
load helpers

setup() {
  build_setup
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir -p home/.ssh
  echo 'ssh-ed25519 AAAAC3Nz a key' >home/.ssh/id_ed25519.pub
}

# Made before HOME changes: the roots that stand-ins are made of.
setup_file() {
  export ROOT_ARM64 ROOT_ARMHF ROOT_AMD64
  ROOT_ARM64=$("$BATS_TEST_DIRNAME/../images/small" arm64)/rootfs.tar.gz
  ROOT_ARMHF=$("$BATS_TEST_DIRNAME/../images/small" armhf)/rootfs.tar.gz
  ROOT_AMD64=$("$BATS_TEST_DIRNAME/../images/small" amd64)/rootfs.tar.gz
}

# Programs of distributions that the small root lacks: most only say how they were called.
tools='for tool in usr/sbin/chpasswd usr/sbin/rc-update usr/bin/sudo; do
  printf "#!/bin/sh\necho \"\${0##*/} \$*\" >>/var/log/stand-in.log\n[ \${0##*/} != chpasswd ] || cat >>/var/log/stand-in.log\n" >/$tool
  chmod 755 /$tool
done
cat >/usr/sbin/useradd <<\END
#!/bin/sh
for name; do :; done
echo "$name:x:1100:1100::/home/$name:/bin/sh" >>/etc/passwd
echo "$name:x:1100:" >>/etc/group
mkdir -p "/home/$name"
END
cp /usr/sbin/useradd /usr/sbin/adduser
chmod 755 /usr/sbin/useradd /usr/sbin/adduser
mkdir -p /etc/sudoers.d /etc/network
echo "127.0.1.1 old" >/etc/hosts'

# stand_in ARCHIVE TABLE PARTITIONS FSTAB: base.img, made by slipway itself
stand_in() {
  template "$1" new "$(shell "$tools" "printf '$4' >/etc/fstab")" \
    ".builders[0] += {image_path: \"base.img\", image_size: \"300M\", image_type: \"$2\", image_partitions: $3}"
  run -0 build -force t.json
  sha256sum base.img >base.img.sha256
}

fat() { printf '{"type": "%s", "size": "64MiB", "filesystem": "vfat", "mountpoint": "%s"}' "${2:-c}" "$1"; }
ext4='"filesystem": "ext4", "mountpoint": "/"'

# starter NAME ARGUMENTS...: build the board's template on base.img
starter() {
  local name=$1
  shift
  run -0 "$slipway" validate "$here/boards/$name.pkr.hcl"
  run -0 build -var image_url=base.img -var image_size=400M -var hostname=kitchen -var user=cook -var output=out.img "$@" "$here/boards/$name.pkr.hcl"
  image_is_clean out.img
}

# The user `cook` of a Debian-like image, in partition $1.
has_user() {
  [ "$(ext_cat out.img "$1" /etc/hostname)" = kitchen ]
  [ "$(ext_cat out.img "$1" /etc/hosts)" = '127.0.1.1 kitchen' ]
  [ "$(ext_cat out.img "$1" /home/cook/.ssh/authorized_keys)" = 'ssh-ed25519 AAAAC3Nz a key' ]
  [[ $(ext out.img "$1" 'stat /home/cook/.ssh/authorized_keys') == *'Mode:  0600'*'User:  1100'* ]]
  [[ $(ext_cat out.img "$1" /etc/sudoers.d/010_cook) == 'cook ALL='* ]]
}

@test "starters: Raspberry Pi OS Lite, 32 and 64 bit" {
  local arch archive
  for arch in arm64 armhf; do
    [ "$arch" = arm64 ] && archive=$ROOT_ARM64 || archive=$ROOT_ARMHF
    stand_in "$archive" dos "[$(fat /boot/firmware), {\"type\": \"83\", $ext4}]" \
      '/dev/mmcblk0p2 / ext4 defaults 0 1\n/dev/mmcblk0p1 /boot/firmware vfat defaults 0 2\n'
    starter "raspios-lite-$arch" -force -var checksum_url=base.img.sha256 -var 'packages=["htop", "vim"]' -var 'password_hash=$6$salt$hash'
    [ "$(ext_cat out.img 2 /etc/hostname)" = kitchen ]
    [ "$(fat_cat out.img 1 /userconf.txt)" = 'cook:$6$salt$hash' ]
    [ "$(ext_cat out.img 2 /home/pi/.ssh/authorized_keys)" = 'ssh-ed25519 AAAAC3Nz a key' ]
    fat_cat out.img 1 /ssh
    [[ $(ext_cat out.img 2 /var/log/stand-in.log) == *'apt-get install -y --no-install-recommends htop vim'* ]]
    [ "$(stat -c %s out.img)" = 400000000 ]
    [ "$(size_of out.img 2)" -gt 320000000 ]
  done
}

@test "starters: Debian on a Raspberry Pi" {
  stand_in "$ROOT_ARM64" dos "[$(fat /boot/firmware), {\"type\": \"83\", $ext4}]" \
    '/dev/mmcblk0p2 / ext4 rw 0 1\n/dev/mmcblk0p1 /boot/firmware vfat rw 0 2\n'
  starter raspberrypi-debian -var checksum_url=base.img.sha256
  has_user 2
}

@test "starters: Ubuntu on a Raspberry Pi" {
  stand_in "$ROOT_ARM64" dos "[$(fat /boot/firmware), {\"type\": \"83\", $ext4}]" \
    '/dev/mmcblk0p2 / ext4 defaults 0 1\n/dev/mmcblk0p1 /boot/firmware vfat defaults 0 1\n'
  starter raspberrypi-ubuntu -var checksum_url=base.img.sha256
  fat_cat out.img 1 /user-data >user-data
  [ "$(head -n 1 user-data)" = '#cloud-config' ]
  [ "$(tail -n +2 user-data | jq -r '.hostname, .users[0].name, .users[0].lock_passwd, .users[0].ssh_authorized_keys[0]' | paste -sd,)" = \
    'kitchen,cook,true,ssh-ed25519 AAAAC3Nz a key' ]
}

@test "starters: Arch Linux ARM on a Raspberry Pi" {
  template "$ROOT_ARM64" new "$(shell "$tools")" '.builders[0] += {image_path: "base.tar.gz", image_size: "300M",
    image_partitions: [{type: "83", filesystem: "ext4", mountpoint: "/"}]}'
  run -0 build t.json
  md5sum base.tar.gz >base.md5
  starter raspberrypi-archlinuxarm -var image_url=base.tar.gz -var checksum_url=base.md5 -var image_size=700M
  has_user 2
  [[ $(ext_cat out.img 2 /var/log/stand-in.log) == *'pacman -Sy --noconfirm --needed sudo'* ]]
  [[ $(ext_cat out.img 2 /etc/fstab) == '/dev/mmcblk0p1 /boot vfat'* ]]
}

@test "starters: Alpine on a Raspberry Pi" {
  template "$ROOT_ARM64" new "$(shell "$tools")" '.builders[0] += {image_path: "base.tar.gz", image_size: "300M",
    image_partitions: [{type: "83", filesystem: "ext4", mountpoint: "/"}]}'
  run -0 build t.json
  sha256sum base.tar.gz >base.sha256
  starter raspberrypi-alpine -var image_url=base.tar.gz -var checksum_url=base.sha256 -var image_size=700M
  [[ $(fat_cat out.img 1 /config.txt) == *kernel=vmlinuz-rpi* ]]
  [[ $(fat_cat out.img 1 /cmdline.txt) == root=/dev/mmcblk0p2* ]]
  [[ $(ext_cat out.img 2 /var/log/stand-in.log) == *'apk add alpine-base linux-rpi'*'rc-update add sshd default'*'cook:*'* ]]
  [ "$(ext_cat out.img 2 /home/cook/.ssh/authorized_keys)" = 'ssh-ed25519 AAAAC3Nz a key' ]
}

@test "starters: BeagleBone" {
  stand_in "$ROOT_ARMHF" dos "[$(fat /boot/firmware), {\"type\": \"82\", \"size\": \"16MiB\", \"filesystem\": \"swap\"}, {\"type\": \"83\", $ext4}]" \
    '/dev/mmcblk0p3 / ext4 noatime 0 1\n/dev/mmcblk0p1 /boot/firmware vfat defaults 0 2\n/dev/mmcblk0p2 none swap sw 0 0\n'
  starter beaglebone -var checksum_url=base.img.sha256
  has_user 3
}

@test "starters: Jetson Nano" {
  stand_in "$ROOT_ARM64" gpt "[{\"name\": \"APP\", \"type\": \"8300\", \"start_sector\": \"24576\", \"size\": \"250MiB\", $ext4},
    {\"name\": \"TXA\", \"type\": \"8300\", \"start_sector\": \"2048\", \"size\": \"1MiB\"}]" '/dev/root / ext4 defaults 0 1\n'
  starter jetson-nano -var "checksum=$(md5sum <base.img | cut -d' ' -f1)"
  has_user 1
  [ "$(size_of out.img 1)" -gt 380000000 ]
}

@test "starters: ROCK 4B" {
  template "$ROOT_ARM64" new "$(shell "$tools")" '.builders[0] += {image_path: "base.img", image_size: "700M", image_type: "gpt",
    image_partitions: [{type: "8300", start_sector: "64", size: "4000000"}, {type: "8300", start_sector: "16384", size: "4MiB"},
      {type: "8300", start_sector: "24576", size: "4MiB"},
      {type: "ef00", start_sector: "32768", size: "512MiB", filesystem: "vfat", mountpoint: "/boot"},
      {type: "8300", start_sector: "1081344", size: "100MiB", filesystem: "ext4", mountpoint: "/"}]}'
  run -0 build t.json
  starter rock-4b -var "checksum=$(sha256sum <base.img | cut -d' ' -f1)" -var image_size=800M
  has_user 5
}

@test "starters: any machine with UEFI, arm64 and amd64" {
  local arch archive
  for arch in arm64 amd64; do
    [ "$arch" = arm64 ] && archive=$ROOT_ARM64 || archive=$ROOT_AMD64
    stand_in "$archive" gpt "[{\"type\": \"8300\", \"start_sector\": \"262144\", \"size\": \"150MiB\", $ext4},
      {\"type\": \"ef00\", \"start_sector\": \"8192\", \"size\": \"120MiB\", \"filesystem\": \"vfat\", \"mountpoint\": \"/boot/efi\"}]" \
      '/dev/vda1 / ext4 rw 0 1\n/dev/vda2 /boot/efi vfat defaults 0 0\n'
    sha512sum base.img >SHA512SUMS
    starter "uefi-$arch" -force -var checksum_url=SHA512SUMS -var ssh_key=given
    ext_cat out.img 1 /var/lib/cloud/seed/nocloud/user-data >user-data
    [ "$(tail -n +2 user-data | jq -r '.hostname, .users[0].ssh_authorized_keys[0]' | paste -sd,)" = kitchen,given ]
    [[ $(ext_cat out.img 1 /var/lib/cloud/seed/nocloud/meta-data) == 'instance-id: kitchen'* ]]
    [ "$(size_of out.img 1)" -gt 250000000 ]
  done
}

@test "starters: none is left out" {
  local template
  for template in "$here"/boards/*.pkr.hcl; do
    run -0 "$slipway" validate "$template"
    run -0 "$slipway" fmt -check "$template"
    grep -q "$(basename "$template" .pkr.hcl | sed -e 's/-arm64$//' -e 's/-armhf$//' -e 's/-amd64$//')" "$BATS_TEST_FILENAME"
    [[ $(head -n 1 "$template") == '# '?* ]]
  done
}

@test "starters: slipway init writes them, lists them, and keeps what is there" {
  local template name
  for template in "$here"/boards/*.pkr.hcl; do
    name=$(basename "$template" .pkr.hcl)
    run -0 "$slipway" init "$name" "new/folder"
    [[ $output == "new/folder/$name.pkr.hcl: "* ]]
    cmp "$template" "new/folder/$name.pkr.hcl"
  done
  run -0 "$slipway" init -list
  [ "${#lines[@]}" -eq "$(find "$here/boards" -name '*.pkr.hcl' | wc -l)" ]
  [[ $output == *"jetson-nano "*"NVIDIA Jetson Nano: JetPack's image of Ubuntu"* ]]

  run -0 "$slipway" init rock-4b
  echo 'my own' >rock-4b.pkr.hcl
  run -1 "$slipway" init rock-4b
  [[ $output == *"'rock-4b.pkr.hcl' is there already; use -force to replace it"* ]]
  [ "$(cat rock-4b.pkr.hcl)" = 'my own' ]
  run -0 "$slipway" init -force rock-4b
  cmp rock-4b.pkr.hcl "$here/boards/rock-4b.pkr.hcl"
  run -1 "$slipway" init rock-4bb
  [[ $output == *"there is no template 'rock-4bb', and no board of this name; did you mean 'rock-4b'?"* ]]
  run -1 "$slipway" init rock-4b a b
}
