"""A list of a million rows goes through the memory of a few."""
import re

import kit
from kit import Case

ROWS, PIECE = 1000000, 100000
GROWTH_KB = 16 * 1024


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


if __name__ == "__main__":
    kit.main()
