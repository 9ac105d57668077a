#!/usr/bin/env bats
# The laboratory itself: with dnsmasq as the server, real firmware boots in it,
# so that what fails elsewhere is slipway's.

load helpers

setup() { lab_start; }
teardown() { lab_stop; }

dnsmasq_serves() {
  background dnsmasq server dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=eth0 --bind-interfaces \
    --log-dhcp --log-facility=- --dhcp-leasefile=leases --dhcp-range=10.77.0.100,10.77.0.200,10m --enable-tftp --tftp-root="$PWD/root" "$@"
  background httpd server busybox httpd -f -p 80 -h root
  wait_for 10 shows dnsmasq 'DHCP, IP range'
}

@test "lab: a client takes an address" {
  mkdir root
  dnsmasq_serves
  plug c0 52:54:00:77:01:11
  clients busybox udhcpc -i c0 -n -q -s /bin/true
  grep -F 52:54:00:77:01:11 leases
}

@test "firmware: a PC by BIOS and iPXE's ROM boots Linux from dnsmasq" {
  mkdir root
  cp "$(netboot)"/{vmlinuz,initrd.img} root/
  echo 'served by others' >root/marker
  printf '#!ipxe\nkernel vmlinuz console=ttyS0 panic=-1\ninitrd initrd.img\nboot\n' >root/boot.ipxe
  dnsmasq_serves --dhcp-boot=http://10.77.0.1/boot.ipxe
  boots bios 'MARKER x86_64 10.77.0.'
  grep -F 'served by others' machine.txt
}
