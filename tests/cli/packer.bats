#!/usr/bin/env bats
# What scripts around Packer depend on: tables of its options, of what it
# prints and how it ends, read from the source of Packer 1.16 (each row says
# which file), and an installed Packer where it is old enough to be held to
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

@test "packer: PACKER_CACHE_DIR is where the cache is" {
  env -u SLIPWAY_CACHE_DIR PACKER_CACHE_DIR=packers "$slipway" cache du
  [ -d packers ] && [ ! -e cache ]
}

@test "packer: help says which exit codes and variables there are, and what goes before any command" {
  run -0 "$slipway" help exit-codes
  [[ $output == *"  1          an error, or the command line was wrong"*"  3          fmt -check"*"  127        no command"* ]]
  run -0 "$slipway" help environment
  for name in PACKER_LOG PACKER_LOG_PATH PACKER_CACHE_DIR PACKER_PLUGIN_PATH PACKER_NO_COLOR PACKER_RUN_UUID PKR_VAR_name \
    PACKER_CONFIG CHECKPOINT_DISABLE; do
    [[ $output == *"$name"* ]]
  done
  run -0 "$slipway" -help
  [[ $output == *"-machine-readable"* ]]
}
