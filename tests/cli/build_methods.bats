#!/usr/bin/env bats
# slipway build: methods new and resize, partition tables and file systems.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

setup() { build_setup; }

partitions() { printf '.builders[0] += {image_size: "%s", image_type: "%s", image_partitions: %s}' "$1" "$2" "$3"; }

two='[{"name": "boot", "type": "c", "start_sector": "2048", "size": "32MiB", "filesystem": "vfat", "mountpoint": "/boot"},
  {"name": "root", "type": "83", "size": "0", "filesystem": "ext4", "mountpoint": "/"}]'

@test "new: dos, FAT and ext4, from a root archive" {
  template "$(small)/rootfs.tar.gz" new "$(shell 'echo k >/boot/kernel.img' 'uname -m >/etc/marker')" "$(partitions 200MiB dos "$two")"
  run -0 build t.json
  [ "$(stat -c %s out.img)" = $((200 * 1048576)) ]
  [ "$(sfdisk -J out.img | jq -r '.partitiontable.label + " " + .partitiontable.partitions[0].type + " " + .partitiontable.partitions[1].type')" = "dos c 83" ]
  [ "$(fat_cat out.img 1 /kernel.img)" = k ]
  [ "$(ext_cat out.img 2 /etc/marker)" = aarch64 ]
  [[ $(ext out.img 2 'stat /dev/console') == *"character special"* ]]
  [[ $(ext out.img 2 'stat /usr/bin/set-id') == *Mode:*04755* ]]
  [[ $(ext out.img 2 'stat /home/pi') == *User:*1000* ]]
  image_is_clean out.img
  nothing_left
}

@test "new: gpt with names and types, three partitions, one untouched" {
  template "$(small)/rootfs.tar.gz" new "$(shell 'echo e >/boot/efi/x')" "$(partitions 300MiB gpt '[
    {"name": "EFI", "type": "ef00", "size": "48MiB", "filesystem": "vfat", "mountpoint": "/boot/efi"},
    {"name": "blob", "type": "8300", "size": "4MiB", "filesystem": ""},
    {"name": "root", "type": "8300", "size": "0", "filesystem": "ext4", "mountpoint": "/"}]')"
  run -0 build t.json
  [ "$(sfdisk -J out.img | jq -r '.partitiontable.label, .partitiontable.partitions[].name' | tr '\n' ' ')" = "gpt EFI blob root " ]
  [ "$(sfdisk -J out.img | jq -r '.partitiontable.partitions[0].type')" = C12A7328-F81F-11D2-BA4B-00A0C93EC93B ]
  run -0 sgdisk -v out.img
  [[ $output == *"No problems found"* ]]
  [ "$(fat_cat out.img 1 /x)" = e ]
  image_is_clean out.img
}

# root_of FS: build with such a root; part.FS is its partition, list.FS what a kernel sees in it.
root_of() {
  template "$(small)/rootfs.tar.gz" new "$(shell 'echo in >/etc/marker' 'ln /etc/marker "/opt/hard link"' 'mknod /opt/pipe p')" "$(partitions 600MiB gpt '[{"name": "root", "type": "8300", "size": "0", "filesystem": "'"$1"'", "mountpoint": "/"}]')"
  run -0 build -force t.json
  [ "$(blkid -p -o value -s TYPE -O "$(start_of out.img 1)" -S "$(size_of out.img 1)" out.img)" = "$1" ]
  dd if=out.img of="part.$1" bs=1M iflag=skip_bytes,count_bytes skip="$(start_of out.img 1)" count="$(size_of out.img 1)" conv=sparse status=none
  "$here/tests/kernel-list" "part.$1" "$1" >"list.$1"
}

@test "new: btrfs, f2fs and xfs roots hold what an ext4 root holds, as a kernel sees it" {
  [ -z "${SLIPWAY_SANITIZED-}" ] || skip "a program with AddressSanitizer cannot be pid 1 of the kernel that writes it"
  local fs
  root_of ext4
  grep -q 'security.capability=' list.ext4
  grep -q '^./opt/holes has holes' list.ext4
  grep -q '^./dev/null c ' list.ext4
  grep -q '^./opt/hard link f 644 0:0 2 3 ' list.ext4
  grep -q '^./opt/pipe p ' list.ext4
  for fs in btrfs f2fs xfs; do
    root_of "$fs"
    diff list.ext4 "list.$fs"
    case $fs in
    btrfs) btrfs check "part.$fs" ;;
    f2fs) fsck.f2fs --dry-run "part.$fs" ;;
    xfs) xfs_repair -n -f "part.$fs" ;;
    esac
  done
  nothing_left
}

# What a kernel does of itself depends on the time, on how much memory there is and on who runs beside it.
@test "new: btrfs, f2fs and xfs: two builds with SOURCE_DATE_EPOCH are the same" {
  [ -z "${SLIPWAY_SANITIZED-}" ] || skip "a program with AddressSanitizer cannot be pid 1 of the kernel that writes it"
  export SOURCE_DATE_EPOCH=1700000000
  local fs cache=$SLIPWAY_CACHE_DIR first=$slipway
  mkdir elsewhere
  cp "$slipway" elsewhere/
  seq 20000000 >big # more than the memory of that kernel
  dd if=/dev/zero of=zeros bs=1M count=4 status=none
  for fs in btrfs f2fs xfs; do
    template "$(small)/rootfs.tar.gz" new "$(shell 'echo 1 >/etc/marker' 'truncate -s 100M /opt/hole' 'ln /opt/hole "/opt/hard link"')" "$(partitions 600MiB gpt '[{"name": "root", "type": "8300", "size": "0", "filesystem": "'"$fs"'", "mountpoint": "/"}]') |
      .provisioners += [\"big\", \"zeros\" | {type: \"file\", source: ., destination: (\"/opt/\" + .)}]"
    SLIPWAY_CACHE_DIR=$cache slipway=$first run -0 build -force t.json
    [[ $output != *Warning* ]]
    mv out.img first.img
    sleep 1.1
    SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache.$fs slipway=$PWD/elsewhere/${slipway##*/} run -0 build t.json
    cmp first.img out.img
  done
  nothing_left
}

@test "new: xfs: too small, and without a kernel to write it" {
  [ -z "${SLIPWAY_SANITIZED-}" ] || skip "a program with AddressSanitizer cannot be pid 1 of the kernel that writes it"
  template "$(small)/rootfs.tar.gz" new "$(shell 'dd if=/dev/urandom of=/big bs=1M count=330 2>/dev/null')" "$(partitions 340MiB gpt '[{"name": "root", "type": "8300", "size": "0", "filesystem": "xfs", "mountpoint": "/"}]')"
  run -1 build t.json
  [[ $output == *"partition 1 (/): '/big': "*"No space left on device"*"were free at first"*"image_size"* ]]
  [ ! -e out.img ]
  mkdir bin
  ln -s /usr/bin/* /bin/* bin/ 2>/dev/null || true
  rm bin/linux.uml
  PATH=$PWD/bin run -1 build t.json
  [[ $output == *"'linux.uml' is missing"*"install the package 'user-mode-linux'"* ]]
  nothing_left
}

@test "new: a rootfs archive as the output" {
  template "$(small)/rootfs.tar.gz" new "$(shell 'echo in >/etc/marker')" "$(partitions 200MiB dos "$two") | .builders[0].image_path = \"out.tar.gz\""
  run -0 build t.json
  [ "$(tar -xzOf out.tar.gz ./etc/marker 2>/dev/null || tar -xzOf out.tar.gz etc/marker)" = in ]
  tar -tvzf out.tar.gz >list
  grep -q 'dev/null' list
  grep -E '^-rwsr-xr-x .*usr/bin/set-id$' list
  nothing_left
}

@test "resize: dos" {
  template "$(small)/base.img.xz" resize "$(shell 'dd if=/dev/zero of=/srv-big bs=1M count=100 2>/dev/null')" \
    '.builders[0] += {image_size: "256MiB", image_partitions: [
      {name: "boot", type: "c", start_sector: "2048", size: "16MiB", filesystem: "vfat", mountpoint: "/boot"},
      {name: "root", type: "83", start_sector: "34816", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  run -0 build t.json
  [ "$(stat -c %s out.img)" = $((256 * 1048576)) ]
  [ "$(size_of out.img 2)" = $(((256 - 17) * 1048576)) ]
  [[ $(ext out.img 2 'stat /srv-big') == *"Size: 104857600"* ]]
  image_is_clean out.img
}

@test "resize: gpt, without partitions in the template" {
  xz -dc "$(small)/base.img.xz" >dos.img
  truncate -s 68M gpt.img
  printf 'label: gpt\nstart=2048, size=32768, type=uefi\nstart=34816, size=98304, type=linux, name=root\n' | sfdisk -q gpt.img
  dd if=dos.img of=gpt.img bs=1M skip=1 seek=1 count=64 conv=notrunc status=none
  xz -1 gpt.img
  sha256sum gpt.img.xz >gpt.img.xz.sha256
  template "$PWD/gpt.img.xz" resize "$(shell 'df -k / >/etc/df')" '.builders[0] += {image_size: "200MiB", image_type: "gpt"}'
  run -0 build t.json
  run -0 sgdisk -v out.img
  [[ $output == *"No problems found"* ]]
  [ "$(size_of out.img 2)" -gt $((180 * 1048576)) ]
  image_is_clean out.img
}

@test "reuse: partitions are found in the image where the template leaves them out" {
  template "$(small)/base.img.xz" reuse "$(shell 'echo x >/boot/x')"
  run -0 build t.json
  [ "$(fat_cat out.img 1 /x)" = x ]
}

@test "reuse: a template that disagrees with the image is told both" {
  template "$(small)/base.img.xz" reuse "$(shell true)" '.builders[0] += {image_partitions: [
    {name: "root", type: "83", start_sector: "8192", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  run -1 build t.json
  [[ $output == *8192* ]]
  [[ $output == *34816* ]]
  [ ! -e out.img ]
}

@test "new: two builds with SOURCE_DATE_EPOCH are the same" {
  export SOURCE_DATE_EPOCH=1700000000
  template "$(small)/rootfs.tar.gz" new "$(shell 'echo k >/boot/kernel.img' 'echo 1 >/etc/marker')" "$(partitions 200MiB gpt "${two//\"c\"/\"ef00\"}")"
  run -0 build t.json
  mv out.img first.img
  sleep 1.1
  SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache2 run -0 build t.json
  cmp first.img out.img
}

# The vendor's image is larger than what is in it; a copy with a gpt table.
gpt_base() {
  xz -dc "$(small)/base.img.xz" >dos.img
  truncate -s 68M gpt.img
  printf 'label: gpt\nstart=2048, size=32768, type=uefi\nstart=34816, size=98304, type=linux, name=root\n' | sfdisk -q gpt.img
  dd if=dos.img of=gpt.img bs=1M skip=1 seek=1 count=64 conv=notrunc status=none
  sha256sum gpt.img >gpt.img.sha256
}
# Free bytes of the root.
room() { ext "$1" 2 'stats -h' | awk -F: '/^Free blocks/ {f = $2} /^Block size/ {b = $2} END {print f * b}'; }

@test "image_shrink: resize, dos; what was deleted takes no bytes" {
  template "$(small)/base.img.xz" resize "$(shell 'dd if=/dev/urandom of=/big bs=1M count=60 2>/dev/null' 'echo 1 >/etc/marker')" \
    '.builders[0] += {image_size: "1GiB", image_shrink: true, image_shrink_slack: "16MiB"}'
  jq '.provisioners += [{type: "shell", inline: ["rm /big"]}]' t.json >u.json
  run -0 build u.json
  [[ $output == *"The image is cut to "* ]]
  [ "$(stat -c %s out.img)" -lt $((100 * 1048576)) ]
  [ "$(du -B1 out.img | cut -f1)" -lt $((50 * 1048576)) ]
  [ "$(room out.img)" -gt $((8 * 1048576)) ]
  [ "$(ext_cat out.img 2 /etc/marker)" = 1 ]
  [ "$(size_of out.img 2)" = $(($(stat -c %s out.img) - $(start_of out.img 2))) ]
  image_is_clean out.img
  run -0 build -force t.json
  [ "$(stat -c %s out.img)" -gt $((100 * 1048576)) ]
  [ "$(stat -c %s out.img)" -lt $((170 * 1048576)) ]
  image_is_clean out.img
  nothing_left
}

@test "image_shrink: reuse, gpt; there is room for more than the base has" {
  gpt_base
  template "$PWD/gpt.img" reuse "$(shell 'dd if=/dev/urandom of=/big bs=1M count=120 2>/dev/null; sha256sum /big >/sum')" '.builders[0] += {image_shrink: true}'
  run -0 build t.json
  run -0 sgdisk -v out.img
  [[ $output == *"No problems found"* ]]
  ext out.img 2 'dump /big big'
  [ "$(sha256sum <big | cut -d' ' -f1)" = "$(ext_cat out.img 2 /sum | cut -d' ' -f1)" ]
  [ "$(sfdisk -J out.img | jq -r '.partitiontable.partitions[1].name')" = root ]
  image_is_clean out.img
  # Without room it does not fit.
  jq 'del(.builders[0].image_shrink)' t.json >u.json
  run -1 build -force u.json
  [[ $output == *"No space left"* || $output == *"is full"* || $output == *"room"* ]]
}

@test "image_shrink: new, the same bytes each time; a last partition that cannot shrink" {
  export SOURCE_DATE_EPOCH=1700000000
  template "$(small)/rootfs.tar.gz" new "$(shell true)" "$(partitions 400MiB gpt "${two//\"c\"/\"ef00\"}") | .builders[0].image_shrink = true"
  run -0 build t.json
  [ "$(stat -c %s out.img)" -lt $((160 * 1048576)) ]
  image_is_clean out.img
  mv out.img first.img
  SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache2 run -0 build t.json
  cmp first.img out.img
  template "$(small)/rootfs.tar.gz" new "$(shell true)" "$(partitions 400MiB dos '[
    {"name": "root", "type": "83", "size": "200MiB", "filesystem": "ext4", "mountpoint": "/"},
    {"name": "data", "type": "c", "size": "0", "filesystem": "vfat", "mountpoint": "/data"}]') | .builders[0].image_shrink = true"
  run -1 build -force t.json
  [[ $output == *"image_shrink: partition 2, which lies last, is vfat; only ext2, ext3 and ext4 shrink"* ]]
}
