# Shared by the benchmarks that install packages in an arm64 Debian: a work folder, a mirror on this machine, and
# `slipway build` of one shell script.
# shellcheck shell=bash disable=SC2034,SC2154 # $slipway is set by who sources this

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d "${TMPDIR:-/var/tmp}/slipway-bench.XXXXXX")
export SLIPWAY_CACHE_DIR=$work/cache NO_COLOR=1
server=

# Those who use this may have more to undo: undo().
undo() { :; }
clean() {
  undo
  [ -z "$server" ] || kill "$server" || :
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# serve PACKAGE...: a mirror with these, and all that they need, at $mirror. What was fetched stays in the cache of
# the tests. $sources: shell commands that make it the guest's only one.
serve() {
  local folder=${SLIPWAY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-tests}/bench-mirror
  "$here/bench/mirror" "$folder" arm64 "$@"
  : >"$work/server.log"
  python3 -u -m http.server --protocol HTTP/1.1 --bind 127.0.0.1 --directory "$folder" 0 >>"$work/server.log" 2>&1 &
  server=$!
  until mirror=$(sed -n 's/.*(\(http:.*\)\/).*/\1/p' "$work/server.log") && [ -n "$mirror" ]; do
    kill -0 "$server" || { cat "$work/server.log"; exit 1; }
    sleep 0.1
  done
  sources="rm -f /etc/apt/sources.list.d/*; printf '%s\n' '$(sed "s|@|$mirror|" "$folder/sources.list")' >/etc/apt/sources.list"
}

# build BASE OUTPUT METHOD COMMANDS [OPTION...]: steps.json, if it is there, comes before the commands.
build() {
  jq -n --arg url "$1" --arg out "$2" --arg method "$3" --arg commands "$4" \
    --slurpfile steps <(cat steps.json 2>/dev/null || echo '[]') '{
    builders: [{type: "arm", file_urls: [$url], file_checksum_type: "none", image_build_method: $method, image_path: $out,
      package_cache: false} + if $method == "resize" then {image_size: "1300M"} else {} end],
    provisioners: ($steps[0] + [{type: "shell", inline: [$commands]}])}' >t.json
  "$slipway" build -force "${@:5}" t.json >slipway.log 2>&1 || { cat slipway.log; exit 1; }
}
