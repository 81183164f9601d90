#!/bin/sh
# usage: readme.sh DSND README: the README names every command, setting (with its default) and class.
set -eu
dsnd=$1 readme=$2
export DSND_CONF=/dev/null
missing=0
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
need() {
    grep -qF -- "$1" "$readme" || {
        echo "README.md does not have: $1"
        missing=1
    }
}
for command in $("$dsnd" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
    grep -qE "\`(dsnd )?$command" "$readme" || need "dsnd $command"
done
DSND_SMTP_DOMAINS=bounces.example.com "$dsnd" check-config >"$settings"
section=''
while IFS= read -r line; do
    case $line in
    '['*) section=${line#[} && section=${section%]} ;;
    '    #'*)
        default=${line##* (default: } && default=${default%)}
        [ "$default" != empty ] || continue
        need "| \`$section.$key\` | \`$default\` |"
        ;;
    *=*) key=${line%% =*} && need "| \`$section.$key\` |" ;;
    esac
done <"$settings"
# shellcheck disable=SC2013 # words without spaces
for class in $(sed -n 's/^class: *//p' "$(dirname "$readme")/parse/rules/builtin.rules" | sort -u); do
    need "| \`$class\` |"
done
exit "$missing"
