#!/bin/sh
# usage: parse_bombs.sh DSND: see parse_bombs.py.
exec python3 "$(dirname "$0")/parse_bombs.py" "$@"
