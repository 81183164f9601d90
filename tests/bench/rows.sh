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
cluster=$top/tests/support/pg_cluster.sh
bin=$top/build/release
dir=$(mktemp -d "$parent/dsnd-bench.XXXXXX")
serve=''
finish() {
    if [ -n "$serve" ]; then
        kill -TERM "$serve" 2>/dev/null || true
        wait "$serve" || true
    fi
    "$cluster" kill "$dir/pg" || true
    rm -rf "$dir"
}
trap finish EXIT

free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        :
    done
    echo "$port"
}

(cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release \
    --target dsnd dsnd-bench >/dev/null)
chmod 711 "$dir"
mkdir "$dir/journal"
echo "k $(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$dir/keys"
DSND_DATABASE_URL=$("$cluster" start "$dir/pg")
export DSND_DATABASE_URL
DSND_SMTP_LISTEN=127.0.0.1:$(free_port)
DSND_HTTP_LISTEN=127.0.0.1:$(free_port)
DSND_METRICS_LISTEN=127.0.0.1:$(free_port)
export DSND_SMTP_LISTEN DSND_HTTP_LISTEN DSND_METRICS_LISTEN
export DSND_SMTP_DOMAINS=bounces.example.com DSND_SMTP_HOSTNAME=mx.bounces.example.com DSND_SMTP_MAX_PER_CLIENT=10000
export DSND_JOURNAL_DIR=$dir/journal DSND_JOURNAL_MIN_FREE=64M DSND_SIGN_KEYS_FILE=$dir/keys
export DSND_CONF=/dev/null
"$bin/cmd/dsnd" migrate >"$dir/log" 2>&1
"$bin/cmd/dsnd" serve >>"$dir/log" 2>&1 &
serve=$!
for _ in $(seq 100); do
    curl -fs "http://$DSND_METRICS_LISTEN/readyz" >/dev/null && break
    sleep 0.1
done

echo "machine $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
load() {
    "$bin/tests/load/dsnd-bench" --keys "$dir/keys" --domain bounces.example.com "$@"
}
load --messages 2000 --connections 20 --first-id 900000000 --smtp "$DSND_SMTP_LISTEN" \
    --database "$DSND_DATABASE_URL" --pid "$serve" >/dev/null # partitions, statements, caches
load --messages "$messages" --connections "$connections" --smtp "$DSND_SMTP_LISTEN" \
    --database "$DSND_DATABASE_URL" --pid "$serve" | tee "$dir/result"
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
