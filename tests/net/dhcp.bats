#!/usr/bin/env bats
# The DHCP server and the relay agent with the clients that people use: what
# they are told. Each part of a lease's life, client by client: clients.bats.

# shellcheck disable=SC2154 # set by the helpers
load helpers

dhcpserver=$(realpath "$(dirname "$slipway")/../tests/net/dhcpserver")

setup() { lab_start && mkdir root; }
teardown() { lab_stop; }

# site [LINE...]: a site file, with more lines in its network.
site() {
  cat >site.hcl <<END
root  = "root"
state = "state"
network "lab" {
  interface     = "eth0"
  address       = "10.77.0.1/24"
  range         = ["10.77.0.100", "10.77.0.109"]
  router        = "10.77.0.1"
  dns           = ["10.77.0.53"]
  domain        = "lab.example"
  lease_time    = "10m"
$(printf '  %s\n' "$@")
}
machine "rack1" {
  mac     = "52:54:00:77:01:11"
  address = "10.77.0.11"
}
END
}
serves() {
  background dhcpd server "$dhcpserver" site.hcl
  wait_for 20 shows dhcpd ready
}

# What a client script of udhcpc is told.
udhcpc_script() {
  printf '#!/bin/sh\nenv >telling.$1 && mv telling.$1 told.$1\n[ "$1" != bound ] || { ip address flush dev $interface; ip address add $ip/$mask dev $interface; }\n' >script
  chmod 755 script
}
udhcpc() { clients busybox udhcpc -s "$PWD/script" "$@"; }

@test "dhcp: udhcpc acquires, renews and releases" {
  site
  serves
  udhcpc_script
  plug c0 52:54:00:77:01:11
  background udhcpc udhcpc -f -R -i c0 -x hostname:kitchen
  wait_for 20 test -e told.bound
  grep -x ip=10.77.0.11 told.bound
  grep -x router=10.77.0.1 told.bound
  grep -x dns=10.77.0.53 told.bound
  grep -x domain=lab.example told.bound
  grep -x hostname=rack1 told.bound
  grep -x lease=600 told.bound
  kill -USR1 "$(pid_of udhcpc)"
  wait_for 20 test -e told.renew
  grep -x ip=10.77.0.11 told.renew
  kill -USR2 "$(pid_of udhcpc)"
  wait_for 20 shows dhcpd '< RELEASE 10.77.0.11'
  stop dhcpd
  [[ $(tail -n 1 dhcpd.log) == *' acks=2 '*' leases=0 '* ]]
}

@test "dhcp: what is in use is not even offered" {
  site 'probe = true'
  serves
  udhcpc_script
  plug c0 52:54:00:77:01:12
  udhcpc -i c0 -n -q
  taken=$(sed -n 's/^ip=//p' told.bound)
  clients ip address flush dev c0
  stop dhcpd
  rm -r state
  plug c1 52:54:00:77:01:13
  clients ip address add "$taken/24" dev c1
  serves
  udhcpc -i c0 -n -q
  [ "$(sed -n 's/^ip=//p' told.bound)" != "$taken" ]
  shows dhcpd "$taken is in use by somebody without a lease"
}

@test "dhcp: dhclient acquires, comes back with its address, and releases" {
  command -v dhclient >/dev/null || skip 'no dhclient here'
  site 'authoritative = true'
  serves
  plug c0 52:54:00:77:01:12
  touch leases
  clients dhclient -4 -1 -lf leases -pf pid -sf /bin/true c0
  grep -F 'fixed-address 10.77.0.10' leases
  grep -F 'option routers 10.77.0.1;' leases
  clients dhclient -4 -x -lf leases -pf pid -sf /bin/true c0 || :
  clients dhclient -4 -1 -lf leases -pf pid -sf /bin/true c0 # INIT-REBOOT
  [ "$(grep -c "> ACK" dhcpd.log)" -ge 2 ]
  [ "$(grep -c '> OFFER' dhcpd.log)" = 1 ]
  clients ip address add "$(sed -n 's/.*fixed-address \(.*\);/\1/p' leases | tail -n 1)/24" dev c0 # as its script would
  clients dhclient -4 -r -lf leases -pf pid -sf /bin/true c0 || :
  wait_for 20 shows dhcpd '< RELEASE'
}

@test "dhcp: dhcpcd acquires, and rebinds what it remembers" {
  command -v dhcpcd >/dev/null || skip 'no dhcpcd here'
  server mount -t tmpfs lab /var/lib/dhcpcd
  site
  serves
  plug c0 52:54:00:77:01:12
  printf 'noipv6\nnoipv4ll\nscript /bin/true\nnoarp\n' >dhcpcd.conf
  clients timeout 60 dhcpcd -4 -1 -f "$PWD/dhcpcd.conf" -t 30 c0
  shows dhcpd '> ACK 10.77.0.10'
  clients timeout 60 dhcpcd -4 -1 -f "$PWD/dhcpcd.conf" -t 30 c0
  [ "$(grep -c '> ACK' dhcpd.log)" = 2 ]
  stop dhcpd
  [[ $(tail -n 1 dhcpd.log) == *' leases=1 '* ]]
}

@test "dhcp: a client of the wrong network is told so" {
  command -v dhclient >/dev/null || skip 'no dhclient here'
  site
  serves
  plug c0 52:54:00:77:01:12
  cat >leases <<END
lease {
  interface "c0";
  fixed-address 192.168.55.5;
  option subnet-mask 255.255.255.0;
  option dhcp-server-identifier 192.168.55.1;
  option dhcp-lease-time 86400;
  renew never;
  rebind never;
  expire never;
}
END
  clients dhclient -4 -1 -lf leases -pf pid -sf /bin/true c0
  shows dhcpd '> NAK'
  shows dhcpd '> ACK 10.77.0.10'
}

@test "dhcp: after kill -9 a lease is there, and the client goes on with it" {
  site
  serves
  udhcpc_script
  plug c0 52:54:00:77:01:12
  background udhcpc udhcpc -f -i c0
  wait_for 20 test -e told.bound
  kill -KILL "$(pid_of dhcpd)"
  wait "$(cat dhcpd.pid)" || :
  serves
  kill -USR1 "$(pid_of udhcpc)"
  wait_for 20 test -e told.renew
  [ "$(sed -n 's/^ip=//p' told.renew)" = "$(sed -n 's/^ip=//p' told.bound)" ]
}

@test "dhcp: a reload changes what is given; a bad file changes nothing" {
  site
  serves
  udhcpc_script
  plug c0 52:54:00:77:01:12
  udhcpc -i c0 -n -q
  site 'ntp = ["10.77.0.9"]'
  kill -HUP "$(pid_of dhcpd)"
  wait_for 20 shows dhcpd reloaded
  udhcpc -i c0 -n -q -O ntpsrv
  grep -x ntpsrv=10.77.0.9 told.bound
  echo 'rubbish {' >>site.hcl
  kill -HUP "$(pid_of dhcpd)"
  udhcpc -i c0 -n -q
}

@test "dhcp: beside another server: a rogue one is told of" {
  site 'probe = false'
  serves
  clients ip address add 10.77.0.66/24 dev br0
  background rogue clients dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=br0 --bind-interfaces \
    --no-ping --log-facility=- --dhcp-leasefile="$PWD/rogue.leases" --dhcp-range=10.77.0.200,10.77.0.210,10m
  wait_for 10 shows rogue 'DHCP, IP range'
  udhcpc_script
  plug c0 52:54:00:77:01:12
  udhcpc -i c0 -n -q
  # dnsmasq answers udhcpc's DISCOVER by broadcast only if asked to
  clients busybox udhcpc -B -i c0 -n -q -s "$PWD/script"
  wait_for 20 shows dhcpd 'other:'
}

@test "relay: clients of another segment, by slipway relay" {
  site
  cat >>site.hcl <<END
network "far" {
  subnet = "10.78.0.0/24"
  range  = ["10.78.0.100", "10.78.0.109"]
  router = "10.78.0.1"
}
END
  serves
  clients ip address add 10.77.0.2/24 dev br0
  clients ip link add br1 type bridge forward_delay 0
  clients ip address add 10.78.0.1/24 dev br1
  clients ip link set br1 up
  server ip route add 10.78.0.0/24 via 10.77.0.2
  background relay clients "$slipway" relay -interface=br1 -server=10.77.0.1 -verbose
  wait_for 20 shows relay ready
  udhcpc_script
  plug c1 52:54:00:77:01:14 br1
  udhcpc -i c1 -n -q
  grep -E '^ip=10\.78\.0\.10[0-9]$' told.bound
  grep -x router=10.78.0.1 told.bound
  stop relay
  grep -E 'relay: [1-9][0-9]* requests, [1-9][0-9]* replies' relay.log
  background lost server "$slipway" relay -interface=eth0 -server=10.99.0.1 # that it cannot reach, and says so
  wait_for 20 shows lost ready
  plug c2 52:54:00:77:01:15 br0
  udhcpc -i c2 -n -q
  wait_for 20 shows lost 'messages to 10.99.0.1 cannot be sent: is there a route to it?'
  run -1 clients "$slipway" relay -interface=nowhere -server=10.77.0.1
  [[ $output == *"there is no interface 'nowhere'"* ]]
  run -1 clients "$slipway" relay -interface=br1 -server=example
  [[ $output == *'-server=example: an IPv4 address was expected'* ]]
}
