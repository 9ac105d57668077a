#!/usr/bin/env bats
# Native acceleration: a Debian arm64 comes out of a build as it does without, byte for byte, and whatever
# looks at the processor or at the accelerated files sees the guest's.

# shellcheck disable=SC2154,SC2016 # set by the helpers; scripts for the guest
load helpers

setup() {
  build_setup
  [[ $("$slipway" doctor) == *"arm64 programs"*accelerated* ]] || skip 'this host accelerates no arm64 guests'
  export SOURCE_DATE_EPOCH=1700000000
}

# both STEPS: the same template, accelerated and not; log.accelerated and log.emulated say what was done.
both() {
  template "$(debian arm64)/base.img.xz" reuse "$1" '.builders[0].image_path = "accelerated.img"'
  PACKER_LOG=1 build t.json >log.accelerated 2>&1 || { cat log.accelerated; return 1; }
  jq '.builders[0].image_path = "emulated.img"' t.json >e.json
  PACKER_LOG=1 build -no-accelerate e.json >log.emulated 2>&1 || { cat log.emulated; return 1; }
}

accelerated() { grep -q ' programs are accelerated' "$1"; }

# A package of the name and version given, whose only file is a script: PATH says TEXT.
package='package() {
  mkdir -p /tmp/p/DEBIAN "/tmp/p$(dirname "$3")"
  printf "Package: %s\nVersion: %s\nArchitecture: arm64\nMaintainer: a <a@b>\nDescription: test\n" "$1" "$2" >/tmp/p/DEBIAN/control
  printf "#!/bin/sh\necho %s\n" "$4" >"/tmp/p$3"
  chmod 755 "/tmp/p$3"
  dpkg-deb -b /tmp/p "/tmp/$1.deb"
  rm -r /tmp/p
}'

@test "accelerate: an initramfs, modules, packages and what tells the processor, the same bytes either way" {
  both "$(shell "$package" 'set -e; mkdir /srv/t; cd /srv/t' \
    'uname -a | sed "s/#.*//" >uname; arch >arch; dpkg --print-architecture >dpkg; getconf LONG_BIT >bits' \
    'ldd /bin/ls | sed "s/(.*//" >ldd; od -A n -t x1 -N 64 /bin/sh >sh; cp /bin/ls ls; cat /bin/grep >grep' \
    'bash -c "echo \$HOSTTYPE \$MACHTYPE" >bash; sh -c "echo \$0 \$(cat /proc/\$\$/comm)" >names' \
    'find / -xdev ! -path "/tmp/*" -printf "%p %s %m %u %g %l\n" | sort >find; find /dev | sort >dev' \
    'sha256sum /usr/bin/* /usr/sbin/* >sums; stat -c "%n %s %a %U" /bin/* >stat; env | sort >env' \
    'tar -C /etc -c . --sort=name --mtime=@0 | gzip -n >etc.tar.gz; (cd /usr/share/doc; find . | sort | cpio -o -H newc --reproducible --quiet | cksum) >cpio' \
    'depmod -a $(ls /lib/modules); update-tirfs; mkdir /tmp/i; (cd /tmp/i; (zcat /boot/initrd.img-* 2>/dev/null || cat /boot/initrd.img-*) | cpio -i --quiet; find . -type f | sort | xargs sha256sum) >initrd; rm -r /tmp/i /boot/initrd.img*' \
    'package made 1 /usr/bin/made one; dpkg -i /tmp/made.deb; made >made; dpkg -r made; dpkg -P made' \
    'for i in 3 1 2; do printf "%s\n" $i; done | sort | tr "\n" " " >sorted; date -u +%Y -d @1000000000 >date; rm /tmp/*.deb' \
    'cd /; rm -f /var/log/dpkg.log /var/log/alternatives.log /var/log/tiny-initramfs.log')"
  accelerated log.accelerated
  run ! accelerated log.emulated
  cmp accelerated.img emulated.img
  [ "$(ext_cat accelerated.img 2 /srv/t/arch)" = aarch64 ]
  [ "$(ext_cat accelerated.img 2 /srv/t/dpkg)" = arm64 ]
  [[ $(ext_cat accelerated.img 2 /srv/t/bash) == aarch64* ]]
  [[ $(ext_cat accelerated.img 2 /srv/t/ldd) == *ld-linux-aarch64.so.1* ]]
  [ "$(ext_cat accelerated.img 2 /srv/t/names)" = 'sh sh' ]
  [[ $(ext_cat accelerated.img 2 /srv/t/initrd) == *.ko* ]]
  image_is_clean accelerated.img
}

@test "accelerate: a tool that a step replaces, changes, diverts or removes is its new self at once" {
  both "$(shell "$package" 'set -e; mkdir /srv/t; cd /srv/t' \
    'package sed 99-1 /bin/sed "new sed"; dpkg -i --force-all /tmp/sed.deb; /bin/sed p >sed; dpkg -s sed | grep Version >>sed' \
    'cp /usr/bin/tac /tmp/tac; printf "#!/bin/sh\necho written\n" >/usr/bin/tac; tac >tac; cp /tmp/tac /usr/bin/tac; touch -d @1 x; touch -r x /usr/bin/tac; echo a | tac >>tac' \
    'dpkg-divert --rename --divert /usr/bin/nl.old /usr/bin/nl; echo a | nl.old >nl; ! command -v nl; printf "#!/bin/sh\necho diverted\n" >/usr/bin/nl; chmod +x /usr/bin/nl; nl >>nl' \
    'rm /usr/bin/tsort; ! tsort </dev/null 2>tsort; mv /usr/bin/wc /usr/bin/count; echo a | count -c >wc; rm /tmp/* x' \
    'cd /; rm -f /var/log/dpkg.log')"
  accelerated log.accelerated
  cmp accelerated.img emulated.img
  [[ $(ext_cat accelerated.img 2 /srv/t/sed) == 'new sed'*'Version: 99-1' ]]
  [ "$(ext_cat accelerated.img 2 /srv/t/tac)" = $'written\na' ]
  [[ $(ext_cat accelerated.img 2 /srv/t/nl) == *1*a*diverted ]]
}

@test "accelerate: a package of accelerated programs is downgraded, upgraded, diverted, removed and purged" {
  # The installed gzip as packages of two versions, and one that puts its own in front of it. gzip shows its own memory, in
  # which the host's ld.so is or is not.
  both "$(shell 'set -e; mkdir -p /srv/t /tmp/g/DEBIAN /tmp/h/DEBIAN /tmp/h/bin; cd /tmp; version=$(dpkg-query -W -f "\${Version}" gzip)' \
    'dpkg -L gzip | while read -r file; do if [ -f "$file" ]; then echo "${file#/}"; fi; done >list; tar -C / -c -T list | tar -C g -x; cp /var/lib/dpkg/info/gzip.md5sums g/DEBIAN/md5sums' \
    'dpkg -s gzip | sed "/^Status:/d; s/^Version:.*/Version: 0.1-1/" >g/DEBIAN/control; dpkg-deb -b g old.deb; sed -i "s/^Version:.*/Version: $version/" g/DEBIAN/control; dpkg-deb -b g new.deb' \
    'printf "Package: front\nVersion: 1\nArchitecture: arm64\nMaintainer: a <a@b>\nDescription: test\n" >h/DEBIAN/control; printf "#!/bin/sh\necho in front\n" >h/bin/gzip' \
    'printf "#!/bin/sh\ndpkg-divert --package front --add --rename --divert /bin/gzip.real /bin/gzip\n" >h/DEBIAN/preinst; printf "#!/bin/sh\ndpkg-divert --package front --remove --rename --divert /bin/gzip.real /bin/gzip\n" >h/DEBIAN/postrm' \
    'chmod 755 h/bin/gzip h/DEBIAN/p*; dpkg-deb -b h front.deb; exec >/srv/t/log 2>&1' \
    'native() { gzip -c /proc/self/maps 2>/dev/null | zcat | grep -q "/ld[.]so"; }; accelerated() { [ -e /proc/1/map_files/table ]; }; same() { echo same | gzip | zcat; dpkg-query -W gzip; dpkg --verify gzip; }' \
    'settled() { i=0; while accelerated && ! native && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done; if accelerated; then native; else ! native; fi; }' \
    'dpkg -i old.deb; ! native; same; apt-get -y install ./new.deb; settled; same; apt-get -y --allow-downgrades install ./old.deb; ! native; same; dpkg -i new.deb; settled; same' \
    'dpkg -i front.deb; gzip; echo real | gzip.real | gzip.real -d; dpkg -P front; ! command -v gzip.real; same; settled' \
    'dpkg -r --force-remove-essential --force-depends gzip; ! command -v gzip; ! ls /usr/share/man/man1/gzip*; dpkg -i new.deb; same; settled' \
    'apt-get -y --allow-remove-essential purge gzip; ! command -v gzip; ! gzip; dpkg -i new.deb; same; settled' \
    'cd /; rm -rf /tmp/* /var/log/dpkg.log /var/log/apt /var/cache/apt/*.bin')"
  accelerated log.accelerated
  cmp accelerated.img emulated.img
  [ "$(ext_cat accelerated.img 2 /srv/t/log | grep -c '^same$')" = 7 ]
  [ "$(ext_cat accelerated.img 2 /srv/t/log | grep -c '^in front$')" = 1 ]
}

@test "accelerate: other users, environments, set-user-ID files and roots inside" {
  both "$(shell 'set -e; mkdir -m 777 /srv/t; cd /srv/t' \
    'su -s /bin/sh nobody -c "id; ls -ld /srv/t; echo \$0" >nobody' \
    'LD_PRELOAD=/lib/aarch64-linux-gnu/libc.so.6 cat /proc/self/comm >preload' \
    'printf "/lib/\$PLATFORM/none.so\n" >/etc/ld.so.preload; cat /proc/self/comm >listed; rm /etc/ld.so.preload' \
    'LANG=de_DE LC_ALL=xx.ISO-8859-1 sort /etc/passwd | head -1 >locale; env -i /bin/ls / >bare' \
    'cp /usr/bin/id /srv/t/id; chmod 4755 /srv/t/id; su -s /bin/sh nobody -c /srv/t/id >setuid; chmod 755 id' \
    'mkdir r; for d in bin lib usr; do ln -s /$d /srv/t/r/ 2>/dev/null || :; done; rm r/*; mkdir r/usr; mount --bind /usr r/usr; ln -s usr/bin usr/lib r/; chroot r /bin/ls / >chroot; umount r/usr' \
    'unshare -m sh -c "umount -l /proc; ls /srv" >noproc; rm -r r')"
  accelerated log.accelerated
  cmp accelerated.img emulated.img
  [[ $(ext_cat accelerated.img 2 /srv/t/setuid) == *euid=0* ]]
}

@test "accelerate: false in a template, and a host's program that a provisioner took is an error" {
  local program
  template "$(debian arm64)/base.img.xz" reuse "$(shell true)" '.builders[0].accelerate = false'
  PACKER_LOG=1 run -0 build t.json
  [[ $output != *'programs are accelerated'* ]]
  for program in /proc/1/map_files/bin/bin.ls /proc/1/map_files/ld.so '/proc/$$/exe' /proc/1/exe; do
    template "$(debian arm64)/base.img.xz" reuse "$(shell "cp $program /usr/local/bin/mine")"
    run ! build -force t.json
    [[ $output == *"'/usr/local/bin/mine' of the image is a program of this host"* ]]
  done
  run ! build -force -no-accelerate t.json
  [[ $output == *"'/usr/local/bin/mine' of the image is a program of this host"* ]]
}

@test "accelerate: apt and dpkg know the guest's processor, and write the same" {
  both "$(shell "$package" 'set -e; mkdir -p /srv/t /srv/r; cd /srv/r' \
    'package one 1 /usr/bin/one one; package two 2 /usr/bin/two two; mv /tmp/*.deb .' \
    'for f in one two; do dpkg-deb -f $f.deb; printf "Filename: ./%s.deb\nSize: %s\nSHA256: %s\n\n" $f $(stat -c %s $f.deb) $(sha256sum $f.deb | cut -d" " -f1); done >Packages; gzip -9nk Packages' \
    'mv /etc/apt/sources.list /tmp/kept; echo "deb [trusted=yes] file:/srv/r ./" >/etc/apt/sources.list; apt-get update' \
    'cd /srv/t; apt-get install -y one two >apt 2>&1; one >said; apt-get remove -y one >>apt 2>&1; apt-mark showmanual >manual; apt-cache policy two >policy' \
    'dpkg --print-architecture >arch; apt-config dump | grep -i architecture >>arch; apt-get --version | head -n 1 >>arch; dpkg --version | head -n 1 >>arch; dpkg-query -W >list; dpkg -L two >files; dpkg --verify two' \
    'cd /; mv /tmp/kept /etc/apt/sources.list; rm -rf /srv/r /var/lib/apt/lists/* /var/log/dpkg.log /var/log/apt /var/cache/apt/*.bin')"
  accelerated log.accelerated
  cmp accelerated.img emulated.img
  [[ $(ext_cat accelerated.img 2 /srv/t/arch) == arm64*'"arm64"'*'(arm64)'*'(arm64)'* ]]
}

@test "accelerate: maintainer scripts in Perl, debconf's questions and answers" {
  both "$(shell 'set -e; mkdir -p /srv/t /tmp/p/DEBIAN; cd /tmp/p/DEBIAN; export DEBIAN_FRONTEND=noninteractive' \
    'printf "Package: asks\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDepends: debconf\nDescription: test\n" >control' \
    'printf "Template: asks/colour\nType: select\nChoices: red, green, blue\nDefault: red\nDescription: Colour?\n Which.\n\nTemplate: asks/name\nType: string\nDescription: Name?\n Whose. ü\n" >templates' \
    'printf "#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_input high asks/colour || :\ndb_input high asks/name || :\ndb_go || :\n" >config' \
    'printf "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get asks/colour; c=\$RET\ndb_get asks/name\necho \"\$1 \$c \$RET\" >>/srv/t/answers\nadduser --quiet --system --group asks >&2\nupdate-rc.d asks defaults >&2\n" >postinst' \
    'chmod 755 config postinst; mkdir -p ../etc/init.d; printf "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: asks\n# Required-Start:\n# Required-Stop:\n# Default-Start: 2 3\n# Default-Stop: 0\n### END INIT INFO\n" >../etc/init.d/asks; chmod 755 ../etc/init.d/asks; dpkg-deb -b .. /tmp/asks.deb >/dev/null' \
    'echo "asks asks/colour select green" | debconf-set-selections; printf "asks asks/name string Jürgen\n" | debconf-set-selections' \
    'dpkg -i /tmp/asks.deb; echo "asks asks/colour select blue" | debconf-set-selections; dpkg-reconfigure asks; debconf-show asks | sort >/srv/t/show' \
    'ls /etc/rc?.d >/srv/t/rc; id asks >/srv/t/id; linux-version list >/srv/t/linux; pam-auth-update --package; cat /usr/sbin/adduser >/srv/t/script' \
    'printf "#!/usr/bin/perl\nuse Config; use POSIX; print \"\$Config{archname} \", (POSIX::uname)[4], \" \$^X \$0\\n\"; print for map \"\$_\\n\", @INC; print readlink(\"/proc/self/exe\");\n" >/srv/t/own.pl; chmod 755 /srv/t/own.pl; /srv/t/own.pl >/srv/t/perl; perl -e "print \"\$^X\\n\"" >>/srv/t/perl' \
    'printf "#!/usr/bin/perl\nprint qq{\$^X \$0 @INC @ARGV\\n}; print qq{\$_ }, -e && (stat)[7], qq{\n} for sort values %%INC;\n" >/tmp/linux-version; cat /tmp/linux-version >/usr/bin/linux-version; linux-version a b >>/srv/t/linux' \
    'dpkg -P asks; deluser --quiet --system asks; rm -rf /tmp/p /tmp/asks.deb /tmp/linux-version /var/log/dpkg.log /var/cache/debconf/*-old')"
  accelerated log.accelerated
  grep -q 'accelerated (debconf): frontend' log.accelerated
  cmp accelerated.img emulated.img
  [ "$(ext_cat accelerated.img 2 /srv/t/answers)" = $'configure green Jürgen\nconfigure blue Jürgen' ]
  [[ $(ext_cat accelerated.img 2 /srv/t/perl) == 'aarch64-linux-gnu-thread-multi aarch64 /usr/bin/perl /srv/t/own.pl'* ]]
}

@test "accelerate: what a step installs is accelerated from then on" {
  # tac shows its own memory, in which the host's ld.so is or is not; a moved file is another, until dpkg has run again.
  both "$(shell "$package" 'set -e; native() { tac /proc/self/maps | grep -q "/ld[.]so"; }; accelerated() { [ -e /proc/1/map_files/table ]; }' \
    'if accelerated; then native; fi; mv /usr/bin/tac /tmp/tac; mv /tmp/tac /usr/bin/tac; ! native' \
    'package any 1 /usr/bin/any any; dpkg -i /tmp/any.deb' \
    'i=0; while accelerated && ! native && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done; if accelerated; then native; else ! native; fi' \
    'any; rm -rf /tmp/any.deb /var/log/dpkg.log')"
  accelerated log.accelerated
  cmp accelerated.img emulated.img
}

@test "accelerate: on a host without dpkg, programs that tell their version; all else is emulated" {
  [ "$(id -u)" -eq 0 ] || skip 'hides a folder of the host, which needs root'
  template "$(debian arm64)/base.img.xz" reuse "$(shell 'mkdir /srv/t; cd /srv/t; cp /etc/passwd .; sed s/root/toor/ passwd >sed; tar c . | gzip -n >tar' \
    'sh -c "echo \$0"; perl -e 1; dpkg --print-architecture >arch; apt-config dump | grep -c arm64')"
  run -0 unshare -m --propagation private sh -c 'mount -t tmpfs none /var/lib/dpkg && PACKER_LOG=1 "$0" build t.json' "$slipway"
  [[ $output == *'accelerated (coreutils): cat '*'accelerated (sed): sed'*' programs are accelerated'* ]]
  [[ $output != *'accelerated (dash)'* && $output != *'accelerated (dpkg)'* && $output != *'accelerated (debconf)'* ]]
  [ "$(ext_cat out.img 2 /srv/t/arch)" = arm64 ]
}
