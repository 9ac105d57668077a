#!/usr/bin/env bats
# slipway doctor: what it finds, and what it says about what is not there.

setup() {
        SLIPWAY_CACHE_DIR=$BATS_TEST_TMPDIR/cache
        export SLIPWAY_CACHE_DIR
}

@test "doctor lists what it has tried, with its result as exit code" {
        run "$SLIPWAY" doctor
        [ "$status" -eq 0 ] || [ "$status" -eq 1 ]
        [[ $output == *"user namespaces"* ]]
        [[ $output == *"arm64 programs"* ]]
        if [ "$status" -eq 0 ]; then
                [[ $output == *"This host can build images."* ]]
                [[ $output != *MISSING* ]]
        else
                [[ $output == *MISSING* ]]
        fi
}

@test "doctor leaves nothing in the cache" {
        run "$SLIPWAY" doctor
        [ -z "$(ls -A "$SLIPWAY_CACHE_DIR")" ]
}

@test "doctor -o json is JSON that says the same" {
        run "$SLIPWAY" doctor -o json
        echo "$output" | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["ok"] == all(c["ok"] for c in d["checks"] if c["required"])
assert all(c["mend"] for c in d["checks"] if not c["ok"])
assert any(c["name"] == "overlay" for c in d["checks"])'
}

@test "doctor names the package of a missing program" {
        empty=$BATS_TEST_TMPDIR/bin
        mkdir "$empty"
        PATH=$empty run "$SLIPWAY" doctor
        [[ $output == *"apt-get install"* ]]
}

@test "doctor says that a cache folder cannot be written" {
        SLIPWAY_CACHE_DIR=/proc/nowhere run "$SLIPWAY" doctor
        [ "$status" -eq 1 ]
        [[ $output == *"SLIPWAY_CACHE_DIR"* ]]
}

@test "doctor names a user without subordinate ids, and the command that mends it" {
        [ "$(id -u)" -eq 0 ] || skip "needs root to become another user"
        cp "$SLIPWAY" "$BATS_TEST_TMPDIR/slipway"
        chmod -R a+rX "$BATS_TEST_TMPDIR"
        mkdir -p "$SLIPWAY_CACHE_DIR"
        chown 54321 "$SLIPWAY_CACHE_DIR"
        run setpriv --reuid 54321 --regid 54321 --clear-groups "$BATS_TEST_TMPDIR/slipway" doctor
        [ "$status" -eq 1 ]
        [[ $output == *"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 54321"* ]]
}

@test "doctor takes no arguments" {
        run "$SLIPWAY" doctor x
        [ "$status" -eq 1 ]
}
