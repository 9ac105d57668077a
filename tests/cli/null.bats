#!/usr/bin/env bats
# The null builder: nothing but the host's steps and post-processors.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { build_setup; }

@test "null: steps on the host, post-processors without files" {
  cat >t.json <<'END'
{"builders": [{"type": "null", "communicator": "none"}],
 "provisioners": [{"type": "shell-local", "inline": ["echo said by $PACKER_BUILD_NAME"]}],
 "post-processors": ["manifest"]}
END
  run -0 build t.json
  [[ $output == *"null: said by null"* && $output == *"Did not export anything. This is the null builder"* ]]
  [ "$(jq -r '.builds[0] | .name, .artifact_id' packer-manifest.json | paste -sd' ')" = "null Null" ]
}

@test "null: what needs a guest is refused before anything runs" {
  echo '{"builders": [{"type": "null", "communicator": "none"}], "provisioners": [
    {"type": "shell-local", "inline": ["touch ran"]}, {"type": "shell", "inline": ["true"]}]}' >t.json
  run -1 build t.json
  [[ $output == *"the provisioner 'shell' needs a guest, and the build 'null' has none"* && ! -e ran ]]
}

@test "null: the error-cleanup-provisioner runs on the host" {
  echo '{"builders": [{"type": "null", "communicator": "none"}], "provisioners": [{"type": "shell-local", "inline": ["exit 3"]}],
    "error-cleanup-provisioner": {"type": "shell-local", "inline": ["touch cleaned"]}}' >t.json
  run -1 build t.json
  [ -e cleaned ]
}
