#!/bin/sh
# usage: explain.sh DSND: what explain says of a report, with and without keys, and of what is none.
set -eu
dsnd=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export DSND_CONF=/dev/null
printf 'k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n' >"$dir/keys"
fail() {
    echo "FAIL: $*: $(cat "$dir/out")"
    exit 1
}
says() { grep -qE -- "$1" "$dir/out" || fail "nothing like \"$1\""; }
path=$("$dsnd" mint --campaign spring --recipient ann@gone.example --domain b.example \
    --keys "$dir/keys")
cat >"$dir/one.eml" <<END
Delivered-To: $path
From: MAILER-DAEMON@mx.example
To: somebody@else.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ann@gone.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown $(printf '\033')[31m

--b--
END
"$dsnd" explain --keys "$dir/keys" "$dir/one.eml" >"$dir/out" || fail "explain ended with $?"
says 'message/delivery-status: read as delivery-status fields'
says 'decided by the reader of delivery-status fields'
says 'recipient ann@gone.example: from the delivery-status fields'
says 'kind +dsn'
says 'class +mailbox_unknown'
says 'matched +.*user unknown'
says 'its number +[1-9]'
says 'believed +yes: signed'
says 'campaign +spring'
says 'suppresses +at once'
! grep -q "$(printf '\033')" "$dir/out" || fail "an escape reaches the terminal"
"$dsnd" explain - <"$dir/one.eml" >"$dir/out" || fail "explain - ended with $?"
says 'believed +not known: there are no keys'
says 'suppresses +no: nothing in the message proves'
sed 's/ann@gone/eve@gone/' "$dir/one.eml" >"$dir/two.eml"
"$dsnd" explain --keys "$dir/keys" "$dir/two.eml" >"$dir/out" || fail "explain ended with $?"
says 'suppresses +no: the return path is that of another'
sed 's/550 5.1.1 user unknown/452 4.2.2 mailbox full/;s/^Status: .*/Status: 4.2.2/' "$dir/one.eml" >"$dir/full.eml"
"$dsnd" explain --keys "$dir/keys" "$dir/full.eml" >"$dir/out" || fail "explain ended with $?"
says 'class +expired'
says 'cause +mailbox_full'
says 'suppresses +after 5 within 30 d'
sed -i 's/^Action: .*/Action: delayed/' "$dir/full.eml"
"$dsnd" explain --keys "$dir/keys" "$dir/full.eml" >"$dir/out" || fail "explain ended with $?"
says 'class +mailbox_full'
says 'suppresses +never for what may pass'
printf 'From: a@b.example\nSubject: hello\n\nHello.\n' >"$dir/three.eml"
"$dsnd" explain "$dir/three.eml" >"$dir/out" || fail "explain ended with $?"
says 'no reader took it'
! "$dsnd" explain "$dir/none" >"$dir/out" 2>&1 || fail "a missing file is no error"
says 'No such file'
status=0
"$dsnd" explain >"$dir/out" 2>&1 || status=$?
[ "$status" = 2 ] || fail "no argument ended with $status"
echo PASS
