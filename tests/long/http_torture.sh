#!/bin/bash
# usage: http_torture.sh DSND: conformance and abuse of the API.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
[ -f "$DSND_HARNESS/http_torture.py" ] || skip "there is no $DSND_HARNESS/http_torture.py"
ulimit -n 20000 2>/dev/null || skip "20000 open files are not allowed here"
service_new "$1"
export DSND_HTTP_REQUEST_TIMEOUT=5s DSND_HTTP_IDLE_TIMEOUT=5s DSND_HTTP_MAX_BODY=1M
export DSND_HTTP_MAX_PER_CLIENT=10000
service_start
service_token
api PUT /v1/campaigns/spring -f -o /dev/null -H 'Content-Type: application/json' -d '{"sent":10}'
api PUT /v1/suppressions/a%40x.example -f -o /dev/null -H 'Content-Type: application/json' -d '{}'
api POST /v1/webhooks -f -o /dev/null -H 'Content-Type: application/json' \
    -d '{"url":"https://hooks.example.com/x","events":["delay.closed"]}'
sql 'UPDATE incident_limit SET records = 1'
# A refusal, which opens an incident, and one message that was set aside.
path=$(api POST /v1/return-paths -f -H 'Content-Type: application/json' \
    -d '{"campaign":"spring","recipients":["b@x.example"]}' | sed 's/.*"address":"\([^"]*\)".*/\1/')
printf 'Subject: Undelivered Mail Returned to Sender\r\n\r\n<b@x.example>: %s\r\n' \
    '554 5.7.1 Service unavailable; Client host [192.0.2.5] blocked using zen.spamhaus.org' |
    curl -sS "smtp://$DSND_SMTP_LISTEN" --mail-from '' --mail-rcpt "$path" -T -
status=''
for _ in $(seq 300); do
    status=$(sql 'SELECT max(id) FROM status')
    [ -z "$status" ] || break
    sleep 0.1
done
sql "SELECT incident_turn(now(), NULL)" >/dev/null
quarantine=$(sql "INSERT INTO quarantine (journal_id, sequence, received_at, octets, reason, source, tls,
    raw, envelope_to) SELECT p.id, 0, now(), r.octets, 1, 1, false, r.raw, '{}'
    FROM journal_position p, report_raw r LIMIT 1 RETURNING id")
server=$(pgrep -P "$service_pid" -f 'dsnd api' | head -n 1)
python3 "$here/http_profile.py" "http://$DSND_HTTP_LISTEN" "$service_token" "$server" key=spring \
    address=a%40x.example "statuses.id=$status" "reports.id=$(sql 'SELECT max(id) FROM report')" \
    "quarantine.id=$quarantine" "incidents.id=$(sql 'SELECT max(id) FROM incident')" >"$service_dir/profile.json"
python3 "$DSND_HARNESS/http_torture.py" "$service_dir/profile.json" >"$service_dir/out" || {
    grep -E '^ *(FAIL|WARN)' "$service_dir/out" || true
    tail -n 3 "$service_dir/out"
    fail "http_torture"
}
grep -E '^ *(FAIL|WARN)' "$service_dir/out" || true
tail -n 2 "$service_dir/out"
