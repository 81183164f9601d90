#!/bin/bash
# usage: run.sh BUILD [SECONDS [TARGET...]]: each fuzz target of BUILD (cmake --preset fuzz, then
# cmake --build --preset fuzz) for so many seconds, 60 if not said; prints the executions of each and
# of all. What it finds in addition to the seeds stays in BUILD/fuzz-corpus. Ends with 1 at a crash;
# the input that caused it is BUILD/fuzz-NAME-crash-...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) seconds=${2:-60}
shift $(($# < 2 ? $# : 2))
[ $# != 0 ] || set -- "$here"/fuzz_*.c
total=0 failed=0
for target; do
    name=$(basename "$target" .c) && name=${name#fuzz_}
    grown=$build/fuzz-corpus/$name
    mkdir -p "$grown"
    words=$here/$name.dict
    [ -f "$words" ] || words=$here/parse.dict
    seeds=("$grown")
    [ ! -d "$here/corpus/$name" ] || seeds+=("$here/corpus/$name")
    status=0
    "$build/tests/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -dict="$words" -artifact_prefix="$build/fuzz-$name-" \
        -print_final_stats=1 "${seeds[@]}" >"$grown.log" 2>&1 || status=$?
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$grown.log")
    echo "$name: ${count:-0} executions, ended with $status"
    if [ "$status" != 0 ]; then
        failed=1
        tail -n 25 "$grown.log"
    fi
    total=$((total + ${count:-0}))
done
echo "all: $total executions"
exit "$failed"
