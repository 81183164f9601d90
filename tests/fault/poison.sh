#!/bin/bash
# usage: poison.sh DSND [EACH]: reports that programs and databases choke on, as many as good ones. Every
# good one becomes a row within 10 s, every other one a report or an entry in quarantine, once.
set -eu
here=$(dirname "$0")
each=${2:-300}
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
service_start
before=$SECONDS
sent=$("$here/poison.py" "$DSND_SMTP_LISTEN" "$each") || fail "not all were taken"
echo "$sent taken in $((SECONDS - before)) s"
for _ in $(seq 100); do
    reports=$(sql "select count(*) from report")
    aside=$(sql "select count(*) from quarantine")
    [ "$((reports + aside))" -lt "$sent" ] || break
    sleep 0.1
done
good=$(sql "select count(*) from status where recipient like 'good-%'")
echo "$good of $each good ones stored; of the others $((reports - each)) reports, $aside in quarantine"
[ "$good" = "$each" ] || fail "good ones are missing, or twice there"
[ "$((reports + aside))" = "$sent" ] || fail "$((reports + aside)) of $sent are accounted for"
deaths=$(grep -c 'event=serve.child_died' "$service_dir/log" || true)
[ "$deaths" = 0 ] || fail "a process died $deaths times"
