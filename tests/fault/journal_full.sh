#!/bin/bash
# usage: journal_full.sh DSND: the journal's disk fills up to the reserve. Mail is deferred with 452,
# the API lives, and mail goes on without a restart when there is space again.
set -eu
here=$(dirname "$0")
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
service_new "$1"
disk=$service_dir/disk
mkdir "$disk"
mount -t tmpfs -o size=64m tmpfs "$disk" 2>/dev/null || skip "no disk can be mounted here"
trap 'status=$?; umount -l "$disk"; service_cleanup "$status"' EXIT
mkdir "$disk/journal"
export DSND_JOURNAL_DIR=$disk/journal DSND_JOURNAL_MIN_FREE=16M DSND_JOURNAL_SEGMENT=4M
service_start

send() { "$here/send.py" "$DSND_SMTP_LISTEN" "$1" 20 >"$service_dir/sent.$1"; }
count() { grep -c " $2\$" "$service_dir/sent.$1" || true; }

send before
fallocate -l 46m "$disk/ballast"
service_answers 452
send during
curl -fs "http://$DSND_METRICS_LISTEN/healthz" >/dev/null || fail "the API is gone"
ready=$(curl -s -w ' %{http_code}' "http://$DSND_METRICS_LISTEN/readyz")
case $ready in
*journal.min_free*503) ;;
*) fail "/readyz says \"$ready\" while mail is deferred" ;;
esac
rm "$disk/ballast"
service_answers 250
curl -fs "http://$DSND_METRICS_LISTEN/readyz" >/dev/null || fail "/readyz does not see that there is space again"
send after
echo "before: $(count before 250) of 20 taken; full: $(count during 452) of 20 deferred; after: $(count after 250) of 20 taken"
[ "$(count before 250)" = 20 ] || fail "mail was refused with space left"
[ "$(count during 452)" = 20 ] || fail "not all were deferred with 452"
[ "$(count after 250)" = 20 ] || fail "it did not go on"
for _ in $(seq 600); do
    stored=$(sql "select count(*) from status where recipient not like 'probe-%'")
    [ "$stored" != 40 ] || break
    sleep 0.1
done
[ "$stored" = 40 ] || fail "$stored of 40 acknowledged were stored"
