#!/bin/bash
# usage: ingest_mta.sh DSND: the logs that a real Postfix and a real Exim write, see test_ingest_mta.py.
# $DSND_MTA_DIR holds their files, or will.
set -eu
# shellcheck source-path=SCRIPTDIR source=../support/service.sh
. "$(dirname "$0")/../support/service.sh"
here=$(cd "$(dirname "$0")" && pwd)

[ "$(id -u)" = 0 ] || skip "mail servers of Debian are unpacked and run by root only"
export DSND_MTA_DIR
PYTHONPATH=$here/../smtp python3 -B -c 'import mta, sys; sys.exit(not mta.unpack(sys.argv[1]))' "$DSND_MTA_DIR" ||
    skip "the packages of Debian cannot be had"
DSND_MTA_DIR=$(realpath "$DSND_MTA_DIR")
service_new "$1"
INGEST_PSQL=$(service_psql)
export INGEST_PSQL TZ=UTC
for kind in ${KINDS:-postfix exim}; do
    if [ "$kind" = exim ] && ! unshare -m true 2>/dev/null; then
        echo "SKIPPED in part: Exim needs accounts of its own, and mounts are not allowed here"
        continue
    fi
    # Mail servers of other accounts run in it.
    INGEST_DIR=$service_dir/$kind
    mkdir "$INGEST_DIR"
    chmod 755 "$INGEST_DIR"
    export INGEST_DIR
    python3 -B "$here/test_ingest_mta.py" "$service_program" "$kind"
done
