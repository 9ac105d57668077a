#!/usr/bin/env bats
# slipway console, from a pipe and at a terminal; slipway init of a template.

# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # set by the helpers and by run; expressions in quotes
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export XDG_STATE_HOME=$PWD/state HOME=$PWD
  cat >board.pkr.hcl <<'END'
variable "board" { default = "rpi" }
variable "password" {
  default   = "hunter2"
  sensitive = true
}
locals { image = "${var.board}.img" }
source "null" "x" { communicator = "none" }
build { sources = ["source.null.x"] }
END
  cat >board.json <<'END'
{"variables": {"board": "rpi", "password": "hunter2"}, "sensitive-variables": ["password"],
 "builders": [{"type": "null", "communicator": "none"}]}
END
}

# asks TEXT [ARGUMENT...]: what the console says to it.
asks() { printf '%b\n' "$1" | "$slipway" console "${@:2}"; }

@test "console: expressions, with a template's variables and without a template" {
  [ "$(asks '1 + 5')" = 6 ]
  [ "$(asks 'upper(var.board)' board.pkr.hcl)" = RPI ]
  [ "$(asks local.image -var board=x .)" = x.img ]
  [ "$(PKR_VAR_board=y asks local.image .)" = y.img ]
  [ "$(asks '[1, "a"]')" = $'[\n  1,\n  "a",\n]' ]
  [ "$(asks '"a\\nb"' -config-type=hcl2)" = $'a\nb' ]
}

@test "console: JSON templates" {
  [ "$(asks 'a {{user `board` | upper}}' board.json)" = 'a RPI' ]
  [ "$(asks '{{user `board`}}' -var board=x board.json)" = x ]
  [ "$(asks 'plain' board.json)" = plain ]
  [ "$(asks '{{upper `x`}}')" = X ]
  run ! asks '{{nope}}' board.json
}

@test "console: what is sensitive is not shown" {
  [ "$(asks var.password board.pkr.hcl)" = '<sensitive>' ]
  [ "$(asks '"x ${var.password}"' board.pkr.hcl)" = '<sensitive>' ]
  [ "$(asks '{{user `password`}}' board.json)" = '<sensitive>' ]
  for template in board.pkr.hcl board.json; do
    run -0 asks variables "$template"
    [[ $output == *board*rpi* && $output == *password* && $output != *hunter2* ]]
  done
  run ! asks 'var.password + 1' board.pkr.hcl
  [[ $output != *hunter2* ]]
}

@test "console: piped, the last value is printed, and any error gives exit code 1" {
  [ "$(asks '"a"\n"b"')" = b ]
  run -1 --separate-stderr asks 'nope\n"b"'
  [ "$output" = b ]
  [[ $stderr == *"no variable named 'nope'"*"<console-input> line 1"* ]]
  run -1 --separate-stderr asks '"a"\nnope'
  [ -z "$output" ]
  [ "$(asks '"a"\nexit\nnope')" = a ]
  [ "$(asks '"a"\n\n')" = a ]
}

@test "console: expressions of several lines" {
  [ "$(asks '[\n1\n]')" = $'[\n  1,\n]' ]
  [ "$(asks '<<E\na\nE')" = a ]
  run -1 asks '[1'
  [[ $output == *"the text ends"* ]]
}

@test "console: a template that is not right" {
  echo 'variable "x" {' >bad.pkr.hcl
  run -1 asks 1 bad.pkr.hcl
  run -1 asks 1 nothing.json
  run -1 "$slipway" console a b
}

# at_terminal [TEXT KEYS]...: what a console shows at a terminal that is typed at.
at_terminal() {
  run -0 python3 "$BATS_TEST_DIRNAME/terminal.py" "$@" -- "$slipway" console board.pkr.hcl
  output=${output//$'\r'/}
}

@test "console: what has no value is unknown, and no error" {
  cat >u.pkr.hcl <<'END'
variable "must" {
  type = string
}
variable "ok" {
  default = "fine"
}
locals {
  bad = nofunc(1)
}
END
  run -0 --separate-stderr "$slipway" console u.pkr.hcl <<<'var.ok'
  [ "$output" = fine ]
  [[ $stderr == *"no function named 'nofunc'"* ]]
  run -0 --separate-stderr "$slipway" console u.pkr.hcl <<<'"${var.must}${local.bad}"'
  [ "$output" = '<unknown>' ]
  echo '{"variables": {"must": null, "ok": "{{env `HOME`}}"}, "builders": [{"type": "null"}]}' >u.json
  HOME=/home/me run -0 "$slipway" console u.json <<<'{{user `ok`}}'
  [ "$output" = /home/me ]
}

@test "console: at a terminal" {
  export TERM=dumb
  at_terminal '> ' '1+ 5\r' '> ' 'nope\r' '> ' '[1,\r' '. ' '2]\r' '> ' 'var.b\t\r' '> ' 'thrown away\x03' \
    '> ' '[\r' '. ' '\x03' '> ' '"after"\r' '> ' '\x04'
  [[ $output == *$'\n6\n'*"no variable named 'nope'"*$'\n[\n  1,\n  2,\n]\n'*$'\nrpi\n'*^C*^C*$'\nafter\n'* ]]
  grep -q 'var.board' state/slipway/console_history
  # What was typed before is there again.
  at_terminal '> ' '\x10\x10\r' 'rpi' 'exit\r'
  [[ $output == *$'\nrpi\n'* ]]
}

@test "init: what is built in, and what is missing" {
  cat >plugins.pkr.hcl <<'END'
packer {
  required_plugins {
    docker = {
      version = ">= 1.0"
      source  = "github.com/hashicorp/docker"
    }
    arm = {
      version = "1.0.0"
      source  = "github.com/somebody/builder-arm"
    }
  }
}
END
  run -0 "$slipway" init plugins.pkr.hcl
  [[ $output == *"docker (github.com/hashicorp/docker): built in: "*docker-import* ]]
  [[ $output == *"arm (github.com/somebody/builder-arm): built in: the builder arm"* ]]
  run -0 "$slipway" init -upgrade -force .
  run -0 "$slipway" plugins required .
  [[ $output == *'docker github.com/hashicorp/docker ">= 1.0" built in'* ]]
  run -0 "$slipway" init board.json
  run -0 "$slipway" plugins required board.json
  [[ $output == *"No plugins requirement found"* ]]

  sed -i 's/docker/goss/g' plugins.pkr.hcl
  run -1 "$slipway" init plugins.pkr.hcl
  [[ $output == *"the plugin 'goss' (github.com/hashicorp/goss) is not built in"*slipway-provisioner-goss* ]]
  mkdir plugins
  cp "$here/examples/plugins/slipway-provisioner-users" plugins/slipway-provisioner-goss
  run -0 "$slipway" init plugins.pkr.hcl
  [[ $output == *"goss "*./plugins/slipway-provisioner-goss* ]]
}

@test "init: usage" {
  run -1 "$slipway" init
  run -1 "$slipway" init nothing.pkr.hcl
}

@test "init: a starter template for a board" {
  rm -f ./*.hcl ./*.json
  name=$("$slipway" help init | sed -n '/^Boards/,/^Options/s/^  \([a-z0-9-]*\)  *.*/\1/p' | head -n 1)
  run -0 "$slipway" init "$name"
  [[ ${lines[0]} == "./$name.pkr.hcl: "* || ${lines[0]} == "$name.pkr.hcl: "* ]]
  run -0 "$slipway" validate "$name.pkr.hcl"
  run -1 "$slipway" init "$name"
  [[ $output == *"is there already; use -force"* ]]
  run -0 "$slipway" init -force "$name"
  run -0 "$slipway" init "$name" a/folder
  [ -s "a/folder/$name.pkr.hcl" ]
  run -1 "$slipway" init "${name}x"
  [[ $output == *"no board of this name; did you mean '$name'?"* ]]
  run -1 "$slipway" init "$name" a b
}
