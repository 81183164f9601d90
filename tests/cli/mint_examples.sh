#!/bin/sh
# usage: mint_examples.sh DSND EXAMPLES_DIR INTERPRETER EXTENSION
# What the examples mint must verify, and be what dsnd itself mints. 77: no interpreter.
set -eu
dsnd=$1 examples=$2 interpreter=$3 extension=$4
if ! command -v "$interpreter" >/dev/null 2>&1; then
    echo "SKIP: $interpreter is not installed; the example mint.$extension was not run"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export DSND_CONF=/dev/null
cat >"$dir/keys" <<END
# newest first
k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
2 202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
END

check() {
    recipient=$1
    shift
    got=$("$interpreter" "$examples/mint.$extension" spring-2026 "$recipient" Bounces.Example.COM \
        "$dir/keys" "$@")
    want=$("$dsnd" mint --campaign spring-2026 --recipient "$recipient" \
        --domain bounces.example.com --keys "$dir/keys" ${1:+--ref "$1"})
    # The day may change between the two; what was minted must verify all the same.
    [ "$got" = "$want" ] || echo "note: $got is not $want"
    "$dsnd" verify --keys "$dir/keys" --recipient "$recipient" "$got" >"$dir/out" || {
        echo "FAIL: $got does not verify:"
        cat "$dir/out"
        exit 1
    }
    [ -n "${1-}" ] || grep -q '"proves_recipient":true' "$dir/out" || {
        echo "FAIL: $got does not prove $recipient"
        exit 1
    }
}
check Alice@Example.COM
check üser@exämple.de
check bob@example.org u-4711
echo "PASS"
