#!/bin/bash
# usage: fsync_order.sh DSND: no 250 leaves before the message is synced. One sender only: the
# program takes the first 250 after a write for that message's.
set -eu
# shellcheck source=tests/support/service.sh
. "$(dirname "$0")/../support/service.sh"
[ -f "$DSND_HARNESS/fsync_order.py" ] || skip "there is no $DSND_HARNESS/fsync_order.py"
command -v strace >/dev/null || skip "strace is not installed"
service_new "$1"
service_start
receiver=$(pgrep -P "$service_pid" -f 'dsnd receive' | head -n 1)
if ! python3 "$DSND_HARNESS/fsync_order.py" --pid "$receiver" --port "${DSND_SMTP_LISTEN##*:}" \
    --rcpt ok@bounces.example.com --count "${COUNT:-50}" >"$service_dir/out"; then
    grep -v '^PASS' "$service_dir/out"
    fail "fsync_order"
fi
echo "$(grep -c '^PASS' "$service_dir/out") of ${COUNT:-50} synced before 250"
