#!/bin/bash
# usage: corpus.sh DSND FOLDER: every message below FOLDER, sent over SMTP, is stored once, octet by
# octet.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
[ -d "$2" ] || skip "there is no folder of messages $2"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
service_start
service_token
"$here/corpus.py" "$2" "$DSND_SMTP_LISTEN" "http://$DSND_HTTP_LISTEN" "$service_token" \
    "$DSND_DATABASE_URL" "$(service_psql)"
