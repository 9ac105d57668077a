#!/usr/bin/env bats
# Roots on the network that the server has itself: what it starts for them, how that ends, and machines that boot from them.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() {
  lab_start && mkdir root tree
  plug c0 52:54:00:77:01:11
  clients ip address add 10.77.0.50/24 dev c0
  echo 'a kernel' >root/vmlinuz
  echo 'from a folder' >tree/marker
  head -c 307200 /dev/urandom >disk.img
}
teardown() { lab_stop; }

# site ROOT...: a profile for each, p1, p2...
site() {
  local n=0 text
  printf 'root = "root"\nnetwork "lab" {\n  interface = "eth0"\n}\n' >site.hcl
  for text; do
    n=$((n + 1))
    printf 'profile "p%d" {\n  kernel = "vmlinuz"\n  %s\n}\n' "$n" "$text" >>site.hcl
  done
}
nbd='root "nbd" { path = "disk.img" }'
nfs='root "nfs" { path = "tree" }'
disk() { clients timeout 20 nbdcopy --connections=1 "$@"; }
# folder PATH: a file of a folder by NFS.
folder() { clients timeout 20 nfs-cat "nfs://${2:-10.77.0.1}$PWD/$1" 2>/dev/null; }
needs_root() { [ "$(id -u)" -eq 0 ] || skip 'NFS opens files by handle, which is for root only'; }
# A client that keeps its disk.
holds_disk() {
  [ -e never ] || mkfifo never
  background client clients sh -c 'exec busybox nc 10.77.0.1 10809 <>never'
  wait_for 10 running nbdkit
}
running() { server pgrep --runstates DRS -x "$1" >/dev/null; } # no zombies, which nobody reaps there
none_of() { ! running "$1"; }
none_runs() { ! running nbdkit && ! running ganesha.nfsd && ! running rpcbind && ! running slipway; }

@test "roots: a disk by NBD, of which everybody has a copy" {
  site "$nbd" 'root "nbd" {
    path   = "tree/marker"
    export = "other"
  }'
  serves site.hcl
  wait_for 10 shows serve 'NBD on port 10809'
  cp disk.img disk.before
  disk nbd://10.77.0.1/p1 read.img
  cmp disk.img read.img
  head -c 307200 /dev/zero >zero.img
  disk zero.img nbd://10.77.0.1/p1
  cmp disk.img disk.before
  disk nbd://10.77.0.1/p1 read.img
  cmp disk.img read.img
  disk nbd://10.77.0.1/other other.img
  grep -a 'from a folder' other.img
  run ! disk nbd://10.77.0.1/site.hcl no.img
  run ! disk nbd://10.77.0.1/../../site.hcl no.img
  shows serve '10.77.0.50: took a disk by NBD'
}

@test "roots: nbdkit has no privileges, and goes when its machine goes" {
  site "$nbd"
  serves site.hcl
  wait_for 10 shows serve 'NBD on port 10809'
  holds_disk
  status=/proc/$(pgrep -nx nbdkit)/status
  grep -qE '^CapEff:\s0+$' "$status"
  grep -qE '^CapPrm:\s0+$' "$status"
  grep -qE '^NoNewPrivs:\s1$' "$status"
  kill "$(pid_of client)"
  wait_for 10 shows serve 'left its disk'
  run -1 running nbdkit
  # Nor does it outlive the process of ours around it.
  holds_disk
  server kill -KILL "$(server ps -o ppid= "$(server pgrep -nx nbdkit)")"
  wait_for 10 none_of nbdkit
}

@test "roots: all ends with the daemon, also when it is killed" {
  needs_root
  site "$nbd" "$nfs"
  for signal in TERM KILL; do
    serves site.hcl
    wait_for 20 folder tree/marker
    holds_disk
    kill "-$signal" "$(pid_of serve)"
    wait_for 15 none_runs
  done
}

@test "roots: a folder by NFS, for machines of the networks alone" {
  needs_root
  site "$nfs"
  serves site.hcl
  wait_for 20 folder tree/marker
  run -0 folder tree/marker
  [ "$output" = 'from a folder' ]
  run ! folder root/vmlinuz
  run ! clients nfs-cp site.hcl "nfs://10.77.0.1$PWD/tree/new"
  clients ip address add 10.99.0.50/24 dev c0
  server ip address add 10.99.0.1/24 dev eth0
  run ! folder tree/marker 10.99.0.1
}

@test "roots: what dies is started again" {
  needs_root
  site "$nfs"
  serves site.hcl
  wait_for 20 folder tree/marker
  for program in ganesha.nfsd rpcbind; do
    server pkill -KILL -x "$program"
    wait_for 10 shows serve 'it is tried again'
    wait_for 30 folder tree/marker
  done
}

@test "roots: a reload takes over what is new, and lets the rest run" {
  needs_root
  site "$nbd" "$nfs"
  serves site.hcl
  wait_for 20 folder tree/marker
  before=$(server pgrep -x ganesha.nfsd)
  site "$nbd" "$nfs" 'root "nbd" {
    path = "tree/marker"
    port = 10900
  }'
  run -0 ask reload
  wait_for 10 disk nbd://10.77.0.1:10900/p3 other.img
  [ "$(server pgrep -x ganesha.nfsd)" = "$before" ]
  site "$nbd"
  run -0 ask reload
  wait_for 10 shows serve 'read again'
  wait_for 15 none_of ganesha.nfsd
  disk nbd://10.77.0.1/p1 read.img
  run ! disk nbd://10.77.0.1:10900/p3 other.img
}

@test "roots: what is missing is named, and used once it is there" {
  site "$nbd" "$nfs"
  server mount --bind /dev/null "$(command -v nbdkit)"
  server mount --bind /dev/null "$(command -v ganesha.nfsd)"
  serves site.hcl
  wait_for 10 shows serve 'nbdkit is missing (apt-get install nbdkit)'
  wait_for 10 shows serve 'nfs-ganesha is not all there (apt-get install nfs-ganesha)'
  server umount "$(command -v nbdkit)"
  wait_for 20 disk nbd://10.77.0.1/p1 read.img
  # It was said once, however often it was tried.
  [ "$(grep -c 'nbdkit is missing' serve.log)" = 1 ]
}

# ---- machines, with what Debian's own packages make to boot so ----

# machines INITRAMFS ROOT...: each is given its own of these profiles, at an address of its own.
machines() {
  local n=0 initramfs=$1
  needs_tap
  shift
  cp "$("$here/tests/images/netroot")"/{vmlinuz,initrd.*,root.squashfs} root/
  site "$@"
  sed -i -e 's/^  interface.*/&\n  range = ["10.77.0.100", "10.77.0.200"]/' \
    -e "s/^  kernel = .*/&\n  initrd = \"initrd.$initramfs\"\n  initramfs = \"$initramfs\"\n  cmdline = \"console=ttyS0 panic=-1 no_timer_check quiet\"/" site.hcl
  while [ "$n" -lt $# ]; do
    n=$((n + 1))
    printf 'machine "m%d" {\n  mac     = "52:54:00:77:00:0%d"\n  address = "10.77.0.1%d"\n  profile = profile.p%d\n}\n' \
      "$n" "$n" "$n" "$n" >>site.hcl
  done
}
# They start side by side. userlands TEXT...: what each says; it ends with what the machine wrote, which is its address.
userlands() {
  local n=0 text pids=() failed=0
  for text; do
    n=$((n + 1))
    limit=300 memory=384 boots bios "$text 52:54:00:77:00:0$n" "m$n" "52:54:00:77:00:0$n" >"m$n.result" 2>&1 3>&- &
    pids+=($!)
  done
  for n in "${!pids[@]}"; do
    wait "${pids[n]}" || { failed=1 && cat "m$((n + 1)).result" serve.log; }
  done
  run ! grep -F 'WRITTEN BEFORE' ./m*.txt
  return $failed
}
nbd_writable='root "nbd" {
    path     = "disk.img"
    writable = true
  }'
nfs_writable='root "nfs" {
    path     = "tree"
    writable = true
  }'

@test "firmware: two machines boot from one image by NBD" {
  cp "$("$here/tests/images/netroot")/root.img" disk.img
  cp disk.img disk.before
  machines initramfs-tools "$nbd_writable" "$nbd_writable"
  serves site.hcl
  userlands 'USERLAND /dev/nbd0 ext4 writable' 'USERLAND /dev/nbd0 ext4 writable'
  cmp disk.img disk.before
  [ "$(grep -c 'took a disk by NBD' serve.log)" -ge 2 ]
}

@test "firmware: a machine boots from a folder by NFS" {
  needs_root
  tar -C tree -xf "$("$here/tests/images/netroot")/root.tar"
  machines initramfs-tools "$nfs_writable"
  serves site.hcl
  userlands "USERLAND 10.77.0.1:$PWD/tree nfs writable"
  [ "$(cat tree/written)" = 52:54:00:77:00:01 ]
}

@test "firmware: a machine boots from a squashfs by HTTP, with live-boot" {
  machines live-boot 'root "squashfs" { path = "root.squashfs" }'
  serves site.hcl
  userlands 'USERLAND overlay overlay writable'
  shows serve 'HTTP: /root.squashfs'
}

@test "firmware: dracut's initrd boots from NBD, from NFS and from a squashfs" {
  needs_root
  cp "$("$here/tests/images/netroot")/root.img" disk.img
  tar -C tree -xf "$("$here/tests/images/netroot")/root.tar"
  machines dracut "$nbd_writable" "$nfs_writable" 'root "squashfs" { path = "root.squashfs" }'
  serves site.hcl
  userlands 'USERLAND /dev/nbd0 ext4 writable' "USERLAND 10.77.0.1:$PWD/tree nfs writable" 'USERLAND LiveOS_rootfs overlay writable'
}
