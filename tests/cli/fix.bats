#!/usr/bin/env bats
# slipway fix: old spellings of JSON templates; Packer's own is the judge where it is installed.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  boards=${SLIPWAY_BOARD_TEMPLATES:-$here/../shared/templates}/boards
  cd "$BATS_TEST_TMPDIR" || return 1
  cat >old.json <<'END'
{
  "provisioners": [{"type": "shell", "inline": ["a && b <c >d"]}],
  "variables": {"z": "é\u2028", "a": null},
  "_comment": "kept",
  "post-processors": [
    "compress",
    [{"type": "manifest", "filename": "m.json"}, {"type": "docker-import", "login_email": "a@b", "repository": "r"}],
    {"type": "docker-tag", "tag": "x, y", "tags": ["y", "z"]}
  ],
  "builders": [{
    "type": "arm", "image_build_method": "reuse", "image_path": "{{ .CreateTime }}.img",
    "iso_md5": "d41d8cd98f00b204e9800998ecf8427e", "empty": [], "none": {}
  }]
}
END
}

@test "fix: the old spellings, keys sorted" {
  run -0 "$slipway" fix -validate=false old.json
  cat >wanted.json <<'END'
{
  "_comment": "kept",
  "builders": [
    {
      "empty": [],
      "image_build_method": "reuse",
      "image_path": "{{timestamp}}.img",
      "iso_checksum": "md5:d41d8cd98f00b204e9800998ecf8427e",
      "none": {},
      "type": "arm"
    }
  ],
  "post-processors": [
    "compress",
    [
      {
        "output": "m.json",
        "type": "manifest"
      },
      {
        "repository": "r",
        "type": "docker-import"
      }
    ],
    {
      "tags": [
        "x",
        "y",
        "z"
      ],
      "type": "docker-tag"
    }
  ],
  "provisioners": [
    {
      "inline": [
        "a && b <c >d"
      ],
      "type": "shell"
    }
  ],
  "variables": {
    "a": null,
    "z": "é
END
  printf '%s' "$(<wanted.json)" >wanted.json
  printf '\u2028"\n  }\n}\n\n' >>wanted.json
  "$slipway" fix -validate=false old.json | diff wanted.json -
}

@test "fix: as Packer's own" {
  shopt -s nullglob
  # Packer writes & and U+2028 as escapes, and looks for CreateTime in keys of cloud builders only.
  sed 's/{{ .CreateTime }}/x/; s/.u2028//' old.json >mine.json
  for template in mine.json "$boards"/*/*.json; do
    packer fix -validate=false "$template" | sed 's/\\u0026/\&/g' >packers
    "$slipway" fix -validate=false "$template" | diff packers -
  done
}

@test "fix: what is mended is right, and stays as it is" {
  jq 'del(.builders[0] | .iso_md5, .empty, .none) | del(."post-processors"[2])
    | .builders[0] += {file_urls: ["/b"], file_checksum_type: "none"}' old.json >ok.json
  run -0 --separate-stderr "$slipway" fix ok.json
  [ -z "$stderr" ]
  echo "$output" >fixed.json
  "$slipway" fix fixed.json | jq . | diff <(jq . fixed.json) -
  run -0 --separate-stderr "$slipway" fix - <ok.json
  diff fixed.json <(echo "$output")
}

@test "fix: printed, though it does not validate" {
  echo '{"builders": [{"type": "arm"}], "provisoners": []}' >bad.json
  run -1 --separate-stderr "$slipway" fix bad.json
  [ "$(jq -r '.builders[0].type' <<<"$output")" = arm ]
  [[ $stderr == *"unknown key 'provisoners'; did you mean 'provisioners'?"*"bad.json (fixed) line 7"* ]]
  run -0 "$slipway" fix -validate=false bad.json
}

@test "fix: what cannot be read" {
  run -1 --separate-stderr "$slipway" fix nothing.json
  [ -z "$output" ]
  [[ $stderr == *nothing.json*"No such file"* ]]
  echo '{' >open.json
  run -1 "$slipway" fix open.json
  [[ $output == *"open.json line 1"* ]]
  echo '[]' >list.json
  run -1 "$slipway" fix list.json
  [[ $output == *"a template is an object"* ]]
  touch x.pkr.hcl
  run -1 "$slipway" fix x.pkr.hcl
  [[ $output == *"JSON templates"* ]]
}

@test "fix: usage" {
  run -1 "$slipway" fix
  run -1 "$slipway" fix a b
  run -0 "$slipway" fix -help
  [[ $output == *iso-md5*manifest-filename*-validate* ]]
}

@test "fix: -machine-readable, before the command and after it" {
  run -0 "$slipway" -machine-readable fix -validate=false old.json
  [[ ${lines[0]} =~ ^[0-9]+,,ui,say,\{\\n\ \ \"_comment\":\ \"kept\"%!\(PACKER_COMMA\) ]]
  [ "${#lines[@]}" = 1 ]
  run -0 "$slipway" fix -machine-readable -validate=false old.json
  [[ ${lines[0]} =~ ^[0-9]+,,ui,say, ]]
}
