#!/bin/bash
# usage: webhooks_killed.sh DSND DSND_DEMO [ROUNDS]: whatever is killed when (the sender, the pipeline,
# PostgreSQL, in turn, with SIGKILL), and though answers are lost on the way, every event that happened
# is told and no other, and a webhook-id always means the same events.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
rounds=${3:-6}
receiver=
service_new "$1"
trap '[ -z "$receiver" ] || kill "$receiver"; service_cleanup' EXIT
export DSND_WEBHOOKS_ALLOW_HTTP=yes DSND_WEBHOOKS_ALLOW_PRIVATE=yes DSND_WEBHOOKS_TIMEOUT=2s
sql "UPDATE incident_limit SET records = 1"
service_start
service_token
port=$(service_port)
made=$(api POST /v1/webhooks -f -H 'Content-Type: application/json' \
    -d "{\"url\":\"http://127.0.0.1:$port/hook\"}")
python3 -c 'import json, sys; print(json.load(sys.stdin)["secret"])' <<<"$made" >"$service_dir/secret"
"$here/webhook_receiver.py" "$port" "$service_dir/secret" "$service_dir/got" 0 5 &
receiver=$!

kill_child() {
    local child
    child=$(pgrep -P "$service_pid" -f "dsnd $1" || true)
    [ -z "$child" ] || kill -KILL "$child"
}
for round in $(seq "$rounds"); do
    api PUT "/v1/campaigns/c$round" -f -o /dev/null -H 'Content-Type: application/json' \
        -d '{"sent":400}' || true
    "$2" --smtp "$DSND_SMTP_LISTEN" --keys "$service_dir/keys" --domain bounces.example.com \
        --campaign "c$round" --sent 400 >"$service_dir/expected" || fail "mail is not taken"
    case $((round % 3)) in
    0) kill_child pipeline ;;
    1) kill_child webhooks ;;
    2)
        "$service_cluster" kill "$service_dir/pg"
        kill_child webhooks
        "$service_cluster" start "$service_dir/pg" >/dev/null
        ;;
    esac
done
for _ in $(seq 900); do
    ! service_stored || break
    sleep 0.2
done
service_stored || fail "not all is stored"
sql "SELECT incident_turn(now() + interval '1 day', NULL)" >/dev/null
for _ in $(seq 300); do
    left=$(sql "UPDATE webhook SET next_at = now(), leased_until = NULL WHERE failures > 0;
        SELECT count(*) FROM webhook_outbox")
    [ "$left" != 0 ] || break
    sleep 0.2
done
[ "$left" = 0 ] || fail "$left events are left"

sql "SELECT 'status_' || id FROM status WHERE action IN (1, 2, 3) OR class = 15
     UNION ALL SELECT 'suppression_' || seq FROM suppression_change
     UNION ALL SELECT 'incident_' || id || '_opened' FROM incident WHERE opened_at IS NOT NULL
     UNION ALL SELECT 'incident_' || id || '_closed' FROM incident WHERE closed_at IS NOT NULL" |
    sort >"$service_dir/wanted"
grep -q ^incident_ "$service_dir/wanted" || fail "no incident in this demonstration"
cut -d' ' -f1 "$service_dir/got" | sort -u >"$service_dir/told"
grep -v ^delay_ "$service_dir/told" | cmp "$service_dir/wanted" - || fail "not the events that happened"
# A closed delay is told once for each outcome, and only of what was delayed.
sql "SELECT 'delay_' || campaign_id || '_' || ref FROM delivery WHERE delayed_at IS NOT NULL" |
    sort >"$service_dir/delayed"
grep ^delay_ "$service_dir/told" | sed 's/_[0-9]$//' | sort | comm -23 - "$service_dir/delayed" |
    grep . && fail "told of a delay that was none"
# A message is the same at every attempt: who knows its webhook-id has seen its events.
python3 - "$service_dir/got" <<'EOF' || fail "a webhook-id with other events"
import sys

messages = {}
for line in open(sys.argv[1]):
    event, _, message = line.split()
    messages.setdefault(message, []).append(event)
for message, events in messages.items():
    count = int(message.rsplit("_", 1)[1])
    assert len(events) % count == 0 and len(set(events)) == count, (message, count, len(events))
    assert all(events[n::count] == [events[n]] * (len(events) // count) for n in range(count)), message
seen = {}
for message, events in messages.items():
    for event in set(events):
        assert seen.setdefault(event, message) == message, (event, message, seen[event])
EOF
echo "$(wc -l <"$service_dir/told") events, $(wc -l <"$service_dir/got") told, none lost, none invented"
