# What the tests of `slipway build` share. Each file has a cache of its own.
# shellcheck shell=bash disable=SC2034 # variables are read by the tests

bats_require_minimum_version 1.5.0

here=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
slipway=$(realpath "${SLIPWAY:-$here/build/src/slipway}")
export LC_ALL=C.UTF-8 NO_COLOR=1 PATH="$PATH:/usr/sbin:/sbin" MTOOLS_SKIP_CHECK=1
unset SOURCE_DATE_EPOCH PACKER_CACHE_DIR PACKER_LOG

build_setup() {
  export SLIPWAY_CACHE_DIR=$BATS_FILE_TMPDIR/cache
  export TMPDIR=$BATS_TEST_TMPDIR
  cd "$BATS_TEST_TMPDIR" || return 1
  cat /proc/self/mountinfo >mounts.before
}

# Trees in the cache have owners that only the user's own namespace may remove.
teardown_file() {
  if [ "$(id -u)" -ne 0 ] && [ -d "$BATS_FILE_TMPDIR/cache" ]; then
    unshare --user --map-auto --map-root-user rm -rf "$BATS_FILE_TMPDIR/cache"
  fi
}

# The folder of small base images of an architecture, or of whole Debians.
small() { "$here/tests/images/small" "${1:-arm64}"; }
debian() { "$here/tests/images/debian" "$1"; }

# template BASE METHOD STEPS [JQ]: write t.json, a template that makes out.img
# from the file BASE with the JSON list of provisioners STEPS; JQ edits it.
template() {
  jq -n --arg url "$1" --arg sum "$(cut -d' ' -f1 "$1.sha256")" --arg method "$2" --argjson steps "$3" '{
    builders: [{
      type: "arm", file_urls: [$url], file_checksum: $sum, file_checksum_type: "sha256",
      image_build_method: $method, image_path: "out.img"
    }],
    provisioners: $steps
  }' | jq "${4:-.}" >t.json
}
shell() { jq -nc '[{type: "shell", inline: $ARGS.positional}]' --args "$@"; }

# Names of all commands.
commands() { "$slipway" -help | sed -n -e '/^Topics/q' -e 's/^  \([a-z0-9_]*\)  *[A-Z].*/\1/p'; }

build() { echo "slipway build $*"; timeout 300 "$slipway" build "$@"; }

# The start of a partition in bytes, by libfdisk's own tool.
start_of() { sfdisk -J "$1" 2>/dev/null | jq ".partitiontable.partitions[$2 - 1].start * 512"; }
size_of() { sfdisk -J "$1" 2>/dev/null | jq ".partitiontable.partitions[$2 - 1].size * 512"; }

# Contents and attributes in an ext root, by debugfs.
ext() { debugfs -R "$3" "$1?offset=$(start_of "$1" "$2")" 2>/dev/null; }
ext_cat() { ext "$1" "$2" "cat $3"; }
ext_has() { [[ $(ext "$1" "$2" "stat $3") == *Inode:* ]]; }
fat_cat() { mtype -i "$1@@$(start_of "$1" "$2")" "::$3"; }

# sfdisk, e2fsck and fsck.fat find nothing to mend.
image_is_clean() {
  local image=$1 n=0 start size fs
  sfdisk --verify "$image" >verify.log 2>&1 || { cat verify.log; return 1; }
  while read -r start size; do
    n=$((n + 1))
    fs=$(blkid -p -o value -s TYPE -O "$start" -S "$size" "$image" || true)
    case $fs in
    ext?) e2fsck -fn "$image?offset=$start" >fsck.log 2>&1 || { cat fsck.log; return 1; } ;;
    vfat)
      dd if="$image" of=part.fat bs=1M iflag=skip_bytes,count_bytes skip="$start" count="$size" conv=sparse status=none
      fsck.fat -n part.fat >fsck.log 2>&1 || { cat fsck.log; return 1; }
      rm part.fat
      ;;
    esac
  done < <(sfdisk -J "$image" | jq -r '.partitiontable.partitions[] | "\(.start * 512) \(.size * 512)"')
  [ "$n" -gt 0 ]
}

# Processes that live in a mount namespace with our cache in it, or work for it.
ours() {
  local pid
  grep -lsF "$BATS_FILE_TMPDIR/" /proc/[0-9]*/mountinfo | cut -d/ -f3 || :
  for pid in $(pgrep -f -- "$slipway|qemu-(aarch64|arm)" || :); do
    if tr "\\0" "\\n" 2>/dev/null <"/proc/$pid/environ" | grep -qxF "SLIPWAY_CACHE_DIR=$SLIPWAY_CACHE_DIR"; then
      echo "$pid"
    fi
  done
}

# Of a table of mounts those that come from the test's folders, or lie in them: what else runs here may mount meanwhile.
our_mounts() { grep -F -e "$BATS_FILE_TMPDIR" -e "$BATS_TEST_TMPDIR"; }

# No mount, loop device, process or half-written file remains.
nothing_left() {
  local tries=0 left
  while left=$(ours) && [ -n "$left" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
      echo "processes remain:"
      ps -o pid,ppid,stat,args -p "$(paste -sd, <<<"$left")"
      return 1
    fi
    sleep 0.1
  done
  diff <(our_mounts <mounts.before) <(our_mounts </proc/self/mountinfo) || return 1
  if losetup -a 2>/dev/null | grep -F "$BATS_FILE_TMPDIR/"; then
    echo 'a loop device remains'
    return 1
  fi
  if find . -maxdepth 1 \( -name '.*out*' -o -name 'out.img?*' \) | grep .; then
    echo 'half-written files remain'
    return 1
  fi
}

# Shown only where a test fails.
teardown() { printf '%s\n' "${output-}" | tail -n 40; }
