#!/usr/bin/env python3
"""usage: send.py HOST:PORT TAG COUNT: reports with ids TAG-0, TAG-1 ... over SMTP.

Prints a line for each: the id and the reply code to the end of its data.
"""
import smtplib
import sys

REPORT = """From: MAILER-DAEMON@mx.example.net
To: <bounce@bounces.example.com>
Subject: Undelivered Mail Returned to Sender
Message-ID: <{id}@mx.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {id}@dest.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--=_b--
"""


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    client = smtplib.SMTP(host, int(port), local_hostname="mx.example.net", timeout=20)
    client.ehlo()
    for number in range(int(sys.argv[3])):
        name = f"{sys.argv[2]}-{number}"
        code = client.mail("")[0]
        if code == 250:
            code = client.rcpt("bounce@bounces.example.com")[0]
        if code == 250:
            try:
                code = client.data(REPORT.format(id=name).replace("\n", "\r\n").encode())[0]
            except smtplib.SMTPResponseException as refused:
                code = refused.smtp_code
        client.rset()
        print(name, code)
    client.quit()


main()
