#!/bin/bash
# usage: tests/bench/parse.sh [FOLDER]
#
# Messages that `dsnd parse` reads in a second of one core: reports of dsnd-bench's shapes, and the
# messages below FOLDER (../shared/corpus/messages) where there is one. The peer is sisimai, a Perl
# library that reads bounces (Debian: libsisimai-perl), with the same messages.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$top/../shared/corpus/messages}
bin=$top/build/release
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release \
    --target dsnd dsnd-bench >/dev/null)
export DSND_CONF=/dev/null

# Seconds of processor time, which other work on the machine does not lengthen.
seconds() {
    local TIMEFORMAT='%U %S'
    { time taskset -c 0 "$@" >"$dir/out" 2>/dev/null; } 2>&1 | awk '{ print $1 + $2 }'
}

rate() { awk -v n="$1" -v s="$2" 'BEGIN { printf "%.0f\n", n / s }'; }

sisimai() {
    perl -MSisimai -e 'for my $path (@ARGV) {
        my $found = Sisimai->make($path, delivered => 1);
        print scalar(@{ $found || [] }), "\n";
    }' "$@"
}
export -f sisimai
has_peer() { perl -MSisimai -e 1 2>/dev/null; }

# compare NAME COUNT PEER_COUNT PATH PEER_PATH TIMES
compare() {
    local name=$1 count=$2 peer_count=$3 path=$4 peer_path=$5 times=$6 paths=() own peer i
    for ((i = 0; i < times; i++)); do
        paths+=("$path")
    done
    own=$(rate $((count * times)) "$(seconds "$bin/cmd/dsnd" parse "${paths[@]}")")
    echo "${name}_messages_per_s $own"
    has_peer || return 0
    peer=$(rate "$peer_count" "$(seconds bash -c 'sisimai "$@"' x "$peer_path")")
    echo "${name}_peer_messages_per_s $peer"
    awk -v name="$name" -v a="$own" -v b="$peer" 'BEGIN { printf "%s_ratio_to_peer %.1f\n", name, a / b }'
}

echo "machine $(nproc) cores, one used; $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
has_peer || echo "no peer: libsisimai-perl is not installed" >&2
echo "k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" >"$dir/keys"
print() {
    "$bin/tests/load/dsnd-bench" --print --keys "$dir/keys" --domain bounces.example.com \
        --messages "$1"
}
print 50000 >"$dir/mbox"
print 2000 | tr -d '\r' >"$dir/peer.mbox"
compare shapes 50000 2000 "$dir/mbox" "$dir/peer.mbox" 1
if [ -d "$folder" ]; then
    mkdir "$dir/cur" && n=0
    find "$folder" -type f | while IFS= read -r file; do
        cp "$file" "$dir/cur/$((n += 1))"
    done
    count=$(find "$dir/cur" -type f | wc -l)
    compare folder "$count" "$count" "$folder" "$dir/cur" 20
fi
