#!/usr/bin/env bats
# Nothing is left behind, however a build ends.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

setup() { build_setup; }

# The build of $BATS_TEST_TMPDIR's t.json in the background; $pid is its first process.
start() {
  setsid "$slipway" build -force t.json >log 2>&1 </dev/null 3>&- &
  pid=$!
}

# All processes below $1, and itself.
tree_of() {
  local child
  echo "$1"
  for child in $(ps -o pid= --ppid "$1" 2>/dev/null); do
    tree_of "$child"
  done
}

# Waits until a process below $pid has $1 in its command line.
wait_for() {
  local process
  for _ in $(seq 200); do
    for process in $(tree_of $pid); do
      [[ $(tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline") != *"$1"* ]] || return 0
    done
    sleep 0.1
  done
  echo "no process below the build has '$1' in its command line"
  return 1
}

@test "interrupt: SIGINT and SIGTERM while a provisioner runs" {
  local signal status
  template "$(small)/base.img.xz" reuse "$(shell 'sleep 60 & sleep 61')"
  for signal in INT TERM; do
    start
    wait_for 'sleep 61'
    sleep 0.3
    kill -$signal $pid
    status=0
    wait $pid || status=$?
    [ "$status" -ne 0 ]
    [ ! -e out.img ]
    nothing_left
  done
  template "$(small)/base.img.xz" reuse "$(shell 'echo well >/etc/marker')"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/marker)" = well ]
}

# As at a terminal, which sends it to all processes. What the first began to clean up, the second does not stop.
@test "interrupt: Ctrl-C, and again at once" {
  local pause status
  template "$(small)/base.img.xz" reuse "$(shell 'sleep 60 & sleep 61')"
  for pause in 0.01 0.03 0.1; do
    start
    wait_for 'sleep 61'
    kill -INT -- -$pid
    sleep $pause
    kill -INT -- -$pid || true # it may have ended
    status=0
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    grep 'stopped by signal 2' log
    [ ! -e out.img ]
    [ -z "$(ls "$SLIPWAY_CACHE_DIR/staging")" ]
    nothing_left
  done
}

@test "kill -9: any process, at 20 random moments; then the same command succeeds" {
  local round rounds=20 processes victim
  [ -z "${SLIPWAY_SANITIZED-}" ] || rounds=5
  template "$(small)/base.img.xz" reuse "$(shell 'echo 1 >/etc/a' 'for i in 1 2 3 4 5; do cat /etc/passwd >/etc/b; done' 'echo k >/boot/k')"
  for round in $(seq $rounds); do
    export SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache
    if [ $((round % 3)) -eq 0 ]; then # the base is read in place, or extracted
      "$here/tests/images/inside" rm -rf "$SLIPWAY_CACHE_DIR"
      [ -z "${SLIPWAY_EXTRACT-}" ] && export SLIPWAY_EXTRACT=1 || unset SLIPWAY_EXTRACT
    fi
    jq ".provisioners += [{type: \"shell\", inline: [\"echo $round >/etc/round\"]}]" t.json >t$round.json
    setsid "$slipway" build -force t$round.json >log 2>&1 </dev/null 3>&- &
    pid=$!
    sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
    mapfile -t processes < <(tree_of $pid)
    victim=${processes[RANDOM % ${#processes[@]}]}
    kill -9 "$victim" 2>/dev/null || true
    if wait $pid 2>/dev/null; then
      image_is_clean out.img
    elif [ -e out.img ] && [ "$round" = 1 ]; then
      echo 'an image has its final name after a build that failed'
      return 1
    fi
    nothing_left
    run -0 build -force t$round.json
    [ "$(ext_cat out.img 2 /etc/round)" = "$round" ]
    [ "$(ext_cat out.img 2 /etc/a)" = 1 ]
    image_is_clean out.img
  done
}

# The process below $pid that answers for /dev/fuse.
server_of() {
  local process
  for process in $(tree_of "$1"); do
    if [ "$process" != "$1" ] && [ "$(readlink "/proc/$process/fd/3")" = /dev/fuse ]; then
      echo "$process"
    fi
  done
}

@test "kill -9: of the process that reads the base in place, while a step runs that does not notice" {
  local status=0
  [ -w /dev/fuse ] || skip 'needs /dev/fuse'
  template "$(small)/base.img.xz" reuse "$(shell 'sleep 5; cat /opt/first || true')"
  export SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache
  start
  wait_for 'sleep 5'
  kill -9 "$(server_of $pid)"
  wait $pid || status=$?
  [ "$status" -eq 1 ]
  grep 'the process of slipway that reads the base image has ended' log
  [ ! -e out.img ]
  nothing_left
  run -0 build t.json
}

# The kernels below $pid that write a file system.
kernels_of() {
  local process
  for process in $(tree_of "$1"); do
    [[ $(tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline") != *linux.uml* ]] || echo "$process"
  done
}

@test "kill -9: of the kernel that writes an xfs, and of the build meanwhile" {
  [ -z "${SLIPWAY_SANITIZED-}" ] || skip "a program with AddressSanitizer cannot be pid 1 of the kernel that writes it"
  local victim status
  template "$(small)/rootfs.tar.gz" new "$(shell true)" '.builders[0] += {image_size: "600MiB", image_type: "gpt", image_partitions:
    [{name: "root", type: "8300", size: "0", filesystem: "xfs", mountpoint: "/"}]}'
  for victim in kernel build; do
    start
    for _ in $(seq 1000); do
      kernels_of $pid >kernels
      [ ! -s kernels ] || break
      sleep 0.02
    done
    [ -s kernels ]
    if [ $victim = kernel ]; then
      kill -9 "$(head -n 1 kernels)"
    else
      kill -9 $pid
    fi
    status=0
    wait $pid || status=$?
    [ $victim = build ] || { [ "$status" -eq 1 ] && grep 'the kernel that writes the file system .*ended without a result' log; }
    [ "$status" -ne 0 ]
    [ ! -e out.img ]
    nothing_left
    run -1 pgrep -f "init=\"$slipway\""
  done
  run -0 build t.json
}
