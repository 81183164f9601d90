#!/bin/bash
# usage: reload.sh DSND: rules and providers of the operator are taken at SIGHUP; a bad file changes
# nothing, and the log says which line of which file is wrong and what is allowed. What else changed is
# taken, or named in the log as what takes a restart.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
service_new "$1"
rules=$service_dir/own.rules providers=$service_dir/own.providers
export DSND_CLASSIFY_RULES=$rules DSND_CLASSIFY_PROVIDERS=$providers DSND_CONF=$service_dir/dsnd.conf
printf '%s\n' '[smtp]' drain_timeout=0s >"$DSND_CONF"

# rule WORD [LINE]: the one rule there is, and a line of its own.
rule() { printf '[own.%s]\nclass: throttled\nprovider: acme\nmatch: %s\ntest: %s\n%s\n' "$1" "$1" "$1" "${2-}" >"$rules"; }
# said COUNT WORDS...: lines of the log that hold all words.
said() {
    local count=$1 lines
    shift
    for _ in $(seq 300); do
        lines=$(cat "$service_dir/log")
        for words in "$@"; do
            lines=$(grep -F -- "$words" <<<"$lines" || true)
        done
        [ "$(grep -c . <<<"$lines")" -lt "$count" ] || return 0
        sleep 0.1
    done
    fail "the log does not say $count times: $*"
}
provider() { "$service_program" classify slow --mx in.mx.acme.example | grep -o '"provider":"[a-z]*"'; }

echo 'acme mx.acme.example' >"$providers"
rule slow
service_start
[ "$(provider)" = '"provider":"acme"' ] || fail "the provider is $(provider)"

rule late
kill -HUP "$service_pid"
said 1 event=pipeline.reloaded rules=
rule broken 'clazz: throttled'
kill -HUP "$service_pid"
said 1 event=pipeline.reload_failed own.rules "line 6" kept=old
rule later
echo 'acme' >>"$providers"
kill -HUP "$service_pid"
said 1 event=pipeline.reload_failed own.providers "line 2: a family is followed by its domains" kept=old
said 1 event=api.reload_failed own.providers "line 2" kept=old
[[ $("$1" rules check 2>&1) == *"own.providers: line 2"* ]] || fail "dsnd rules check takes it"
echo 'acme mx.acme.example' >"$providers"
kill -HUP "$service_pid"
said 2 event=pipeline.reloaded rules=

socketmap=$service_dir/socketmap
printf '%s\n' '[smtp]' threads=3 "lmtp_listen=$service_dir/lmtp" '[http]' threads=7 '[retain]' raw=40d '[lookup]' \
    "socketmap_listen=$socketmap" '[webhooks]' retry=1d '[log]' level=debug >"$DSND_CONF"
kill -HUP "$service_pid"
said 1 event=settings.restart_needed proc=receive keys=smtp.lmtp_listen,smtp.threads
said 1 event=settings.restart_needed proc=api keys=http.threads
said 1 event=settings.restart_needed proc=pipeline keys=retain.raw
said 1 event=webhook.reloaded retry_ms=86400000
said 1 event=lookup.listen key=lookup.socketmap_listen # nothing was set for it to do before
"$here/../fault/send.py" "$DSND_SMTP_LISTEN" levels 1 >/dev/null
said 1 "debug event=smtp." proc=receive
printf '%s\n' '[lookup]' "socketmap_listen=$socketmap" when_away=accept threads=3 >"$DSND_CONF"
kill -HUP "$service_pid"
said 1 event=lookup.reloaded when_away=accept
said 1 event=settings.restart_needed proc=lookup keys=lookup.threads
printf '%s\n' '[lookup]' "socketmap_listen=$socketmap" when_away=perhaps >"$DSND_CONF"
kill -HUP "$service_pid"
said 1 event=lookup.reload_failed when_away kept=old
said 1 event=webhook.reload_failed when_away kept=old
[ "$(grep -c 'settings.restart_needed' "$service_dir/log")" = 4 ] || fail "keys are named that did not change"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2 \
    -keyout "$service_dir/tls.key" -out "$service_dir/tls.pem" 2>/dev/null || fail "openssl req"
printf '%s\n' '[http]' "tls_cert=$service_dir/tls.pem" "tls_key=$service_dir/tls.key" >"$DSND_CONF"
kill -HUP "$service_pid"
said 1 event=settings.restart_needed proc=api keys=http.tls_cert,http.tls_key
said 1 event=settings.restart_needed proc=lookup keys=lookup.socketmap_listen # it has nothing to do now

# Each line is pairs, whatever the texts of errors quote.
odd() { grep ' event=' "$service_dir/log" | grep -vE '^[^ ]+ [a-z]+( [a-z0-9_]+=("[^"]*"|[^" ]*))*$'; }

# A drain is waited for as long as it now may take.
printf '%s\n' '[smtp]' drain_timeout=60s >"$DSND_CONF"
reloads=$(grep -c event=receive.reloaded "$service_dir/log")
kill -HUP "$service_pid"
said $((reloads + 1)) event=receive.reloaded
trap '' PIPE # a session that is ended too early is told by what it does not answer
exec 5<>"/dev/tcp/${DSND_SMTP_LISTEN/://}"
answered() { # CODE [LINE...]
    local code=$1 line
    shift
    [ $# = 0 ] || printf '%s\r\n' "$@" >&5 || true
    read -r -t 10 line <&5 || fail "no answer to $*"
    [ "${line%% *}" = "$code" ] || fail "$* is answered $line"
}
answered 220
answered 250 'HELO x.example'
answered 250 'MAIL FROM:<>'
answered 250 'RCPT TO:<late@bounces.example.com>'
answered 354 DATA
kill -TERM "$service_pid"
sleep 7
answered 250 'Subject: late' '' late .
exec 5>&-
service_status=0
wait "$service_pid" || service_status=$?
service_pid=''
! odd || fail "lines that are no pairs"
[ "$service_status" = 0 ] || fail "dsnd serve ended with $service_status"
echo PASS
