# shellcheck shell=bash
# The classical way to change a foreign image, for comparison: root, losetup, mount, a registered qemu, chroot.
# Sourced; the functions are called in the working folder of the benchmark.
PATH=$PATH:/usr/sbin:/sbin
classical_undo=: classical_loop=

# It needs a registration on the host: made, if there is none.
classical_begin() {
  [ "$(id -u)" -eq 0 ] || { echo 'bench: the classical way needs root' >&2; exit 1; }
  [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || return 0
  mountpoint -q /proc/sys/fs/binfmt_misc || {
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    classical_undo='umount /proc/sys/fs/binfmt_misc'
  }
  sed "s|:[^:]*:[A-Z]*\$|:$(command -v qemu-aarch64-static):OCF|" /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
  classical_undo="echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64; $classical_undo"
}
# classical_mount IMAGE: its second partition, at root/
classical_mount() {
  classical_loop=$(losetup -f --show -o "$(sfdisk -J "$1" | jq '.partitiontable.partitions[1].start * 512')" "$1")
  mkdir -p root
  mount "$classical_loop" root
  mount --bind /dev root/dev
  mount -t proc proc root/proc
  mount -t sysfs sysfs root/sys
  cp "$(command -v qemu-aarch64-static)" root/usr/bin/
}
classical_umount() {
  rm root/usr/bin/qemu-aarch64-static
  umount -R root
  losetup -d "$classical_loop"
  classical_loop=
}
# When we are ended, what runs in the chroot may not have.
classical_end() {
  ! mountpoint -q root || umount -R root || umount -R -l root
  [ -z "$classical_loop" ] || losetup -d "$classical_loop" || true
  eval "$classical_undo"
}
