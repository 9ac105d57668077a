#!/usr/bin/env bats
# slipway fmt: which files, what is written, exit codes. Its rules are in tests/unit/hcl/format.c.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir -p inner
  printf 'a=1\nlong   = 2\n' >x.pkr.hcl
  printf 'a    = 1\nlong = 2\n' >wanted
  printf 'b = 1\n' >right.pkr.hcl
  printf 'c=1\n' >y.auto.pkrvars.hcl
  printf 'd=1\n' >inner/z.pkr.hcl
  printf 'e=1\n' >other.hcl
}

@test "fmt: the files of a folder, their names printed" {
  run -0 "$slipway" fmt .
  [ "$output" = $'x.pkr.hcl\ny.auto.pkrvars.hcl' ]
  cmp x.pkr.hcl wanted
  [ "$(cat y.auto.pkrvars.hcl)" = "c = 1" ]
  [ "$(cat inner/z.pkr.hcl other.hcl)" = $'d=1\ne=1' ]
  run -0 "$slipway" fmt
  [ -z "$output" ]
}

@test "fmt -recursive: folders inside too" {
  run -0 "$slipway" fmt -recursive "$PWD"
  [ "$output" = "$PWD/inner/z.pkr.hcl"$'\n'"$PWD/x.pkr.hcl"$'\n'"$PWD/y.auto.pkrvars.hcl" ]
  [ "$(cat inner/z.pkr.hcl)" = "d = 1" ]
}

@test "fmt -check: 3 if something would change, and nothing is written" {
  run -3 "$slipway" fmt -check x.pkr.hcl
  [ "$output" = x.pkr.hcl ]
  [ "$(head -1 x.pkr.hcl)" = a=1 ]
  run -0 "$slipway" fmt -check right.pkr.hcl
  run -3 "$slipway" fmt -check - <x.pkr.hcl
  [ -z "$output" ]
  run -0 "$slipway" fmt -check - <wanted
}

@test "fmt -diff -write=false: what diff -u says" {
  for i in $(seq 30); do [ $((i % 7)) = 2 ] && echo "block$i{}" || echo "# $i"; done >many.pkr.hcl
  printf 'a=1' >>many.pkr.hcl
  cp many.pkr.hcl before
  run -0 "$slipway" fmt -diff -write=false many.pkr.hcl
  cmp many.pkr.hcl before
  "$slipway" fmt many.pkr.hcl
  diff -u --label old/many.pkr.hcl --label new/many.pkr.hcl before many.pkr.hcl >wanted_diff || true
  [ "$output" = "many.pkr.hcl"$'\n'"$(cat wanted_diff)" ]
}

@test "fmt -: standard input to standard output" {
  "$slipway" fmt - <x.pkr.hcl >out
  cmp out wanted
}

@test "fmt: modes and links stay" {
  chmod 640 x.pkr.hcl
  ln -s x.pkr.hcl link.pkr.hcl
  run -0 "$slipway" fmt link.pkr.hcl
  [ -L link.pkr.hcl ]
  [ "$(stat -c %a x.pkr.hcl)" = 640 ]
  cmp x.pkr.hcl wanted
}

@test "fmt: what cannot be read is left as it is, the rest is formatted" {
  printf 'a = [1\n' >bad.pkr.hcl
  run -1 "$slipway" fmt .
  [[ "$output" == *"',' or ']' was expected here"*"bad.pkr.hcl line"* ]]
  [ "$(cat bad.pkr.hcl)" = "a = [1" ]
  cmp x.pkr.hcl wanted
  echo text >other.txt
  run -1 "$slipway" fmt other.txt
  [[ "$output" == *"'other.txt' is no HCL2 file: those are called *.pkr.hcl, *.pkrvars.hcl or *.hcl"* ]]
  run -1 "$slipway" fmt missing.pkr.hcl
  [[ "$output" == *"missing.pkr.hcl"*"No such file"* ]]
  run -1 "$slipway" fmt a b
}

@test "fmt: the same as Packer's own" {
  command -v packer >/dev/null || skip "packer is not installed"
  for file in "$here"/../examples/*.pkr.hcl "$here"/golden/*/*.pkr.hcl; do
    [ -e "$file" ] || continue
    "$slipway" fmt - <"$file" >ours
    CHECKPOINT_DISABLE=1 packer fmt - <"$file" >theirs
    cmp ours theirs
  done
}
