#!/usr/bin/env bats
# Every DHCP client that people use through every part of a lease's life, as
# one table: what is marked here is tried, the packets on the wire are the
# judge. A client that has no such message is marked so.
#
#                     acquire  renew  rebind  release  decline  inform
#     udhcpc             x       x      x        x        x       -
#     dhclient           x       x      x        x        x       -
#     dhcpcd             x       x      x        x        x       x
#     systemd-networkd   x       x      x        x        x       -

# shellcheck disable=SC2154 # set by the helpers
load helpers

dhcpserver=$(realpath "$(dirname "$slipway")/../tests/net/dhcpserver")

# In the order of names; the last byte of each one's hardware address is its place.
known=(dhclient dhcpcd networkd udhcpc)

setup() {
  lab_start
  mkdir root
  boxes=()
}
teardown() { lab_stop; }

# serves LEASE_TIME [LINES]: the server, and tcpdump beside it.
serves() {
  cat >site.hcl <<END
root  = "root"
state = "state"
network "lab" {
  interface  = "eth0"
  address    = "10.77.0.1/24"
  range      = ["10.77.0.100", "10.77.0.199"]
  router     = "10.77.0.1"
  dns        = ["10.77.0.53"]
  lease_time = "$1"
  probe      = false
  $2
}
END
  background dhcpd server "$dhcpserver" site.hcl
  wait_for 20 shows dhcpd ready
  background wire server tcpdump -l -nev -i eth0 udp port 67 or udp port 68
  wait_for 20 shows wire 'listening on'
}

program() {
  case $1 in
  networkd) echo /lib/systemd/systemd-networkd ;;
  *) command -v "$1" ;;
  esac
}
mac_of() {
  local i
  for i in "${!known[@]}"; do [ "${known[i]}" != "$1" ] || printf '02:00:00:77:02:%02x\n' "$i"; done
}

# make_box NAME: a network and files of the client's own, with eth0 on the bridge.
make_box() {
  mkdir "$1"
  holder "box_$1" nsenter --target "$lab" "${enter[@]}" -- unshare --net --mount
  boxes+=("$1")
  clients ip link add "$1-br" type veth peer name "$1-eth"
  in_lab_clients=box_$1
  nsenter --target "$lab_clients" "${enter[@]/--pid/--net}" -- ip link set "$1-eth" netns "${!in_lab_clients}"
  clients ip link set "$1-br" master br0 up
  in_box "$1" ip link set "$1-eth" name eth0 address "$(mac_of "$1")"
  in_box "$1" ip link set lo up
  echo 'nameserver 127.0.0.1' >"$1/resolv.conf"
  in_box "$1" mount --bind "$PWD/$1/resolv.conf" /etc/resolv.conf
  in_box "$1" sh -c 'for folder in /run /var/lib/dhcp /var/lib/dhcpcd /etc/systemd/network; do
    [ ! -d $folder ] || mount -t tmpfs box $folder; done'
}
in_box() {
  local name=$1 holder=box_$1
  shift
  nsenter --target "${!holder}" "${enter[@]}" -- setpriv --pdeathsig TERM env -C "$PWD/$name" "$@"
}

# ---- the clients ----

start_udhcpc() {
  cat >udhcpc/script <<'END'
#!/bin/sh
case $1 in
bound | renew) ip address replace "$ip/$mask" dev "$interface" ;;
deconfig) ip address flush dev "$interface" ;;
esac
END
  chmod 755 udhcpc/script
  in_box udhcpc ip link set eth0 up
  background udhcpc in_box udhcpc busybox udhcpc -f -a500 -A 1 -i eth0 -s "$PWD/udhcpc/script" -t 20
}
release_udhcpc() { kill -USR2 "$(pid_of udhcpc)"; }

# As Debian's own script does it, in short; it may say that the address is in use.
start_dhclient() {
  cat >dhclient/script <<'END'
#!/bin/sh
case $reason in
PREINIT) ip link set "$interface" up ;;
BOUND | REBOOT)
  [ ! -e taken ] || ! grep -qFx "$new_ip_address" taken || exit 1
  ip address replace "$new_ip_address/24" dev "$interface" ;;
EXPIRE | FAIL | RELEASE | STOP) ip address flush dev "$interface" ;;
esac
END
  chmod 755 dhclient/script
  touch dhclient/leases
  background dhclient in_box dhclient dhclient -4 -d -lf leases -pf pid -sf "$PWD/dhclient/script" eth0
}
release_dhclient() { in_box dhclient dhclient -4 -r -lf leases -pf pid -sf "$PWD/dhclient/script" eth0; }

start_dhcpcd() {
  printf 'noipv6\nnoipv4ll\nipv4only\n' >dhcpcd/conf
  in_box dhcpcd ip link set eth0 up
  background dhcpcd in_box dhcpcd dhcpcd -4 -B -f "$PWD/dhcpcd/conf" -c /bin/true eth0
}
release_dhcpcd() { in_box dhcpcd dhcpcd -4 -k eth0; }

# Without udev it takes an interface as it is if /sys cannot be written.
start_networkd() {
  printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n[DHCPv4]\nSendDecline=yes\n' >networkd/eth0.network
  in_box networkd sh -c 'mount -t sysfs -o ro sys /sys 2>/dev/null || mount --bind -o ro /sys /sys
    cp eth0.network /etc/systemd/network/; mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
    chown -R systemd-network: /run/systemd/netif'
  background networkd in_box networkd env SYSTEMD_LOG_LEVEL=debug /lib/systemd/systemd-networkd
}
release_networkd() { kill -TERM "$(pid_of networkd)"; }

# ---- the judge ----

# messages NAME: of its exchanges, type, receiver (all, one), the client's address in it.
messages() {
  awk -v mac="$(mac_of "$1")" '
    /^[0-9]/ { to = $4 ~ /^ff:ff/ ? "all" : "one"; client = "-" }
    $1 == "Client-IP" { client = $2 }
    $1 == "Client-Ethernet-Address" { whose = $2 }
    $1 == "DHCP-Message" && whose == mac { print $NF, to, client }' wire.log
}
said() { messages "$1" | grep -qxE -- "$2"; }
times() { messages "$1" | grep -cxE -- "$2" || :; }
address_of() { in_box "$1" ip -4 -o address show dev eth0 | awk '$4 ~ /^10\.77/ { sub("/.*", "", $4); print $4; exit }'; }
has_address() { [ -n "$(address_of "$1")" ]; }

# claim ADDRESS: somebody without a lease has it, and says so.
claim() {
  clients ip address add "$1/24" dev br0
  clients busybox arping -q -U -c 3 -I br0 "$1" || :
}

start_all() {
  for name in "${known[@]}"; do
    [ -x "$(program "$name")" ] || skip "no $name here"
    make_box "$name"
    "start_$name"
  done
  for name in "${boxes[@]}"; do wait_for 60 has_address "$name"; done
}

@test "clients: acquire, renew, rebind, release" {
  declare -A address acks
  serves 30s 'option "58" { value = 5 }
  option "59" { value = 10 }'
  start_all
  for name in "${boxes[@]}"; do
    address[$name]=$(address_of "$name")
    said "$name" 'Discover all -'
    said "$name" 'Request all -'
    said "$name" 'ACK one -'
  done
  for name in "${boxes[@]}"; do
    wait_for 60 said "$name" "Request one ${address[$name]}"
    wait_for 20 said "$name" "ACK one ${address[$name]}"
  done
  # From now on the server cannot be reached but by broadcast.
  for name in "${boxes[@]}"; do
    in_box "$name" ip neighbour replace 10.77.0.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
    acks[$name]=$(times "$name" 'ACK .*')
  done
  more_acks() { [ "$(times "$1" 'ACK .*')" -gt "${acks[$1]}" ]; }
  for name in "${boxes[@]}"; do
    wait_for 60 said "$name" "Request all ${address[$name]}"
    wait_for 20 more_acks "$name"
    [ "$(address_of "$name")" = "${address[$name]}" ]
    in_box "$name" ip neighbour del 10.77.0.1 dev eth0
  done
  for name in "${boxes[@]}"; do
    "release_$name"
    wait_for 20 said "$name" "Release one ${address[$name]}"
    wait_for 20 shows dhcpd "$(mac_of "$name") < RELEASE ${address[$name]}"
    run -1 said "$name" 'NACK .*'
  done
  stop dhcpd
  [[ $(tail -n 1 dhcpd.log) == *" naks=0 dropped=${#boxes[@]} malformed=0 leases=0 "* ]] # a RELEASE has no answer
}

@test "clients: find their address in use, decline it, and get another" {
  declare -A address
  serves 10m
  start_all
  for name in "${boxes[@]}"; do
    address[$name]=$(address_of "$name")
    if [ "$name" = networkd ]; then
      claim "${address[$name]}" # its DECLINE is sent from that address: too early, and the kernel refuses it
      continue
    fi
    "release_$name"
    wait_for 20 said "$name" "Release one ${address[$name]}"
    kill -KILL "$(pid_of "$name")" 2>/dev/null || :
    wait "$(cat "$name.pid")" || :
    in_box "$name" ip address flush dev eth0
    claim "${address[$name]}"
    echo "${address[$name]}" >"$name/taken"
    "start_$name"
  done
  has_another() { has_address "$1" && [ "$(address_of "$1")" != "${address[$1]}" ]; }
  for name in "${boxes[@]}"; do
    wait_for 60 has_another "$name"
    said "$name" 'Decline .*'
    shows dhcpd "$(mac_of "$name") log: ${address[$name]} is in use by somebody without a lease"
  done
}

@test "clients: one that has its address asks for the rest" {
  serves 10m
  make_box dhcpcd
  printf 'noipv6\nnoipv4ll\nipv4only\noption domain_name_servers, routers\n' >dhcpcd/conf
  in_box dhcpcd ip link set eth0 up
  in_box dhcpcd ip address add 10.77.0.33/24 dev eth0
  in_box dhcpcd timeout 60 dhcpcd -4 -1 -d -f "$PWD/dhcpcd/conf" -c /bin/true --inform=10.77.0.33/24 eth0
  wait_for 20 said dhcpcd 'Inform .* 10.77.0.33'
  wait_for 20 said dhcpcd 'ACK one 10.77.0.33'
}

@test "clients: one that may has its address by two messages, and is told its whole name" {
  serves 10m 'rapid_commit = true
  domain = "lab.example"'
  make_box dhcpcd
  printf 'noipv6\nnoipv4ll\nipv4only\nnoarp\noption rapid_commit\nfqdn both\nhostname kitchen\n' >dhcpcd/conf
  in_box dhcpcd ip link set eth0 up
  in_box dhcpcd timeout 60 dhcpcd -4 -1 -d -f "$PWD/dhcpcd/conf" -c /bin/true eth0
  wait_for 20 said dhcpcd 'ACK one -'
  run -1 said dhcpcd 'Request .*'
  grep -F 'FQDN (81), length ' wire.log | tail -n 1 | grep -F '^Gkitchen^Clab^Gexample^@'
}
