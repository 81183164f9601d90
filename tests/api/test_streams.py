"""A list of a million rows goes through the memory of a few."""
import re
import time

import kit
from kit import Case

ROWS, PIECE = 1000000, 100000
GROWTH_KB = 16 * 1024
DAY = 86399  # rows of the first day
READERS = 12  # more than may keep a connection


class Million(Case):
    @classmethod
    def setUpClass(cls):
        for first in range(0, ROWS, PIECE):
            cls.service.sql("""
                INSERT INTO suppression (address_hash, address, source, created_at)
                SELECT sha256(n::text::bytea), '=m' || n || '@million.example', 3,
                       timestamptz '2020-01-01 00:00Z' + n * interval '1 second'
                FROM generate_series(%d, %d) n""" % (first + 1, first + PIECE))

    def peak_kb(self):
        with open("/proc/%d/status" % self.service.process.pid) as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])

    def rows(self, name):
        """Each line as it arrives, without its end."""
        connection = self.service.connect()
        connection.request("GET", "/v1/suppressions?format=" + name,
                           headers={"Authorization": "Bearer " + self.service.token})
        reply = connection.getresponse()
        self.assertEqual(reply.status, 200)
        rest = b""
        while octets := reply.read(1 << 20):
            *lines, rest = (rest + octets).split(b"\n")
            yield from lines
        self.assertEqual(rest, b"")
        connection.close()

    def test_each_row_arrives_once_and_memory_stays(self):
        self.good(self.get("/v1/suppressions", limit=1000))
        before = self.peak_kb()
        for name, pattern, defused in (("csv", rb"=m(\d+)@million", b"'=m"),
                                       ("ndjson", rb'"=m(\d+)@million', b'"=m')):
            with self.subTest(format=name):
                seen = 0
                for line in self.rows(name):
                    found = re.search(pattern, line)
                    if not found:
                        continue
                    self.assertEqual(int(found[1]), ROWS - seen)  # the newest first
                    self.assertIn(defused, line)
                    seen += 1
                self.assertEqual(seen, ROWS)
                self.assertLess(self.peak_kb() - before, GROWTH_KB)

    def begin(self):
        """An export of a day of which only the head is read."""
        connection = self.service.connect()
        connection.request("GET", "/v1/suppressions?format=csv&to=2020-01-02T00:00:00Z",
                           headers={"Authorization": "Bearer " + self.service.token})
        reply = connection.getresponse()
        self.assertEqual(reply.status, 200)
        return connection, reply

    def rest(self):
        """Until nothing is asked of PostgreSQL any more, because no reader takes what there is."""
        last, asked = None, ""
        while asked != last:
            time.sleep(0.5)
            last, asked = asked, self.service.sql("""
                SELECT max(query_start) FROM pg_stat_activity WHERE application_name = 'dsnd api'""")

    def test_readers_that_pause_keep_no_connection_from_others(self):
        readers = [self.begin() for _ in range(READERS)]
        for _ in range(READERS):
            self.good(self.get("/v1/suppressions", limit=10))
        for connection, reply in readers:
            self.assertEqual(reply.read().count(b"\n"), 1 + DAY)
            connection.close()

    def test_readers_that_leave_leave_nothing_behind(self):
        for _ in range(3):
            for connection, _ in [self.begin() for _ in range(READERS)]:
                connection.close()
        for _ in range(READERS):
            self.good(self.get("/v1/suppressions", limit=10))

    def test_an_export_goes_on_when_postgresql_is_back(self):
        readers = [self.begin() for _ in range(READERS)]
        self.rest()
        self.service.proxy.away()
        self.problem(self.get("/v1/suppressions", limit=10), 503)
        self.service.proxy.back()
        while self.service.metrics("/readyz").status != 200:
            time.sleep(0.05)
        for connection, reply in readers:
            self.assertEqual(reply.read().count(b"\n"), 1 + DAY)
            connection.close()


if __name__ == "__main__":
    kit.main()
