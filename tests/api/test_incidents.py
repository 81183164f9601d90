"""/v1/incidents: lists, filters, one, and what can be undone by it."""
import csv
import io

import kit
from kit import Case, failure

BLOCK = "550 5.7.1 <%s> Client host [203.0.113.5] blocked using zen.example.org"


def refusals(count, provider, class_, at, campaign="spring", text=BLOCK, prefix="u"):
    name = "%s-%s-%s-%s" % (prefix, provider, class_, campaign)
    return [failure(campaign, "%s%d@x.example" % (name, n), class_=class_, provider=provider,
                    diagnostic=text % "a@x.example" if "%s" in text else text, at=at + n,
                    blocklist="zen.example.org", reporting_mta="OUT1.example.com")
            for n in range(count)]


class Incidents(Case):
    @classmethod
    def setUpClass(cls):
        at = kit.NOON
        cls.service.sql("UPDATE suppression_policy SET threshold = 1 WHERE class = 13")
        cls.service.sql("INSERT INTO webhook (url, events, secret) "
                        "VALUES ('https://hooks.example.com/', 384, 'whsec_x')")
        cls.service.seed(
            *refusals(25, "google", "reputation_block", at),
            *refusals(5, "google", "reputation_block", at + 60, "summer"),
            *refusals(21, "yahoo", "auth_failure", at, text="550 5.7.26 unauthenticated"),
            *refusals(22, "gmx", "content_block", at - 86400, text="554 spam"),
            *refusals(19, "apple", "reputation_block", at))
        cls.turn(at + 3600)

    @classmethod
    def turn(cls, at):
        cls.service.sql("SELECT incident_turn(to_timestamp(%d), NULL)" % at)

    def one(self, provider):
        found = self.good(self.get("/v1/incidents", provider=provider)).data
        self.assertEqual(len(found), 1)
        return found[0]

    def test_the_list_is_newest_first_and_hides_what_is_too_thin(self):
        found = self.good(self.get("/v1/incidents")).data
        self.assertEqual(sorted(i["provider"] for i in found), ["gmx", "google", "yahoo"])
        self.assertEqual([i["id"] for i in found], sorted((i["id"] for i in found), reverse=True))

    def test_one_says_what_since_when_and_how_much(self):
        found = self.one("google")
        self.assertEqual(
            {name: found[name] for name in ("state", "sender", "class", "records", "proven",
                                            "campaigns", "blocklist", "rule", "sample",
                                            "started_at", "last_at", "ended_at", "closed_at")},
            {"state": "open", "sender": "203.0.113.5", "class": "reputation_block", "records": 30,
             "proven": 30, "campaigns": 2, "blocklist": "zen.example.org", "rule": "rule-x",
             "sample": BLOCK % "...", "started_at": "2026-11-23T10:00:00Z",
             "last_at": "2026-11-23T10:01:04Z", "ended_at": None, "closed_at": None})
        self.assertNotIn("@", found["signature"])
        detail = self.good(self.get("/v1/incidents/%d" % found["id"])).json
        self.assertEqual(detail.pop("by_campaign"), [{"campaign": "spring", "records": 25},
                                                     {"campaign": "summer", "records": 5}])
        self.assertEqual(detail, found)
        status = self.good(self.get("/v1/statuses/%d" % found["status_id"])).json
        self.assertEqual(status["provider"], "google")
        self.assertEqual(self.one("yahoo")["sender"], "out1.example.com")

    def test_filters(self):
        for query, wanted in (
                ({"state": "open"}, {"google", "yahoo"}), ({"state": "closed"}, {"gmx"}),
                ({"class": "auth_failure"}, {"yahoo"}), ({"provider": "gmx"}, {"gmx"}),
                ({"provider": "apple"}, set()), ({"class": "network"}, set()),
                ({"from": "2026-11-23T00:00:00Z"}, {"google", "yahoo"}),
                ({"to": "2026-11-23T00:00:00Z"}, {"gmx"}),
                ({"from": "2026-11-22T10:00:10Z", "to": "2026-11-22T10:00:11Z"}, {"gmx"}),
                ({"state": "open", "provider": "google", "class": "reputation_block",
                  "from": "2026-11-24T00:00:00Z"}, {"google"})):
            with self.subTest(**query):
                found = self.good(self.get("/v1/incidents", **query)).data
                self.assertEqual({i["provider"] for i in found}, wanted)

    def test_bad_filters_are_named(self):
        for name, value, word in (("state", "ajar", "closed, open"), ("class", "x", "content_block"),
                                  ("from", "yesterday", "RFC 3339"), ("nosuch", "1", "state")):
            self.problem(self.get("/v1/incidents", **{name: value}), 400, name, word)
        self.problem(self.get("/v1/incidents/x"), 404)
        self.problem(self.get("/v1/incidents/999999"), 404)
        thin = self.service.sql("SELECT id FROM incident WHERE provider = 'apple'").strip()
        self.problem(self.get("/v1/incidents/" + thin), 404)

    def test_pages_and_streams_hold_the_same(self):
        whole = self.get("/v1/incidents").data
        pages, cursor = [], None
        while True:
            reply = self.good(self.get("/v1/incidents", limit=1, **({"cursor": cursor} if cursor
                                                                    else {}))).json
            pages += reply["data"]
            cursor = reply["next_cursor"]
            if not cursor:
                break
        self.assertEqual(pages, whole)
        self.assertEqual(self.get("/v1/incidents", format="ndjson").lines, whole)
        rows = list(csv.DictReader(io.StringIO(
            self.get("/v1/incidents", format="csv").body.decode())))
        self.assertEqual([int(row["id"]) for row in rows], [i["id"] for i in whole])
        tag = self.get("/v1/incidents").headers["ETag"]
        self.assertEqual(self.get("/v1/incidents", headers={"If-None-Match": tag}).status, 304)

    def test_its_records_are_found(self):
        number = self.one("google")["id"]
        found = self.good(self.get("/v1/statuses", incident=number)).data
        self.assertEqual((len(found), {s["provider"] for s in found}), (30, {"google"}))
        self.assertEqual(len(self.get("/v1/statuses", incident=number, campaign="summer").data), 5)
        self.assertEqual(len(self.get("/v1/statuses", incident=number, limit=7).data), 7)
        self.assertEqual(self.get("/v1/statuses", incident=999999).data, [])
        self.problem(self.get("/v1/statuses", incident=number, recipient="a@x.example"), 400,
                     "incident", "recipient")

    def test_what_a_provider_suppressed_meanwhile_is_undone(self):
        at = kit.NOON
        self.service.seed(
            *[failure("undone", "m%d@x.example" % n, provider="yahoo", at=at + n) for n in range(4)],
            failure("undone", "before@x.example", provider="yahoo", at=at - 60),
            failure("undone", "other@x.example", provider="orange", at=at + 1))
        number = self.one("yahoo")["id"]
        for dry_run in (True, False):
            reply = self.good(self.ask("POST", "/v1/suppressions/undo",
                                       {"incident": number, "campaign": "undone",
                                        "dry_run": dry_run}))
            self.assertEqual(reply.json, {"dry_run": dry_run, "lifted": 4})
        left = self.get("/v1/suppressions", campaign="undone").data
        self.assertEqual({s["address"] for s in left}, {"before@x.example", "other@x.example"})
        self.problem(self.ask("POST", "/v1/suppressions/undo", {"incident": 999999}), 400, "incident")
        self.problem(self.ask("POST", "/v1/suppressions/undo", {"incident": -1}), 400, "incident")

    def test_endpoints_were_told(self):
        told = self.service.sql("SELECT body::json->>'type' || ' ' || (body::json->'data'->>"
                                "'provider') FROM webhook_outbox WHERE body LIKE '%incident%' "
                                "ORDER BY 1").split("\n")[:-1]
        self.assertEqual(told, ["incident.closed gmx", "incident.opened gmx",
                                "incident.opened google", "incident.opened yahoo"])

    def test_erasure_leaves_no_address_in_them(self):
        self.good(self.ask("DELETE", "/v1/recipients/u-google-reputation_block-spring0@x.example"))
        self.assertEqual(self.service.sql("SELECT count(*) FROM incident i WHERE i::text LIKE "
                                          "'%@%'").strip(), "0")


if __name__ == "__main__":
    kit.main()
