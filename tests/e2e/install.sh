#!/bin/bash
# usage: install.sh DSND BUILD_FOLDER: what `cmake --install` lays down is whole, and the installed
# program takes the example configuration.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAILED: $*"
    exit 1
}
cmake --install "$2" --prefix "$dir" >/dev/null || fail "cmake --install"
for file in sbin/dsnd lib/systemd/system/dsnd.service lib/sysusers.d/dsnd.conf \
    lib/tmpfiles.d/dsnd.conf share/man/man8/dsnd.8 share/doc/dsnd/README.md \
    share/doc/dsnd/examples/dsnd.conf share/dsnd/sql/0001_campaign.sql; do
    [ -s "$dir/$file" ] || fail "$file is not installed"
done
grep -q '^ExecStart=/.*/sbin/dsnd serve$' "$dir/lib/systemd/system/dsnd.service" ||
    fail "the unit does not name the installed program"
# What the receiver gives up its rights by is in no group that the unit allows.
for call in seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self; do
    grep -q "^SystemCallFilter=.*\<$call\>" "$dir/lib/systemd/system/dsnd.service" ||
        fail "the unit forbids $call"
done
keys=$dir/sign.keys
echo "a $(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$keys"
DSND_SIGN_KEYS_FILE=$keys "$dir/sbin/dsnd" check-config \
    --config "$dir/share/doc/dsnd/examples/dsnd.conf" >"$dir/out" 2>&1 ||
    fail "the example configuration: $(cat "$dir/out")"
[ "$("$dir/sbin/dsnd" --version)" = "$("$1" --version)" ] || fail "versions differ"
if command -v systemd-analyze >/dev/null; then
    sed -i "s|^ExecStart=.*|ExecStart=$dir/sbin/dsnd serve|; /^Documentation/d" \
        "$dir/lib/systemd/system/dsnd.service"
    systemd-analyze verify "$dir/lib/systemd/system/dsnd.service" >"$dir/out" 2>&1 ||
        fail "systemd-analyze verify: $(cat "$dir/out")"
    systemd-analyze security --no-pager --offline=yes --threshold=15 \
        "$dir/lib/systemd/system/dsnd.service" >"$dir/out" 2>&1 ||
        fail "systemd-analyze security is above 1.5: $(grep Overall "$dir/out")"
    echo "the unit: $(grep -o 'Overall.*' "$dir/out")"
else
    echo "SKIPPED in part: systemd-analyze is not installed, the unit was not looked at"
fi
echo "installed from $top: all there"
