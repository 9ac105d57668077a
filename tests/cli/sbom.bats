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

@test "sbom: apk and pacman" {
  mkdir -p alpine/lib/apk/db arch/var/lib/pacman/local/zlib-1.3-1
  printf 'P:musl\nV:1.2.4-r4\nA:armhf\nL:MIT\nU:https://musl.libc.org/\n\n' >alpine/lib/apk/db/installed
  printf '%%NAME%%\nzlib\n\n%%VERSION%%\n1:1.3-1\n\n%%LICENSE%%\ncustom\n\n' >arch/var/lib/pacman/local/zlib-1.3-1/desc
  is_sound alpine
  [ "$(jq -r '.components[0].purl' cyclonedx.json)" = 'pkg:apk/alpine/musl@1.2.4-r4?arch=armhf' ]
  is_sound arch
  [ "$(jq -r '.packages[1].versionInfo, .hasExtractedLicensingInfos[0].extractedText' spdx.json | paste -sd' ')" = '1:1.3-1 custom' ]
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
