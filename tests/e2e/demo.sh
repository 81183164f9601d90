#!/bin/bash
# usage: demo.sh DSND DSND_DEMO: the demonstration campaign, twice over, shows to the unit what was
# sent: counts, rates, classes, providers and suppressions.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
service_start
service_token

play() {
    "$2" --smtp "$DSND_SMTP_LISTEN" --keys "$service_dir/keys" --domain bounces.example.com \
        --campaign "$1" --sent 4000 --seed "$3" >"$service_dir/$1.expected" || fail "dsnd-demo"
    api PUT "/v1/campaigns/$1" -f -o /dev/null -H 'Content-Type: application/json' \
        -d '{"sent":4000}' || fail "PUT /v1/campaigns/$1"
}

# Whether the API shows what was expected; else what differs, on standard output.
compare() {
    api GET "/v1/campaigns/$1" >"$service_dir/$1.shown"
    "$here/compare_campaign.py" "$service_dir/$1.expected" "$service_dir/$1.shown"
}

wait_equal() {
    for _ in $(seq 200); do
        if compare "$1" >"$service_dir/difference"; then
            echo "campaign $1: equal"
            return
        fi
        sleep 0.1
    done
    cat "$service_dir/difference"
    fail "campaign $1 differs from what was sent"
}

# The number NAME of what dsnd-demo printed for a campaign.
number() { sed "s/.*\"$2\":\([0-9]*\).*/\1/" "$service_dir/$1.expected"; }

equal() {
    [ "$2" = "$3" ] || fail "$1: expected $2, found $3"
    echo "$1: $2"
}

play one "$2" 1
wait_equal one
equal suppressions "$(number one suppressed)" \
    "$(api GET /v1/suppressions -H 'Accept: application/x-ndjson' | wc -l)"
equal "unattributed reports" "$(number one unattributed)" \
    "$(sql "SELECT count(*) FROM report WHERE campaign_id = 0")"
equal reports "$(($(number one messages) - $(number one duplicates)))" \
    "$(sql "SELECT count(*) FROM report")"
play two "$2" 2
wait_equal two
compare one || fail "campaign one changed"
