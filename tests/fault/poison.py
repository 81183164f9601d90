#!/usr/bin/env python3
"""usage: poison.py HOST:PORT COUNT: COUNT good reports, ids good-0, good-1 ..., each behind one whose fields
hold what programs and databases choke on. All must be taken. Prints how many were."""
import smtplib
import sys

DIAGNOSTICS = [
    b"smtp; 550 \xff\xfe\xc0\x80", b"smtp; 550 a\0b", b"x'); DROP TABLE report;--",
    b"<img src=x onerror=alert(1)>", b"=cmd|' /C calc'!A0", b"\x1b]0;pwn\x07", b"a" * 100000,
    b"x\r\n\tfold\r\n " + b" " * 5000, b"%s%n\\u0000\\", b"(((((" * 5000,
    "\u202e\ud7ff\U0010ffff".encode(), b"=?utf-8?q?=00=ED=A0=80?=", b"", b"smtp; " + b"5.1.1 " * 3000]
REPORT = b"""From: MAILER-DAEMON@mx.example.net\r
Subject: Undelivered\r
Message-ID: <%(id)s@mx.example.net>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.net\r
\r
Final-Recipient: rfc822; %(id)s@dest.example\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: %(diagnostic)s\r
\r
--b--\r
"""


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    client = smtplib.SMTP(host, int(port), local_hostname="mx.example.net", timeout=30)
    count = int(sys.argv[2])
    for number in range(count):
        diagnostic = DIAGNOSTICS[number % len(DIAGNOSTICS)]
        for name, text in (("poison", diagnostic), ("good", b"smtp; 550 5.1.1 user unknown")):
            message = REPORT % {b"id": b"%s-%d" % (name.encode(), number), b"diagnostic": text}
            client.sendmail("", ["bounce@bounces.example.com"], message, mail_options=["BODY=8BITMIME"])
    client.quit()
    print(2 * count)


main()
