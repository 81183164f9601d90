#!/bin/bash
# usage: import.sh DSND: a message, a folder, a maildir and an mbox become rows like received mail,
# attributed and believed by their return path; running it again changes no count.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
service_new "$1"
mail=$service_dir/mail
mkdir -p "$mail/folder" "$mail/dir/cur" "$mail/dir/new" "$mail/dir/tmp"

# report RECIPIENT HEADER: a bounce of the campaign, stored by a server that wrote HEADER.
report() {
    local path
    path=$("$1" mint --campaign spring --recipient "$2" --domain bounces.example.com)
    cat <<END
$3: $path
From: MAILER-DAEMON@mx.example
To: somebody@else.example
Subject: Undelivered
Message-ID: <$2.report@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; $2
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b--

END
}
report "$1" one@gone.example Delivered-To >"$mail/one.eml"
report "$1" two@gone.example X-Original-To >"$mail/folder/two"
report "$1" three@gone.example To >"$mail/folder/three"
report "$1" four@gone.example Envelope-To >"$mail/dir/cur/4:2,S"
report "$1" five@gone.example Delivered-To >"$mail/dir/new/5"
report "$1" never@gone.example Delivered-To >"$mail/dir/tmp/6"
for name in six seven; do
    echo "From MAILER-DAEMON Mon Nov 23 10:00:00 2026"
    report "$1" "$name@gone.example" Delivered-To
done >"$mail/box"
report "$1" eight@gone.example Delivered-To >"$mail/input"

equal() { [ "$2" = "$3" ] || fail "$1: expected $2, found $3"; }
counts() {
    sql "SELECT (SELECT count(*) FROM report), (SELECT count(*) FROM status),
        (SELECT count(*) FROM delivery), (SELECT count(*) FROM suppression),
        (SELECT count(DISTINCT source) || ' ' || min(source) FROM report)"
}
run() {
    "$1" import "$mail/one.eml" "$mail/folder" "$mail/dir" "$mail/box" - <"$mail/input" \
        2>>"$service_dir/log" || fail "dsnd import ended with $?"
}
said=$(run "$1")
equal "the first run" "8 reports stored with 8 status records, 0 received before, 0 set aside" "$said"
equal "rows" "8|8|8|8|1 4" "$(counts)"
said=$(run "$1")
equal "the second run" "0 reports stored with 0 status records, 8 received before, 0 set aside" \
    "$said"
equal "rows after it" "8|8|8|8|1 4" "$(counts)"

service_start
service_token
said=$(run "$1")
equal "while the service runs" \
    "0 reports stored with 0 status records, 8 received before, 0 set aside" "$said"
shown=$(api GET /v1/campaigns/spring)
[[ $shown == *'"failed":8'* ]] || fail "the campaign does not show 8 failures: $shown"

status=0
said=$("$1" import "$mail/one.eml" "$mail/none" 2>&1) || status=$?
equal "the status with a missing file" 1 "$status"
[[ $said == *"No such file"* && $said == *"1 received before"* ]] || fail "missing file: $said"
status=0
said=$(DSND_DATABASE_URL="postgresql:///none?host=/nonexistent" "$1" import "$mail/one.eml" 2>&1) ||
    status=$?
equal "the status without a database" 1 "$status"
[[ $said == *"cannot begin"* ]] || fail "no database: $said"
status=0
"$1" import 2>/dev/null || status=$?
equal "the status without a path" 2 "$status"
echo PASS
