#!/bin/bash
# usage: journal_eio.sh DSND: fdatasync fails under load. What waits for it is answered 451 (452 where
# the disk is full), nothing is acknowledged that is not durable, and mail goes on when the disk does.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v strace >/dev/null || skip "strace is not installed"
command -v python3 >/dev/null || skip "python3 is not installed"
strace -qq -o /dev/null true 2>/dev/null || skip "this machine lets no process be traced"
service_new "$1"
service_start
receive=$(pgrep -P "$service_pid" -f 'dsnd receive')

send() { "$here/send.py" "$DSND_SMTP_LISTEN" "$1" 50 >"$service_dir/sent.$1"; }
codes() { awk '{ print $2 }' "$service_dir/sent.$1" | sort | uniq -c | tr -s ' \n' ' '; }

send before
for failure in EIO:451 ENOSPC:452; do
    error=${failure%:*} code=${failure#*:}
    strace -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:error=$error -p "$receive" &
    tracer=$!
    # Each of its threads.
    while grep -L "^TracerPid:[[:space:]]*$tracer$" "/proc/$receive/task/"*/status | grep -q .; do
        kill -0 "$tracer" || fail "strace does not hold it"
        sleep 0.05
    done
    send "during$error"
    kill "$tracer"
    wait "$tracer" || true
    service_answers 250
    send "after$error"
    echo "$error: while it failed$(codes "during$error")then$(codes "after$error")"
    ! grep -q ' 250$' "$service_dir/sent.during$error" || fail "250 without a sync"
    [ "$(grep -c " $code\$" "$service_dir/sent.during$error")" = 50 ] || fail "not all were $code"
    [ "$(grep -c ' 250$' "$service_dir/sent.after$error")" = 50 ] || fail "it did not recover"
done
service_end KILL
service_start
for _ in $(seq 600); do
    stored=$(sql "select count(*) from status where recipient not like 'probe-%'")
    [ "$stored" != 150 ] || break
    sleep 0.1
done
[ "$stored" = 150 ] || fail "$stored of 150 acknowledged were stored"
[ "$(sql "select count(*) from status where recipient like 'during%'")" = 0 ] ||
    fail "something refused was stored"
grep -q 'event=journal.failed' "$service_dir/log" || fail "nobody was told"
