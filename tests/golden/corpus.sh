#!/bin/sh
# The parser over the corpus of real messages: no figure may fall below what was reached, as the
# corpus has it, and then without the expectations that disputed.txt names, each with its reason.
# usage: corpus.sh DSND SHARED; skips (77), saying so, where the corpus is missing.
set -eu
dsnd=$1
corpus=$2/corpus
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -f "$corpus/score.py" ] || [ ! -d "$corpus/messages" ]; then
    echo "SKIPPED: no corpus of messages at $corpus"
    exit 77
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$dsnd" parse "$corpus/messages" >"$out/first.jsonl"
"$dsnd" parse "$corpus/messages" >"$out/second.jsonl"
if ! cmp -s "$out/first.jsonl" "$out/second.jsonl"; then
    echo "two runs over the same messages differ"
    exit 1
fi
python3 "$corpus/score.py" --min recall=99.2 --min precision=99 --min exact=99.1 \
    --min status=99.6 --min kind=99.4 --min delays=100 --min ordinary=97.9 \
    --min auto_replies=94 --min class=95.9 --min permanence=99.5 "$out/first.jsonl"
"$here/undisputed.py" "$here/disputed.txt" "$corpus/expected.jsonl" >"$out/expected.jsonl"
echo "without $(grep -vc '^#' "$here/disputed.txt") disputed expectations:"
python3 "$corpus/score.py" --expected "$out/expected.jsonl" --root "$corpus/messages" \
    --min ordinary=100 --min auto_replies=100 --min class=97 "$out/first.jsonl"
