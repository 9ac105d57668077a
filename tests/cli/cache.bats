#!/usr/bin/env bats
# slipway cache: what lies there, what goes when, and what stays while builds run.

# shellcheck disable=SC2154,SC2086,SC2030,SC2031 # set by the helpers; plain words
load helpers

setup() {
  build_setup
  export SLIPWAY_CACHE_DIR=$PWD/cache-of-this-test
}
teardown() {
  printf '%s\n' "${output-}" | tail -n 40
  "$slipway" cache prune -all >/dev/null || true
}

kinds() { "$slipway" cache ls -o json | jq -r '.[].kind' | sort | uniq -c | awk '{printf "%s%s ", $1, $2}'; }
# What was made is as old as this many seconds.
age() {
  find "$SLIPWAY_CACHE_DIR/locks" "$SLIPWAY_CACHE_DIR/blobs" -type f ! -newer stamp -exec touch -d "-$1 seconds" {} +
}

@test "cache: nothing there yet is no error" {
  run -0 "$slipway" cache ls
  [ -z "$output" ]
  run -0 "$slipway" cache du
  [[ $output == *"all "*"0 "*"0 bytes"* ]]
  run -0 "$slipway" cache prune -all
  [ "$output" = "Removed 0, 0 bytes" ]
  run -0 "$slipway" cache verify
}

@test "cache: ls and du know every kind, ls by last use" {
  template "$(small)/base.img.xz" reuse "$(shell 'touch /one')"
  run -0 build t.json
  [[ $(kinds) == "1base 1download 1image 1layer " ]]
  run -0 "$slipway" cache ls
  [[ $output == *"image "*base.img.xz* && $output == *"layer "*"Provisioner shell of build 'arm'"* ]]
  run -0 "$slipway" cache du -o json
  [ "$(jq '.kinds.layer.n' <<<"$output")" = 1 ]
  [ "$(jq '.bytes' <<<"$output")" = "$(jq '[.kinds[].bytes] | add' <<<"$output")" ]
  touch stamp
  age 1000
  template "$(small)/base.img.xz" reuse "$(shell 'touch /two')"
  run -0 build -force t.json
  [ "$("$slipway" cache ls -o json | jq -r '.[0].kind')" = layer ] # that of the first build: all else was used again
}

@test "cache: prune by age and by size, the one used longest ago first, and a build makes anew what is gone" {
  template "$(small)/base.img.xz" reuse "$(shell 'touch /one')"
  run -0 build t.json
  touch stamp
  age 7200
  template "$(small)/base.img.xz" reuse "$(shell 'touch /two')"
  run -0 build -force t.json
  run -0 "$slipway" cache prune -older-than 1h -dry-run
  [[ $output == *"layer "*"Would remove 1, "* ]]
  [[ $(kinds) == *"2layer "* ]]
  run -0 "$slipway" cache prune -older-than 1h
  [[ $output == *"Removed 1, "* ]]
  [[ $(kinds) == *"1layer "* ]]
  run -0 "$slipway" cache prune -max-size 0
  [ -z "$(kinds)" ]
  run -0 build -force t.json
  [[ $output != *"taken from the cache"* ]]
  ext_has out.img 2 /two
  image_is_clean out.img
}

@test "cache: a limit takes what was used longest ago; templates share a base" {
  local name bytes
  for name in one two; do
    template "$(small)/base.img.xz" reuse "$(shell "touch /$name")" ".builders[0].image_path = \"$name.img\""
    mv t.json "$name.json"
    run -0 build "$name.json"
  done
  [[ $(kinds) == "1base 1download 1image 2layer " ]]
  touch stamp
  age 1000
  bytes=$("$slipway" cache du -o json | jq .bytes)
  # The first one's layer is used again, so that the second's has to go.
  SLIPWAY_CACHE_LIMIT=$((bytes - 1)) run -0 build -force one.json
  [[ $output == *"taken from the cache"*"Removed 1 "* ]]
  [[ $(kinds) == "1base 1download 1image 1layer " ]]
  run -0 build -force one.json
  [[ $output == *"taken from the cache"* ]]
  run -0 build -force two.json
  [[ $output != *"taken from the cache"* ]]
}

@test "cache: what may go must be said" {
  run -1 "$slipway" cache prune
  [[ $output == *"give -max-size, -older-than or -all"* ]]
  run -1 "$slipway" cache prune -max-size large
  [[ $output == *"'large'"* ]]
  run -1 "$slipway" cache shrink
  run -1 "$slipway" cache
  run -1 "$slipway" cache ls more
}

@test "cache: nothing that a running build uses goes" {
  template "$(small)/base.img.xz" reuse "$(shell true)"
  jq '.provisioners = [{type: "shell", inline: ["touch /one"]}, {type: "shell-local", inline: ["touch started; i=0; while [ ! -e go ] && [ $i -lt 600 ]; do sleep 0.2; i=$((i+1)); done"]},
    {type: "shell", inline: ["touch /two"]}]' t.json >u.json
  build u.json >build.log 2>&1 3>&- &
  for _ in $(seq 200); do
    [ ! -e started ] || break
    sleep 0.2
  done
  run -0 "$slipway" cache prune -all
  touch go
  wait $!
  [[ $output == *"A build is running: what was used since it began stays."* ]]
  ext_has out.img 2 /two
  ext_has out.img 2 /one
  [[ $(kinds) == "1base 1download 1image 2layer " ]]
}

@test "cache: SLIPWAY_CACHE_LIMIT holds after each build" {
  template "$(small)/base.img.xz" reuse "$(shell 'touch /one')"
  SLIPWAY_CACHE_LIMIT=1k run -0 build t.json
  [[ $output == *"Removed "*"things from the cache"* ]]
  [ -z "$(kinds)" ]
  SLIPWAY_CACHE_LIMIT=lots run -0 build -force t.json
  [[ $output == *"SLIPWAY_CACHE_LIMIT"*"'lots'"* ]]
}

@test "cache: verify finds a damaged download and takes it out" {
  template "$(small)/base.img.xz" reuse "$(shell 'touch /one')"
  run -0 build t.json
  run -0 "$slipway" cache verify
  local blob
  blob=$(echo "$SLIPWAY_CACHE_DIR"/blobs/sha256/*)
  chmod 644 "$blob"
  printf x | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
  run -1 "$slipway" cache verify
  [[ $output == *"download '$blob': its sha256 is "*"1 damaged"* ]]
  run -0 "$slipway" cache verify -remove
  [ ! -e "$blob" ]
  run -0 "$slipway" cache verify
  run -0 build -force t.json
}

@test "cache: prune that was told nothing says nothing of what it removed" {
  run -1 "$slipway" cache prune
  [ "$output" = "Error: nothing says what may go: give -max-size, -older-than or -all, or set SLIPWAY_CACHE_LIMIT" ]
  run -1 --separate-stderr "$slipway" cache prune -o json -max-size=foo
  [ -z "$output" ]
}

@test "cache: the part of a download that has come is listed, and goes, unless somebody fetches the rest" {
  local key
  key=$(printf '%064d' 7)
  mkdir -p cache-of-this-test/downloads cache-of-this-test/locks
  head -c 100000 /dev/urandom >"cache-of-this-test/downloads/$key.part"
  echo 'etag "x"' >"cache-of-this-test/downloads/$key.info"
  touch -d '-2 hours' "cache-of-this-test/downloads/$key.part"
  touch "cache-of-this-test/locks/$key"
  run -0 "$slipway" cache ls
  [[ $output == "partial "*"the part of a download that has come" ]]
  [ "$("$slipway" cache ls -o json | jq '.[0].bytes >= 100000')" = true ]
  run -0 "$slipway" cache verify
  run -0 flock "cache-of-this-test/locks/$key" "$slipway" cache prune -all
  [[ $output == "Removed 0, "* ]]
  run -0 "$slipway" cache prune -older-than 3h
  [[ $output == "Removed 0, "* ]]
  touch -d '-4 hours' "cache-of-this-test/locks/$key" "cache-of-this-test/downloads/$key.part"
  run -0 "$slipway" cache prune -older-than 3h
  [[ $output == *"Removed 1, "* ]]
  [ -z "$(ls cache-of-this-test/downloads)" ]
}

@test "cache: what is no folder is no cache" {
  touch a-file
  for action in ls du verify 'prune -all'; do
    SLIPWAY_CACHE_DIR=$PWD/a-file run -1 "$slipway" cache $action
    [[ $output == "Error: cache folder (set SLIPWAY_CACHE_DIR to move it): create folder '"*"a-file': Not a directory" ]]
  done
  mkdir -p odd
  touch odd/layers
  SLIPWAY_CACHE_DIR=$PWD/odd run -1 "$slipway" cache ls
  [[ $output == *"look into the cache folder '"*"/odd/layers': Not a directory" ]]
}
