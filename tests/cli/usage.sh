#!/bin/bash
# usage: usage.sh DSND: wrong arguments are told in the first line, with what is allowed, and end with 2.
set -u
dsnd=$1
failed=0
unset "${!DSND_@}"
export DSND_CONF=/dev/null

says() { # LINE ARGUMENT...
    local want=$1 said status=0
    shift
    said=$(timeout 20 "$dsnd" "$@" 2>&1 </dev/null) || status=$?
    [ "$status" = 2 ] || { echo "FAIL: $* ends with $status" && failed=1; }
    [ "${said%%$'\n'*}" = "dsnd $1: $want" ] || { echo "FAIL: $* says ${said%%$'\n'*}" && failed=1; }
}
says 'the verb is missing: check, list or unmatched' rules
says '"frob" is no verb; allowed are check, list and unmatched' rules frob
says 'unexpected argument "b"; one FILE is allowed' rules check a b
says '--from must be before --to' rules unmatched --from 2026-02-01T00:00:00Z --to 2026-01-01T00:00:00Z
says 'the mail server is missing: postfix, exim, kumomta or powermta' ingest
says '"frob" is no mail server whose log is read; allowed are postfix, exim, kumomta and powermta' ingest frob x
says 'FILE, FOLDER or "-" is missing' ingest postfix
says 'unexpected argument "b"; one FILE, FOLDER or "-" is allowed' ingest postfix a b
says 'ADDRESS is missing' verify
says 'unexpected argument "b"; one ADDRESS is allowed' verify a b
says 'TEXT is missing' classify
says 'unexpected argument "b"; one TEXT is allowed' classify a b
says 'unexpected argument "frob"; options are allowed' reclassify frob
says '--from must be before --to' reclassify --from 2026-02-01T00:00:00Z --to 2026-01-01T00:00:00Z
says 'PATH is missing; "-" is standard input' import
says 'PATH is missing; "-" is standard input' parse
says 'FILE is missing; "-" is standard input' explain
[ "$failed" = 0 ] && echo PASS
exit "$failed"
