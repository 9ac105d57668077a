#!/usr/bin/env bats
# The functions of HCL against Packer's own console: tests/oracle/expressions,
# each of which must have the same value there, or stand in tests/oracle/differences.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  command -v packer >/dev/null || skip "packer is not installed"
  eval=$(dirname "$slipway")/../tests/oracle/hcl-eval
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir empty
}

expressions() { grep -v -e '^#' -e '^$' "$here/tests/oracle/$1"; }

# values NAME COMMAND...: lines "EXPRESSION => VALUE" in NAME, from one run of the command. The console takes a
# file on standard input line by line, and a pipe as a whole.
values() {
  local name=$1
  shift
  expressions expressions | sed 's/^.*$/try(jsonencode([&]), "ERROR")/' >asked
  (cd empty && HOME=$BATS_TEST_TMPDIR CHECKPOINT_DISABLE=1 timeout 60 "$@") <asked >answers
  [ "$(wc -l <answers)" = "$(wc -l <asked)" ]
  paste -d '\t' <(expressions expressions) answers | sed 's/\t/ => /' >"$name"
}

@test "functions: the values of expressions are Packer's" {
  [ "$(expressions expressions | wc -l)" -ge 300 ]
  [ -z "$(expressions expressions | sort | uniq -d)" ]
  [ -z "$(comm -13 <(expressions expressions | sort) <(expressions differences | sort))" ]
  values ours "$eval"
  values theirs packer console --config-type=hcl2
  diff theirs ours | sed -n 's/^> \(.*\) => .*$/\1/p' >differ
  diff <(expressions differences | sort) <(sort differ)
}
