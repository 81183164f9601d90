"""What tests of the API share: the service, a client, reports to ask about. Standard library only."""
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import quote, urlencode, urlsplit

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
NOON = 1795428000  # 2026-11-23 10:00 UTC, when seeded reports arrive unless they say otherwise
NDJSON = "application/x-ndjson"


class Proxy:
    """Stands before PostgreSQL, so that a test can take it away and give it back."""

    def __init__(self, url):
        self.url = urlsplit(url)
        self.refusing = False
        self.trap = None  # octets at which a connection is cut
        self.moving = threading.Event()
        self.moving.set()
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        threading.Thread(target=self.accept, daemon=True).start()
        port = self.listener.getsockname()[1]
        self.through = url.replace(":%d/" % self.url.port, ":%d/" % port)

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.refusing:
                client.close()
                continue
            server = socket.create_connection((self.url.hostname, self.url.port))
            self.pairs |= {client, server}
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    def copy(self, source, target):
        try:
            while data := source.recv(65536):
                self.moving.wait()
                if self.trap and self.trap in data:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            self.pairs.discard(end)
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for end in list(self.pairs):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def away(self):
        self.refusing = True
        self.cut()

    def back(self):
        self.refusing = False

    def cut_at(self, octets):
        """Cut all connections now, and later ones that carry these octets; None: no more."""
        self.trap = octets
        if octets:
            self.cut()

    def hold(self):
        """Swallow what is said until `go_on`; connections stay."""
        self.moving.clear()

    def go_on(self):
        self.moving.set()


class Reply:
    def __init__(self, reply):
        self.status, self.headers, self.body = reply.status, reply.headers, reply.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]


class Service:
    """`dsnd api` over the database of the environment, with a token of every scope."""

    def __init__(self, dsnd, seed, settings=""):
        self.dsnd, self.seed_program = dsnd, seed
        self.url = os.environ.get("DSND_TEST_DATABASE_URL")
        if not self.url:
            print("DSND_TEST_DATABASE_URL is not set: run under pg_cluster.sh run", file=sys.stderr)
            sys.exit(77)
        self.dir = tempfile.mkdtemp(prefix="dsnd-api-")
        self.proxy = Proxy(self.url)
        self.config = os.path.join(self.dir, "dsnd.conf")
        with open(os.path.join(self.dir, "keys"), "w") as keys:
            keys.write("k %s\n" % KEY)
        self.write_config(settings)
        self.run("migrate")
        self.token = self.add_token("read,write,suppressions,admin")
        self.start()

    def write_config(self, settings):
        with open(self.config, "w") as config:
            config.write("""[smtp]
domains=b.example.com, other.example.com
[database]
url=%s
[sign]
keys_file=%s/keys
[metrics]
listen=127.0.0.1:0
[http]
listen=127.0.0.1:0
%s
""" % (self.proxy.through, self.dir, settings))

    def run(self, *arguments, status=0):
        done = subprocess.run([self.dsnd, *arguments, "-c", self.config], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == status, (arguments, done.returncode, done.stderr)
        return done.stdout

    def add_token(self, scopes, *more):
        return self.run("token", "add", "--name", "test", "--scopes", scopes, *more).strip()

    def start(self, **environment):
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = subprocess.Popen([self.dsnd, "api", "-c", self.config], stderr=self.log,
                                        env={**os.environ, **environment})
        for _ in range(300):
            found = re.search(r"port=(\d+) metrics_port=(\d+)", self.log_text())
            if found:
                self.port, self.metrics_port = int(found[1]), int(found[2])
                return
            time.sleep(0.05)
        raise AssertionError("dsnd api does not start: " + self.log_text())

    def log_text(self):
        with open(os.path.join(self.dir, "log")) as log:
            return log.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        text = self.log_text()
        shutil.rmtree(self.dir)
        assert status == 0, (status, text)
        assert "Sanitizer" not in text, text

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, token=None, headers=None, connection=None, **query):
        """One request. A body that is no octets is sent as JSON; token "" sends none."""
        headers = dict(headers or {})
        token = self.token if token is None else token
        if token:
            headers.setdefault("Authorization", "Bearer " + token)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        query = {name.rstrip("_"): value for name, value in query.items()}
        if query:
            path += "?" + urlencode(query)
        used = connection or self.connect()
        used.request(method, path, body, headers)
        reply = Reply(used.getresponse())
        if not connection:
            used.close()
        return reply

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def metrics(self, path):
        used = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=30)
        used.request("GET", path)
        reply = Reply(used.getresponse())
        used.close()
        return reply

    def program(self, name, *arguments):
        """What a program of PostgreSQL prints of the database."""
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name))
        return subprocess.run([*found[-1:], *arguments, self.url], capture_output=True, text=True,
                              check=True, timeout=60).stdout

    def sql(self, text):
        return self.program("psql", "-qAtc", text)

    def seed(self, *reports):
        """Store reports, each a dict as tests/support/seed_main.c reads it; `for_` is `for`."""
        text = "".join("\t".join("%s=%s" % (name.rstrip("_"), value)
                                 for name, value in report.items()) + "\n" for report in reports)
        subprocess.run([self.seed_program], input=text.encode(), check=True, timeout=120)


class Case(unittest.TestCase):
    service = None
    maxDiff = None

    def ask(self, *arguments, **more):
        return self.service.ask(*arguments, **more)

    def get(self, *arguments, **more):
        return self.service.get(*arguments, **more)

    def good(self, reply, status=200):
        self.assertEqual(reply.status, status, reply.body[:500])
        return reply

    def problem(self, reply, status, parameter=None, *words):
        """RFC 9457, naming the parameter and what is allowed."""
        self.assertEqual(reply.status, status, reply.body[:500])
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        found = reply.json
        self.assertEqual(found["status"], status)
        self.assertTrue(found["title"])
        self.assertEqual(found.get("parameter"), parameter, found)
        for word in words:
            self.assertIn(word, found["detail"])
        return found


def failure(campaign, address, **more):
    """A report of a hard failure whose return path was signed for the address."""
    report = {"campaign": campaign, "for_": address, "recipient": address, "action": "failed",
              "class_": "mailbox_unknown", "permanent": "yes", "provider": "google", **more}
    return {name: value for name, value in report.items() if value is not None}


def escape(segment):
    return quote(segment, safe="")


def main(settings=""):
    """Run the calling file's tests: `test_x.py DSND API_SEED [TEST]...`."""
    dsnd, seed = sys.argv[1], sys.argv[2]
    Case.service = Service(dsnd, seed, settings)
    try:
        done = unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[3:]], exit=False,
                             warnings="ignore")
    finally:
        Case.service.stop()
    sys.exit(0 if done.result.wasSuccessful() else 1)
