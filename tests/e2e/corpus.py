#!/usr/bin/python3
"""usage: corpus.py FOLDER SMTP_HOST:PORT URL TOKEN DATABASE_URL PSQL

Sends every file below FOLDER over SMTP, lines ended by CR LF, each to a recipient of its own.
Then every message must be stored once: one report for each recipient, with the octets that were
sent, as GET /v1/reports/{id}/raw gives them back.
"""
import hashlib
import http.client
import os
import re
import socket
import subprocess
import sys
import time

DOMAIN = "bounces.example.com"


def messages_of(folder):
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            with open(os.path.join(path, name), "rb") as file:
                octets = re.sub(rb"\r\n|\n|\r", b"\r\n", file.read())
            yield os.path.join(path, name), octets if octets.endswith(b"\r\n") else octets + b"\r\n"


class Session:
    """One SMTP connection that dies of any reply but the expected one."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.file = self.socket.makefile("rb")
        self.expect("220")
        self.say(b"EHLO corpus.example\r\n", "250")

    def expect(self, code):
        line = self.file.readline().decode("ascii", "replace")
        while line[3:4] == "-":
            line = self.file.readline().decode("ascii", "replace")
        if not line.startswith(code):
            raise SystemExit("expected %s, got %r" % (code, line))

    def say(self, octets, code):
        self.socket.sendall(octets)
        self.expect(code)

    def send(self, recipient, octets):
        self.say(b"MAIL FROM:<> BODY=8BITMIME\r\n", "250")
        self.say(b"RCPT TO:<%s>\r\n" % recipient.encode(), "250")
        self.say(b"DATA\r\n", "354")
        self.say(re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n", "250")


def ask(psql, url, statement):
    done = subprocess.run([psql, url, "-Atqc", statement], check=True, capture_output=True)
    return done.stdout.decode().split("\n")[:-1]


def wait_stored(psql, url, count):
    stored = -1
    for _ in range(600):
        stored = int(ask(psql, url, "SELECT coalesce(sum(sequence), 0) FROM journal_position")[0])
        if stored >= count:
            return
        time.sleep(0.1)
    raise SystemExit("only %d of %d journal records were stored" % (stored, count))


def raw_of(connection, token, report):
    connection.request("GET", "/v1/reports/%s/raw" % report,
                       headers={"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    octets = answer.read()
    if answer.status != 200:
        raise SystemExit("GET /v1/reports/%s/raw: %d" % (report, answer.status))
    return octets


def main(folder, smtp, url, token, database, psql):
    sent = {}
    session = Session(smtp)
    for number, (path, octets) in enumerate(messages_of(folder)):
        recipient = "c%05d@%s" % (number, DOMAIN)
        session.send(recipient, octets)
        sent[recipient] = (path, hashlib.sha256(octets).hexdigest())
    wait_stored(psql, database, len(sent))
    quarantined = ask(psql, database, "SELECT count(*) FROM quarantine")[0]
    rows = ask(psql, database, "SELECT id, envelope_to[1] FROM report ORDER BY 2")
    stored = [row.split("|", 1) for row in rows]
    if sorted(recipient for _, recipient in stored) != sorted(sent):
        raise SystemExit("sent %d, stored %d reports, quarantined %s"
                         % (len(sent), len(stored), quarantined))
    connection = http.client.HTTPConnection(url.split("//", 1)[1], timeout=30)
    for report, recipient in stored:
        path, digest = sent[recipient]
        if hashlib.sha256(raw_of(connection, token, report)).hexdigest() != digest:
            raise SystemExit("%s: what is stored differs from what was sent" % path)
    print("%d messages sent, %d stored once each with the same octets" % (len(sent), len(stored)))


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    main(*sys.argv[1:])
