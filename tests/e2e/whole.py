"""What tests of the whole service share: `dsnd serve` over a throw-away PostgreSQL, mail by SMTP, and
reports as mail servers write them. Standard library only; run under pg_cluster.sh run."""
import http.client
import os
import smtplib
import socket
import subprocess
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(__file__), name) for name in ("../api", "../smtp")]
import kit as api  # tests/api/kit.py


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Whole(api.Service):
    """The service; `settings` are lines of dsnd.conf, after its own."""

    def write_config(self, settings):
        self.smtp_port, self.port, self.metrics_port = free_port(), free_port(), free_port()
        for name in ("journal", "sockets"):
            os.makedirs(os.path.join(self.dir, name), exist_ok=True)
        with open(self.config, "w") as config:
            config.write("""[smtp]
listen=127.0.0.1:%d
hostname=mx.b.example.com
domains=b.example.com
max_per_client=10000
[journal]
dir=%s/journal
min_free=64M
[pipeline]
memory=16G
[database]
url=%s
[sign]
keys_file=%s/keys
[metrics]
listen=127.0.0.1:%d
[http]
listen=127.0.0.1:%d
%s
""" % (self.smtp_port, self.dir, self.proxy.through, self.dir, self.metrics_port, self.port,
       settings.replace("DIR", self.dir)))

    def start(self):
        os.chmod(self.dir, 0o755)
        with open(os.path.join(self.dir, "log"), "a") as log:
            self.process = subprocess.Popen([self.dsnd, "serve", "-c", self.config], stderr=log)
        self.until(lambda: self.process.poll() is not None or self.is_ready())
        assert self.process.poll() is None, self.log_text()

    def is_ready(self):
        try:
            used = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=5)
            used.request("GET", "/readyz")
            return used.getresponse().status == 200
        except OSError:
            return False

    def until(self, holds, seconds=60):
        """What `holds` returns, once it is true."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, "it does not come true\n" + self.log_text()[-4000:]
            time.sleep(0.02)
        return found

    def mint(self, campaign, recipient):
        return self.run("mint", "--campaign", campaign, "--recipient", recipient).split()[-1]

    def mail(self):
        return smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=60)

    def send(self, *reports):
        """Each (recipient, octets) as a message of the empty sender, over one connection."""
        with self.mail() as client:
            for recipient, octets in reports:
                client.sendmail("", [recipient], octets)

    def settled(self):
        """Wait until all that was acknowledged is stored."""
        wanted = self.metric("dsnd_smtp_messages_total")
        self.until(lambda: self.metric("dsnd_pipeline_messages_total") >= wanted)

    def metric(self, name):
        for line in self.metrics("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return int(float(line.split()[-1]))
        raise AssertionError("no metric " + name)

    def suppressed(self):
        """All addresses (refs: campaign/ref) on the list that are not held."""
        return sorted(row["address"] or "%s/%s" % (row["campaign"], row["ref"]) for row in
                      self.get("/v1/suppressions", format="ndjson", pending="no").lines)


def dsn(to, recipient, status="5.1.1", text="550 5.1.1 <%s>: user unknown", action="failed",
        original=None, returned=None, mta="mx.remote.example", extra=""):
    """A delivery report (RFC 3464); `returned` is the header of the returned message."""
    diagnostic = text % recipient if "%s" in text else text
    return ("""From: MAILER-DAEMON@%(mta)s
To: <%(to)s>
Subject: Undelivered Mail
Message-ID: <%(id)s@%(mta)s>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b
%(extra)s
--b

%(diagnostic)s

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; %(mta)s

Final-Recipient: rfc822; %(recipient)s
%(original)sAction: %(action)s
Status: %(status)s
Remote-MTA: dns; %(mta)s
Diagnostic-Code: smtp; %(diagnostic)s

--b
Content-Type: text/rfc822-headers

%(returned)s
--b--
""" % {"to": to, "recipient": recipient, "status": status, "diagnostic": diagnostic,
       "action": action, "mta": mta, "extra": extra, "id": os.urandom(8).hex(),
       "original": "Original-Recipient: rfc822; %s\n" % original if original else "",
       "returned": returned or "To: %s\nSubject: x" % recipient}).replace("\n", "\r\n").encode()


def arf(to, recipient, returned_path=None):
    """A complaint (RFC 5965)."""
    return ("""From: fbl@remote.example
To: <%(to)s>
Subject: complaint
Message-ID: <%(id)s@remote.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b

This is a complaint.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: test/1
Version: 1
Original-Mail-From: <%(path)s>
Original-Rcpt-To: <%(recipient)s>

--b
Content-Type: message/rfc822

Return-Path: <%(path)s>
From: <news@b.example.com>
To: <%(recipient)s>
Subject: x

x
--b--
""" % {"to": to, "recipient": recipient, "path": returned_path or to,
       "id": os.urandom(8).hex()}).replace("\n", "\r\n").encode()


def main(make):
    """Run the calling file's tests over the service that `make(dsnd)` gives."""
    api.Case.service = make(sys.argv[1])
    try:
        done = unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[2:]], exit=False,
                             warnings="ignore")
    finally:
        api.Case.service.stop()
    sys.exit(0 if done.result.wasSuccessful() else 1)
