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
  run -0 "$slipway" serve -n site.hcl
  [ -z "$output" ]
  sed -i 's/kernel/kernal/' site.hcl
  run -1 "$slipway" serve -n site.hcl
  [[ $output == *"unknown argument 'kernal'; did you mean 'kernel'?"*'site.hcl line 6'* ]]
}

@test "serve: mistakes before anything is opened" {
  run -2 "$slipway" serve
  [[ $output == *'a site file is needed'* ]]
  run -2 "$slipway" serve -quick=root
  [[ $output == *'-quick needs -interface'* ]]
  run -1 server "$slipway" serve -state="$PWD/state" -quick=root -interface=none
  [[ $output == *"interface 'none'"* ]]
  server ip address flush dev eth0
  run -1 server "$slipway" serve -state="$PWD/state" site.hcl
  [[ $output == *"interface 'eth0' has no IPv4 address"* ]]
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
