#!/bin/bash
# usage: first_campaign.sh DSND README: the commands of "Your first campaign", run as they stand there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/service.sh
. "$here/../support/service.sh"
readme=$2
service_new "$1"
service_start
service_token
export DSND_URL=http://$DSND_HTTP_LISTEN DSND_SMTP=$DSND_SMTP_LISTEN DSND_TOKEN=$service_token
cd "$service_dir"
# What is indented by eight or more columns, or by four before the first step; its own shell.
sed -n '/^## Your first campaign/,/^## /p' "$readme" |
    sed -n 's/^        //p; s/^    \(api() .*\)/\1/p; /^$/p' >commands
sed '/^END$/q' commands >send
sed '1,/^END$/d' commands >look
grep -q '^api() ' send || fail "README.md has no api() in that section"
bash -eu send >out 2>&1 || fail "the commands end with an error: $(cat out)"
for _ in $(seq 100); do
    # A second shell: api() again.
    { grep '^api() ' send && cat look; } >again
    bash -eu again >out 2>&1 || fail "the commands end with an error: $(cat out)"
    if grep -q '"failed":1' out && grep -q '"suppressed":true' out; then
        echo "README.md: one failure, one suppression"
        exit 0
    fi
    sleep 0.1
done
cat out
fail "no failure or no suppression is shown"
