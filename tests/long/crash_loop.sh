#!/bin/bash
# usage: crash_loop.sh DSND [chaos]: what got a 250 becomes rows exactly once, whatever is killed
# when. In 30 % of the cycles PostgreSQL crashes as well; with "chaos" the way to it fails instead:
# connections refused, swallowed, cut after 4,000 octets, or open in one direction only. Fails where
# dsnd took longer than READY (0.5) seconds to greet after a start.
set -eu
# shellcheck source=tests/support/service.sh
. "$(dirname "$0")/../support/service.sh"
[ -f "$DSND_HARNESS/crash_loop.py" ] || skip "there is no $DSND_HARNESS/crash_loop.py"
service_new "$1"
direct=$DSND_DATABASE_URL
fault="'$service_cluster' kill '$service_dir/pg'"
unfault="'$service_cluster' start '$service_dir/pg' >/dev/null"
if [ "${2:-}" = chaos ]; then
    [ -f "$DSND_HARNESS/chaos_proxy.py" ] || skip "there is no $DSND_HARNESS/chaos_proxy.py"
    port=$(service_port) name=${direct##*:} # port and database
    mode=$service_dir/mode proxy=$service_dir/proxy
    # A new one after each fault: it leaves connections to PostgreSQL open.
    unfault="echo pass >'$mode'; python3 '$DSND_HARNESS/chaos_proxy.py' $port 127.0.0.1:${name%%/*} \
        '$mode' 2>>'$proxy.log' & echo \$! >'$proxy'"
    eval "$unfault"
    unfault="kill -KILL \$(cat '$proxy'); sleep 0.1; $unfault"
    trap 'status=$?; kill -KILL "$(cat "$proxy")"; service_cleanup "$status"' EXIT
    export DSND_DATABASE_URL=${direct%:*}:$port${name#"${name%%/*}"}
    fault="shuf -n 1 -e refuse blackhole half 'cut 4000' | tee '$mode' >>'$service_dir/modes'"
fi
python3 "$DSND_HARNESS/crash_loop.py" --start "exec '$1' serve" --server-log "$service_dir/log" \
    --port "${DSND_SMTP_LISTEN##*:}" --rcpt '{id}@bounces.example.com' \
    --cycles "${CYCLES:-50}" --conns 10 --retry --strict-retry --term-every 10 --settle 120 \
    --fault "$fault" --unfault "$unfault" --json "$service_dir/result" \
    --query "'$(service_psql)' '$direct' -Atqc 'SELECT recipient FROM status'"
[ ! -f "$service_dir/modes" ] || sort "$service_dir/modes" | uniq -c
slowest=$(sed -n 's/.*"slowest_start_s": \([0-9.]*\).*/\1/p' "$service_dir/result")
awk "BEGIN { exit !($slowest <= ${READY:-0.5}) }" ||
    fail "it greeted $slowest s after a start; where the machine is busy, set READY to more than 0.5"
