#!/bin/bash
# usage: reload.sh DSND: rules and providers of the operator are taken at SIGHUP; a bad file changes
# nothing, and the log says which line of which file is wrong and what is allowed.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
service_new "$1"
rules=$service_dir/own.rules providers=$service_dir/own.providers
export DSND_CLASSIFY_RULES=$rules DSND_CLASSIFY_PROVIDERS=$providers

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
service_end TERM
[ "$service_status" = 0 ] || fail "dsnd serve ended with $service_status"
echo PASS
