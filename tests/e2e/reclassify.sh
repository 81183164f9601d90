#!/bin/bash
# usage: reclassify.sh DSND RULES CORPUS: mail that was stored under other rules becomes, by `dsnd
# reclassify`, what a database holds that had the rules from the start; a dry run changes nothing;
# killed in the middle it goes on. RULES are the built-in ones; messages of CORPUS are used as well
# where it is there.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
service_new "$1"
mail=$service_dir/mail
mkdir "$mail"

# report NUMBER TEXT: a signed bounce.
report() {
    local to=u$1@gone.example path
    path=$("$service_program" mint --campaign "spring$(($1 % 3))" --recipient "$to" \
        --domain bounces.example.com)
    printf '%s\n' "Delivered-To: $path" "From: MAILER-DAEMON@mx.example" "Subject: Undelivered" \
        "Message-ID: <$1.report@mx.example>" "MIME-Version: 1.0" \
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b" "" "--b" \
        "Content-Type: message/delivery-status" "" "Reporting-MTA: dns; mx.example" "" \
        "Final-Recipient: rfc822; $to" "Action: failed" "Status: 5.0.0" \
        "Diagnostic-Code: smtp; $2" "" "--b--" "" >"$mail/$1.eml"
}
for i in $(seq 40); do
    report "$i" "550 the gnomes do not know this one"
    report "$((100 + i))" "550 5.1.1 user unknown"
done
{
    sed '/^\[/,$d' "$2"
    printf '%s\n' '[own.gnomes]' 'class: mailbox_unknown' 'match: the gnomes do not know' \
        'test: 550 the gnomes do not know this one' '' '[own.policy]' 'class: policy_refused' \
        'match: user unknown' 'test: 550 5.1.1 user unknown' ''
    sed -n '/^\[/,$p' "$2"
} >"$service_dir/own.rules"
folders=("$mail")
[ ! -d "${3:-/none}" ] || folders+=("$3")

# What a database holds, but for ids and the times of receipt.
digest() {
    local database=$1 text
    while read -r text; do
        psql -XAqt "$database" -c "$text" || fail "$text"
    done <<'END'
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT r.content_hash, s.ordinal, c.key, s.ref, s.recipient, s.action, s.class, s.cause, s.permanence, s.fault, s.evidence, s.provider, s.rule, s.matched, s.blocklist, s.retry_after_s, s.rules_version FROM status s JOIN report r ON r.id = s.report_id JOIN campaign c ON c.id = s.campaign_id) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT c.key, d.ref, d.state, d.class, d.kind, d.provider, d.delayed_class, d.complained_provider FROM delivery d JOIN campaign c ON c.id = d.campaign_id) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT c.key, provider, class, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, statuses, proven FROM total_breakdown t JOIN campaign c ON c.id = t.campaign_id WHERE failed + delivered + handed_off + delay_open + delayed + complained + statuses > 0) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT provider, class, sum(failed), sum(hard), sum(block), sum(delayed), sum(statuses) AS n FROM total_hour_all GROUP BY 1, 2 HAVING sum(statuses) > 0) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT c.key, hour, provider, class, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained FROM total_cohort t JOIN campaign c ON c.id = t.campaign_id WHERE failed + delivered + handed_off + delay_open + delayed + complained > 0) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT t.basis, c.key, dims, CASE WHEN basis = 1 THEN hour END AS hour, provider, class, sum(failed) AS f, sum(hard), sum(soft), sum(block), sum(delivered), sum(handed_off), sum(delay_open), sum(delayed), sum(complained), sum(statuses), sum(proven) FROM total_roll t LEFT JOIN campaign c ON c.id = t.campaign_id WHERE failed + delivered + handed_off + delay_open + delayed + complained + statuses > 0 GROUP BY 1, 2, 3, 4, 5, 6) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT c.key, provider, open, handed_off, delivered, failed, expired FROM total_delay t LEFT JOIN campaign c ON c.id = t.campaign_id WHERE open + handed_off + delivered + failed + expired > 0) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT rule, rules_version, sum(hits) FROM rule_hit GROUP BY 1, 2) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT signature, sum(failures) FROM suppression_guard GROUP BY 1) x
SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT address, class, evidence, source, pending FROM suppression) x
END
}
equal() { [ "$2" = "$3" ] || fail "$1: expected $2, found $3"; }
reclassify() { "$service_program" reclassify --rules "$service_dir/own.rules" "$@"; }

"$1" import "$mail" >>"$service_dir/log" 2>&1 || fail "dsnd import"
before=$(digest "$DSND_DATABASE_URL")
said=$(reclassify) || fail "the dry run ended with $?"
for words in "40  unclassified -> mailbox_unknown" "40  mailbox_unknown -> policy_refused" \
    "40  suppressed: mailbox_unknown" "40  lifted: mailbox_unknown" \
    "40 suppressions would arise, 40 would be lifted" "the gnomes do not know"; do
    [[ $said == *"$words"* ]] || fail "the dry run does not say \"$words\": $said"
done
equal "after the dry run" "$before" "$(digest "$DSND_DATABASE_URL")"

# What no rule knows, most frequent first, and no address in it.
said=$("$1" rules unmatched --limit 1 2>>"$service_dir/log") || fail "dsnd rules unmatched"
[[ $said == 40$'\t'*"the gnomes do not know this one" ]] || fail "unmatched: $said"
said=$("$1" rules unmatched --to 2020-01-02T00:00:00Z 2>&1) || fail "dsnd rules unmatched --to"
equal "unmatched of 2020" "0 records, 0 different texts" "$said"
status=0
said=$("$1" rules unmatched --limit 0 2>&1) || status=$?
[[ $status == 2 && $said == *"from 1 to"* ]] || fail "unmatched --limit 0: $said"

# From here on with the messages of CORPUS too, whose numbers nobody knows beforehand.
"$1" import "${folders[@]}" >>"$service_dir/log" 2>&1 || fail "dsnd import of all folders"

# The same mail in a database that knew these rules from the start.
first=$DSND_DATABASE_URL
psql -XAqt "$first" -c 'CREATE DATABASE other' || fail "CREATE DATABASE"
DSND_DATABASE_URL=$(psql -XAqt "$first" -c "SELECT regexp_replace('$first', '/[^/?]*(\?|$)', '/other\1')")
export DSND_DATABASE_URL
[ "$DSND_DATABASE_URL" != "$first" ] || fail "the address of the database has another form"
"$1" migrate >>"$service_dir/log" 2>&1 || fail "dsnd migrate"
DSND_CLASSIFY_RULES=$service_dir/own.rules "$1" import "${folders[@]}" >>"$service_dir/log" 2>&1 ||
    fail "dsnd import into the other database"
expected=$(digest "$DSND_DATABASE_URL")
DSND_DATABASE_URL=$first

# Killed as soon as it has stored something, and at once when it is still at work.
reclassify --reparse --apply >>"$service_dir/log" 2>&1 &
pid=$!
until [ "$(sql 'SELECT coalesce(max(reports), 0) > 0 FROM reclassify_run')" = t ]; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.02
done
kill -KILL "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
# The server may still be at the statement of the one that was killed.
for _ in $(seq 300); do
    status=0
    said=$(reclassify --reparse --apply 2>&1) || status=$?
    [[ $said == *"another dsnd reclassify is at work"* ]] || break
    sleep 0.1
done
equal "--apply" 0 "$status"
equal "after it was done" "$expected" "$(digest "$first")"
said=$(reclassify --reparse --apply) || fail "the second --apply ended with $?"
[[ $said == *"; 0 changed, 0 suppressions arose, 0 were lifted"* ]] || fail "done twice: $said"
equal "after it was done twice" "$expected" "$(digest "$first")"

for row in "--from yesterday|2|must be a time" "--campaign none|1|no such campaign" \
    "--rules /none|2|/none" "more|2|usage"; do
    IFS='|' read -r options status words <<<"$row"
    ended=0
    # shellcheck disable=SC2086 # two words
    said=$("$1" reclassify $options 2>&1) || ended=$?
    equal "dsnd reclassify $options" "$status" "$ended"
    [[ $said == *"$words"* ]] || fail "dsnd reclassify $options says: $said"
done
echo PASS
