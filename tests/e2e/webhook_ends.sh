#!/bin/bash
# usage: webhook_ends.sh DSND: what endpoints do: refuse, redirect, say nothing, say too much, be gone; how
# one secret takes over from another; and the log of all that.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
receiver=
service_new "$1"
trap '[ -z "$receiver" ] || kill "$receiver"; service_cleanup' EXIT
export DSND_WEBHOOKS_ALLOW_HTTP=yes DSND_WEBHOOKS_ALLOW_PRIVATE=yes DSND_WEBHOOKS_TIMEOUT=2s
service_start
service_token
port=$(service_port)
id=1
secret_of() { python3 -c 'import json, sys; print(json.load(sys.stdin)["secret"])'; }
made=$(api POST /v1/webhooks -f -H 'Content-Type: application/json' \
    -d "{\"url\":\"http://127.0.0.1:$port/hook\"}")
secret_of <<<"$made" >"$service_dir/secret"
"$here/webhook_receiver.py" "$port" "$service_dir/secret" "$service_dir/got" 1 &
receiver=$!
wait_for() {
    for _ in $(seq 300); do
        [ "$(sql "$1")" != t ] || return 0
        sleep 0.1
    done
    fail "never: $1"
}
try() { # MODE: a test event, while the endpoint is in that mode
    echo "$1" >"$service_dir/got.mode"
    api POST "/v1/webhooks/$id/test" -f -o /dev/null || fail "no test event"
}

try refuse
wait_for "SELECT last_status = 503 FROM webhook"
try redirect
wait_for "SELECT last_status = 302 AND failures > 0 FROM webhook"
try slow
wait_for "UPDATE webhook SET next_at = now() WHERE last_status = 302;
    SELECT last_status IS NULL AND last_error LIKE 'Timeout%' FROM webhook"
try huge # what says 200 has taken it, and what waited is told as well
wait_for "UPDATE webhook SET next_at = now() WHERE failures > 0;
    SELECT last_status = 200 AND failures = 0 FROM webhook"
[ "$(sql "SELECT count(*) FROM webhook_outbox")" = 0 ] || fail "a long answer is no answer"
try gone
wait_for "SELECT disabled_reason = 'it answered 410 Gone' FROM webhook"
[ "$(sql "SELECT count(*) FROM webhook_outbox")" = 1 ] || fail "the endpoint is gone and so is the event"
[ "$(api POST "/v1/webhooks/$id/test" -o /dev/null -w '%{http_code}')" = 409 ] || fail "it is off"
echo '' >"$service_dir/got.mode"
api PUT "/v1/webhooks/$id" -f -o /dev/null -H 'Content-Type: application/json' -d '{"enabled":true}'
wait_for "SELECT last_status = 204 FROM webhook"

# ---- one secret follows another ----
rotate() { api POST "/v1/webhooks/$id/rotate" -f -H 'Content-Type: application/json' -d "$1" | secret_of; }
rotate '{}' >>"$service_dir/secret"
try both
wait_for "SELECT count(*) = 0 FROM webhook_outbox"
rotate '{"overlap_s":0}' >"$service_dir/secret"
try both
wait_for "SELECT count(*) = 0 FROM webhook_outbox"
[ "$(sql "SELECT last_status FROM webhook")" = 204 ] || fail "the new secret does not sign"

# ---- the log of all that ----
api GET "/v1/webhooks/$id/deliveries?limit=1000" -f >"$service_dir/log.json"
python3 - "$service_dir/log.json" "$service_dir/got" <<'EOF' || fail "the log tells something else"
import json
import sys

log = json.load(open(sys.argv[1]))["data"]
assert [row["attempt"] for row in log] == list(range(len(log), 0, -1))
told = {line.split()[0] for line in open(sys.argv[2])}
assert {event for row in log if row["taken"] for event in row["events"]} <= told
assert {503, 302, 410, 200, 204, None} <= {row["status"] for row in log}
assert all((row["error"] is None) == row["taken"] for row in log)
assert all(row["duration_ms"] >= 1900 for row in log if "Timeout" in (row["error"] or ""))
EOF
