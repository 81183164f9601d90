#!/usr/bin/env python3
"""Forged reports by the thousand through the SMTP port, in every way that somebody can try who holds
the return path of his own mail: whom they suppress is whom they prove, and nobody else."""
import base64
import hashlib
import hmac
import random
import time

import whole
from whole import api

EACH = 150  # reports of every kind
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def base32(octets, length):
    return base64.b32encode(octets).decode().lower()[:length]


def ref_of(address):
    return "h" + base32(hashlib.sha256(address.lower().encode()).digest(), 13)


def path(campaign, ref, days_ago=0, domain="b.example.com", signed_domain=None, key=api.KEY):
    """A return path as its owner would sign it; an attacker has another key, or none."""
    days = int(time.time() - 1577836800) // 86400 - days_ago
    day = "".join(LETTERS[days >> shift & 31] for shift in (10, 5, 0))
    text = "r1.%s.%s.%s@%s" % (campaign, ref, day, signed_domain or domain)
    mac = base32(hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest(), 16)
    return "r1.%s.%s.%sk%s@%s" % (campaign, ref, day, mac, domain)


def srs(address):
    local, domain = address.split("@")
    return "SRS0=HHH=TT=%s=%s@b.example.com" % (domain, local)


def headers(to, message_id=None, return_path=None):
    lines = ["Return-Path: <%s>" % return_path] if return_path else []
    return "\n".join(lines + ["To: <%s>" % to, "Message-ID: <%s>" % (message_id or "x@y"), "Subject: x"])


ME = "me@evil.example"
MINE = path("news", ref_of(ME))
OWN_ID = path("news", "u-666")


def forged_mac(victim, key_id="k"):
    real = path("news", ref_of(victim))
    local, domain = real.split("@")
    return local[:-17] + key_id + "".join(random.choice(LETTERS) for _ in range(16)) + "@" + domain


# What is sent, to which return path or paths, for a victim of this number's own.
FORGERIES = {
    "unsigned": lambda v: ("bounce@b.example.com", whole.dsn("bounce@b.example.com", v)),
    "the attacker's own path": lambda v: (MINE, whole.dsn(MINE, v)),
    "and the victim as original recipient": lambda v: (MINE, whole.dsn(MINE, ME, original=v)),
    "and as To of the returned message": lambda v: (MINE, whole.dsn(MINE, v, returned=headers(v))),
    "and everywhere": lambda v: (MINE, whole.dsn(MINE, v, original=v, returned=headers(v, return_path=MINE))),
    "the attacker's path in upper case": lambda v: (MINE.upper(), whole.dsn(MINE, v)),
    "wrapped by BATV": lambda v: ("prvs=4711abcdef=" + MINE, whole.dsn(MINE, v)),
    "wrapped by SRS": lambda v: (srs(MINE), whole.dsn(MINE, v, original=v)),
    "an own id": lambda v: (OWN_ID, whole.dsn(OWN_ID, v, original=v, returned=headers(v))),
    "the victim's path with a guessed tag": lambda v: (p := forged_mac(v), whole.dsn(p, v)),
    "the same in upper case": lambda v: (p := forged_mac(v).upper(), whole.dsn(p, v)),
    "the same within BATV": lambda v: (p := "prvs=4711abcdef=" + forged_mac(v), whole.dsn(p, v)),
    "the same within SRS": lambda v: (p := srs(forged_mac(v)), whole.dsn(p, v)),
    "a key that nobody has, beside the attacker's own path": lambda v: ([p := forged_mac(v, "z"), MINE], whole.dsn(p, v)),
    "the same behind it": lambda v: ([MINE, p := forged_mac(v, "z")], whole.dsn(p, v)),
    "a guessed tag beside it": lambda v: ([p := forged_mac(v), MINE], whole.dsn(p, v)),
    "a key that nobody has, beside an own id": lambda v: ([p := forged_mac(v, "z"), OWN_ID], whole.dsn(p, v)),
    "another key": lambda v: (p := path("news", ref_of(v), key="11" * 32), whole.dsn(p, v)),
    "the victim's path, expired": lambda v: (p := path("news", ref_of(v), 61), whole.dsn(p, v)),
    "from the future": lambda v: (p := path("news", ref_of(v), -3), whole.dsn(p, v)),
    "signed for another domain": lambda v: (p := path("news", ref_of(v), signed_domain="b.other.example"), whole.dsn(p, v)),
    "signed for another campaign": lambda v: (p := path("other", ref_of(v)).replace("r1.other.", "r1.news."), whole.dsn(p, v)),
    "a valid tag of the attacker's on the victim's ref": lambda v: (p := MINE.replace(ref_of(ME), ref_of(v)), whole.dsn(p, v)),
    "the attacker's path in the returned message": lambda v: ("bounce@b.example.com", whole.dsn("bounce@b.example.com", v, returned=headers(v, return_path=MINE))),
    "a Message-ID of the attacker's own": lambda v: ("bounce@b.example.com", whole.dsn("bounce@b.example.com", v, returned=headers(v, "mine@b.example.com"))),
    "a complaint, unsigned": lambda v: ("fbl@b.example.com", whole.arf("fbl@b.example.com", v)),
    "a complaint under the attacker's path": lambda v: (MINE, whole.arf(MINE, v)),
    "a complaint that names a forged path": lambda v: ("fbl@b.example.com", whole.arf("fbl@b.example.com", v, forged_mac(v))),
    "a complaint about the attacker's mail": lambda v: ("fbl@b.example.com", whole.arf("fbl@b.example.com", v, MINE)),
}

# Reports that are as they should be, in the forms that hosts give them.
PROVEN = {
    "plain": lambda a: (p := path("news", ref_of(a)), whole.dsn(p, a)),
    "upper": lambda a: ((p := path("news", ref_of(a))).upper(), whole.dsn(p, a.upper())),
    "batv": lambda a: ("prvs=4711abcdef=" + (p := path("news", ref_of(a))), whole.dsn(p, a)),
    "srs": lambda a: (srs(p := path("news", ref_of(a))), whole.dsn(p, a)),
    "days59": lambda a: (p := path("news", ref_of(a), 59), whole.dsn(p, a)),
    "forwarded": lambda a: (p := path("news", ref_of(a)), whole.dsn(p, "else@forward.example", original=a)),
    "complaint": lambda a: (p := path("news", ref_of(a)), whole.arf(p, a)),
}


class Forgery(api.Case):
    def test_thousands_of_forged_reports_suppress_nobody_who_is_not_proven(self):
        self.good(self.ask("POST", "/v1/sends", {"campaign": "news", "recipient": ME,
                                                 "message_id": "<mine@b.example.com>"}))
        victims, proven = [], []
        random.seed(4711)
        with self.service.mail() as client:
            def send(to, octets):
                client.sendmail("", to, octets)
            for number in range(EACH):
                for kind, (what, make) in enumerate(FORGERIES.items()):
                    victims.append("v%d-%d@victim.example" % (kind, number))
                    send(*make(victims[-1]))
                for kind, make in PROVEN.items() if number % 30 == 0 else ():
                    proven.append("%s%d@proven.example" % (kind, number))
                    send(*make(proven[-1]))
        self.service.settled()
        self.assertEqual(self.service.metric("dsnd_smtp_messages_total"), len(victims) + len(proven))
        self.check_only_proven(victims, proven)
        # Parsed again, now and after the keys were changed, they prove as little and as much.
        for keys in ("k " + api.KEY, "n " + "22" * 32):
            with open(self.service.dir + "/keys", "w") as file:
                file.write(keys + "\n")
            self.service.run("reclassify", "--reparse", "--apply")
            self.check_only_proven(victims, proven)
        print("%d forged and %d proven reports" % (len(victims), len(proven)))

    def check_only_proven(self, victims, proven):
        # Reports under his own path prove himself: the attacker, and his own id, if anybody.
        found = {address.lower() for address in self.service.suppressed()}
        self.assertEqual(found - {ME, "news/u-666"}, set(proven))
        checked = self.ask("POST", "/v1/suppressions/check", {"addresses": victims}).data
        self.assertEqual([row["address"] for row in checked if row["suppressed"]], [])
        for address in victims[::97]:
            self.problem(self.get("/v1/suppressions/" + address), 404)
            self.assertEqual(self.get("/v1/suppressions/%s/history" % address).data, [])
        self.assertEqual([row for row in self.get("/v1/suppressions/held").data], [])
        changed = self.get("/v1/suppressions/changes", limit=10000).data
        self.assertFalse([row for row in changed if (row["address"] or "").endswith("@victim.example")])
        for row in self.get("/v1/suppressions", format="ndjson").lines:
            self.assertTrue(row["evidence"] and row["status_ids"], row)

    def test_what_a_mail_says_of_its_delivery_it_says_once(self):
        mine = path("once", ref_of(ME))
        with self.service.mail() as client:
            for _ in range(3):
                octets = whole.dsn(mine, ME, status="5.7.1",
                                   text="550 5.7.1 blocked using Spamhaus, 203.0.113.9")
                start = octets.index(b"Final-Recipient")
                end = octets.index(b"--b", start)
                client.sendmail("", mine, octets[:start] + octets[start:end] * 60 + octets[end:])
        self.service.settled()
        found = self.good(self.get("/v1/campaigns/once")).json
        self.assertEqual(found["coverage"], {"value": 1.0, "numerator": 3, "denominator": 3})
        self.assertEqual(found["counts"]["failed"], 1)
        self.assertEqual(self.get("/v1/incidents").data, [])
        report = self.good(self.get("/v1/statuses", campaign="once", limit=1)).data[0]["report_id"]
        report = self.good(self.get("/v1/reports/%s" % report)).json
        self.assertEqual((len(report["recipients"]), report["recipients_dropped"]), (1, 59))

    def test_who_takes_only_signed_mail_refuses_them_before_the_body(self):
        refusing = whole.Whole(self.service.dsnd, None, "[smtp]\nrequire_signed=yes\n")
        try:
            with refusing.mail() as client:
                client.ehlo("evil.example")
                for kind in ("unsigned", "the victim's path with a guessed tag", "another key",
                             "the victim's path, expired", "signed for another campaign"):
                    client.mail("")
                    code, text = client.rcpt(FORGERIES[kind]("v@victim.example")[0])
                    self.assertEqual(code, 550, (kind, text))
                    client.rset()
        finally:
            refusing.stop()


if __name__ == "__main__":
    whole.main(lambda dsnd: whole.Whole(dsnd, None))
