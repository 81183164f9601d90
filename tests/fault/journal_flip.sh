#!/bin/bash
# usage: journal_flip.sh DSND [ROUNDS]: one octet of the journal is changed while the service stands.
# It must start, report exactly the record that was hit, and store all others.
set -eu
here=$(dirname "$0")
rounds=${2:-5} each=40 stored=0
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"

# The octets that hold records, in the newest segment that has any.
flip() {
    python3 - "$DSND_JOURNAL_DIR" <<'PYTHON'
import glob, os, random, sys
path = max((p for p in glob.glob(sys.argv[1] + "/*.seg") if os.path.getsize(p) > 64), key=os.path.getmtime)
octets = bytearray(open(path, "rb").read())
last = len(octets.rstrip(b"\0"))
at = random.randrange(64, last)
octets[at] ^= 1 << random.randrange(8)
open(path, "wb").write(octets)
print(os.path.basename(path), at, "of", last)
PYTHON
}

# The receiver alone: what it takes stays in the journal.
receive() {
    "$service_program" receive >>"$service_dir/log" 2>&1 &
    service_pid=$!
    until (exec 3<>"/dev/tcp/${DSND_SMTP_LISTEN/://}") 2>/dev/null; do
        kill -0 "$service_pid" 2>/dev/null || fail "dsnd receive does not start"
        sleep 0.02
    done
}

before=0
for round in $(seq "$rounds"); do
    receive
    "$here/send.py" "$DSND_SMTP_LISTEN" "r$round" "$each" >"$service_dir/sent"
    [ "$(grep -c ' 250$' "$service_dir/sent")" = "$each" ] || fail "not all were accepted"
    service_end KILL
    where=$(flip)
    service_start
    for _ in $(seq 600); do
        stored=$(sql "select count(*) from status where recipient like 'r$round-%'")
        set_aside=$(($(sql "select count(*) from quarantine") - before))
        [ "$((stored + set_aside))" -lt "$each" ] || break
        sleep 0.1
    done
    service_end TERM
    before=$((before + set_aside))
    echo "round $round, $where: $stored stored, $set_aside set aside"
    [ "$((stored + set_aside))" = "$each" ] || fail "one vanished without a word, or was made up"
    [ "$set_aside" -le 1 ] || fail "one octet cost $set_aside records"
done
