#!/bin/bash
# usage: outage.sh DSND DSND_DEMO [DELIVERIES]: while PostgreSQL is away mail is taken and the API says
# so; when it is back everything becomes rows, exactly once, with nothing to do by hand.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
sent=${3:-3000}
service_new "$1"
service_start
service_token
api PUT /v1/campaigns/away -f -o /dev/null -H 'Content-Type: application/json' \
    -d "{\"sent\":$sent}"

"$service_cluster" kill "$service_dir/pg"
"$2" --smtp "$DSND_SMTP_LISTEN" --keys "$service_dir/keys" --domain bounces.example.com \
    --campaign away --sent "$sent" >"$service_dir/expected" || fail "mail is not taken"
head=$(api GET /v1/campaigns/away -m 5 -o /dev/null -D - | tr -d '\r')
[[ $head == *" 503 "* ]] || fail "the API answers: $head"
[[ ${head,,} == *$'\nretry-after: '* ]] || fail "503 without Retry-After: $head"
ready=$(curl -s -o /dev/null -w '%{http_code}' "http://$DSND_METRICS_LISTEN/readyz")
[ "$ready" = 503 ] || fail "/readyz answers $ready"
alive=$(curl -s -o /dev/null -w '%{http_code}' "http://$DSND_METRICS_LISTEN/healthz")
[ "$alive" = 200 ] || fail "/healthz answers $alive"

begun=$SECONDS
"$service_cluster" start "$service_dir/pg" >/dev/null
for _ in $(seq 600); do
    api GET /v1/campaigns/away -o "$service_dir/shown" || true
    if "$here/compare_campaign.py" "$service_dir/expected" "$service_dir/shown" \
        >"$service_dir/difference" 2>&1; then
        echo "all stored, $((SECONDS - begun)) s after PostgreSQL was back"
        away=$(grep -c 'event=webhook.database' "$service_dir/log" || true)
        [ "$away" -le 2 ] || fail "$away lines of webhooks about one outage"
        service_end TERM
        [ "$service_status" = 0 ] || fail "ended with $service_status"
        exit 0
    fi
    sleep 0.1
done
cat "$service_dir/difference"
fail "not all stored after a minute"
