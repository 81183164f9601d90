#!/bin/bash
# usage: restore.sh DSND DSND_DEMO: the database is restored to an earlier point; what came since is
# stored again from the journal, and every number is as before.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
service_start
service_token
tools=$(dirname "$(service_psql)")

play() {
    "$2" --smtp "$DSND_SMTP_LISTEN" --keys "$service_dir/keys" --domain bounces.example.com \
        --campaign "$1" --sent 1500 >"$service_dir/$1" || fail "mail is not taken"
}

wait_equal() {
    for _ in $(seq 300); do
        api GET "/v1/campaigns/$1" -o "$service_dir/shown" || true
        if "$here/compare_campaign.py" "$service_dir/$1" "$service_dir/shown" \
            >"$service_dir/difference" 2>&1; then
            echo "campaign $1: equal $2"
            return
        fi
        sleep 0.1
    done
    cat "$service_dir/difference"
    fail "campaign $1 differs $2"
}

for campaign in before after; do
    api PUT "/v1/campaigns/$campaign" -f -o /dev/null -H 'Content-Type: application/json' \
        -d '{"sent":1500}'
done
play before "$2"
wait_equal before "when it was sent"
"$tools/pg_dump" "$DSND_DATABASE_URL" -f "$service_dir/dump"
play after "$2"
wait_equal after "when it was sent"
service_end TERM
[ "$service_status" = 0 ] || fail "SIGTERM ended it with status $service_status"

server=${DSND_DATABASE_URL%/*}
"$tools/psql" "$server/postgres" -qc 'DROP DATABASE dsnd' -c 'CREATE DATABASE dsnd'
"$tools/psql" "$DSND_DATABASE_URL" -q -v ON_ERROR_STOP=1 -f "$service_dir/dump" >/dev/null
[ "$(sql "SELECT count(*) FROM delivery d JOIN campaign c ON c.id = d.campaign_id
    WHERE c.key = 'after'")" = 0 ] || fail "the restored database is not of an earlier point"
service_start
wait_equal before "after the restore"
wait_equal after "after the restore"
