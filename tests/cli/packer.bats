#!/usr/bin/env bats
# What scripts around Packer depend on: tables of its options, of what it
# prints and how it ends, read from the sources and documentation of Packer
# 1.11 to 1.16, and an installed Packer where it is old enough to be held to
# them. See tests/oracle/packer_check.py.

bats_require_minimum_version 1.5.0

setup() {
  here=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  slipway=$(realpath "${SLIPWAY:-$here/build/src/slipway}")
  cd "$BATS_TEST_TMPDIR" || return 1
  export TMPDIR=$BATS_TEST_TMPDIR SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache
}

check() { python3 -B "$here/tests/oracle/packer_check.py" "$1" "$slipway"; }

@test "packer: every option of its verbs is taken, in its forms, and documented" {
  check flags
}

@test "packer: lines of output, machine-readable types, exit codes, environment" {
  check lines
}

@test "packer: what differs on purpose differs as it is written down" {
  check differences
}
