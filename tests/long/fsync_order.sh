#!/bin/bash
# usage: fsync_order.sh DSND: no 250 leaves before the message is synced, with 16 senders at once,
# and, by the program of the harness, with one (it takes the first 250 after a write for that
# message's).
set -eu
# shellcheck source=tests/support/service.sh
. "$(dirname "$0")/../support/service.sh"
command -v strace >/dev/null || skip "strace is not installed"
service_new "$1"
service_start
receiver=$(pgrep -P "$service_pid" -f 'dsnd receive' | head -n 1)
"$(dirname "$0")/sync_before_250.py" "$receiver" "$DSND_SMTP_LISTEN" ok@bounces.example.com 16 \
    "${COUNT:-50}" || fail "16 senders"
[ -f "$DSND_HARNESS/fsync_order.py" ] || skip "there is no $DSND_HARNESS/fsync_order.py"
if ! python3 "$DSND_HARNESS/fsync_order.py" --pid "$receiver" --port "${DSND_SMTP_LISTEN##*:}" \
    --rcpt ok@bounces.example.com --count "${COUNT:-50}" >"$service_dir/out"; then
    grep -v '^PASS' "$service_dir/out"
    fail "fsync_order"
fi
echo "$(grep -c '^PASS' "$service_dir/out") of ${COUNT:-50} synced before 250, one sender"
