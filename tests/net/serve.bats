#!/usr/bin/env bats
# `slipway serve` itself: what it is confined to, reloads, what it tells, how it ends.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() {
  lab_start && mkdir root
  plug c0 52:54:00:77:01:11
  echo 'a kernel' >root/vmlinuz
  echo '#!ipxe' >root/other.ipxe
  site
}
teardown() { lab_stop; }

site() {
  cat >site.hcl <<SITE
root = "root"
network "lab" {
  interface = "eth0"
  range     = ["10.77.0.100", "10.77.0.200"]
}
profile "linux" { kernel = "vmlinuz" }
default_profile = profile.linux
SITE
}
simulate() { clients timeout 100 "$slipway" simulate -interface=c0 -timeout=60 -hurry "$@"; }

@test "serve: -n checks the site file" {
  run -0 server "$slipway" serve -n site.hcl
  [ "$output" = "The site file is sound." ]
  sed -i 's/kernel/kernal/' site.hcl
  run -1 "$slipway" serve -n site.hcl
  [[ $output == *"unknown argument 'kernal'; did you mean 'kernel'?"*'site.hcl line 6'* ]]
  [[ $output != *'boots nothing'* ]] # which follows from it
}

@test "serve: mistakes before anything is opened" {
  run -1 "$slipway" serve
  [[ $output == *'a site file is needed'* ]]
  run -1 "$slipway" serve -quick=root
  [[ $output == *'-quick needs -interface'* ]]
  run -1 server "$slipway" serve -state="$PWD/state" -quick=root -interface=none
  [[ $output == *"interface 'none'"* ]]
  server ip address flush dev eth0
  run -1 server "$slipway" serve -state="$PWD/state" site.hcl
  [[ $output == *"interface 'eth0' has no IPv4 address"* ]]
}

@test "serve: where a shell allows few descriptors, it has as many as it may have" {
  ulimit -S -n 256
  serves site.hcl
  [ "$(awk '/^Max open files/ {print $4}' "/proc/$(pid_of serve)/limits")" -gt 256 ]
}

@test "serve: every kind of client gets what it boots" {
  serves site.hcl
  for kind in bios uefi-x64 uefi-http ipxe; do
    run -0 simulate "$kind"
    [[ $output == *'has all it asks for'* ]]
  done
  run -0 ask machine ls
  [[ $output == *uefi-x64* ]]
}

@test "serve: a machine of the site file is listed once, whether it was seen or not" {
  serves site.hcl
  run -0 simulate ipxe
  mac=$(ask machine ls -json | jq -r 'select(.mac).mac' | head -n 1)
  printf 'machine "seen" {\n  mac = "%s"\n}\nmachine "unseen" {\n  mac = "02:00:00:00:00:01"\n}\n' "$mac" >>site.hcl
  run -0 ask reload
  run -0 ask machine ls
  [ "$(grep -c "$mac" <<<"$output")" = 1 ]
  [[ $output == *seen*unseen* || $output == *unseen*seen* ]]
}

@test "serve: blocks that no device cuts from each other come to a simulated client too" {
  server ethtool -K eth0 tx on
  serves site.hcl
  run -0 simulate uefi-x64
  [[ $output == *'has all it asks for'* ]]
}

@test "serve: it ends while a transfer is under way" {
  head -c 100000 /dev/urandom >root/vmlinuz
  serves site.hcl
  plug u0 52:54:00:77:01:12
  clients ip address add 10.77.0.9/24 dev u0
  clients python3 - <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.sendto(b"\0\1vmlinuz\0octet\0", ("10.77.0.1", 69))
assert s.recv(600)[:4] == b"\0\3\0\1"
END
  kill -TERM "$(pid_of serve)"
  code=0
  wait "$(cat serve.pid)" || code=$?
  [ "$code" -eq 0 ]
  [[ $(cat serve.log) == *'The server is stopping'* ]]
}

@test "serve: runs without capabilities, new privileges, programs, and files that are not its own" {
  serves site.hcl
  status=/proc/$(pid_of serve)/status
  grep -qE '^CapEff:\s0+$' "$status"
  grep -qE '^CapPrm:\s0+$' "$status"
  grep -qE '^CapAmb:\s0+$' "$status"
  grep -qE '^NoNewPrivs:\s1$' "$status"
  grep -qE '^Seccomp:\s2$' "$status"
  # Each of its threads.
  for task in "/proc/$(pid_of serve)/task/"*/status; do
    grep -qE '^Seccomp:\s2$' "$task"
    grep -qE '^CapEff:\s0+$' "$task"
  done
  ln -s /etc/hostname root/outside
  plug u0 52:54:00:77:01:12
  clients ip address add 10.77.0.9/24 dev u0
  run -22 clients curl -sf http://10.77.0.1/outside
  run -22 clients curl -sf --path-as-is http://10.77.0.1/../site.hcl
}

@test "serve: a reload takes a sound site file over, and leaves one with mistakes" {
  serves site.hcl
  run -0 simulate ipxe
  [[ $output == *'boot.ipxe'* ]]
  sed -i 's/kernel = "vmlinuz"/boot = { ipxe = "other.ipxe" }/' site.hcl
  run -0 ask reload
  run -0 simulate ipxe
  [[ $output == *'other.ipxe: 7 bytes'* ]]
  echo 'nonsense {' >>site.hcl
  run -1 ask reload
  [[ $output == *'the old one stays'* ]]
  run -0 simulate ipxe
  [[ $output == *'other.ipxe: 7 bytes'* ]]
  site
  kill -HUP "$(pid_of serve)"
  wait_for 10 shows serve 'the site file was read again'
  printf 'listen {\n  http = 8080\n}\n' >>site.hcl # ports stay, and clients are sent to those
  run -0 ask reload
  wait_for 10 shows serve 'in `listen` counts after a restart'
  run -0 simulate ipxe
  [[ $output == *'HTTP /boot.ipxe: '* ]]
}

@test "serve: a folder of site files is read again as a whole" {
  mkdir site.d
  sed 's/root = "root"/root = "..\/root"/; /^profile/d' site.hcl >site.d/10-networks.hcl
  echo 'profile "linux" { boot = { ipxe = "vmlinuz" } }' >site.d/20-profiles.hcl
  serves site.d
  run -0 simulate ipxe
  [[ $output == *'vmlinuz: 9 bytes'* ]]
  rm site.d/20-profiles.hcl
  run -1 ask reload
  [[ $output == *'the old one stays'* ]]
  echo 'profile "linux" { boot = { ipxe = "other.ipxe" } }' >site.d/30-others.hcl
  run -0 ask reload
  run -0 simulate ipxe
  [[ $output == *'other.ipxe: 7 bytes'* ]]
}

@test "serve: a download goes on over a reload, one whose file is cut short ends at once, and HTTPS" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 \
    -subj /CN=lab -addext subjectAltName=IP:10.77.0.1 2>/dev/null
  printf 'listen {\n  https       = 443\n  certificate = "cert.pem"\n  key         = "key.pem"\n}\n' >>site.hcl
  head -c 40000000 /dev/urandom >root/large
  serves site.hcl
  plug u0 52:54:00:77:01:12
  clients ip address add 10.77.0.9/24 dev u0
  clients curl -sf --cacert cert.pem https://10.77.0.1/large | cmp - root/large
  background slow clients curl -sf --limit-rate 10M -o got http://10.77.0.1/large
  wait_for 10 test -s got
  run -0 ask reload
  wait "$(cat slow.pid)"
  cmp got root/large
  rm got
  background short clients curl -sS --limit-rate 2M -o got http://10.77.0.1/large
  wait_for 10 test -s got
  truncate -s 1000000 root/large
  wait_for 10 shows serve 'became shorter'
  local status=0
  wait "$(cat short.pid)" || status=$?
  [ "$status" -eq 18 ] # curl: a partial file
}

@test "serve: watch, machine, lease" {
  serves site.hcl
  background watch ask watch
  background json ask watch -json
  sleep 0.5
  run -0 simulate ipxe
  mac=$(cut -d' ' -f1 <<<"${lines[0]}")
  wait_for 10 shows watch 'DISCOVER'
  wait_for 10 shows watch '(ipxe on bios)'
  wait_for 10 grep -q '"event":"http-end"' json.log
  jq -e .time_us <json.log >/dev/null
  run -0 ask machine ls
  [[ $output == *"$mac"*bios*booting* ]]
  run -0 ask machine show "$mac"
  [[ $output == *'DISCOVER by ipxe on bios'*'answered: ACK 10.77.0.'*'HTTP: '* ]]
  run -0 ask lease ls -o json
  jq -e 'length > 0 and all(.address and .state)' <<<"$output"
  run -0 ask machine ls -o json
  jq -e 'length > 0 and all(.mac)' <<<"$output"
  run -0 ask lease ls
  [[ $output =~ (10\.77\.0\.[0-9]+)\ +$mac\ +active ]]
  run -0 ask lease release "${BASH_REMATCH[1]}"
  run -0 ask lease ls
  [[ $output != *active* ]]
  run -1 ask machine show nobody
  [[ $output == *"'nobody' is neither a machine"* ]]
  run -1 server "$slipway" lease -control=/nowhere ls
  [[ $output == *"no server answers at '/nowhere'"* ]]
}

@test "serve: watch on a terminal that does not know its size" {
  serves site.hcl
  # Drawn at once, again when something happens, and until the server ends.
  (
    wait_for 20 shows screen MACHINE
    clients timeout 60 "$slipway" simulate -interface=c0 -timeout=60 -hurry ipxe >simulated.log
    wait_for 20 shows screen booting
    kill -TERM "$(pid_of serve)"
  ) 3>&- &
  env SLIPWAY_CONTROL="$PWD/state/control" python3 "$here/tests/cli/terminal.py" MACHINE '' booting '' -- \
    "$slipway" watch >screen.log || :
  wait $!
  grep -F "$(cut -d' ' -f1 simulated.log | head -n 1)" screen.log
  grep -F $'\e[33mbooting' screen.log
  run ! grep -F 'terminal.py: was not shown' screen.log
}

@test "serve: the ROM of a Raspberry Pi 3 is not answered at once" {
  sed -i 's/range .*/&\n  probe = false/' site.hcl
  serves site.hcl
  run simulate pi3
  mac=$(cut -d' ' -f1 <<<"${lines[0]}")
  ask machine pcap "$mac" >x.pcapng
  command -v tshark >/dev/null || skip 'no tshark here'
  tshark -r x.pcapng -Y 'dhcp.option.dhcp == 2' -T fields -e frame.time_delta >waited
  [ "$(wc -l <waited)" -ge 1 ]
  [ "$(awk '$1 < 1' waited)" = '' ]
}

@test "serve: one machine's packets, for Wireshark" {
  serves site.hcl
  run -0 simulate bios # another machine
  run -0 simulate uefi-x64
  mac=$(cut -d' ' -f1 <<<"${lines[0]}")
  ask machine pcap "$mac" >x.pcapng
  for judge in capinfos tshark; do command -v "$judge" >/dev/null || skip "no $judge here"; done
  capinfos -Mtcu x.pcapng
  judge=(tshark -r x.pcapng -n -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE)
  "${judge[@]}" >all
  grep -F 'DHCP Discover' all
  grep -F 'DHCP Offer' all
  grep -F 'DHCP Request' all
  grep -F 'DHCP ACK' all
  grep -F 'TFTP' all | grep -F 'Read Request, File: '
  grep -F 'Option Acknowledgement' all
  run -0 --separate-stderr "${judge[@]}" -Y "dhcp && dhcp.hw.mac_addr != $mac"
  [ -z "$output" ]
  run -0 --separate-stderr "${judge[@]}" -Y '_ws.malformed || udp.checksum.status == "Bad" || ip.checksum.status == "Bad"'
  [ -z "$output" ]
  run -0 --separate-stderr "${judge[@]}" -Y 'frame.packet_flags_direction == 1 && dhcp.type == 1' # inbound, a request
  [ -n "$output" ]
  run -1 ask machine pcap nobody
  [[ $output == *"'nobody' is neither a machine"* ]]
  ask machine pcap 02:00:00:00:00:99 >empty.pcapng
  [[ $(capinfos -Mc empty.pcapng) == *'Number of packets:   0'* ]]
}

@test "serve: no packets are kept where the site file says so" {
  sed -i '1i capture = false' site.hcl
  serves site.hcl
  run -0 simulate bios
  mac=$(cut -d' ' -f1 <<<"${lines[0]}")
  ask machine show "$mac" | grep -F DISCOVER
  ask machine pcap "$mac" >x.pcapng
  ask machine pcap 02:00:00:00:00:99 >empty.pcapng
  cmp x.pcapng empty.pcapng
}

@test "serve: the packets of a machine by HTTP, and after a restart" {
  serves site.hcl
  run -0 simulate uefi-http
  mac=$(cut -d' ' -f1 <<<"${lines[0]}")
  stop serve
  serves site.hcl
  printf 'machine "seen" {\n  mac = "%s"\n}\n' "$mac" >>site.hcl
  run -0 ask reload
  ask machine pcap seen >x.pcapng
  for judge in capinfos tshark; do command -v "$judge" >/dev/null || skip "no $judge here"; done
  tshark -r x.pcapng -n >all
  grep -F 'DHCP ACK' all
  grep -E 'TCP .*\[SYN\]' all
  grep -E 'HTTP .*(GET|HEAD) /' all
  grep -E 'HTTP .*200 OK' all
}

@test "serve: where a boot stopped, in words, now and after a restart" {
  sed -i 's/kernel = "vmlinuz"/boot = { bios = "missing.0" }/' site.hcl
  serves site.hcl
  run -1 simulate bios
  mac=$(cut -d' ' -f1 <<<"${lines[0]}")
  said() { ask machine show "$mac" | grep -F "asked for 'missing.0', which is not there"; }
  wait_for 20 said
  stop serve
  serves site.hcl
  said
}

@test "serve: metrics" {
  serves site.hcl
  run -0 simulate -count=5 ipxe
  run -0 server curl -sf http://10.77.0.1/metrics
  [[ $output == *'slipway_dhcp_acks_total 5'*'slipway_machines{state="booting"} 5'* ]]
}

@test "serve: ends in order, and starts again with its leases" {
  serves -log=json site.hcl
  run -0 simulate ipxe
  address=$(grep -o 'ACK of [0-9.]*' <<<"$output" | cut -d' ' -f3)
  stop serve
  jq -e .event <serve.log >/dev/null
  [ ! -e state/control ]
  serves site.hcl
  run -0 simulate ipxe
  [[ $output == *"ACK of $address"* ]]
  # A second one on the same state is refused; one that was killed leaves nothing in the way.
  run -1 server "$slipway" serve -state="$PWD/state" site.hcl
  [[ $output == *'a server runs already'* ]]
  kill -KILL "$(pid_of serve)"
  wait
  serves site.hcl
}

@test "serve: tells systemd when it is ready, reloads and stops" {
  python3 - notify <<'PY' >notified 3>&- &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    line = s.recv(4096).decode()
    print(line, flush=True)
    if line.startswith("STOPPING"):
        break
PY
  listener=$!
  wait_for 10 test -S notify
  NOTIFY_SOCKET=$PWD/notify serves site.hcl
  ask reload
  stop serve
  wait "$listener"
  [ "$(tr '\n' ' ' <notified)" = 'READY=1 RELOADING=1 READY=1 STOPPING=1 ' ]
}

@test "serve: 200 clients at once, each with an address and the file of its own" {
  serves site.hcl
  sed -i 's/10.77.0.100/10.77.0.16/; s/10.77.0.200/10.77.0.254/' site.hcl
  ask reload
  run -0 simulate -count=200 -rate=200 ipxe
  [[ $output == *'200 of 200 clients have all they asked for'* ]]
  [ "$(ask lease ls | grep -c active)" -eq 200 ]
}

@test "serve: beside another DHCP server, which is told of; simulated firmware boots by port 4011" {
  plug d0 52:54:00:77:09:01
  clients ip address add 10.77.0.2/24 dev d0
  background others clients dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=d0 --bind-interfaces \
    --no-ping --log-facility=- --dhcp-leasefile=leases.others --dhcp-range=10.77.0.150,10.77.0.160,10m
  wait_for 10 shows others 'DHCP, IP range'
  serves -quick=root -interface=eth0 -proxy
  for kind in bios uefi-x64 uefi-http ipxe; do
    run -0 clients timeout 100 "$slipway" simulate -interface=c0 -timeout=30 "$kind"
    [[ $output == *'proxy OFFER from 10.77.0.1'*'has all it asks for'* ]] || { echo "$kind: $output"; cat serve.log; return 1; }
  done
  shows serve "another DHCP server"
  [ "$(ask lease ls | grep -c 10.77)" -eq 0 ]
  run -0 ask machine ls
  [[ $output == *uefi-x64*booting* ]]
}

# MAC and address of each ACK that simulated clients saw; and of each lease that the server knows.
acks_of() { jq -r 'select(.stage // "" | startswith("ACK of")) | "\(.mac) \(.stage[7:])"' "$1" | sort -u; }
leases_now() { ask lease ls -json | jq -r 'select(.state == "active") | "\(.mac) \(.address)"' | sort -u; }

@test "serve: killed under load at 50 moments: no lease that was acknowledged is lost, no address is given twice" {
  local began took=()
  server ip address flush dev eth0
  server ip address add 10.77.0.1/20 dev eth0
  sed -i 's/range .*/range = ["10.77.1.0", "10.77.15.254"]\n  probe = false/' site.hcl
  serves site.hcl
  background load clients "$slipway" simulate -interface=c0 -hurry -json -timeout=30 -count=1000 -rate=25 ipxe
  for _ in {1..50}; do
    sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
    kill -KILL "$(pid_of serve)"
    wait "$(cat serve.pid)" || :
    began=${EPOCHREALTIME/./}
    serves site.hcl
    took+=("$(((${EPOCHREALTIME/./} - began) / 1000))")
  done
  wait "$(cat load.pid)" || :
  printf '%s\n' "${took[@]}" | sort -n | awk '{ ms[NR] = $1 } END {
    print "# started again in " ms[int((NR + 1) / 2)] " ms (median), " ms[NR] " ms (at most) under load" }' >&3
  acks_of load.log >acknowledged
  [ "$(wc -l <acknowledged)" -ge 500 ]
  [ -z "$(cut -d' ' -f2 acknowledged | sort | uniq -d)" ]
  stop serve
  serves site.hcl
  leases_now >remembered
  [ -z "$(comm -23 acknowledged remembered)" ]
}

@test "serve: on a full disk no new lease is given, and known ones are served" {
  mkdir state
  server mount -t tmpfs -o size=2m full "$PWD/state"
  serves site.hcl
  printf '#!/bin/sh\necho "$ip" >telling && mv telling told.$1\n[ "$1" != bound ] || ip address add $ip/$mask dev $interface\n' >script
  chmod 755 script
  background known clients busybox udhcpc -f -i c0 -s "$PWD/script"
  wait_for 20 test -e told.bound
  server dd if=/dev/zero of=state/filling bs=4k 2>/dev/null || :
  plug c1 52:54:00:77:01:12
  # One after another: those of one commit would share a page. A few find room in what is left of the journal's last page.
  clients "$slipway" simulate -interface=c1 -timeout=10 -hurry -json -count=20 -rate=10 ipxe >full.log || :
  acks_of full.log >acknowledged
  [ "$(wc -l <acknowledged)" -lt 10 ]
  [ "$(grep -c OFFER full.log)" -ge 20 ]
  shows serve 'no leases are given until they can be written'
  # Who has a lease goes on with it, and so do files.
  kill -USR1 "$(pid_of known)"
  wait_for 20 test -e told.renew
  [ "$(cat told.renew)" = "$(cat told.bound)" ]
  [ "$(clients curl -sf http://10.77.0.1/vmlinuz)" = 'a kernel' ]
  server rm state/filling
  run -0 clients "$slipway" simulate -interface=c1 -timeout=60 -hurry -first=50 ipxe
  [[ $output == *'ACK of'* ]]
  shows serve 'leases can be written again'
  kill -KILL "$(pid_of serve)"
  wait "$(cat serve.pid)" || :
  serves site.hcl
  leases_now >remembered
  [ -z "$(comm -23 acknowledged remembered)" ]
  grep -Fx "52:54:00:77:01:11 $(cat told.bound)" remembered
}
