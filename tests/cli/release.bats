#!/usr/bin/env bats
# Releases over HTTP: the real Go toolchain and Node.js in the layout of their makers, a static program, a zip; on the
# host, and in images for other processors. And everything that can go wrong on the way.

# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # set by the helpers; dollars for others; each test has its own variables
load helpers

bats_require_minimum_version 1.5.0

# The makers' server: one for all tests of this file.
setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  mkdir -p www/tool catalogue
  mkfifo keep
  python3 "$BATS_TEST_DIRNAME/../unit/source/server.py" www <keep >port 3>&- &
  echo $! >server.pid
  exec 7>keep
  for _ in $(seq 100); do
    [ -s port ] && break
    sleep 0.1
  done
  make_tools
}

teardown_file() {
  kill "$(cat "$BATS_FILE_TMPDIR/server.pid")"
  if [ "$(id -u)" -ne 0 ] && [ -d "$BATS_FILE_TMPDIR/cache" ]; then
    unshare --user --map-auto --map-root-user rm -rf "$BATS_FILE_TMPDIR/cache"
  fi
}

# Three versions of a tool that says its version, and an entry for it in a catalogue.
make_tools() {
  local version
  for version in 1.0.0 1.1.0 2.0.0; do
    mkdir -p "pack/tool-$version/bin"
    printf '#!/bin/sh\necho "tool %s $TOOL_HOME"\n' "$version" >"pack/tool-$version/bin/tool"
    chmod 755 "pack/tool-$version/bin/tool"
    head -c 300000 /dev/urandom >"pack/tool-$version/data"
    tar -C pack -czf "www/tool/tool-$version.tar.gz" "tool-$version"
  done
  (cd www/tool && sha256sum ./*.tar.gz >SHA256SUMS && printf '["v1.0.0", "v1.1.0", "v2.0.0", "v3.0.0-rc1"]' >versions.json)
  cat >catalogue/tool.hcl <<'END'
# A tool
release "tool" {
  title    = "A tool"
  arch     = { x86_64 = "any", aarch64 = "any", armv7l = "any", i386 = "any", riscv64 = "any", ppc64le = "any", s390x = "any" }
  base     = "http://127.0.0.1:9/nowhere"
  url      = "${base}/tool-${version}.tar.gz"
  strip    = 1
  bin      = ["bin"]
  env      = { TOOL_HOME = "${dir}/home" }
  validate = ["bin/tool"]
  expect   = "tool ${version} "
  versions {
    url     = "${base}/versions.json"
    path    = ["*"]
    pattern = "^v(.*)$"
  }
  checksum { url = "${base}/SHA256SUMS" }
}
END
}

setup() {
  build_setup
  unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
  export SLIPWAY_TEST_CACHE=${SLIPWAY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-tests} # before HOME is another
  export HOME=$BATS_TEST_TMPDIR/home XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
  mkdir home
  url=http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port")
  www=$BATS_FILE_TMPDIR/www
  catalogue=$BATS_FILE_TMPDIR/catalogue
}

release() { timeout 300 "$slipway" release "$@"; }

# tool VERB ARGUMENTS...: with the catalogue of the tests, in ./p
tool() { release "$@" -catalogue="$catalogue" -base-url="$url/tool" -prefix=p; }

# An entry with other lines at its end or in place of its own: entry NAME SED-SCRIPT
entry() {
  mkdir -p own
  sed -e "s/release \"tool\"/release \"$1\"/" -e "$2" "$catalogue/tool.hcl" >"own/$1.hcl"
}

says() { [[ $(p/tool/bin/tool) == "tool $1 "* ]]; }

nothing_half_made() { [ -z "$(find p -name 'stage-*')" ]; }

@test "release: versions, constraints, side by side, upgrade, use, rm" {
  run -0 tool versions tool
  [ "$output" = $'2.0.0\n1.1.0\n1.0.0\n3.0.0-rc1' ] || [ "$output" = $'3.0.0-rc1\n2.0.0\n1.1.0\n1.0.0' ]
  run -0 tool install 'tool@~> 1.0.0'
  [[ $output == *"tool 1.0.0 is in use: $PWD/p/tool"* ]]
  says 1.0.0
  run -0 tool upgrade tool
  [[ $output == *'tool 1.0.0 is in use'* ]] # its constraint allows no other
  run -0 tool upgrade 'tool@~> 1.0'
  says 1.1.0
  run -0 tool install tool
  says 2.0.0
  run -0 tool ls
  [[ $output == *'2.0.0'*'in use'*'1.1.0'*'1.0.0'* ]]
  run -0 tool ls tool -o json
  [ "$(jq -c '[.[] | [.version, .in_use]]' <<<"$output")" = '[["2.0.0",true],["1.1.0",false],["1.0.0",false]]' ]
  run -0 tool versions tool -o json
  [ "$(jq -c '[.[] | select(.in_use) | .version]' <<<"$output")" = '["2.0.0"]' ]
  run -0 tool use 'tool@~> 1.0'
  says 1.1.0
  run -1 tool use tool@9
  [[ $output == *"tool@9 is not installed in '$PWD/p'"* ]]
  run -1 tool rm tool
  [[ $output == *'which version?'* ]]
  run -0 tool rm tool@2.0.0
  says 1.1.0
  run -0 tool rm tool@1.1.0
  [ ! -e p/tool ]
  run -0 tool rm tool@1.0.0
  [ -z "$(ls -A p)" ]
}

@test "release: rm leaves what others put there" {
  run -0 tool install tool@1.0.0
  mkdir p/tool/bin/more p/other
  echo mine | tee p/tool/notes p/tool/bin/more/notes p/other/file >mine
  ln -sfn "$PWD/p/other" p/tool/data # in place of a file of the release
  run -0 tool rm tool@1.0.0
  [[ $output == *"2 files in '$PWD/p/tool-1.0.0' are not of the release, and stay"* ]]
  (cd p && find . -type f -printf '%P\n' | sort) >left
  printf '%s\n' other/file tool-1.0.0/bin/more/notes tool-1.0.0/notes >wanted
  diff wanted left
  cmp mine p/tool-1.0.0/notes
}

@test "release: PATH and environment, for the whole of a system and for one user" {
  run -0 tool install tool@1.0.0 -o json
  [ "$(jq -r .folder <<<"$output")" = "$PWD/p/tool-1.0.0" ]
  [ "$(sh -c '. p/.slipway-release/tool.sh; tool')" = "tool 1.0.0 $PWD/p/tool/home" ]
  mkdir -p system/bin
  cp /bin/true system/bin/sh
  run -0 release install tool@1.0.0 -catalogue="$catalogue" -base-url="$url/tool" -root=system
  [ "$(readlink system/usr/local/tool)" = tool-1.0.0 ]
  grep -qF "for release in '/usr/local'/.slipway-release/*.sh" system/etc/profile.d/slipway-release.sh
  grep -qF "'/usr/local/tool/bin'" system/usr/local/.slipway-release/tool.sh
  echo '# mine' >home/.profile
  run -0 release install tool@1.0.0 -catalogue="$catalogue" -base-url="$url/tool" -user
  [[ $output == *"$HOME/.profile.d/slipway-release.sh"*'-edit-profile'* && $(cat home/.profile) = '# mine' ]]
  for _ in 1 2; do
    SHELL=/bin/sh run -0 release install tool@1.0.0 -catalogue="$catalogue" -base-url="$url/tool" -user -edit-profile
  done
  [ "$(wc -l <home/.profile)" = 2 ]
  [ "$(env -i HOME="$HOME" PATH=/usr/bin:/bin sh -lc 'command -v tool; echo $TOOL_HOME')" = "$HOME/.local/opt/tool/bin/tool
$HOME/.local/opt/tool/home" ]
  run -1 release install tool -user -prefix=p
  run -1 release install tool -edit-profile
}

@test "release: what slipway did not make stays, unless it is told" {
  mkdir -p p/tool
  echo mine >p/tool/file
  run -1 tool install tool@1.0.0
  [[ $output == *"'$PWD/p/tool' is there, and slipway did not make it"*'-force'* && -e p/tool/file && ! -e p/tool-1.0.0 ]]
  run -0 tool install tool@1.0.0 -force
  says 1.0.0
  nothing_half_made
}

@test "release: verify names what is changed, missing or added; -force mends it" {
  run -0 tool install tool@1.0.0
  run -0 tool verify tool
  [[ $output == *'tool 1.0.0 is as it was installed'* ]]
  echo x >>p/tool/data
  rm p/tool/bin/tool
  touch p/tool/more
  run -1 tool verify tool
  [[ $output == *'changed'*'data'* && $output == *'missing'*'bin/tool'* && $output == *'added'*'more'* ]]
  run -1 --separate-stderr tool verify tool@1.0.0 -o json
  [ "$(jq length <<<"$output")" = 3 ]
  run -0 tool install tool@1.0.0 -force
  run -0 tool verify tool
}

@test "release: whatever goes wrong, the old version works, and the error says why" {
  run -0 tool install tool@1.0.0
  run -1 tool install tool@1.5.0
  [[ $output == *"checksum"*"1.5.0"* ]]
  run -1 tool install 'tool@>= 9'
  [[ $output == *'no version of tool is ">= 9"'* ]]
  run -1 tool install tool@1.1.0 -checksum="$(printf '%064d' 1)"
  [[ $output == *"$url/tool/tool-1.1.0.tar.gz"*sha256* ]]
  entry missing 's|^  checksum .*|  checksum { url = "${base}/none" }|'
  run -1 release install missing@1.1.0 -catalogue=own -base-url="$url/tool" -prefix=p
  [[ $output == *'404'* && $output == *"$url/tool/none"* ]]
  entry gone 's|tool-${version}|gone-${version}|; /checksum/d'
  run -1 release install gone@1.1.0 -catalogue=own -base-url="$url/tool" -prefix=p
  [[ $output == *'404'* && $output == *"$url/tool/gone-1.1.0.tar.gz"* ]]
  entry cut 's|tar.gz"|tar.gz?cut=1000\&norange"|; /checksum/d'
  run -1 release install cut@1.1.0 -catalogue=own -base-url="$url/tool" -prefix=p
  [[ $output == *"$url/tool/tool-1.1.0.tar.gz"* ]]
  run -1 release install tool@1.1.0 -catalogue="$catalogue" -base-url=http://127.0.0.1:9 -prefix=p
  run -1 tool install nothing
  [[ $output == *"no release of 'nothing' is known"* ]]
  says 1.0.0
  [ "$(ls p)" = $'tool\ntool-1.0.0' ]
  nothing_half_made
}

@test "release: a tampered archive" {
  export SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache # else the true one is there, by its digest
  cp -r "$www/tool" "$www/tampered"
  run -0 tool install tool@1.0.0
  printf 'X' | dd of="$www/tampered/tool-1.1.0.tar.gz" bs=1 seek=5000 conv=notrunc status=none
  run -1 release install tool@1.1.0 -catalogue="$catalogue" -base-url="$url/tampered" -prefix=p
  [[ $output == *"sha256"* ]]
  says 1.0.0
  nothing_half_made
}

@test "release: signatures of OpenPGP and minisign, of the archive and of the checksums" {
  command -v gpg >/dev/null && command -v minisign >/dev/null || skip 'gpg or minisign is not installed'
  mkdir -m 700 gnupg
  export GNUPGHOME=$PWD/gnupg
  for who in maker other; do
    gpg --batch --quiet --passphrase '' --quick-generate-key "$who@example.org" default default never 2>/dev/null
    gpg --armor --export "$who@example.org" >"$who.asc"
  done
  gpg --batch -u maker@example.org --detach-sign -o "$www/tool/SHA256SUMS.sig" --yes "$www/tool/SHA256SUMS"
  gpgconf --kill all
  minisign -G -W -p key.pub -s key.sec >/dev/null
  minisign -S -s key.sec -m "$www/tool/tool-1.0.0.tar.gz" -x "$www/tool/tool-1.0.0.tar.gz.minisig" >/dev/null
  key=$(tail -n 1 key.pub)

  signed() { entry "$1" "\$d"; printf '  signature {%s}\n}\n' "$2" >>"own/$1.hcl"; release install "$1@1.0.0" -catalogue=own -base-url="$url/tool" -prefix=p; }
  run -0 signed pgp "
    url = \"\${base}/SHA256SUMS.sig\"
    of = \"checksum\"
    key = \"$PWD/maker.asc\"
  "
  run -1 signed forged "
    url = \"\${base}/SHA256SUMS.sig\"
    of = \"checksum\"
    key = \"$PWD/other.asc\"
  "
  [[ $output == *"signature '$url/tool/SHA256SUMS.sig'"*'No public key'* ]]
  run -1 signed wrong "
    url = \"\${base}/SHA256SUMS.sig\"
    key = \"$PWD/maker.asc\"
  "
  [[ $output == *'BAD signature'* ]]
  run -0 signed mini "
    url = \"\${base}/tool-\${version}.tar.gz.minisig\"
    type = \"minisign\"
    key = \"$key\"
  "
  run -1 signed unlike "
    url = \"\${base}/tool-1.0.0.tar.gz.minisig\"
    of = \"checksum\"
    type = \"minisign\"
    key = \"$key\"
  "
  [[ $output == *'not a signature of this file'* ]]
  [ -e p/pgp/bin/tool ] && [ -e p/mini/bin/tool ] && [ ! -e p/forged ] && [ ! -e p/wrong ] && [ ! -e p/unlike ]

  # Keys that the user adds beside entries, or names; until then the signature counts for nothing, and that is said.
  is_signed() { jq -e .signed p/added-1.0.0/.slipway-release.json; }
  unsigned='
    url = "${base}/SHA256SUMS.sig"
    of  = "checksum"
  '
  run -0 signed added "$unsigned"
  [[ $output == *'signature is not verified'*"$PWD/config/slipway/releases.d/added.asc"* ]]
  run -1 is_signed
  again() { release install added@1.0.0 -catalogue=own -base-url="$url/tool" -prefix=p -force "$@"; }
  mkdir -p config/slipway/releases.d
  cp maker.asc config/slipway/releases.d/added.asc
  run -0 again
  [[ $output != *'not verified'* ]]
  is_signed
  cp other.asc config/slipway/releases.d/added.asc
  run -1 again
  [[ $output == *'No public key'* ]]
  run -0 again -keyring=maker.asc
  run -1 again -keyring=other.asc
  run -1 again -keyring=none.asc
  [[ $output == *"'none.asc': No such file"* ]]
  is_signed
  run -1 tool install tool@1.0.0 -keyring=maker.asc
  [[ $output == *'of no signature of tool 1.0.0 is known where it is'* && ! -e p/tool ]]
}

# elf MACHINE [ARCH]: the head of a little-endian program: EM_ARM 40 (of 32 bits, with the build attribute Tag_CPU_arch:
# 6 is v6, 10 is v7), EM_X86_64 62.
elf() {
  python3 - "$@" <<'END'
import struct, sys
machine, arch = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
notes = b"A" + struct.pack("<I", 19) + b"aeabi\0\1" + struct.pack("<I", 9) + bytes([6, arch, 8, 1]) if arch else b""
head = b"\x7fELF" + bytes([1 if machine == 40 else 2, 1, 1]) + bytes(9) + struct.pack("<HHI", 3, machine, 1)
if machine == 40:
    head += struct.pack("<IIIIHHHHHH", 0, 0, 52, 0, 52, 0, 0, 40, 1, 0)
    head += struct.pack("<IIIIIIIIII", 0, 0x70000003, 0, 0, 92, len(notes), 0, 0, 1, 0)
else:
    head += bytes(40)
sys.stdout.buffer.write(head + notes)
END
}

@test "release: the build for a system's processor and C library" {
  mkdir -p pi/bin alpine/bin alpine/lib pack/go/bin "$www/six"
  elf 40 6 >pi/bin/sh
  elf 62 >alpine/bin/sh
  touch alpine/lib/ld-musl-x86_64.so.1
  echo x >pack/go/bin/go
  files=
  for arch in armv6l amd64; do
    tar -C pack -czf "$www/six/go1.22.1.linux-$arch.tar.gz" go
    files+="{\"filename\": \"go1.22.1.linux-$arch.tar.gz\", \"sha256\": \"$(sha256sum <"$www/six/go1.22.1.linux-$arch.tar.gz" | cut -d' ' -f1)\"},"
  done
  echo "[{\"version\": \"go1.22.1\", \"files\": [${files%,}]}]" >"$www/six/index.html"
  for row in 'pi armv6l' 'alpine amd64'; do
    read -r system arch <<<"$row"
    run -0 --separate-stderr release install go -base-url="$url/six" -root="$system" -o json
    [ "$(jq -r .url <<<"$output")" = "$url/six/go1.22.1.linux-$arch.tar.gz" ]
    [ -e "$system/usr/local/go/bin/go" ]
  done
  # What is built for glibc is refused before anything is asked of a server.
  for wanted in go@1.20.14 deno@2.0.0; do
    run -1 release install "$wanted" -base-url=http://127.0.0.1:9 -root=alpine
    [[ $output == *'is built for glibc and cannot run here, where the C library is musl (x86_64-musl)'* ]]
  done
  run -1 release install node@20.11.1 -base-url="$url/six" -root=alpine
  [[ $output == *"$url/six/v20.11.1/SHASUMS256.txt"* ]]
}

@test "release: on a full disk the old version works" {
  mkdir p
  run -0 unshare --user --map-root-user --mount bash -c '
    mount -t tmpfs -o size=600k tmpfs p
    "$@" install tool@1.0.0 || exit 9
    "$@" install tool@1.1.0 && exit 8
    p/tool/bin/tool && ls -A p p/.slipway-release' - timeout 60 "$slipway" release -catalogue="$catalogue" -base-url="$url/tool" -prefix=p
  [[ $output == *'No space left on device'*'tool 1.0.0'* && $output != *stage-* && $output != *tool-1.1.0$'\n'* ]]
  mkdir -p system/bin system/usr/local
  cp /bin/true system/bin/sh
  run -0 unshare --user --map-root-user --mount bash -c '
    mount -t tmpfs -o size=600k tmpfs system/usr/local
    "$@" install tool@1.0.0 || exit 9
    "$@" install tool@1.1.0 && exit 8
    system/usr/local/tool/bin/tool && "$@" verify tool && ls -A system/usr/local' - \
    timeout 60 "$slipway" release -catalogue="$catalogue" -base-url="$url/tool" -root=system
  [[ $output == *'No space left on device'*'tool 1.0.0'*'is as it was installed'* && $output != *$'\ntool-1.1.0'* ]]
}

# A release that takes long enough to be killed in all of its parts.
make_large() {
  local version
  for version in 1.0.0 1.1.0; do
    mkdir -p "large/tool-$version/bin" "large/tool-$version/many"
    cp "$BATS_FILE_TMPDIR/pack/tool-$version/bin/tool" "large/tool-$version/bin/"
    head -c 8000000 /dev/urandom | split -b 10000 -a 3 - "large/tool-$version/many/"
    mkdir -p "$www/large"
    tar -C large -czf "$www/large/tool-$version.tar.gz" "tool-$version"
  done
  (cd "$www/large" && sha256sum ./*.tar.gz >SHA256SUMS)
}

# killed WHERE ARGUMENTS...: installed over and over, and killed each time at another moment of it.
killed() {
  local where=$1 i pid began took ended=0
  shift
  large() { "$slipway" release "$1" "$2" "${@:3}" -catalogue="$catalogue" -base-url="$url/large"; }
  large install tool@1.0.0 "$@"
  began=${EPOCHREALTIME/./}
  large install tool@1.1.0 "$@"
  took=$((${EPOCHREALTIME/./} - began))
  large use tool@1.0.0 "$@"
  for i in $(seq 24); do
    "$slipway" release install tool@1.1.0 -force "$@" -catalogue="$catalogue" -base-url="$url/large" >/dev/null 2>&1 &
    pid=$!
    sleep "$(awk -v us="$took" -v part="$i" 'BEGIN {printf "%.4f", us * part / 22 / 1000000}')"
    kill -KILL "$pid" 2>/dev/null || ended=$((ended + 1))
    wait "$pid" || :
    [[ $("$where/tool/bin/tool") == 'tool 1.'[01]'.0 '* ]] || return 1
    large verify tool "$@" || return 1
  done
  echo "ended before it was killed: $ended"
  [ "$ended" -lt 12 ]
  large install tool@1.1.0 "$@"
  [ -z "$(find "$where" -name 'stage-*')" ] && [[ $("$where/tool/bin/tool") == 'tool 1.1.0 '* ]] && large verify tool "$@"
}

@test "release: killed 24 times at moments of an installation, here" {
  make_large
  killed p -prefix=p
}

@test "release: killed 24 times at moments of an installation, in another root" {
  mkdir -p system/bin
  cp /bin/true system/bin/sh
  make_large
  killed system/usr/local -root=system
}

@test "release: what goes wrong in another root leaves the old version there" {
  mkdir -p system/bin
  cp /bin/true system/bin/sh
  rooted() { release "$1" "$2" "${@:3}" -base-url="$url/tool" -root=system; }
  run -0 rooted install tool@1.0.0 -catalogue="$catalogue"
  entry gone 's|tool-${version}|gone-${version}|; /checksum/d'
  run -1 rooted install gone@1.1.0 -catalogue=own
  [[ $output == *404* ]]
  run -1 rooted install tool@1.1.0 -catalogue="$catalogue" -checksum="$(printf '%064d' 1)"
  [[ $output == *sha256* ]]
  [[ $(system/usr/local/tool/bin/tool) == 'tool 1.0.0 '* ]]
  run -0 rooted verify tool
  [ "$(ls system/usr/local)" = $'tool\ntool-1.0.0' ]
}

@test "release: offline, from the cache that builds use" {
  run -0 tool install 'tool@~> 1.0'
  run -0 release install 'tool@~> 1.0' -catalogue="$catalogue" -base-url="$url/tool" -prefix=q -offline
  [[ $(q/tool/bin/tool) == 'tool 1.1.0 '* ]]
  run -1 release install tool@2.0.0 -catalogue="$catalogue" -base-url="$url/unknown" -prefix=q -offline
  [[ $output == *"is not in the cache, and -offline keeps from fetching it"* ]]
}

@test "release: without an entry: a static program, and a zip" {
  command -v zip >/dev/null || skip 'zip is not installed'
  busybox=$(PATH=/bin:/usr/bin command -v busybox) || skip 'busybox is not installed'
  gzip -c "$busybox" >"$www/busybox-$(uname -m).gz"
  run -0 release install busybox@1.35 -url="$url/busybox-\${arch}.gz" -file=busybox -bin=. -validate=busybox,true -prefix=p
  [ "$(sh -c '. p/.slipway-release/busybox.sh; busybox echo hello')" = hello ]
  mkdir zipped
  cp "$busybox" zipped/busybox
  (cd zipped && zip -q "$www/toolbox.zip" busybox)
  run -0 release install toolbox@1 -url="$url/toolbox.zip" -checksum="$(sha256sum <"$www/toolbox.zip" | cut -d' ' -f1)" -bin=. -validate=busybox,true -prefix=p
  [ -x p/toolbox/busybox ]
  run -1 release install toolbox -url="$url/toolbox.zip" -prefix=p
  [[ $output == *'@VERSION'* ]]
}

@test "release: an archive that is laid out otherwise than was said" {
  generic() { release install tool@1.0.0 -url="$url/tool/tool-1.0.0.tar.gz" -prefix=p "$@"; }
  run -1 generic -strip=1 -bin=sbin
  [[ $output == *"the release has no folder 'sbin' to go on PATH"* ]]
  run -1 generic -strip=1 -validate=bin/other
  [[ $output == *"the release has no file 'bin/other', by which it is to be tried"* ]]
  run -1 generic -strip=4
  [[ $output == *"'strip' is too large"* ]]
  run -1 generic -strip=-2
  [[ $output == *"'strip' is a number of folders, not -2"* ]]
  [ -z "$(ls -A p)" ]
}

@test "release: the catalogue: listed, shown, and one's own before what is built in" {
  run -0 release show
  [[ $output == *'go '*'The Go programming language'*'terraform'* ]]
  run -0 release show go
  [[ $output == *'release "go" {'* ]]
  mkdir -p config/slipway/releases.d
  echo 'release "go" {' >config/slipway/releases.d/go.hcl
  run -1 release install go@1.0 -prefix=p
  [[ $output == *'releases.d/go.hcl:'* ]]
}

# The server has what go.dev has.
go_server() {
  local arch files=
  mkdir -p "$www/dl"
  for arch in "$@"; do
    cp --reflink=auto -n "$("$here/tests/images/toolchain" "$arch")"/*.tar.gz "$www/dl/"
  done
  for file in "$www"/dl/*.tar.gz; do
    files+="{\"filename\": \"${file##*/}\", \"sha256\": \"$(sha256sum <"$file" | cut -d' ' -f1)\"},"
  done
  echo "[{\"version\": \"go1.20rc1\", \"files\": []}, {\"version\": \"go1.19.8\", \"files\": [${files%,}]}]" >"$www/dl/index.html"
}

hello() {
  printf 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello from go") }\n'
}

@test "release: the real Go toolchain: it runs, compiles, and survives kill -9 in mid install" {
  [ "$(uname -m)" = x86_64 ] || skip 'the toolchain of the test is for amd64'
  go_server amd64
  run -0 release install 'go@~> 1.19' -base-url="$url/dl" -prefix=p
  hello >hello.go
  run -0 sh -c '. p/.slipway-release/go.sh; export GOCACHE=$PWD/gocache; go version && go run hello.go'
  [[ $output == 'go version go1.19.8 linux/amd64'*'hello from go' ]]
  run -0 release verify go -prefix=p
  timeout 100 "$slipway" release install go@1.19.8 -base-url="$url/dl" -prefix=p -force >killed.log 2>&1 &
  pid=$!
  for _ in $(seq 300); do
    [ -n "$(find p/.slipway-release -path '*/tree/go/bin/go' 2>/dev/null)" ] && break
    sleep 0.02
  done
  kill -KILL "$(pgrep -P "$pid" slipway)"
  wait "$pid" || :
  [ -n "$(find p/.slipway-release -name 'stage-*')" ] # it was in mid install
  [[ $(p/go/bin/go version) == 'go version go1.19.8'* ]]
  run -0 release verify go -prefix=p
  run -0 release install go@1.19.8 -base-url="$url/dl" -prefix=p
  nothing_half_made
}

@test "release: Node.js, in the layout of its makers" {
  node=$(command -v node) || skip 'nodejs is not installed'
  version=$(node --version) arch=$(uname -m)
  case $arch in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; esac
  name=node-$version-linux-$arch
  mkdir -p "$name/bin" "$www/dist/$version"
  cp "$(realpath "$node")" "$name/bin/node"
  tar -cf - "$name" | xz -0 -T2 >"$www/dist/$version/$name.tar.xz"
  (cd "$www/dist/$version" && sha256sum "$name.tar.xz" >SHASUMS256.txt)
  echo "[{\"version\": \"$version\"}]" >"$www/dist/index.json"
  run -0 release install node -base-url="$url/dist" -prefix=p
  [ "$(sh -c '. p/.slipway-release/node.sh; node -e "console.log(6 * 7)"')" = 42 ]
}

# image ARCH GO-ARCH: an image in which a release compiles and runs a program; and its bill of materials
image() {
  local base source=t.json
  go_server "$1"
  base=$(debian "$1")
  hello >hello.go
  template "$base/base.img.xz" resize "$(jq -nc --arg url "$url/dl" '[
    {type: "release", name: "go", version: "~> 1.19", base_url: $url},
    {type: "file", source: "hello.go", destination: "/root/hello.go"},
    {type: "shell", inline: [". /etc/profile.d/slipway-release.sh", "cd /root", "export HOME=/root GOFLAGS=-p=1", "go version",
      "go run hello.go", "rm -rf /root/.cache"]}]')" '.builders[0].image_size = "2G"'
  if [ "$1" = armhf ]; then # in HCL2
    "$slipway" hcl2_upgrade t.json >/dev/null
    mv t.json.pkr.hcl t.pkr.hcl
    source=t.pkr.hcl
  fi
  run -0 build "$source"
  [[ $output == *"Installing go 1.19.8 ($2) in /usr/local"*"go version go1.19.8 linux/$3"*"go version go1.19.8 linux/$3"*'hello from go'* ]]
  nothing_left
  run -0 "$slipway" sbom out.img -o text
  [[ $output == *'generic   go '*"1.19.8"*"$2"* && $output == *'deb       base-files'* ]]
  rm out.img
  run -0 "$slipway" plan "$source"
  [[ $(grep -c 'from the cache\|cached' <<<"$output") -ge 3 ]]
  run -0 build "$source"
  [[ $output == *'Provisioner release: nothing changed, taken from the cache'* ]]
}

@test "release: in an arm64 image, as a cached layer and in its bill of materials" {
  image arm64 aarch64 arm64
  # Another version or another archive is another layer.
  jq '.provisioners[0].checksum = "0000000000000000000000000000000000000000000000000000000000000000" | .builders[0].image_path = "other.img"' t.json >t2.json
  run -1 build t2.json
  [[ $output == *'sha256'* ]]
}

@test "release: in an armhf image" {
  image armhf armv6l arm
}

@test "release: in an image whose C library is musl" {
  busybox=$(PATH=/bin:/usr/bin command -v busybox) || skip 'busybox is not installed'
  mkdir -p tree/bin tree/lib tree/etc tree/root tree/tmp
  cp "$busybox" tree/bin/busybox
  ln -s busybox tree/bin/sh
  touch "tree/lib/ld-musl-$(uname -m).so.1"
  tar -C tree -czf base.tar.gz .
  sha256sum base.tar.gz >base.tar.gz.sha256
  cp "$busybox" "$www/busybox-$(uname -m)"
  partition='.builders[0] += {image_size: "64MiB", image_partitions: [{name: "root", type: "83", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  template base.tar.gz new '[{"type": "release", "name": "go", "version": "1.20.14", "base_url": "http://127.0.0.1:9"}]' "$partition"
  run -1 build t.json
  [[ $output == *"go 1.20.14 is built for glibc and cannot run here, where the C library is musl ($(uname -m)-musl)"* && ! -e out.img ]]
  # A program that needs no C library runs there; ${arch} is as uname says it.
  template base.tar.gz new "$(jq -nc --arg url "$url/busybox-\${arch}" '[{type: "release", name: "box", version: "1", url: $url, file: "busybox",
    bin: ["."], validate: ["busybox", "true"]}]')" "$partition"
  run -0 build t.json
  run -0 "$slipway" sbom out.img -o text
  [[ $output == *'generic   box '*"$(uname -m)"* ]]
  # What a build fetched, the command has.
  run -0 release install box@1 -url="$url/busybox-\${arch}" -file=busybox -bin=. -validate=busybox,true -prefix=p -offline
}

@test "release: mistakes in a template are found by validate" {
  template "$(small arm64)/base.img.xz" reuse '[{"type": "release", "name": "goo"}]'
  run -1 "$slipway" validate t.json
  [[ $output == *"no release of 'goo' is known; did you mean 'go'?"* ]]
  template "$(small arm64)/base.img.xz" reuse '[{"type": "release", "name": "x", "url": "http://127.0.0.1:9/x", "prefix": "opt", "arch": "pdp", "keyring": "none.asc"}]'
  run -1 "$slipway" validate t.json
  [[ $output == *'needs a version'*"'opt' is not absolute"*"'pdp' is no architecture"*"the keyring 'none.asc': No such file"* ]]
}

@test "release: one that does not run in the guest fails its build" {
  template "$(small arm64)/base.img.xz" reuse "$(jq -nc --arg url "$url/tool/tool-1.0.0.tar.gz" '[{type: "release", name: "tool",
    version: "1.0.0", url: $url, strip: 1, validate: ["bin/none"]}]')"
  run -1 build t.json
  [[ $output == *"tool 1.0.0 does not run in the guest: "*"'/usr/local/tool/bin/none'"* ]]
  nothing_left
}
