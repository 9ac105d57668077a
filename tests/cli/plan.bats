#!/usr/bin/env bats
# slipway plan: what is cached, what runs and why; and that a build then does just that.

# shellcheck disable=SC2154,SC2086 # set by the helpers; plain words
load helpers

setup() {
  build_setup
  export SLIPWAY_CACHE_DIR=$PWD/cache-of-this-test
  mkdir scripts
  printf '#!/bin/sh\necho one >/one\n' >scripts/setup.sh
  echo data >upload
  template "$(small)/base.img.xz" reuse '[{"type": "shell", "script": "scripts/setup.sh"},
    {"type": "file", "source": "upload", "destination": "/upload"},
    {"type": "shell-local", "inline": ["true"]},
    {"type": "shell", "inline": ["cat /one /upload >/both"]}]'
}
teardown() {
  printf '%s\n' "${output-}" | tail -n 40
  "$slipway" cache prune -all >/dev/null || true
}

plan() { "$slipway" plan "$@" t.json; }
# How many layers a build takes from the cache.
build_and_count() {
  run -0 build -force t.json
  grep -c 'taken from the cache' <<<"$output" || true
}

@test "plan: before the first build, nothing is written" {
  run -0 plan
  [[ $output == *"runs     base: it is fetched and unpacked"*"runs     provisioner 1 (shell)"* ]]
  [[ $output == *"always   provisioner 3 (shell-local): it runs on the host"*"always   image: out.img"* ]]
  [ ! -e out.img ]
  [ -z "$(find "$SLIPWAY_CACHE_DIR" -type f 2>/dev/null)" ]
}

@test "plan: after a build all is cached; a change is named, and what follows it runs" {
  run -0 build t.json
  run -0 plan
  [[ $output == *"cached   base"*"cached   provisioner 1 (shell)"*"cached   provisioner 2 (file)"*"cached   provisioner 4 (shell)"* ]]
  [ "$(build_and_count)" = 3 ]

  echo other >upload
  run -0 plan
  [[ $output == *"cached   provisioner 1 (shell)"*"runs     provisioner 2 (file): changed: file upload"* ]]
  [[ $output == *"runs     provisioner 4 (shell): a step before it has changed"* ]]
  [ "$(build_and_count)" = 1 ]
  [ "$(ext_cat out.img 2 /both)" = $'one\nother' ]

  echo 'echo more >>/one' >>scripts/setup.sh
  jq '.provisioners[3].inline = ["cat /one >/both"]' t.json >u.json && mv u.json t.json
  run -0 plan -o json
  [ "$(jq -r '.[0].steps[1].why' <<<"$output")" = 'changed: file scripts/setup.sh' ]
  [ "$(jq -r '.[0].steps[4].why' <<<"$output")" = 'changed: configuration' ]
  [ "$(jq -r '[.[0].steps[].state] | join(" ")' <<<"$output")" = 'cached runs runs always runs always' ]
  [ "$(build_and_count)" = 0 ]
}

@test "plan: environment, and what is gone from the cache" {
  run -0 build t.json
  SOURCE_DATE_EPOCH=1700000000 run -0 plan
  [[ $output == *"provisioner 1 (shell): changed: environment SOURCE_DATE_EPOCH"* ]]
  run -0 plan -no-cache
  [[ $output == *"runs     provisioner 1 (shell): -no-cache"* ]]
  local last
  last=$("$slipway" cache ls -o json | jq -r 'map(select(.kind == "layer"))[-1].path')
  rm -rf "$last"
  run -0 plan
  [[ $output == *"no longer in the cache"* ]]
}

@test "plan: a failed build resumes at the step that failed" {
  jq '.provisioners[3].inline = ["false"]' t.json >u.json && cp t.json good.json && mv u.json t.json
  run -1 build t.json
  run -0 plan
  [[ $output == *"cached   provisioner 1"*"cached   provisioner 2"*"runs     provisioner 4 (shell): it did not end well"* ]]
  cp good.json t.json
  [ "$(build_and_count)" = 2 ]
}

@test "plan: a template with errors" {
  echo '{"builders": [{"type": "arm"}]}' >t.json
  run -1 plan
  [[ $output == *file_urls* ]]
  run -1 "$slipway" plan
}

@test "plan: another version of qemu counts for builds that are emulated alone" {
  local qemu
  qemu=$(command -v qemu-aarch64-static) || skip 'no qemu-aarch64-static'
  [ "$(uname -m)" != aarch64 ] || skip 'this host runs arm64 programs itself'
  mkdir newer
  LC_ALL=C sed 's/(Debian/(Newest/' "$qemu" >newer/qemu-aarch64-static
  chmod 755 newer/qemu-aarch64-static
  cmp -s "$qemu" newer/qemu-aarch64-static && skip 'this qemu has no text to change'
  run -0 build -no-accelerate t.json
  run -0 plan -no-accelerate
  [[ $output == *"cached   provisioner 1 (shell)"* ]]
  PATH=$PWD/newer:$PATH run -0 plan -no-accelerate
  [[ $output == *"runs     provisioner 1 (shell): changed: version of qemu"* ]]
  run -0 build -force t.json
  PATH=$PWD/newer:$PATH run -0 plan
  [[ $output == *"cached   provisioner 1 (shell)"* ]]
}

@test "plan: what enters a key, and what does not" {
  # key HOW WHY: with the template changed so by jq, the first step that runs does for that reason.
  key() {
    jq "$1" whole.json >t.json
    run -0 plan
    [[ $output == *"$2"* ]]
  }
  run -0 build t.json
  cp t.json whole.json
  chmod 600 upload
  key . 'provisioner 2 (file): changed: file upload'
  chmod 644 upload
  key '.provisioners[0].environment_vars = ["A=1"]' 'provisioner 1 (shell): changed: configuration'
  key '.builders[0].image_chroot_env = ["A=1"]' 'provisioner 1 (shell): changed: image_chroot_env'
  key '.builders[0].additional_chroot_mounts = [{"mount_type": "tmpfs", "source_path": "tmpfs", "destination_path": "/mnt"}]' 'provisioner 1 (shell): changed: mounts of the guest'
  key '.builders[0].accelerate = false' 'provisioner 1 (shell): changed: acceleration'
  QEMU_CPU=cortex-a57 key . 'provisioner 1 (shell): changed: environment QEMU_CPU'

  # A script is made executable in any case; times, the order of keys and where the image goes to say nothing of a layer.
  touch -d @1 upload scripts/setup.sh
  chmod 755 scripts/setup.sh
  jq '.builders[0].image_path = "other.img" | .builders[0] |= (to_entries | reverse | from_entries)' whole.json >t.json
  run -0 plan
  [[ $output != *'runs  '* ]]
  [ "$(build_and_count)" = 3 ]
}
