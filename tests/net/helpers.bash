# A network of the test's own: two network namespaces, `server` with eth0
# (10.77.0.1/24) and `clients` with the other end of the wire in a bridge, to
# which machines (QEMU on a tap) and other clients are attached. Both live in
# namespaces of mounts, processes and, for an ordinary user, of users, that
# die with the test: nothing of it is left on the host, however the test ends.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are read by the tests, or set by bats

bats_require_minimum_version 1.5.0

here=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
slipway=$(realpath "${SLIPWAY:-$here/build/src/slipway}")
export LC_ALL=C.UTF-8 NO_COLOR=1 PATH="$PATH:/usr/sbin:/sbin"

server_address=10.77.0.1

netboot() { "$here/tests/images/netboot" "${1:-amd64}"; }

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$limit" ]; then
      echo "waited in vain for: $*" >&2
      return 1
    fi
    sleep 0.1
  done
}

# The namespaces are those of a sleeper. It ends with this shell, and so does all that lives in its namespace of processes.
# holder VARIABLE COMMAND...: make them by COMMAND; VARIABLE is the sleeper's id.
holder() {
  local ready=$BATS_TEST_TMPDIR/ready.$1 name=$1
  shift
  mkfifo "$ready"
  setpriv --pdeathsig KILL "$@" sh -c 'echo >"$1"; exec sleep 100000' - "$ready" 3>&- &
  holders+=($!)
  disown $! # its end is no news
  timeout 20 cat "$ready" >/dev/null || return 1
  printf -v "$name" %s "$(innermost "${holders[-1]}")"
}
# The last of a chain of only children.
innermost() {
  local pid=$1 child
  while child=$(pgrep -P "$pid"); do pid=$child; done
  printf '%s\n' "$pid"
}

lab_start() {
  local ids=()
  holders=() enter=(--net --mount --pid)
  cd "$BATS_TEST_TMPDIR" || return 1
  chmod 755 .
  if [ "$(id -u)" -ne 0 ]; then
    ids=(--user --map-root-user --map-auto)
    enter+=(--user)
  fi
  unshare "${ids[@]}" --net --mount --pid --fork true 2>why || skip "no namespaces here: $(head -n 1 why)"
  holder lab unshare "${ids[@]}" --net --mount --pid --fork --kill-child
  holder lab_clients nsenter --target "$lab" "${enter[@]}" -- unshare --net
  server mount -t proc proc /proc 2>/dev/null || : # where it is allowed: for programs that look at themselves
  server mount --bind "$(private_resolv)" /etc/resolv.conf
  server sh -c 'for folder in /var/lib/dhcp /run; do [ ! -d $folder ] || mount -t tmpfs lab $folder; done'
  quiet_network server
  quiet_network clients
  segment eth0 "$server_address/24" br0
}
lab_stop() {
  local pid
  for pid in "${holders[@]}"; do
    kill -KILL "$pid" 2>/dev/null || :
    while [ -e "/proc/$pid" ]; do sleep 0.02; done
  done
}

# DHCP clients write to it.
private_resolv() {
  echo 'nameserver 127.0.0.1' >resolv.conf
  realpath resolv.conf
}
quiet_network() {
  "$1" sh -c 'for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done' 2>/dev/null || :
  "$1" ip link set lo up
}
# segment INTERFACE ADDRESS BRIDGE: a wire from the server's interface to a new bridge of the clients.
segment() {
  server ip link add "$1" type veth peer name "to-$3"
  nsenter --target "$lab" "${enter[@]/--pid/--net}" -- ip link set "to-$3" netns "$lab_clients"
  server ethtool -K "$1" tx off >/dev/null # firmware drops what has no checksum
  server ip address add "$2" dev "$1"
  server ip link set "$1" up
  clients ip link add "$3" type bridge forward_delay 0
  clients ip link set "$3" up
  clients ip link set "to-$3" master "$3" up
}

# Run a command there; it ends with whoever waits for it. The processes of both see each other.
server() { nsenter --target "$lab" "${enter[@]}" -- setpriv --pdeathsig TERM env -C "$PWD" "$@"; }
clients() { nsenter --target "$lab_clients" "${enter[@]}" -- setpriv --pdeathsig TERM env -C "$PWD" "$@"; }
# background NAME server|clients COMMAND...: with its output in NAME.log, its id in NAME.pid.
background() {
  local name=$1
  shift
  "$@" >"$name.log" 2>&1 </dev/null 3>&- &
  echo $! >"$name.pid"
}
# Its own process rather than those that entered the namespaces for it.
pid_of() {
  local pid
  pid=$(cat "$1.pid")
  while [ "$(cat "/proc/$pid/comm")" = bash ] || [ "$(cat "/proc/$pid/comm")" = nsenter ]; do pid=$(pgrep -P "$pid"); done
  printf '%s\n' "$pid"
}
stop() {
  kill -TERM "$(pid_of "$1")"
  wait "$(cat "$1.pid")"
}
shows() { grep -qF -- "$2" "$1.log"; }

# A client's own interface with that hardware address, of the bridge br0 or another.
plug() {
  clients ip link add "$1" type veth peer name "$1-br"
  clients ip link set "$1" address "$2" up
  clients ip link set "$1-br" master "${3:-br0}" up
}
tap() {
  clients ip tuntap add "$1" mode tap
  clients ip link set "$1" master "${2:-br0}" up
}

# Said by a test before its machines start, since those in the background cannot skip it.
needs_tap() {
  [ "${SLIPWAY_TEST_FIRMWARE-}" != no ] || skip 'told not to boot (SLIPWAY_TEST_FIRMWARE)'
  [ -w /dev/net/tun ] || skip '/dev/net/tun cannot be opened'
}

# boot KIND [NAME [MAC [BRIDGE]]]: start a machine and wait for its end; its console is NAME.log. `memory` is in MiB, `limit` in s.
boot() {
  local kind=$1 name=${2:-machine} mac=${3:-52:54:00:77:00:01} bridge=${4:-br0} command
  local uefi=(-fw_cfg "name=opt/org.tianocore/IPv6Support,string=n" -fw_cfg "name=opt/org.tianocore/IPv6PXESupport,string=n" -device virtio-rng-pci)
  local card=virtio-net-pci,netdev=n0,mac=$mac,bootindex=1
  local pc=(qemu-system-x86_64 -accel tcg -m "${memory:-512}") arm=(qemu-system-aarch64 -accel tcg -M virt -cpu cortex-a57 -m 768)
  case $kind in
  bios) command=("${pc[@]}" -M pc -device "$card") ;;
  uefi-x64-secure*)
    # Microsoft's keys are enrolled; only the firmware, in SMM, can change them.
    cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$name.vars"
    command=("${pc[@]}" -M "q35,smm=on" -global ICH9-LPC.disable_s3=1 -global "driver=cfi.pflash01,property=secure,value=on"
      -device "$card,romfile=" "${uefi[@]}"
      -drive "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd" -drive "if=pflash,format=raw,file=$name.vars")
    ;;
  uefi-x64*)
    cp /usr/share/OVMF/OVMF_VARS_4M.fd "$name.vars"
    command=("${pc[@]}" -M q35 -device "$card,romfile=" "${uefi[@]}"
      -drive "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd" -drive "if=pflash,format=raw,file=$name.vars")
    ;;
  uefi-arm64*)
    cp /usr/share/AAVMF/AAVMF_VARS.fd "$name.vars"
    command=("${arm[@]}" -device "$card,romfile=" "${uefi[@]}"
      -drive "if=pflash,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd" -drive "if=pflash,format=raw,file=$name.vars")
    ;;
  u-boot) command=("${arm[@]}" -device "$card,romfile=" -bios /usr/lib/u-boot/qemu_arm64/u-boot.bin) ;;
  *) echo "unknown kind of machine '$kind'" >&2; return 2 ;;
  esac
  case $kind in *-http) command+=(-fw_cfg "name=opt/org.tianocore/IPv4PXESupport,string=n") ;; esac
  tap "tap${mac//:/}" "$bridge" || return 1
  # Firmware that gives up waits for a key: the limit ends it.
  clients timeout "${limit:-170}" "${command[@]}" -nodefaults -display none -serial stdio -no-reboot \
    -netdev "tap,id=n0,ifname=tap${mac//:/},script=no,downscript=no" >"$name.log" 2>&1 </dev/null 3>&-
}
# boots KIND TEXT [...]: the same, and its userland must have said TEXT.
boots() {
  boot "$1" "${@:3}" || :
  tr -d '\r\000' <"${3:-machine}.log" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' >"${3:-machine}.txt"
  grep -F -- "$2" "${3:-machine}.txt" || { tail -n 40 "${3:-machine}.txt"; return 1; }
}

# A server that is not ours, with the files of the folder `root`.
dnsmasq_serves() {
  background dnsmasq server dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=eth0 --bind-interfaces \
    --no-ping --log-dhcp --log-facility=- --dhcp-leasefile=leases --dhcp-range=10.77.0.100,10.77.0.200,10m --enable-tftp --tftp-root="$PWD/root" "$@"
  wait_for 10 shows dnsmasq 'DHCP, IP range'
}
http_serves() {
  background httpd server python3 -m http.server --protocol HTTP/1.1 --directory root 80
  wait_for 10 server curl -sfo /dev/null http://10.77.0.1/
}

# serves OPTIONS...: slipway in the server's namespace; its log is serve.log.
serves() {
  background serve server "$slipway" serve -state="$PWD/state" "$@"
  wait_for 20 shows serve ready || { cat serve.log; return 1; }
}
# A command that asks it.
ask() { server env SLIPWAY_CONTROL="$PWD/state/control" "$slipway" "$@"; }
