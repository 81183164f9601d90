#!/usr/bin/env python3
"""Forms of reports, written by hand, through `dsnd parse`.

usage: forms.py DSND [NAME...]

forms/*.txt hold messages. One begins with a line `=== NAME: EXPECTED`, where EXPECTED is the kind and, for
each recipient, `; ADDRESS ACTION CODE STATUS CLASS`; what is absent is `-`. Its first line may be
`@daemon SUBJECT`, which stands for the headers of a report from MAILER-DAEMON. Every message is read with LF,
CRLF and CR line ends, which must not make a difference, and cut at every twentieth of its length, which must
do no harm.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forms")
DAEMON = ("Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.test>\nTo: list@sender.test\n"
          "Date: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <report-1@mx.test>\nSubject: ")
CUTS = 20


def read_forms():
    """[(file and name, expected, octets)]"""
    forms = []
    for name in sorted(os.listdir(HERE)):
        with open(os.path.join(HERE, name), "rb") as file:
            text = file.read()
        for block in re.split(rb"^=== ", text, flags=re.M)[1:]:
            head, body = block.split(b"\n", 1)
            title, expected = head.decode().split(": ", 1)
            body = re.sub(rb"\A@daemon ", DAEMON.encode(), body)
            forms.append((f"{name[:-4]}/{title}", expected, body))
    return forms


def summary(message):
    said = message["kind"]
    for one in message["recipients"]:
        status = one["smtp_status"] or one["status"]
        values = [one["recipient"], one["action"], one["smtp_code"], status, one["class"]]
        said += "; " + " ".join(str(value or "-") for value in values)
    return said


def parse(dsnd, folder):
    run = subprocess.run([dsnd, "parse", folder], stdout=subprocess.PIPE, check=False)
    if run.returncode:
        sys.exit(f"dsnd parse {folder}: ended with {run.returncode}")
    found = {}
    for line in run.stdout.splitlines():
        message = json.loads(line)
        found[os.path.basename(message.pop("file"))] = message
    return found


def write(folder, name, octets):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(octets)


def main():
    dsnd, only = sys.argv[1], sys.argv[2:]
    forms = [f for f in read_forms() if not only or any(word in f[0] for word in only)]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for i, (_, _, octets) in enumerate(forms):
            write(folder, f"{i}.lf", octets)
            write(folder, f"{i}.crlf", octets.replace(b"\n", b"\r\n"))
            write(folder, f"{i}.cr", octets.replace(b"\n", b"\r"))
        found = parse(dsnd, folder)
        for i, (name, expected, _) in enumerate(forms):
            said = summary(found[f"{i}.lf"])
            if said != expected:
                failed += 1
                print(f"{name}\n  expected {expected}\n  got      {said}")
            for end in ("crlf", "cr"):
                if found[f"{i}.{end}"] != found[f"{i}.lf"]:
                    failed += 1
                    print(f"{name}: another result with {end.upper()}: {summary(found[f'{i}.{end}'])}")
    with tempfile.TemporaryDirectory() as folder:
        for i, (_, _, octets) in enumerate(forms):
            for cut in range(CUTS):
                write(folder, f"{i}-{cut}", octets[:len(octets) * cut // CUTS])
        parse(dsnd, folder)
    print(f"{len(forms)} forms, {failed} wrong")
    sys.exit(1 if failed or not forms else 0)


if __name__ == "__main__":
    main()
