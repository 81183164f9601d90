"""What is answered, and when, while all threads are busy or PostgreSQL says nothing: told, not cut."""
import os
import re
import select
import signal
import socket
import threading
import time

import kit
from kit import Case
from test_threads import Lock, blocked

TIMEOUT = 5.0  # http.request_timeout; there is one thread
FREE = 4 * 1024 * 1024 - 16  # octets of a body that may be sent
UPLOADS, GROWTH_KB = 60, 64 * 1024


class Deadlines(Case):
    def timed(self, *arguments, **more):
        begun = time.monotonic()
        try:
            return self.ask(*arguments, **more).status, time.monotonic() - begun
        except (ConnectionError, kit.http.client.HTTPException) as error:
            return type(error).__name__, time.monotonic() - begun

    def told(self, found):
        """503 before the request's time is up."""
        for status, took in found:
            self.assertEqual(status, 503, found)
            self.assertLess(took, TIMEOUT, found)

    def all(self, count, *arguments, **more):
        found = []
        threads = [threading.Thread(target=lambda: found.append(self.timed(*arguments, **more)))
                   for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads, found

    def test_who_waited_for_the_thread_is_told_in_time(self):
        self.good(self.get("/v1/suppression-policy"))
        with Lock(self.service, "campaign"):
            threads, found = self.all(3, "GET", "/v1/campaigns")
            for thread in threads:
                thread.join(30)
        self.told(found)
        self.good(self.get("/v1/campaigns"))

    def test_what_a_body_took_is_not_there_for_the_answer(self):
        body = b'{"name": "slow"}'
        with Lock(self.service, "campaign"), socket.create_connection(("127.0.0.1", self.service.port)) as client:
            begun = time.monotonic()
            client.sendall(b"PUT /v1/campaigns/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                           b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                           % (self.service.token.encode(), len(body)))
            time.sleep(2)
            client.sendall(body)
            client.settimeout(30)
            first = client.recv(100)
            self.told([(int(first.split()[1]) if first else "cut", time.monotonic() - begun)])

    def test_a_poll_whose_answer_takes_long_is_told(self):
        newest = self.get("/v1/suppressions/changes").json["next_after"]
        threads, found = self.all(1, "GET", "/v1/suppressions/changes?after=%d&wait=2" % newest)
        time.sleep(1)
        with Lock(self.service, "suppression_change"):
            threads[0].join(30)
        self.assertEqual(found[0][0], 503, found)

    def test_a_postgresql_that_says_nothing_holds_no_thread_longer(self):
        self.good(self.get("/v1/campaigns"))
        self.service.proxy.hold()
        try:
            threads, found = self.all(3, "GET", "/v1/campaigns")
            for thread in threads:
                thread.join(60)
        finally:
            self.service.proxy.go_on()
        self.told(found)
        while self.service.metrics("/readyz").status != 200:
            time.sleep(0.05)
        self.good(self.get("/v1/campaigns"))

    def test_what_asks_nothing_of_the_database_waits_for_no_thread(self):
        with Lock(self.service, "campaign"):
            threads, _ = self.all(1, "GET", "/v1/campaigns")
            blocked(self.service, 1)
            for path in ("/", "/v1/openapi.json"):
                status, took = self.timed("GET", path, token="")
                self.assertEqual(status, 200)
                self.assertLess(took, 1)
        threads[0].join(30)

    def rss_kb(self):
        with open("/proc/%d/status" % self.service.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def left_behind(self):
        """Connections whose client is gone and that the service has not closed."""
        with open("/proc/net/tcp") as sockets:
            rows = [row.split() for row in sockets]
        return sum(row[1].endswith(":%04X" % self.service.port) and row[3] == "08" for row in rows)

    def test_who_asks_and_leaves_at_once_is_not_waited_for(self):
        asked = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        for octets in (asked, asked[:30], asked + asked[:30]):
            for _ in range(50):
                with socket.create_connection(("127.0.0.1", self.service.port)) as client:
                    client.sendall(octets)
        end = time.monotonic() + 4
        while self.left_behind() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.left_behind(), 0)

    def test_who_shuts_one_half_is_answered(self):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", self.service.port)) as client:
                client.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                client.shutdown(socket.SHUT_WR)
                self.assertIn(b" 200 ", client.recv(100))

    def test_a_body_that_nobody_reads_is_not_kept(self):
        clients, before = [], self.rss_kb()
        for _ in range(UPLOADS):
            client = socket.create_connection(("127.0.0.1", self.service.port), timeout=10)
            client.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % FREE)
            client.sendall(b"x" * (FREE - 1))
            clients.append(client)
        self.assertLess(self.rss_kb() - before, GROWTH_KB)
        for client in clients:
            client.sendall(b"x")
            self.assertIn(b" 200 ", client.recv(100))
            client.close()


class Streams(Case):
    """An export whose connection to PostgreSQL breaks at every place it can."""

    ROWS = 60000

    @classmethod
    def setUpClass(cls):
        cls.service.sql("""INSERT INTO suppression (address_hash, address, source)
            SELECT sha256(n::text::bytea), n || '@stream.example', 3 FROM generate_series(1, %d) n""" % cls.ROWS)

    def test_a_new_connection_that_breaks_before_it_is_used(self):
        connection = self.service.connect()
        connection.request("GET", "/v1/suppressions?format=ndjson",
                           headers={"Authorization": "Bearer " + self.service.token})
        reply = connection.getresponse()
        time.sleep(1)  # the next page is asked for, and no reader takes it
        self.service.proxy.cut_at(b"SET statement_timeout = 4000\0")
        try:
            with self.assertRaises((kit.http.client.IncompleteRead, ConnectionError)):
                reply.read()
        finally:
            self.service.proxy.cut_at(None)
        connection.close()
        while self.service.metrics("/readyz").status != 200:
            time.sleep(0.05)
        for _ in range(5):
            self.good(self.get("/v1/suppressions", limit=10))

    def test_a_question_that_does_not_go_out_costs_no_rows(self):
        service = self.service
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(30)
        # Where a sanitizer wants to be loaded first it does without.
        service.start(LD_PRELOAD=os.environ["FAILING_SEND"], ASAN_OPTIONS="verify_asan_link_order=0")
        self.assertEqual(self.get("/v1/suppressions?format=ndjson").body.count(b"\n"), self.ROWS)


class Unframed(Case):
    """HTTP/1.0 has no chunks: an export that ends as usual though it is not whole would look whole."""

    @classmethod
    def setUpClass(cls):
        cls.patient = kit.Service(cls.service.dsnd, cls.service.seed_program)
        cls.service.sql("""INSERT INTO suppression (address_hash, address, source)
            SELECT sha256(n::text::bytea), n || '@unframed.example', 3 FROM generate_series(100001, 160000) n""")

    def begin(self, service):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.connect(("127.0.0.1", service.port))
        client.sendall(b"GET /v1/suppressions?format=csv HTTP/1.0\r\nAuthorization: Bearer %s\r\n\r\n"
                       % service.token.encode())
        self.assertIn(b" 200 ", client.recv(100))
        return client

    def broken(self, client):
        with self.assertRaises(ConnectionError):
            while client.recv(65536):
                pass
        client.close()

    def test_postgresql_goes(self):
        client = self.begin(self.patient)
        time.sleep(1)
        self.patient.proxy.away()
        self.broken(client)
        self.patient.proxy.back()

    def test_the_reader_is_too_slow(self):
        client = self.begin(self.service)
        gone = select.poll()
        gone.register(client, 0)  # a reset is told unasked
        self.assertTrue(gone.poll(60000))
        self.broken(client)

    def test_the_service_ends(self):
        client = self.begin(self.patient)
        self.patient.stop()
        self.broken(client)


if __name__ == "__main__":
    kit.main("threads=1\nrequest_timeout=%ds\n" % TIMEOUT)
