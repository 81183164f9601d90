#!/bin/sh
# A signed return path without asking dsnd: needs openssl, base32 and POSIX tools.
# usage: mint.sh CAMPAIGN RECIPIENT DOMAIN KEYS_FILE [REF]
set -eu
campaign=$1 recipient=$2 domain=$(printf %s "$3" | LC_ALL=C tr 'A-Z' 'a-z') keys=$4 ref=${5-}

b32() { base32 | tr -d '=\n' | LC_ALL=C tr 'A-Z' 'a-z'; }
read -r id hex <<END
$(grep -v '^ *\(#\|$\)' "$keys" | head -n 1)
END
if [ -z "$ref" ]; then
    ref=h$(printf %s "$recipient" | LC_ALL=C tr 'A-Z' 'a-z' | openssl dgst -sha256 -binary | b32 | cut -c1-13)
fi
days=$((($(date +%s) - 1577836800) / 86400)) alphabet=abcdefghijklmnopqrstuvwxyz234567
day=
for shift in 10 5 0; do
    digit=$(((days >> shift) & 31))
    day=$day$(printf %s $alphabet | cut -c$((digit + 1)))
done
mac=$(printf %s "r1.$campaign.$ref.$day@$domain" |
    openssl dgst -sha256 -mac hmac -macopt "hexkey:$hex" -binary | b32 | cut -c1-16)
echo "r1.$campaign.$ref.$day$id$mac@$domain"
