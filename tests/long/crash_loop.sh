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
    port=$(service_port) name=${direct##*:} mode=$service_dir/mode # name: port and database
    echo pass >"$mode"
    python3 "$DSND_HARNESS/chaos_proxy.py" "$port" "127.0.0.1:${name%%/*}" "$mode" \
        2>"$service_dir/proxy.log" &
    proxy=$!
    trap 'status=$?; kill "$proxy" 2>/dev/null; service_cleanup "$status"' EXIT
    export DSND_DATABASE_URL=${direct%:*}:$port${name#"${name%%/*}"}
    fault="shuf -n 1 -e refuse blackhole half 'cut 4000' | tee '$mode' >>'$service_dir/modes'"
    unfault="echo pass >'$mode'"
fi
python3 "$DSND_HARNESS/crash_loop.py" --start "exec '$1' serve" --server-log "$service_dir/log" \
    --port "${DSND_SMTP_LISTEN##*:}" --rcpt '{id}@bounces.example.com' \
    --cycles "${CYCLES:-50}" --conns 10 --retry --strict-retry --term-every 10 --settle 120 \
    --fault "$fault" --unfault "$unfault" --json "$service_dir/result" \
    --query "'$(service_psql)' '$direct' -Atqc 'SELECT recipient FROM status'"
[ ! -f "$service_dir/modes" ] || sort "$service_dir/modes" | uniq -c
python3 - "$service_dir/result" "${READY:-0.5}" <<'PYTHON' || fail "slow to be ready"
import json, sys
sys.exit(json.load(open(sys.argv[1]))["slowest_start_s"] > float(sys.argv[2]))
PYTHON
