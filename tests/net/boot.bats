#!/usr/bin/env bats
# Real firmware boots from `slipway serve` to a line of a Linux userland.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { lab_start && mkdir root; }
teardown() { lab_stop; }

linux() {
  cp "$(netboot "${1:-amd64}")"/{vmlinuz,initrd.img} root/
  echo 'as slipway served it' >root/marker
}

# site NETWORK PROFILE: one network, one profile for all.
site() {
  cat >site.hcl <<SITE
root = "root"
network "lab" {
  interface = "eth0"
  $1
}
profile "linux" {
  kernel  = "vmlinuz"
  initrd  = "initrd.img"
  cmdline = "console=${console:-ttyS0} panic=-1 marker=\${server.http}/marker"
  $2
}
machine "first" {
  mac     = "52:54:00:77:00:01"
  address = "10.77.0.11"
  profile = profile.linux
}
default_profile = profile.linux
SITE
}
dhcp='range = ["10.77.0.100", "10.77.0.200"]'

# arrives KIND [MAC]: it boots Linux, and the timeline says that it is up.
arrives() {
  linux "${arch:-amd64}"
  serves site.hcl
  boots "$1" "MARKER ${machine:-x86_64} ${address:-10.77.0.11} as slipway served it" machine "${2:-52:54:00:77:00:01}" ||
    { cat serve.log; return 1; }
  ask machine show -last "${2:-52:54:00:77:00:01}" | tee timeline
  head -n 1 timeline | grep -q ' up$'
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

@test "firmware: pxelinux on BIOS, all by TFTP" {
  # QEMU's ROM is iPXE, which is told to load it in place of a script.
  cp /usr/lib/PXELINUX/pxelinux.0 /usr/lib/syslinux/modules/bios/ldlinux.c32 root/
  site "$dhcp" 'boot = { ipxe = "tftp://10.77.0.1/pxelinux.0" }'
  arrives bios
  grep -F 'TFTP: pxelinux.cfg/01-52-54-00-77-00-01' timeline
  grep -F 'TFTP: vmlinuz' timeline
}

@test "firmware: UEFI PXE, iPXE by TFTP, the kernel by HTTP" {
  site "$dhcp" ''
  arrives uefi-x64
  grep -F 'DISCOVER by ipxe on uefi-x64' timeline
  grep -F 'HTTP: /vmlinuz' timeline
}

@test "firmware: UEFI PXE, GRUB by TFTP" {
  site "$dhcp" 'loader = "grub"'
  arrives uefi-x64
  grep -F 'TFTP: /grub/grub.cfg' timeline || grep grub timeline
}

@test "firmware: UEFI HTTP Boot, iPXE" {
  site "$dhcp" ''
  arrives uefi-x64-http
  grep -F 'DISCOVER by http on uefi-x64' timeline
  run -1 grep TFTP timeline
}

@test "firmware: ARM64 UEFI PXE, GRUB" {
  mkdir loaders
  cp "$(netboot arm64)/grubnet.efi" loaders/grubnetaa64.efi
  console=ttyAMA0 site "$dhcp" 'loader = "grub"'
  sed -i '1i loaders = "loaders"' site.hcl
  arch=arm64 machine=aarch64 arrives uefi-arm64
}

@test "firmware: U-Boot, pxelinux.cfg" {
  console=ttyAMA0 site "$dhcp" ''
  # It has a MAC of its own, whatever it is told; Linux has the card's.
  sed -i 's/mac     = .*/mac = ["52:54:00:77:00:01", "52:52:52:52:52:52"]/' site.hcl
  linux arm64
  serves site.hcl
  boots u-boot 'MARKER aarch64 10.77.0.11 as slipway served it'
  run -0 ask machine show first
  [[ ${lines[0]} == *' 10.77.0.11 '*' u-boot-arm64 '*' up' ]]
  [[ $output == *'DISCOVER by u-boot on u-boot-arm64'*'TFTP: '*'pxelinux.cfg/'*'ACK 10.77.0.11'*'HTTP: /marker'* ]]
}

# Another's DHCP server, on the clients' side of the wire.
dhcp_of_others() {
  plug d0 52:54:00:77:09:01
  clients ip address add 10.77.0.2/24 dev d0
  background others clients dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=d0 --bind-interfaces \
    --no-ping --log-facility=- --dhcp-leasefile=leases.others --dhcp-range=10.77.0.150,10.77.0.160,10m --dhcp-host=52:54:00:77:00:01,10.77.0.155
  wait_for 10 shows others 'DHCP, IP range'
}

@test "firmware: proxyDHCP beside another server, iPXE's ROM on BIOS" {
  dhcp_of_others
  site 'mode = "proxy"' ''
  sed -i '/address = "10.77.0.11"/d' site.hcl
  linux
  serves site.hcl
  boots bios 'MARKER x86_64 10.77.0.155' || { cat serve.log; return 1; }
  run -0 ask lease ls
  [[ $output != *10.77* ]]
}

@test "firmware: proxyDHCP beside another server, UEFI PXE by port 4011" {
  dhcp_of_others
  site 'mode = "proxy"' ''
  sed -i '/address = "10.77.0.11"/d' site.hcl
  linux
  serves site.hcl
  boots uefi-x64 'MARKER x86_64 10.77.0.155' || { cat serve.log; return 1; }
}

@test "firmware: a machine behind slipway relay" {
  clients ip address add 10.77.0.2/24 dev br0
  clients sysctl -qw net.ipv4.ip_forward=1
  clients ip link add br1 type bridge forward_delay 0
  clients ip link set br1 up
  clients ip address add 10.78.0.1/24 dev br1
  server ip route add 10.78.0.0/24 via 10.77.0.2
  site "$dhcp" ''
  sed -i 's/10.77.0.11"/10.78.0.11"/' site.hcl
  cat >>site.hcl <<'SITE'
network "far" {
  subnet = "10.78.0.0/24"
  range  = ["10.78.0.100", "10.78.0.200"]
  router = "10.78.0.1"
}
SITE
  linux
  serves site.hcl
  background relay clients "$slipway" relay -interface=br1 -server=10.77.0.1
  sleep 1
  boots bios 'MARKER x86_64 10.78.0.11 as slipway served it' machine 52:54:00:77:00:01 br1 || { cat serve.log relay.log; return 1; }
}
