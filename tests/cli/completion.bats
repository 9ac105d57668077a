#!/usr/bin/env bats
# slipway completion: what bash and zsh offer, by calling the functions that the scripts define.

# shellcheck disable=SC2154,SC2016 # set by the helpers and by run; scripts in quotes
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir folder
  touch a.json b.pkr.hcl 'with blank.json' notes.txt
}

# offers WORD...: what bash offers for the last word.
offers() {
  "$slipway" completion bash >script
  run -0 bash -c 'source ./script
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _slipway
    printf "%s\n" "${COMPREPLY[@]}"' bash slipway "$@"
}

@test "completion: bash has every command" {
  offers ''
  for command in $(commands); do
    grep -qx "$command" <<<"$output"
  done
  offers va
  [ "$output" = validate ]
  offers -mach
  [ "$output" = -machine-readable ]
}

@test "completion: bash has every option of every command" {
  for command in $(commands); do
    wanted=$("$slipway" "$command" -help | sed -n 's/^  -\([^ =]*\).*/-\1/p' | sort)
    offers "$command" -
    [ "$(tr -d = <<<"$output" | grep -vx -e -help | sort)" = "$wanted" ]
  done
}

@test "completion: bash knows values, templates and files" {
  offers build -on-error = ''
  [ "$(xargs <<<"$output")" = "$("$slipway" build -on-error=x 2>&1 | sed -n 's/.*one of \(.*\) was.*/\1/p' | tr -d ,)" ]
  offers build -on-error = ab
  [ "$output" = abort ]
  offers build --on-error cl
  [ "$output" = cleanup ]
  offers build -force ''
  [ "$(sort <<<"$output" | xargs -d '\n')" = 'a.json b.pkr.hcl folder with blank.json' ]
  offers build -var-file = n
  [ "$output" = notes.txt ]
  offers -machine-readable build w
  [ "$output" = 'with blank.json' ]
  offers image ''
  [ "$(xargs <<<"$output")" = 'info ls cat extract' ]
  offers image cat n
  [ "$output" = notes.txt ]
  offers help compr
  [ "$output" = compress ]
  offers init a
  [ "$output" = a.json ]
  offers init folder
  [ "$output" = folder ]
  offers init raspios
  [[ $output == *raspios-lite-arm64* ]]
  offers completion ''
  [ "$(xargs <<<"$output")" = 'bash zsh' ]
}

@test "completion: zsh" {
  "$slipway" completion zsh >_slipway
  zsh -fn _slipway
  run -0 zsh -fc '
    compdef() { : }
    _describe() { print -l -- ${(P)2} }
    _arguments() { print -l -- "$@" }
    source ./_slipway
    words=(slipway "") CURRENT=2
    _slipway
    print -- ---
    words=(slipway -machine-readable build "") CURRENT=4
    _slipway'
  [[ $output == *"build:Build images"*---*"*-var-file=["*":value:_files"*"-on-error=["*"(cleanup "*'*.(json|hcl)'* ]]
  # As compinit would find it: the function on fpath, the completion system loaded.
  run -0 zsh -fc 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -d dump; print -- $_comps[slipway]'
  [ "$output" = _slipway ]
}

@test "completion: other shells, usage" {
  run -1 "$slipway" completion bsh
  [[ $output == *"unknown shell 'bsh'; did you mean 'bash'?"* ]]
  run -1 "$slipway" completion
}

@test "completion: the script for bash has no faults" {
  "$slipway" completion bash >script
  shellcheck -s bash script
}
