#!/bin/bash
# usage: restart.sh PROGRAM
#
# Runs a test beside a cluster that the test may crash and start again: DSND_TEST_CLUSTER is its
# folder. Unlike pg_cluster.sh run it keeps fsync on, as what is committed must outlive the crash.
set -eu
cluster=$(cd "$(dirname "$0")/../support" && pwd)/pg_cluster.sh
dir=$(mktemp -d "${TMPDIR:-/tmp}/dsnd-pg.XXXXXX")
trap '"$cluster" kill "$dir" || true; rm -rf "$dir"' EXIT
DSND_TEST_DATABASE_URL=$("$cluster" start "$dir") || exit
export DSND_TEST_DATABASE_URL DSND_TEST_CLUSTER="$dir" DSND_TEST_CLUSTER_TOOL="$cluster"
"$1"
