#!/bin/sh
# usage: parse_variants.sh DSND: see parse_variants.py.
exec python3 "$(dirname "$0")/parse_variants.py" "$@"
