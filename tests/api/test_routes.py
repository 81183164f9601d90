"""Every route: what it answers, and how it refuses."""
import csv
import io
import json
import re

import kit
from kit import Case, escape, failure


class Tokens(Case):
    def test_no_token_is_401_and_says_which_scheme(self):
        reply = self.get("/v1/campaigns", token="")
        self.problem(reply, 401)
        self.assertIn("Bearer", reply.headers["WWW-Authenticate"])

    def test_an_unknown_token_is_401(self):
        self.problem(self.get("/v1/campaigns", token="dsnd_" + "a" * 52), 401)
        self.problem(self.get("/v1/campaigns", token=self.service.token[:-1]), 401)

    def test_each_route_takes_only_its_scopes(self):
        rows = [("GET", "/v1/campaigns", "read"), ("GET", "/v1/statuses", "read"),
                ("GET", "/v1/metrics", "read"), ("PUT", "/v1/campaigns/scoped", "write"),
                ("POST", "/v1/return-paths", "write"), ("POST", "/v1/sends", "write"),
                ("GET", "/v1/suppressions", "read suppressions"),
                ("PUT", "/v1/suppressions/scoped@x.example", "suppressions"),
                ("DELETE", "/v1/suppressions/scoped@x.example", "suppressions"),
                ("GET", "/v1/quarantine", "admin")]
        for scope in ("read", "write", "suppressions", "admin"):
            token = self.service.add_token(scope)
            for method, path, allowed in rows:
                body = {} if method in ("PUT", "POST") else None
                reply = self.ask(method, path, body, token=token)
                with self.subTest(scope=scope, method=method, path=path):
                    if scope in allowed.split() or scope == "admin":
                        self.assertNotIn(reply.status, (401, 403))
                    else:
                        self.problem(reply, 403)

    def test_a_revoked_token_ends(self):
        token = self.service.add_token("read")
        self.good(self.get("/v1/campaigns", token=token))
        number = self.service.run("token", "list").splitlines()[-1].split("\t")[0]
        self.service.run("token", "revoke", number)
        self.service.run("token", "revoke", number, status=1)
        for _ in range(50):
            if self.get("/v1/campaigns", token=token).status == 401:
                return
            kit.time.sleep(0.1)
        self.fail("a revoked token is still good after 5 s")

    def test_an_expired_token_is_401(self):
        token = self.service.add_token("read", "--expires", "2199-01-01T00:00:00Z")
        self.service.sql("UPDATE token SET expires_at = '2020-01-01' WHERE expires_at = '2199-01-01'")
        self.problem(self.get("/v1/campaigns", token=token), 401)

    def test_the_program_refuses_what_is_no_scope(self):
        self.service.run("token", "add", "--name", "x", "--scopes", "all", status=2)
        self.service.run("token", "add", "--scopes", "read", status=2)


class Protocol(Case):
    def test_an_unknown_path_is_404_and_a_wrong_method_405_with_allow(self):
        self.problem(self.get("/v1/nosuch"), 404)
        self.problem(self.get("/v1/campaigns/a/b"), 404)
        reply = self.ask("PATCH", "/v1/campaigns/spring")
        self.problem(reply, 405)
        self.assertEqual(reply.headers["Allow"], "GET, HEAD, PUT, OPTIONS")

    def test_a_body_of_another_type_is_415_and_a_long_one_413(self):
        self.problem(self.ask("POST", "/v1/suppressions/check", b"<a/>",
                              headers={"Content-Type": "text/xml"}), 415,
                     "Content-Type", "application/json")
        self.problem(self.ask("POST", "/v1/suppressions/check", b" " * (5 << 20)), 413, "body", "4194304")

    def test_an_unknown_or_doubled_parameter_is_named(self):
        self.problem(self.get("/v1/campaigns", nosuch=1), 400, "nosuch", "limit")
        self.problem(self.get("/v1/campaigns?limit=1&limit=2"), 400, "limit")

    def test_a_read_that_finds_the_same_is_304(self):
        first = self.good(self.get("/v1/campaigns"))
        tag = first.headers["ETag"]
        again = self.get("/v1/campaigns", headers={"If-None-Match": tag})
        self.assertEqual((again.status, again.body), (304, b""))
        self.ask("PUT", "/v1/campaigns/tagged", {})
        self.good(self.get("/v1/campaigns", headers={"If-None-Match": tag}))

    def test_the_metrics_listener_has_health_and_counters_and_nothing_else(self):
        self.assertEqual(self.service.metrics("/healthz").status, 200)
        self.assertEqual(self.service.metrics("/readyz").status, 200)
        text = self.good(self.service.metrics("/metrics")).body.decode()
        self.assertRegex(text, r'(?m)^dsnd_http_requests_total\{[^}]*\} [1-9]')
        self.assertNotIn("@", text)
        self.assertEqual(self.service.metrics("/v1/campaigns").status, 404)
        self.problem(self.get("/metrics"), 404)


class Dashboard(Case):
    def test_its_files_are_there_and_may_run_nothing_from_elsewhere(self):
        page = self.good(self.get("/", token=""))
        self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8")
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'; script-src 'self'", policy)
        self.assertNotIn("unsafe", policy)
        names = set(re.findall(r'"(/web/[^"]+)"', page.body.decode()))
        scripts = self.good(self.get("/web/app.js", token="")).body.decode()
        names |= {"/web/" + name for name in re.findall(r'from "\./([^"]+)"', scripts)}
        self.assertGreaterEqual(len(names), 4)
        for name in names:
            file = self.good(self.get(name, token=""))
            self.assertIn(file.headers["Content-Type"].split(";")[0],
                          ("text/javascript", "text/css", "image/svg+xml"))
            self.assertEqual(self.get(name, token="", headers={
                "If-None-Match": file.headers["ETag"]}).status, 304)
        self.problem(self.get("/web/nosuch", token=""), 404)

    def test_data_may_never_run(self):
        self.assertIn("sandbox", self.get("/v1/campaigns").headers["Content-Security-Policy"])


class Campaigns(Case):
    def test_put_makes_and_changes_only_what_is_given(self):
        made = self.good(self.ask("PUT", "/v1/campaigns/puts",
                                  {"name": "Näme", "tags": ["a", "b"], "sent": 10}), 201).json
        self.assertEqual((made["name"], made["tags"], made["sent"], made["basis"]),
                         ("Näme", ["a", "b"], 10, "sent"))
        changed = self.good(self.ask("PUT", "/v1/campaigns/puts", {"sent": None})).json
        self.assertEqual((changed["name"], changed["sent"], changed["basis"]),
                         ("Näme", None, "reported"))
        self.assertEqual(self.good(self.get("/v1/campaigns/puts")).json, changed)

    def test_put_refuses_by_name(self):
        for body, parameter in (({"name": 5}, "name"), ({"tags": "a"}, "tags"),
                                ({"tags": [5]}, "tags"), ({"sent": -1}, "sent"),
                                ({"sent": "1"}, "sent"), ({"nosuch": 1}, "nosuch")):
            with self.subTest(body=body):
                self.problem(self.ask("PUT", "/v1/campaigns/puts", body), 400, parameter)
        self.problem(self.ask("PUT", "/v1/campaigns/UPPER", {}), 400, "key", "a-z")
        self.problem(self.get("/v1/campaigns/nosuch"), 404)

    def test_counts_and_rates_equal_what_was_stored(self):
        self.ask("PUT", "/v1/campaigns/rated", {"sent": 10})
        self.service.seed(
            failure("rated", "a@x.example"),
            failure("rated", "b@x.example", class_="mailbox_full", permanent="no"),
            failure("rated", "c@x.example", class_="reputation_block", provider="microsoft"),
            failure("rated", "d@x.example", action="delivered", class_=None),
            failure("rated", "e@x.example", action="relayed", class_=None),
            failure("rated", "f@x.example", action="delayed", class_="throttled", permanent="no"),
            failure("rated", "a@x.example", action="delayed", class_="throttled", permanent="no"),
            {"campaign": "rated", "for": "d@x.example", "complaint": 1,
             "recipient": "d@x.example", "class": "complaint"})
        found = self.good(self.get("/v1/campaigns/rated")).json
        self.assertEqual(found["counts"], {
            "failed": 3, "delivered_confirmed": 1, "handed_off": 1, "delay_open": 1, "delayed": 2,
            "delivered_presumed": 4, "complained": 1})
        rates = {name: (rate["value"], rate["numerator"], rate["denominator"])
                 for name, rate in found["rates"].items()}
        self.assertEqual(rates, {
            "failure_rate": (0.3, 3, 10), "hard_failure_rate": (0.1, 1, 10),
            "soft_failure_rate": (0.1, 1, 10), "block_failure_rate": (0.1, 1, 10),
            "delivery_rate": (0.6, 6, 10), "delay_rate": (0.2, 2, 10),
            "complaint_rate": (0.1428571429, 1, 7)})
        self.assertEqual(found["classes"],
                         {"mailbox_unknown": 1, "mailbox_full": 1, "reputation_block": 1})
        self.assertEqual(found["providers"]["microsoft"]["failed"], 1)
        self.assertEqual(found["coverage"]["value"], 1)
        self.ask("PUT", "/v1/campaigns/rated", {"sent": 2})
        for name, rate in self.get("/v1/campaigns/rated").json["rates"].items():
            self.assertIsNone(rate["value"], name)


class Statuses(Case):
    @classmethod
    def setUpClass(cls):
        cls.service.seed(
            failure("listed", "one@x.example", diagnostic="550 5.1.1 no such user"),
            failure("listed", "two@x.example", class_="mailbox_full", provider="yahoo",
                    at=kit.NOON + 3600, diagnostic="=cmd|' /C calc'!A0"))

    def test_filters_each_take_their_part(self):
        for query, expected in (({}, 2), ({"class_": "mailbox_full"}, 1), ({"action": "failed"}, 2),
                                ({"action": "delayed"}, 0), ({"provider": "yahoo"}, 1),
                                ({"recipient": "ONE@x.example"}, 1),
                                ({"from_": "2026-11-23T10:30:00Z"}, 1),
                                ({"to": "2026-11-23T10:30:00Z"}, 1)):
            with self.subTest(query=query):
                reply = self.good(self.get("/v1/statuses", campaign="listed", **query))
                self.assertEqual(len(reply.data), expected)

    def test_each_bad_filter_is_named_with_what_is_allowed(self):
        for name, value, word in (("class", "nope", "mailbox_unknown"), ("action", "x", "delayed"),
                                  ("from", "yesterday", "RFC 3339"), ("campaign", "A B", "a-z"),
                                  ("recipient", "nobody", "address"), ("cursor", "x", "cursor"),
                                  ("limit", "0", "1000"), ("format", "xml", "csv")):
            with self.subTest(name=name):
                self.problem(self.get("/v1/statuses?%s=%s" % (name, escape(value))), 400, name, word)

    def test_one_status_and_its_report_say_the_same(self):
        listed = self.get("/v1/statuses", campaign="listed", provider="google").data[0]
        self.assertEqual(self.good(self.get("/v1/statuses/%d" % listed["id"])).json, listed)
        self.assertEqual((listed["class"], listed["evidence"], listed["rule"], listed["status"]),
                         ("mailbox_unknown", "signed", "rule-x", "5.1.1"))
        path = "/v1/reports/%d" % listed["report_id"]
        report = self.good(self.get(path)).json
        self.assertEqual(report["recipients"], [listed])
        self.assertEqual((report["kind"], report["campaign"], report["attribution"]),
                         ("dsn", "listed", "return_path"))
        raw = self.good(self.get(path + "/raw"))
        self.assertTrue(raw.body.startswith(b"Received: by way"))
        self.assertEqual(raw.headers["Content-Type"], "message/rfc822")
        self.assertIn("attachment", raw.headers["Content-Disposition"])
        explained = self.good(self.get(path + "/explain")).json
        self.assertIn("proves the address", explained["recipients"][0]["evidence_because"])

    def test_what_is_not_there_is_404(self):
        for path in ("/v1/statuses/999999", "/v1/statuses/x", "/v1/reports/999999",
                     "/v1/reports/999999/raw", "/v1/reports/x/explain", "/v1/quarantine/1"):
            with self.subTest(path=path):
                self.problem(self.get(path), 404)

    def test_csv_is_defused_and_ndjson_is_a_record_a_line(self):
        reply = self.good(self.get("/v1/statuses", campaign="listed", format="csv"))
        self.assertIn("text/csv", reply.headers["Content-Type"])
        rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
        self.assertEqual({row["provider"] for row in rows}, {"google", "yahoo"})
        self.assertEqual(rows[0]["diagnostic"], "'=cmd|' /C calc'!A0")
        reply = self.good(self.get("/v1/statuses", campaign="listed",
                                   headers={"Accept": kit.NDJSON}))
        self.assertEqual(reply.headers["Content-Type"], kit.NDJSON)
        self.assertEqual(reply.lines, self.get("/v1/statuses", campaign="listed").data)


class Sends(Case):
    def post(self, lines, **headers):
        body = "\n".join(json.dumps(line) for line in lines).encode()
        return self.ask("POST", "/v1/sends", body,
                        headers={"Content-Type": kit.NDJSON, **headers})

    def test_each_line_has_its_result_and_again_changes_nothing(self):
        lines = [{"campaign": "sent", "recipient": "a@x.example", "message_id": "<1@m>"},
                 {"campaign": "sent", "ref": "u-1"}, {"campaign": "sent"},
                 {"campaign": "A B", "ref": "u-2"}, {"campaign": "sent", "ref": "u-1"}]
        results = self.good(self.post(lines)).data
        self.assertEqual([r["result"] for r in results],
                         ["created", "created", "error", "error", "exists"])
        self.assertEqual(results[1]["ref"], "u-1")
        self.assertEqual(results[3]["parameter"], "campaign")
        again = self.good(self.post(lines)).data
        self.assertEqual([r["result"] for r in again],
                         ["exists", "exists", "error", "error", "exists"])
        self.assertEqual(self.get("/v1/campaigns/sent").json["sent"], 2)

    def test_the_default_ref_of_another_is_refused(self):
        owner = self.good(self.post([{"campaign": "owned", "recipient": "owner@x.example"}])).data[0]["ref"]
        lines = [{"campaign": "owned2", "recipient": "Owner@X.example", "ref": owner},
                 {"campaign": "owned2", "recipient": "other@x.example", "ref": owner},
                 {"campaign": "owned3", "ref": owner}]
        results = self.good(self.post(lines)).data
        self.assertEqual([line["result"] for line in results], ["created", "error", "created"])
        self.assertEqual(results[1]["parameter"], "ref")
        self.problem(self.ask("POST", "/v1/sends", lines[1]), 400, "ref", "another address")

    def test_an_own_ref_does_not_begin_like_a_default_one(self):
        for ref in ("h76gzqgp4byjl6x", "h76gzqgp4byjl6-1"):
            result, = self.good(self.post([{"campaign": "own", "recipient": "a@x.example", "ref": ref}])).data
            self.assertEqual((result["result"], result["parameter"]), ("error", "ref"))
            self.problem(self.ask("POST", "/v1/return-paths", {"campaign": "own", "recipients": [{"ref": ref}]}),
                         400, "recipients", "recipients[0]", "default")
        result, = self.good(self.post([{"campaign": "own", "ref": "h76gzqgp4byj-16"}])).data
        self.assertEqual(result["result"], "created")

    def test_a_recipient_is_an_address_alone(self):
        for address in ("<a@x.example>", "Ann <a@x.example>", "a@x.example,b@x.example", "a@x.example>"):
            result, = self.good(self.post([{"campaign": "alone", "recipient": address}])).data
            self.assertEqual((result["result"], result.get("parameter")), ("error", "recipient"), address)
            for recipient in (address, {"recipient": address}):
                self.problem(self.ask("POST", "/v1/return-paths",
                                      {"campaign": "alone", "recipients": [recipient]}), 400, "recipients")
        for address in ('"<a>"@x.example', "o'neil@x.example", "a@[192.0.2.1]", "a@xn--bcher-kva.example"):
            result, = self.good(self.post([{"campaign": "alone", "recipient": address}])).data
            self.assertEqual(result["result"], "created", address)

    def test_ten_thousand_lines_are_taken_and_one_more_refused(self):
        lines = [{"campaign": "many", "ref": "r%d" % i} for i in range(10001)]
        self.problem(self.post(lines), 413, "body", "10000")
        self.problem(self.get("/v1/campaigns/many"), 404)
        self.good(self.post(lines[:10000]))
        self.assertEqual(self.get("/v1/campaigns/many").json["sent"], 10000)

    def test_a_registered_message_id_proves_the_recipient(self):
        self.good(self.post([{"campaign": "proof", "recipient": "p@x.example",
                              "message_id": "<proof@m>"}]))
        self.service.seed({"to": "bounce@b.example.com", "recipient": "p@x.example",
                           "returned_id": "proof@m", "action": "failed",
                           "class": "mailbox_unknown", "permanent": "yes"})
        status = self.get("/v1/statuses", campaign="proof").data[0]
        self.assertEqual((status["evidence"], status["proven_recipient"]),
                         ("matched", "p@x.example"))

    def test_an_idempotency_key_gives_the_first_answer_again(self):
        first = self.post([{"campaign": "keyed", "ref": "k1"}], **{"Idempotency-Key": "one"})
        again = self.post([{"campaign": "keyed", "ref": "k1"}], **{"Idempotency-Key": "one"})
        self.assertEqual(self.good(first).data[0]["result"], "created")
        self.assertEqual(again.body, first.body)
        other = self.post([{"campaign": "keyed", "ref": "k2"}], **{"Idempotency-Key": "one"})
        self.assertIn(other.status, (409, 422))
        fresh = self.post([{"campaign": "keyed", "ref": "k1"}], **{"Idempotency-Key": "two"})
        self.assertEqual(fresh.data[0]["result"], "exists")

    def test_a_request_that_cannot_be_read_leaves_its_key_free(self):
        key = {"Idempotency-Key": "mended"}
        path = "/v1/return-paths"
        body = {"campaign": "mended", "recipients": ["a@x.example"]}
        bad = self.ask("POST", path, {**body, "nosuch": 1}, headers=key)
        self.problem(bad, 400, "nosuch")
        kept = self.good(self.ask("POST", path, body, headers=key))
        self.assertNotIn("Idempotency-Replayed", kept.headers)
        again = self.ask("POST", path, body, headers=key)
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        other = self.ask("POST", path, {**body, "nosuch": 1}, headers=key)
        self.problem(other, 422, "Idempotency-Key")


class ReturnPaths(Case):
    def test_minted_paths_are_ours_and_prove_the_recipient(self):
        reply = self.good(self.ask("POST", "/v1/return-paths", {
            "campaign": "spring", "recipients": ["A@b.example", {"ref": "u-4711"}]}))
        by_address, by_ref = reply.data
        self.assertEqual(by_address["recipient"], "A@b.example")
        self.assertTrue(by_address["address"].endswith("@b.example.com"))
        self.assertIsNone(by_ref["recipient"])
        self.assertEqual(by_ref["ref"], "u-4711")
        said = json.loads(self.service.run("verify", by_address["address"],
                                           "--recipient", "a@b.example"))
        self.assertTrue(said["valid"] and said["proves_recipient"])

    def test_what_cannot_be_minted_is_named(self):
        for recipients in (["x"], [5], [{}], [{"ref": "A B"}], [{"ref": "h" + "a" * 13}]):
            with self.subTest(recipients=recipients):
                self.assertIn("recipients[0]", self.ask("POST", "/v1/return-paths", {
                    "campaign": "s", "recipients": recipients}).json["detail"])
        self.problem(self.ask("POST", "/v1/return-paths", {"recipients": []}), 400, "campaign")


if __name__ == "__main__":
    kit.main()
