#!/usr/bin/env python3
"""Guard, undo and erasure of the running service: reports in by SMTP, questions out by HTTP."""
import hashlib
import os
import time

import whole
from whole import api
from test_forgery import path, ref_of

PROVIDERS = ("gmail.com", "gmx.de")


class Lists(api.Case):
    def bounce(self, campaign, address, **how):
        to = path(campaign, ref_of(address))
        return to, whole.dsn(to, address, **how)

    def check(self, addresses):
        rows = self.good(self.ask("POST", "/v1/suppressions/check", {"addresses": addresses})).data
        return [row["address"] for row in rows if row["suppressed"]]

    def changes(self, after):
        return self.good(self.get("/v1/suppressions/changes", after=after, limit=10000)).data

    def last(self):
        rows = self.changes(0)
        return rows[-1]["seq"] if rows else 0

    def test_an_outage_is_held_until_a_person_decides(self):
        for campaign, decision in (("outage1", "release"), ("outage2", "drop")):
            self.good(self.ask("PUT", "/v1/campaigns/" + campaign, {"sent": 400}), 201)
        people = {c: ["%s-%d@gmail.com" % (c, n) for n in range(150)] for c in ("outage1", "outage2")}
        begun = time.gmtime().tm_hour
        # 150 of 400 are gone at once, all in the same words; the others fail as usual.
        text = "550 5.1.1 <%s>: this account does not exist here"
        self.service.send(*(self.bounce(c, one, text=text) for c, all_ in people.items() for one in all_))
        self.service.send(*(self.bounce("outage1", "usual%d@gmx.de" % n) for n in range(20)))
        self.service.settled()
        self.service.until(lambda: not self.check(people["outage1"] + people["outage2"]), 150)
        held = self.get("/v1/suppressions/held").data
        # The guard keeps a row an hour of the clock.
        self.assertEqual({row["campaign"] for row in held}, {"outage1", "outage2"})
        if begun == time.gmtime().tm_hour:
            self.assertEqual(len(held), 2)
        self.assertEqual(len(self.check(["usual%d@gmx.de" % n for n in range(20)])), 20)
        # What still comes in the same words is held from the beginning.
        self.service.send(self.bounce("outage1", "late@gmail.com", text=text))
        self.service.settled()
        if begun == time.gmtime().tm_hour:
            self.assertEqual(self.check(["late@gmail.com"]), [])
        self.service.until(lambda: not self.check(["late@gmail.com"]), 150)
        for row in self.get("/v1/suppressions/held").data:
            decision = "release" if row["campaign"] == "outage1" else "drop"
            self.good(self.ask("POST", "/v1/suppressions/held/%d" % row["id"], {"decision": decision}))
        self.assertEqual(self.check(people["outage1"] + ["late@gmail.com"]), people["outage1"] + ["late@gmail.com"])
        self.assertEqual(self.check(people["outage2"]), [])
        ops = [row["op"] for row in self.get("/v1/suppressions/outage2-7@gmail.com/history").data]
        self.assertEqual(ops, ["add", "lift", "drop"])
        self.assertEqual(self.get("/v1/campaigns/outage2").json["counts"]["failed"], 150)

    def undo(self, **body):
        return self.good(self.ask("POST", "/v1/suppressions/undo", body)).json["lifted"]

    def test_what_one_cause_suppressed_is_lifted_and_nothing_else(self):
        people = {(c, p): ["%s%d@%s" % (c, n, p) for n in range(10)] for c in ("undo1", "undo2")
                  for p in PROVIDERS}
        everybody = [one for some in people.values() for one in some]
        for (campaign, provider), some in people.items():
            self.service.send(*(self.bounce(campaign, one) for one in some))
        self.service.send(*(self.bounce("undo1", "moved%d@gmx.de" % n, text="550 5.1.6 <%s>: has moved, no forwarding")
                            for n in range(5)))
        self.good(self.ask("PUT", "/v1/suppressions/byhand@gmail.com", {}))
        self.service.settled()
        rule = self.get("/v1/statuses", campaign="undo1", recipient="undo10@gmail.com").data[0]["rule"]
        provider = self.get("/v1/statuses", campaign="undo1", recipient="undo10@gmail.com").data[0]["provider"]
        since = self.get("/v1/suppressions/undo10@gmail.com").json["since"]
        cause = {"campaign": "undo1", "provider": provider, "rule": rule, "class": "mailbox_unknown", "from": since[:19] + "Z"}
        wanted = people["undo1", "gmail.com"]
        before = self.last()
        self.assertEqual(self.undo(dry_run=True, **cause), 10)
        self.assertEqual(self.undo(dry_run=True, **{**cause, "to": since[:19] + "Z"}), 0)
        self.assertEqual(self.undo(dry_run=True, **{**cause, "rule": "nosuch"}), 0)
        self.assertEqual(self.check(everybody), everybody)
        self.assertEqual(self.changes(before), [])
        self.assertEqual(self.undo(note="their outage", **cause), 10)
        self.assertEqual(set(everybody) - set(self.check(everybody)), set(wanted))
        rows = self.changes(before)
        self.assertEqual((len(rows), {row["op"] for row in rows}, {row["note"] for row in rows}),
                         (10, {"lift"}, {"their outage"}))
        self.assertEqual(len(self.check(["moved%d@gmx.de" % n for n in range(5)] + ["byhand@gmail.com"])), 6)
        # What fails again is suppressed again.
        self.service.send(self.bounce("undo3", wanted[0]))
        self.service.settled()
        self.assertEqual(self.check(wanted), [wanted[0]])

    def test_who_is_erased_is_nowhere_and_still_not_mailed(self):
        name, other = "Erase.Me@gmail.com", "stays@gmail.com"
        self.service.send(self.bounce("erasure", name, text="550 5.1.1 <%s>: unknown"), self.bounce("erasure", other))
        self.service.send((path("erasure2", ref_of(name)), whole.arf(path("erasure2", ref_of(name)), name)))
        self.service.settled()
        counts = self.get("/v1/campaigns/erasure").json["counts"]
        reports = [row["report_id"] for row in self.get("/v1/statuses", recipient=name).data]
        self.assertGreaterEqual(len(reports), 2)
        self.assertIn(name.lower(), self.good(self.get("/v1/reports/%d/raw" % reports[0])).body.decode().lower())
        before = self.last()
        self.good(self.ask("DELETE", "/v1/recipients/" + name.upper()))
        # Texts that no index finds are searched by maintenance.
        self.service.until(lambda: "erase.me" not in self.service.program("pg_dump", "--data-only").lower(), 150)
        for report in reports:
            self.problem(self.get("/v1/reports/%d/raw" % report), 404)
        self.assertEqual(self.get("/v1/statuses", recipient=name).data, [])
        self.assertEqual(self.get("/v1/campaigns/erasure").json["counts"], counts)
        self.assertEqual(self.check([name, other]), [name, other])
        rows = self.changes(before)
        self.assertEqual([(row["op"], row["address"], row["address_sha256"]) for row in rows],
                         [("erase", None, hashlib.sha256(name.lower().encode()).hexdigest())])
        # A later report does not bring the address back to the list.
        self.service.send(self.bounce("erasure3", name))
        self.service.settled()
        self.assertEqual(self.check([name]), [name])
        self.assertNotIn(name.lower(), [one.lower() for one in self.service.suppressed()])


if __name__ == "__main__":
    whole.main(lambda dsnd: whole.Whole(dsnd, None))
