"""Who waits for what: a slow answer, a reader or a poll keeps nobody else, nor a reload, nor the end."""
import ssl
import subprocess
import threading
import time

import kit
from kit import Case

CLIENTS = 24  # so that each thread of the library has some
SLOW = 3      # of the four that make answers


class Lock:
    """A table that nobody may read meanwhile."""

    def __init__(self, service, table):
        self.service, self.table = service, table

    def __enter__(self):
        program = sorted(kit.glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]
        self.psql = subprocess.Popen([program, "-qAt", self.service.url], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write("BEGIN; LOCK TABLE %s; SELECT 'locked';\n" % self.table)
        self.psql.stdin.flush()
        assert self.psql.stdout.readline().strip() == "locked"

    def __exit__(self, *_):
        self.psql.communicate("COMMIT;\n", timeout=30)


def blocked(service, count):
    """Until so many requests wait for a lock."""
    end = time.monotonic() + 15
    while int(service.sql("""SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'dsnd api' AND wait_event_type = 'Lock'""")) < count:
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.05)


class Threads(Case):
    def blocked(self, count):
        blocked(self.service, count)

    def start(self, *paths):
        threads = [threading.Thread(target=lambda p=path: self.replies.append(self.get(p))) for path in paths]
        self.replies = []
        for thread in threads:
            thread.start()
        return threads

    def end(self, threads):
        for thread in threads:
            thread.join(30)
        self.assertEqual([reply.status for reply in self.replies], [200] * len(threads))

    def test_slow_answers_hold_up_no_other_connection(self):
        clients = [self.service.connect(timeout=10) for _ in range(CLIENTS)]
        for client in clients:
            self.good(self.get("/v1/suppression-policy", connection=client))
        with Lock(self.service, "campaign"):
            threads = self.start(*["/v1/campaigns"] * SLOW)
            self.blocked(SLOW)
            for client in clients:
                self.good(self.get("/v1/suppression-policy", connection=client))
        self.end(threads)

    def test_an_export_that_has_to_wait_holds_up_no_other_connection(self):
        self.service.sql("""INSERT INTO suppression (address_hash, address, source)
            SELECT sha256(n::text::bytea), n || '@long.example', 3 FROM generate_series(1, 100000) n""")
        readers = [self.service.connect() for _ in range(SLOW)]
        replies = []
        for reader in readers:
            reader.request("GET", "/v1/suppressions?format=ndjson",
                           headers={"Authorization": "Bearer " + self.service.token})
            replies.append(reader.getresponse())
        seen = [0] * SLOW
        clients = [self.service.connect(timeout=10) for _ in range(CLIENTS)]
        with Lock(self.service, "suppression"):
            def read(i):
                while octets := replies[i].read(1 << 16):
                    seen[i] += octets.count(b"\n")

            threads = [threading.Thread(target=read, args=(i,)) for i in range(SLOW)]
            for thread in threads:
                thread.start()
            self.blocked(SLOW)
            for client in clients:
                self.good(self.get("/v1/campaigns", connection=client))
        for thread in threads:
            thread.join(30)
        self.assertEqual(len(set(seen)), 1, seen)
        self.assertGreaterEqual(seen[0], 100000)

    def test_a_token_that_must_be_looked_up_holds_up_no_other_connection(self):
        tokens = [self.service.add_token("read,suppressions") for _ in range(SLOW)]
        clients = [self.service.connect(timeout=10) for _ in range(CLIENTS)]
        statuses = []

        def check(token):
            statuses.append(self.ask("POST", "/v1/suppressions/check", {"addresses": ["a@x.example"]},
                                     token=token).status)

        self.good(self.get("/v1/suppression-policy"))
        with Lock(self.service, "token"):
            threads = [threading.Thread(target=check, args=(token,)) for token in tokens[1:] + ["dsnd_" + "a" * 52]]
            for thread in threads:
                thread.start()
            blocked(self.service, SLOW)
            for client in clients[:8]:  # within the seconds that a token is remembered
                self.good(self.get("/v1/openapi.json", connection=client, token=""))
        for thread in threads:
            thread.join(30)
        self.assertEqual(sorted(statuses), [200] * (SLOW - 1) + [401])

    def test_what_is_quick_as_a_rule_and_is_not_holds_up_no_other_connection(self):
        clients = [self.service.connect(timeout=10) for _ in range(CLIENTS)]
        statuses = []

        def check():
            statuses.append(self.ask("POST", "/v1/suppressions/check", {"addresses": ["a@x.example"]}).status)

        self.good(self.get("/v1/suppression-policy"))
        with Lock(self.service, "suppression"):
            threads = [threading.Thread(target=check) for _ in range(SLOW)]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            blocked(self.service, SLOW)
            for client in clients:
                self.good(self.get("/v1/suppression-policy", connection=client))
        for thread in threads:
            thread.join(30)
        self.assertEqual(statuses, [200] * SLOW)

    def test_more_at_once_than_there_are_threads(self):
        with Lock(self.service, "campaign"):
            threads = self.start(*["/v1/campaigns"] * 40)
            self.blocked(4)
        self.end(threads)

    def test_who_leaves_while_the_answer_is_made_takes_nothing_along(self):
        with Lock(self.service, "campaign"):
            for _ in range(SLOW):
                client = self.service.connect()
                client.request("GET", "/v1/campaigns", headers={"Authorization": "Bearer " + self.service.token})
                self.blocked(1)
                client.close()
        self.good(self.get("/v1/campaigns"))


class Reloads(Case):
    @classmethod
    def setUpClass(cls):
        cert, key = cls.service.dir + "/cert.pem", cls.service.dir + "/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        cls.tls = kit.Service(cls.service.dsnd, cls.service.seed_program,
                              "tls_cert=%s\ntls_key=%s\n" % (cert, key))

    @classmethod
    def tearDownClass(cls):
        cls.tls.stop()

    def connect(self):
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        return kit.http.client.HTTPSConnection("127.0.0.1", self.tls.port, timeout=30, context=trusting)

    def reload(self, count):
        self.tls.process.send_signal(kit.signal.SIGHUP)
        end = time.monotonic() + 30
        while self.tls.log_text().count("event=api.reloaded") < count:
            self.assertIsNone(self.tls.process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_polls_and_slow_answers_outlive_reloads(self):
        newest = self.tls.get("/v1/suppressions/changes", connection=self.connect()).json["next_after"]
        statuses = []

        def ask(path):
            statuses.append(self.tls.get(path, connection=self.connect()).status)

        with Lock(self.tls, "campaign"):
            threads = [threading.Thread(target=ask, args=(path,)) for path in
                       ["/v1/suppressions/changes?after=%d&wait=5" % newest] * 4 + ["/v1/campaigns"] * 2]
            for thread in threads:
                thread.start()
            blocked(self.tls, 2)
            time.sleep(0.5)
            self.reload(1)
        for count in (2, 3):
            self.reload(count)
        for thread in threads:
            thread.join(30)
        self.assertEqual(statuses, [200] * len(threads))
        self.good(self.tls.get("/v1/campaigns", connection=self.connect()))

    def test_what_is_left_of_a_reload_begins_nothing_when_its_time_is_over(self):
        done = self.tls.log_text().count("event=api.reloaded")
        kept = self.connect()
        self.good(self.tls.get("/v1/campaigns", connection=kept))
        with Lock(self.tls, "campaign"):
            slow = threading.Thread(target=lambda: self.tls.get("/v1/campaigns", connection=self.connect()))
            slow.start()
            blocked(self.tls, 1)
            self.reload(done + 1)
            self.tls.process.send_signal(kit.signal.SIGHUP)
            time.sleep(6)  # of which five are for requests under way
            begun = time.monotonic()
            try:
                self.problem(self.tls.get("/v1/campaigns", connection=kept), 503)
            except (ConnectionError, kit.http.client.HTTPException):
                pass  # cut before it could be told
            self.assertLess(time.monotonic() - begun, 2)
        slow.join(30)
        self.reload(done + 2)
        self.good(self.tls.get("/v1/campaigns", connection=self.connect()))


if __name__ == "__main__":
    kit.main()
