"""Heads of requests that two servers may read in two ways: refused, and the connection closed."""
import socket
import threading
import time

import kit
from kit import Case


class Head(Case):
    def send(self, octets, timeout=5):
        """The status and whether the connection was closed behind the answer; None: no answer."""
        with socket.create_connection(("127.0.0.1", self.service.port), timeout) as connection:
            connection.sendall(octets)
            got = b""
            try:
                while data := connection.recv(65536):
                    got += data
                closed = True
            except TimeoutError:
                closed = False
        return (int(got.split(b" ", 2)[1]) if got else None), closed, got

    def head(self, *lines, line=b"GET /v1/openapi.json HTTP/1.1", host=b"Host: x", body=b"", **more):
        lines = [line, *([host] if host else []), *lines]
        return self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body, **more)

    def test_a_good_head_is_answered(self):
        self.assertEqual(self.head(b"X-A: 1", b"Connection: close")[0], 200)
        self.assertEqual(self.head(b"X-A:\t1 \t", b"Connection: close")[0], 200)

    def test_what_a_proxy_may_read_otherwise_is_refused(self):
        rows = {"bare LF": b"X: 1\nY: 2", "bare CR": b"X: 1\rY: 2", "NUL": b"X: a\0b",
                "folded": b"X: a\r\n b", "space before colon": b"X : 1", "no colon": b"garbage",
                "empty name": b": 1\r\nX: 2",
                "nothing but a colon": b":", "8 bit name": b"X\xff: 1",
                "length twice": b"Content-Length: 0\r\nContent-Length: 5",
                "length list": b"Content-Length: 0, 5", "length sign": b"Content-Length: +5",
                "length hex": b"Content-Length: 0x5",
                "length huge": b"Content-Length: 99999999999999999999",
                "both": b"Content-Length: 4\r\nTransfer-Encoding: chunked",
                "coding": b"Transfer-Encoding: xchunked",
                "coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "two hosts": b"Host: y"}
        for name, line in rows.items():
            with self.subTest(name=name):
                status, closed, _ = self.head(line, body=b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")
                self.assertIn(status, (400, 413, 501, None))
                self.assertTrue(closed)

    def test_request_lines_and_hosts(self):
        for line, host, allowed in ((b"GET /v1/openapi.json HTTP/1.1", None, (400,)),
                                    (b"GET /v1/openapi.json HTTP/1.1", b"Host: a b", (400,)),
                                    (b"GET /v1/openapi.json HTTP/9.9", b"Host: x", (400, 505)),
                                    (b"GET /a\xff HTTP/1.1", b"Host: x", (400,)),
                                    (b"GET  / HTTP/1.1", b"Host: x", (400,)),
                                    (b"GET\t/ HTTP/1.1", b"Host: x", (400, None)),
                                    (b"GET noslash HTTP/1.1", b"Host: x", (400,)),
                                    (b"GET /a b HTTP/1.1", b"Host: x", (400, None))):
            with self.subTest(line=line, host=host):
                self.assertIn(self.head(line=line, host=host)[0], allowed)

    def test_too_much_head_is_refused(self):
        self.assertIn(self.head(b"X: " + b"a" * (1 << 20))[0], (431, 413, None))
        self.assertIn(self.head(*[b"X%d: 1" % i for i in range(150)])[0], (400, 431))

    def test_a_refused_body_cannot_become_a_request(self):
        smuggled = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        _, _, got = self.head(b"Content-Length: %d" % len(smuggled), b"Content-Type: text/xml",
                              line=b"POST /v1/sends HTTP/1.1", body=smuggled)
        self.assertEqual(got.count(b"HTTP/1.1 "), 1)

    def request(self, target, token=None, method="GET"):
        return ("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                % (method, target, token or self.service.token)).encode()

    def test_what_is_refused_without_a_body_keeps_its_connection(self):
        _, _, got = self.send(self.request("/v1/campaigns", "dsnd_" + "a" * 52) + self.request("/v1/campaigns")
                              + self.request("/v1/nothing") + self.request("/v1/campaigns?limit=x")
                              + self.request("/v1/campaigns", "none") + self.request("/v1/campaigns"))
        self.assertEqual([int(reply.split()[0]) for reply in got.split(b"HTTP/1.1 ")[1:]],
                         [401, 200, 404, 400, 401, 200])

    def test_behind_the_head_of_a_stream_comes_nothing(self):
        self.service.sql("""INSERT INTO suppression (address_hash, address, source)
            SELECT sha256(n::text::bytea), n || '@head.example', 3 FROM generate_series(1, 6000) n""")
        for name in ("csv", "ndjson", "json"):
            with self.subTest(format=name):
                status, _, got = self.send(self.request("/v1/suppressions?format=" + name, method="HEAD"))
                self.assertEqual(status, 200)
                self.assertTrue(got.endswith(b"\r\n\r\n"), got)
                self.assertEqual(got.count(b"\r\n\r\n"), 1, got)


class Deadlines(Case):
    """The service runs with request_timeout=2s and idle_timeout=2s."""

    def last(self, pieces, pause=0.25):
        """Seconds that a connection lives while pieces go out slowly."""
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.service.port), 10) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    connection.settimeout(pause)
                    try:
                        if not connection.recv(65536):
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
        return time.monotonic() - begun

    def test_a_head_that_drips_ends_though_it_never_rests(self):
        self.assertLess(self.last([b"GET / HTTP/1.1\r\n"] + [b"X: y\r\n"] * 60), 6)

    def test_a_body_that_drips_ends_though_it_never_rests(self):
        head = ("POST /v1/sends HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
                "Content-Type: application/json\r\nAuthorization: Bearer %s\r\n\r\n"
                % self.service.token).encode()
        self.assertLess(self.last([head] + [b"x"] * 60), 6)

    def test_who_says_nothing_is_let_go(self):
        self.assertLess(self.last([b""] * 60), 6)

    def test_a_statement_that_takes_too_long_is_a_503_that_says_so(self):
        hold = threading.Thread(target=self.service.sql, args=(
            "BEGIN; LOCK TABLE campaign; SELECT pg_sleep(4)",))
        hold.start()
        time.sleep(1)
        begun = time.monotonic()
        reply = self.get("/v1/campaigns/slow")
        self.assertIn("too long", self.problem(reply, 503)["detail"])
        self.assertIn("Retry-After", reply.headers)
        self.assertLess(time.monotonic() - begun, 2)
        hold.join()
        self.problem(self.get("/v1/campaigns/slow"), 404)

    def test_a_long_poll_may_take_longer_than_a_request(self):
        after = self.get("/v1/suppressions/changes", limit=10000).json["next_after"]
        reply = self.good(self.get("/v1/suppressions/changes", after=after, wait=4))
        self.assertEqual(reply.data, [])


class Rates(Case):
    """The service runs with burst=300 and rate=50."""

    def test_who_asks_too_often_is_told_to_wait(self):
        connection = self.service.connect()
        statuses = []
        for _ in range(2000):
            reply = self.ask("GET", "/v1/openapi.json", token="", connection=connection)
            statuses.append(reply.status)
            if reply.status != 200:
                break
        self.problem(reply, 429)
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        time.sleep(int(reply.headers["Retry-After"]))
        self.good(self.get("/v1/openapi.json", token=""))


if __name__ == "__main__":
    kit.main("request_timeout=2s\nidle_timeout=2s\nrate=50\nburst=300\n")
