#!/usr/bin/env python3
"""usage: receipt_submit.py PORT FIRST COUNT [SENDER]: submits COUNT messages numbered from FIRST, each
with a wish for a receipt."""
import smtplib
import sys

port, first, count = (int(text) for text in sys.argv[1:4])
sender = sys.argv[4] if len(sys.argv) > 4 else "sender@b.example"
with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
    client.ehlo("client.test")
    client.user, client.password = "one", "pencil"
    client.auth("CRAM-MD5", client.auth_cram_md5)
    for i in range(first, first + count):
        client.sendmail(
            sender, ["a@bounces.example.com", "b@bounces.example.com"],
            b"From: x@b.example\r\nSubject: number %d\r\nX-Long: %s\r\n\r\nbody %d\r\n"
            % (i, b"x" * 2000, i),
            mail_options=["ENVID=id+2B%d" % i, "RET=HDRS"],
            rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;orig+2B%d@b.example" % i])
