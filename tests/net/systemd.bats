#!/usr/bin/env bats
# The units of examples/, run by a real systemd: the first process of namespaces over a copy of this machine's root.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() {
  [ "$(id -u)" -eq 0 ] || skip 'systemd wants to be root'
  cd "$BATS_TEST_TMPDIR" || return 1
  group=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/slipway-test.$$
  mkdir "$group" 2>why || skip "no cgroups here: $(cat why)"
  mkdir -p units/drop-in
  cp "$here/examples/slipway.service" units/
  cp "$here/examples/slipway-nfs.conf" units/drop-in/
  printf '[Unit]\nWants=steps.service\n' >units/lab.target
  cat >units/steps.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/bash /steps
ExecStopPost=systemctl exit
StandardOutput=append:/report
StandardError=append:/report
UNIT
  touch report
}
teardown() {
  [ ! -d "${group-}" ] || find "$group" -depth -type d -exec rmdir {} +
}

# What the machine has for all its namespaces.
of_machine() { find /proc/sys/fs/binfmt_misc /proc/sys/kernel/{core_pattern,printk,sysrq} -type f -printf '%p\n' -exec cat {} \; 2>/dev/null | sort; }

# boots_systemd: until `steps` has ended; what that said is in `report`.
boots_systemd() {
  of_machine >machine
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec timeout -s KILL 60 unshare --mount --pid --net --cgroup --uts --ipc --fork --kill-child "$here/tests/net/systemd-root" "$PWD" "$slipway"
  ) >systemd.log 2>&1 </dev/null 3>&- || { cat systemd.log report; return 1; }
  of_machine | diff machine -
}
reports() { grep -qxF -- "$1" report || { echo "not reported: $1"; cat report; return 1; }; }

@test "systemd: slipway.service serves NBD as a user of its own, with slipway-nfs.conf NFS as root" {
  cat >steps <<'STEPS'
again() { for _ in {1..100}; do "$@" 2>/dev/null && return; sleep 0.1; done; echo "in vain: $*"; }
site() {
  cat >/etc/slipway/site.hcl <<SITE
network "lab" {
  interface = "eth0"
  range     = "auto"
}
profile "p" {
  kernel = "vmlinuz"
  root "$1" { path = "$2" }
}
default_profile = profile.p
SITE
}
main() { systemctl show -P MainPID slipway; }
renewed() { systemctl --quiet is-active slipway && [ "$(main)" != "$before" ]; }
users() { ps -o user= -C slipway | sort -u; }
mkdir -p /srv/tftp /srv/debian
touch /srv/tftp/vmlinuz
truncate -s 1M /srv/debian.img
echo 'of the root by NFS' >/srv/debian/marker

site nbd /srv/debian.img
systemctl start slipway && echo "started as $(users)"
again nbdinfo --size nbd://10.77.0.1/p
touch /var/lib/slipway/witness

mkdir /etc/systemd/system/slipway.service.d
cp /etc/systemd/system/drop-in/slipway-nfs.conf /etc/systemd/system/slipway.service.d/nfs.conf
site nfs /srv/debian
systemctl daemon-reload
systemctl restart slipway && echo "restarted as $(users)"
again nfs-cat nfs://10.77.0.1/srv/debian/marker
[ -e /var/lib/slipway/witness ] && echo 'the state is as it was'
systemctl reload slipway && echo reloaded
grep CapEff "/proc/$(main)/status" | tr '\t' ' '

before=$(main)
systemctl kill --kill-who=main --signal=KILL slipway
again renewed
again nfs-cat nfs://10.77.0.1/srv/debian/marker
systemctl stop slipway && echo stopped
ps -o comm= -C slipway,ganesha.nfsd,rpcbind,nbdkit
journalctl --unit=slipway --output=cat --no-pager
STEPS
  boots_systemd
  cat report
  reports 'started as slipway'
  reports 1048576
  reports 'restarted as root'
  reports 'the state is as it was'
  reports reloaded
  reports 'CapEff: 0000000000000000'
  [ "$(grep -cx 'of the root by NFS' report)" = 2 ]
  reports stopped
  run ! grep -x -e ganesha.nfsd -e rpcbind -e nbdkit -e slipway report
  run ! grep -e 'in vain' -e 'Got notification' -e 'Failed to' -e 'tried again' report
}
