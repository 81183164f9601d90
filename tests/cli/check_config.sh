#!/bin/bash
# usage: check_config.sh DSND
# What is no value of a setting is refused with file and line, what is no file of a setting with its
# name: by check-config, and by serve before it starts anything.
set -u
dsnd=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset "${!DSND_@}"
failed=0
conf=$dir/dsnd.conf

fail() {
    echo "FAIL: $*: $(tail -n 3 "$dir/said" | tr '\n' '|')"
    failed=1
}
refuses() { # WORDS COMMAND...
    local words=$1 status=0
    shift
    timeout 10 "$dsnd" "$@" >"$dir/out" 2>"$dir/said" || status=$?
    [ "$status" = 2 ] || fail "$* ends with $status, not 2, for $(tr '\n' ' ' <"$conf")"
    grep -qF -- "$words" "$dir/said" || fail "$* does not say \"$words\""
    [ ! -s "$dir/out" ] || fail "$* prints what it refuses"
    grep -q 'event=serve.start' "$dir/said" && fail "$* starts something"
}
bad_value() { # SECTION KEY VALUE WORDS
    printf '# a comment\n[%s]\n%s = %s\n' "$1" "$2" "$3" >"$conf"
    refuses "$conf:3: $1.$2: " check-config -c "$conf"
    grep -qF -- "$4" "$dir/said" || fail "$1.$2 = $3: does not say \"$4\""
}
bad_setting() { # WORDS LINE...
    local words=$1
    shift
    printf '%s\n' '[journal]' "dir = $dir/journal" "$@" >"$conf"
    refuses "$words" check-config -c "$conf"
    refuses "$words" serve -c "$conf"
}

for key in smtp.listen smtp.tls_listen smtp.lmtp_listen submit.listen lookup.socketmap_listen \
    lookup.tcp_table_listen lookup.readsocket_listen; do
    for value in nonsense 192.0.2.1 192.0.2.1:99999 :25 '*:25' '[::]:25 # all' "/$(printf 'x%.0s' {1..120})"; do
        bad_value "${key%.*}" "${key#*.}" "$value" '[v6]:port'
    done
done
for key in http.listen metrics.listen; do
    for value in '' 8080 /run/socket 'a:80,b:80' a:b; do
        bad_value "${key%.*}" "${key#*.}" "$value" 'host:port'
    done
done
for value in 'a b' a..b x@y.example .a.example a.example. '*.a.example' 'a.example # mine' 'good.example, b/d'; do
    bad_value smtp domains "$value" 'bounces.example.com'
done
refuses "$conf:3: smtp.domains: " serve -c "$conf"
refuses "$conf:3: smtp.domains: " mint --campaign c --recipient a@b.example -c "$conf"
bad_value smtp hostname 'a b' '255 octets'
bad_value smtp proxy_from 192.0.2.0/99 '/bits'
bad_value submit relay http://relay.example 'smtps://host:port'
bad_value journal dir '' 'folder'
bad_value database url mysql://user:secret@host/x 'postgresql://user:password@host'
! grep -q secret "$dir/said" || fail "a password is repeated"
bad_value classify campaign_headers 'X-A, b c' 'X-Campaign-ID'
bad_value smtp max_size '20 M' '20M'
bad_value smtp max_size 61M '1024 to 62914560'
bad_value retain raw 30 '24h'
bad_value smtp require_signed true 'yes, no'
bad_value log level trace 'debug, info'

bad_setting "$conf:6: smtp.threads: was set on line 4" '[smtp]' 'threads = 1' '[smtp]' 'Threads = 2'
bad_setting 'allowed are: process, smtp' '[nosuch]' 'a = b'
bad_setting 'allowed are: raw, status' '[retain]' 'days = 5'
bad_setting 'sign.keys_file: /nosuch/keys: No such file' '[sign]' 'keys_file = /nosuch/keys'
bad_setting "sign.keys_file: $dir: Is a directory" '[sign]' "keys_file = $dir"
bad_setting 'classify.rules: /nosuch/rules: No such file' '[classify]' 'rules = /nosuch/rules'
bad_setting "classify.rules: $conf: line 2" '[classify]' "rules = $conf"
bad_setting 'classify.providers: /nosuch/hosts: No such file' '[classify]' 'providers = /nosuch/hosts'
bad_setting 'smtp.tls_cert: certificate /nosuch/cert: No such file' '[smtp]' 'tls_cert = /nosuch/cert'
bad_setting "smtp.tls_cert: certificate $conf: no start line" '[smtp]' "tls_cert = $conf"
bad_setting 'smtp.tls_key: needs smtp.tls_cert' '[smtp]' 'tls_key = /nosuch/key'
bad_setting 'smtp.tls_listen: needs smtp.tls_cert' '[smtp]' 'tls_listen = 127.0.0.1:0'
bad_setting 'http.tls_cert and http.tls_key go together' '[http]' 'tls_key = /nosuch/key'
bad_setting 'submit.listen: needs submit.users_file' '[submit]' 'listen = 127.0.0.1:0'
bad_setting 'submit.users_file: ' '[submit]' 'listen = 127.0.0.1:0' 'users_file = /nosuch/users'
bad_setting 'submit.relay_login_file: /nosuch/login' '[submit]' 'relay_login_file = /nosuch/login'
bad_setting 'process.user: there is no' '[process]' 'user = no-such-account'
bad_setting 'smtp.listen: no address' '[smtp]' 'listen ='

printf '[smtp]\nlisten = 127.0.0.1:25\n' >"$conf"
DSND_SMTP_LISTEN=nonsense refuses 'environment DSND_SMTP_LISTEN: smtp.listen: "nonsense"' check-config -c "$conf"

# What is good, and by the words of what is printed again.
cat >"$conf" <<'END'
[smtp]
listen = 127.0.0.1:25, [::1]:25,
domains = bounces.example.com, Other.example, [192.0.2.1], bücher.example
lmtp_listen = /run/dsnd/lmtp
proxy_from = 192.0.2.0/24, 2001:db8::/32
[database]
url = host=/run/postgresql dbname='a b'
[http]
listen = :8080
[lookup]
socketmap_listen = localhost:2527, /run/dsnd/lookup
END
"$dsnd" check-config -c "$conf" >"$dir/printed" 2>"$dir/said" || fail "a good file is refused"
sed 's/^url = .*/url = dsnd/' "$dir/printed" >"$dir/again.conf"
"$dsnd" check-config -c "$dir/again.conf" >"$dir/out" 2>"$dir/said" || fail "what is printed is refused"
diff "$dir/printed" <(sed 's/^url = .*/url = (set)/' "$dir/out") || fail "what is printed is read as something else"
[ "$failed" = 0 ] && echo PASS
exit "$failed"
