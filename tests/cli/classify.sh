#!/bin/sh
# usage: classify.sh DSND: exit statuses and output of classify, rules, mint and verify.
set -eu
dsnd=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export DSND_CONF=/dev/null
printf 'k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n' >"$dir/keys"

fail() {
    echo "FAIL: $*"
    exit 1
}
# ends STATUS COMMAND...: it ends with that status; what it printed is in $dir/out.
ends() {
    want=$1
    shift
    got=0
    "$@" >"$dir/out" 2>&1 || got=$?
    [ "$got" = "$want" ] || fail "$* ended with $got, not $want: $(cat "$dir/out")"
}
says() {
    grep -qF -- "$1" "$dir/out" || fail "$1 is not in: $(cat "$dir/out")"
}

ends 0 "$dsnd" classify "550 5.1.1 <a@b.example>: user unknown" --mx gmail-smtp-in.l.google.com
says '"class":"mailbox_unknown"'
says '"provider":"google"'
says '"permanence":"permanent"'
says '"smtp_code":550'
ends 0 "$dsnd" classify "451 4.7.1 Greylisted, try again in 5 minutes"
says '"class":"throttled"'
says '"retry_after_s":300'
ends 0 "$dsnd" classify "451 4.7.1 Greylisted" --action failed
says '"class":"expired","cause":"throttled"'
printf '550 user unknown\n552 mailbox full\n' >"$dir/texts"
ends 0 sh -c '"$1" classify - <"$2"' sh "$dsnd" "$dir/texts"
[ "$(wc -l <"$dir/out")" = 2 ] || fail "two texts gave $(wc -l <"$dir/out") lines"
ends 2 "$dsnd" classify
ends 2 "$dsnd" classify "550" --action never
says "failed or delayed"
ends 2 "$dsnd" classify "550" --rules /nonexistent
ends 0 "$dsnd" classify --help

ends 0 "$dsnd" rules check
says "0 problems"
ends 0 "$dsnd" rules list
says "google/disabled"
cat >"$dir/own.rules" <<END
version: mine.1
[first]
class: mailbox_full
match: user unknown
test: 550 user unknown
[never]
class: mailbox_unknown
match: user unknown
test: 550 user unknown
END
ends 1 "$dsnd" rules check "$dir/own.rules"
says "[never] this test is decided by [first]"
ends 0 "$dsnd" classify "550 user unknown" --rules "$dir/own.rules"
says '"class":"mailbox_full"'
says '"rules":"mine.1+'
echo "match: (" >>"$dir/own.rules"
ends 1 "$dsnd" rules check "$dir/own.rules"
says "rule never"
ends 2 "$dsnd" rules nothing

ends 0 "$dsnd" mint --campaign spring --recipient a@b.example --domain b.example --keys "$dir/keys"
address=$(cat "$dir/out")
ends 0 "$dsnd" verify "$address" --keys "$dir/keys" --recipient A@B.example
says '"verdict":"signed"'
says '"proves_recipient":true'
ends 1 "$dsnd" verify "x$address" --keys "$dir/keys"
says '"verdict":"none"'
ends 1 "$dsnd" verify "$(echo "$address" | sed 's/spring/sprang/')" --keys "$dir/keys"
says '"verdict":"forged"'
ends 2 "$dsnd" verify "$address"
ends 2 "$dsnd" verify "$address" --keys "$dir/keys" --max-age soon
printf 'a@b.example\nc@d.example\tu-1\n' >"$dir/addresses"
ends 0 sh -c '"$1" mint --campaign spring --domain b.example --keys "$3" <"$2"' \
    sh "$dsnd" "$dir/addresses" "$dir/keys"
says "$address"
says "r1.spring.u-1."
printf '\n' >>"$dir/addresses"
ends 1 sh -c '"$1" mint --campaign spring --domain b.example --keys "$3" <"$2"' \
    sh "$dsnd" "$dir/addresses" "$dir/keys"
says "line 3"
ends 1 "$dsnd" mint --campaign Spring --recipient a@b.example --domain b.example --keys "$dir/keys"
ends 2 "$dsnd" mint --recipient a@b.example
echo "PASS"
