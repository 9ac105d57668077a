#!/usr/bin/env bats
# The provisioner ansible: the real Ansible, by its chroot connection, on an arm64 root with Python.

# shellcheck disable=SC2154,SC2016 # set by the helpers; dollars for the guest
load helpers

setup() {
  command -v ansible-playbook >/dev/null || skip 'ansible is not installed'
  build_setup
  # None of the user's own settings; but the base images are where they are.
  export SLIPWAY_TEST_CACHE=${SLIPWAY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-tests}
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir home ansible
}

# playbook BASE-SCRIPT JSON [JQ]: t.json with one ansible step, on `python` or `small`
playbook() {
  local base
  if [ "$1" = python ]; then
    base=$("$here/tests/images/python" arm64)/rootfs.tar.gz
    template "$base" new "[$2]" '.builders[0] += {image_size: "300M",
      image_partitions: [{type: "83", filesystem: "ext4", mountpoint: "/"}]}'
  else
    template "$(small arm64)/base.img.xz" reuse "[$2]"
  fi
  jq "${3:-.}" t.json >t.new && mv t.new t.json
}

step='{"type": "ansible", "playbook_file": "ansible/play.yml"}'

@test "ansible: facts, modules, files, templates, handlers and roles" {
  mkdir -p ansible/files ansible/templates ansible/roles/web/tasks ansible/group_vars
  echo 'from files' >ansible/files/note
  echo '{{ greeting }} from {{ ansible_hostname }} {{ ansible_architecture }} {{ packer_build_name }} {{ packer_builder_type }}' \
    >ansible/templates/motd.j2
  echo 'greeting: hello' >ansible/group_vars/boards.yml
  echo '[{name: "a role", lineinfile: {path: /etc/issue, line: "by a role", create: true}}]' >ansible/roles/web/tasks/main.yml
  cat >ansible/play.yml <<'END'
- hosts: boards
  roles: [web]
  tasks:
    - copy: {src: note, dest: /etc/note, owner: "1000", mode: "0640"}
    - template: {src: motd.j2, dest: /etc/motd}
      notify: told
    - command: sh -c 'echo "$HOME $USER $SECRET"; ls /proc/1/root/ 2>&1; pwd'
      register: said
    - copy: {content: "{{ said.stdout }}", dest: /etc/said}
    - copy: {content: "{{ extra }} {{ lookup('env', 'MINE') }}", dest: /etc/extra}
    - user: {name: pi, shell: /bin/false}
      ignore_errors: true
  handlers:
    - name: told
      file: {path: /etc/told, state: touch}
END
  export SECRET=of-the-host
  playbook python "$(jq -c '. + {groups: ["boards"], extra_arguments: ["-e", "extra=given"], ansible_env_vars: ["MINE=yes"],
    use_proxy: false}' <<<"$step")"
  run -0 build t.json
  [[ $output == *"'use_proxy' has no effect"* ]]
  [ "$(ext_cat out.img 1 /etc/note)" = 'from files' ]
  [[ $(ext out.img 1 'stat /etc/note') == *'Mode:  0640'*'User:  1000'* ]]
  [ "$(ext_cat out.img 1 /etc/motd)" = 'hello from small aarch64 arm arm' ]
  [ "$(ext_cat out.img 1 /etc/issue)" = 'by a role' ]
  [ "$(ext_cat out.img 1 /etc/extra)" = 'given yes' ]
  ext_has out.img 1 /etc/told
  # Nothing of the host was there to be seen.
  [[ $(ext_cat out.img 1 /etc/said) == '/root  '* ]]
  [[ $(ext_cat out.img 1 /etc/said) != *of-the-host* ]]
  # Nothing of Ansible stays, in the image or on the host.
  [[ $(ext out.img 1 'ls -p /tmp') != *ansible* ]]
  [[ $(ext out.img 1 'ls -p /root') != *ansible* ]]
  run ! ext_has out.img 1 /usr/lib/python3.11/__pycache__
  [ -z "$(find "$BATS_TEST_TMPDIR" -name '*ansible*' ! -path "$BATS_TEST_TMPDIR/ansible*" ! -path '*/cache/*')" ]
  image_is_clean out.img
  nothing_left
}

@test "ansible: a layer is made anew when the playbook's folder changes, else taken from the cache" {
  mkdir ansible/files
  echo one >ansible/files/note
  echo '[{hosts: all, gather_facts: false, tasks: [{raw: "cat >/etc/note", args: {}, name: x}, {script: files/run.sh}]}]' >ansible/play.yml
  printf '#!/bin/sh\necho first >>/etc/note\n' >ansible/files/run.sh
  playbook small "$step"
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/note)" = first ]
  run -0 build -force t.json
  [[ $output == *'Provisioner ansible: nothing changed, taken from the cache'* ]]
  printf '#!/bin/sh\necho second >>/etc/note\n' >ansible/files/run.sh
  run -0 build -force t.json
  [[ $output != *'nothing changed'* ]]
  [ "$(ext_cat out.img 2 /etc/note)" = second ]
}

@test "ansible: a playbook in the working folder, where the images are written, is cached too" {
  echo 'raw: echo "{{ name }}" >/etc/name' >task.yml
  echo '[{hosts: all, gather_facts: false, vars: {name: here}, tasks: [{include_tasks: list.yml}, {raw: "cat > /etc/data", when: false},
    {raw: "echo {{ lookup(\"file\", \"data.txt\") }} >/etc/data"}]}]' >play.yml
  echo '[{raw: "echo {{ name }} >/etc/name"}]' >list.yml
  echo some >data.txt
  playbook small '{"type": "ansible", "playbook_file": "play.yml"}'
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/name)" = here ]
  [ "$(ext_cat out.img 2 /etc/data)" = some ]
  run -0 build -force t.json
  [[ $output == *'nothing changed'* ]]
  echo other >data.txt
  run -0 build -force t.json
  [ "$(ext_cat out.img 2 /etc/data)" = other ]
}

@test "ansible: a task that fails is an error that names it, and nothing is left behind" {
  echo '[{hosts: all, gather_facts: false, tasks: [{name: fine, raw: "true"}, {name: to fail, raw: "echo why it failed >&2; exit 3"}]}]' \
    >ansible/play.yml
  playbook small "$step"
  run -1 build t.json
  [[ $output == *"the task 'to fail' failed on the host 'default': non-zero return code"*'why it failed'* ]]
  [ ! -e out.img ]
  [ -z "$(ls -A home)" ]
  nothing_left
}

@test "ansible: errors that are ignored are none; bad playbooks and missing Python are explained" {
  echo '[{hosts: all, gather_facts: false, tasks: [{raw: exit 1, ignore_errors: true}, {raw: touch /etc/after}]}]' >ansible/play.yml
  playbook small "$step"
  run -0 build t.json
  ext_has out.img 2 /etc/after
  echo '[{hosts: all, tasks: [{no_such_module: {a: 1}}]}]' >ansible/play.yml
  run -1 build -force t.json
  [[ $output == *"errored after"*"ansible-playbook: "*"couldn't resolve module/action 'no_such_module'"* ]]
  echo '[{hosts: all, tasks: [{command: "true"}]}]' >ansible/play.yml
  run -1 build -force t.json
  [[ $output == *"need Python in the image"* ]]
}

@test "ansible: an inventory of one's own, and the guest's fixed path" {
  mkdir -p inventory/group_vars
  echo 'word: of-the-group' >inventory/group_vars/all.yml
  printf '[pis]\nboard ansible_host=%s/mnt\n' "$BATS_TEST_TMPDIR" >hosts
  # `all` is that one host: there is no generated inventory beside it.
  echo '[{hosts: all, gather_facts: false, tasks: [{raw: "echo {{ inventory_hostname }} {{ word }} >>/etc/by"}]}]' >ansible/play.yml
  playbook small "$(jq -c '. + {inventory_file: "hosts", inventory_directory: "inventory"}' <<<"$step")" \
    ".builders[0].image_mount_path = \"$BATS_TEST_TMPDIR/mnt\""
  run -0 build t.json
  [ "$(ext_cat out.img 2 /etc/by)" = "board of-the-group" ]
  [ ! -e mnt ]
}

@test "ansible: roles and collections of a galaxy_file are installed first" {
  mkdir -p hello/tasks hello/meta tools/roles/hi/tasks ansible
  echo '[{raw: "echo by-role >/etc/role"}]' >hello/tasks/main.yml
  echo 'galaxy_info: {role_name: hello, author: me, description: x, license: MIT, min_ansible_version: "2.9"}' >hello/meta/main.yml
  tar -czf hello.tar.gz hello
  printf 'namespace: acme\nname: tools\nversion: 1.0.0\nreadme: README.md\nauthors: [me]\n' >tools/galaxy.yml
  touch tools/README.md
  echo '[{raw: "echo by-collection >/etc/collection"}]' >tools/roles/hi/tasks/main.yml
  ANSIBLE_HOME=$PWD/made ansible-galaxy collection build tools --output-path . >/dev/null
  cat >requirements.yml <<END
roles:
  - name: hello
    src: file://$PWD/hello.tar.gz
collections:
  - name: acme-tools-1.0.0.tar.gz
    type: file
END
  echo '[{hosts: all, gather_facts: false, roles: [hello, acme.tools.hi]}]' >ansible/play.yml
  playbook small "$(jq -c '. + {galaxy_file: "requirements.yml", roles_path: "roles", collections_path: "collections"}' <<<"$step")"
  run -0 build t.json
  [[ $output == *'Executing Ansible Galaxy'*'hello was installed'*'Executing Ansible: '* ]]
  [ "$(ext_cat out.img 2 /etc/role)" = by-role ]
  [ "$(ext_cat out.img 2 /etc/collection)" = by-collection ]
  [ -d roles/hello ] && [ -d collections/ansible_collections/acme/tools ]
  # Without paths they are installed for this run only.
  rm -r roles collections
  playbook small "$(jq -c '. + {galaxy_file: "requirements.yml", galaxy_force_install: true}' <<<"$step")"
  run -0 build -force -no-cache t.json
  [ "$(ext_cat out.img 2 /etc/role)" = by-role ]
  [ ! -e home/.ansible ] && [ ! -e roles ]
  # A list of roles alone is the old form; what is not there is an error that says so.
  printf -- '- src: file://%s/nowhere.tar.gz\n  name: hello\n' "$PWD" >requirements.yml
  run -1 build -force t.json
  [[ $output == *'(ansible): ansible-galaxy: failed to download the file: '*nowhere* ]]
}

@test "ansible: a timeout ends it" {
  echo '[{hosts: all, gather_facts: false, tasks: [{raw: sleep 1000}]}]' >ansible/play.yml
  playbook small "$(jq -c '. + {timeout: "4s"}' <<<"$step")"
  run -1 build t.json
  [[ $output == *'4 s'* || $output == *'timed out'* || $output == *'time'* ]]
  nothing_left
}

@test "ansible: nothing is left when it is interrupted or killed" {
  local signal
  echo '[{hosts: all, gather_facts: false, tasks: [{raw: sleep 1000}]}]' >ansible/play.yml
  playbook small "$step"
  for signal in INT KILL; do
    setsid "$slipway" build t.json >log 2>&1 </dev/null 3>&- &
    for _ in $(seq 200); do
      grep -qF '[raw]' log && break
      sleep 0.1
    done
    sleep 1
    kill "-$signal" $!
    wait $! && return 1
    [ ! -e out.img ]
    nothing_left
    [ -z "$(pgrep -f "ansible-playbook.*$BATS_FILE_TMPDIR/" || true)" ]
  done
}

@test "ansible: validate looks for its files, and names wrong keys" {
  playbook small '{"type": "ansible", "playbok_file": "nowhere.yml"}'
  run -1 "$slipway" validate t.json
  [[ $output == *"unknown key 'playbok_file'; did you mean 'playbook_file'?"* ]]
  [[ $output != *needs* ]]
  playbook small '{"type": "ansible"}'
  run -1 "$slipway" validate t.json
  [[ $output == *"the ansible provisioner needs the key 'playbook_file'"* ]]
  playbook small '{"type": "ansible", "playbook_file": "nowhere.yml", "inventory_directory": "t.json",
    "ansible_env_vars": ["novalue"]}'
  run -1 "$slipway" validate t.json
  [[ $output == *"'nowhere.yml': No such file or directory"* ]]
  [[ $output == *"'t.json' is no folder"* ]]
  [[ $output == *'"NAME=VALUE", not "novalue"'* ]]
}

@test "ansible: in HCL2" {
  echo '[{hosts: pis, gather_facts: false, tasks: [{raw: "echo {{ word }} {{ packer_builder_type }} >/etc/by"}]}]' >ansible/play.yml
  playbook small '{"type": "shell", "inline": ["true"]}'
  cat >t.pkr.hcl <<END
source "arm" "pi" {
  file_urls          = ["$(jq -r '.builders[0].file_urls[0]' t.json)"]
  file_checksum      = "$(jq -r '.builders[0].file_checksum' t.json)"
  image_build_method = "reuse"
  image_path         = "out.img"
}

build {
  sources = ["source.arm.pi"]
  provisioner "ansible" {
    playbook_file   = "\${path.root}/ansible/play.yml"
    groups          = ["pis"]
    extra_arguments = ["--extra-vars", jsonencode({ word = "two words" })]
  }
}
END
  run -0 build t.pkr.hcl
  [ "$(ext_cat out.img 2 /etc/by)" = 'two words arm' ]
}
