"""Deliveries told of by the mail server's own log and by reports that come back: one delivery each,
and every number of it reckoned a second time."""
import base64
import collections
import csv
import datetime
import hashlib
import hmac
import os
import random

import kit
from kit import Case

UTC = datetime.timezone.utc
SIZE = 3000
DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
COLUMNS = ["type", "timeLogged", "timeQueued", "orig", "rcpt", "dsnStatus", "dsnDiag", "dsnMta"]
COUNTS = ["failed", "delivered_confirmed", "handed_off", "delay_open", "delayed", "complained"]
# What the log says of a delivery, what comes back by mail, and what is true of it then.
FATES = [
    (0.50, "d", None, "delivered_confirmed"),
    (0.12, "b", None, "failed"),
    (0.08, "td", None, "delivered_confirmed"),
    (0.06, "ttb", None, "failed"),
    (0.06, "d", "failed", "failed"),     # accepted first, and sent back later
    (0.06, "b", "failed", "failed"),     # our own server reports what its log says as well
    (0.04, "t", "delayed", "delay_open"),
    (0.03, "d", "complaint", "delivered_confirmed"),
    (0.03, "t", None, "delay_open"),
    (0.02, "", "failed", "failed"),      # the log was lost, the report was not
]
ANSWERS = {"d": ("2.0.0", "smtp;250 2.0.0 ok"), "t": ("4.2.1", "smtp;450 4.2.1 try again later"),
           "b": ("5.1.1", "smtp;550 5.1.1 user unknown")}
FULL = ("5.2.2", "smtp;552 5.2.2 mailbox full")  # suppresses nobody who fails once


def base32(octets):
    return base64.b32encode(octets).decode().lower()


def mint(campaign, address, at):
    """A signed return path (the same few lines any sender may write)."""
    ref = "h" + base32(hashlib.sha256(address.encode()).digest())[:13]
    day = (at.date() - datetime.date(2020, 1, 1)).days
    text = "r1.%s.%s.%s" % (campaign, ref, "".join(DIGITS[day >> shift & 31]
                                                   for shift in (10, 5, 0)))
    mac = hmac.new(bytes.fromhex(kit.KEY), (text + "@b.example.com").encode(), "sha256").digest()
    return "%sk%s@b.example.com" % (text, base32(mac)[:16])


class LogReckoning(Case):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(3)
        cls.start = (datetime.datetime.now(UTC) - datetime.timedelta(days=3)).replace(
            hour=20, minute=0, second=0, microsecond=0)
        cls.lines, cls.reports, cls.told = [], [], collections.Counter()
        cls.counts, cls.failed = collections.Counter(), set()
        cls.logged, cls.records = 0, 0
        for number in range(SIZE):
            cls.deliver("log%d@x.example" % number)
        # Reports come before the log is read, and after it.
        cls.random.shuffle(cls.reports)
        half = len(cls.reports) // 2
        cls.service.seed(*cls.reports[:half])
        cls.path = os.path.join(cls.service.dir, "acct.csv")
        cls.write(cls.path)
        cls.printed = cls.service.run("ingest", "powermta", cls.path)
        cls.service.seed(*cls.reports[half:])

    @classmethod
    def write(cls, path):
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            table.writerows(sorted(cls.lines, key=lambda line: line[1]))

    @classmethod
    def deliver(cls, address):
        draw = cls.random.random()
        for share, log, report, state in FATES:
            draw -= share
            if draw < 0:
                break
        sent = cls.start + datetime.timedelta(minutes=cls.random.randrange(20 * 60))
        for step, letter in enumerate(log):
            status, diagnostic = ANSWERS[letter]
            at = sent + datetime.timedelta(hours=step, seconds=1)
            cls.lines.append([letter, at.strftime("%Y-%m-%d %H:%M:%S+0000"),
                              sent.strftime("%Y-%m-%d %H:%M:%S+0000"), mint("log", address, sent),
                              address, status, diagnostic, "mx.x.example (192.0.2.1)"])
        if report:
            cls.come_back(address, report, sent + datetime.timedelta(hours=4))
        cls.logged += 1 if log else 0
        cls.records += len(log) + (1 if report else 0)
        cls.counts[state] += 1
        cls.counts["delayed"] += "t" in log or report == "delayed"
        cls.counts["complained"] += report == "complaint"
        if state == "failed" or report == "complaint":
            cls.failed.add(address)

    @classmethod
    def come_back(cls, address, report, at):
        line = {"campaign": "log", "for": address, "recipient": address,
                "at": int(at.timestamp()), "body": len(cls.reports) + 1}
        if report == "complaint":
            line.update({"complaint": 1, "class": "complaint"})
        elif report == "failed":
            line.update({"action": "failed", "permanent": "yes", "class": "mailbox_unknown"})
        else:
            line.update({"action": "delayed", "permanent": "no", "class": "throttled"})
        cls.reports.append(line)

    def check(self):
        found = self.good(self.get("/v1/campaigns/log")).json
        counts, sent = self.counts, self.logged
        self.assertEqual({name: found["counts"][name] for name in COUNTS},
                         {name: counts[name] for name in COUNTS})
        self.assertEqual(found["sent"], sent)
        self.assertEqual(found["coverage"]["numerator"], found["coverage"]["denominator"])
        self.assertEqual(found["coverage"]["denominator"], self.records)
        self.assertEqual(found["classes"], {"mailbox_unknown": counts["failed"]})
        for name, numerator, denominator in (
                ("failure_rate", counts["failed"], sent),
                ("hard_failure_rate", counts["failed"], sent),
                ("delay_rate", counts["delayed"], sent),
                ("delivery_rate", sent - counts["failed"] - counts["delay_open"], sent),
                ("complaint_rate", counts["complained"], sent - counts["failed"])):
            self.assertEqual((found["rates"][name]["numerator"],
                              found["rates"][name]["denominator"]), (numerator, denominator), name)

    def test_log_and_reports_of_a_delivery_are_one_delivery(self):
        self.check()

    def test_what_the_reader_says_of_itself(self):
        told = collections.Counter(line[0] for line in self.lines)
        self.assertIn("%d delivered, %d delayed, %d failed" % (told["d"], told["t"], told["b"]),
                      self.printed)
        self.assertIn("%d registered as sent" % self.logged, self.printed)

    def test_read_again_under_another_name_it_changes_nothing(self):
        os.rename(self.path, self.path + ".1")
        self.write(self.path)
        self.service.run("ingest", "powermta", self.path)
        self.service.run("ingest", "powermta", self.path + ".1")
        self.check()

    def test_series_by_either_time_add_up(self):
        for by in ("sent", "reported"):
            points = self.good(self.get("/v1/metrics", campaign="log", interval="hour",
                                        by=by)).data
            for name in COUNTS:
                self.assertEqual(sum(p["counts"][name] for p in points), self.counts[name],
                                 (by, name))
            self.assertEqual(sum(p["sent"] or 0 for p in points), self.logged, by)

    def test_open_delays(self):
        rows = self.good(self.get("/v1/delays", campaign="log")).data
        self.assertEqual(sum(row["open"] for row in rows), self.counts["delay_open"])

    def test_both_suppress_by_the_same_proof(self):
        found = {line["address"] for line in self.get("/v1/suppressions", format="ndjson").lines}
        self.assertEqual(found, self.failed)


class Hosted(Case):
    """Domains of people's own whose mail a provider takes: sent to it is what it was asked to take."""

    def read(self, name, *lines):
        path = os.path.join(self.service.dir, name)
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for number, kind, host, minute in lines:
                address = "hosted%d@own%d.example" % (number, number)
                at = (self.start + datetime.timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M:%S+0000")
                table.writerow([kind, at, self.start.strftime("%Y-%m-%d %H:%M:%S+0000"),
                                mint("hosted", address, self.start), address,
                                *(FULL if kind == "b" else ANSWERS[kind]), host])
        self.service.run("ingest", "powermta", path)

    def check(self, wanted):
        time = {"from_": self.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "to": (self.start + datetime.timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        for by in ("sent", "reported"):
            for more in ({"campaign": "hosted"}, {"group_by": "provider,campaign"}, {}):
                points = self.good(self.get("/v1/metrics", **{
                    "group_by": "provider", "interval": "none", "by": by, **time, **more})).data
                self.assertEqual(wanted, {p["dims"]["provider"]: (
                    p["sent"], p["counts"]["failed"], p["counts"]["delivered_confirmed"])
                    for p in points if p["dims"].get("campaign", "hosted") == "hosted"}, (by, more))

    def test_sent_and_failed_are_of_the_same_provider(self):
        type(self).start = (datetime.datetime.now(UTC) - datetime.timedelta(days=20)).replace(
            hour=12, minute=0, second=0, microsecond=0)
        google = "aspmx.l.google.com (192.0.2.1)"
        self.read("hosted1.csv", *((n, "b" if n < 2 else "d", google, 1) for n in range(10)),
                  *((n, "t", "", 2) for n in range(10, 14)))
        self.check({"google": (10, 2, 8), "unknown": (4, 0, 0)})
        # Who took it is known later; of two of them within one batch.
        self.read("hosted2.csv", *((n, "d", google, 3) for n in range(10, 13)), (14, "t", "", 3),
                  (14, "t", google, 4), (14, "b", google, 5))
        self.check({"google": (14, 3, 11), "unknown": (1, 0, 0)})
        self.assertEqual(self.service.sql(
            "SELECT string_agg(provider || ' ' || n, ' ' ORDER BY provider) FROM (SELECT provider,"
            " count(*) AS n FROM send WHERE campaign_id = (SELECT id FROM campaign WHERE key ="
            " 'hosted') GROUP BY 1) p").strip(), "1 google 14")
        self.assertEqual(self.service.sql(
            "SELECT string_agg(provider || ' ' || n, ' ' ORDER BY provider) FROM (SELECT provider,"
            " sum(sent) AS n FROM total_breakdown WHERE campaign_id = (SELECT id FROM campaign WHERE"
            " key = 'hosted') GROUP BY 1) p").strip(), "1 google 14")


if __name__ == "__main__":
    kit.main()
