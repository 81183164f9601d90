#!/bin/bash
# usage: smtp_torture.sh DSND: conformance and abuse of the SMTP side, floods included.
set -eu
# shellcheck source=tests/support/service.sh
. "$(dirname "$0")/../support/service.sh"
[ -f "$DSND_HARNESS/smtp_torture.py" ] || skip "there is no $DSND_HARNESS/smtp_torture.py"
ulimit -n 20000 2>/dev/null || skip "20000 open files are not allowed here"
command -v openssl >/dev/null || skip "openssl is not installed"
service_new "$1"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mx.bounces.example.com \
    -keyout "$service_dir/tls.key" -out "$service_dir/tls.crt" 2>/dev/null
export DSND_SMTP_TLS_CERT=$service_dir/tls.crt DSND_SMTP_TLS_KEY=$service_dir/tls.key
export DSND_SMTP_IDLE_TIMEOUT=5s DSND_SMTP_MAX_SIZE=1M
unset DSND_SMTP_MAX_PER_CLIENT
submit=$(service_port)
echo "one {PLAIN}pencil" >"$service_dir/users"
export DSND_SUBMIT_LISTEN=127.0.0.1:$submit DSND_SUBMIT_USERS_FILE=$service_dir/users
service_start
service_token
rss_max=128
[ "${BUILD:-release}" = release ] || rss_max=4096 # shadow memory
receiver=$(pgrep -P "$service_pid" -f 'dsnd receive' | head -n 1)
fetch="'$(service_psql)' '$DSND_DATABASE_URL' -Atqc \"SELECT id FROM report WHERE message_id LIKE '%{id}%' LIMIT 1\""
python3 "$DSND_HARNESS/smtp_torture.py" 127.0.0.1 "${DSND_SMTP_LISTEN##*:}" \
    --rcpt ok@bounces.example.com --relay-rcpt x@other.example --server-timeout 5 \
    --max-rcpt 1000 --idle-conns "${IDLE:-2000}" --pid "$receiver" --rss-max "$rss_max" --log "$service_dir/log" \
    --fuzz 20000 --fuzz-seconds "${FUZZ:-60}" \
    --parsed-cmd "'$(service_psql)' '$DSND_DATABASE_URL' -Atqc \"SELECT message_id FROM report WHERE message_id LIKE '%{id}%'\"" \
    --fetch-cmd "curl -s -H 'Authorization: Bearer $service_token' http://$DSND_HTTP_LISTEN/v1/reports/\$($fetch)/raw" \
    >"$service_dir/out" || { grep -E '^ *(FAIL|WARN)' "$service_dir/out" || true; tail -n 3 "$service_dir/out"; fail "smtp_torture"; }
grep -E '^ *(FAIL|WARN|PASS +(flood|fuzz|slowloris|parallel)[a-z-]*)' "$service_dir/out" || true
tail -n 2 "$service_dir/out"
# More of the mutated sessions, from other seeds.
for seed in ${SEEDS:-}; do
    python3 "$DSND_HARNESS/smtp_torture.py" 127.0.0.1 "${DSND_SMTP_LISTEN##*:}" --seed "$seed" \
        --rcpt ok@bounces.example.com --pid "$receiver" --only 'fuzz-*' --only global-same-process --fuzz 20000 \
        --fuzz-seconds "${FUZZ:-60}" >"$service_dir/out" || { cat "$service_dir/out" && fail "seed $seed"; }
    grep -E '^PASS +fuzz' "$service_dir/out"
done
# AUTH is on the submission listener only.
python3 "$DSND_HARNESS/smtp_torture.py" 127.0.0.1 "$submit" --rcpt ok@bounces.example.com \
    --only 'auth-*' >"$service_dir/out" || { cat "$service_dir/out" && fail "smtp_torture, AUTH"; }
tail -n 1 "$service_dir/out"
if grep -E 'Sanitizer|runtime error' "$service_dir/log"; then
    fail "the sanitizers found something"
fi
