#!/usr/bin/env bats
# HCL2 templates: validate, inspect and build. Most use the null builder: no
# network, no root, no qemu.

# shellcheck disable=SC2154,SC2030,SC2031 # set by the helpers
load helpers

setup() { build_setup; }

# A template whose one step prints what stands in the first argument.
says() {
  cat >t.pkr.hcl
  cat >>t.pkr.hcl <<END
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["source.null.x"]
  provisioner "shell-local" {
    inline = ["cat <<'TEXT'", $1, "TEXT"]
  }
}
END
}

@test "hcl: variables, locals, several sources, overrides" {
  cat >t.pkr.hcl <<'END'
packer {
  required_version = ">= 1.7.0, < 2"
  required_plugins {
    git = {
      version = ">= 0.3.2"
      source  = "github.com/ethanmdavidson/git"
    }
  }
}
variable "who" {
  type    = string
  default = "nobody"
}
locals {
  greeting = "${local.word}, ${var.who}"
  word     = "hello"
}
source "null" "a" {
  communicator = "none"
}
source "null" "b" {
  communicator = "none"
}
build {
  name    = "both"
  sources = [source.null.a]
  source "null.b" {
    name = "other"
  }
  provisioner "shell-local" {
    inline   = ["echo ${local.greeting} from ${build.name} ${source.type} ${source.name} $PACKER_BUILD_NAME"]
    override = { other = { inline = ["echo overridden"] } }
  }
  provisioner "shell-local" {
    only   = ["null.a"]
    inline = ["echo only a"]
  }
  provisioner "shell-local" {
    except = ["both.null.*"]
    inline = ["touch never"]
  }
}
END
  run -0 build -var who=world t.pkr.hcl
  [[ $output == *"both.null.a: hello, world from both null a a"* ]]
  [[ $output == *"both.null.other: overridden"* ]]
  [[ $output == *"both.null.a: only a"* && $output != *"both.null.other: only a"* && ! -e never ]]
  run -0 build -only 'both.*.other' t.pkr.hcl
  [[ $output == *overridden* && $output != *nobody* ]]
  run -1 build -only 'null.a' t.pkr.hcl
  [[ $output == *"no build 'null.a'"*"both.null.a"* ]]
}

@test "hcl: build.NAME is filled in when it runs" {
  says '"id ${build.ID} run ${build.PackerRunUUID}"' </dev/null
  PACKER_RUN_UUID=the-run run -0 build t.pkr.hcl
  [[ $output == *"id Null run the-run"* ]]
}

@test "hcl: build.NAME can be computed with, and is not known to validate where only a run tells it" {
  says '"${upper(build.ID)} ${length(build.PackerRunUUID)} ${build.ConnType == "none" ? build.Port : "?"}${build.Host}"' </dev/null
  run -0 build t.pkr.hcl
  [[ $output == *"NULL 36 0"* ]]
  run -0 "$slipway" validate t.pkr.hcl
  says '"${parseint(build.ID, 10)}"' </dev/null
  run -1 "$slipway" validate t.pkr.hcl
  [[ $output == *"build.ID"* ]]
  says '"${parseint(build.PackerRunUUID, 10)}"' </dev/null
  run -0 "$slipway" validate t.pkr.hcl
}

@test "hcl: the order of values: default, environment, auto files, -var-file, -var" {
  mkdir m
  cd m
  says '"it is ${var.v}"' <<<'variable "v" {
    default = "default"
  }'
  run -0 build .
  [[ $output == *"it is default"* ]]
  export PKR_VAR_v=environment
  run -0 build .
  [[ $output == *"it is environment"* ]]
  echo 'v = "auto b"' >b.auto.pkrvars.hcl
  echo 'v = "auto a"' >a.auto.pkrvars.hcl
  run -0 build .
  [[ $output == *"it is auto b"* ]]
  echo '{"v": "auto json"}' >a.auto.pkrvars.json
  run -0 build .
  [[ $output == *"it is auto json"* ]]
  run -0 build t.pkr.hcl # a file alone takes no others from its folder
  [[ $output == *"it is environment"* ]]
  echo 'v = "file"' >f.pkrvars.hcl
  run -0 build -var-file=f.pkrvars.hcl .
  [[ $output == *"it is file"* ]]
  run -0 build -var v=first -var-file=f.pkrvars.hcl -var v=last .
  [[ $output == *"it is last"* ]]
}

@test "hcl: values of other types than string are expressions" {
  says '"${var.list[1]} ${var.number + 1} ${var.flag ? "yes" : "no"} ${var.object.a}"' <<'END'
variable "list" {
  type = list(string)
}
variable "number" {
  type = number
}
variable "flag" {
  type = bool
}
variable "object" {
  type = object({ a = string, b = optional(number) })
}
END
  PKR_VAR_flag=true run -0 build -var 'list=["a", "b"]' -var number=41 -var 'object={a = "text"}' t.pkr.hcl
  [[ $output == *"b 42 yes text"* ]]
}

@test "hcl: a folder, several files, the JSON form" {
  mkdir m
  echo 'variable "v" { default = "from one" }' >m/a.pkr.hcl
  cat >m/b.pkr.json <<'END'
{
  "//": "a comment",
  "locals": {"text": "${var.v} file"},
  "source": {"null": {"x": {"communicator": "none"}}},
  "build": {
    "sources": ["source.null.x"],
    "provisioner": [{"shell-local": {"inline": ["echo ${local.text} and another"], "environment_vars": ["A=${source.name}"]}}]
  }
}
END
  run -0 build m
  [[ $output == *"from one file and another"* ]]
  cd m
  run -0 "$slipway" validate .
  mkdir ../empty
  run -1 "$slipway" validate ../empty
  [[ $output == *"holds no template"*"*.pkr.hcl"* ]]
}

@test "hcl: from standard input" {
  says '"from standard input"' </dev/null
  run -0 build - <t.pkr.hcl
  [[ $output == *"from standard input"* ]]
}

@test "hcl: dynamic blocks" {
  cat >t.pkr.hcl <<'END'
variable "texts" { default = ["one", "two"] }
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["null.x"]
  dynamic "provisioner" {
    for_each = var.texts
    labels   = ["shell-local"]
    content {
      inline = ["echo ${provisioner.key} is ${provisioner.value} for ${source.name}"]
    }
  }
}
END
  run -0 build t.pkr.hcl
  [[ $output == *"0 is one for x"*"1 is two for x"* ]]
}

@test "hcl: secrets are in no output" {
  cat >t.pkr.hcl <<'END'
variable "password" {
  sensitive = true
}
local "token" {
  sensitive  = true
  expression = "x${var.password}y"
}
locals {
  derived = base64encode(var.password)
}
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = ["echo one ${var.password} two ${local.token} three ${local.derived}"]
  }
}
END
  PKR_VAR_password=hunter2 run -0 build t.pkr.hcl
  [[ $output == *"one <sensitive> two <sensitive> three <sensitive>"* || $output == *"one <sensitive> two x<sensitive>y three <sensitive>"* ]]
  [[ $output != *hunter2* && $output != *aHVudGVyMg==* ]]
  PKR_VAR_password=hunter2 SLIPWAY_LOG=debug run -0 build t.pkr.hcl
  [[ $output != *hunter2* ]]
  PKR_VAR_password=hunter2 run -0 "$slipway" inspect t.pkr.hcl
  [[ $output == *'var.password: "<sensitive>"'* && $output != *hunter2* && $output != *aHVudGVyMg* ]]
}

@test "hcl: retries, pauses, continue_on_error, error-cleanup" {
  cat >t.pkr.hcl <<'END'
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline      = ["echo try >>tries", "[ $(wc -l <tries) -ge 3 ]"]
    max_retries = 2
  }
  provisioner "shell-local" {
    inline            = ["exit 3"]
    continue_on_error = true
  }
  provisioner "sleep" {
    duration     = "1ms"
    pause_before = "10ms"
  }
  provisioner "shell-local" {
    inline = ["echo reached"]
  }
}
END
  run -0 build t.pkr.hcl
  [ "$(wc -l <tries)" = 3 ]
  [[ $output == *continue_on_error*reached* ]]
}

@test "hcl: post-processors, chains, -except" {
  cat >t.pkr.hcl <<'END'
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["null.x"]
  post-processor "shell-local" {
    name   = "single"
    inline = ["echo single >>ran"]
  }
  post-processors {
    post-processor "shell-local" {
      inline = ["echo first >>ran"]
    }
    post-processor "shell-local" {
      name   = "second"
      inline = ["echo second >>ran"]
    }
  }
}
END
  run -0 build t.pkr.hcl
  [ "$(paste -sd' ' ran)" = "single first second" ]
  rm ran
  run -0 build -except=single,second t.pkr.hcl
  [ "$(paste -sd' ' ran)" = first ]
}

@test "hcl: {{ }} in strings as Packer has it" {
  says '"{{isotime `2006`}} {{build_name}} {{build_type}}"' </dev/null
  SOURCE_DATE_EPOCH=1136239445 run -0 build t.pkr.hcl
  [[ $output == *"2006 x null"* ]]
}

@test "hcl: data sources: null, git, an executable" {
  git init -q -b trunk repo
  git -C repo -c user.name=A -c user.email=a@example.com commit -q --allow-empty -m 'first one'
  git -C repo tag v1
  mkdir -p plugins
  cat >plugins/slipway-data-source-greet <<'END'
#!/bin/sh
case $1 in
describe) echo '{"version": 1, "keys": {"who": {"type": "string", "required": true}}}' ;;
data) jq -c '{value: {text: ("hello " + .config.who), n: 3}}' ;;
*) exit 2 ;;
esac
END
  chmod 755 plugins/slipway-data-source-greet
  says '"${data.git-commit.c.author} ${trimspace(data.git-commit.c.message)} ${data.git-repository.r.head} ${data.git-repository.r.tags[0]} ${data.null.n.output} ${data.greet.g.text} ${data.greet.g.n + 1}"' <<'END'
data "null" "n" {
  input = data.git-commit.c.hash
}
data "git-commit" "c" {
  path       = "repo"
  commit_ish = "v1"
}
data "git-repository" "r" {
  path = "repo"
}
data "greet" "g" {
  who = "you"
}
END
  run -0 build t.pkr.hcl
  [[ $output == *"A <a@example.com> first one trunk v1 $(git -C repo rev-parse HEAD) hello you 4"* ]]
  # validate executes none, unless it is told to
  sed -i 's/"repo"/"nothing"/' t.pkr.hcl
  run -0 "$slipway" validate t.pkr.hcl
  run -1 "$slipway" validate -evaluate-datasources t.pkr.hcl
  [[ $output == *data.git-commit.c* ]]
  sed -i 's/who =/hwo =/' t.pkr.hcl
  run -1 "$slipway" validate t.pkr.hcl
  [[ $output == *"unknown key 'hwo'"*who* ]]
}

@test "hcl: what is unknown is not complained about" {
  cat >t.pkr.hcl <<'END'
data "null" "d" {
  input = "reuse"
}
source "arm" "pi" {
  file_urls          = [data.null.d.output]
  file_checksum      = data.null.d.output
  image_build_method = data.null.d.output
  image_path         = "${data.null.d.output}.img"
}
build {
  sources = ["arm.pi"]
  provisioner "shell" {
    inline = [data.null.d.output]
  }
}
END
  run -0 "$slipway" validate t.pkr.hcl
  run -1 "$slipway" validate -evaluate-datasources t.pkr.hcl
  [[ $output == *file_checksum* ]]
}

@test "hcl: options of validate" {
  says '"${var.needed}"' <<<'variable "needed" {}'
  run -0 "$slipway" validate -syntax-only t.pkr.hcl
  [ "$output" = "Syntax-only check passed. Everything looks okay." ]
  echo 'othr = 1' >v.pkrvars.hcl
  run -0 "$slipway" validate -var needed=x -var-file v.pkrvars.hcl t.pkr.hcl
  [[ $output == *"Warning: the template has no variable 'othr'"* ]]
  run -0 "$slipway" validate -no-warn-undeclared-var -use-sequential-evaluation -ignore-prerelease-plugins -var needed=x -var-file v.pkrvars.hcl t.pkr.hcl
  [ "$output" = "The configuration is valid." ]
  run -0 build -var needed=x -var-file v.pkrvars.hcl t.pkr.hcl
  [[ $output != *Warning* ]]
  run -0 build -warn-on-undeclared-var -var needed=x -var-file v.pkrvars.hcl t.pkr.hcl
  [[ $output == *Warning* ]]
}

@test "hcl: inspect" {
  cat >t.pkr.hcl <<'END'
variable "text" { default = "a\"b" }
variable "list" { default = ["a", 1] }
variable "needed" {}
locals { joined = "${var.text}-x" }
source "null" "a" {
  communicator = "none"
}
build {
  name        = "named"
  description = "what it is"
  sources     = ["source.null.a"]
  provisioner "shell-local" {
    name   = "first"
    inline = ["true"]
  }
  post-processors {
    post-processor "manifest" {}
  }
}
build {}
END
  run -0 "$slipway" inspect t.pkr.hcl
  [ "$output" = 'Packer Inspect: HCL2 mode

> input-variables:

var.list: "[\n  \"a\",\n  1,\n]"
var.needed: "<unknown>"
var.text: "a\"b"

> local-variables:

local.joined: "a\"b-x"

> builds:

  > named:

  > Description: what it is

    sources:

      null.a

    provisioners:

      shell-local.first

    post-processors:

      0:
        manifest

  > <unnamed build 1>:

    sources:

      <no source>

    provisioners:

      <no provisioner>

    post-processors:

      <no post-processor>' ]
  run -0 "$slipway" inspect -o json t.pkr.hcl
  [ "$(jq -r '.builds[0].provisioners[0], .locals[0].value' <<<"$output" | paste -sd' ')" = 'shell-local.first a"b-x' ]
}

@test "hcl: the examples are right, and laid out as fmt has it" {
  for template in "$here"/examples/*.pkr.hcl; do
    run -0 "$slipway" validate "$template"
    run -0 "$slipway" fmt -check "$template"
  done
}

@test "hcl: a JSON file of values: strings are no templates; a broken one shows no secret" {
  says '"it is ${var.v}"' <<'END'
variable "v" {
  sensitive = false
}
variable "token" {
  sensitive = true
  default   = ""
}
END
  echo '{"//": "a comment", "v": "${x} as it is", "token": "hunter2"}' >v.json
  run -0 build -var-file v.json t.pkr.hcl
  [[ $output == *'it is ${x} as it is'* ]]
  echo '{"v": "x", "token": ["hunter2"]}' >v.json
  run -1 build -var-file v.json t.pkr.hcl
  [[ $output == *"does not fit its type"* && $output != *hunter2* ]]
  echo '{"token": "hunter2' >v.json
  run -1 build -var-file v.json t.pkr.hcl
  [[ $output == *v.json* && $output != *hunter2* ]]
}
