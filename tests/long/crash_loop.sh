#!/bin/bash
# usage: crash_loop.sh DSND: what got a 250 becomes rows exactly once, whatever is killed when. In
# 30 % of the cycles PostgreSQL crashes as well.
set -eu
# shellcheck source=tests/support/service.sh
. "$(dirname "$0")/../support/service.sh"
[ -f "$DSND_HARNESS/crash_loop.py" ] || skip "there is no $DSND_HARNESS/crash_loop.py"
service_new "$1"
python3 "$DSND_HARNESS/crash_loop.py" --start "exec '$1' serve" --server-log "$service_dir/log" \
    --port "${DSND_SMTP_LISTEN##*:}" --rcpt '{id}@bounces.example.com' \
    --cycles "${CYCLES:-50}" --conns 10 --retry --strict-retry --term-every 10 --settle 120 \
    --fault "'$service_cluster' kill '$service_dir/pg'" \
    --unfault "'$service_cluster' start '$service_dir/pg' >/dev/null" \
    --query "'$(service_psql)' '$DSND_DATABASE_URL' -Atqc 'SELECT recipient FROM status'"
