#!/bin/bash
# usage: slow_database.sh DSND [SECONDS]: PostgreSQL answers late, then through a thin line. The time to a
# 250 is what it was, since SMTP waits for the disk only; all of it becomes rows when PostgreSQL is fast.
set -eu
here=$(dirname "$0")
seconds=${2:-4}
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
direct=$DSND_DATABASE_URL
port=$(service_port)
echo pass >"$service_dir/speed"
name=${direct##*:} # port and database
"$here/slow_proxy.py" "$port" "${name%%/*}" "$service_dir/speed" 2>"$service_dir/proxy.log" &
proxy=$!
trap 'status=$?; kill "$proxy" 2>/dev/null; service_cleanup "$status"' EXIT
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$proxy" || fail "no proxy: $(cat "$service_dir/proxy.log")"
    sleep 0.05
done
export DSND_DATABASE_URL=${direct%:*}:$port${name#"${name%%/*}"}
service_start
DSND_DATABASE_URL=$direct

sent=0
# pace TAG: sends and keeps p99 of the time to a 250.
pace() {
    local count p50
    read -r count p50 p99 < <("$here/pace.py" "$DSND_SMTP_LISTEN" "$1" "$seconds" 200)
    [ -n "$p99" ] || fail "$1: mail was refused"
    sent=$((sent + count))
    echo "$1: $count taken, time to 250 $p50 ms (p50), $p99 ms (p99)"
}
pace before
before=$p99
for speed in "delay 200" "rate 20000"; do
    echo "$speed" >"$service_dir/speed"
    pace "${speed/ /-}"
    # 20 %, and what a busy machine may add to so few.
    awk "BEGIN { exit !($p99 <= $before * 1.2 + 25) }" || fail "$speed: $p99 ms, before $before ms"
done
echo pass >"$service_dir/speed"
for _ in $(seq 600); do
    stored=$(sql "select count(distinct recipient) from status")
    [ "$stored" != "$sent" ] || break
    sleep 0.1
done
echo "$stored of $sent stored"
[ "$stored" = "$sent" ] || fail "not all became rows"
[ "$(sql "select count(*) from status")" = "$sent" ] || fail "some became rows twice"
