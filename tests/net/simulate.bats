#!/usr/bin/env bats
# Simulated clients against a server that real firmware boots from.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { lab_start && plug c0 52:54:00:77:01:11 && mkdir root; }
teardown() { lab_stop; }

simulate() { clients timeout 100 "$slipway" simulate -interface=c0 -timeout=60 "$@"; }

@test "simulate: UEFI by PXE: size first, then the file, by TFTP" {
  head -c 1000000 /dev/urandom >root/grub.efi
  dnsmasq_serves --dhcp-boot=grub.efi
  run -0 simulate -hurry uefi-x64
  [[ $output == *'OFFER of 10.77.0.'*' from 10.77.0.1: grub.efi'* ]]
  [[ $output == *'TFTP grub.efi: is of 1000000 bytes'* ]]
  [[ $output == *"TFTP grub.efi: 1000000 bytes, sha256 $(sha256sum <root/grub.efi | cut -c 1-16)"* ]]
  run -1 simulate -hurry -count=2 uefi-http
  [[ $output == *'no answer is of class HTTPClient'*'0 of 2 clients'* ]]
}

@test "simulate: without -hurry it waits as long as the firmware" {
  echo x >root/grub.efi
  dnsmasq_serves --dhcp-boot=grub.efi
  run -0 simulate uefi-x64
  [[ $output =~ \ ([0-9]+)\.[0-9]+\ \ REQUEST ]]
  [ "${BASH_REMATCH[1]}" -ge 3 ]
}

@test "simulate: iPXE and UEFI HTTP Boot, by HTTP" {
  head -c 3000000 /dev/urandom >root/boot.bin
  http_serves
  dnsmasq_serves --dhcp-boot=http://10.77.0.1/boot.bin --dhcp-vendorclass=set:http,HTTPClient --dhcp-option-force=tag:http,60,HTTPClient
  run -0 simulate -hurry ipxe
  [[ $output == *"HTTP /boot.bin: 3000000 bytes, sha256 $(sha256sum <root/boot.bin | cut -c 1-16)"* ]]
  run -0 simulate -hurry -json uefi-http
  [[ $output == *'HTTP HEAD /boot.bin: 3000000 bytes'* ]]
  jq -se 'last | .done == 1 and .failed == 0 and .bytes == 3000000' <<<"$output"
  rm root/boot.bin
  run -1 simulate -hurry ipxe
  [[ $output == *'HTTP /boot.bin: status 404'*'cannot go on without /boot.bin'* ]]
}

@test "simulate: a server that closes the connection after HEAD fails UEFI HTTP Boot" {
  echo x >root/boot.efi
  background httpd server busybox httpd -f -p 80 -h root
  dnsmasq_serves --dhcp-boot=http://10.77.0.1/boot.efi --dhcp-option-force=60,HTTPClient
  run -1 simulate -hurry uefi-http
  [[ $output == *'the server closed the connection'* ]]
}

@test "simulate: a proxy beside a DHCP server, and its port 4011" {
  echo 'an image' >root/boot.0
  background proxy server dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=eth0 --log-dhcp --log-facility=- \
    --dhcp-leasefile=leases.proxy --dhcp-range=10.77.0.0,proxy --pxe-service=x86PC,boot,boot --pxe-service=x86-64_EFI,boot,boot.0 --enable-tftp --tftp-root="$PWD/root"
  wait_for 10 shows proxy 'DHCP, proxy'
  # Another server on the same segment: of the clients' side.
  plug d0 52:54:00:77:09:01
  clients ip address add 10.77.0.2/24 dev d0
  background dhcp clients dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=d0 --bind-interfaces \
    --log-facility=- --dhcp-leasefile=leases2 --dhcp-range=10.77.0.100,10.77.0.200,10m
  wait_for 10 shows dhcp 'DHCP, IP range'
  run -0 simulate uefi-x64
  [[ $output == *'proxy OFFER from 10.77.0.1'* ]]
  [[ $output == *'from 10.77.0.2'* ]]
  [[ $output == *'REQUEST to 10.77.0.1 port 4011'* ]]
  [[ $output == *'ACK from port 4011: boot.0'* ]]
  [[ $output == *'TFTP boot.0: 9 bytes'* ]]
}

@test "simulate: Raspberry Pis take the menu of their ROM only, and fetch what config.txt names" {
  for file in bootcode.bin start.elf start4.elf config.txt cmdline.txt kernel8.img; do echo "$file" >"root/$file"; done
  echo 'kernel=linux' >root/config.txt
  cp root/kernel8.img root/linux
  dnsmasq_serves --pxe-service='0,Raspberry Pi Boot'
  run -0 simulate pi4
  [[ $output == *'TFTP '????????'/start4.elf: '*'TFTP linux: '* ]]
  run -0 simulate pi3
  [[ $output != *REQUEST* ]]
  [[ $output == *'TFTP bootcode.bin: 13 bytes'* ]]
  rm root/linux
  run -1 simulate pi5
  [[ $output == *'cannot go on without linux'* ]]
}

@test "simulate: U-Boot looks for its configuration from the board's name to the default" {
  mkdir root/pxelinux.cfg
  echo default >root/pxelinux.cfg/default
  dnsmasq_serves --dhcp-boot=,,10.77.0.1
  run -0 simulate u-boot
  [[ $output == *'pxelinux.cfg/01-52-52-52-55-00-00: '*'pxelinux.cfg/0A4D00'*'TFTP pxelinux.cfg/default: 8 bytes'* ]]
}

@test "simulate: many at once, each with an address of its own" {
  head -c 100000 /dev/urandom >root/boot
  dnsmasq_serves --dhcp-boot=boot --tftp-max=1000 --dhcp-lease-max=1000
  run -0 simulate -hurry -count=80 -rate=100 ipxe
  [[ $output == *'80 of 80 clients have all they asked for (8000000 bytes)'* ]]
  [ "$(cut -d' ' -f3 leases | sort -u | wc -l)" -eq 80 ]
}

@test "simulate: what cannot be" {
  run -1 simulate toaster
  [[ $output == *"unknown kind of client 'toaster'"* ]]
  run -1 clients "$slipway" simulate ipxe
  [[ $output == *'-interface is needed'* ]]
  run -1 clients "$slipway" simulate -interface=none ipxe
  [[ $output == *"interface 'none'"* ]]
  run -1 simulate -timeout=2 ipxe # nobody there
  [[ $output == *'was not done in time'* ]]
}
