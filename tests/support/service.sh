# shellcheck shell=bash
# To be sourced: a whole dsnd for a test, with a throw-away PostgreSQL, in a folder of its own.
#
#   service_new DSND      make folder, cluster, keys and settings (environment); sets $service_dir;
#                         ends the script with status 77, aloud, where something needed is missing
#   service_start         start `dsnd serve` and wait until it is ready; sets $service_pid
#   service_end SIGNAL    stop it by that signal and wait; sets $service_status
#   service_token         a token for everything, into $service_token
#   sql STATEMENT         ask PostgreSQL
#   api METHOD PATH ...   call the API; more arguments go to curl
#   service_answers CODE  wait, 5 s at most, until a report of its own, to probe-..., is answered so
#   service_stored        whether PostgreSQL has all that SMTP took since the first service_start
#
# At the end of the script all of it goes away; the log is shown if the script failed, and what a
# sanitizer said in it is a failure. Settings may
# be changed between service_new and service_start by exporting DSND_SECTION_KEY.
# PG_CLUSTER_SETTINGS reaches PostgreSQL.

service_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
service_cluster=$service_top/tests/support/pg_cluster.sh
service_pid='' service_dir='' service_program='' service_token=''

skip() {
    echo "SKIPPED: $*"
    exit 77
}

fail() {
    echo "FAILED: $*"
    exit 1
}

service_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        :
    done
    echo "$port"
}

service_cleanup() {
    local status=${1:-$?}
    if [ -n "$service_pid" ]; then
        kill -KILL "$service_pid" 2>/dev/null || true
        wait "$service_pid" 2>/dev/null || true
    fi
    if grep -aE -A 25 'Sanitizer|runtime error' "$service_dir/log" 2>/dev/null; then
        echo "FAILED: the sanitizers found something"
        status=1
    fi
    if [ "$status" != 0 ] && [ "$status" != 77 ] && [ -f "$service_dir/log" ]; then
        echo "the last lines of its log:"
        grep -v 'event=smtp.message' "$service_dir/log" | tail -n 30
    fi
    "$service_cluster" kill "$service_dir/pg" 2>/dev/null || true
    rm -rf "$service_dir"
    exit "$status"
}

service_new() {
    local status=0
    service_program=$1
    command -v curl >/dev/null || skip "curl is not installed"
    service_dir=$(mktemp -d "${TMPDIR:-/tmp}/dsnd-test.XXXXXX")
    trap service_cleanup EXIT
    chmod 711 "$service_dir"
    mkdir "$service_dir/journal"
    DSND_DATABASE_URL=$("$service_cluster" start "$service_dir/pg") || status=$?
    [ "$status" != 77 ] || skip "PostgreSQL is not installed"
    [ "$status" = 0 ] || fail "PostgreSQL does not start"
    echo "k $(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$service_dir/keys"
    DSND_SMTP_LISTEN=127.0.0.1:$(service_port)
    DSND_HTTP_LISTEN=127.0.0.1:$(service_port)
    DSND_METRICS_LISTEN=127.0.0.1:$(service_port)
    export DSND_CONF=/dev/null DSND_DATABASE_URL
    export DSND_SMTP_LISTEN DSND_HTTP_LISTEN DSND_METRICS_LISTEN
    export DSND_SMTP_DOMAINS=bounces.example.com DSND_SMTP_HOSTNAME=mx.bounces.example.com
    export DSND_SMTP_MAX_PER_CLIENT=10000 DSND_SIGN_KEYS_FILE=$service_dir/keys
    export DSND_JOURNAL_DIR=$service_dir/journal DSND_JOURNAL_MIN_FREE=64M
    "$service_program" migrate >>"$service_dir/log" 2>&1 || fail "dsnd migrate"
}

service_start() {
    "$service_program" serve >>"$service_dir/log" 2>&1 &
    service_pid=$!
    for _ in $(seq 300); do
        if curl -fs "http://$DSND_METRICS_LISTEN/readyz" >/dev/null; then
            return
        fi
        kill -0 "$service_pid" 2>/dev/null || break
        sleep 0.1
    done
    fail "dsnd serve does not get ready"
}

# shellcheck disable=SC2034 # for the script that sources this
service_end() {
    service_status=0
    kill -"$1" "$service_pid"
    wait "$service_pid" || service_status=$?
    service_pid=''
}

service_token() {
    service_token=$("$service_program" token add --name test \
        --scopes read,write,suppressions,admin 2>>"$service_dir/log") || fail "dsnd token add"
}

api() {
    local method=$1 path=$2
    shift 2
    curl -sS -X "$method" -H "Authorization: Bearer $service_token" "$@" \
        "http://$DSND_HTTP_LISTEN$path"
}

service_psql() { printf '%s\n' /usr/lib/postgresql/*/bin/psql | sort -V | tail -n 1; }

service_answers() {
    local said='' try
    for try in $(seq 50); do
        said=$("$service_top/tests/fault/send.py" "$DSND_SMTP_LISTEN" "probe-$RANDOM" 1)
        [ "${said#* }" != "$1" ] || return 0
        sleep 0.1
    done
    fail "$try times it was answered ${said#* }, not $1"
}

service_stored() {
    local taken
    taken=$(curl -fs "http://$DSND_METRICS_LISTEN/metrics" |
        sed -n 's/^dsnd_smtp_messages_total \([0-9]*\)$/\1/p')
    [ "${taken:-0}" != 0 ] &&
        [ "$(sql "SELECT coalesce(sum(sequence), 0) >= $taken FROM journal_position")" = t ]
}

sql() { "$(service_psql)" "$DSND_DATABASE_URL" -Atqc "$1"; }
