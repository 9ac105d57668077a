#!/usr/bin/env bats
# slipway image, as any user.

bats_require_minimum_version 1.5.0

setup_file() {
    export PATH="$PATH:/usr/sbin:/sbin" MTOOLSRC=/dev/null TZ=UTC
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir -p root/etc root/usr/bin root/boot/firmware root/etc/alternatives boot
    ln -s usr/bin root/bin
    ln -s ../usr/bin/hello root/etc/link
    printf 'PARTUUID=12345678-02 / ext4 defaults 0 1\nPARTUUID=12345678-01 /boot/firmware vfat defaults 0 2\n' >root/etc/fstab
    echo hello >root/usr/bin/hello
    chmod 755 root/usr/bin/hello
    echo a=1 >boot/config.txt
    truncate -s 96M disk.img
    printf 'label: dos\nlabel-id: 0x12345678\n2048,65536,c,*\n67584,,83\n' | sfdisk -q disk.img
    truncate -s 32M boot.img
    mkfs.fat -n BOOT boot.img >/dev/null
    mcopy -i boot.img boot/config.txt ::
    dd if=boot.img of=disk.img bs=1M seek=1 conv=notrunc status=none
    truncate -s 62M root.img
    mkfs.ext4 -q -L root -d root root.img
    dd if=root.img of=disk.img bs=1M seek=33 conv=notrunc status=none
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
}

@test "info shows table, file systems and where they are mounted" {
    run "$SLIPWAY" image info disk.img
    [ "$status" -eq 0 ]
    [[ $output == *"Partition table: dos, id 0x12345678"* ]]
    [[ $output == *"mounted on  /boot/firmware"* ]]
    [[ $output == *"file system ext4"* ]]
    [[ $output == *"PARTUUID    12345678-02"* ]]
}

@test "info -o json is JSON" {
    "$SLIPWAY" image info -o json disk.img | python3 -c '
import json, sys
info = json.load(sys.stdin)
assert info["table"] == "dos" and len(info["partitions"]) == 2, info
root = info["partitions"][1]
assert root["mountpoint"] == "/" and root["filesystem_label"] == "root" and root["used_bytes"] > 0, root'
}

@test "ls lists over the root and what its fstab mounts" {
    run "$SLIPWAY" image ls disk.img /boot/firmware
    [ "$status" -eq 0 ]
    [ "$output" = config.txt ]
    run "$SLIPWAY" image ls -l disk.img /usr/bin/hello
    [[ $output == -rwxr-xr-x*" 6 "*hello ]]
    run "$SLIPWAY" image ls disk.img /bin
    [ "$output" = hello ]
    run "$SLIPWAY" image ls disk.img -R
    [[ $output == *"/boot/firmware:"*config.txt* ]]
}

@test "ls -o json has paths, types and targets" {
    "$SLIPWAY" image ls -R -o json disk.img | python3 -c '
import json, sys
entries = {e["path"]: e for e in json.load(sys.stdin)}
assert entries["/bin"]["target"] == "usr/bin", entries["/bin"]
assert entries["/boot/firmware/config.txt"]["size"] == 4'
}

@test "cat prints a file, of the system or of a partition" {
    run "$SLIPWAY" image cat disk.img /etc/link
    [ "$output" = hello ]
    run "$SLIPWAY" image cat disk.img 1:/config.txt
    [ "$output" = a=1 ]
    run "$SLIPWAY" image cat boot.img 1:config.txt
    [ "$output" = a=1 ]
}

@test "extract makes files that are the caller's own" {
    "$SLIPWAY" image extract disk.img /etc out
    [ "$(readlink out/link)" = ../usr/bin/hello ]
    diff out/fstab root/etc/fstab
    [ -O out/fstab ]
    [ "$(stat -c %Y out/fstab)" = "$(stat -c %Y root/etc/fstab)" ]
    mkdir folder
    "$SLIPWAY" image extract disk.img /boot/firmware/config.txt folder
    [ "$(cat folder/config.txt)" = a=1 ]
    run "$SLIPWAY" image extract disk.img /boot/firmware/config.txt folder
    [ "$status" -eq 1 ]
    [[ $output == *"exists already"* ]]
}

@test "what is not there is told with the nearest name" {
    run "$SLIPWAY" image cat disk.img /etc/fstba
    [ "$status" -eq 1 ]
    [[ $output == *"no 'fstba' in '/etc'"*"did you mean 'fstab'?"* ]]
    run "$SLIPWAY" image ls disk.img 9:/
    [[ $output == *"no partition 9"* ]]
    run "$SLIPWAY" image cat disk.img /etc
    [ "$status" -eq 1 ]
    run "$SLIPWAY" image lss disk.img
    [ "$status" -eq 1 ]
    [[ $output == "slipway image: unknown action 'lss'; did you mean 'ls'? There are: info, ls, cat, extract"* ]]
    [[ $output == *"Try 'slipway image -help'." ]]
}

@test "no image, a compressed one, a damaged table" {
    run "$SLIPWAY" image info nowhere.img
    [[ $output == *"No such file"* ]]
    head -c 65536 /dev/urandom >noise
    run "$SLIPWAY" image info noise
    [ "$status" -eq 1 ]
    [[ $output == *"no disk image"* ]]
    rm -f pipe && mkfifo pipe
    for name in pipe /dev/null; do
        run timeout 20 "$SLIPWAY" image info $name
        [ "$status" -eq 1 ]
        [ "$output" = "Error: '$name' is no file that could be an image" ]
    done
    xz -k root/etc/fstab -c >disk.img.xz
    run "$SLIPWAY" image info disk.img.xz
    [[ $output == *"compressed (xz); unpack it first"* ]]
    cp --sparse=always disk.img short.img
    truncate -s 40M short.img
    run "$SLIPWAY" image info short.img
    [ "$status" -eq 1 ]
    [[ $output == *"DAMAGED"*"past the end of the image"*"Partition 1"*"Error: 'short.img' is damaged: "* ]]
    run bash -c '"$SLIPWAY" image info -o json short.img 2>json.err | jq -r .problem; exit "${PIPESTATUS[0]}"'
    [ "$status" -eq 1 ]
    [[ $output == *"past the end of the image"* ]]
}

@test "a truncated image without a partition table" {
    truncate -s 40M root.img
    run "$SLIPWAY" image info root.img
    truncate -s 62M root.img
    [ "$status" -eq 1 ]
    [[ $output == *"one file system; DAMAGED: the file system of partition 1 has "*", the partition 40.0 MiB"* ]]
    run "$SLIPWAY" image info root.img
    [ "$status" -eq 0 ]
    [[ $output == *"No partition table: one file system"* && $output != *DAMAGED* ]]
}

@test "images of virtual machines: what converts them is said" {
    printf 'QFI\xfb\0\0\0\3' >vm.qcow2
    printf 'KDMV\1\0\0\0' >vm.vmdk
    printf 'vhdxfile' >vm.vhdx
    for name in qcow2 vmdk vhdx; do
        run "$SLIPWAY" image info vm.$name
        [ "$status" -eq 1 ]
        [[ ${output,,} == *"'vm.$name' is a $name image; convert it first: qemu-img convert -o raw vm.$name vm.$name.img" ]]
        run "$SLIPWAY" boot -print vm.$name
        [[ $output == *"qemu-img convert"* ]]
    done
}

@test "extract keeps the holes of a file that claims to be larger than any disk" {
    mkdir sparse
    truncate -s 200G sparse/huge
    printf middle | dd of=sparse/huge bs=1 seek=107374182400 conv=notrunc status=none
    echo tail >>sparse/huge
    truncate -s 32M sparse.img
    mkfs.ext4 -q -d sparse sparse.img
    run timeout 60 "$SLIPWAY" image extract sparse.img 1:/huge huge
    [ "$status" -eq 0 ]
    [ "$(stat -c %s huge)" -eq 214748364805 ]
    [ "$(stat -c %b huge)" -lt 1000 ]
    [ "$(dd if=huge bs=1 skip=107374182400 count=6 status=none)" = middle ]
    [ "$(tail -c 5 huge)" = tail ]
    rm huge sparse/huge
}

@test "cat into a file that has something already, and into a pipe, writes zeros" {
    mkdir -p holes
    rm -f holes/*
    truncate -s 300000 holes/file
    printf x >>holes/file
    truncate -s 8M holes.img
    mkfs.ext4 -q -F -d holes holes.img
    { echo head; cat holes/file; echo behind; } >expected
    { echo head; "$SLIPWAY" image cat holes.img 1:/file; echo behind; } >found
    cmp expected found
    head -c 400000 /dev/urandom >noise
    { echo head; "$SLIPWAY" image cat holes.img 1:/file; } 1<>noise
    cmp -n 300006 expected noise
    echo head >found
    "$SLIPWAY" image cat holes.img 1:/file >>found
    echo behind >>found
    cmp expected found
    "$SLIPWAY" image cat holes.img 1:/file | cmp - holes/file
}

@test "a disk that is full is told with the file that did not fit" {
    mkdir large
    head -c 3000000 /dev/urandom >large/file
    truncate -s 8M large.img
    mkfs.ext4 -q -d large large.img
    run bash -c "ulimit -f 1000; trap '' XFSZ; \"$SLIPWAY\" image extract large.img 1:/ all"
    [ "$status" -eq 1 ]
    [[ $output == *"'all/file': partition 1: write: File too large"* ]]
}
