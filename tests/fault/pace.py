#!/usr/bin/env python3
"""usage: pace.py HOST:PORT TAG SECONDS RATE: reports with ids TAG-0, TAG-1 ..., RATE a second, over one
session. Prints how many were taken, and the time from the end of a message to its 250: p50 and p99, in ms."""
import socket
import sys
import time

REPORT = """From: MAILER-DAEMON@mx.example.net\r
Message-ID: <{id}@mx.example.net>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.net\r
\r
Final-Recipient: rfc822; {id}@dest.example\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 user unknown\r
\r
--b--\r
.\r
"""


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    tag, seconds, rate = sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    client = socket.create_connection((host, int(port)), 30)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = client.makefile("rb")

    def reply(wanted):
        line = lines.readline()
        while line[3:4] == b"-":
            line = lines.readline()
        assert line.startswith(wanted), line

    reply(b"220")
    client.sendall(b"EHLO mx.example.net\r\n")
    reply(b"250")
    took, begun = [], time.monotonic()
    while time.monotonic() - begun < seconds:
        client.sendall(b"MAIL FROM:<>\r\nRCPT TO:<bounce@bounces.example.com>\r\nDATA\r\n")
        for code in (b"250", b"250", b"354"):
            reply(code)
        at = time.monotonic()
        client.sendall(REPORT.format(id="%s-%d" % (tag, len(took))).encode())
        reply(b"250")
        took.append((time.monotonic() - at) * 1000)
        time.sleep(max(0, begun + len(took) / rate - time.monotonic()))
    took.sort()
    print(len(took), *("%.1f" % took[int(len(took) * part)] for part in (0.5, 0.99)))


main()
