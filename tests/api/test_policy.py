#!/usr/bin/env python3
"""The policy of suppression by class, and the history of an address with who changed it."""
import time

import kit
from kit import Case, escape, failure

DAY = 86400


class Policy(Case):
    def policy(self, name):
        return next(row for row in self.get("/v1/suppression-policy").data if row["class"] == name)

    def put(self, name, **body):
        return self.ask("PUT", "/v1/suppression-policy/" + name, body)

    def is_suppressed(self, address):
        return self.ask("POST", "/v1/suppressions/check", {"addresses": [address]}).data[0]["suppressed"]

    def test_every_class_has_its_row(self):
        rows = {row["class"]: row for row in self.good(self.get("/v1/suppression-policy")).data}
        self.assertEqual(len(rows), 17)
        self.assertEqual([name for name, row in rows.items() if row["threshold"]],
                         ["mailbox_unknown", "mailbox_inactive", "domain_invalid", "mailbox_full",
                          "policy_refused", "complaint"])
        self.assertEqual((rows["mailbox_full"]["expires_s"], rows["mailbox_full"]["probation_s"]),
                         (90 * DAY, 90 * DAY))
        self.assertTrue(rows["mailbox_inactive"]["relapse_lasts"])
        self.assertEqual({row["evidence"] for row in rows.values()}, {"matched"})

    def test_what_is_put_holds_and_says_who_put_it(self):
        token = self.service.run("token", "add", "--name", "gardener", "--scopes", "admin").strip()
        before = self.policy("throttled")
        reply = self.good(self.ask("PUT", "/v1/suppression-policy/throttled", {
            "threshold": 2, "window_s": DAY, "expires_s": 7 * DAY, "evidence": "signed"}, token=token))
        self.assertEqual(reply.json, self.policy("throttled"))
        self.assertEqual((before["threshold"], reply.json["threshold"], reply.json["window_s"]), (0, 2, DAY))
        self.assertEqual((reply.json["changed_by"], reply.json["evidence"]), ("gardener", "signed"))
        for campaign in ("p1", "p2"):
            self.assertFalse(self.is_suppressed("t@policy.example"))
            self.service.seed(failure(campaign, "t@policy.example", class_="throttled"))
        self.assertTrue(self.is_suppressed("t@policy.example"))
        self.assertTrue(self.get("/v1/suppressions/t@policy.example").json["expires_at"])
        self.good(self.put("throttled", threshold=0))
        self.assertEqual({**self.policy("throttled"), "changed_at": None, "changed_by": None}, before)
        self.service.seed(*[failure("p%d" % i, "u@policy.example", class_="throttled") for i in range(3)])
        self.assertFalse(self.is_suppressed("u@policy.example"))
        self.assertEqual(self.service.sql("SELECT string_agg(changed_by, ' ' ORDER BY id) FROM "
                                          "suppression_policy_change WHERE class = 6").strip(), "gardener test")

    def test_what_contradicts_itself_is_refused_by_name(self):
        for name, body, parameter in (
                ("network", {}, "threshold"), ("network", {"threshold": 101}, "threshold"),
                ("network", {"threshold": -1}, "threshold"), ("network", {"threshold": "1"}, "threshold"),
                ("reputation_block", {"threshold": 1}, "threshold"),
                ("auth_failure", {"threshold": 1}, "threshold"),
                ("content_block", {"threshold": 1}, "threshold"),
                ("auto_reply", {"threshold": 1}, "threshold"),
                ("network", {"threshold": 2}, "window_s"),
                ("network", {"threshold": 2, "window_s": 3599}, "window_s"),
                ("network", {"threshold": 1, "window_s": 3600}, "window_s"),
                ("network", {"threshold": 2, "window_s": DAY, "distinct_days": 3}, "distinct_days"),
                ("network", {"threshold": 9, "window_s": DAY, "distinct_days": 4}, "distinct_days"),
                ("network", {"threshold": 1, "expires_s": 60}, "expires_s"),
                ("network", {"threshold": 0, "expires_s": DAY}, "expires_s"),
                ("network", {"threshold": 1, "probation_s": DAY}, "probation_s"),
                ("network", {"threshold": 1, "expires_s": DAY, "relapse_lasts": True}, "relapse_lasts"),
                ("network", {"threshold": 1, "evidence": "none"}, "evidence"),
                ("network", {"threshold": 1, "evidence": "sigend"}, "evidence"),
                ("network", {"threshold": 1, "colour": "red"}, "colour")):
            with self.subTest(name=name, body=body):
                self.problem(self.put(name, **body), 400, parameter)
        self.problem(self.put("no_such_class", threshold=1), 404)
        self.assertEqual(self.policy("network")["threshold"], 0)


class History(Case):
    def history(self, address):
        return self.good(self.get("/v1/suppressions/%s/history" % escape(address))).data

    def test_each_change_says_what_why_and_who(self):
        address = "h@history.example"
        ann = self.service.run("token", "add", "--name", "ann", "--scopes", "suppressions").strip()
        bob = self.service.run("token", "add", "--name", "bob", "--scopes", "admin").strip()
        path = "/v1/suppressions/" + address
        self.assertEqual(self.history(address), [])
        self.service.seed(failure("history", address))
        self.good(self.ask("DELETE", path, token=ann), 204)
        self.good(self.ask("PUT", path, {"note": "asked us to"}, token=bob))
        self.good(self.ask("DELETE", path, token=ann), 204)
        # What was received before a person lifted makes no entry again, so these came after.
        later = int(time.time()) + 60
        self.service.seed(failure("history2", address, at=kit.NOON))
        self.service.seed(failure("history2", address, at=later))
        self.good(self.ask("POST", "/v1/suppressions/undo", {"campaign": "history2", "note": "outage"}, token=bob))
        self.service.seed(failure("history3", address, at=later + 600))
        self.service.seed(failure("history4", address, action="delivered", class_=None, permanent=None,
                                  at=later + 3600))
        rows = self.history(address)
        self.assertEqual([(row["op"], row["source"], row["actor"], row["note"]) for row in rows],
                         [("add", "policy", None, None), ("lift", "api", "ann", None),
                          ("add", "api", "bob", "asked us to"), ("lift", "api", "ann", None),
                          ("add", "policy", None, None), ("lift", "api", "bob", "outage"),
                          ("add", "policy", None, None), ("lift", "policy", None, "delivered")])
        for row in rows:
            if row["op"] == "add" and row["source"] == "policy":
                found = self.good(self.get("/v1/statuses/%d" % row["status_ids"][0])).json
                self.assertEqual(found["recipient"], address)
        self.assertEqual([row["seq"] for row in rows], sorted(row["seq"] for row in rows))
        self.good(self.ask("DELETE", "/v1/recipients/" + address, token=bob))
        self.assertEqual(len(self.history(address)), 8)
        self.assertNotIn("asked us to", str(self.history(address)))

    def test_what_was_held_and_dropped_is_told_and_no_change_of_the_list(self):
        self.good(self.ask("PUT", "/v1/campaigns/heldlong", {"sent": 300}), 201)
        reports = [failure("heldlong", "n%d@held.example" % n, diagnostic="550 no such user here")
                   for n in range(150)]
        self.service.seed(*reports)
        self.service.sql("SELECT guard_hold(timestamptz 'epoch' + interval '%d s', 10000)" % kit.NOON)
        self.service.seed(failure("heldlong", "late@held.example", diagnostic="550 no such user here"))
        held = next(row for row in self.get("/v1/suppressions/held").data if row["campaign"] == "heldlong")
        token = self.service.run("token", "add", "--name", "judge", "--scopes", "suppressions").strip()
        self.good(self.ask("POST", "/v1/suppressions/held/%d" % held["id"], {"decision": "drop"}, token=token))
        self.assertEqual([(row["op"], row["actor"], row["note"], row["seq"] is None)
                          for row in self.history("n1@held.example")],
                         [("add", None, None, False), ("lift", None, "held", False), ("drop", "judge", None, True)])
        self.assertEqual([(row["op"], row["actor"]) for row in self.history("late@held.example")],
                         [("hold", None), ("drop", "judge")])

    def test_of_very_many_changes_the_last_are_told(self):
        name = "/v1/suppressions/often@h.example"
        self.service.sql("INSERT INTO suppression_change (seq, at, op, address_hash, source) SELECT"
                         " -n, now() - n * interval '1 minute', 1 + n % 2, sha256('often@h.example'), 2"
                         " FROM generate_series(1, 1000) n")
        self.good(self.ask("PUT", name, {"note": "the last"}))
        rows = self.history("often@h.example")
        self.assertEqual((len(rows), rows[-1]["note"]), (1000, "the last"))
        self.assertEqual([row["at"] for row in rows], sorted(row["at"] for row in rows))
        self.service.sql("DELETE FROM suppression_change WHERE seq < 0")

    def test_what_is_no_address_is_refused(self):
        self.problem(self.get("/v1/suppressions/nobody/history"), 400, "address")


if __name__ == "__main__":
    kit.main()
