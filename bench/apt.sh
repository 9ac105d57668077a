# apt of this machine, for packages that are not for it.
# shellcheck shell=bash

# apt_apart STATE ARCHITECTURE COMMAND...: apt-get with STATE/sources.list; what it knows and fetches is in STATE, which is made.
apt_apart() {
  local state=$1 arch=$2
  shift 2
  mkdir -p "$state"/lists/partial "$state"/cache/archives/partial
  [ -e "$state/status" ] || : >"$state/status"
  apt-get -qq -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" \
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
    -o APT::Sandbox::User=root -o Acquire::Retries=5 "$@"
}
