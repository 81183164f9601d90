#!/bin/bash
# usage: tests/bench/rows.sh [--messages N] [--connections N] [--no-peer] [--dir DIR]
#
# From SMTP to rows, on this machine: a throw-away PostgreSQL with fsync on, `dsnd serve` with
# default settings, and dsnd-bench as client. Then the usual way of doing it, as a peer, with
# messages of the same shapes: Python's email package and one transaction a message (peer.py).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
messages=50000 connections=100 peer=yes parent=${TMPDIR:-/tmp}
while [ $# -gt 0 ]; do
    case $1 in
    --messages) messages=$2 && shift ;;
    --connections) connections=$2 && shift ;;
    --dir) parent=$2 && shift ;;
    --no-peer) peer=no ;;
    *) sed -n '2s/^# //p' "$0" && exit 2 ;;
    esac
    shift
done
bin=$top/build/release
(cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release \
    --target dsnd dsnd-bench >/dev/null)
export TMPDIR=$parent
# shellcheck source=tests/support/service.sh
. "$top/tests/support/service.sh"
service_new "$bin/cmd/dsnd"
service_start
dir=$service_dir

echo "machine $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
load() {
    "$bin/tests/load/dsnd-bench" --keys "$dir/keys" --domain bounces.example.com "$@"
}
load --messages 2000 --connections 20 --first-id 900000000 --smtp "$DSND_SMTP_LISTEN" \
    --database "$DSND_DATABASE_URL" --pid "$service_pid" >/dev/null # partitions, statements, caches
load --messages "$messages" --connections "$connections" --smtp "$DSND_SMTP_LISTEN" \
    --database "$DSND_DATABASE_URL" --pid "$service_pid" | tee "$dir/result"
[ "$peer" = yes ] || exit 0
load --print --messages 3000 >"$dir/mbox"
mkdir "$dir/maildir"
if ! "$top/tests/bench/peer.py" "$dir/mbox" "$dir/maildir" "$DSND_DATABASE_URL" >"$dir/peer"; then
    echo "no peer" >&2
    exit 0
fi
cat "$dir/peer"
awk '/messages_to_rows_per_s|peer_messages/ { v[++n] = $2 } END { printf "ratio_to_peer %.1f\n", v[1] / v[2] }' \
    "$dir/result" "$dir/peer"
