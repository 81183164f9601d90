#!/bin/bash
# usage: ingest.sh DSND [MESSAGES]: how many lines of a Postfix log a second `dsnd ingest` stores, where every
# message is ours (four lines each), and where none is; and the memory it takes.
set -eu
# shellcheck source-path=SCRIPTDIR source=../support/service.sh
. "$(dirname "$0")/../support/service.sh"

messages=${2:-50000}
service_new "$1"
dsnd=$service_program
cd "$service_dir"
export TZ=UTC
month=$(date -u '+%b %e')

# lines FILE-OF-SENDERS: a message a line of it, "address<tab>sender"
lines() {
    awk -F '\t' -v day="$month" '{
        id = sprintf("%s%010dF", "A", NR)
        printf "%s 00:00:01 mail postfix/cleanup[1]: %s: message-id=<%d@x.example>\n", day, id, NR
        printf "%s 00:00:02 mail postfix/qmgr[2]: %s: from=<%s>, size=1, nrcpt=1 (queue active)\n", day, id, $2
        status = NR % 50 ? "sent (250 2.0.0 ok)" : "bounced (host mx.there.example[192.0.2.1] said: 550 5.1.1 unknown (in reply to RCPT TO command))"
        printf "%s 00:00:03 mail postfix/smtp[3]: %s: to=<%s>, relay=mx.there.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=%s\n", day, id, $1, status
        printf "%s 00:00:04 mail postfix/qmgr[2]: %s: removed\n", day, id
    }' "$1"
}

# measure NAME FILE
measure() {
    local begin end count
    count=$(wc -l <"$2")
    begin=$(date +%s%N)
    "$dsnd" ingest postfix "$2" >out 2>err &
    local pid=$! peak=0 now
    while kill -0 "$pid" 2>/dev/null; do
        now=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
        [ -z "$now" ] || peak=$now
        sleep 0.05
    done
    wait "$pid" || fail "$(cat out err)"
    end=$(date +%s%N)
    echo "$1: $count lines in $(((end - begin) / 1000000)) ms: $((count * 1000 / ((end - begin) / 1000000 + 1))) lines/s, $((peak / 1024)) MiB"
    sed 's/^/    /' out
}

seq "$messages" | sed 's/.*/user&@there.example/' >addresses
"$dsnd" mint --campaign bench --domain bounces.example.com <addresses >senders
paste addresses senders >ours
sed 's/\t.*/\tapp@x.example/' ours >others
lines ours >ours.log
lines others >others.log
measure "ours" ours.log
measure "other mail" others.log
