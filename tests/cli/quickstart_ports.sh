#!/bin/bash
# usage: quickstart_ports.sh QUICKSTART: ports that cannot be had are refused before anything is
# installed, made or built.
set -eu
quickstart=$1
command -v python3 >/dev/null || { echo "SKIPPED: python3 is not installed" && exit 77; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/dsnd-test.XXXXXX")
coproc HOLDER { exec python3 -c 'import socket, sys
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
sys.stdin.read()'; }
trap 'kill "$HOLDER_PID" 2>/dev/null; rm -rf "$folder"' EXIT
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
echo PASS
