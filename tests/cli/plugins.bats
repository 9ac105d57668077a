#!/usr/bin/env bats
# slipway plugins: what is built in, and stand-alone executables.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  unset SLIPWAY_PLUGIN_PATH PACKER_PLUGIN_PATH
  export HOME=$PWD XDG_CONFIG_HOME=$PWD/config
}

@test "plugins: none but what is built in" {
  run -0 "$slipway" plugins
  [[ $output == *"builder "*arm*"provisioner "*shell*"post-processor "*compress*Executables:*none* ]]
  run -0 "$slipway" plugins installed
  [ -z "$output" ]
}

@test "plugins: executables, by name, the first of a name" {
  mkdir -p plugins other config/slipway/plugins
  cp "$here"/examples/plugins/* other
  cp other/slipway-provisioner-users plugins/slipway-provisioner-users
  cp other/slipway-provisioner-users config/slipway/plugins/packer-provisioner-more
  touch other/slipway-provisioner-not-executable
  mkdir other/slipway-provisioner-folder
  export SLIPWAY_PLUGIN_PATH=$PWD/other
  run -0 "$slipway" plugins installed
  diff <(echo "$output") - <<END
$PWD/config/slipway/plugins/packer-provisioner-more
./plugins/slipway-provisioner-users
$PWD/other/slipway-post-processor-size-report
END
  run -0 "$slipway" plugins
  [[ $output == *"provisioner "*users*./plugins/slipway-provisioner-users*"post-processor "*size-report*other* ]]
}

@test "plugins: one that does not keep to the contract says so" {
  mkdir plugins
  printf '#!/bin/sh\nexit 1\n' >plugins/slipway-provisioner-broken
  chmod 755 plugins/slipway-provisioner-broken
  run -0 "$slipway" plugins
  [[ $output == *broken*"describe: failed"* ]]
}

@test "plugins: install says what is here" {
  run -0 "$slipway" plugins install github.com/hashicorp/docker 1.0.8
  [[ $output == *"built in: "*docker-import* ]]
  run -1 "$slipway" plugins install github.com/hashicorp/amazon
  [[ $output == *"'amazon' (github.com/hashicorp/amazon) is not built in"* ]]
}

@test "plugins: usage" {
  run -1 "$slipway" plugins requird
  [[ $output == *"did you mean 'required'?"* ]]
  run -1 "$slipway" plugins installed x
}
