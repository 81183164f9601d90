#!/usr/bin/env python3
"""Messages of 10 MB that are made to cost much, through `dsnd parse`.

usage: parse_bombs.py DSND [OCTETS]

For each the processor time and the memory are printed; more than 2 s or than 64 MB above what a small message
needs is a failure, as is any end but a good one. (Limits of the service, no figures of speed.)
"""
import os
import subprocess
import sys
import tempfile

OCTETS = 10 * 1000 * 1000
HEAD = b"From: MAILER-DAEMON@mx.test\nTo: list@sender.test\nSubject: failure notice\nMIME-Version: 1.0\n"
REPORT = HEAD + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
STATUS = REPORT + b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
GROUP = b"Final-Recipient: rfc822; ann@one.test\nAction: failed\nStatus: 5.1.1\n\n"
PROSE = HEAD + b"\nHi. This is the qmail-send program.\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
BOMBS = [
    ("header lines", HEAD, b"a:\n", b"\n"),
    ("one header line", HEAD + b"X: ", b"x", b"\n\n"),
    ("folded header", HEAD + b"X:", b" x\n", b"\n"),
    ("colons in From", b"From: ", b":", b"\n\n"),
    ("comments in From", b"From: ", b"(", b"\n\n"),
    ("encoded words in Subject", b"Subject: ", b"=?utf-8?B?w6nDqcOp?= ", b"\n\n"),
    ("parameters", HEAD + b"Content-Type: multipart/mixed", b"; k*0*=x", b"\n\n"),
    ("boundaries", MIXED, b"--b\n\n", b""),
    ("closing boundaries", MIXED, b"--b--\n", b""),
    ("dashes", MIXED, b"--\n", b""),
    ("parts with types", MIXED, b"--b\nContent-Type: text/plain\n\nx\n", b""),
    ("nested messages", HEAD, b"Content-Type: message/rfc822\n\n", b""),
    ("nested multiparts", HEAD, b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", b""),
    ("wrapped reports", REPORT + b"Content-Type: message/rfc822\n\n",
     HEAD + b"Content-Type: message/rfc822\n\n", b""),
    ("groups", STATUS, GROUP, b"--b--\n"),
    ("groups without blank lines", STATUS, GROUP.strip() + b"\n", b"--b--\n"),
    ("one diagnostic", STATUS + b"Final-Recipient: rfc822; a@b.test\nDiagnostic-Code: smtp; ", b"550 ", b"\n"),
    ("folded diagnostic", STATUS + b"Final-Recipient: rfc822; a@b.test\nDiagnostic-Code: smtp;", b" 550\n", b"\n"),
    ("addresses in prose", PROSE, b"<ann@one.test>:\n550 no\n\n", b""),
    ("different addresses in prose", PROSE, None, b""),
    ("at signs", PROSE, b"@", b""),
    ("angle brackets", PROSE, b"<", b""),
    ("phrases", PROSE, b"could not be delivered ", b""),
    ("beginnings of phrases", PROSE, b"could not be could ", b""),
    ("replies", PROSE, b"<<< 550 no\n", b""),
    ("digits", PROSE, b"5.", b""),
    ("spaces", PROSE, b" ", b""),
    ("one line", PROSE, b"x", b""),
    ("NUL", PROSE, b"\0", b""),
    ("CR", PROSE, b"\r", b""),
    ("quotes", PROSE, b"> ", b""),
    ("html tags", HEAD + b"Content-Type: text/html\n\n", b"<b", b""),
    ("html entities", HEAD + b"Content-Type: text/html\n\n", b"&lt;", b""),
    ("uuencoded", HEAD + b"\nbegin 644 x\n", b"M" + b"A" * 60 + b"\n", b""),
    ("base64", HEAD + b"Content-Transfer-Encoding: base64\n\n", b"QUFB" * 19 + b"\n", b""),
    ("quoted-printable", HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n", b"=3D" * 25 + b"\n", b""),
    ("iso-2022-jp", HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\n\n", b"\x1b$B\x1b(B", b""),
    ("invalid utf-8", HEAD + b"Content-Type: text/plain; charset=utf-8\n\n", b"\xff\xfe", b""),
]


def build(bomb, octets):
    _, head, unit, tail = bomb
    if unit is None:
        lines = (b"<a%d@one.test>: 550 no\n\n" % i for i in range(octets // 25))
        return head + b"".join(lines) + tail
    return head + unit * ((octets - len(head)) // len(unit)) + tail


def cost(dsnd, path):
    code = 'import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); ' \
           'used = resource.getrusage(resource.RUSAGE_CHILDREN); ' \
           'print(done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)'
    said = subprocess.run([sys.executable, "-c", code, dsnd, "parse", "-j", "1", path], stdout=subprocess.PIPE,
                          check=True).stdout.split()
    return int(said[0]), float(said[1]), int(said[2])


def main():
    dsnd, octets = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else OCTETS
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "message")
        with open(path, "wb") as file:
            file.write(HEAD + b"\nhello\n" + b"\n" * octets)
        _, _, usual = cost(dsnd, path)
        print(f"{'a message of blank lines':32} {usual:4} MB in all")
        for bomb in BOMBS:
            with open(path, "wb") as file:
                file.write(build(bomb, octets))
            code, seconds, memory = cost(dsnd, path)
            bad = code != 0 or seconds > 2 or memory - usual > 64
            failed += bad
            print(f"{bomb[0]:32} {seconds:5.2f} s {memory - usual:5} MB{'  FAIL' if bad else ''}")
    print(f"{len(BOMBS)} bombs of {octets} octets, {failed} beyond 2 s or 64 MB")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
