#!/bin/bash
# usage: pg_cluster.sh run database.sh DSND
# Commands that work on the database: what they refuse leaves nothing behind, and what they could
# not print is no success.
set -u
dsnd=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset "${!DSND_CONF@}"
export DSND_CONF=/dev/null DSND_DATABASE_URL=$DSND_TEST_DATABASE_URL
failed=0
sql() { psql "$DSND_DATABASE_URL" -Atqc "$1"; }
fail() {
    echo "FAIL: $*: $(head -n 3 "$dir/said" | tr '\n' '|')"
    failed=1
}
ends() { # STATUS WORDS ARGUMENT...
    local want=$1 words=$2 status=0
    shift 2
    "$dsnd" "$@" </dev/null >"$dir/out" 2>"$dir/said" || status=$?
    [ "$status" = "$want" ] || fail "$* ends with $status, not $want"
    [ -z "$words" ] || grep -qF -- "$words" "$dir/said" || fail "$* does not say \"$words\""
}
"$dsnd" migrate >"$dir/out" 2>"$dir/said" || fail migrate

tokens() { sql "SELECT count(*) FROM token WHERE revoked_at IS NULL"; }
ends 2 '--name must have' token add --scopes read
ends 2 '--name must have' token add --name "a
b" --scopes read
ends 2 '--name must have' token add --name $'\xff' --scopes read
ends 2 '--scopes must name' token add --name a
ends 2 'no scope' token add --name a --scopes read,all
ends 2 'a time to come' token add --name a --scopes read --expires 2020-01-01T00:00:00Z
ends 2 'a time to come' token add --name a --scopes read --expires soon
ends 2 '"remove"' token remove 1
ends 2 '"list"' token list 1
[ "$(tokens)" = 0 ] || fail "a refused token is stored"
ends 0 '' token add --name a --scopes read --expires 2199-01-01T00:00:00Z
ends 2 '"x" is no id' token revoke 1 x
[ "$(tokens)" = 1 ] || fail "wrong usage revoked a token"
"$dsnd" token add --name b --scopes read >/dev/full 2>"$dir/said" && fail "a token that nobody saw is a success"
[ "$(tokens)" = 1 ] || fail "a token that nobody saw is valid"
grep -q revoked "$dir/said" || fail "nothing is said of the token that nobody saw"

printf 'a@b.example\n' >"$dir/list"
ends 2 '--class is for import' suppressions export --class mailbox_full
ends 2 '--note is for import' suppressions export --note x
ends 2 '--hashed is for export' suppressions import --hashed "$dir/list"
ends 2 '--format is for export' suppressions import --format ndjson "$dir/list"
ends 2 '--note must be' suppressions import --note $'a\tb' "$dir/list"
ends 2 '--note must be' suppressions import --note $'\xff' "$dir/list"
ends 2 '--note must be' suppressions import --note "$(printf 'n%.0s' {1..501})" "$dir/list"
ends 2 '"remove"' suppressions remove "$dir/list"
ends 1 "$dir: Is a directory" suppressions import "$dir"
[ "$(sql 'SELECT count(*) FROM suppression')" = 0 ] || fail "refused options import"
ends 0 '1 entries read' suppressions import --note "$(printf 'n%.0s' {1..500})" "$dir/list"

printf 'k %064d\n' 0 >"$dir/keys"
path=$("$dsnd" mint --keys "$dir/keys" --domain b.example --campaign c --recipient a@b.example)
for command in "token list" "rules list" check-config "suppressions export" migrate --help --version \
    "mint --help" "verify --keys $dir/keys $path" "classify 550"; do
    # shellcheck disable=SC2086 # words
    "$dsnd" $command >/dev/full 2>"$dir/said" && fail "$command has not been written and ends with 0"
done
[ "$failed" = 0 ] && echo PASS
exit "$failed"
