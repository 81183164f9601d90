#!/bin/bash
# usage: ingest.sh DSND: logs of the documented formats through `dsnd ingest`: counted once, however
# often they are read, under whatever name rotation gives them, killed or not.
set -eu
# shellcheck source-path=SCRIPTDIR source=../support/service.sh
. "$(dirname "$0")/../support/service.sh"

service_new "$1"
dsnd=$service_program
cd "$service_dir"
export TZ=UTC
today=$(date -u +%Y-%m-%d) month=$(date -u '+%b %e')

path_of() { "$dsnd" mint --campaign "$1" --recipient "$2" --domain bounces.example.com; }

# ask SQL WANTED WHAT
ask() {
    local got
    got=$(sql "$1")
    [ "$got" = "$2" ] || fail "$3: got $got, want $2"
}

# campaign KEY SENT DELIVERED FAILED DELAYED WHAT
campaign() {
    ask "SELECT concat_ws(' ', t.sent, delivered, failed, \"delayed\") FROM total_campaign t
        JOIN campaign c ON c.id = campaign_id WHERE c.key = '$1'" "$2 $3 $4 $5" "$6"
}

# postfix N CAMPAIGN STATUS TEXT: a message to user N, as Postfix logs it
postfix() {
    local id sender
    id=$(printf 'A%09dF' "$1")
    sender=$(path_of "$2" "user$1@there.example")
    echo "$month 00:00:01 mail postfix/cleanup[1]: $id: message-id=<$1@x.example>"
    echo "$month 00:00:02 mail postfix/qmgr[2]: $id: from=<$sender>, size=1, nrcpt=1 (queue active)"
    echo "$month 00:00:03 mail postfix/smtp[3]: $id: to=<user$1@there.example>, relay=mx[192.0.2.1]:25," \
        "delay=1, delays=0/0/0/1, dsn=2.0.0, status=$3 ($4)"
    [ "$3" = deferred ] || echo "$month 00:00:04 mail postfix/qmgr[2]: $id: removed"
}

echo "# Postfix: sent, bounced, deferred; other mail and broken lines are counted and passed over"
{
    postfix 1 spring sent '250 2.0.0 ok'
    postfix 2 spring bounced 'host mx[192.0.2.1] said: 550 5.1.1 <user2@there.example>: user unknown (in reply to RCPT TO command)'
    postfix 3 spring deferred 'host mx[192.0.2.1] said: 451 4.3.0 later (in reply to RCPT TO command)'
    echo "$month 00:00:05 mail postfix/qmgr[2]: B000000001F: from=<app@x.example>, size=1, nrcpt=1 (queue active)"
    echo "$month 00:00:06 mail postfix/smtp[3]: B000000001F: to=<a@b.example>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4, status=bounced (Host not found)"
    echo "$month 00:00:07 mail postfix/smtp[3]: C000000001F: to=<a@b.example>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4, status=bounced (Host not found)"
    echo "$month 00:00:08 mail sshd[4]: Accepted publickey"
    echo "what is this"
} >mail.log
"$dsnd" ingest postfix mail.log >out 2>err || fail "ingest: $(cat out err)"
grep -q 'mail.log: line 16: no syslog line' err || fail "the broken line is not named: $(cat err)"
grep -q '1 delivered, 1 delayed, 1 failed, 0 complaints; 3 registered as sent; 0 read before, 0 set aside; not ours: 1, of unknown messages: 1, too old: 0, no good: 1' out ||
    fail "summary: $(cat out)"
campaign spring 3 1 1 1 "Postfix"
ask "SELECT class || ' ' || evidence || ' ' || address FROM suppression" "1 4 user2@there.example" \
    "what is proven is suppressed"
ask "SELECT count(*) FROM log_message" 1 "what is in the queue is remembered"
ask "SELECT count(*) FROM report_raw" 0 "no line is kept"

echo "# read again, copied, by another name, through a pipe: nothing is counted twice"
"$dsnd" ingest postfix mail.log >out
grep -q '^0 lines' out || fail "read again: $(cat out)"
cp mail.log copy.log
"$dsnd" ingest postfix copy.log >out
grep -q '^0 lines' out || fail "a copy: $(cat out)"
"$dsnd" ingest postfix - <mail.log >out 2>/dev/null
grep -q '3 read before' out || fail "a pipe: $(cat out)"
campaign spring 3 1 1 1 "read again"

echo "# rotated between two runs: the rest of the old file, the one in between, the new one"
postfix 4 spring sent '250 ok' >>mail.log
mv mail.log mail.log.2
postfix 5 spring sent '250 ok' >mail.log.1
{
    # the delayed one leaves the queue
    id=A000000003F
    echo "$month 00:01:02 mail postfix/qmgr[2]: $id: from=<$(path_of spring user3@there.example)>, status=expired, returned to sender"
    postfix 6 spring sent '250 ok'
} >mail.log
touch -d '2 minutes ago' mail.log.2 # their times tell their order
touch -d '1 minute ago' mail.log.1
"$dsnd" ingest postfix mail.log >out 2>err || fail "rotated: $(cat out err)"
campaign spring 6 4 2 1 "rotated"
ask "SELECT r.kind || ' ' || s.class || ' ' || s.cause FROM status s JOIN report r ON r.id = report_id
    WHERE s.ref = (SELECT ref FROM send WHERE recipient = 'user3@there.example') AND s.action = 1" \
    "6 9 8" "what expired, and why"
ask "SELECT recipient FROM status WHERE action = 1 AND class = 9" user3@there.example "who expired"

echo "# copied and emptied"
postfix 7 spring sent '250 ok' >>mail.log
cp mail.log mail.log.0
touch -d '1 minute ago' mail.log.0
postfix 8 spring sent '250 ok' >new
cat new >mail.log
"$dsnd" ingest postfix mail.log >out 2>err || fail "copied and emptied: $(cat out err)"
[ ! -s err ] || fail "copied and emptied: $(cat err)"
campaign spring 8 6 2 1 "copied and emptied"
rm mail.log*
postfix 9 spring sent '250 ok' >mail.log
"$dsnd" ingest postfix mail.log >out 2>err || fail "lost: $(cat out err)"
grep -q 'is not there any more' err || fail "a lost file is not named"
campaign spring 9 7 2 1 "lost"

echo "# copied and emptied when no more than one line of it was read"
mkdir one
printf '%s\n' "$month 00:00:01 mail postfix/smtpd[9]: connect from a[192.0.2.7]" >one/mail.log
"$dsnd" ingest postfix one/mail.log >out
postfix 31 one sent '250 ok' >>one/mail.log
cp one/mail.log one/mail.log.1
touch -d '1 minute ago' one/mail.log.1
postfix 32 one sent '250 ok' >new
cat new >one/mail.log
"$dsnd" ingest postfix one/mail.log >out 2>err || fail "one line: $(cat out err)"
[ ! -s err ] || fail "one line: $(cat err)"
campaign one 2 2 0 0 "one line"

echo "# rotated twice between two runs, the date before the ending (logrotate: extension, PowerMTA)"
mkdir dated
postfix 41 dated sent '250 ok' >dated/mail.log
"$dsnd" ingest postfix dated/mail.log >out
postfix 42 dated sent '250 ok' >>dated/mail.log
mv dated/mail.log dated/mail-20260101.log
postfix 43 dated sent '250 ok' >dated/mail-2026-01-02-0001.log
postfix 44 dated sent '250 ok' >dated/mail-other.log
postfix 45 dated sent '250 ok' >dated/mail.log
touch -d '3 minutes ago' dated/mail-20260101.log
touch -d '2 minutes ago' dated/mail-2026-01-02-0001.log
touch -d '1 minute ago' dated/mail-other.log
"$dsnd" ingest postfix dated/mail.log >out 2>err || fail "dated: $(cat out err)"
campaign dated 4 4 0 0 "the date before the ending"

echo "# a pipe with a name, a compressed file"
postfix 33 piped sent '250 ok' >piped.log
"$dsnd" ingest postfix <(cat piped.log) >out 2>err || fail "a pipe with a name: $(cat out err)"
campaign piped 1 1 0 0 "a pipe with a name"
for packer in gzip xz bzip2; do
    command -v $packer >/dev/null || continue
    $packer -c piped.log >packed
    if "$dsnd" ingest postfix packed >out 2>err; then fail "$packer: $(cat out err)"; fi
    grep -q 'packed: is compressed' err || fail "$packer is not named: $(cat err)"
    grep -q '^0 lines' out || fail "$packer: $(cat out)"
done

echo "# two machines in one log, with the same queue id"
for user in ann bob; do
    echo "$month 00:00:02 mail-$user postfix/qmgr[2]: A1B2C3: from=<$(path_of hosts $user@there.example)>, size=1, nrcpt=1 (queue active)"
done >hosts.log
for user in ann bob; do
    echo "$month 00:00:03 mail-$user postfix/smtp[3]: A1B2C3: to=<$user@there.example>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
done >>hosts.log
"$dsnd" ingest postfix hosts.log >out
campaign hosts 2 2 0 0 "two machines"

echo "# octets that are no UTF-8, and NUL, in the name of a host and in a queue id"
{
    for host in odd odd#; do
        echo "$month 00:00:02 $host postfix/qmgr[2]: D1B2C3: from=<$(path_of odd "${#host}@there.example")>, size=1, nrcpt=1 (queue active)"
    done
    echo "$month 00:00:02 odd postfix/qmgr[2]: D1#C3: from=<a@x.example>, size=1, nrcpt=1 (queue active)"
    echo "$month 00:00:02 nul+ postfix/qmgr[2]: D1B2C3: from=<a@x.example>, size=1, nrcpt=1 (queue active)"
} | tr '#+' '\377\0' >odd.log
"$dsnd" ingest postfix odd.log >out 2>err || fail "odd octets: $(cat out err)"
for host in odd odd#; do
    echo "$month 00:00:03 $host postfix/smtp[3]: D1B2C3: to=<${#host}@there.example>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
    echo "$month 00:00:04 $host postfix/qmgr[2]: D1B2C3: removed"
done | tr '#' '\377' >>odd.log
"$dsnd" ingest postfix odd.log >out 2>err || fail "odd octets: $(cat out err)"
grep -q '2 delivered' out || fail "odd octets: $(cat out)"
ask "SELECT count(*) FROM log_message WHERE queue_id LIKE 'odd%'" 0 "odd octets, removed"

echo "# Exim: the sender is on the line of arrival, in a run before"
exim_path=$(path_of exim ann@there.example)
{
    echo "$today 00:00:01 1vPAAA-0003oP-5i <= $exim_path H=app [192.0.2.9] P=esmtp S=1 id=e1@x.example"
    echo "$today 00:00:02 1vPAAA-0003oP-5i == ann@there.example R=r T=t H=mx [192.0.2.1] defer (-44): SMTP error from remote mail server after RCPT TO:<ann@there.example>: 451 later"
} >mainlog
"$dsnd" ingest exim mainlog >out
campaign exim 1 0 0 1 "Exim, delayed"
{
    echo "$today 00:01:02 1vPAAA-0003oP-5i ** ann@there.example R=r T=t H=mx [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<ann@there.example>: 550 5.1.1 user unknown"
    echo "$today 00:01:03 1vPAAA-0003oP-5i Completed"
    printf '%s' "$today 00:01:04 1vPAAA"
} >>mainlog
"$dsnd" ingest exim mainlog >out 2>err
campaign exim 1 0 1 1 "Exim, failed"
grep -q 'has no end yet' err || fail "a line without its end is not named"
echo "A-0003oP-5j <= a@x.example" >>mainlog
"$dsnd" ingest exim mainlog >out
grep -q '^1 lines.*no good: 0' out || fail "a line that was written in two parts: $(cat out)"
ask "SELECT message_id FROM send JOIN campaign c ON c.id = campaign_id WHERE c.key = 'exim'" e1@x.example "Message-ID"
ask "SELECT count(*) FROM log_message WHERE source_id = (SELECT id FROM log_source WHERE name LIKE 'exim:%')" 0 \
    "nothing is left of what is done"

echo "# KumoMTA: a folder of segments, some compressed"
kumo() { # TYPE CODE USER
    echo "{\"type\":\"$1\",\"id\":\"$3\",\"sender\":\"$(path_of kumo "$3@there.example")\",\"recipient\":\"$3@there.example\",\"response\":{\"code\":$2,\"enhanced_code\":null,\"content\":\"text\"},\"peer_address\":{\"name\":\"mx.there.example.\",\"addr\":\"192.0.2.1\"},\"timestamp\":$(date +%s),\"created\":$(($(date +%s) - 10))}"
}
mkdir kumo
kumo Delivery 250 a >kumo/20260101-000001
{ kumo Bounce 550 b; kumo TransientFailure 451 c; kumo Reception 250 d; } | zstd -q >kumo/20260101-000002
{ kumo Delivery 250 c; kumo OOB 550 a; } >kumo/20260101-000003
touch -d '2 minutes ago' kumo/20260101-000001
touch -d '1 minute ago' kumo/20260101-000002
"$dsnd" ingest kumomta kumo >out 2>err || fail "KumoMTA: $(cat out err)"
campaign kumo 3 1 2 1 "KumoMTA"
kumo Delivery 250 e >>kumo/20260101-000003
"$dsnd" ingest kumomta kumo >out
grep -q '^1 lines' out || fail "only what is new: $(cat out)"
campaign kumo 4 2 2 1 "KumoMTA, on"
stranger=$("$dsnd" mint --campaign kumo --recipient victim@there.example --ref own-1 --domain bounces.example.com)
kumo OOB 550 victim | sed "s/\"sender\":\"[^\"]*\"/\"sender\":\"$stranger\"/; s/\"text\"/\"5.1.1 user unknown\"/" \
    >>kumo/20260101-000003
kumo OOB 550 dated | sed "s/\"timestamp\":[0-9]*/\"timestamp\":$(($(date +%s) - 30 * 86400))/" >>kumo/20260101-000003
"$dsnd" ingest kumomta kumo >out
ask "SELECT evidence FROM status WHERE recipient = 'victim@there.example'" 3 "a report proves no owner of a ref"
ask "SELECT class FROM status WHERE recipient = 'victim@there.example'" 1 "no such mailbox, it says"
ask "SELECT evidence FROM status WHERE recipient = 'dated@there.example'" 4 "a report's own date ages no return path"
ask "SELECT count(*) FROM suppression WHERE address LIKE 'victim%'" 0 "a report suppresses no stranger"
ask "SELECT count(*) FROM send WHERE ref = 'own-1'" 0 "a report registers nothing"

echo "# KumoMTA: what its administrator bounced says nothing of the recipient"
kumo AdminBounce 551 gone | sed 's/"enhanced_code":null,"content":"text"/"enhanced_code":{"class":5,"subject":7,"detail":1},"content":"Administrator bounced with reason: user unknown"/' >>kumo/20260101-000003
"$dsnd" ingest kumomta kumo >out
ask "SELECT class || ' ' || fault FROM status WHERE recipient = 'gone@there.example' AND action = 1" "17 0" \
    "what the administrator bounced"
ask "SELECT count(*) FROM suppression WHERE address LIKE 'gone%'" 0 "what the administrator bounced suppresses nobody"

echo "# more files on record than the folder has; a folder of any number, the oldest first"
sql "INSERT INTO log_file (source_id, journal, inode, front_octets, front_sha256, name, done)
    SELECT s.id, md5(n::text), -n, 1, '', 'gone', true FROM log_source s, generate_series(1, 1100) n
    WHERE s.name LIKE 'kumomta:%'" >/dev/null
"$dsnd" ingest kumomta kumo >out
grep -q '^0 lines' out || fail "1100 files: $(cat out)"
mkdir many
python3 - many <<'END'
import os, sys
for n in range(17000): # packed: none of the log's files
    with open(os.path.join(sys.argv[1], "%d.gz" % n), "wb") as out:
        out.write(b"\x1f\x8b%d" % n)
    os.utime(os.path.join(sys.argv[1], "%d.gz" % n), (1000000 + n, 1000000 + n))
END
kumo Delivery 250 many >many/last
"$dsnd" ingest kumomta many >out 2>err
grep -q '^1 lines: 1 delivered' out || fail "a folder of many files: $(cat out err)"

echo "# a file that is done is not opened again; what is gone for a month is forgotten"
mkdir finished
for n in 1 2 3; do
    kumo Delivery 250 "done$n" >"finished/$n"
    touch -d "$((9 - n)) minutes ago" "finished/$n"
done
printf '%s' "$(kumo Delivery 250 odd)" >"finished/$(printf 'odd\377')" # no line end yet; a name that is no UTF-8
"$dsnd" ingest kumomta finished >out
grep -q '^3 lines: 3 delivered' out || fail "three of a folder: $(cat out)"
of_done="source_id = (SELECT id FROM log_source WHERE name LIKE 'kumomta:%/finished')"
ask "SELECT count(*) FROM log_file WHERE done AND modified_ns IS NOT NULL AND $of_done" 3 "done files"
touch -r finished/1 time
sed 's/done1@/doneX@/' finished/1 | dd of=finished/1 conv=notrunc status=none
touch -r time finished/1 # another front, which nobody looks at
mv finished/2 finished/4
rm finished/3
"$dsnd" ingest kumomta finished >out
grep -q '^0 lines' out || fail "done files are read again: $(cat out)"
ask "SELECT string_agg(right(name, 1), '' ORDER BY name) FROM log_file WHERE done AND $of_done" 134 "the name of now"
ask "SELECT count(*) FROM log_file WHERE gone_at IS NOT NULL AND right(name, 1) <> '3' AND $of_done" 0 "what is there is not gone"
sql "UPDATE log_file SET gone_at = gone_at - interval '29 days' WHERE $of_done"
"$dsnd" ingest kumomta finished >out
ask "SELECT count(*) FROM log_file WHERE done AND $of_done" 3 "gone for 29 days"
sql "UPDATE log_file SET gone_at = gone_at - interval '2 days' WHERE $of_done"
"$dsnd" ingest kumomta finished >out
ask "SELECT string_agg(right(name, 1), '' ORDER BY name) FROM log_file WHERE done AND $of_done" 14 "gone for a month"

echo "# PowerMTA: a folder of files with the same header line, one of them without more"
mkdir acct
for n in 1 2 3; do
    echo "type,timeLogged,orig,rcpt" >acct/$n.csv
    [ $n = 1 ] || echo "d,$today 00:00:10+0000,$(path_of acct $n@there.example),$n@there.example" >>acct/$n.csv
    touch -d "$((9 - n)) minutes ago" acct/$n.csv
done
"$dsnd" ingest powermta acct >out
campaign acct 2 2 0 0 "files with the same header line"
"$dsnd" ingest powermta acct >out
grep -q '^0 lines' out || fail "files with the same header line, again: $(cat out)"

echo "# PowerMTA: the header line says which column is what, also for what is read later"
{
    echo "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,vmta"
    echo "d,$today 00:00:10+0000,$today 00:00:01+0000,$(path_of pmta a@there.example),a@there.example,,relayed,2.0.0 (success),smtp;250 ok,mx (192.0.2.1),,v"
} >acct.csv
"$dsnd" ingest powermta acct.csv >out
echo "b,$today 00:00:11+0000,$today 00:00:01+0000,$(path_of pmta b@there.example),b@there.example,,failed,5.1.1 (bad),\"smtp;550 5.1.1 \"\"b\"\", unknown\",mx (192.0.2.1),bad-mailbox,v" >>acct.csv
"$dsnd" ingest powermta acct.csv >out 2>err
campaign pmta 2 1 1 0 "PowerMTA"
ask "SELECT diagnostic FROM status WHERE recipient = 'b@there.example' AND diagnostic LIKE '%unknown'" \
    '550 5.1.1 "b", unknown' "the diagnostic"

echo "# --all: other mail, too"
"$dsnd" ingest postfix --all --name everything - <copy.log >out 2>/dev/null
ask "SELECT count(*) FROM status WHERE campaign_id = 0" 1 "other mail"

echo "# --all: whoever still waits when the server gives up has failed, each for his own reason"
{
    echo "$month 00:00:02 mail postfix/qmgr[2]: E000000001F: from=<app@x.example>, size=1, nrcpt=4 (queue active)"
    for user in one two three four; do
        echo "$month 00:00:03 mail postfix/smtp[3]: E000000001F: to=<$user@wait.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred ($user is away)"
    done
} >wait.log
"$dsnd" ingest postfix --all wait.log >out
grep -q '4 delayed' out || fail "who waits: $(cat out)"
ask "SELECT count(*) FROM log_waiting WHERE queue_id ~ 'E000000001F'" 4 "who waits"
{
    echo "$month 00:00:04 mail postfix/smtp[3]: E000000001F: to=<two@wait.example>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
    echo "$month 00:00:05 mail postfix/smtp[3]: E000000001F: to=<four@wait.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (four is gone)"
    echo "$month 00:01:02 mail postfix/qmgr[2]: E000000001F: from=<app@x.example>, status=expired, returned to sender"
    echo "$month 00:01:03 mail postfix/qmgr[2]: E000000001F: removed"
} >>wait.log
"$dsnd" ingest postfix --all wait.log >out
grep -q '1 delivered, 1 delayed, 3 failed' out || fail "who waited: $(cat out)"
ask "SELECT string_agg(diagnostic, ', ' ORDER BY recipient) FROM status WHERE action = 1 AND recipient ~ 'wait.example'" \
    "four is gone, one is away, three is away" "who waited"
ask "SELECT count(*) FROM log_waiting WHERE queue_id ~ 'E000000001F'" 0 "who waited, removed"

echo "# the hour that comes twice"
twice() { # TIME...
    local time
    for time in "$@"; do
        echo "2026-10-25 $time 1vPAAA-0003oP-5k <= a@x.example H=app [192.0.2.9] P=esmtp S=1"
        echo "2026-10-25 $time 1vPAAA-0003oP-5k => ${time//:/}@there.example R=r T=t H=mx [192.0.2.1] C=\"250 OK\""
    done
}
hours() { sql "SELECT string_agg(to_char(received_at AT TIME ZONE 'UTC', 'HH24MI'), ' ' ORDER BY s.id) FROM status s
    WHERE recipient ~ '^0[0-9]{5}@'"; }
twice 01:50:00 02:10:00 02:08:00 02:50:00 02:10:01 02:09:01 02:50:01 03:10:00 >twice.log
TZ=Europe/Berlin "$dsnd" ingest exim --all twice.log >out
[ "$(hours)" = "2350 0010 0008 0050 0110 0109 0150 0210" ] || fail "the hour that comes twice: $(hours)"

echo "# a large file: memory does not grow with it"
seq 300000 | awk -v day="$month" '{
    printf "%s 00:00:05 mail postfix/smtpd[9]: connect from client%d.there.example[192.0.2.7]\n", day, $1 }' >large.log
postfix 100 large sent '250 ok' >>large.log
(
    ulimit -v $((256 * 1024)) # KiB of addresses; libraries take most of it
    "$dsnd" ingest postfix large.log >out
) || fail "a large file: $(cat out)"
grep -q '^300004 lines: 1 delivered' out || fail "a large file: $(cat out)"

echo "# the log of another that still reads it: wait for his end"
# until_true WHAT COMMAND...: it succeeds within a minute
until_true() {
    local what=$1
    shift
    for _ in $(seq 600); do
        ! "$@" || return 0
        sleep 0.1
    done
    fail "$what"
}
is_locked() { [ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 4920144")" != 0 ]; }
has_waited() { [ "$(sql "SELECT count(*) FROM campaign WHERE key = 'waited'")" = 1 ]; }
cp copy.log shared.log
"$dsnd" ingest postfix --follow --name shared shared.log >/dev/null 2>&1 &
first=$!
until_true "no lock" is_locked
if "$dsnd" ingest postfix --name shared shared.log >/dev/null 2>err; then fail "two read one log"; fi
grep -q 'another dsnd ingest reads this log' err || fail "he who reads the log is not named: $(cat err)"
"$dsnd" ingest postfix --follow --name shared shared.log >out 2>err &
second=$!
until_true "it does not wait" grep -q 'waiting for its end' err
kill "$first"
wait "$first" || fail "the first ended badly"
postfix 101 waited sent '250 ok' >>shared.log
until_true "who waited reads nothing: $(cat err)" has_waited
kill "$second"
wait "$second" || fail "who waited ended badly: $(cat err)"

echo "# a database that comes later than the log"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
away=$(sed -E "s#@[^/]*#@127.0.0.1:$port#" <<<"$DSND_DATABASE_URL")
postfix 102 came_later sent '250 ok' >late.log
if DSND_DATABASE_URL=$away "$dsnd" ingest postfix late.log >out 2>err; then fail "no database, and it is done"; fi
DSND_DATABASE_URL=$away "$dsnd" ingest postfix --follow late.log >out 2>err &
later=$!
until_true "it does not say that it waits: $(cat err)" grep -q 'waiting for the database' err
kill -0 "$later" || fail "it does not wait: $(cat err)"
python3 - "$port" "$DSND_DATABASE_URL" <<'END' &
import asyncio, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[2])
async def pump(source, sink):
    while data := await source.read(65536):
        sink.write(data)
    sink.close()
async def on_client(reader, writer):
    there = await asyncio.open_connection(url.hostname, url.port)
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)
async def main():
    async with await asyncio.start_server(on_client, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()
asyncio.run(main())
END
relay=$!
has_come() { [ "$(sql "SELECT count(*) FROM campaign WHERE key = 'came_later'")" = 1 ]; }
until_true "what waited for the database reads nothing" has_come
kill "$later"
wait "$later" || fail "what waited for the database ended badly: $(cat err)"
kill "$relay"

echo "# the wrong way"
for words in '' 'sendmail x' 'postfix' 'postfix a b' 'postfix --no x'; do
    status=0
    # shellcheck disable=SC2086
    "$dsnd" ingest $words >out 2>&1 || status=$?
    [ "$status" = 2 ] || fail "\"$words\" ended with $status"
done
if "$dsnd" ingest postfix none.log >out 2>err; then fail "a file that is not there"; fi
grep -q 'none.log: No such file' err || fail "a file that is not there is not named"
"$dsnd" ingest --help | grep -q follow || fail "--help"
