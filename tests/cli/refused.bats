#!/usr/bin/env bats
# What slipway says where the kernel, or what stands before it, refuses namespaces: by the switches
# themselves where they can be set, else by system calls that fail as they would.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() {
  build_setup
  refuse=$(realpath "${slipway%/*}/../tests/refuse")
}

# namespaces_fail WORDS COMMAND...: what doctor, run by the command, says about them.
namespaces_fail() {
  local words=$1
  shift
  run -1 "$@" "$slipway" doctor -o json
  found=$(jq -r '.checks[] | select(.name == "user namespaces") | "\(.found)\n\(.mend)"' <<<"$output")
  echo "$found"
  [[ $found == *"$words"* ]]
}

@test "refused: user.max_user_namespaces is 0" {
  # shellcheck disable=SC2016 # for the shell inside
  namespaces_fail 'sudo sysctl -w user.max_user_namespaces=15000' \
    "$here/tests/images/inside" sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh
  [[ $found == *"user namespaces are switched off"* ]]
}

@test "refused: too many user namespaces, or none in this kernel" {
  namespaces_fail 'as many user namespaces as this host allows' "$refuse" unshare=ENOSPC
  namespaces_fail 'one with CONFIG_USER_NS=y is needed' "$refuse" unshare=EINVAL
}

@test "refused: by a container's seccomp profile" {
  namespaces_fail 'making a user namespace (unshare) is not permitted here. In a container' "$refuse" unshare=EPERM
  [[ $found == *"--security-opt seccomp=unconfined"* ]]
}

@test "refused: in a chroot" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to make a chroot'
  # shellcheck disable=SC2016
  namespaces_fail 'in a chroot, leave it' unshare --mount sh -c 'mount --rbind / "$0" && exec chroot "$0" "$@"' "$BATS_TEST_TMPDIR"
}

@test "refused: mounts in a user namespace" {
  [ "$(id -u)" -eq 0 ] || skip 'newuidmap does not work under a filter of an ordinary user'
  namespaces_fail 'changing mounts in a user namespace is not permitted here' "$refuse" mount=EACCES
}

# As an ordinary user, with one switch of the kernel's as given: with_switch NAME VALUE COMMAND...
with_switch() {
  # shellcheck disable=SC2016
  unshare --mount sh -c 'mount -t tmpfs tmpfs /proc/sys/kernel && echo "$1" >"/proc/sys/kernel/$0" && shift && exec "$@"' "$@"
}

as_nobody() {
  cp "$slipway" "$refuse" "$BATS_TEST_TMPDIR/"
  slipway=$BATS_TEST_TMPDIR/slipway
  refuse=$BATS_TEST_TMPDIR/refuse
  chmod -R a+rX "$BATS_TEST_TMPDIR"
  mkdir -p "$SLIPWAY_CACHE_DIR"
  user=$(cut -d: -f1 /etc/subuid | head -n 1)
  chown "$user:" "$SLIPWAY_CACHE_DIR" "$BATS_TEST_TMPDIR"
}

@test "refused: to ordinary users, by kernel.unprivileged_userns_clone" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to set the switch'
  as_nobody
  namespaces_fail 'sudo sysctl -w kernel.unprivileged_userns_clone=1' \
    with_switch unprivileged_userns_clone 0 "$refuse" unshare=EPERM setpriv --reuid="$user" --regid="$user" --clear-groups
}

@test "refused: to ordinary users, by AppArmor, at the start or when they would be root in it" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to set the switch'
  as_nobody
  for rule in unshare=EACCES setresuid:0=EPERM; do
    namespaces_fail 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' \
      with_switch apparmor_restrict_unprivileged_userns 1 "$refuse" $rule setpriv --reuid="$user" --regid="$user" --clear-groups
  done
}

@test "refused: binfmt_misc in user namespaces, as before Linux 6.7, and the host has none" {
  [ "$(id -u)" -eq 0 ] || skip 'newuidmap does not work under a filter of an ordinary user'
  # shellcheck disable=SC2016
  run "$refuse" fsopen=EPERM unshare --mount sh -c 'mount -t tmpfs tmpfs /proc/sys/fs/binfmt_misc && exec "$0" doctor -o json' "$slipway"
  found=$(jq -r '.checks[] | select(.name == "arm64 programs") | "\(.ok) \(.found)\n\(.mend)"' <<<"$output")
  [[ $found == "false "*"no emulator registered for them with flag F"*"it may since Linux 6.7"*"sudo apt-get install qemu-user-static binfmt-support" ]]
}
