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
server=$(pgrep -P "$service_pid" -f 'dsnd api' | head -n 1)
sed -e "s|@URL@|http://$DSND_HTTP_LISTEN|; s|@TOKEN@|$service_token|; s|@PID@|$server|" \
    "$here/http_profile.json" >"$service_dir/profile.json"
python3 "$DSND_HARNESS/http_torture.py" "$service_dir/profile.json" >"$service_dir/out" || {
    grep -E '^ *(FAIL|WARN)' "$service_dir/out" || true
    tail -n 3 "$service_dir/out"
    fail "http_torture"
}
grep -E '^ *(FAIL|WARN)' "$service_dir/out" || true
tail -n 2 "$service_dir/out"
