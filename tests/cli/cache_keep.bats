#!/usr/bin/env bats
# How long a step's layer is kept (cache, cache_ttl, -no-cache), and what happens when what is kept is damaged.

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

# Three steps; the second with these keys too.
three() {
  template "$(small)/base.img.xz" reuse '[{"type": "shell", "inline": ["cat /proc/uptime >/one"]},
    {"type": "shell", "inline": ["cat /proc/uptime >/two"]}, {"type": "shell", "inline": ["cat /one /two >/three"]}]' \
    ".provisioners[1] += $1"
}
plan() { "$slipway" plan "$@"; }
taken() { grep -c 'taken from the cache' <<<"$output" || true; }
of_kind() { "$slipway" cache ls -o json | jq -r --arg kind "$1" 'map(select(.kind == $kind))[].path'; }
# Another byte in a file of a tree or in an image, whoever may write there.
damage() {
  if [ "$(id -u)" -eq 0 ]; then
    printf 'X' | dd of="$1" bs=1 seek="${2:-0}" conv=notrunc status=none
  else
    printf 'X' | unshare --user --map-auto --map-root-user dd of="$1" bs=1 seek="${2:-0}" conv=notrunc status=none
  fi
}

@test "keep: cache = false runs in each build, and what follows it; nothing of it is kept" {
  three '{"cache": false}'
  run -0 build t.json
  [ "$(of_kind layer | wc -l)" = 2 ]
  run -0 plan t.json
  [[ $output == *"cached   provisioner 1"*"always   provisioner 2 (shell): cache = false"*"runs     provisioner 3 (shell): a step before it is run again"* ]]
  run -0 build -force t.json
  [ "$(taken)" = 1 ]
  [ "$(ext_cat out.img 2 /three)" = "$(ext_cat out.img 2 /one)"$'\n'"$(ext_cat out.img 2 /two)" ]
}

@test "keep: cache_ttl, in HCL2 too; what runs again has taken the place of what was there" {
  three '{"cache_ttl": "2h"}'
  "$slipway" hcl2_upgrade -output-file t.pkr.hcl t.json
  grep -E 'cache_ttl += "2h"' t.pkr.hcl
  run -0 build t.pkr.hcl
  run -0 plan t.pkr.hcl
  [[ $output =~ "cached   provisioner 2 (shell): for "(2 hours|1 hour 59 minutes) ]]
  run -0 build -force t.pkr.hcl
  [ "$(taken)" = 3 ]
  # Two hours later.
  local seal
  for seal in "$SLIPWAY_CACHE_DIR"/layers/*/seal; do
    jq '.made -= 7200' "$seal" >seal.new
    cat seal.new >"$seal"
  done
  run -0 plan t.pkr.hcl
  [[ $output == *"runs     provisioner 2 (shell): it is older than its cache_ttl"*"runs     provisioner 3 (shell): a step before it is run again"* ]]
  run -0 build -force t.pkr.hcl
  [ "$(taken)" = 1 ]
  [[ $output == *"older than its cache_ttl"* ]]
  run -0 build -force t.pkr.hcl
  [ "$(taken)" = 3 ]
}

@test "keep: -no-cache runs all, and its layers are those of the next builds" {
  three '{}'
  run -0 build t.json
  local one
  one=$(ext_cat out.img 2 /one)
  sleep 0.1
  run -0 build -force -no-cache t.json
  [ "$(taken)" = 0 ]
  [ "$(ext_cat out.img 2 /one)" != "$one" ]
  one=$(ext_cat out.img 2 /three)
  run -0 plan t.json
  [[ $output == *"cached   provisioner 3"* ]]
  run -0 build -force t.json
  [ "$(taken)" = 3 ]
  [ "$(ext_cat out.img 2 /three)" = "$one" ]
  run -0 plan -no-cache t.json
  [[ $output == *"runs     provisioner 1 (shell): -no-cache"*"runs     provisioner 3 (shell): -no-cache"* ]]
}

@test "keep: keys that make no sense" {
  three '{"cache": false, "cache_ttl": "1h"}'
  run -1 "$slipway" validate t.json
  [[ $output == *"'cache_ttl' has no meaning where 'cache' is false"* ]]
  three '{"cache_ttl": "-1h"}'
  run -1 "$slipway" validate t.json
  [[ $output == *"'cache_ttl' cannot be negative"* ]]
  three '{"cache_ttl": "soon"}'
  run -1 "$slipway" validate t.json
}

@test "keep: a damaged layer is found by verify, and is not used" {
  three '{}'
  run -0 build t.json
  run -0 "$slipway" cache verify
  local layer
  layer=$(of_kind layer | while read -r path; do if [ -e "$path/diff/two" ]; then echo "$path"; fi; done)
  damage "$layer/diff/two"
  run -1 "$slipway" cache verify
  [[ $output == *"layer '$layer': it is not what it was when it was made"*"1 damaged"* ]]
  run -0 build -force t.json
  [[ $output == *"Provisioner shell in the cache is damaged, and made anew: '$layer'"* ]]
  [ "$(taken)" = 2 ]
  [[ $(ext_cat out.img 2 /two) != X* ]]
  run -0 "$slipway" cache verify
  damage "$layer/diff/two"
  run -0 "$slipway" cache verify -remove
  [ ! -e "$layer" ]
}

@test "keep: a damaged image or base is found, and made anew" {
  three '{}'
  run -0 build t.json
  local image base
  image=$(of_kind image)
  base=$(of_kind base)
  damage "$image" 5000000
  damage "$base/links"
  run -1 "$slipway" cache verify
  [[ $output == *"image '$image': it is not what it was"* && $output == *"base '$base': it is not what it was"* ]]
  run -0 build -force t.json
  [[ $output == *"The unpacked image in the cache is damaged"* && $output == *"The base in the cache is damaged"* ]]
  run -0 "$slipway" cache verify
  image_is_clean out.img
}

@test "keep: a cache that was copied is sound, and used" {
  three '{}'
  run -0 build t.json
  if [ "$(id -u)" -eq 0 ]; then
    cp -a "$SLIPWAY_CACHE_DIR" moved
  else
    unshare --user --map-auto --map-root-user cp -a "$SLIPWAY_CACHE_DIR" moved
  fi
  "$slipway" cache prune -all
  export SLIPWAY_CACHE_DIR=$PWD/moved
  run -0 build -force t.json
  [ "$(taken)" = 3 ]
  [[ $output != *damaged* ]]
  run -0 "$slipway" cache verify
}

@test "keep: several builds of one template at once" {
  three '{"cache_ttl": "1h"}'
  local i pids=()
  for i in 1 2 3 4; do
    jq --arg out "out$i.img" '.builders[0].image_path = $out' t.json >"t$i.json"
    build "-no-cache=$([ "$i" -lt 4 ] && echo false || echo true)" "t$i.json" >"log$i" 2>&1 3>&- &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  for i in 1 2 3 4; do
    [ "$(ext_cat "out$i.img" 2 /three)" = "$(ext_cat "out$i.img" 2 /one)"$'\n'"$(ext_cat "out$i.img" 2 /two)" ]
    image_is_clean "out$i.img"
  done
  run -0 "$slipway" cache verify
}

@test "keep: no secret stands in the cache" {
  local secret=geheim-4711-xyzzy
  cat >t.pkr.hcl <<HCL
variable "password" {
  sensitive = true
}
source "arm" "a" {
  file_urls          = ["$(small)/base.img.xz"]
  file_checksum_type = "none"
  image_build_method = "reuse"
  image_path         = "out.img"
  image_chroot_env   = ["TOKEN=\${var.password}"]
}
build {
  sources = ["source.arm.a"]
  provisioner "shell" {
    environment_vars = ["PASSWORD=\${var.password}"]
    inline           = ["test \"\$PASSWORD\" = '\${var.password}'", "touch /done"]
  }
  provisioner "file" {
    content     = "\${substr(var.password, 0, 3)}"
    destination = "/start"
  }
}
HCL
  PKR_VAR_password=$secret run -0 build t.pkr.hcl
  [[ $output != *$secret* ]]
  ext_has out.img 2 /done
  [ -n "$(find "$SLIPWAY_CACHE_DIR/plans" -type f)" ]
  run -1 grep -raF "$secret" "$SLIPWAY_CACHE_DIR"
  # And what is fed into a key is: another value is another layer.
  PKR_VAR_password=other run -0 plan t.pkr.hcl
  [[ $output == *"runs     provisioner 1"*"changed:"* ]]
}
