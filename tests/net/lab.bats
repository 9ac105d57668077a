#!/usr/bin/env bats
# The laboratory itself: with dnsmasq as the server, real firmware boots in it,
# so that what fails elsewhere is slipway's.

load helpers

setup() { lab_start; }
teardown() { lab_stop; }

@test "lab: a client takes an address" {
  mkdir root
  dnsmasq_serves
  plug c0 52:54:00:77:01:11
  clients busybox udhcpc -i c0 -n -q -s /bin/true
  grep -F 52:54:00:77:01:11 leases
}

@test "firmware: a PC by BIOS and iPXE's ROM boots Linux from dnsmasq" {
  needs_tap
  mkdir root
  cp "$(netboot)"/{vmlinuz,initrd.img} root/
  echo 'served by others' >root/marker
  printf '#!ipxe\nkernel vmlinuz console=ttyS0 panic=-1 no_timer_check\ninitrd initrd.img\nboot\n' >root/boot.ipxe
  http_serves
  dnsmasq_serves --dhcp-boot=http://10.77.0.1/boot.ipxe
  boots bios 'MARKER x86_64 10.77.0.'
  grep -F 'served by others' machine.txt
}
