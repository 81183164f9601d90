#!/bin/bash
# usage: webhooks.sh DSND DSND_DEMO: every event of a campaign arrives, signed, though the receiver is
# away at first, then refuses, and the sender is killed on the way; and no private address is reached
# unless allowed.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
receiver=
service_new "$1"
trap '[ -z "$receiver" ] || kill "$receiver"; service_cleanup' EXIT
export DSND_WEBHOOKS_ALLOW_HTTP=yes
service_start
service_token
port=$(service_port)
made=$(api POST /v1/webhooks -f -H 'Content-Type: application/json' \
    -d "{\"url\":\"http://127.0.0.1:$port/hook\"}")
python3 -c 'import json, sys; print(json.load(sys.stdin)["secret"])' <<<"$made" >"$service_dir/secret"

api PUT /v1/campaigns/told -f -o /dev/null -H 'Content-Type: application/json' -d '{"sent":2000}'
"$2" --smtp "$DSND_SMTP_LISTEN" --keys "$service_dir/keys" --domain bounces.example.com \
    --campaign told --sent 2000 >"$service_dir/expected" || fail "mail is not taken"
wait_for() {
    for _ in $(seq 600); do
        [ "$(sql "$1")" != t ] || return 0
        sleep 0.1
    done
    fail "never: $1"
}
wait_for "SELECT last_error LIKE '%not public%' FROM webhook"
for _ in $(seq 900); do
    ! service_stored || break
    sleep 0.2
done
service_stored || fail "not all is stored"
sql "SELECT event FROM webhook_outbox" | sort >"$service_dir/wanted"
statuses=$(sql "SELECT count(*) FROM status WHERE action IN (1, 2, 3) OR class = 15")
told=$(grep -c ^status_ "$service_dir/wanted")
[ "$told" = "$statuses" ] || fail "$statuses statuses, $told events"
changes=$(sql "SELECT count(*) FROM suppression_change")
[ "$(grep -c ^suppression_ "$service_dir/wanted")" = "$changes" ] || fail "not $changes changes"

service_end TERM
export DSND_WEBHOOKS_ALLOW_PRIVATE=yes
sql "UPDATE webhook SET next_at = now()"
service_start
wait_for "SELECT last_status IS NULL AND failures >= 2 FROM webhook" # nobody is there
"$here/webhook_receiver.py" "$port" "$service_dir/secret" "$service_dir/got" 2 &
receiver=$!
sql "UPDATE webhook SET next_at = now()"
wait_for "SELECT last_status = 503 FROM webhook"
sql "UPDATE webhook SET next_at = now()"
sleep 0.7
kill -KILL "$(pgrep -P "$service_pid" -f 'dsnd webhooks')"
sql "UPDATE webhook SET leased_until = NULL" # nobody waits half a minute here for what died
for _ in $(seq 100); do
    left=$(sql "UPDATE webhook SET next_at = now(); SELECT count(*) FROM webhook_outbox")
    [ "$left" != 0 ] || break
    sleep 0.2
done
[ "$left" = 0 ] || fail "$left events are left"
cut -d' ' -f1 "$service_dir/got" | sort -u >"$service_dir/told"
cmp "$service_dir/wanted" "$service_dir/told" || fail "not the events that happened"
# What was on the way when the sender died, a message, comes again. Nothing else does.
twice=$(($(wc -l <"$service_dir/got") - $(wc -l <"$service_dir/wanted")))
[ "$twice" -le 100 ] || fail "$twice events were told again"
curl -s "http://$DSND_METRICS_LISTEN/metrics" | grep -q '^dsnd_webhook_events_total{result="delivered"} [1-9]' ||
    fail "no metric"
echo "$(wc -l <"$service_dir/wanted") events, $(wc -l <"$service_dir/got") told, none lost"
