# Shared by the scripts that make base images for the tests: the cache, the
# lock, Debian's mirror as this machine's apt knows it, and namespaces in which
# an ordinary user is root over a range of ids and foreign binaries run.
# shellcheck shell=bash disable=SC2034

images_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
images_cache=${SLIPWAY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-tests}
PATH=$PATH:/usr/sbin:/sbin

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Debian's main mirror and suite, from the machine's own apt configuration.
debian_source() {
  apt-get indextargets --format "\$($1)" 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' |
    grep -v -e '-updates$' -e '-backports$' | sort -u | head -n 1
}

debian_mirror() {
  local mirror
  mirror=$(debian_source SITE)
  [ -n "$mirror" ] || fail "apt knows no Debian mirror (apt-get indextargets is empty): run 'apt-get update' first"
  printf '%s\n' "$mirror"
}

# The folder of what the files given make, by their digest: "name-0123456789ab".
cache_entry() {
  local name=$1
  shift
  printf '%s/%s-%s\n' "$images_cache" "$name" "$(cat "$@" | sha256sum | cut -c 1-12)"
}

# Run the rest of the script once for all: wait for whoever is at it.
cache_lock() {
  mkdir -p "$images_cache"
  exec 9>"$images_cache/$1.lock"
  flock -w 3000 9 || fail "waited 50 minutes for the lock of $images_cache/$1.lock"
}
