#!/bin/bash
# usage: receipts.sh DSND: mail submitted with NOTIFY=SUCCESS is confirmed to its sender through the
# relay, once each, though the relay is away at first, says 451, and the service is killed meanwhile.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
submit=$(service_port) relay=$(service_port) sink=$service_dir/sink relay_pid=''
mkdir "$sink"
echo "one {PLAIN}pencil" >"$service_dir/users"
export DSND_SUBMIT_LISTEN=127.0.0.1:$submit DSND_SUBMIT_USERS_FILE=$service_dir/users
export DSND_SUBMIT_RELAY=smtp://127.0.0.1:$relay
trap 'status=$?; [ -z "$relay_pid" ] || kill "$relay_pid"; service_cleanup $status' EXIT

receipts() { find "$sink" -type f | wc -l; }
await() { # COMMAND VALUE SECONDS
    for _ in $(seq $(($3 * 10))); do
        [ "$($1)" != "$2" ] || return 0
        sleep 0.1
    done
    fail "$1 is $($1), not $2"
}
waiting() { sql 'SELECT count(*) FROM receipt'; }
# Not by SIGTERM: nothing may depend on a good end.
kill_all() {
    local children
    children=$(pgrep -P "$service_pid")
    kill -KILL "$service_pid"
    # shellcheck disable=SC2086
    kill -KILL $children 2>/dev/null || true
    wait "$service_pid" 2>/dev/null || true
}

service_start
python3 "$here/receipt_submit.py" "$submit" 1 20
await waiting 20 10
kill_all
service_start
[ "$(waiting)" = 20 ] || fail "$(waiting) of 20 receipts survived"
python3 "$here/receipt_relay.py" "$relay" "$sink" &
relay_pid=$!
await receipts 20 90
await waiting 0 10

one=$(grep -l 'Subject: number 7' "$sink"/*)
for line in 'X-From: ' 'X-To: sender@b.example' 'To: sender@b.example' 'Auto-Submitted: auto-replied' \
    'Reporting-MTA: dns; mx.bounces.example.com' 'Original-Envelope-Id: id+7' \
    'Original-Recipient: rfc822; orig+7@b.example' 'Final-Recipient: rfc822; b@bounces.example.com' \
    'Received-From-MTA: dns; client.test' 'Action: delivered' 'Status: 2.0.0' 'Subject: number 7'; do
    grep -qx "$line"$'\r' "$one" || fail "no line \"$line\""
done
! grep -q '^body 7' "$one" || fail "the text of the mail came back"
python3 - "$one" <<'END' || fail "not a multipart/report"
import email, sys
message = email.message_from_file(open(sys.argv[1]))
parts = [part.get_content_type() for part in message.get_payload()]
assert message.get_content_type() == "multipart/report", message.get_content_type()
assert message.get_param("report-type") == "delivery-status"
assert parts == ["text/plain", "message/delivery-status", "text/rfc822-headers"], parts
assert max(map(len, open(sys.argv[1], newline=""))) <= 1000
END
"$1" parse "$one" | grep -q '"action":"delivered"' || fail "dsnd itself does not read it"

# Refused for good: given up at once, and nothing comes of that.
python3 "$here/receipt_submit.py" "$submit" 21 1 refused@b.example
given_up() { grep -c 'event=relay.gave_up' "$service_dir/log" || true; }
await given_up 1 20

# The same again gets no second receipt; and the process that sends dies again and again.
python3 "$here/receipt_submit.py" "$submit" 1 5
for cycle in 1 2 3 4 5; do
    python3 "$here/receipt_submit.py" "$submit" $((cycle * 100)) 20
    # It may be in the back-off of its last death.
    ! sender=$(pgrep -P "$service_pid" -f 'dsnd relay') || kill -KILL "$sender"
done
names() { find "$sink" -type f -name 'receipt.*' | sed 's/.*\///; s/\.[0-9]*$//' | sort -u | wc -l; }
await names 120 60
await waiting 0 10
twice=$(($(receipts) - 120))
[ "$twice" -le 5 ] || fail "$twice came twice, with 5 kills"
echo "120 receipts, each once but $twice; 6 kills"
