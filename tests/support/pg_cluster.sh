#!/bin/bash
# A private PostgreSQL cluster in a folder of its own: no other cluster is created, touched or
# needed. Reached over loopback on a free port, by password; run by root it becomes another user.
#
#   pg_cluster.sh start DIR     make it when missing, start it, print its URL (also in DIR/url)
#   pg_cluster.sh stop DIR      stop it; its data stays
#   pg_cluster.sh kill DIR      the same without a checkpoint, as a crash would
#   pg_cluster.sh run COMMAND   a throw-away cluster while COMMAND runs; DSND_TEST_DATABASE_URL is
#                               its URL; exit status 77 where PostgreSQL is not installed
#
#   PG_CLUSTER_USER      the user it runs as when root calls (postgres)
#   PG_CLUSTER_SETTINGS  lines for postgresql.conf
set -eu

user=${PG_CLUSTER_USER:-postgres}
settings=${PG_CLUSTER_SETTINGS:-}

die() {
    echo "pg_cluster: $*" >&2
    exit 1
}

# The newest PostgreSQL of the machine, 15 or later: its folder of programs.
bin_dir() {
    local dir
    for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -nr); do
        if [ -x "$dir/initdb" ]; then
            echo "$dir"
            return
        fi
    done
    if command -v initdb >/dev/null; then
        dirname "$(command -v initdb)"
        return
    fi
    return 1
}

# PostgreSQL refuses to run as root.
as_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
    else
        "$@"
    fi
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

make_cluster() {
    local dir=$1 password
    mkdir -p "$dir"
    chmod 700 "$dir"
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && printf '%s\n' "$password" >"$dir/password")
    if [ "$(id -u)" = 0 ]; then
        chown -R "$user" "$dir"
    fi
    rm -rf "$dir/data.new"
    as_user "$bin/initdb" -D "$dir/data.new" -U dsnd -A scram-sha-256 --pwfile="$dir/password" \
        -E UTF8 --no-locale >"$dir/initdb.log" 2>&1 || {
        cat "$dir/initdb.log" >&2
        die "initdb failed in $dir"
    }
    mv "$dir/data.new" "$dir/data"
}

configure() {
    cat >"$1/data/dsnd.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = $2
max_connections = 100
$settings
CONF
    chmod 644 "$1/data/dsnd.conf"
    grep -q "^include 'dsnd.conf'" "$1/data/postgresql.conf" ||
        echo "include 'dsnd.conf'" >>"$1/data/postgresql.conf"
}

running() {
    [ -f "$1/data/postmaster.pid" ] &&
        (cd "$1" && as_user "$bin/pg_ctl" -D "$(pwd -P)/data" status >/dev/null 2>&1)
}

# The port of last time is taken again where it is free.
start_server() {
    local dir=$1 port try
    port=$(sed -n 's/^port = //p' "$dir/data/dsnd.conf" 2>/dev/null || true)
    for try in 1 2 3 4 5; do
        if [ -z "$port" ] || [ "$try" != 1 ]; then
            port=$(free_port)
        fi
        configure "$dir" "$port"
        if as_user "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >/dev/null 2>&1; then
            return
        fi
    done
    tail -n 20 "$dir/log" >&2 || true
    die "PostgreSQL does not start in $dir"
}

make_database() {
    local url
    url="postgresql://dsnd:$(cat "$1/password")@127.0.0.1:$(sed -n 's/^port = //p' "$1/data/dsnd.conf")"
    if [ -z "$("$bin/psql" "$url/postgres" -Atqc "select 1 from pg_database where datname = 'dsnd'")" ]; then
        "$bin/psql" "$url/postgres" -qc 'create database dsnd'
    fi
    (umask 077 && echo "$url/dsnd" >"$1/url")
}

start() {
    local dir=$1
    mkdir -p "$dir"
    # Below a folder that only root may enter, a link leads to where the cluster's user may be.
    cd "$dir" && dir=$(pwd -P)
    [ -f "$dir/data/PG_VERSION" ] || make_cluster "$dir"
    running "$dir" || start_server "$dir"
    make_database "$dir"
    cat "$dir/url"
}

stop() {
    if running "$1"; then
        (cd "$1" && as_user "$bin/pg_ctl" -D "$(pwd -P)/data" -m "$2" -w stop >/dev/null)
    fi
}

run() {
    local dir status=0
    dir=$(mktemp -d "${TMPDIR:-/tmp}/dsnd-pg.XXXXXX")
    trap 'stop "$dir" immediate || true; rm -rf "$dir"' EXIT
    # Nothing here outlives the machine, so nothing needs to reach the disk.
    settings="fsync = off
full_page_writes = off
$settings"
    DSND_TEST_DATABASE_URL=$(start "$dir")
    export DSND_TEST_DATABASE_URL
    "$@" || status=$?
    exit "$status"
}

command=${1:-}
[ $# -ge 2 ] || {
    sed -n '2,13s/^# \{0,1\}//p' "$0"
    exit 2
}
shift
if ! bin=$(bin_dir); then
    echo "pg_cluster: PostgreSQL is not installed (package postgresql-15): skipped" >&2
    exit 77
fi
case $command in
start) start "$1" ;;
stop) stop "$1" fast ;;
kill) stop "$1" immediate ;;
run) run "$@" ;;
*) die "unknown command \"$command\"; allowed: start, stop, kill, run" ;;
esac
