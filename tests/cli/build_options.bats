#!/usr/bin/env bats
# Options that decide how a build goes: -on-error, -debug, -parallel-builds.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { build_setup; }

# Type on a terminal: on_terminal [TEXT KEYS]... -- OPTIONS...
on_terminal() { timeout 120 python3 "$here/tests/cli/terminal.py" "${@:1:$#-1}" "${!#}"; }

# A step that fails until there is a file `mended`, and says what happened in the file `log`.
failing() {
  jq -n --arg url "$(small)/base.img" '{
    builders: [{type: "arm", file_urls: [$url], file_checksum_type: "none", image_build_method: "reuse", image_path: "out.img"}],
    provisioners: [
      {type: "shell", inline: ["echo 1 >>/etc/first"]},
      {type: "shell", inline: ["echo 2 >>/etc/second", "echo tried", "false"]}],
    "error-cleanup-provisioner": {type: "shell", inline: ["echo cleaned up after $(cat /etc/second)"]}
  }' | jq "${1:-.}" >t.json
}

@test "on-error=cleanup, run-cleanup-provisioner: the step is thrown away, after the clean-up" {
  failing
  for how in cleanup run-cleanup-provisioner; do
    run -1 build -on-error=$how t.json </dev/null
    [[ $output == *"cleaned up after 2"* ]]
    [ -z "$(find "$SLIPWAY_CACHE_DIR/staging" -mindepth 1)" ]
    nothing_left
  done
}

@test "on-error=abort: what the step left is kept and named, until the next build" {
  local kept
  failing
  run -1 build -on-error=abort t.json </dev/null
  [[ $output != *"cleaned up"* ]]
  kept=$(sed -n 's/.*is kept until the next build, in \(.*\)/\1/p' <<<"$output")
  [ "$(cat "$kept"/*/layer/diff/etc/second)" = 2 ]
  nothing_left
  run -1 build t.json </dev/null
  [ ! -e "$kept" ]
}

@test "on-error=ask: other letters, again, then abort" {
  failing
  run -1 build -on-error=ask t.json <<<$'x\n\nr\na\n'
  [ "$(grep -c 'arm: tried' <<<"$output")" = 2 ]
  [ "$(grep -c 'clean up and exit' <<<"$output")" = 4 ]
  [[ $output != *"cleaned up"* && $output == *"is kept until the next build"* ]]
  nothing_left
}

@test "on-error=ask: clean up, at a terminal; nobody there is the same" {
  failing
  run -1 on_terminal 'retry step' 'r\n' 'retry step' 'c\n' -- "$slipway" build -on-error=ask t.json
  [ "$(grep -c 'arm: tried' <<<"$output")" = 2 ]
  [ "$(grep -c 'cleaned up after 2' <<<"$output")" = 1 ]
  run -1 build -on-error=ask t.json </dev/null
  [ "$(grep -c 'cleaned up after 2' <<<"$output")" = 1 ]
  nothing_left
}

@test "on-error=ask: what was mended outside goes well when tried again" {
  failing '.provisioners[1] = {type: "file", source: "mended", destination: "/etc/mended", generated: true}'
  # shellcheck disable=SC2094 # who writes waits for who reads
  (until grep -q 'retry step' log 2>/dev/null; do sleep 0.1; done; echo now >mended; echo r) |
    build -on-error=ask t.json >log 2>&1
  [ "$(ext_cat out.img 2 /etc/mended)" = now ]
}

@test "on-error=ask: after the retries of the step" {
  failing '.provisioners[1].max_retries = 2'
  run -1 build -on-error=ask t.json <<<c
  [ "$(grep -c 'arm: tried' <<<"$output")" = 3 ]
  [[ $output == *"retrying with 2 trie(s) left"*"retrying with 1 trie(s) left"*"clean up and exit"* ]]
  [ "$(grep -c 'cleaned up after 2' <<<"$output")" = 1 ]
}

@test "on-error=ask: Ctrl-C at the question ends the build" {
  failing
  run -130 on_terminal 'retry step' '\x03' -- "$slipway" build -on-error=ask t.json
  [[ $output != *"cleaned up"* ]]
  nothing_left
}

@test "debug: Enter before each step; Ctrl-C there ends it; nobody there goes on" {
  failing '.provisioners |= .[:1] + [{type: "shell", inline: ["echo 3 >/etc/third"]}]'
  run -0 on_terminal "before step 'shell'" '\n' "before step 'shell'" '\n' -- "$slipway" build -debug t.json
  [ "$(ext_cat out.img 2 /etc/third)" = 3 ]
  rm out.img
  run -130 on_terminal "before step 'shell'" '\n' "before step 'shell'" '\x03' -- "$slipway" build -debug t.json
  [ ! -e out.img ]
  nothing_left
  run -0 build -debug t.json </dev/null
  [ "$(grep -c "Press enter" <<<"$output")" = 2 ]
}

# How many of four builds were under way at the same time, at most.
together() {
  jq -n '{builders: [range(4) | {type: "null", communicator: "none", name: "b\(.)"}], provisioners: [{
    type: "shell-local", inline: ["echo + >>log", "sleep 1", "echo - >>log"]}]}' >t.json
  rm -f log
  run -0 build "$@" t.json
  awk '$1 == "+" {n++} $1 == "-" {n--} n > most {most = n} END {print most}' log
}

@test "parallel-builds: one, two, all at once; -debug is one at a time" {
  [ "$(together -parallel-builds=1)" = 1 ]
  [ "$(together -parallel-builds=2)" = 2 ]
  [ "$(together)" = 4 ]
  [ "$(together -debug </dev/null)" = 1 ]
}

@test "parallel-builds: one that fails leaves the others alone; the exit code tells" {
  jq -n '{builders: [("good", "bad", "late") | {type: "null", communicator: "none", name: .}], provisioners: [{
    type: "shell-local", inline: ["echo ran", "[ $PACKER_BUILD_NAME != bad ]"]}]}' >t.json
  run -1 build -parallel-builds=1 t.json
  [ "$(grep -c ': ran' <<<"$output")" = 3 ]
  [[ $output == *"--> null.bad: "* && $output != *"--> null.good: "*"error"* ]]
}
