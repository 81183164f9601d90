#!/usr/bin/python3
"""usage: peer.py MBOX MAILDIR DATABASE_URL

The usual way to read bounces, as a measure beside dsnd: each message is written to a maildir and
synced, parsed by Python's email package, and stored as one row in a transaction of its own with
psycopg2 (Debian: python3-psycopg2). There is no SMTP, no classification and no counting in it, so
it is faster than what it stands for.
"""
import email
import os
import sys
import time

try:
    import psycopg2
except ImportError:
    sys.exit("peer.py: needs python3-psycopg2")

SEPARATOR = b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"
TABLE = """CREATE TABLE peer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(), recipient text, action text, status text,
    diagnostic text, raw bytea)"""
INSERT = """INSERT INTO peer (recipient, action, status, diagnostic, raw)
    VALUES (%s, %s, %s, %s, %s)"""


def keep(maildir, number, octets):
    with open(os.path.join(maildir, str(number)), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def rows_of(octets):
    for part in email.message_from_bytes(octets).walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for group in part.get_payload()[1:]:
            yield tuple(group.get(name) for name in
                        ("Final-Recipient", "Action", "Status", "Diagnostic-Code"))


def main(mbox, maildir, url):
    with open(mbox, "rb") as file:
        messages = [m for m in file.read().split(SEPARATOR) if m]
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(TABLE)
    connection.commit()
    begun = time.monotonic()
    for number, octets in enumerate(messages):
        keep(maildir, number, octets)
        for row in rows_of(octets):
            cursor.execute(INSERT, row + (octets,))
        connection.commit()
    print("peer_messages_per_s %.0f" % (len(messages) / (time.monotonic() - begun)))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
