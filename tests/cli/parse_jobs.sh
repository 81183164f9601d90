#!/bin/sh
# usage: parse_jobs.sh DSND: one thread and many print the same octets in the order of the input.
set -eu
dsnd=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export DSND_CONF=/dev/null
# GLib is not built for ThreadSanitizer, which therefore does not see the locks of its allocator.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS-}"
fail() {
    echo "FAIL: $*"
    exit 1
}
mkdir "$dir/mail"
i=0
while [ $i -lt 600 ]; do
    printf 'From: MAILER-DAEMON@mx.example\nSubject: Undelivered %d\nContent-Type: %s\n\n%s\n\n%s\n' \
        $i 'message/delivery-status' 'Reporting-MTA: dns; mx.example' \
        "Final-Recipient: rfc822; u$i@gone.example
Action: failed
Status: 5.1.1" >"$dir/mail/$i.eml"
    i=$((i + 1))
done
# A long message among short ones is done last and must not come last.
{
    cat "$dir/mail/300.eml"
    yes 'Diagnostic-Code: smtp; 550 5.1.1 user unknown' | head -n 20000
} >"$dir/long" && mv "$dir/long" "$dir/mail/300.eml"
for i in 1 2 3; do
    echo "From MAILER-DAEMON Mon Nov 23 10:00:00 2026"
    cat "$dir/mail/$i.eml"
    echo
done >"$dir/box"
run() { "$dsnd" parse -j "$1" --raw-headers "$dir/mail" "$dir/box" - <"$dir/mail/7.eml"; }
run 1 >"$dir/one" || fail "-j 1 ended with $?"
[ "$(wc -l <"$dir/one")" = 604 ] || fail "-j 1 printed $(wc -l <"$dir/one") lines"
for jobs in 2 4 64; do
    run $jobs >"$dir/many" || fail "-j $jobs ended with $?"
    cmp "$dir/one" "$dir/many" || fail "-j $jobs differs"
done
status=0
"$dsnd" parse -j 4 "$dir/none" "$dir/box" >"$dir/many" 2>/dev/null || status=$?
[ "$status" = 1 ] || fail "a missing file ended with $status"
[ "$(wc -l <"$dir/many")" = 3 ] || fail "what is behind a missing file is not parsed"
for jobs in 0 -1 x 257; do
    status=0
    "$dsnd" parse -j $jobs "$dir/box" 2>"$dir/out" || status=$?
    [ "$status" = 2 ] && grep -q '1 to 256' "$dir/out" || fail "-j $jobs ended with $status"
done
if [ -w /dev/full ]; then
    status=0
    "$dsnd" parse -j 4 "$dir/mail" >/dev/full 2>/dev/null || status=$?
    [ "$status" = 1 ] || fail "a full disk ended with $status"
fi
echo PASS
