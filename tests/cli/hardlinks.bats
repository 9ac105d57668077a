#!/usr/bin/env bats
# Files with several names, in a base and in earlier steps: a change through one name is seen
# through all, as on any file system; a file that replaces one of them is another.

# shellcheck disable=SC2154 # set by the helpers
load helpers

setup() { build_setup; }

inode() { ext "$1" "$2" "stat $3" | sed -nE 's/^Inode: ([0-9]+).*/\1/p'; }
links() { ext "$1" "$2" "stat $3" | sed -nE 's/.*Links: ([0-9]+).*/\1/p'; }

in_place='["echo more >>/opt/first", "[ $(cat /opt/second | wc -l) = 2 ]", "[ $(stat -c %h /opt/second) = 2 ]", "chown 7:8 /opt/first; chmod 4700 /opt/second"]'

steps() { jq -nc '[$ARGS.positional[] | {type: "shell", inline: (. as $line | try fromjson catch [$line])}]' --args "$@"; }

both_changed() {
  local image=$1 part=$2
  [ "$(ext_cat "$image" "$part" /opt/second)" = $'linked\nmore' ]
  [ "$(inode "$image" "$part" /opt/first)" = "$(inode "$image" "$part" /opt/second)" ]
  [ "$(links "$image" "$part" /opt/first)" = 2 ]
  [[ $(ext "$image" "$part" 'stat /opt/first') == *"Mode:  04700"*"User:     7   Group:     8"* ]]
}

@test "hard links of the base: changed in place, seen by the later steps and in the image" {
  template "$(small)/base.img.xz" reuse "$(steps "$in_place" '[ $(cat /opt/second | wc -l) = 2 ]; [ /opt/first -ef /opt/second ]')"
  run -0 build t.json
  both_changed out.img 2
  image_is_clean out.img
  nothing_left
}

@test "hard links of the base: one name is replaced, or removed; the others stay" {
  template "$(small)/base.img.xz" reuse "$(steps 'cp -a /opt/first /opt/new; echo own >/opt/new; mv /opt/new /opt/first')"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /opt/first)" = own ]
  [ "$(ext_cat out.img 2 /opt/second)" = linked ]
  [ "$(links out.img 2 /opt/second)" = 1 ]
  image_is_clean out.img
  template "$(small)/base.img.xz" reuse "$(steps 'rm /opt/first; echo more >>/opt/second')"
  run -0 build -force t.json
  run ! ext_has out.img 2 /opt/first
  [ "$(ext_cat out.img 2 /opt/second)" = $'linked\nmore' ]
  [ "$(links out.img 2 /opt/second)" = 1 ]
  image_is_clean out.img
}

@test "hard links of the base: left alone, they are in no layer, and their folder keeps its times" {
  SLIPWAY_CACHE_DIR+=/own
  template "$(small)/base.img.xz" reuse "$(steps 'cat /opt/first; ls -l /opt >/dev/null; echo 1 >/etc/one')"
  run -0 build t.json
  xz -dc "$(small)/base.img.xz" >base.img
  [ "$(inode base.img 2 /opt/first)" = "$(inode out.img 2 /opt/first)" ]
  [ "$(ext base.img 2 'stat /opt')" = "$(ext out.img 2 'stat /opt')" ]
  [ -n "$(find "$SLIPWAY_CACHE_DIR/layers/" -name one)" ]
  [ -z "$(find "$SLIPWAY_CACHE_DIR/layers/" -name opt)" ]
}

@test "hard links made in one step, changed in the next" {
  template "$(small)/base.img.xz" reuse "$(steps 'echo 1 >/etc/a; ln /etc/a /etc/b; ln /opt/second /opt/third' \
    'echo 2 >>/etc/b; echo 3 >>/opt/first' '[ $(wc -l </etc/a) = 2 ]; [ $(wc -l </opt/third) = 2 ]')"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/a)" = $'1\n2' ]
  [ "$(inode out.img 2 /etc/a)" = "$(inode out.img 2 /etc/b)" ]
  [ "$(ext_cat out.img 2 /opt/third)" = $'linked\n3' ]
  [ "$(links out.img 2 /opt/second)" = 3 ]
  image_is_clean out.img
}

@test "hard links of a root archive: method new, by layers and from a whole tree" {
  local new='.builders[0] += {image_size: "128MiB", image_type: "gpt", image_partitions: [
    {name: "root", type: "8300", size: "0", filesystem: "ext4", mountpoint: "/"}]}'
  template "$(small)/rootfs.tar.gz" new "$(steps "$in_place")" "$new"
  run -0 build t.json
  both_changed out.img 1
  image_is_clean out.img
  template "$(small)/rootfs.tar.gz" new "$(steps "$in_place")" "$new | .builders[0].image_path = \"out.tar\""
  run -0 build t.json
  [ "$(tar -xOf out.tar ./opt/first)" = $'linked\nmore' ]
  [[ $(tar -tvf out.tar ./opt/second) == *" link to ./opt/first"* ]]
}
