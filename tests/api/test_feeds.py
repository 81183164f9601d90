"""What others follow and mirror: pages, suppressions and their changes; and the database away."""
import hashlib
import json
import os
import signal
import subprocess
import threading
import time

import kit
from kit import Case, escape, failure


class Pages(Case):
    def walk(self, path, limit, **query):
        """Every row of a list, page by page, as a client follows it."""
        rows, cursor = [], None
        while True:
            more = dict(query, limit=limit, **({"cursor": cursor} if cursor else {}))
            reply = self.good(self.get(path, **more))
            self.assertLessEqual(len(reply.data), limit)
            rows += reply.data
            cursor = reply.json["next_cursor"]
            self.assertEqual("next" in (reply.headers["Link"] or ""), cursor is not None)
            if cursor is None:
                return rows

    def test_no_row_is_missed_or_doubled_while_rows_are_stored(self):
        self.service.seed(*[failure("paged", "first%d@x.example" % i, at=kit.NOON + i // 50)
                            for i in range(1500)])
        before = {row["recipient"] for row in self.walk("/v1/statuses", 1000, campaign="paged")}
        self.assertEqual(len(before), 1500)
        stop = threading.Event()

        def store():
            number = 0
            while not stop.is_set():
                self.service.seed(*[failure("paged", "later%d@x.example" % (number + i))
                                    for i in range(20)])
                number += 20

        writer = threading.Thread(target=store)
        writer.start()
        try:
            for limit in (7, 100):
                rows = self.walk("/v1/statuses", limit, campaign="paged")
                found = [row["recipient"] for row in rows]
                self.assertEqual(len(found), len(set(found)))
                self.assertEqual(before - set(found), set())
        finally:
            stop.set()
            writer.join()

    def test_a_cursor_of_another_list_is_refused(self):
        for number in range(3):
            self.ask("PUT", "/v1/campaigns/cursor%d" % number, {})
        cursor = self.get("/v1/campaigns", limit=1).json["next_cursor"]
        self.problem(self.get("/v1/suppressions", cursor=cursor), 400, "cursor")
        self.problem(self.get("/v1/campaigns", cursor=cursor[:-2]), 400, "cursor")

    def test_a_streamed_list_holds_what_the_pages_hold(self):
        self.service.seed(*[failure("streamed", "s%d@x.example" % i, at=kit.NOON + i % 7)
                            for i in range(4100)])
        streamed = self.good(self.get("/v1/statuses", campaign="streamed", format="ndjson")).lines
        self.assertEqual(streamed, self.walk("/v1/statuses", 1000, campaign="streamed"))
        self.assertEqual(len(self.good(self.get("/v1/statuses", campaign="streamed", format="ndjson",
                                                limit=10)).lines), 10)

    def test_campaigns_and_suppressions_are_paged_too(self):
        for number in range(23):
            self.ask("PUT", "/v1/campaigns/list-%d" % number, {"tags": ["walk"]})
            self.ask("PUT", "/v1/suppressions/walk%d@x.example" % number, {})
        self.assertEqual([row["key"] for row in self.walk("/v1/campaigns", 5, tag="walk")],
                         ["list-%d" % number for number in reversed(range(23))])
        addresses = [row["address"] for row in self.walk("/v1/suppressions", 4) if row["address"]]
        self.assertEqual(len(addresses), len(set(addresses)))
        self.assertLessEqual({"walk%d@x.example" % n for n in range(23)}, set(addresses))


class Suppressions(Case):
    def test_put_get_check_and_delete(self):
        path = "/v1/suppressions/" + escape("Put+1@x.example")
        self.problem(self.get(path), 404)
        put = self.good(self.ask("PUT", path, {
            "class": "mailbox_unknown", "note": "by hand", "expires_at": "2099-01-01T00:00:00Z"}))
        self.assertEqual((put.json["class"], put.json["source"], put.json["expires_at"]),
                         ("mailbox_unknown", "api", "2099-01-01T00:00:00Z"))
        self.assertEqual(self.get("/v1/suppressions/put+1@X.EXAMPLE").json["since"],
                         put.json["since"])
        checked = self.good(self.ask("POST", "/v1/suppressions/check", {
            "addresses": ["PUT+1@x.example", "free@x.example"]})).data
        self.assertEqual([(row["address"], row["suppressed"], row["class"]) for row in checked],
                         [("PUT+1@x.example", True, "mailbox_unknown"),
                          ("free@x.example", False, None)])
        self.assertEqual(self.ask("DELETE", path).status, 204)
        self.problem(self.ask("DELETE", path), 404)
        self.problem(self.get(path), 404)

    def test_a_proven_failure_suppresses_and_names_its_status(self):
        self.service.seed(failure("proof", "gone@x.example"))
        entry = self.good(self.get("/v1/suppressions/gone@x.example")).json
        status = self.get("/v1/statuses", recipient="gone@x.example").data[0]
        self.assertEqual((entry["status_ids"], entry["evidence"], entry["source"], entry["class"]),
                         ([status["id"]], "signed", "policy", "mailbox_unknown"))

    def test_what_proves_nothing_suppresses_nobody(self):
        self.service.seed(
            {"to": "bounce@b.example.com", "recipient": "unsigned@x.example", "action": "failed",
             "class": "mailbox_unknown", "permanent": "yes"},
            failure("proof", "mine@x.example", recipient="victim@x.example"),
            failure("proof", "blocked@x.example", class_="reputation_block"),
            failure("proof", "slow@x.example", action="delayed", class_="throttled",
                    permanent="no"))
        for name in ("unsigned", "victim", "blocked", "slow"):
            self.problem(self.get("/v1/suppressions/%s@x.example" % name), 404)

    def test_who_puts_is_told_what_he_put_though_others_lift_it(self):
        found, until = set(), time.monotonic() + 3

        def run(method):
            connection = self.service.connect()
            while time.monotonic() < until:
                reply = self.ask(method, "/v1/suppressions/pulled@x.example",
                                 {} if method == "PUT" else None, connection=connection)
                found.add((method, reply.status))
            connection.close()

        threads = [threading.Thread(target=run, args=(method,)) for method in ("PUT", "DELETE") * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found - {("DELETE", 404)}, {("PUT", 200), ("DELETE", 204)})

    def test_an_address_is_put_alone(self):
        for name in ("<a@x.example>", "a@x.example,b@x.example", "a@x.example;", "Ann <a@x.example>"):
            self.problem(self.ask("PUT", "/v1/suppressions/" + escape(name), {}), 400, "address")

    def test_bad_bodies_are_refused_by_name(self):
        for body, parameter in (({"class": "nope"}, "class"), ({"class": 5}, "class"),
                                ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
                                ({"expires_at": "soon"}, "expires_at"),
                                ({"note": "x" * 501}, "note"), ({"nosuch": 1}, "nosuch")):
            with self.subTest(body=body):
                self.problem(self.ask("PUT", "/v1/suppressions/b@x.example", body), 400, parameter)
        self.problem(self.ask("PUT", "/v1/suppressions/nobody", {}), 400, "address")
        for addresses in (5, [5], [""], ["a\u0001b@x"], ["a@b.c"] * 10001):
            self.problem(self.ask("POST", "/v1/suppressions/check", {"addresses": addresses}),
                         400, "addresses")
        # Who asks for what is no address alone must not be told that nobody is suppressed.
        for name in ("x", "<a@x.example>", "a@x.example,b@x.example", "Ann <a@x.example>", "a@x.example "):
            self.problem(self.ask("POST", "/v1/suppressions/check", {"addresses": ["a@x.example", name]}),
                         400, "addresses", "addresses[1]")
        self.problem(self.ask("POST", "/v1/suppressions/check", {}), 400, "addresses")

    def test_ten_thousand_addresses_are_checked_at_once(self):
        self.ask("PUT", "/v1/suppressions/n77@many.example", {})
        rows = self.good(self.ask("POST", "/v1/suppressions/check", {
            "addresses": ["n%d@many.example" % n for n in range(10000)]})).data
        self.assertEqual([n for n, row in enumerate(rows) if row["suppressed"]], [77])


class Undo(Case):
    def undo(self, **body):
        return self.ask("POST", "/v1/suppressions/undo", {k.rstrip("_"): v
                                                          for k, v in body.items()})

    def test_what_one_cause_has_suppressed_is_lifted_and_nothing_else(self):
        for provider in ("outage", "others"):
            self.service.seed(*[failure("undo", "%s%d@u.example" % (provider, n),
                                        provider=provider) for n in range(20)])
        self.service.seed({"campaign": "undo", "for": "outage1@u.example", "complaint": 1,
                           "recipient": "outage1@u.example", "class": "complaint"})
        self.ask("PUT", "/v1/suppressions/outage-hand@u.example", {"class": "mailbox_unknown"})
        after = Changes.end(self)
        cause = {"provider": "outage", "class_": "mailbox_unknown", "campaign": "undo",
                 "rule": "rule-x", "from_": "2026-01-01"}
        self.assertEqual(self.good(self.undo(dry_run=True, **cause)).json,
                         {"dry_run": True, "lifted": 19})
        self.assertEqual(Changes.end(self), after)
        self.assertEqual(self.good(self.undo(**{**cause, "rule": "nosuch"})).json,
                         {"dry_run": False, "lifted": 0})
        self.assertEqual(self.good(self.undo(note="outage of Monday", **cause)).json,
                         {"dry_run": False, "lifted": 19})
        changes = self.get("/v1/suppressions/changes", after=after).data
        self.assertEqual({(row["op"], row["note"]) for row in changes},
                         {("lift", "outage of Monday")})
        self.assertEqual({row["address"] for row in changes},
                         {"outage%d@u.example" % n for n in range(20) if n != 1})  # who complained
        self.good(self.get("/v1/suppressions/others1@u.example"))
        self.good(self.get("/v1/suppressions/outage-hand@u.example"))
        self.assertEqual(self.undo(**cause).json["lifted"], 0)

    def test_what_a_person_set_is_theirs_though_it_was_there(self):
        name = "by_hand@u.example"
        self.service.seed(failure("byhand", name, complaint="yes", class_="complaint"))
        self.assertEqual(self.good(self.get("/v1/suppressions/" + name)).json["source"], "policy")
        put = self.good(self.ask("PUT", "/v1/suppressions/" + name, {"class": "complaint"})).json
        self.assertEqual(put["source"], "api")
        self.assertEqual(self.good(self.undo(campaign="byhand")).json["lifted"], 0)
        self.good(self.get("/v1/suppressions/" + name))

    def test_an_incident_that_is_none_is_refused_whatever_else_is_named(self):
        self.problem(self.undo(class_="complaint", incident=0, dry_run=True), 400, "incident")

    def test_a_cause_must_be_named(self):
        self.problem(self.undo(), 400, "body", "class, campaign, rule")
        self.problem(self.undo(note="x", dry_run=True), 400, "body")
        self.problem(self.undo(class_="nope"), 400, "class")
        self.problem(self.undo(class_="network", dry_run="yes"), 400, "dry_run", "true or false")


class Held(Case):
    def outage(self, campaign):
        self.ask("PUT", "/v1/campaigns/" + campaign, {"sent": 400})
        self.service.seed(*[failure(campaign, "%s%d@o.example" % (campaign, n), at=int(time.time()),
                                    provider="flaky", diagnostic="550 5.1.1 <%d@o> unknown" % n)
                            for n in range(150)])
        # What the pipeline does every minute.
        self.service.sql("SELECT guard_hold(now(), 10000)")
        return [row for row in self.get("/v1/suppressions/held").data
                if row["campaign"] == campaign][0]

    def check(self, campaign):
        return sum(row["suppressed"] for row in self.ask("POST", "/v1/suppressions/check", {
            "addresses": ["%s%d@o.example" % (campaign, n) for n in range(150)]}).data)

    def test_too_many_at_once_are_held_until_somebody_decides(self):
        for campaign, decision, suppressed in (("held1", "release", 150), ("held2", "drop", 0)):
            held = self.outage(campaign)
            self.assertEqual((held["provider"], held["decided_at"]), ("flaky", None))
            self.assertGreaterEqual(held["pending"], 150)
            self.assertEqual(self.check(campaign), 0)
            path = "/v1/suppressions/held/%d" % held["id"]
            self.problem(self.ask("POST", path, {"decision": "maybe"}), 400, "decision", "release")
            done = self.good(self.ask("POST", path, {"decision": decision})).json
            self.assertEqual((done["decision"], done["entries"]), (decision, held["pending"]))
            self.assertEqual(self.check(campaign), suppressed)
            self.problem(self.ask("POST", path, {"decision": decision}), 404)

    def test_an_erased_one_waits_with_the_others_and_hinders_no_complaint(self):
        held = self.outage("held3")
        after = self.service.sql("SELECT seq FROM suppression_clock").strip()
        for number in (1, 2):
            self.good(self.ask("DELETE", "/v1/recipients/held3%d@o.example" % number))
        # Those who mirror the list were told before that it is not on it.
        self.assertEqual(self.get("/v1/suppressions/changes", after=after).data, [])
        self.assertEqual(self.check("held3"), 0)
        self.service.seed(failure("held3", "held32@o.example", complaint="yes", class_="complaint"))
        self.assertEqual(self.check("held3"), 1)
        found = self.good(self.get("/v1/suppressions/held32@o.example")).json
        self.assertEqual((found["class"], found["pending"]), ("complaint", False))
        done = self.good(self.ask("POST", "/v1/suppressions/held/%d" % held["id"],
                                  {"decision": "release"})).json
        self.assertEqual(done["entries"], held["pending"])
        self.assertEqual(self.check("held3"), 150)


class Erasure(Case):
    def test_an_address_goes_everywhere_and_its_suppression_holds(self):
        name = "Erase.Me@x.example"
        before = self.get("/v1/suppressions/changes", limit=10000).json["next_after"]
        self.ask("POST", "/v1/sends", {"campaign": "erased", "recipient": name,
                                       "message_id": "<e1@m>"})
        self.service.seed(
            failure("erased", name, diagnostic="550 <Erase.Me@x.example> unknown", final=name),
            failure("erased", name, body=7),
            failure("erased", "stays@x.example", final="stays@x.example"),
            failure("erased", "other@x.example", recipient=name, original=name))
        counts = self.get("/v1/campaigns/erased").json["counts"]
        self.good(self.get("/v1/suppressions/" + name))
        done = self.good(self.ask("DELETE", "/v1/recipients/" + name.upper())).json
        self.assertGreaterEqual(done["erased"], 4)
        # Nothing that can be asked for names the address any more.
        for path in ("/v1/statuses", "/v1/suppressions", "/v1/campaigns"):
            reply = self.good(self.get(path, format="ndjson"))
            self.assertNotIn("erase.me", reply.body.decode().lower())
        self.assertNotIn("erase.me", self.dump().lower())
        for status in self.get("/v1/statuses", campaign="erased").data:
            raw = self.get("/v1/reports/%d/raw" % status["report_id"]).status
            self.assertEqual(raw, 200 if status["recipient"] else 404)
        self.assertEqual(self.get("/v1/campaigns/erased").json["counts"], counts)
        # The list still knows whom it must not mail, and mirrors are told whom to forget.
        row = self.ask("POST", "/v1/suppressions/check", {"addresses": [name, "o@x.example"]}).data
        self.assertEqual([one["suppressed"] for one in row], [True, False])
        self.assertIsNone(self.good(self.get("/v1/suppressions/" + name)).json["address"])
        changes = self.get("/v1/suppressions/changes", after=before, limit=10000).data
        self.assertEqual((changes[-1]["op"], changes[-1]["address"], changes[-1]["address_sha256"]),
                         ("erase", None, hashlib.sha256(name.lower().encode()).hexdigest()))
        again = self.good(self.ask("DELETE", "/v1/recipients/" + name)).json
        self.assertEqual(again, {"erased": 0})
        self.assertEqual(self.ask("DELETE", "/v1/suppressions/" + name).status, 204)
        row = self.ask("POST", "/v1/suppressions/check", {"addresses": [name]}).data
        self.assertFalse(row[0]["suppressed"])

    def test_of_two_entries_of_one_person_the_one_that_lasts_is_kept(self):
        one = "/v1/suppressions/lasting@x.example"
        for body in ({"class": "mailbox_full", "expires_at": "2090-01-01T00:00:00Z"},
                     {"class": "complaint"},
                     {"class": "mailbox_full", "expires_at": "2099-01-01T00:00:00Z"}):
            self.good(self.ask("PUT", one, body))
            self.good(self.ask("DELETE", "/v1/recipients/lasting@x.example"))
        found = self.good(self.get(one)).json
        self.assertEqual((found["class"], found["expires_at"]), ("complaint", None))

    def test_an_address_with_quotes_and_spaces_goes_too(self):
        name = '"erase me"@q.example'
        one = "/v1/suppressions/" + escape(name)
        self.service.seed(failure("quoted", name, diagnostic="550 <%s> unknown" % name, final=name),
                          failure("quoted", "other@q.example", diagnostic="450 for %s" % name,
                                  action="delayed", permanent="no"))
        self.assertEqual(self.good(self.get(one)).json["address"], name)
        self.good(self.get("/v1/suppressions/%s/history" % escape(name)))
        found = self.good(self.get("/v1/statuses?recipient=" + escape(name))).data
        self.assertEqual(len(found), 1)
        self.good(self.ask("DELETE", one), 204)
        self.good(self.ask("PUT", one, {}))
        row = self.ask("POST", "/v1/suppressions/check", {"addresses": [name]}).data
        self.assertTrue(row[0]["suppressed"])
        self.good(self.ask("DELETE", "/v1/recipients/" + escape(name)))
        self.good(self.ask("DELETE", one), 204)
        self.assertEqual([line for line in self.dump().splitlines() if "erase me" in line], [])

    def dump(self):
        """Everything the database holds, as text, but answers kept for Idempotency-Keys."""
        return self.service.program("pg_dump", "--data-only", "--exclude-table=idempotency")

    def test_what_is_no_address_is_refused(self):
        self.problem(self.ask("DELETE", "/v1/recipients/nobody"), 400, "address")


class Files(Case):
    """`dsnd suppressions export` and `import`."""

    def imported(self, text, *arguments):
        text = text if isinstance(text, bytes) else text.encode()
        return subprocess.run([self.service.dsnd, "suppressions", "import", *arguments, "-c",
                               self.service.config], input=text, capture_output=True,
                              timeout=60, check=False)

    def check(self, text, expected, *arguments, status=0):
        done = self.imported(text, *arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        for address, class_, note in expected:
            entry = self.good(self.get("/v1/suppressions/" + escape(address))).json
            self.assertEqual((entry["class"], entry["note"], entry["source"]),
                             (class_, note, "import"))
        return done.stderr.decode()

    def test_addresses_csv_and_ndjson_are_taken(self):
        self.check("plain1@f.example\r\nplain2@f.example\n\n", [
            ("plain1@f.example", "mailbox_unknown", "old list"),
            ("plain2@f.example", "mailbox_unknown", "old list")],
            "--class", "mailbox_unknown", "--note", "old list")
        self.check("Class,ADDRESS,note,x\ncomplaint,csv1@f.example,\"a, \"\"b\"\"\",1\n"
                   ",\"csv2@f.example\",'=1,2\n",
                   [("csv1@f.example", "complaint", 'a, "b"'), ("csv2@f.example", None, "=1")])
        self.check('{"address":"nd@f.example","class":"mailbox_full",'
                   '"expires_at":"2099-01-01T00:00:00Z"}\n', [("nd@f.example", "mailbox_full", None)])

    def test_a_bad_line_is_named_and_the_others_go_in(self):
        said = self.check("address,class,expires_at\na1@g.example,,\nnobody,,\nb@g.example,nope,\n"
                          "c@g.example,,soon\na2@g.example,,\n",
                          [("a1@g.example", None, None), ("a2@g.example", None, None)], status=1)
        for line in ("line 3: address", "line 4: class", "line 5: expires_at", "3 lines refused"):
            self.assertIn(line, said)
        self.problem(self.get("/v1/suppressions/b@g.example"), 404)

    def test_a_mark_of_utf_8_is_no_part_of_the_file(self):
        self.check(b"\xef\xbb\xbfaddress,class\r\nmark1@g.example,complaint\r\n",
                   [("mark1@g.example", "complaint", None)])
        self.check(b"\xef\xbb\xbfmark2@g.example\r\n", [("mark2@g.example", None, None)])
        self.check(b'\xef\xbb\xbf{"address":"mark3@g.example"}\n', [("mark3@g.example", None, None)])

    def test_a_quote_takes_no_other_line_with_it(self):
        # Within a cell it is a character as any other.
        self.check('address,note\nquote0@g.example,5" x\nquote1@g.example,\n',
                   [('quote0@g.example', None, '5" x'), ("quote1@g.example", None, None)])
        # Before a cell it has to be closed.
        said = self.check('address,note\nquote2@g.example,"a\nquote3@g.example,b\n' +
                          "".join("quote%d@g.example,c\n" % n for n in range(4, 5000)),
                          [("quote3@g.example", None, "b"), ("quote4999@g.example", None, "c")],
                          status=1)
        self.assertIn("line 2: has an open quote", said)
        self.assertIn("4997 entries read, 4997 of them new or changed, 1 lines refused", said)
        self.problem(self.get("/v1/suppressions/quote2@g.example"), 404)
        # What another such line begins with closes no cell.
        said = self.check('address\n"no1\nquote5000@g.example\n"no2\nquote5001@g.example\n',
                          [("quote5000@g.example", None, None), ("quote5001@g.example", None, None)],
                          status=1)
        self.assertIn("line 4: has an open quote", said)
        # What is quoted may hold the end of a line.
        self.check('address,x,note\nquote2@g.example,"a\n\nb ""c"" ",d\n',
                   [("quote2@g.example", None, "d")])

    def test_a_line_too_long_is_named_and_the_others_go_in(self):
        said = self.check("long1@g.example\n%s\n\"%s\nlong2@g.example" % ("x" * 70000, "y" * 65530),
                          [("long1@g.example", None, None), ("long2@g.example", None, None)],
                          status=1)
        for words in ("line 2: is too long", "line 3: has an open quote", "2 lines refused"):
            self.assertIn(words, said)

    def test_what_is_no_utf_8_costs_its_line_alone(self):
        said = self.check(b"address,note\nlatin1@g.example,M\xfcller\nlatin2@g.example,b\n",
                          [("latin2@g.example", None, "b")], status=1)
        self.assertIn("line 2: note", said)

    def test_what_would_be_taken_for_something_else_is_refused(self):
        good = [("like2@g.example", "complaint", None)]
        for line in ('{"address":"like1@g.example","expires_at":4070908800}',
                     '{"address":"like1@g.example","class":5}', '{"address":["like1@g.example"]}',
                     "<like1@g.example>", "like1@g.example;complaint",
                     '{"address":"like1@g.example, like2@g.example"}'):
            said = self.check(line + '\n{"address":"like2@g.example","class":"complaint"}\n', good,
                              status=1)
            self.assertIn("line 1: ", said)
            self.problem(self.get("/v1/suppressions/like1@g.example"), 404)
        # An entry that has ended does not take the place of one that lasts.
        said = self.check("address,expires_at\nlike2@g.example,2001-01-01T00:00:00Z\n", good, status=1)
        self.assertIn("line 2: expires_at", said)

    def test_of_lines_of_one_address_the_last_holds(self):
        lines = ["address,class,note"] + ["twice%d@g.example,%s,%s" % (n, class_, note)
                                          for class_, note in (("mailbox_full", "a"), ("complaint", "b"))
                                          for n in range(400)]
        after = self.service.sql("SELECT seq FROM suppression_clock").strip()
        self.check("\n".join(lines), [("twice%d@g.example" % n, "complaint", "b") for n in range(400)])
        # The feed, and the history, say why as they do of a single one.
        self.assertEqual({(row["op"], row["class"], row["note"]) for row in
                          self.get("/v1/suppressions/changes", after=after).data},
                         {("add", "complaint", "b")})
        digest = hashlib.sha256(b"both@g.example").hexdigest()
        self.check("address,address_sha256\nboth@g.example,\n,%s\n" % digest,
                   [("both@g.example", None, None)])
        self.assertEqual(self.get("/v1/suppressions/both@g.example").json["address"], "both@g.example")

    def test_what_is_exported_is_imported_as_it_was(self):
        notes = ["'=1+1", "''@x", "=1", "'tis", " two ", 'a,"b"', "'", "-"]
        paths = ["/v1/suppressions/" + escape("'=exact%d@g.example" % n) for n in range(len(notes))]
        for path, note in zip(paths, notes):
            self.good(self.ask("PUT", path, {"note": note}))
        text = self.service.run("suppressions", "export")
        for path in paths:
            self.good(self.ask("DELETE", path), 204)
        self.check(text, [("'=exact%d@g.example" % n, None, note) for n, note in enumerate(notes)])

    def test_what_is_exported_can_be_imported(self):
        lines = "".join("e%d@h.example\n" % n for n in range(6000))
        self.check(lines, [("e5999@h.example", "mailbox_unknown", None)],
                   "--class", "mailbox_unknown")
        text = self.service.run("suppressions", "export")
        self.assertEqual(sum("@h.example" in line for line in text.splitlines()), 6000)
        self.assertIn("0 of them new or changed", self.imported(text).stderr.decode())
        lines = self.service.run("suppressions", "export", "--format", "ndjson", "--hashed")
        rows = [json.loads(line) for line in lines.splitlines()]
        self.assertNotIn("@", lines)
        self.assertIn(hashlib.sha256(b"e77@h.example").hexdigest(),
                      {row["address_sha256"] for row in rows})
        # A third party gets the same by HTTP; one that holds only hashes suppresses by them.
        for kind in ("csv", "ndjson"):
            reply = self.good(self.get("/v1/suppressions", format=kind, hashed="yes")).body.decode()
            self.assertNotIn("@", reply)
            self.assertGreaterEqual(len(reply.splitlines()), 6000)
            self.assertIn(hashlib.sha256(b"e77@h.example").hexdigest(), reply)
        self.assertEqual(set(self.good(self.get("/v1/suppressions", hashed="yes")).data[0]),
                         {"address_sha256", "class", "since", "expires_at"})
        self.service.run("suppressions", "export", "--format", "xml", status=2)
        self.service.run("suppressions", "nosuch", status=2)


    def suppressed(self, *addresses):
        rows = self.ask("POST", "/v1/suppressions/check", {"addresses": addresses}).data
        return [row["suppressed"] for row in rows]

    def test_hashes_suppress_the_addresses_that_nobody_named(self):
        digest = {name: hashlib.sha256(b"%s@hash.example" % name.encode()).hexdigest()
                  for name in ("a", "b", "c", "d")}
        self.assertEqual(self.imported("address_sha256,class\n%s,complaint\n%s,\n" % (
            digest["a"], digest["b"].upper())).returncode, 0)
        self.assertEqual(self.imported('{"address_sha256":"%s","note":"n"}\n' % digest["c"]).returncode, 0)
        self.assertEqual(self.suppressed("A@hash.example", "b@hash.example", "c@hash.example", "e@hash.example"),
                         [True, True, True, False])
        entry = self.good(self.get("/v1/suppressions/a@hash.example")).json
        self.assertEqual((entry["address"], entry["class"], entry["source"]), (None, "complaint", "import"))
        self.assertIn(digest["b"], self.service.run("suppressions", "export", "--hashed"))
        self.assertNotIn(digest["b"], self.service.run("suppressions", "export"))
        # An address that is known stays so; one that becomes known is named from then on.
        self.check("a@hash.example\n", [("a@hash.example", None, None)])
        self.imported('{"address_sha256":"%s","note":"again"}\n' % digest["a"])
        self.assertEqual(self.get("/v1/suppressions/a@hash.example").json["address"], "a@hash.example")
        self.good(self.ask("DELETE", "/v1/suppressions/b@hash.example"), 204)
        self.assertEqual(self.suppressed("b@hash.example"), [False])
        # So does the proof of a failure.
        self.imported('{"address_sha256":"%s","expires_at":"2099-01-01T00:00:00Z"}\n' % digest["d"])
        self.service.seed(failure("hashes", "d@hash.example", complaint="yes", class_="complaint"))
        entry = self.get("/v1/suppressions/d@hash.example").json
        self.assertEqual((entry["address"], entry["class"]), ("d@hash.example", "complaint"))
        # An erased one has a hash that nobody can compute: it is not for third parties.
        self.good(self.ask("DELETE", "/v1/recipients/a@hash.example"))
        text = self.service.run("suppressions", "export", "--hashed")
        self.assertNotIn(digest["a"], text)
        self.assertEqual(self.suppressed("a@hash.example"), [True])
        said = self.imported("address_sha256\n%s\n%s0\nzz%s\n" % (digest["c"], digest["c"], digest["c"][2:]))
        self.assertEqual(said.returncode, 1)
        for line in (b"line 3: address_sha256 is not 64", b"line 4: address_sha256"):
            self.assertIn(line, said.stderr)


class Changes(Case):
    def end(self):
        """The number behind the last change."""
        after = 0
        while True:
            reply = self.good(self.get("/v1/suppressions/changes", after=after, limit=10000)).json
            if not reply["data"]:
                return after
            after = reply["next_after"]

    def test_each_change_comes_once_in_order(self):
        after = self.end()
        for method in ("PUT", "DELETE", "PUT"):
            self.ask(method, "/v1/suppressions/order@x.example", {} if method == "PUT" else None)
        reply = self.good(self.get("/v1/suppressions/changes", after=after)).json
        self.assertEqual([(row["op"], row["address"]) for row in reply["data"]],
                         [(op, "order@x.example") for op in ("add", "lift", "add")])
        numbers = [row["seq"] for row in reply["data"]]
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(reply["next_after"], numbers[-1])
        again = self.get("/v1/suppressions/changes", after=numbers[0], limit=1).json
        self.assertEqual([row["seq"] for row in again["data"]], numbers[1:2])

    def test_a_number_that_was_never_given_is_refused(self):
        end = self.end()
        self.problem(self.get("/v1/suppressions/changes", after=end + 1), 400, "after", "from 0")
        # A mirror that waits while the database is put back to an earlier time learns of it.
        answers = []
        self.service.sql("UPDATE suppression_clock SET seq = seq + 10")
        waiter = threading.Thread(target=lambda: answers.append(
            self.get("/v1/suppressions/changes", after=end + 10, wait=2)))
        waiter.start()
        time.sleep(0.5)
        self.service.sql("UPDATE suppression_clock SET seq = seq - 10")
        waiter.join()
        self.problem(answers[0], 400, "after", "from 0")

    def test_putting_the_same_again_is_no_change(self):
        self.ask("PUT", "/v1/suppressions/same@x.example", {"class": "mailbox_unknown"})
        after = self.end()
        self.ask("PUT", "/v1/suppressions/same@x.example", {"class": "mailbox_unknown"})
        self.assertEqual(self.end(), after)

    def test_a_long_poll_ends_with_the_change(self):
        after = self.end()
        answers = []

        def wait():
            begun = time.monotonic()
            reply = self.get("/v1/suppressions/changes", after=after, wait=20)
            answers.append((time.monotonic() - begun, reply))

        waiters = [threading.Thread(target=wait) for _ in range(20)]
        for waiter in waiters:
            waiter.start()
        time.sleep(1)
        self.assertEqual(answers, [])
        self.good(self.get("/v1/campaigns"))  # twenty who wait take no thread
        self.ask("PUT", "/v1/suppressions/polled@x.example", {})
        for waiter in waiters:
            waiter.join()
        for took, reply in answers:
            self.assertLess(took, 5)
            self.assertEqual([row["address"] for row in self.good(reply).data],
                             ["polled@x.example"])

    def test_a_long_poll_without_a_change_ends_in_time(self):
        after, begun = self.end(), time.monotonic()
        reply = self.good(self.get("/v1/suppressions/changes", after=after, wait=1)).json
        self.assertEqual(reply, {"data": [], "next_after": after})
        self.assertTrue(0.9 < time.monotonic() - begun < 4)
        self.problem(self.get("/v1/suppressions/changes", after=0, wait=3600), 400, "wait", "30")

    def test_a_long_poll_ends_in_time_though_the_clock_is_set_back(self):
        service, late = self.service, os.environ["LATE_CLOCK"]
        after = self.end()
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(30)
        # Where a sanitizer wants to be loaded first it does without.
        service.start(LD_PRELOAD=late, ASAN_OPTIONS="verify_asan_link_order=0")
        try:
            connection = service.connect(timeout=10)
            reply = self.good(self.get("/v1/suppressions/changes", after=after, wait=1,
                                       connection=connection)).json
            self.assertEqual(reply, {"data": [], "next_after": after})
        finally:
            service.process.kill()
            service.process.wait(30)
            service.start()

    def test_writers_side_by_side_lose_no_change_for_a_reader(self):
        after, seen, done = self.end(), [], threading.Event()

        def write(part):
            connection = self.service.connect()
            for number in range(60):
                self.ask("PUT", "/v1/suppressions/p%d-%d@race.example" % (part, number), {},
                         connection=connection)
            connection.close()

        def read():
            at = after
            while True:
                last = done.is_set()
                reply = self.get("/v1/suppressions/changes", after=at, wait=0).json
                seen.extend(row["address"] for row in reply["data"])
                at = reply["next_after"]
                if last and not reply["data"]:
                    return

        reader = threading.Thread(target=read)
        writers = [threading.Thread(target=write, args=(part,)) for part in range(6)]
        for thread in [reader, *writers]:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        reader.join()
        self.assertEqual(sorted(seen), sorted("p%d-%d@race.example" % (part, number)
                                              for part in range(6) for number in range(60)))


class Outage(Case):
    def test_away_is_503_with_retry_after_and_back_is_back(self):
        self.good(self.get("/v1/campaigns"))
        waiting = []
        after = Changes.end(self)
        poll = threading.Thread(target=lambda: waiting.append(
            self.get("/v1/suppressions/changes", after=after, wait=3)))
        poll.start()
        time.sleep(0.3)
        self.service.proxy.away()
        try:
            begun = time.monotonic()
            reply = self.get("/v1/campaigns")
            self.problem(reply, 503)
            self.assertTrue(int(reply.headers["Retry-After"]) >= 1)
            self.assertLess(time.monotonic() - begun, 10)
            self.assertNotIn(b"postgresql://", reply.body)
            self.assertEqual(self.service.metrics("/readyz").status, 503)
            self.assertEqual(self.service.metrics("/healthz").status, 200)
            self.good(self.get("/v1/openapi.json", token=""))
            poll.join(20)
            self.assertIn(waiting[0].status, (200, 503))
        finally:
            self.service.proxy.back()
        for _ in range(100):
            if self.service.metrics("/readyz").status == 200:
                break
            time.sleep(0.1)
        self.good(self.get("/v1/campaigns"))


if __name__ == "__main__":
    kit.main()
