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

# cached NAME SCRIPT ARGUMENTS...: print the folder with what `SCRIPT ARGUMENTS inside WORK` makes in
# WORK/out, which runs in the namespaces, unless the cache has it. One process
# makes it, the others wait.
cached() {
  local name=$1 script=$2 entry work
  shift 2
  entry=$images_cache/$name-$(cat "$script" "$images_dir/common.sh" "$images_dir/inside" | sha256sum | cut -c 1-12)
  if [ ! -e "$entry" ]; then
    mkdir -p "$images_cache"
    exec 9>"$images_cache/$name.lock"
    flock -w 3000 9 || fail "waited 50 minutes for $images_cache/$name.lock"
  fi
  if [ ! -e "$entry" ]; then
    work=$(mktemp -d "$images_cache/.work-XXXXXX")
    # shellcheck disable=SC2064 # this folder, now
    trap "'$images_dir/inside' rm -rf '$work' 9>&-" EXIT
    chmod 755 "$work"
    "$images_dir/inside" "$script" "$@" inside "$work" >&2 9>&-
    mv "$work/out" "$entry"
  fi
  printf '%s\n' "$entry"
}
