#!/usr/bin/env bats
# Packages and lists that apt fetches in a guest serve the builds after it, and no image shows it.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

# A mirror on this machine, of packages for every architecture, which writes down what it is asked for.
setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  mkdir -p mirror/pool
  local i
  for i in 1 2 3; do
    mkdir -p "p/DEBIAN" p/opt
    printf 'Package: slipway-test-%s\nVersion: 1:1.%s\nArchitecture: all\nMaintainer: none <none@localhost>\nDescription: test\n' "$i" "$i" >p/DEBIAN/control
    echo "$i" >"p/opt/$i"
    head -c 50000 /dev/urandom | base64 >"p/opt/data-$i"
    dpkg-deb -b p "mirror/pool/slipway-test-${i}_1.${i}_all.deb" >/dev/null
    rm -r p
  done
  (cd mirror && for deb in pool/*.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: %s\nSize: %d\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
  done >Packages
  xz -k Packages
  printf 'Date: %s\nSHA256:\n' "$(date -uR)" >Release
  for list in Packages Packages.xz; do
    printf ' %s %d %s\n' "$(sha256sum "$list" | cut -d' ' -f1)" "$(stat -c %s "$list")" "$list"
  done >>Release)
  python3 -u -c '
import functools, http.server
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="mirror")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_address[1], flush=True)
server.serve_forever()' >port 2>requests 3>&- &
  echo $! >server
  for _ in $(seq 100); do
    [ ! -s port ] || break
    sleep 0.1
  done
}
teardown_file() {
  kill "$(cat "$BATS_FILE_TMPDIR/server")"
}

setup() {
  build_setup
  export SLIPWAY_CACHE_DIR=$PWD/cache-of-this-test
}
teardown() {
  printf '%s\n' "${output-}" | tail -n 60
  "$slipway" cache prune -all >/dev/null || true
}

# Install packages 1 and 2, and then: commands.
install() {
  template "$(debian arm64)/base.img.xz" reuse "$(shell "rm -rf /etc/apt/sources.list*; echo 'deb [trusted=yes] http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port")/ ./' >/etc/apt/sources.list" \
    'apt-get update -q' 'apt-get install -qy --no-install-recommends slipway-test-1 slipway-test-2' "$@")" "${filter:-.}"
}
# How often the mirror was asked for a package.
asked() { grep -c 'GET /./pool/\|GET /pool/' "$BATS_FILE_TMPDIR/requests" || true; }
# And for a list.
asked_lists() { grep -c 'GET .*/Packages' "$BATS_FILE_TMPDIR/requests" || true; }
names() { ext "${2:-out.img}" 2 "ls -p $1" | awk -F/ 'NF > 5 {print $6}' | sort | paste -sd" "; }
stored() { find "$SLIPWAY_CACHE_DIR/packages" -name '*.deb' -printf '%f\n' | sort | paste -sd' '; }

@test "packages: fetched once, though they are cleaned away, and the image has what it has without" {
  install 'apt-get clean'
  local before
  before=$(asked)
  run -0 build t.json
  [ "$(asked)" = $((before + 2)) ]
  [ "$(stored)" = "slipway-test-1_1%3a1.1_all.deb slipway-test-2_1%3a1.2_all.deb" ]
  run -0 build -force -no-cache t.json
  [ "$(asked)" = $((before + 2)) ]
  [ "$(ext_cat out.img 2 /opt/2)" = 2 ]
  [ "$(names /var/cache/apt/archives)" = ". .. lock partial" ]
  [ "$(names /var/cache/apt/archives/partial)" = ". .." ]
  # No layer speaks of what was shown: not a whiteout.
  run -0 "$here/tests/images/inside" find "$SLIPWAY_CACHE_DIR/layers" -path '*/archives/partial/*'
  [ -z "$output" ]
  image_is_clean out.img
}

@test "packages: what is not cleaned away is in the image, and no more" {
  install
  run -0 build t.json
  local first
  first=$(names /var/cache/apt/archives)
  [ "$first" = ". .. lock partial slipway-test-1_1%3a1.1_all.deb slipway-test-2_1%3a1.2_all.deb" ]
  ext out.img 2 'dump /var/cache/apt/archives/slipway-test-1_1%3a1.1_all.deb first.deb'
  # Another template wants one of them, and one more.
  jq '.provisioners[0].inline[2] = "apt-get install -qy --no-install-recommends slipway-test-1 slipway-test-3; ls /var/cache/apt/archives >/seen"' t.json >u.json
  local before
  before=$(asked)
  run -0 build -force u.json
  [ "$(asked)" = $((before + 1)) ]
  [ "$(names /var/cache/apt/archives)" = ". .. lock partial slipway-test-1_1%3a1.1_all.deb slipway-test-3_1%3a1.3_all.deb" ]
  [[ $(ext_cat out.img 2 /seen) != *slipway-test-2* ]]
  ext out.img 2 'dump /var/cache/apt/archives/slipway-test-1_1%3a1.1_all.deb second.deb'
  cmp first.deb second.deb
  image_is_clean out.img
  run -0 "$slipway" cache ls
  [[ $output == *"packages "*"fetched in guests: debian-12-aarch64"* ]]
  run -0 "$slipway" cache verify
}

@test "packages: package_cache = false" {
  filter='.builders[0].package_cache = false' install 'apt-get clean'
  run -0 build t.json
  [ -z "$(stored)" ]
  local before
  before=$(asked)
  run -0 build -force -no-cache t.json
  [ "$(asked)" = $((before + 2)) ]
}

@test "packages: a damaged one is fetched again" {
  install 'apt-get clean'
  run -0 build t.json
  local deb before
  deb=$(find "$SLIPWAY_CACHE_DIR/packages" -name 'slipway-test-1*')
  printf X | dd of="$deb" bs=1 seek=3000 conv=notrunc status=none
  before=$(asked)
  run -0 build -force -no-cache t.json
  [ "$(asked)" = $((before + 1)) ]
  [ "$(ext_cat out.img 2 /opt/1)" = 1 ]
}

@test "packages: builds at once, one of which fails, share them" {
  install 'apt-get clean'
  local i failed=0 pids=()
  for i in 1 2 3; do
    jq --arg i "$i" '.builders[0].image_path = "out\($i).img" | .provisioners[0].inline += ["test \($i) != 3"]' t.json >"t$i.json"
    build "t$i.json" >"log$i" 2>&1 3>&- &
    pids+=($!)
  done
  wait "${pids[0]}"
  wait "${pids[1]}"
  wait "${pids[2]}" || failed=$?
  [ "$failed" -eq 1 ]
  [ "$(stored)" = "slipway-test-1_1%3a1.1_all.deb slipway-test-2_1%3a1.2_all.deb" ]
  [ -z "$(find "$SLIPWAY_CACHE_DIR/packages" -name '.*')" ]
  run -0 "$slipway" cache verify
}

@test "packages: lists are fetched once while they are the same, and images have what they have without" {
  export SOURCE_DATE_EPOCH=1700000000
  local clean='rm -rf /var/log/apt /var/log/dpkg.log /var/cache/apt/*.bin' before i
  filter='.builders[0].package_cache = false | .builders[0].image_path = "without.img"' install "$clean"
  mv t.json without.json
  run -0 build without.json
  install "$clean"
  before=$(asked_lists)
  run -0 build -no-cache t.json
  [ "$(asked_lists)" = $((before + 1)) ]
  cmp out.img without.img
  [ "$(find "$SLIPWAY_CACHE_DIR/packages" -name '*_Packages.xz' | wc -l)" = 1 ]
  run -0 build -force -no-cache t.json
  [ "$(asked_lists)" = $((before + 1)) ]
  cmp out.img without.img
  # Nothing is seen before apt-get update asks for it, nor when that is cut off by what fails after it.
  template "$(debian arm64)/base.img.xz" reuse "$(shell 'ls /var/lib/apt/lists >/seen' 'apt-get install -qy slipway-test-1 && exit 1' \
    'rm -rf /var/lib/apt/lists/partial; apt-get indextargets >/targets')"
  run -0 build -force t.json
  [[ $(ext_cat out.img 2 /seen) != *Packages* ]]
  [[ $(names /var/lib/apt/lists/partial) != *Packages* ]]
  # No layer speaks of what was shown.
  run -0 "$here/tests/images/inside" find "$SLIPWAY_CACHE_DIR/layers" -path '*/lists/partial/*'
  [ -z "$output" ]
}

@test "packages: a list that is damaged, or of another day, is fetched again" {
  install 'rm -rf /var/lib/apt/lists/*'
  run -0 build t.json
  local list before
  list=$(find "$SLIPWAY_CACHE_DIR/packages" -name '*_Packages.xz')
  before=$(asked_lists)
  printf X | dd of="$list" bs=1 seek=100 conv=notrunc status=none
  run -0 build -force -no-cache t.json
  [ "$(asked_lists)" = $((before + 1)) ]
  echo >>"$list"
  run -0 build -force -no-cache t.json
  [ "$(asked_lists)" = $((before + 2)) ]
  truncate -s 100 "$list"
  run -0 build -force -no-cache t.json
  [ "$(asked_lists)" = $((before + 3)) ]
  cmp "$list" "$BATS_FILE_TMPDIR/mirror/Packages.xz"
  run -0 build -force -no-cache t.json
  [ "$(asked_lists)" = $((before + 3)) ]
}
