#!/usr/bin/env bats
# slipway hcl2_upgrade: JSON templates as HCL2. Packer's own fmt and console judge what is written.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  golden=$here/tests/golden/upgrade
  boards=${SLIPWAY_BOARD_TEMPLATES:-$here/../shared/templates}/boards
  cd "$BATS_TEST_TMPDIR" || return 1
  export CHECKPOINT_DISABLE=1 PACKER_CONFIG_DIR=$PWD
}

@test "upgrade: everything that a template may have" {
  cp "$golden/everything.json" .
  run -0 --separate-stderr "$slipway" hcl2_upgrade everything.json
  [ "$output" = "Successfully created everything.json.pkr.hcl. Exit 0" ]
  diff "$golden/everything.pkr.hcl" everything.json.pkr.hcl
  diff "$golden/everything.txt" <(printf '%s\n\n' "$stderr")
}

@test "upgrade: written as Packer's fmt would have it" {
  shopt -s nullglob
  for template in "$golden"/*.json "$boards"/*/*.json; do
    "$slipway" hcl2_upgrade -output-file=plain.pkr.hcl "$template" 2>/dev/null
    "$slipway" hcl2_upgrade -with-annotations -output-file=annotated.pkr.hcl "$template" 2>/dev/null
    packer fmt -check -diff plain.pkr.hcl
    packer fmt -check -diff annotated.pkr.hcl
    diff <(grep -v '^ *#' annotated.pkr.hcl | cat -s) <(grep -v '^ *#' plain.pkr.hcl | cat -s) | grep '^[<>] .' && return 1
  done
  true
}

# Texts as they come, through Packer's reading of what was written.
@test "upgrade: any text comes back as it was" {
  python3 - 3>&- <<'END'
import json, random
random.seed(7)
parts = ["$", "%", "{", "}", "\\", '"', "\n", "\t", "\r", "\x01", "\x7f", "é", "\U0001f937", "a", "~", "${", "%{", "$${", "'", " "]
texts = ["".join(random.choices(parts, k=random.randint(0, 12))).replace("{{", "{").replace("}}", "}") for _ in range(400)]
texts = [t for t in texts if "{{" not in t]
variables = {f"v{i:03}": t for i, t in enumerate(texts)}
json.dump({"variables": variables, "builders": [{"type": "null", "communicator": "none"}]}, open("texts.json", "w"))
json.dump(texts, open("wanted.json", "w"))
open("ask", "w").write("jsonencode([" + ", ".join(f"var.{v}" for v in variables) + "])\n")
END
  "$slipway" hcl2_upgrade texts.json
  packer console texts.json.pkr.hcl <ask >got.json
  diff <(jq . wanted.json) <(jq . got.json)
}

@test "upgrade: a dollar before an interpolation" {
  echo '{"variables": {"a": "x", "b": "$-{{user `a`}}$"}, "builders": [{"type": "null", "communicator": "none"}]}' >t.json
  sed -i 's/\$-/$/' t.json
  "$slipway" hcl2_upgrade t.json
  [ "$(packer console t.json.pkr.hcl <<<local.b)" = '$x$' ]
}

@test "upgrade: to standard output, and to a folder that is made" {
  run -0 "$slipway" hcl2_upgrade -output-file=- "$golden/everything.json"
  [[ $output == *'source "arm" "my_rpi" {'* ]]
  "$slipway" hcl2_upgrade -output-file=- - <"$golden/everything.json" 2>/dev/null | diff "$golden/everything.pkr.hcl" -
  run -0 "$slipway" hcl2_upgrade -output-file a/b/c.pkr.hcl "$golden/everything.json"
  diff "$golden/everything.pkr.hcl" a/b/c.pkr.hcl
}

@test "upgrade: a template that is not right writes nothing" {
  echo '{"builders": [{"type": "arm"}], "provisoners": []}' >bad.json
  run -1 "$slipway" hcl2_upgrade bad.json
  [[ $output == *"unknown key 'provisoners'"* ]]
  [ ! -e bad.json.pkr.hcl ]
  run -1 "$slipway" hcl2_upgrade nothing.json
  run -1 "$slipway" hcl2_upgrade x.pkr.hcl
  [[ $output == *"HCL2 already"* ]]
  run -1 "$slipway" hcl2_upgrade
}
