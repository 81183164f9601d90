#!/bin/sh
# usage: mint.sh DSND
# What dsnd mint takes and what it refuses: with a status, a reason and no return path.
set -eu
dsnd=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export DSND_CONF=/dev/null
echo "k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" >"$dir/keys"

mint() { "$dsnd" mint --keys "$dir/keys" --domain b.example "$@"; }
fail() {
    echo "FAIL: $*"
    cat "$dir/out" "$dir/err"
    exit 1
}
# refused STATUS WORDS ARGUMENT...
refused() {
    want=$1 words=$2 status=0
    shift 2
    mint "$@" </dev/null >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" = "$want" ] || fail "status $status, not $want: $*"
    [ ! -s "$dir/out" ] || fail "minted: $*"
    grep -q -- "$words" "$dir/err" || fail "says nothing of \"$words\": $*"
}

for address in '<a@x.example>' 'a@x.example,b@x.example' 'Ann <a@x.example>' x '' 'a@' 'a b@x.example'; do
    refused 1 'one mail address' --campaign c --recipient "$address"
    refused 1 'one mail address' --campaign c --recipient "$address" --ref u-1
done
for ref in h76gzqgp4byjl6 h76gzqgp4byjl6x h76gzqgp4byjl6-1; do
    refused 1 'default one' --campaign c --recipient a@x.example --ref "$ref"
done
for ref in U 'a.b' ''; do
    refused 1 'a ref 1-16' --campaign c --recipient a@x.example --ref "$ref"
done
refused 1 'a campaign is 1-20' --campaign C --recipient a@x.example
refused 2 'campaign is missing' --recipient a@x.example
refused 2 'recipient' --campaign c --ref u-1
refused 2 '"a@x.example"' --campaign c a@x.example
refused 2 'nosuch' --campaign c --nosuch
refused 2 'nosuch.keys' --campaign c --recipient a@x.example --keys "$dir/nosuch.keys"

# A line that cannot be minted is empty, and named; the others are minted.
status=0
printf 'a@x.example\n<b@x.example>\n\tu-1\nb@x.example\tu-2\r\n' | mint --campaign c >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" = 1 ] || fail "status $status of a bad line"
[ "$(sed 's/\.[^.]*@.*//' "$dir/out" | tr '\n' ' ')" = 'r1.c.hzp5mqzsgwnlen   r1.c.u-2 ' ] || fail "lines"
[ "$(grep -c 'line [23]: a recipient' "$dir/err")" = 2 ] || fail "lines not named"
status=0
mint --campaign c <"$dir" >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" = 1 ] || fail "status $status of a folder as input"
grep -q 'standard input' "$dir/err" || fail "says nothing of a folder as input"
for address in "o'neil@x.example" '"<a>"@x.example' 'a@[192.0.2.1]' 'üser@exämple.de'; do
    mint --campaign c --recipient "$address" >"$dir/out" 2>"$dir/err" || fail "refused: $address"
done
echo PASS
