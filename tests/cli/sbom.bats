#!/usr/bin/env bats
# Bills of materials: of this machine, of images, and of trees with each package manager's database.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() { build_setup; }

# Both kinds of documents about something are as their specifications ask.
is_sound() {
  local kind
  for kind in spdx cyclonedx; do
    "$slipway" sbom "$1" -o "$kind" >"$kind.json" || return 1
    python3 "$here/tests/cli/sbom_check.py" "$kind" "$kind.json" || return 1
  done
}

@test "sbom: this machine's packages are those that dpkg lists" {
  command -v dpkg-query >/dev/null || skip 'this system has no dpkg'
  is_sound /
  # shellcheck disable=SC2016 # fields of dpkg
  dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${Architecture}\n' | sed -n 's/^installed //p' | sort >wanted
  "$slipway" sbom / -o text | awk '$1 == "deb" {print $2, $3, $4}' | sort >found
  diff wanted found
  [ "$(jq '.components | length' cyclonedx.json)" = "$(jq '.packages | length - 1' spdx.json)" ]
}

@test "sbom: with SOURCE_DATE_EPOCH the same bytes" {
  export SOURCE_DATE_EPOCH=1700000000
  "$slipway" sbom / >one
  "$slipway" sbom / >two
  cmp one two
  [ "$(jq -r .creationInfo.created one)" = 2023-11-14T22:13:20Z ]
  for epoch in soon 12x -1; do
    SOURCE_DATE_EPOCH=$epoch run -1 "$slipway" sbom /
    [ "$output" = "Error: SOURCE_DATE_EPOCH='$epoch': seconds since 1970 were expected" ]
  done
}

@test "sbom: an image, in place" {
  local base
  base=$(debian arm64)
  xz -dc "$base/base.img.xz" >board.img
  is_sound board.img
  run -0 "$slipway" sbom board.img -o text
  [[ $output == *'deb '*'base-files '*arm64* ]]
  [ "$(jq -r .metadata.component.name cyclonedx.json)" = 'Debian GNU/Linux 12 (bookworm)' ]
  [ "$(jq -r .name spdx.json)" = board.img ]
  # The same packages as a look into the image by another way gives.
  "$slipway" image cat board.img /var/lib/dpkg/status | grep -c '^Status: install ok installed' >wanted
  [ "$(jq '.components | length' cyclonedx.json)" = "$(cat wanted)" ]
  # And the same as the same database in a folder.
  mkdir -p root/var/lib/dpkg root/etc
  "$slipway" image cat board.img /var/lib/dpkg/status >root/var/lib/dpkg/status
  "$slipway" image cat board.img /usr/lib/os-release >root/etc/os-release
  cmp <("$slipway" sbom board.img -o text) <("$slipway" sbom root -o text)
}

@test "sbom: rpm's database, by the rpm program" {
  command -v rpmbuild >/dev/null || skip 'rpm is not installed'
  printf 'Name: hello-tool\nEpoch: 1\nVersion: 2.10\nRelease: 3\nSummary: x\nLicense: GPL-3.0-or-later\nURL: https://example.org/hello\nVendor: Example Project\nBuildArch: noarch\n%%description\nx\n%%files\n' >hello.spec
  rpmbuild -bb --define "_topdir $PWD/build" hello.spec >rpmbuild.log 2>&1
  mkdir -p system/etc system/usr/lib/sysimage/rpm
  printf 'ID=fedora\nVERSION_ID=41\n' >system/etc/os-release
  rpm --dbpath "$PWD/system/usr/lib/sysimage/rpm" -i --justdb --nodeps --ignorearch build/RPMS/noarch/*.rpm 2>/dev/null
  is_sound system
  [ "$(jq -r '.components[] | [.name, .version, .purl, .licenses[0].license.name, .publisher] | join(" ")' cyclonedx.json)" = \
    'hello-tool 2.10-3 pkg:rpm/fedora/hello-tool@2.10-3?arch=noarch&distro=fedora-41&epoch=1 GPL-3.0-or-later Example Project' ]
  run -1 env PATH="$PWD/none" "$slipway" sbom system
  [[ $output == *'install the package rpm'* ]] || [ -x /usr/sbin/rpm ]
}

@test "sbom: pacman's database, by the pacman program" {
  command -v pacman >/dev/null || skip 'pacman-package-manager is not installed'
  mkdir -p package/usr system/var/lib/pacman system/etc cache
  printf 'ID=arch\nPRETTY_NAME="Arch Linux"\n' >system/etc/os-release
  printf '[options]\nArchitecture = auto\nSigLevel = Never\nCacheDir = %s/cache\n' "$PWD" >pacman.conf
  for row in 'zlib 1:1.3.1-2 x86_64 Zlib' 'base 3-2 any GPL-2.0-only'; do
    read -r name version arch license <<<"$row"
    printf 'pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = x\nurl = https://example.org/%s\nbuilddate = 1700000000\npackager = A Person <a@example.org>\nsize = 2\narch = %s\nlicense = %s\n' \
      "$name" "$name" "$version" "$name" "$arch" "$license" >package/.PKGINFO
    [ "$name" != zlib ] || printf 'license = custom\n' >>package/.PKGINFO
    echo x >"package/usr/$name"
    tar -C package -cf "$name.pkg.tar" .PKGINFO "usr/$name"
  done
  unshare --user --map-root-user pacman --config pacman.conf --root system --dbpath system/var/lib/pacman --logfile pacman.log \
    --noconfirm --noprogressbar -Udd zlib.pkg.tar base.pkg.tar >pacman.out 2>&1 || {
    cat pacman.out
    return 1
  }
  is_sound system
  [ "$(jq -r '.components[] | [.purl, .licenses[0].license.name, .publisher] | join(" ")' cyclonedx.json)" = \
    "pkg:alpm/arch/base@3-2?arch=any GPL-2.0-only A Person <a@example.org>
pkg:alpm/arch/zlib@1:1.3.1-2?arch=x86_64 Zlib AND custom A Person <a@example.org>" ]
  # As pacman itself lists them.
  "$slipway" sbom system -o text | awk '{print $2, $3}' >found
  pacman --config pacman.conf --root system --dbpath system/var/lib/pacman -Q 2>/dev/null | sort >wanted
  diff wanted found
}

# In the form of apk-tools 2, with the files of each package: apk itself is not in Debian.
@test "sbom: apk's database" {
  mkdir -p alpine/lib/apk/db alpine/etc
  printf 'ID=alpine\nVERSION_ID=3.19.1\n' >alpine/etc/os-release
  cat >alpine/lib/apk/db/installed <<'END'
C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:alpine-baselayout
V:3.4.3-r2
A:x86_64
S:8911
I:331776
T:Alpine base dir structure and init scripts
U:https://git.alpinelinux.org/cgit/aports/tree/main/alpine-baselayout
L:GPL-2.0-only
o:alpine-baselayout
m:Natanael Copa <ncopa@alpinelinux.org>
t:1683642107
c:65502ca9379dd29d1ac4b0bf0dcf03a3dd1b324a
D:alpine-baselayout-data=3.4.3-r2 /bin/sh
q:1000
F:dev
F:tmp
M:0:0:1777
F:etc
R:motd
Z:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=

C:Q1kcz7wHuMTVZWj8wKcGfKcBPzGFE=
P:musl
V:1.2.4_git20230717-r4
A:x86_64
L:MIT
o:musl
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1Iq+PWjcUs5pWlU7tIZNhPQfFHSI=

END
  is_sound alpine
  [ "$(jq -r '.components[] | [.purl, .licenses[0].license.name, .publisher // "nobody"] | join(" ")' cyclonedx.json)" = \
    "pkg:apk/alpine/alpine-baselayout@3.4.3-r2?arch=x86_64&distro=alpine-3.19.1 GPL-2.0-only Natanael Copa <ncopa@alpinelinux.org>
pkg:apk/alpine/musl@1.2.4_git20230717-r4?arch=x86_64&distro=alpine-3.19.1 MIT nobody" ]
}

@test "sbom: what is none" {
  run -1 "$slipway" sbom none
  [[ $output == *"'none': No such file"* ]]
  head -c 100000 /dev/urandom >noise
  run -1 "$slipway" sbom noise
  run -1 "$slipway" sbom
  mkdir empty
  is_sound empty
  [ "$(jq -r '.packages[0].name' spdx.json)" = empty ]
}
