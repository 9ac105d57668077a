#!/usr/bin/env bats
# slipway help, version, schema: and that every command has a man page, a help text and a summary.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  boards=${SLIPWAY_BOARD_TEMPLATES:-$here/../shared/templates}/boards
  cd "$BATS_TEST_TMPDIR" || return 1
}

@test "help: every command has a man page, a help text, and is in slipway(1)" {
  [ "$(commands | wc -l)" -gt 10 ]
  for command in $(commands); do
    echo "$command"
    [ -f "$here/man/slipway-$command.1" ]
    grep -q "slipway-$command.1" "$here/man/meson.build"
    grep -qE "^\.Xr slipway-$command 1|^\.It Cm $command\$" "$here/man/slipway.1"
    run -0 "$slipway" "$command" -help
    [[ ${lines[0]} == "Usage: slipway $command"* ]]
    [ "$("$slipway" help "$command")" = "$output" ]
  done
}

@test "help: every option is in the command's man page" {
  for command in $(commands); do
    for option in $("$slipway" "$command" -help | sed -n 's/^  -\([^ =]*\).*/\1/p'); do
      echo "$command -$option"
      grep -qE "Fl $option( |\$)" "$here/man/slipway-$command.1"
    done
  done
}

@test "help: topics" {
  run -0 "$slipway" help
  [[ $output == *Commands:*build*Topics*environment*post-processors*compress* ]]
  for topic in $("$slipway" help | sed -n '/^Topics/,/^Keys/s/^  \([a-z-]*\) .*/\1/p'); do
    run -0 "$slipway" help "$topic"
    [ "${#lines[@]}" -gt 2 ]
  done
  run -1 "$slipway" help environmnt
  [[ $output == *"unknown topic 'environmnt'; did you mean 'environment'?"* ]]
}

@test "help: keys of types" {
  run -0 "$slipway" help arm
  [[ $output == *"image_path: string, required"*"image_partitions: blocks"*"      filesystem: string"*name:* ]]
  run -0 "$slipway" help shell-local
  [[ $output == *"only_on"*"max_retries"*"keep_input_artifact"* ]]
}

@test "help: functions" {
  run -0 "$slipway" help functions
  [ "${#lines[@]}" -gt 100 ]
  run -0 "$slipway" help formatdate
  [[ ${lines[0]} == "formatdate("*")" ]]
}

@test "help: the ways to ask for it" {
  for words in -h --help -help 'help help'; do
    # shellcheck disable=SC2086 # words
    run -0 "$slipway" $words
    [[ $output == Usage:* ]]
  done
  run -127 --separate-stderr "$slipway"
  [ -z "$output" ]
  [[ $stderr == Usage:* ]]
  run -127 "$slipway" biuld
  [[ $output == *"unknown command 'biuld'; did you mean 'build'?"* ]]
}

@test "version: for people, for scripts, and as packer" {
  run -0 "$slipway" version
  [[ ${lines[0]} =~ ^slipway\ v[0-9]+\.[0-9]+\.[0-9]+$ ]]
  for words in --version -version -v; do
    [ "$("$slipway" $words)" = "$output" ]
  done
  run -0 "$slipway" -machine-readable version
  [[ ${lines[0]} =~ ^[0-9]+,,version,[0-9.]+$ ]]
  [[ ${lines[1]} =~ ^[0-9]+,,version-prelease,$ ]]
  [[ ${lines[2]} =~ ^[0-9]+,,version-commit,$ ]]
  ln -s "$slipway" packer
  run -0 ./packer version
  [[ $output =~ ^Packer\ v1\.[0-9]+\.[0-9]+$ ]]
}

@test "schema: says of templates what validate says" {
  shopt -s nullglob
  "$slipway" schema >schema.json
  cat >check.py <<'END'
import json, jsonschema, sys
schema = json.load(open("schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    errors = [e.message for e in validator.iter_errors(json.load(open(path)))]
    if bool(errors) != (sys.argv[1] == "bad"):
        sys.exit(f"{path}: {errors}")
END
  python3 check.py good "$here"/examples/*.json "$here/tests/golden/upgrade/everything.json" "$boards"/*/*.json
  bad=()
  for name in builder-image-type builder-key-in-capitals builder-method builder-no-type builder-type-slip builder-types \
    builder-unknown-key mounts partition-types partition-unknown-key post-nested step-keep-input step-no-type step-times \
    step-unknown-key top-builder-string top-builders-empty top-list top-no-builders top-unknown-key top-wrong-types; do
    bad+=("$here/tests/golden/bad/$name.json")
  done
  for file in "${bad[@]}"; do
    python3 check.py bad "$file"
  done
}

@test "help: output that could not be written is an error; of a pipe that nobody reads it is not told" {
  for words in version 'help build' schema plugins 'init -list' 'fmt -'; do
    # shellcheck disable=SC2086 # words
    code=0 && "$slipway" $words >/dev/full 2>said <<<'a=1' || code=$?
    echo "$words: $code, $(cat said)"
    [ "$code" -eq 1 ]
    [[ $(cat said) == 'Error: not all of the output could be written'* ]]
  done
  mkfifo pipe
  exec 8<>pipe
  exec 9>pipe 8>&-
  "$slipway" schema 2>said >&9 && return 1
  exec 9>&-
  [ ! -s said ]
}

@test "help: where standard output is closed it is not the next file that is opened" {
  mkfifo in
  "$slipway" console <in >&- &
  exec {hold}>in
  for _ in {1..100}; do
    [ "$(readlink "/proc/$!/fd/1")" != /dev/null ] || break
    sleep 0.1
  done
  [ "$(readlink "/proc/$!/fd/1")" = /dev/null ]
  exec {hold}>&-
  wait $!
}
