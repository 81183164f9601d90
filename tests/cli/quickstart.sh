#!/bin/bash
# usage: quickstart.sh QUICKSTART: ports that cannot be had are refused before anything is
# installed, made or built; and no process but its own is stopped.
set -eu
quickstart=$1
command -v python3 >/dev/null || { echo "SKIPPED: python3 is not installed" && exit 77; }
other=''
folder=$(mktemp -d "${TMPDIR:-/tmp}/dsnd-test.XXXXXX")
coproc HOLDER { exec python3 -c 'import socket, sys
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
sys.stdin.read()'; }
trap 'kill "$HOLDER_PID" $other 2>/dev/null; rm -rf "$folder"' EXIT
read -r port <&"${HOLDER[0]}"

# refused TEXT OPTION...
refused() {
    local text=$1 said status=0
    shift
    said=$(timeout 20 "$quickstart" --dir "$folder/data" "$@" 2>&1) || status=$?
    [ "$status" = 1 ] || { echo "FAILED: $* ended with $status: $said" && exit 1; }
    [[ $said == "quickstart: $text"* ]] || { echo "FAILED: $* says $said" && exit 1; }
    [ ! -e "$folder/data" ] || { echo "FAILED: $* makes a folder" && exit 1; }
}
refused "--http-port: $port is taken" --http-port "$port"
refused "--smtp-port: $port is taken" --smtp-port "$port" --no-demo
refused "SMTP and HTTP cannot both have port 1" --smtp-port 1 --http-port 1
refused "--smtp-port: \"x\" is not a port" --smtp-port x

# After a restart of the machine another dsnd may have the number of ours.
mkdir -p "$folder/other" "$folder/data/state"
cp "$(command -v sleep)" "$folder/other/dsnd"
"$folder/other/dsnd" 60 &
other=$!
echo "$other" >"$folder/data/dsnd.pid"
"$quickstart" --dir "$folder/data" --stop 2>/dev/null || { echo "FAILED: --stop" && exit 1; }
kill -0 "$other" 2>/dev/null || { echo "FAILED: --stop ends another dsnd" && exit 1; }
cp "$folder/other/dsnd" "$folder/data/state/dsnd"
"$folder/data/state/dsnd" 60 &
own=$!
echo "$own" >"$folder/data/dsnd.pid"
rm "$folder/data/state/dsnd"
"$quickstart" --dir "$folder/data" --stop 2>/dev/null || { echo "FAILED: --stop" && exit 1; }
! kill -0 "$own" 2>/dev/null || { echo "FAILED: --stop does not end its own" && exit 1; }
echo PASS
