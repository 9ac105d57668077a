#!/usr/bin/env bats
# What scripts around Packer give on the command line: each option of Packer
# 1.16 is taken by the verb that has it, or refused with a reason.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  build_setup
  cat >t.pkr.hcl <<'END'
packer {
  required_plugins {
    git = { version = ">= 0.3.2", source = "github.com/ethanmdavidson/git" }
  }
}
variable "who" {
  default = "nobody"
}
source "null" "a" {
  communicator = "none"
}
source "null" "b" {
  communicator = "none"
}
build {
  sources = ["source.null.a", "source.null.b"]
  provisioner "shell-local" {
    inline = ["echo ${source.name} says hello to ${var.who}"]
  }
}
END
  echo '{"variables": {"who": "nobody"}, "builders": [{"type": "null", "communicator": "none"}]}' >t.json
  echo 'who = "file"' >v.pkrvars.hcl
  common=(-var who=x -var-file=v.pkrvars.hcl -only null.a -except none -use-sequential-evaluation
    -ignore-prerelease-plugins)
}

@test "flags: build" {
  run -0 build "${common[@]}" -config-type=hcl2 -color=false -debug=false -force -machine-readable=false \
    -on-error=cleanup -parallel-builds=1 -timestamp-ui=false -warn-on-undeclared-var t.pkr.hcl
  [[ $output == *"null.a: a says hello to "* && $output != *"null.b: b"* ]]
  run -0 build -color t.pkr.hcl
  [[ $output == *$'\e['* ]]
}

@test "flags: validate, inspect, console, init, plugins required" {
  run -0 "$slipway" validate "${common[@]}" -config-type=hcl2 -syntax-only -evaluate-datasources \
    -no-warn-undeclared-var t.pkr.hcl
  run -0 "$slipway" inspect "${common[@]}" -config-type=hcl2 -machine-readable t.pkr.hcl
  run -0 "$slipway" console "${common[@]}" -config-type=hcl2 t.pkr.hcl <<<'var.who'
  run -0 "$slipway" init "${common[@]}" -config-type=hcl2 -upgrade -force t.pkr.hcl
  run -0 "$slipway" plugins required "${common[@]}" -config-type=hcl2 t.pkr.hcl
  [[ $output == 'git github.com/ethanmdavidson/git ">= 0.3.2" built in' ]]
}

@test "flags: fix, hcl2_upgrade, fmt" {
  run -0 "$slipway" fix "${common[@]}" -config-type=json -validate=false t.json
  run -0 "$slipway" hcl2_upgrade "${common[@]}" -output-file=out.pkr.hcl -with-annotations t.json
  [ -s out.pkr.hcl ]
  run -3 "$slipway" fmt "${common[@]}" -check -diff -write=false -recursive=false - <<<'a=1'
  run -0 "$slipway" fmt -check t.pkr.hcl
}

@test "flags: plugins" {
  run -0 "$slipway" plugins installed
  run -0 "$slipway" plugins install -force github.com/hashicorp/ansible v1.1.0
  [[ $output == *"built in: the provisioner ansible"* ]]
  run -1 "$slipway" plugins install -path=plugin github.com/hashicorp/ansible
  [[ $output == *"'plugin' cannot be installed"* ]]
  run -1 "$slipway" plugins remove github.com/hashicorp/ansible
  [[ $output == *"nothing was installed"* ]]
  run -1 "$slipway" plugins install
  [[ $output == *"at least 1 argument was expected, and 0 were given"* ]]
}

@test "flags: what has no effect is not in the list of options, but said" {
  run -0 "$slipway" fmt -help
  [[ $output == *"without effect"*"-use-sequential-evaluation"* && $output != *"  -only"* ]]
  run -0 "$slipway" plugins required -help
  [[ $output == *"without effect"* && $output != *Options:* ]]
  run -0 "$slipway" completion bash
  [[ $output != *"-use-sequential-evaluation"* ]]
}

@test "flags: the program's own" {
  for word in -v -version --version version; do
    run -0 "$slipway" "$word"
    [[ $output == slipway\ v* ]]
  done
  run -1 "$slipway" -autocomplete-install
  [[ $output == *"completion is installed with slipway"* ]]
  run -1 "$slipway" build one two
  [[ $output == *"1 argument was expected, and 2 were given"* ]]
}

@test "flags: -config-type=hcl2 where the name does not tell it" {
  run -0 "$slipway" validate -config-type=hcl2 - <t.pkr.hcl
  cp t.pkr.hcl t.txt
  run -0 "$slipway" validate -config-type=hcl2 t.txt
  run -0 "$slipway" inspect -config-type=hcl2 t.txt
  [[ $output == *"HCL2 mode"* ]]
  run -1 "$slipway" validate t.txt
}

@test "flags: patterns of -only and -except" {
  run -0 build -only '{null.a,other.*}' t.pkr.hcl
  [[ $output == *"a says"* && $output != *"b says"* ]]
  run -0 build -only 'null.[!a]' t.pkr.hcl
  [[ $output != *"a says"* && $output == *"b says"* ]]
  run -0 build -except 'null.{b,c}' t.pkr.hcl
  [[ $output == *"a says"* && $output != *"b says"* ]]
  run -1 "$slipway" validate -only '{null.a' t.pkr.hcl
  [[ $output == *"'{null.a' is no pattern: a bracket is not closed"* ]]
}

@test "flags: a name of no build is warned of, and a build needs one to run" {
  run -0 "$slipway" validate -only nul.a t.pkr.hcl
  [[ $output == *"Warning: -only: the template has no build 'nul.a'; did you mean 'null.a'?"* ]]
  run -0 build -only null.a,elsewhere.x t.pkr.hcl
  [[ $output == *"Warning: -only: the template has no build 'elsewhere.x'"*"There are: null.a, "*"a says"* ]]
  for verb in build plan; do
    run -1 "$slipway" "$verb" -only nothing t.pkr.hcl
    [[ $output == *"Error: t.pkr.hcl: -only and -except leave no build"*"There are: null.a, "* ]]
    run -1 "$slipway" "$verb" -except '*' t.pkr.hcl
    [[ $output == *"leave no build"* ]]
  done
  echo '{"builders": [{"type": "null", "communicator": "none"}]}' >t.json
  run -1 "$slipway" build -except null t.json
  [[ $output == *"t.json: -only and -except leave no build"*"There are: null"* ]]
  run -0 "$slipway" validate -except null t.json
}

@test "flags: a plugin later than what is built in is warned of" {
  sed -i 's/>= 0.3.2/>= 99.1/' t.pkr.hcl
  run -0 "$slipway" init t.pkr.hcl
  [[ $output == *"asks for the plugin 'git' >= 99.1; what is built in is as "*"built in: the data sources"* ]]
  sed -i 's/>= 99.1/= 0.1.0/' t.pkr.hcl
  run -0 "$slipway" validate t.pkr.hcl
  [[ $output != *Warning* ]]
}

@test "flags: behind the template they are told apart from a second one" {
  run -1 "$slipway" validate t.json -o json
  [ "${lines[0]}" = "slipway validate: options stand before the arguments; '-o' comes after 't.json'" ]
  [ "${#lines[@]}" -eq 2 ]
}

@test "flags: what was wrong with a command line stays in view" {
  for command in $(commands); do
    run "$slipway" "$command" one two three four
    echo "$command: $status, $output"
    [ "$status" -eq 1 ] || [ "$command" = version ]
    [ "${#lines[@]}" -lt 20 ]
    [[ $output != *"Options:"* ]]
  done
}

@test "flags: a word that a command does not know is told with those that it does" {
  run -1 "$slipway" cache l
  [[ ${lines[0]} == "slipway cache: unknown action 'l'; did you mean 'ls'? There are: ls, du, prune, verify" ]]
  [ "${lines[1]}" = "Try 'slipway cache -help'." ]
  run -1 "$slipway" cache something
  [ "${lines[0]}" = "slipway cache: unknown action 'something'. There are: ls, du, prune, verify" ]
  run -1 "$slipway" machine shwo x
  [[ ${lines[0]} == "slipway machine: unknown verb 'shwo'; did you mean 'show'? There are: ls, show, pcap" ]]
  run -1 "$slipway" lease ''
  [ "${lines[0]}" = "slipway lease: unknown verb ''. There are: ls, release" ]
  run -1 "$slipway" simulate bois
  [[ ${lines[0]} == "slipway simulate: unknown kind of client 'bois'; did you mean 'bios'? There are: bios, "* ]]
  [ "${lines[1]}" = "Try 'slipway simulate -help'." ]
  run -1 "$slipway" release instal x
  [[ ${lines[0]} == "slipway release: unknown verb 'instal'; did you mean 'install'? There are: install, "* ]]
  run -1 "$slipway" plugins instaled
  [[ ${lines[0]} == "slipway plugins: unknown action 'instaled'; did you mean 'installed'? There are: "* ]]
  run -1 "$slipway" completion fish
  [ "${lines[0]}" = "slipway completion: unknown shell 'fish'. There are: bash, zsh" ]
  run -1 "$slipway" machine show
  [ "${lines[0]}" = "slipway machine show: 1 argument was expected, and 0 were given" ]
  run -1 "$slipway" lease ls more
  [ "${lines[0]}" = "slipway lease ls: no arguments are expected" ]
}

@test "flags: behind -- there are no options" {
  run -1 "$slipway" image ls -- -o -R
  [[ $output == *"open image '-o'"* ]]
  run -1 "$slipway" image -- ls -R
  [[ $output == *"open image '-R'"* ]]
  run -1 "$slipway" cache -- -o
  [[ $output == *"unknown action '-o'"* ]]
}
