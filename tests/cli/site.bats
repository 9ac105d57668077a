#!/usr/bin/env bats
# Site files, asked by slipway explain: no network, no root.

bats_require_minimum_version 1.5.0

setup() {
  here=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  slipway=$(realpath "${SLIPWAY:-$here/build/src/slipway}")
  export NO_COLOR=1 LC_ALL=C.UTF-8
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir -p files/debian loaders
  touch files/debian/{linux,initrd.gz} loaders/{undionly.kpxe,snponly.efi,ipxe.efi,grubnetaa64.efi,snponly-arm64.efi}
  cat >preseed.cfg.tmpl <<'END'
d-i netcfg/get_hostname string ${machine.name}
d-i passwd/root-password password ${var.password}
END
  cat >site.hcl <<'END'
root    = "files"
loaders = "loaders"
network "lab" {
  address = "192.0.2.1/24"
  range   = ["192.0.2.100", "192.0.2.200"]
}
profile "debian-installer" {
  kernel  = "debian/linux"
  initrd  = ["debian/initrd.gz"]
  cmdline = "auto=true url=${answers.preseed}"
  answers "preseed" {
    template = "preseed.cfg.tmpl"
  }
}
machine "rack1-01" {
  mac     = "52:54:00:12:34:56"
  address = "192.0.2.11"
  profile = profile.debian-installer
  secrets = {
    password = "hunter2"
  }
}
default_profile = profile.local-disk
END
}

@test "explain: a machine by its MAC or its name, for the usual firmwares" {
  run -0 "$slipway" explain 52:54:00:12:34:56
  [[ $output == *"BIOS, PXE:"*"undionly.kpxe"*"UEFI x64, PXE:"*"snponly.efi"*"UEFI x64, HTTP Boot:"* ]]
  [[ $output == *"http://192.0.2.1/ipxe.efi"*"UEFI ARM64, PXE:"*"snponly-arm64.efi"*"iPXE:"*"http://192.0.2.1/boot.ipxe"* ]]
  [[ $output == *"machine: 52:54:00:12:34:56 is 'rack1-01', by its MAC address"* ]]
  diff <("$slipway" explain rack1-01) <(printf '%s\n' "$output")
  diff <("$slipway" explain --site=site.hcl 52-54-00-12-34-56) <(printf '%s\n' "$output")
}

@test "explain: one client, as text and as JSON" {
  run -0 "$slipway" explain -arch 16 rack1-01
  [[ $output == *"boots         http://192.0.2.1/ipxe.efi"* ]]
  run -0 "$slipway" explain -arch 11 -class PXEClient:Arch:00011:UNDI:003000 -o json rack1-01
  jq -e '.[0] | .file == "snponly-arm64.efi" and .machine == "rack1-01" and .profile == "debian-installer" and
    .next_server == "192.0.2.1" and .pxe == "boot the file" and (.why | length) == 5' <<<"$output"
  run -0 "$slipway" explain -user-class iPXE -o json rack1-01
  jq -e '.[0].file == "http://192.0.2.1/boot.ipxe"' <<<"$output"
  run -0 "$slipway" explain -o json 52:54:00:00:00:01
  jq -e 'length == 6 and all(.machine == null and .profile == null and .file == null)' <<<"$output"
}

@test "explain: what is at a path" {
  run -0 "$slipway" explain -file boot.ipxe rack1-01
  [ "${lines[0]}" = '#!ipxe' ]
  [ "${lines[1]}" = 'kernel http://192.0.2.1/debian/linux initrd=initrd0 auto=true url=http://192.0.2.1/answers/preseed' ]
  run -0 "$slipway" explain -file answers/preseed rack1-01
  [ "${lines[1]}" = 'd-i passwd/root-password password hunter2' ]
  run -0 "$slipway" explain -file /debian/linux rack1-01
  [ "$output" = "$PWD/files/debian/linux" ]
  run -1 "$slipway" explain -file answers/preseed 52:54:00:00:00:01
  [[ $output == *"profile 'local-disk' of 52:54:00:00:00:01 has no answers 'preseed'"* ]]
  run -1 "$slipway" explain -file ../site.hcl rack1-01
  [[ $output == *"a path with '..' is refused"* ]]
}

@test "explain: HTTP Boot of GRUB and shim, and the disk that it is given" {
  touch loaders/{shimx64.efi,grubx64.efi}
  sed -i '/^profile "debian-installer"/a\  loader = "shim"' site.hcl
  run -0 "$slipway" explain -arch 16 rack1-01
  [[ $output == *'boots         http://192.0.2.1/shimx64.img'*"shim, from the host's packages, on a disk in memory with the profile's kernel"* ]]
  run -0 "$slipway" explain -file shimx64.img rack1-01
  [ "${lines[0]}" = "EFI/BOOT/BOOTx64.EFI: $PWD/loaders/shimx64.efi" ]
  [ "${lines[1]}" = "EFI/BOOT/grubx64.efi: $PWD/loaders/grubx64.efi" ]
  [ "${lines[2]}" = "grub/grub.cfg: GRUB configuration of profile 'debian-installer' for machine 'rack1-01'" ]
  [ "${lines[4]}" = "debian/linux: $PWD/files/debian/linux" ]
}

@test "explain: every architecture is known, or said to be unknown" {
  # number of option 93; who that is
  while read -r arch client; do
    run -0 "$slipway" explain -arch "$arch" rack1-01
    [[ $output == *"client: $client,"* ]] || { echo "$arch: $output"; return 1; }
  done <<'END'
0    pxe on bios
6    pxe on uefi-ia32
7    pxe on uefi-x64
9    pxe on uefi-x64
10   pxe on uefi-arm32
11   pxe on uefi-arm64
15   http on uefi-ia32
16   http on uefi-x64
17   http on uefi-x64
18   http on uefi-arm32
19   http on uefi-arm64
20   http on bios
21   u-boot on u-boot-arm32
22   u-boot on u-boot-arm64
23   u-boot on u-boot-arm32
24   u-boot on u-boot-arm64
0x19 pxe on uefi-riscv32
0x1a http on uefi-riscv32
0x1b pxe on uefi-riscv64
0x1c http on uefi-riscv64
0x1d pxe on unknown
0x25 pxe on unknown
0x27 pxe on uefi-loongarch64
0x28 http on uefi-loongarch64
0x29 pxe on unknown
END
  [[ $output == *'nobody knows what to give to architecture 41 (option 93)'* ]]
  run -0 "$slipway" explain -arch 0x1c rack1-01
  [[ $output == *'boot loader for uefi-riscv64'* ]]
}

@test "explain: a Raspberry Pi is seen through its claims" {
  cat >>site.hcl <<'END'
profile "kiosk" {
  firmware = "files"
}
machine "pi" {
  mac     = "dc:a6:32:01:02:03"
  profile = profile.kiosk
}
END
  run -0 "$slipway" explain -arch 0 pi
  [[ $output == *"option 43     Raspberry Pi Boot"*"client: pi on pi4"* ]]
  run -0 "$slipway" explain -arch 0 -file dc-a6-32-01-02-03/start4.elf pi
  [ "$output" = "$PWD/files/start4.elf" ]
}

@test "explain: usage" {
  run -1 "$slipway" explain
  run -1 "$slipway" explain a b
  run -1 "$slipway" explain nobody
  [[ $output == *"'nobody' is neither a MAC address nor a machine of the site file"* ]]
  run -1 "$slipway" explain -arch x rack1-01
  [[ $output == *"-arch is a number of option 93"* ]]
  run -1 "$slipway" explain -uuid x rack1-01
  [[ $output == *"'x' is no UUID"* ]]
  run -1 "$slipway" explain -network lob rack1-01
  [[ $output == *"there is no network 'lob' in the site file; did you mean 'lab'?"* ]]
  run -1 "$slipway" explain -site nothing.hcl rack1-01
  [[ $output == *"nothing.hcl"* ]]
}

@test "site: a mistake is shown with its line, and secrets are not" {
  sed -i 's/rofile.debian-installer/rofile.debian-instaler/; s/"hunter2"/"hunter2", x = 5 + true/' site.hcl
  run -1 "$slipway" explain rack1-01
  [[ $output == *"there is no profile 'debian-instaler'; did you mean 'debian-installer'?"* ]]
  [[ $output == *"on site.hcl line 18, column 13:"*"profile = profile.debian-instaler"* ]]
  [[ $output != *hunter2* ]]
}

@test "site: mistakes are shown in the order of their lines" {
  sed -i 's/profile.debian-installer/profile.debian/; s/loaders = /laoders = /' site.hcl
  echo 'default_profil = 1' >>site.hcl
  for verb in 'serve -n site.hcl' 'explain -site=site.hcl 52:54:00:12:34:56'; do
    # shellcheck disable=SC2086
    run -1 "$slipway" $verb
    [ "$(grep -o 'line [0-9]*' <<<"$output" | sort -k 2n)" = "$(grep -o 'line [0-9]*' <<<"$output")" ]
    [ "$(grep -c 'line [0-9]' <<<"$output")" -eq 3 ]
  done
}

@test "site: -n tells of what this host does not have, with the line" {
  run -0 "$slipway" serve -n site.hcl
  [ "$output" = 'The site file is sound.' ]
  sed 's/  address = "192.0.2.1.24"/  interface = "none0"/' site.hcl >other.hcl
  run -0 "$slipway" serve -n other.hcl
  [[ $output == *"Warning: there is no interface 'none0' on this host"*"on other.hcl line 4, column 15"*'There are: '*'is sound.' ]]
  sed -i 's/none0/lo/' other.hcl
  run -1 "$slipway" serve -n other.hcl
  [[ $output == *"192.0.2.100 is not in the subnet of network 'lab', 127.0.0.0/8"*'on other.hcl line 5'* ]]
  sed -i 's/^  range .*/  subnet = "192.0.2.0\/24"/' other.hcl
  run -0 "$slipway" serve -n other.hcl
  [[ $output == *"interface 'lo' has the address 127.0.0.1, which is not in 192.0.2.0/24"*'on other.hcl line 4'* ]]
  sed '/^network/,/^}/d; /192.0.2.11/d' site.hcl >other.hcl
  run -0 "$slipway" serve -n other.hcl
  [[ $output == *'Warning: the site has no network'*'is sound.' ]]
}

@test "site: -quick tells of what is missing, and names no file" {
  run -1 "$slipway" serve -n -quick=nothing -interface=lo
  [[ $output == *"the folder 'nothing': No such file or directory"* ]]
  run -1 "$slipway" serve -n -quick=loaders/.. -interface=lo
  [[ $output == *'nothing that boots lies in'* ]]
  touch files/linux
  printf '\xff' >files/cmdline
  run -1 "$slipway" serve -n -quick=files -interface=none0
  [[ $output == *"UTF-8"* && $output != *'<quick>'* ]]
  rm files/cmdline
  run -0 "$slipway" serve -n -quick=files -interface=none0
  [[ $output == *"Warning: there is no interface 'none0' on this host"* && $output != *'<quick>'* ]]
}

@test "site: templates of answers are checked with the site file" {
  echo '${machine.nam}' >>preseed.cfg.tmpl
  run -1 "$slipway" explain rack1-01
  [[ $output == *"preseed.cfg.tmpl line 3"* ]]
  rm preseed.cfg.tmpl
  run -1 "$slipway" explain rack1-01
  [[ $output == *"on site.hcl line 12, column 16"* ]]
}

@test "site: the example is sound" {
  cp -r "$here/examples/site" example
  ROOT_PASSWORD=secret run -0 "$slipway" explain -site example/site.hcl -file answers/preseed rack1-02
  [[ $output == *"get_hostname string rack1-02"*"root-password password secret"*"openssh-server"* ]]
  [[ $output != *"Error"* ]]
  run -0 "$slipway" fmt -check - <example/site.hcl
}

@test "site: options stand before and behind arguments" {
  cp -r "$here/examples/site" example
  export ROOT_PASSWORD=secret
  run -0 "$slipway" explain -site example/site.hcl -arch 7 rack1-02
  before=$output
  run -0 "$slipway" explain rack1-02 -arch=7 --site example/site.hcl
  [ "$output" = "$before" ]
  run -0 "$slipway" serve example/site.hcl -n
  [[ $output == *"The site file is sound." ]]
}

@test "site: the JSON form" {
  cat >site.json <<'END'
{"root": "files", "loaders": "loaders", "network": {"lab": {"address": "192.0.2.1/24"}},
 "profile": {"p": {"kernel": "debian/linux", "cmdline": "host=${machine.name}"}},
 "machine": {"m": {"mac": "52:54:00:12:34:56", "profile": "profile.p"}}}
END
  run -0 "$slipway" explain -site site.json -file pxelinux.cfg/default m
  [[ $output == *"APPEND host=m"* ]]
}

@test "site: a folder of site files is one site" {
  mkdir site.d
  sed '/^machine/,/^}/d' site.hcl >site.d/10-site.hcl
  sed -n '/^machine/,/^}/p' site.hcl >site.d/20-machines.hcl
  cp -r preseed.cfg.tmpl files loaders site.d
  diff <("$slipway" explain rack1-01 | sed 's/site\.d//g') <("$slipway" explain -site site.d rack1-01 | sed 's/site\.d//g')
  cp site.d/20-machines.hcl site.d/30-again.hcl
  run -1 "$slipway" explain -site site.d rack1-01
  [[ $output == *"on site.d/30-again.hcl line 1"*"is in line 1 of site.d/20-machines.hcl"* ]]
}
