#!/bin/bash
# usage: tests/bench/store.sh [--deliveries N] [--batch N] [--campaigns N] [--days N]
#
# The batch writer alone, then the queries of the API over what it wrote, on a throw-away PostgreSQL
# with fsync on. Ends with 1 where a query is slower than it may be.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
deliveries=200000 batch=1000 campaigns=10 days=30
while [ $# -gt 0 ]; do
    case $1 in
    --deliveries) deliveries=$2 && shift ;;
    --batch) batch=$2 && shift ;;
    --campaigns) campaigns=$2 && shift ;;
    --days) days=$2 && shift ;;
    *) sed -n '2s/^# //p' "$0" && exit 2 ;;
    esac
    shift
done
(cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release \
    --target store_bench >/dev/null)
echo "machine   $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
export PG_CLUSTER_SETTINGS="fsync = on
full_page_writes = on
shared_buffers = 256MB
max_wal_size = 4GB"
exec "$top/tests/support/pg_cluster.sh" run \
    "$top/build/release/tests/store_bench" "$deliveries" "$batch" "$campaigns" "$days"
