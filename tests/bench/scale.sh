#!/bin/bash
# usage: tests/bench/scale.sh [--records N] [--campaigns N] [--days N] [--rate N] [--dir DIR] [--load-only]
#
# How fast the API answers over N status records (2000000) while RATE messages a second (1000; 0: none)
# come in over SMTP. The records are made in PostgreSQL (scale.sql), checked against the totals, and
# kept in DIR where it is given: run again it only measures. Ends with 1 where an answer is slower than
# it may be, or totals differ from deliveries.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
records=2000000 campaigns=1000 days=60 rate=1000 kept='' only=no
while [ $# -gt 0 ]; do
    case $1 in
    --records) records=$2 && shift ;;
    --campaigns) campaigns=$2 && shift ;;
    --days) days=$2 && shift ;;
    --rate) rate=$2 && shift ;;
    --dir) kept=$2 && shift ;;
    --load-only) only=yes ;;
    *) sed -n '2s/^# //p' "$0" && exit 2 ;;
    esac
    shift
done
bin=$top/build/release
(cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release \
    --target dsnd dsnd-bench >/dev/null) || exit 1
cluster=$top/tests/support/pg_cluster.sh
dir=${kept:-$(mktemp -d "${TMPDIR:-/tmp}/dsnd-scale.XXXXXX")}
mkdir -p "$dir/journal"
server='' load=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local pid
    for pid in $load $server; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    "$cluster" stop "$dir/pg" || true
    [ -n "$kept" ] || rm -rf "$dir"
}
trap cleanup EXIT

# The log of a load that can be done again is not worth its time.
base="shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 15min
jit = off"
export PG_CLUSTER_SETTINGS
if [ ! -f "$dir/loaded" ]; then
    PG_CLUSTER_SETTINGS="$base
fsync = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off"
    DSND_DATABASE_URL=$("$cluster" start "$dir/pg")
    export DSND_DATABASE_URL DSND_CONF=/dev/null
    psql=$(printf '%s\n' /usr/lib/postgresql/*/bin/psql | sort -V | tail -n 1)
    "$psql" "$DSND_DATABASE_URL" -qc 'DROP SCHEMA public CASCADE; CREATE SCHEMA public;
        DROP SCHEMA IF EXISTS scale CASCADE'
    "$bin/cmd/dsnd" migrate >/dev/null
    begun=$SECONDS
    "$psql" "$DSND_DATABASE_URL" -q -v records="$records" -v campaigns="$campaigns" -v days="$days" \
        -v suppressions=1000000 -f "$top/tests/bench/scale.sql" >/dev/null
    "$psql" "$DSND_DATABASE_URL" -qc 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
    echo "loaded    $records records in $((SECONDS - begun)) s"
    "$cluster" stop "$dir/pg"
    touch "$dir/loaded"
fi
[ "$only" = no ] || exit 0

PG_CLUSTER_SETTINGS="$base
fsync = on
wal_level = replica"
DSND_DATABASE_URL=$("$cluster" start "$dir/pg")
[ -f "$dir/keys" ] || echo "k $(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$dir/keys"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
DSND_SMTP_LISTEN=127.0.0.1:$(free_port)
DSND_HTTP_LISTEN=127.0.0.1:$(free_port)
DSND_METRICS_LISTEN=127.0.0.1:$(free_port)
export DSND_CONF=/dev/null DSND_DATABASE_URL DSND_SMTP_LISTEN DSND_HTTP_LISTEN DSND_METRICS_LISTEN
export DSND_SMTP_DOMAINS=bounces.example.com DSND_SMTP_MAX_PER_CLIENT=10000
export DSND_SIGN_KEYS_FILE=$dir/keys DSND_JOURNAL_DIR=$dir/journal DSND_JOURNAL_MIN_FREE=64M
export DSND_RETAIN_STATUS=3650d
"$bin/cmd/dsnd" migrate >/dev/null
"$bin/cmd/dsnd" serve >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 600); do
    curl -fs "http://$DSND_METRICS_LISTEN/readyz" >/dev/null && break
    sleep 0.1
done
DSND_TOKEN=$("$bin/cmd/dsnd" token add --name scale --scopes read,write,suppressions 2>/dev/null)
export DSND_TOKEN
echo "machine   $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
echo "records   $records in $campaigns campaigns over $days days, $rate messages a second coming in"
if [ "$rate" != 0 ]; then
    "$bin/tests/load/dsnd-bench" --keys "$dir/keys" --domain bounces.example.com --smtp "$DSND_SMTP_LISTEN" \
        --database "$DSND_DATABASE_URL" --pid "$server" --rate "$rate" --connections 20 \
        --messages 100000000 --first-id "$(date +%s)000000" >"$dir/bench" 2>&1 &
    load=$!
fi
python3 "$top/tests/bench/scale.py" "http://$DSND_HTTP_LISTEN" "$campaigns" "$DSND_DATABASE_URL"
