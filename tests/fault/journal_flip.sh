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

before=0
for round in $(seq "$rounds"); do
    service_start
    "$service_cluster" kill "$service_dir/pg"
    "$here/send.py" "$DSND_SMTP_LISTEN" "r$round" "$each" >"$service_dir/sent"
    [ "$(grep -c ' 250$' "$service_dir/sent")" = "$each" ] || fail "not all were accepted"
    service_end KILL
    where=$(flip)
    "$service_cluster" start "$service_dir/pg" >/dev/null
    service_start
    for _ in $(seq 100); do
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
