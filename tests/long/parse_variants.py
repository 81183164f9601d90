#!/usr/bin/env python3
"""Messages in every damaged shape, through `dsnd parse`.

usage: parse_variants.py DSND [FOLDER]

Each message below FOLDER (../shared/corpus/messages, or $DSND_MESSAGES) is read with LF, CRLF and CR line ends,
cut at every tenth of its length, and with random octets flipped (the same in each run; $FLIPS times, 3). No run
may end but well. LF and CRLF must give the same results, the whole must come out the same twice, and one thread
the same as many. Skips (77), saying so, where there is no such folder. CR is counted, not demanded: in a message
with LF and CR mixed a bare CR may be part of a line.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

FLIPPED = 20  # octets of one message


def list_messages(folder):
    return sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)


def run(dsnd, folder, *options):
    done = subprocess.run([dsnd, "parse", *options, folder], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"FAIL: dsnd parse {' '.join(options)} ended with {done.returncode}")
    return done.stdout


def results(octets):
    """File name -> what was printed for it, without the name."""
    found = {}
    for line in octets.splitlines():
        message = json.loads(line)
        found.setdefault(os.path.basename(message.pop("file")), []).append(message)
    return found


def write(folder, name, octets):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(octets)


def flipped(octets, chance):
    octets = bytearray(octets)
    for _ in range(FLIPPED if octets else 0):
        octets[chance.randrange(len(octets))] = chance.randrange(256)
    return bytes(octets)


def check_line_ends(dsnd, messages):
    with tempfile.TemporaryDirectory() as folder:
        for i, octets in enumerate(messages):
            lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            write(folder, f"{i}.lf", lines)
            write(folder, f"{i}.crlf", lines.replace(b"\n", b"\r\n"))
            write(folder, f"{i}.cr", lines.replace(b"\n", b"\r"))
        first = run(dsnd, folder, "-j", "1")
        if run(dsnd, folder, "-j", "1") != first or run(dsnd, folder, "-j", "7") != first:
            sys.exit("FAIL: two runs over the same messages differ")
        found = results(first)
    other = {end: [i for i in range(len(messages)) if found.get(f"{i}.{end}") != found.get(f"{i}.lf")]
             for end in ("crlf", "cr")}
    print(f"{len(messages)} messages; CRLF differs from LF in {len(other['crlf'])}, CR in {len(other['cr'])}")
    return other["crlf"], other["cr"]


def check_damage(dsnd, messages, flips):
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        for i, octets in enumerate(messages):
            for tenth in range(10):
                write(folder, f"{i}-{tenth}", octets[:len(octets) * tenth // 10])
            for j in range(flips):
                write(folder, f"{i}+{j}", flipped(octets, chance))
        first = run(dsnd, folder)
        if run(dsnd, folder, "-j", "1") != first:
            sys.exit("FAIL: one thread and many differ over damaged messages")
        print(f"{len(results(first))} damaged messages read")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = os.environ.get("DSND_MESSAGES") or os.path.join(here, "../../../shared/corpus/messages")
    folder = sys.argv[2] if len(sys.argv) > 2 else folder
    if not os.path.isdir(folder):
        print(f"SKIPPED: no messages at {folder}")
        sys.exit(77)
    names = list_messages(folder)
    messages = []
    for name in names:
        with open(name, "rb") as file:
            messages.append(file.read())
    crlf, carriage = check_line_ends(sys.argv[1], messages)
    for i in crlf:
        print(f"  CRLF: {names[i]}")
    for i in carriage:
        print(f"  CR: {names[i]}")
    check_damage(sys.argv[1], messages, int(os.environ.get("FLIPS", "3")))
    sys.exit(1 if crlf else 0)


if __name__ == "__main__":
    main()
