#!/usr/bin/env bats
# The clients that people have, against the servers of files alone
# (tests/net/fileserver), over loopback and ports that need no privileges.
# shellcheck disable=SC2154 # variables of helpers.bash
load helpers

setup() {
  build=$(cd "$(dirname "$slipway")/.." && pwd)
  cd "$BATS_TEST_TMPDIR" || return
  mkdir -p files/sub
  head -c 5000000 /dev/urandom >files/large
  head -c 51200 files/large >files/exact # a multiple of 512
  : >files/empty
  head -c 3000 files/large >files/sub/Boot.efi
  printf 'one\ntwo\n' >files/text
}

teardown() {
  if [ -n "${server-}" ]; then
    kill "$server"
    wait "$server" || true
  fi
  [ -z "${holders-}" ] || lab_stop
}

# serve ARGUMENT...: $tftp, $http and $https become the ports.
serve() {
  "$build/tests/net/fileserver" files "$@" >server.log 2>server.err 3>&- &
  server=$!
  wait_for 20 grep -q '^ready' server.log
  read -r tftp http https < <(sed -n 's/^ready tftp=\([0-9]*\) http=\([0-9]*\) https=\([0-9]*\)$/\1 \2 \3/p' server.log)
}

tftp_hpa() { # FILE ARGUMENT...
  rm -f got
  tftp -m "${mode:-binary}" "${@:2}" 127.0.0.1 "$tftp" -c get "$1" got
}

@test "tftp-hpa: files of all lengths, a port each and on one port" {
  for way in quiet single-port; do
    serve tftp=0 "$way"
    for name in large exact empty sub/Boot.efi; do
      tftp_hpa "$name"
      cmp got "files/$name"
    done
    teardown
    server=
  done
}

@test "tftp-hpa: netascii" {
  serve tftp=0
  mode=ascii tftp_hpa text
  cmp got files/text
}

@test "tftp-hpa: a file that is not there, and writing" {
  serve tftp=0
  run tftp -m binary 127.0.0.1 "$tftp" -c get nothing got
  [[ $output == *"File not found"* ]]
  run tftp -m binary 127.0.0.1 "$tftp" -c put files/text new
  [[ $output == *"read-only"* ]]
  [ ! -e files/new ]
}

@test "atftp: block sizes and windows" {
  command -v atftp >/dev/null || skip 'no atftp'
  serve tftp=0
  for window in 1 4 16 64; do
    rm -f got
    atftp --option 'blksize 1428' --option "windowsize $window" --option 'timeout 5' -g -r large -l got 127.0.0.1 "$tftp"
    cmp got files/large
  done
  rm -f got
  atftp --option 'blksize 65464' -g -r large -l got 127.0.0.1 "$tftp"
  cmp got files/large
}

@test "busybox tftp, and curl by TFTP" {
  serve tftp=0
  busybox tftp -g -r large -l got -b 1428 127.0.0.1 "$tftp"
  cmp got files/large
  curl -sf --tftp-blksize 1400 "tftp://127.0.0.1:$tftp/large" | cmp - files/large
  curl -sf --tftp-no-options "tftp://127.0.0.1:$tftp/exact" | cmp - files/exact
  run curl -s "tftp://127.0.0.1:$tftp/nothing"
  [ "$status" -eq 68 ] # not found
}

@test "windows with packets lost on the way" {
  serve tftp=0
  "$build/bench/tftp_load" 127.0.0.1 "$tftp" large blksize=1428 windowsize=16 loss=97 check=files/large timeout=60
  "$build/bench/tftp_load" 127.0.0.1 "$tftp" exact blksize=512 windowsize=4 loss=7 check=files/exact timeout=100
}

@test "a hundred clients at once, each has its file whole" {
  serve tftp=0 quiet
  "$build/bench/tftp_load" 127.0.0.1 "$tftp" large clients=100 blksize=1428 check=files/large timeout=100
  "$build/bench/tftp_load" 127.0.0.1 "$tftp" large clients=100 blksize=1428 windowsize=8 check=files/large timeout=100
}

@test "a hundred clients at once that are one host made of frames" {
  lab_start
  plug c0 52:54:00:77:01:11
  background files server "$build/tests/net/fileserver" files tftp=69 quiet
  wait_for 20 shows files ready
  clients "$build/bench/tftp_load" "$server_address" 69 large clients=100 blksize=1428 interface=c0 address=10.77.0.77 \
    check=files/large timeout=100
  run clients "$build/bench/tftp_load" "$server_address" 69 nothing interface=c0 address=10.77.0.77 timeout=100
  [[ $status -eq 1 && $output == *"not found"* ]]
  run clients "$build/bench/tftp_load" 10.77.0.9 69 large interface=c0 address=10.77.0.77
  [[ $status -eq 2 && $output == *"ARP"* ]]
}

@test "curl by HTTP: whole, a range, resumed, other case, one connection" {
  serve http=0
  curl -sf "http://127.0.0.1:$http/large" | cmp - files/large
  curl -sf -r 100-199 "http://127.0.0.1:$http/large" | cmp - <(tail -c +101 files/large | head -c 100)
  head -c 1000000 files/large >got
  curl -sf -C - -o got "http://127.0.0.1:$http/large"
  cmp got files/large
  curl -sf "http://127.0.0.1:$http/SUB/boot.EFI" | cmp - files/sub/Boot.efi
  curl -sv -o /dev/null -o /dev/null "http://127.0.0.1:$http/large" "http://127.0.0.1:$http/exact" 2>log
  grep -qi 're-us' log
  run curl -s -o /dev/null -w '%{http_code}' --path-as-is "http://127.0.0.1:$http/sub/../../files/text"
  [ "$output" = 403 ]
}

@test "curl by HTTPS, with a certificate of our own" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 \
    -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
  serve https=0 certificate=cert.pem key=key.pem
  curl -sf --cacert cert.pem "https://127.0.0.1:$https/large" | cmp - files/large
  curl -sfI --cacert cert.pem "https://127.0.0.1:$https/sub/Boot.efi" >headers
  grep -qi '^content-length: 3000' headers
  grep -qi '^content-type: application/efi' headers
  run curl -s "https://127.0.0.1:$https/large"
  [ "$status" -eq 60 ] # it is not trusted by itself
}

@test "64 at once by HTTP and 16 by HTTPS: each gets every byte" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 \
    -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
  serve http=0 https=0 certificate=cert.pem key=key.pem quiet
  curl -sfZ --parallel-max 64 --cacert cert.pem "http://127.0.0.1:$http/large?[1-64]" -o 'http.#1' &
  local plain=$!
  curl -sfZ --parallel-max 16 --cacert cert.pem "https://127.0.0.1:$https/large?[1-16]" -o 'https.#1'
  wait "$plain"
  for n in {1..64}; do cmp "http.$n" files/large; done
  for n in {1..16}; do cmp "https.$n" files/large; done
}

@test "HTTPS: who speaks no TLS there is left, the others are served" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 \
    -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
  serve https=0 certificate=cert.pem key=key.pem
  run curl -s "http://127.0.0.1:$https/text"
  [ "$status" -ne 0 ]
  head -c 100000 /dev/urandom | timeout 10 bash -c "cat >/dev/tcp/127.0.0.1/$https" || true
  curl -sf --cacert cert.pem "https://127.0.0.1:$https/text" | cmp - files/text
}

@test "HTTPS: the key of another certificate is refused with a reason" {
  for name in a b; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.pem -days 2 -subj /CN=$name 2>/dev/null
  done
  run "$build/tests/net/fileserver" files https=0 certificate=a.pem key=b.key
  [ "$status" -eq 1 ]
  [[ $output == *"is not that of the certificate"* ]]
}
