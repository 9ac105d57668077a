#!/usr/bin/env bats
# Templates of tests/oracle: `slipway validate` says of each what Packer itself
# says, by exit code. Known differences, with their reasons, are in
# tests/oracle/disagreements.

bats_require_minimum_version 1.5.0

setup() {
  here=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  slipway=$(realpath "${SLIPWAY:-$here/build/src/slipway}")
  command -v packer >/dev/null || skip 'packer is not installed'
  export NO_COLOR=1 CHECKPOINT_DISABLE=1 HOME=$BATS_TEST_TMPDIR PACKER_CONFIG_DIR=$BATS_TEST_TMPDIR
  cp -R "$here/tests/oracle/templates" "$BATS_TEST_TMPDIR/"
  cd "$BATS_TEST_TMPDIR/templates" || return 1
}

# compare AT-LEAST TEMPLATES...
compare() {
  local at_least=$1 template packer ours known wrong=0 good=0 bad=0
  shift
  for template; do
    template=${template#./}
    packer=0 ours=0
    timeout 60 packer validate "$template" >packer.out 2>&1 || packer=$?
    timeout 60 "$slipway" validate "$template" >ours.out 2>&1 || ours=$?
    known=$(sed -n "s/^$template \([0-9]*\) \([0-9]*\) ..*/\1 \2/p" "$here/tests/oracle/disagreements")
    [ "$packer" -eq 0 ] && good=$((good + 1)) || bad=$((bad + 1))
    if [ "$packer" = "$ours" ] && [ -n "$known" ]; then
      echo "$template: both say $ours; take it out of tests/oracle/disagreements"
    elif [ "$packer" != "$ours" ] && [ "$known" != "$packer $ours" ]; then
      printf '%s: packer %s, slipway %s\n' "$template" "$packer" "$ours"
      sed 's/^/  packer: /' packer.out
      sed 's/^/  slipway: /' ours.out
    else
      continue
    fi
    wrong=$((wrong + 1))
  done
  echo "$# templates: $good good, $bad bad; $wrong differ without a reason"
  # The corpus is there, and has both kinds.
  [ "$wrong" -eq 0 ] && [ "$#" -ge "$at_least" ] && [ "$good" -ge 10 ] && [ "$bad" -ge 10 ]
}

@test "oracle: JSON templates are judged as Packer judges them" {
  rm -f ./*.pkr.json
  compare 60 ./*.json
}

@test "oracle: HCL2 templates are judged as Packer judges them" {
  shopt -s nullglob
  compare 60 ./*.pkr.hcl ./*.pkr.json
}

# One line of tests/oracle/command-lines, with either program, in a folder of its own.
code_of() {
  local code=0 folder words
  read -ra words <<<"$2"
  folder=$(mktemp -d)
  (
    cd "$folder"
    echo '{"builders": [{"type": "null", "communicator": "none"}]}' | tee one.json two.json >good.json
    printf 'source "null" "n" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.n"]\n}\n' >good.pkr.hcl
    printf 'locals   {a=1}\n' >ugly.pkr.hcl
    timeout 60 "$1" "${words[@]}" </dev/null >/dev/null 2>&1
  ) || code=$?
  echo "$code"
}

@test "oracle: the exit codes of command lines are Packer's" {
  local line n=0 wrong=0
  while read -r line; do
    n=$((n + 1))
    [ "$(code_of packer "$line")" = "$(code_of "$slipway" "$line")" ] || {
      echo "$line: packer $(code_of packer "$line"), slipway $(code_of "$slipway" "$line")"
      wrong=$((wrong + 1))
    }
  done < <(grep -v '^#' "$here/tests/oracle/command-lines" | grep .)
  [ "$wrong" -eq 0 ] && [ "$n" -ge 40 ]
}
