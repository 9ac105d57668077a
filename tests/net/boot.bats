#!/usr/bin/env bats
# Real firmware boots from `slipway serve` to a line of a Linux userland.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() {
  needs_tap
  lab_start && mkdir root loaders
}
teardown() { lab_stop; }

# Machines, one in each line: name; firmware; processor; what it knows of proxyDHCP, when another server gives the
# addresses (proxy: it takes our offer; next: its own DHCP client knows none, so that server must name ours as the next);
# what its profile says of boot loaders; what the timeline says of the way; and of its beginning.
machines() {
  cat <<'ROWS'
bios-ipxe    ; bios            ; x86_64  ; proxy ;                                                 ; HTTP: /x86_64/vmlinuz ; DISCOVER by ipxe on bios
bios-pxelinux; bios            ; x86_64  ; proxy ; boot = { ipxe = "tftp://10.77.0.1/pxelinux.0" } ; TFTP: pxelinux.cfg/01-52-54-00-77-00- ; DISCOVER by ipxe on bios
x64-ipxe     ; uefi-x64        ; x86_64  ; proxy ;                                                 ; HTTP: /x86_64/vmlinuz ; DISCOVER by pxe on uefi-x64
x64-grub     ; uefi-x64        ; x86_64  ; next  ; loader = "grub"                                 ; TFTP: /x86_64/vmlinuz ; DISCOVER by pxe on uefi-x64
x64-http-ipxe; uefi-x64-http   ; x86_64  ; proxy ;                                                 ; HTTP: /x86_64/vmlinuz ; DISCOVER by http on uefi-x64
x64-http-grub; uefi-x64-http   ; x86_64  ; proxy ; loader = "grub"                                 ; grubnetx64.img: GET   ; DISCOVER by http on uefi-x64
x64-shim     ; uefi-x64-secure ; x86_64  ; next  ; loader = "shim"                                 ; TFTP: /x86_64/vmlinuz ; DISCOVER by pxe on uefi-x64
x64-http-shim; uefi-x64-secure-http; x86_64; proxy; loader = "shim"                                ; shimx64.img: GET      ; DISCOVER by http on uefi-x64
arm-ipxe     ; uefi-arm64      ; aarch64 ; proxy ;                                                 ; HTTP: /aarch64/vmlinuz; DISCOVER by pxe on uefi-arm64
arm-grub     ; uefi-arm64      ; aarch64 ; next  ; loader = "grub"                                 ; TFTP: /aarch64/vmlinuz; DISCOVER by pxe on uefi-arm64
arm-http-grub; uefi-arm64-http ; aarch64 ; proxy ; loader = "grub"                                 ; grubnetaa64.img: GET  ; DISCOVER by http on uefi-arm64
arm-u-boot   ; u-boot          ; aarch64 ; next  ;                                                 ; pxelinux.cfg/         ; DISCOVER by u-boot on u-boot-arm64
ROWS
}

# each FUNCTION: call it for every machine, with the columns in variables, and its number as n.
each() {
  local name kind processor proxy words way start n=0
  while IFS=';' read -r name kind processor proxy words way start; do
    read -r name kind processor proxy <<<"$name $kind $processor $proxy"
    read -r way <<<"$way"
    n=$((n + 1))
    printf -v mac 52:54:00:77:00:1%x "$n"
    address=10.77.0.$((10 + n))
    [ "$network" = ours ] || address=10.77.0.$((150 + n))
    "$1"
  done < <(machines)
}

# linux PROCESSOR [FOLDER]: a kernel, and an initrd that says what the file of that name says.
linux() {
  local arch=amd64 folder=${2-root}
  [ "$1" = x86_64 ] || arch=arm64
  mkdir -p "$folder"
  cp "$(netboot $arch)"/{vmlinuz,initrd.img} "$folder/"
  echo 'as slipway served it' >root/marker
}
network() {
  cat >site.hcl <<SITE
root    = "root"
loaders = "loaders"
network "lab" {
  interface = "eth0"
  $1
}
SITE
}
range='range = ["10.77.0.100", "10.77.0.200"]'
# profile NAME PROCESSOR WORDS [FOLDER/]
profile() {
  local console=ttyS0
  [ "$2" = x86_64 ] || console=ttyAMA0
  cat >>site.hcl <<SITE
profile "$1" {
  kernel  = "${4-}vmlinuz"
  initrd  = "${4-}initrd.img"
  cmdline = "console=$console panic=-1 no_timer_check marker=\${server.http}/marker"
  $3
}
SITE
}
# machine NAME MAC ADDRESS: where another server gives it, the address is not ours to keep.
machine() {
  printf 'machine "%s" {\n  mac     = "%s"\n  profile = profile.%s\n' "$1" "$2" "$1" >>site.hcl
  [ "$network" = proxy ] || printf '  address = "%s"\n' "$3" >>site.hcl
  echo '}' >>site.hcl
}

define() {
  linux "$processor" "root/$processor"
  profile "$name" "$processor" "$words" "$processor/"
  machine "$name" "$mac" "$address"
  # U-Boot has a MAC of its own, whatever it is told.
  [ "$kind" != u-boot ] || sed -i "s/mac     = \"$mac\"/mac     = [\"$mac\", \"52:52:52:52:52:52\"]/" site.hcl
  [ "$kind" != u-boot ] || mac+=,52:52:52:52:52:52
  echo "$mac,set:$proxy,$address" >>hosts
}
# Side by side: as many as there are processors, and one that fills their gaps.
start() {
  limit=420 boots "$kind" "MARKER $processor $address as slipway served it" "$name" "$mac" >"$name.result" 2>&1 3>&- &
  pids+=($!)
  [ $((n % 3)) != 0 ] || finish
}
finish() {
  [ ${#pids[@]} = 0 ] || wait "${pids[@]}" || :
  pids=()
}
judge() {
  local said=MARKER
  [[ $kind != *-secure* ]] || said='secureboot: Secure boot enabled'
  ask machine show -last "$name" >"$name.timeline" || :
  if grep -q "^MARKER" "$name.txt" && grep -qF "$said" "$name.txt" && grep -qF -- "${start# }" "$name.timeline" && grep -qF -- "$way" "$name.timeline"; then
    echo "$name boots"
  else
    echo "$name DOES NOT BOOT by '${start# }' and '$way':"
    cat "$name.result" "$name.timeline"
    failed=1
  fi
}
# Another's DHCP server, on the clients' side of the wire.
dhcp_of_others() {
  plug d0 52:54:00:77:09:01
  clients ip address add 10.77.0.2/24 dev d0
  background others clients dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=d0 --bind-interfaces \
    --no-ping --log-facility=- --dhcp-leasefile=leases.others --dhcp-range=10.77.0.150,10.77.0.170,10m --dhcp-hostsfile="$PWD/hosts" \
    --dhcp-boot=tag:next,,,10.77.0.1
  wait_for 10 shows others 'DHCP, IP range'
}

# boot_all NETWORK: `ours`, or `proxy`, where another server gives the addresses.
boot_all() {
  local network=$1
  local pids=() failed=0 mac address
  cp "$(netboot arm64)/grubnet.efi" loaders/grubnetaa64.efi
  cp "$(netboot arm64)/ipxe.efi" loaders/ipxe-arm64.efi
  cp "$(netboot amd64)/shim.efi" loaders/shimx64.efi
  cp "$(netboot amd64)/grubsigned.efi" loaders/grubx64.efi
  cp /usr/lib/PXELINUX/pxelinux.0 /usr/lib/syslinux/modules/bios/ldlinux.c32 root/
  each define
  [ "$network" = ours ] || dhcp_of_others
  serves site.hcl
  each start
  finish
  each judge
  return $failed
}

@test "firmware: every machine, in a network whose addresses are ours" {
  network "$range"
  boot_all ours
}

@test "firmware: every machine, beside another server that gives the addresses" {
  network 'mode = "proxy"'
  boot_all proxy
  run -0 ask lease ls
  [[ $output != *10.77* ]]
}

@test "firmware: iPXE's ROM on BIOS boots a kernel from a folder" {
  linux x86_64
  echo 'console=ttyS0 panic=-1 no_timer_check' >root/cmdline
  serves -quick root -interface eth0
  boots bios 'MARKER x86_64 10.77.0.'
  grep -F 'as slipway served it' machine.txt
  run -0 ask machine show 52:54:00:77:00:01
  [[ $output == *' bios  up'*'DISCOVER by ipxe on bios'*'HTTP: /vmlinuz'* ]]
  run -0 ask lease ls
  [[ $output == *10.77.0.*52:54:00:77:00:01* ]]
}

@test "firmware: a machine behind slipway relay" {
  clients ip address add 10.77.0.2/24 dev br0
  clients sysctl -qw net.ipv4.ip_forward=1
  clients ip link add br1 type bridge forward_delay 0
  clients ip link set br1 up
  clients ip address add 10.78.0.1/24 dev br1
  server ip route add 10.78.0.0/24 via 10.77.0.2
  network "$range"
  profile linux x86_64 ''
  network=ours machine linux 52:54:00:77:00:01 10.78.0.11
  cat >>site.hcl <<'SITE'
network "far" {
  subnet = "10.78.0.0/24"
  range  = ["10.78.0.100", "10.78.0.200"]
  router = "10.78.0.1"
}
SITE
  linux x86_64
  serves site.hcl
  background relay clients "$slipway" relay -interface=br1 -server=10.77.0.1
  sleep 1
  boots bios 'MARKER x86_64 10.78.0.11 as slipway served it' machine 52:54:00:77:00:01 br1 || { cat serve.log relay.log; return 1; }
}

# disk FILE: one with a boot loader of its own.
disk() {
  truncate -s 24M "$1"
  mkfs.vfat "$1" >/dev/null
  syslinux --install "$1"
  printf 'DEFAULT linux\nPROMPT 0\nLABEL linux\n LINUX /vmlinuz\n INITRD /initrd.img\n APPEND console=ttyS0 panic=-1 no_timer_check\n' |
    mcopy -i "$1" - ::/syslinux.cfg
  mcopy -i "$1" root/vmlinuz root/initrd.img ::
}
# tgtd NAME FILE: serve it by iSCSI.
tgtd() {
  background tgtd server tgtd --foreground --iscsi portal=10.77.0.1
  local tgtadm=(server tgtadm --lld iscsi --mode)
  wait_for 10 "${tgtadm[@]}" target --op new --tid 1 --targetname "$1" 2>/dev/null
  "${tgtadm[@]}" logicalunit --op new --tid 1 --lun 1 --backing-store "$(realpath "$2")"
  "${tgtadm[@]}" target --op bind --tid 1 --initiator-address ALL
}

@test "firmware: iPXE boots disks by iSCSI and by AoE" {
  linux x86_64
  disk disk.img
  rm root/vmlinuz
  tgtd iqn.2026-11.org.example:disk disk.img
  background vblade server vblade -r 0 0 eth0 disk.img
  network "$range"
  cat >>site.hcl <<'SITE'
profile "iscsi" { san = "iscsi:${server.address}:::1:iqn.2026-11.org.example:disk" }
profile "aoe" { san = "aoe:e0.0" }
SITE
  network=ours
  machine iscsi 52:54:00:77:00:11 10.77.0.11
  machine aoe 52:54:00:77:00:12 10.77.0.12
  serves site.hcl
  boots bios 'MARKER x86_64 10.77.0.11 as slipway served it' iscsi 52:54:00:77:00:11 >iscsi.result 3>&- &
  boots bios 'MARKER x86_64 10.77.0.12 as slipway served it' aoe 52:54:00:77:00:12
  wait $! || { cat iscsi.result tgtd.log; return 1; }
}

@test "firmware: Debian's installer is given its answers" {
  cp "$("$here/tests/images/installer")"/{linux,initrd.gz} root/
  cat >preseed.tmpl <<'TEMPLATE'
d-i preseed/early_command string echo "PRESEED of ${machine.name} with ${var.word}" >/dev/ttyS0; sleep 1; reboot -f
TEMPLATE
  cat >site.hcl <<SITE
root = "root"
network "lab" {
  interface = "eth0"
  $range
  router    = "10.77.0.1"
  dns       = ["10.77.0.1"]
  domain    = "example.org"
}
profile "debian-installer" {
  kernel  = "linux"
  initrd  = "initrd.gz"
  cmdline = "auto=true no_timer_check priority=critical DEBIAN_FRONTEND=text url=\${answers.preseed} console=ttyS0"
  answers "preseed" { template = "preseed.tmpl" }
}
machine "rack1-01" {
  mac       = "52:54:00:77:00:01"
  address   = "10.77.0.11"
  profile   = profile.debian-installer
  variables = { word = "words of its own" }
}
SITE
  serves site.hcl
  limit=400 memory=1024 boots bios 'PRESEED of rack1-01 with words of its own' || { cat serve.log; return 1; }
  run -0 ask machine show -last 52:54:00:77:00:01
  [[ $output == *'HTTP: /initrd.gz'*'HTTP: /answers/preseed'* ]]
}
