#!/usr/bin/env bats
# A base made by mmdebstrap, from a mirror in a folder: of the machine's own
# architecture, as emulation makes it slow. Whatever goes wrong is said clearly
# and leaves nothing behind.

# shellcheck disable=SC2154 # set by the helpers
load helpers

# Each test has a cache of its own.
setup() {
  build_setup
  SLIPWAY_CACHE_DIR=$BATS_FILE_TMPDIR/cache/$BATS_TEST_NUMBER
}

# bootstrap [JQ]: write t.json; JQ edits the block.
bootstrap() {
  jq -n --arg mirror "[trusted=yes] copy://$("$here/tests/images/repository")" --arg arch "$(dpkg --print-architecture)" '{
    builders: [{
      type: "arm", image_build_method: "new", image_path: "out.img", image_size: "256MiB", image_type: "dos",
      image_partitions: [{name: "root", type: "83", size: "0", filesystem: "ext4", mountpoint: "/"}],
      bootstrap: ({suite: "test", architecture: $arch, variant: "essential", mirror: $mirror} | '"${1:-.}"')
    }],
    provisioners: [{type: "shell", inline: ["dpkg-query -W dpkg", "id -u nobody >/etc/seen"]}]
  }' >t.json
}

# Neither a base nor work under way, and all of the cache's own.
cache_is_empty() {
  ! find "$SLIPWAY_CACHE_DIR/bases" "$SLIPWAY_CACHE_DIR/staging" -mindepth 1 -maxdepth 1 2>/dev/null | grep . || return 1
  nothing_left
}

fails_with() {
  run -1 build t.json
  [[ $output == *"$1"* ]]
  [ ! -e out.img ]
  cache_is_empty
}

@test "bootstrap: a suite that the mirror has not" {
  bootstrap '.suite = "nosuch"'
  fails_with "bootstrap of nosuch for $(dpkg --print-architecture): the mirror has no suite 'nosuch'"
}

@test "bootstrap: a mirror that cannot be reached" {
  bootstrap '.mirror = "http://127.0.0.1:9/debian"'
  fails_with "127.0.0.1:9"
}

@test "bootstrap: a package that there is not" {
  bootstrap '.packages = ["no-such-package"]'
  fails_with 'Unable to locate package no-such-package'
}

@test "bootstrap: a suite that the machine's apt has no mirror for" {
  bootstrap 'del(.mirror) | .suite = "nosuch"'
  fails_with "nosuch"
}

@test "bootstrap: an unknown architecture" {
  bootstrap '.architecture = "arm65"'
  fails_with "unknown architecture 'arm65'"
}

@test "bootstrap: stopped by a signal" {
  local build
  bootstrap
  "$slipway" build t.json >log 2>&1 &
  build=$!
  until grep -q 'extracting archives' log; do
    kill -0 "$build"
    sleep 0.05
  done
  kill -INT "$build"
  ! wait "$build" || false
  [ ! -e out.img ]
  cache_is_empty
}

@test "bootstrap: a system that can run, the host's files not in it; then from the cache" {
  bootstrap
  run -0 build t.json
  [[ $output == *"Bootstrapping"* ]]
  image_is_clean out.img
  [ "$(ext_cat out.img 1 /etc/seen)" = 65534 ]
  [[ $(ext_cat out.img 1 /etc/apt/sources.list) == *"copy://"*" test main"* ]]
  run ! ext_has out.img 1 /etc/resolv.conf
  run ! ext_has out.img 1 /etc/hostname
  [[ $(ext out.img 1 'stat /usr/bin/su') == *"Mode:  04755"* ]]
  nothing_left
  rm out.img
  run -0 build t.json
  [[ $output != *"Bootstrapping"* ]]
  [ -e out.img ]
}
