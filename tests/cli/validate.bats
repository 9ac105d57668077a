#!/usr/bin/env bats
# slipway validate and inspect: no network, no root, no qemu.

bats_require_minimum_version 1.5.0

setup() {
  here=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  slipway=$(realpath "${SLIPWAY:-$here/build/src/slipway}")
  boards=${SLIPWAY_BOARD_TEMPLATES:-$here/../shared/templates}/boards
  export NO_COLOR=1
  cd "$BATS_TEST_TMPDIR" || return 1
  cat >good.json <<'END'
{
  "description": "A board",
  "variables": {"board": "rpi", "size": "2G", "key": null, "password": "hunter2"},
  "sensitive-variables": ["password"],
  "builders": [{
    "type": "arm", "name": "rpi",
    "file_urls": ["http://192.0.2.1/base.img.xz"],
    "file_checksum_url": "http://192.0.2.1/base.img.xz.sha256",
    "file_checksum_type": "sha256",
    "image_build_method": "resize",
    "image_path": "{{user `board`}}-{{user `key`}}.img",
    "image_size": "{{user `size`}}"
  }],
  "provisioners": [{"type": "shell", "inline": ["true"]}],
  "post-processors": [["checksum"]]
}
END
}

@test "validate: a good template" {
  run -0 "$slipway" validate -var key=k good.json
  [ "$output" = "The configuration is valid." ]
}

@test "validate: from standard input" {
  run -0 "$slipway" validate -var key=k - <good.json
  [ "$output" = "The configuration is valid." ]
}

@test "validate: errors go to stderr, exit code 1" {
  run -1 --separate-stderr "$slipway" validate good.json
  [ -z "$output" ]
  # shellcheck disable=SC2154 # run sets it
  [[ $stderr == *"Error: the variable 'key' has no value"*"on good.json line 3, column 47:"* ]]
}

@test "validate: -syntax-only needs no values" {
  run -0 "$slipway" validate -syntax-only good.json
  [[ $output == *okay* ]]
}

@test "validate: what is given need not be declared, as Packer has it; but it may be a slip" {
  echo '{"builders": [{"type": "null", "communicator": "none"}], "provisioners": [{"type": "shell-local", "inline": ["echo {{user `x`}}"]}]}' >t.json
  run -1 "$slipway" validate t.json
  [[ $output == *"the variable 'x' is not defined"* ]]
  run -0 --separate-stderr "$slipway" validate -var x=1 t.json
  [ "$stderr" = "Warning: -var: the template has no variable 'x'" ]
  echo '{"x": "1"}' >vars.json
  run -0 "$slipway" validate -var-file vars.json t.json
  [ "$output" = 'The configuration is valid.' ]
  run -0 --separate-stderr "$slipway" validate -var key=k -var bord=x good.json
  [[ $stderr == "Warning: -var: the template has no variable 'bord'; did you mean 'board'?"* ]]
  run -0 "$slipway" inspect -var key=k -var bord=x good.json
  [[ $output != *bord=* && $output != *'bord '* ]]
}

@test "validate: -var-file" {
  echo '{"key": "k", "size": "not a size"}' >vars.json
  run -1 "$slipway" validate -var-file vars.json good.json
  [[ $output == *"'not a size' is not a size"* ]]
  run -0 "$slipway" validate -var-file=vars.json -var size=3G good.json
}

@test "validate: -o json" {
  run -1 "$slipway" validate -o json good.json
  [ "$(jq -r '.valid, .messages[0].severity, .messages[0].file, .messages[0].line' <<<"$output" | xargs)" = "false error good.json 3" ]
  run -0 "$slipway" validate -o json -var key=k good.json
  [ "$(jq -c . <<<"$output")" = '{"valid":true,"messages":[]}' ]
}

@test "validate: usage errors" {
  run -1 "$slipway" validate
  run -1 "$slipway" validate a.json b.json
  run -1 "$slipway" validate -synatx-only good.json
  [[ $output == *"did you mean '-syntax-only'"* ]]
}

@test "validate: a template that is not there, a folder" {
  run -1 "$slipway" validate nothing.json
  [[ $output == *nothing.json*"No such file"* ]]
  mkdir folder.json
  run -1 "$slipway" validate folder.json
  [[ $output == *folder.json* ]]
}

@test "validate: the messages of bad templates, word by word" {
  run -0 "$here/tests/golden/run" "$slipway"
}

@test "validate: the board templates" {
  [ -d "$boards" ] || skip "no board templates: SLIPWAY_BOARD_TEMPLATES or $boards"
  n=0
  while IFS= read -r template; do
    mkdir -p "work$n"
    # The scripts that they name are not part of them: stand-ins.
    cp "$template" "work$n/"
    grep -oE '"scripts/[^"]*"' "$template" | tr -d '"' | while IFS= read -r script; do
      mkdir -p "work$n/$(dirname "$script")"
      echo '#!/bin/sh' >"work$n/$script"
    done
    (cd "work$n" && "$slipway" validate "${template##*/}") || return 1
    n=$((n + 1))
  done < <(find "$boards" -name '*.json' -o -name '*.pkr.hcl')
  [ "$n" -ge 12 ]
}

@test "inspect: for people" {
  run -0 "$slipway" inspect good.json
  [ "$output" = "Packer Inspect: JSON mode
Description:

A board

Required variables:

  key

Optional variables and their defaults:

  board    = rpi
  password = <sensitive>
  size     = 2G

Builders:

  rpi (arm)

Provisioners:

  shell

Note: If your build names contain user variables or template
functions such as 'timestamp', these are processed at build time,
and therefore only show in their raw form here." ]
}

@test "inspect: -machine-readable" {
  run -0 "$slipway" inspect -machine-readable good.json
  [ "$(sed -n 's/^[0-9]*\(,,template-\)/\1/p' <<<"$output")" = ",,template-variable,key,,1
,,template-variable,board,rpi,0
,,template-variable,password,<sensitive>,0
,,template-variable,size,2G,0
,,template-builder,rpi,arm
,,template-provisioner,shell" ]
  [[ $output == *",,ui,say,  rpi (arm)"* && $output != *hunter2* ]]
}

@test "inspect: -o json" {
  run -0 "$slipway" inspect -o json good.json
  [ "$(jq -r '.builders[0].name, .variables[1].required, .provisioners[0].type, ."post-processors"[0][0].type' <<<"$output" | xargs)" = "rpi true shell checksum" ]
  [[ $output != *hunter2* ]]
}

@test "inspect: a broken template" {
  echo '{"builders": [}' >broken.json
  run -1 "$slipway" inspect broken.json
  [[ $output == *"broken.json line 1, column 15"* ]]
}
