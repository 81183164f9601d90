#!/bin/bash
# usage: tests/long/run.sh [NAME...]: the long tests, minutes each, against a build of preset BUILD
# (release; asan shows what the sanitizers find):
#   crash_loop    kill -9 and SIGTERM under load, PostgreSQL away in some cycles (CYCLES, 50)
#   crash_chaos   the same, but the way to PostgreSQL fails, in four ways
#   fsync_order   under strace: every message is synced before its 250 (COUNT, 50)
#   smtp_torture  conformance and abuse over SMTP, with floods (IDLE connections, 2000; FUZZ
#                 seconds, 60; more SEEDS of mutated sessions, none)
#   http_torture  the same for the API
#   journal_flip, poison, slow_database, outage: tests/fault and tests/e2e have them short; here 200
#                 rounds, 5,000 reports of each kind, a minute a speed, 60,000 deliveries
#   parse_variants  messages with every line end, cut and with octets flipped (DSND_MESSAGES, FLIPS)
#   parse_bombs   messages of 10 MB made to cost the parser much
# The programs they drive lie in ../shared/harness or $DSND_HARNESS; without them a test says that
# it is skipped. Exit status 0 when none failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
export DSND_HARNESS=${DSND_HARNESS:-$top/../shared/harness}
export BUILD=${BUILD:-release}
(cd "$top" && cmake --preset "$BUILD" >/dev/null && cmake --build --preset "$BUILD" --target dsnd \
    dsnd-demo >/dev/null) || exit 1
failed=0
[ $# -gt 0 ] || set -- fsync_order crash_loop crash_chaos smtp_torture http_torture journal_flip poison \
    slow_database outage parse_variants parse_bombs
for name in "$@"; do
    command=("$here/$name.sh" "$top/build/$BUILD/cmd/dsnd")
    case $name in
    crash_chaos) command=("$here/crash_loop.sh" "${command[1]}" chaos) ;;
    journal_flip) command=("$here/../fault/$name.sh" "${command[1]}" 200) ;;
    poison) command=("$here/../fault/$name.sh" "${command[1]}" 5000) ;;
    slow_database) command=("$here/../fault/$name.sh" "${command[1]}" 60) ;;
    outage) command=("$here/../e2e/$name.sh" "${command[1]}" "$top/build/$BUILD/tests/load/dsnd-demo" 60000) ;;
    esac
    [ -x "${command[0]}" ] || {
        sed -n '2,16s/^# \{0,1\}//p' "$0"
        exit 2
    }
    echo "== $name"
    begun=$SECONDS status=0
    "${command[@]}" || status=$?
    case $status in
    0) echo "== $name passed ($((SECONDS - begun)) s)" ;;
    77) echo "== $name SKIPPED" ;;
    *) echo "== $name FAILED" && failed=1 ;;
    esac
done
exit "$failed"
