#!/usr/bin/env python3
"""usage: test_ingest_mta.py DSND postfix|exim: a real mail server sends mail with signed return paths to
a server that takes, refuses or delays it; its own log is followed by `dsnd ingest`, killed and rotated
meanwhile. Every count is exact. Then the reports come by mail, too: no count changes."""
import os
import signal
import smtplib
import socketserver
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../smtp"))
import mta  # noqa: E402  pylint: disable=wrong-import-position

DSND, KIND = sys.argv[1], sys.argv[2]
DIR = os.environ["INGEST_DIR"]
TREE = os.environ["DSND_MTA_DIR"]
SMTP_PORT = int(os.environ["DSND_SMTP_LISTEN"].rsplit(":", 1)[1])
PSQL = os.environ["INGEST_PSQL"]
TAKEN, REFUSED, DELAYED = 40, 12, 6
WAIT_S = 90


class Sink(socketserver.ThreadingTCPServer):
    """Refuses "no...", delays "later..." once each, takes the others."""

    allow_reuse_address = daemon_threads = True
    seen, lock = set(), threading.Lock()

    class Session(socketserver.StreamRequestHandler):
        def answer(self, line):
            verb = line[:4].upper()
            if verb == b"RCPT":
                user = line.split(b"<", 1)[1].split(b"@")[0]
                if user.startswith(b"no"):
                    return b"550 5.1.1 <%s>: user unknown" % user
                with Sink.lock:
                    first = user not in Sink.seen
                    Sink.seen.add(user)
                if user.startswith(b"later") and first:
                    return b"451 4.7.1 <%s>: come back later" % user
            return {b"DATA": b"354 go on", b"QUIT": b"221 bye"}.get(verb, b"250 2.0.0 ok")

        def handle(self):
            self.wfile.write(b"220 sink.test ESMTP\r\n")
            data = False
            for line in self.rfile:
                if data:
                    if line == b".\r\n":
                        data = False
                        self.wfile.write(b"250 2.0.0 taken\r\n")
                    continue
                answer = self.answer(line)
                data = answer.startswith(b"354")
                self.wfile.write(answer + b"\r\n")
                if line[:4].upper() == b"QUIT":
                    return

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Session)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def sql(statement):
    return subprocess.run([PSQL, os.environ["DSND_DATABASE_URL"], "-Atqc", statement], check=True,
                          capture_output=True, text=True).stdout.strip()


COUNTS = ("SELECT concat_ws(' ', sent, delivered, failed, hard, \"delayed\", delay_open)"
          " FROM total_campaign t JOIN campaign c ON c.id = t.campaign_id WHERE c.key = '%s'" % KIND)
MINE = " campaign_id = (SELECT id FROM campaign WHERE key = '%s')" % KIND
DOMAIN = KIND + ".example"


def await_sql(statement, wanted, what, meanwhile=lambda: None):
    end = time.monotonic() + WAIT_S
    while True:
        got = sql(statement)
        if got == wanted:
            return
        if time.monotonic() > end:
            raise AssertionError("%s: got %r, want %r" % (what, got, wanted))
        meanwhile()
        time.sleep(0.2)


def start_server(sink, port):
    directory = os.path.join(DIR, "mta")
    os.mkdir(directory)
    os.chmod(directory, 0o755)
    if KIND == "postfix":
        return mta.postfix(TREE, directory, port, """
transport_maps = inline:{ %s=smtp:[127.0.0.1]:%d, bounces.example.com=smtp:[127.0.0.1]:%d }
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
smtp_destination_concurrency_failed_cohort_limit = 0
""" % (DOMAIN, sink.port, SMTP_PORT), sink.port), os.path.join(directory, "log")
    return mta.exim(TREE, directory, port, """
bounces:
  driver = manualroute
  domains = bounces.example.com
  route_list = * 127.0.0.1::%d
  self = send
  transport = dsnd
  no_more
""" % SMTP_PORT, """
dsnd:
  driver = smtp
  hosts_try_fastopen =
  hosts_avoid_tls = *
  connection_max_messages = 1
""", sink.port, retry="1s", added="-q1s"), os.path.join(directory, "mainlog")


def mint(users):
    addresses = "".join("%s@%s\n" % (user, DOMAIN) for user in users)
    out = subprocess.run([DSND, "mint", "--campaign", KIND, "--domain", "bounces.example.com"],
                         input=addresses, check=True, capture_output=True, text=True).stdout
    return out.split()


def send(port, users):
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        for user, sender in zip(users, mint(users)):
            to = user + "@" + DOMAIN
            client.sendmail(sender, [to], ("From: a@x.example\r\nTo: %s\r\nMessage-ID: <%s@x.example>\r\n"
                                           "Subject: x\r\n\r\nx\r\n" % (to, user)).encode())


class Follower:
    """`dsnd ingest --follow`, which may be killed."""

    def __init__(self, log):
        self.log = log
        self.out = open(os.path.join(DIR, "ingest.out"), "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen([DSND, "ingest", KIND, "--follow", self.log], stdout=self.out,
                                        stderr=self.out)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(20) != 0:
            raise AssertionError("dsnd ingest did not end well")


def rotate(server, log):
    os.rename(log, log + ".1")
    if KIND == "postfix":
        os.kill(server.process.pid, signal.SIGHUP)


def run(server, log, port):
    users = (["ok%d" % i for i in range(TAKEN)] + ["no%d" % i for i in range(REFUSED)] +
             ["later%d" % i for i in range(DELAYED)])
    third = len(users) // 3
    order = [users[i * 7 % len(users)] for i in range(len(users))]
    assert len(set(order)) == len(users)
    follower = Follower(log)
    send(port, order[:third])
    time.sleep(1.2)  # let it be somewhere in the middle
    follower.kill()
    rotate(server, log)
    send(port, order[third:2 * third])
    follower.start()
    for _ in range(3):
        time.sleep(0.4)
        follower.kill()
        follower.start()
    rotate_again = log + ".2"
    os.rename(log + ".1", rotate_again)
    rotate(server, log)
    send(port, order[2 * third:])
    wanted = "%d %d %d %d %d 0" % (len(users), TAKEN + DELAYED, REFUSED, REFUSED, DELAYED)
    await_sql(COUNTS, wanted, "followed, killed and rotated", server.flush)
    follower.end()
    out = subprocess.run([DSND, "ingest", KIND, log], check=True, capture_output=True, text=True).stdout
    if sql(COUNTS) != wanted:
        raise AssertionError("read once more: " + out)
    check_details()
    return wanted


def check_details():
    await_sql("SELECT count(*) FROM status WHERE evidence <> 4 AND" + MINE, "0", "all of it is proven")
    await_sql("SELECT count(*) FROM suppression WHERE address LIKE 'no%%@%s' AND class = 1" % DOMAIN, str(REFUSED),
              "who does not exist is suppressed")
    await_sql("SELECT count(*) FROM suppression WHERE address LIKE '%%%s'" % DOMAIN, str(REFUSED), "and nobody else")
    await_sql("SELECT count(*) FROM send WHERE message_id = replace(recipient, '%s', 'x.example')" % DOMAIN,
              str(TAKEN + REFUSED + DELAYED), "Message-IDs")
    await_sql("SELECT DISTINCT smtp_code || ' ' || smtp_status || ' ' || class FROM status"
              " WHERE action = 1 AND" + MINE, "550 5.1.1 1", "how failures are classified")
    await_sql("SELECT DISTINCT kind || ' ' || source FROM report WHERE" + MINE, "6 5", "only the log told so far")


def main():
    sink = Sink()
    probe = socketserver.TCPServer(("127.0.0.1", 0), None)
    port = probe.server_address[1]
    probe.server_close()
    server, log = start_server(sink, port)
    try:
        wanted = run(server, log, port)
        print("%s: %s" % (KIND, wanted))
        service = subprocess.Popen([DSND, "serve"], stdout=open(os.path.join(DIR, "serve.out"), "wb"),
                                   stderr=subprocess.STDOUT)
        try:
            await_sql("SELECT count(*) FROM report WHERE kind = 1 AND" + MINE, str(REFUSED),
                      "reports by mail of the same failures", server.flush)
            if sql(COUNTS) != wanted:
                raise AssertionError("the reports changed the counts: " + sql(COUNTS))
            await_sql("SELECT count(*) FROM suppression WHERE address LIKE '%%%s'" % DOMAIN, str(REFUSED), "suppressions")
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait()
    except AssertionError:
        print(server.what_happened())
        with open(os.path.join(DIR, "ingest.out"), encoding="utf-8") as out:
            print(out.read()[-2000:])
        raise
    finally:
        server.stop()


main()
