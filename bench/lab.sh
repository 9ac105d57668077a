# shellcheck shell=bash disable=SC2154 # $work is set by who sources this
# What the benchmarks of servers share: two network namespaces of their own,
# joined by a veth pair, the programs that slipway is measured against, and medians.
# Sourced, as root, with $work set. The server is 10.77.0.1, the clients 10.77.0.2.
PATH=$PATH:/usr/sbin:/sbin
declare -A pids=()

# The two have Debian's congestion control, or Reno, which comes to the same where nothing is lost. BBR, which some
# machines have, takes a veth pair's 3 us for a path without room, and its pacing would be measured.
lab_start() { # MTU
  ip netns add "$work_ns-s"
  ip netns add "$work_ns-c"
  ip link add eth0 netns "$work_ns-s" mtu "$1" type veth peer name eth0 netns "$work_ns-c" mtu "$1"
  ip -n "$work_ns-s" addr add 10.77.0.1/24 dev eth0
  ip -n "$work_ns-c" addr add 10.77.0.2/24 dev eth0
  for ns in s c; do
    ip -n "$work_ns-$ns" link set lo up
    ip -n "$work_ns-$ns" link set eth0 up
    for lab_congestion in cubic reno; do
      if ip netns exec "$work_ns-$ns" sysctl -qw "net.ipv4.tcp_congestion_control=$lab_congestion" 2>/dev/null; then break; fi
    done
  done
}
lab_mtu() {
  ip -n "$work_ns-s" link set eth0 mtu "$1"
  ip -n "$work_ns-c" link set eth0 mtu "$1"
}
work_ns=slb$$
# BENCH_FIFO=1: before all else that this machine does, so that other work does not blur the figures (nor get its turn).
# Among themselves they take turns: nobody waits for long until another sleeps.
first=()
[ -z "${BENCH_FIFO-}" ] || first=(chrt -r 20)
at_client() { "${first[@]}" ip netns exec "$work_ns-c" "$@"; }

# Runs in the server's namespace until the end; its id is ${pids[NAME]}.
daemon() { # NAME COMMAND...
  local name=$1
  shift
  "${first[@]}" ip netns exec "$work_ns-s" "$@" >"$work/$name.log" 2>&1 &
  pids[$name]=$!
}
lab_end() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  ip netns del "$work_ns-s" 2>/dev/null || true
  ip netns del "$work_ns-c" 2>/dev/null || true
  rm -rf "$work"
}

# A package's files, without installing it: some of these conflict, and some would start a service.
peer() { # PACKAGE
  local cache=${SLIPWAY_TEST_CACHE:-$HOME/.cache/slipway-tests}/peers
  if [ ! -d "$cache/$1" ]; then
    mkdir -p "$cache"
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$1" && dpkg -x "$1"_*.deb "$cache/$1.new" && mv "$cache/$1.new" "$cache/$1") >&2
  fi
  printf '%s\n' "$cache/$1"
}

median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
# One line for the work in the title: slipway, the others, and slipway against the best of them. Each is a file
# of figures, of which more is better: $work/KEY.WHO
row() { # TITLE KEY UNIT LEAST WHO...
  local title=$1 key=$2 unit=$3 least=$4 best=0 mine who value text=''
  shift 4
  mine=$(median <"$work/$key.slipway")
  for who in "$@"; do
    value=$(median <"$work/$key.$who")
    best=$(awk -v a="$best" -v b="$value" 'BEGIN {print (a > b ? a : b)}')
    text+="${text:+, }$who $value"
  done
  row_out "$title" "$mine $unit" "$text" "$(awk -v m="$mine" -v b="$best" 'BEGIN {printf "%.2f", m / b}')" "$least" ''
}
# The same for something of which there may be no more than so much, without others.
limit() { # TITLE VALUE UNIT MOST
  row_out "$1" "$2 $3" '' "$2" '' "$4"
}
# BENCH_TABLE=FILE: the line is also added to it, as one of a table in Markdown.
row_out() { # TITLE SLIPWAY OTHERS FIGURE LEAST MOST
  local wanted="${5:+at least $5}${6:+at most $6}" missed=''
  missed=$(awk -v f="$4" -v least="$5" -v most="$6" 'BEGIN {if ((least != "" && f < least) || (most != "" && f > most)) print "MISSED"}')
  printf '%-48s slipway %s%s%s (%s)%s\n' "$1" "$2" "${3:+; }$3" "${5:+: $4 times the best}" "$wanted" "${missed:+  $missed}"
  [ -z "${BENCH_TABLE-}" ] || printf '| %s | %s | %s | %s | %s%s |\n' "$1" "$2" "${3:--}" "${5:+$4}" "$wanted" "${missed:+, **missed**}" >>"$BENCH_TABLE"
}
