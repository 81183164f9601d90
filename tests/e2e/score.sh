#!/bin/bash
# usage: score.sh DSND CORPUS: how much of the corpus `dsnd parse` reads as expected. The floors lie
# just below what was reached last.
set -eu
[ -f "$2/score.py" ] || {
    echo "SKIPPED: there is no $2/score.py"
    exit 77
}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
DSND_CONF=/dev/null "$1" parse "$2/messages" >"$out"
python3 -B "$2/score.py" --expected "$2/expected.jsonl" --root "$2/messages" "$out" \
    --min recall=99.2 --min precision=99 --min exact=99.1 --min status=99.6 --min kind=99.4 \
    --min delays=100 --min ordinary=97.9 --min auto_replies=94 --min class=95.9 --min permanence=99.5
