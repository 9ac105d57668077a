#!/usr/bin/env bats
# slipway build, on small bases: what an image holds afterwards, and what it
# does not.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

setup() { build_setup; }

@test "build: a vendor's .img.xz, a shell provisioner, and the change is in the image" {
  template "$(small)/base.img.xz" reuse "$(shell 'echo "made by $(id -u) on $(uname -m)" >/etc/marker')"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/marker)" = "made by 0 on aarch64" ]
  image_is_clean out.img
  nothing_left
}

@test "build: the same from .zip, .img.gz and a plain .img, and for armhf and amd64" {
  local file
  for file in "$(small)"/base.{zip,img.gz,img} "$(small armhf)/base.img.xz" "$(small amd64)/base.img.xz"; do
    template "$file" reuse "$(shell 'uname -m >/etc/marker')"
    run -0 build -force t.json
    case $file in
    */small-armhf-*) [[ $(ext_cat out.img 2 /etc/marker) == arm* ]] ;;
    */small-amd64-*) [ "$(ext_cat out.img 2 /etc/marker)" = x86_64 ] ;;
    *) [ "$(ext_cat out.img 2 /etc/marker)" = aarch64 ] ;;
    esac
  done
  image_is_clean out.img
  nothing_left
}

@test "build: UUIDs, labels, disk id and sizes of a reused image stay" {
  local base
  base=$(small)/base.img.xz
  template "$base" reuse "$(shell 'true >/etc/marker')"
  run -0 build t.json
  xz -dc "$base" >before.img
  diff <(sfdisk -d before.img | sed 's/before//') <(sfdisk -d out.img | sed 's/out//')
  for partition in 1 2; do
    diff <(blkid -p -O "$(start_of before.img $partition)" -S "$(size_of before.img $partition)" before.img | cut -d: -f2) \
      <(blkid -p -O "$(start_of out.img $partition)" -S "$(size_of out.img $partition)" out.img | cut -d: -f2)
  done
  [ "$(stat -c %s before.img)" = "$(stat -c %s out.img)" ]
}

@test "build: owners, modes, capabilities, links, holes and device nodes stay" {
  template "$(small)/base.img.xz" reuse "$(shell true)"
  run -0 build t.json
  [[ $(ext out.img 2 'stat /usr/bin/set-id') == *Mode:*04755* ]]
  [[ $(ext out.img 2 'stat /home/pi') == *User:*1000*Group:*1000* ]]
  [[ $(ext out.img 2 'ea_list /usr/bin/capable') == *security.capability* ]]
  [ "$(ext_cat out.img 2 /opt/first)" = linked ]
  [ "$(ext out.img 2 'stat /opt/first' | head -n 1 | awk '{print $2}')" = "$(ext out.img 2 'stat /opt/second' | head -n 1 | awk '{print $2}')" ]
  [ "$(ext out.img 2 'stat /opt/holes' | sed -n 's/.*Blockcount: //p')" -lt 100 ]
  [[ $(ext out.img 2 'stat /dev/null') == *"character special"* ]]
  [ "$(ext_cat out.img 2 '"/opt/a name with spaces"')" = name ]
  [[ $(ext out.img 2 'stat /opt/fifo') == *FIFO* ]]
}

@test "build: the boot partition is changed too" {
  template "$(small)/base.img.xz" reuse "$(shell 'echo dtparam=audio=on >>/boot/config.txt' 'rm /boot/cmdline.txt' \
    'echo x >"/boot/A new file with a long name.txt"' 'mkdir /boot/new' 'echo y >/boot/new/y')"
  run -0 build t.json
  [ "$(fat_cat out.img 1 /config.txt)" = $'enable_uart=1\ndtparam=audio=on' ]
  [ "$(fat_cat out.img 1 '/A new file with a long name.txt')" = x ]
  [ "$(fat_cat out.img 1 '/overlays/A rather long name.dtbo')" = 'a long name in a folder' ]
  [ "$(fat_cat out.img 1 /new/y)" = y ]
  run fat_cat out.img 1 /cmdline.txt
  [ "$status" -ne 0 ]
  image_is_clean out.img
}

@test "build: files are removed, folders replaced, names reused" {
  template "$(small)/base.img.xz" reuse "$(shell 'rm /opt/holes /opt/fifo' 'rm -r /home/odroid' 'rm -r /home/alarm' 'echo file >/home/alarm' \
    'rm /opt/absolute' 'mkdir /opt/absolute' 'echo in >/opt/absolute/in' 'mv /opt/first /opt/third' 'chown 12345:54321 /opt/third' 'ln -s x /opt/link')"
  run -0 build t.json
  run ! ext_has out.img 2 /opt/holes
  run ! ext_has out.img 2 /home/odroid
  run ! ext_has out.img 2 /opt/first
  [ "$(ext_cat out.img 2 /home/alarm)" = file ]
  [ "$(ext_cat out.img 2 /opt/absolute/in)" = in ]
  [[ $(ext out.img 2 'stat /opt/third') == *User:*12345*Group:*54321* ]]
  image_is_clean out.img
}

@test "build: nothing of the host is in the image or seen by the guest" {
  export SLIPWAY_TEST_SECRET=not-for-the-guest
  template "$(small)/base.img.xz" reuse "$(shell 'env >/etc/environment.seen' 'ls -a / /dev >/etc/ls.seen' 'cat /proc/mounts >/etc/mounts.seen' \
    'ps >/etc/ps.seen' 'grep -c nameserver /etc/resolv.conf >/etc/resolv.seen')" \
    '.builders[0] += {qemu_binary_source_path: "/usr/bin/qemu-aarch64-static", qemu_binary_destination_path: "/usr/bin/qemu-aarch64-static"}'
  run -0 build t.json
  for file in /etc/environment.seen /etc/mounts.seen /etc/ps.seen; do
    ext_cat out.img 2 $file >seen
    run ! grep -e not-for-the-guest -e "$BATS_TEST_TMPDIR" -e "$here" seen
  done
  [ "$(ext_cat out.img 2 /etc/resolv.seen)" -gt 0 ]
  [[ $(ext out.img 2 'stat /etc/resolv.conf') == *"run/systemd/resolve/stub-resolv.conf"* ]]
  run ! ext_has out.img 2 /usr/bin/qemu-aarch64-static
  xz -dc "$(small)/base.img.xz" >before.img
  for folder in / /usr/bin /tmp /dev /proc /sys /run /root /var/tmp; do
    diff <(ext before.img 2 "ls -p $folder" | cut -d/ -f6 | sort) <(ext out.img 2 "ls -p $folder" | cut -d/ -f6 | sort)
  done
  run ! grep -aq -e not-for-the-guest -e "$BATS_TEST_TMPDIR" out.img
}

@test "build: a provisioner's own resolv.conf stays, the image's own is kept otherwise" {
  template "$(small)/base.img.xz" reuse "$(shell 'rm -f /etc/resolv.conf' 'echo nameserver 192.0.2.53 >/etc/resolv.conf')"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/resolv.conf)" = 'nameserver 192.0.2.53' ]
}

@test "build: mount --bind works in the guest" {
  template "$(small)/base.img.xz" reuse "$(shell 'mkdir /boot-tmp' 'echo below >/boot-tmp/f' 'mount --bind boot-tmp mnt' 'test "$(cat /mnt/f)" = below' \
    'echo through >/mnt/g' 'umount mnt')"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /boot-tmp/g)" = through ]
  run ! ext_has out.img 2 /mnt/f
}

@test "build: a file and a folder are uploaded, a file comes back" {
  mkdir -p up/sub
  echo one >up/one
  echo two >up/sub/two
  chmod 750 up/one
  template "$(small)/base.img.xz" reuse '[
    {"type": "file", "source": "up/one", "destination": "/etc/one"},
    {"type": "file", "source": "up", "destination": "/opt/"},
    {"type": "file", "content": "text", "destination": "/etc/content"},
    {"type": "shell", "inline": ["echo back >/tmp/back"]},
    {"type": "file", "direction": "download", "source": "/tmp/back", "destination": "fetched"}]'
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/one)" = one ]
  [[ $(ext out.img 2 'stat /etc/one') == *Mode:*0750* ]]
  [ "$(ext_cat out.img 2 /opt/up/sub/two)" = two ]
  [ "$(ext_cat out.img 2 /etc/content)" = text ]
  [ "$(cat fetched)" = back ]
}

@test "build: a provisioner that fails ends it, with its output, and leaves no image" {
  template "$(small)/base.img.xz" reuse "$(shell 'echo a word to the user' 'exit 7')"
  run -1 build t.json
  [[ $output == *"a word to the user"* ]]
  [[ $output == *7* ]]
  [ ! -e out.img ]
  nothing_left
}

@test "build: an existing image is not replaced without -force" {
  echo mine >out.img
  template "$(small)/base.img.xz" reuse "$(shell true)"
  run -1 build t.json
  [[ $output == *out.img*-force* ]]
  [ "$(cat out.img)" = mine ]
  run -0 build -force t.json
  image_is_clean out.img
}

@test "build: a second build starts at the first provisioner that changed" {
  local steps
  steps='[{"type": "shell", "inline": ["echo FIRST-RAN; echo 1 >/etc/a"]}, {"type": "shell", "inline": ["echo SECOND-RAN; echo 1 >/etc/b"]},
    {"type": "shell", "inline": ["echo THIRD-RAN; echo 1 >/etc/c"]}]'
  template "$(small)/base.img.xz" reuse "$steps"
  run -0 build t.json
  [[ $output == *FIRST-RAN*SECOND-RAN*THIRD-RAN* ]]
  template "$(small)/base.img.xz" reuse "${steps//THIRD-RAN; echo 1/THIRD-RAN; echo 2}"
  run -0 build -force t.json
  [[ $output != *FIRST-RAN* ]]
  [[ $output != *SECOND-RAN* ]]
  [[ $output == *THIRD-RAN* ]]
  [ "$(ext_cat out.img 2 /etc/a)" = 1 ]
  [ "$(ext_cat out.img 2 /etc/c)" = 2 ]
}

@test "build: a build that failed goes on at the step that failed" {
  template "$(small)/base.img.xz" reuse '[{"type": "shell", "inline": ["echo EARLY-RAN; echo 3 >/etc/early"]}, {"type": "file", "source": "late", "destination": "/etc/late"}, {"type": "shell", "inline": ["test $(cat /etc/late) = good"]}]'
  echo bad >late
  run -1 build t.json
  echo good >late
  run -0 build t.json
  [[ $output != *EARLY-RAN* ]]
  [ "$(ext_cat out.img 2 /etc/early)" = 3 ]
}

@test "build: same inputs and SOURCE_DATE_EPOCH give the same bytes" {
  export SOURCE_DATE_EPOCH=1700000000
  template "$(small)/base.img.xz" reuse "$(shell 'mkdir -p /srv/x/y' 'echo 1 >/srv/x/y/z' 'echo 1 >/boot/new' 'rm /opt/holes' 'ln /etc/hostname /srv/link')"
  run -0 build t.json
  mv out.img first.img
  sleep 1.1
  SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache2 run -0 build t.json
  cmp first.img out.img
}

@test "build: a base that is read in place, and one that is extracted, give the same bytes" {
  local arch
  export SOURCE_DATE_EPOCH=1700000000
  for arch in arm64 armhf; do
    template "$(small "$arch")/base.img.xz" reuse "$(shell 'cat /opt/holes /usr/bin/set-id | sha256sum >/srv.sum' 'echo 2 >>/opt/first' \
      'chmod 700 /usr/bin/capable /usr/bin/set-id' 'rm -r /home' 'mv /opt/fifo /opt/pipe' 'mv /opt/holes /opt/gaps' \
      'echo 1 >>/boot/config.txt' 'rm /boot/cmdline.txt' \
      'mkdir /boot/overlays/new' 'ln -sfn /nowhere /opt/absolute' 'touch -d @5 /etc/group' \
      'find / -xdev ! -name found | sort >/found' 'stat -c "%h %s %a %u %n" /opt/[b-z]* $(find /etc ! -type d | sort) >/stats' 'cp -a /usr/bin/capable /copy')"
    SLIPWAY_EXTRACT=1 SLIPWAY_CACHE_DIR=$SLIPWAY_CACHE_DIR/extracted run -0 build -force t.json
    [[ $output == *"Reading the image's file systems"* ]]
    mv out.img extracted.img
    SLIPWAY_CACHE_DIR=$SLIPWAY_CACHE_DIR/in-place run -0 build -force t.json
    if [ -w /dev/fuse ]; then [[ $output != *"Reading the image's file systems"* ]]; fi
    cmp extracted.img out.img
    image_is_clean out.img
    [ "$(ext_cat out.img 2 /opt/second)" = $'linked\n2' ]
    nothing_left
  done
}

@test "build: the image is not larger on disk than it needs to be" {
  template "$(small)/base.img.xz" reuse "$(shell true)"
  run -0 build t.json
  [ "$(du -k out.img | cut -f1)" -lt 20000 ]
}

@test "build: where the file system can, the image shares its bytes with what the cache has" {
  [ "$(id -u)" -eq 0 ] || skip 'mounts a file system, which needs root'
  grep -qw xfs /proc/filesystems || skip 'this kernel has no xfs'
  truncate -s 400M xfs.img
  mkfs.xfs -q -m reflink=1 xfs.img
  mkdir xfs
  template "$(small)/base.img.xz" reuse "$(shell 'echo 1 >/new')" '.builders[0].image_path = "xfs/out.img"'
  SLIPWAY_CACHE_DIR=$PWD/xfs/cache run -0 unshare -m --propagation private sh -ec '
    mount -o loop xfs.img xfs
    "$0" build t.json
    cp xfs/out.img .
    filefrag -v xfs/out.img >extents' "$slipway"
  # "0: 0.. 255: 34816.. 35071: 256: shared"
  cat extents
  awk -F: '/^ *[0-9]+:/ {all += $4} /shared/ {shared += $4} END {exit !(shared > all * 0.9)}' extents
  ext_has out.img 2 /new
}

@test "build: standard input closed, no terminal" {
  template "$(small)/base.img.xz" reuse "$(shell 'cat >/etc/stdin')"
  run -0 bash -c 'exec "$0" build t.json <&-' "$slipway"
  [ "$(ext_cat out.img 2 /etc/stdin)" = "" ]
  image_is_clean out.img
}
