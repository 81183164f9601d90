"""/v1/webhooks: endpoints, what can be done with one, and the log of what was tried."""
from concurrent.futures import ThreadPoolExecutor

import kit
from kit import Case

URL = "https://hooks.example.com/x"


class Webhooks(Case):
    def setUp(self):
        self.service.sql("DELETE FROM webhook")
        self.made = self.good(self.ask("POST", "/v1/webhooks", {
            "url": URL, "events": ["incident.opened", "delay.closed"]}), 201).json
        self.path = "/v1/webhooks/%d" % self.made["id"]

    def sql(self, text):
        return self.service.sql(text.replace("HOOK", str(self.made["id"]))).strip()

    def emit(self, count, event="e"):
        self.sql("INSERT INTO webhook_outbox (webhook_id, event, body) SELECT HOOK, '%s' || n, "
                 "'{}' FROM generate_series(1, %d) n" % (event, count))

    def test_one_is_read_and_changed_member_by_member(self):
        found = self.good(self.get(self.path)).json
        self.assertEqual((found["url"], found["events"], found["enabled"]),
                         (URL, ["delay.closed", "incident.opened"], True))
        self.assertEqual(self.get("/v1/webhooks").data, [found])
        self.assertNotIn("secret", found)
        for change, name, value in (({"url": URL + "2"}, "url", URL + "2"),
                                    ({"events": ["delivery.failed"]}, "events", ["delivery.failed"]),
                                    ({"enabled": False}, "enabled", False)):
            found = self.good(self.ask("PUT", self.path, change)).json
            self.assertEqual(found[name], value)
        self.assertEqual((found["url"], found["events"], found["disabled_reason"]),
                         (URL + "2", ["delivery.failed"], "switched off"))
        self.assertEqual(len(self.good(self.ask("PUT", self.path, {"events": []})).json["events"]), 9)
        found = self.good(self.ask("PUT", self.path, {"enabled": True})).json
        self.assertEqual((found["enabled"], found["disabled_reason"]), (True, None))

    def test_what_is_lost_with_the_database_is_done_once_when_repeated(self):
        body = {"url": URL + "/once", "events": ["incident.opened"]}
        key = {"Idempotency-Key": "once"}
        self.service.sql("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                         "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; "
                         "CREATE TRIGGER lose BEFORE UPDATE ON idempotency FOR EACH ROW "
                         "EXECUTE FUNCTION lose()")
        try:
            self.problem(self.ask("POST", "/v1/webhooks", body, headers=key), 503)
        finally:
            self.service.sql("DROP FUNCTION lose CASCADE")
        made = self.good(self.ask("POST", "/v1/webhooks", body, headers=key), 201)
        again = self.good(self.ask("POST", "/v1/webhooks", body, headers=key), 201)
        self.assertEqual(again.body, made.body)
        self.assertEqual(self.sql("SELECT count(*) FROM webhook WHERE url LIKE '%/once'"), "1")

    def test_two_at_once_with_one_key_are_one(self):
        body = {"url": URL + "/slow", "events": ["incident.opened"]}
        self.service.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                         "PERFORM pg_sleep(0.5); RETURN NEW; END $$; CREATE TRIGGER slow BEFORE "
                         "INSERT ON webhook FOR EACH ROW EXECUTE FUNCTION slow()")
        try:
            with ThreadPoolExecutor(3) as pool:
                made = list(pool.map(lambda _: self.ask(
                    "POST", "/v1/webhooks", body, headers={"Idempotency-Key": "slow"}), range(3)))
        finally:
            self.service.sql("DROP FUNCTION slow CASCADE")
        self.assertEqual({(one.status, one.body) for one in made}, {(201, made[0].body)})
        self.assertEqual(self.sql("SELECT count(*) FROM webhook WHERE url LIKE '%/slow'"), "1")

    def test_bad_changes_are_named(self):
        for body, name in (({"url": "ftp://x"}, "url"), ({"url": "https://a:b@c/"}, "url"),
                           ({"events": ["x"]}, "events"), ({"enabled": 1}, "enabled"),
                           ({"secret": "x"}, "secret")):
            self.problem(self.ask("PUT", self.path, body), 400, name)
        for body in ({"overlap_s": -1}, {"overlap_s": 2592001}, {"overlap_s": "1"}):
            self.problem(self.ask("POST", self.path + "/rotate", body), 400, "overlap_s")
        for method, path, body in (("GET", "", None), ("PUT", "", {}), ("DELETE", "", None),
                                   ("POST", "/rotate", {}), ("POST", "/test", None),
                                   ("POST", "/replay", None), ("GET", "/deliveries", None)):
            for number in ("999999", "x"):
                self.problem(self.ask(method, "/v1/webhooks/" + number + path, body), 404)

    def test_an_erasure_lifts_nothing(self):
        self.ask("PUT", self.path, {"events": ["suppression.created", "suppression.lifted"]})
        self.good(self.ask("PUT", "/v1/suppressions/erased@w.example", {}))
        self.good(self.ask("DELETE", "/v1/recipients/erased@w.example"))
        self.assertEqual(self.sql("SELECT count(*) FROM webhook_outbox WHERE body LIKE '%lifted%'"), "0")
        self.good(self.ask("DELETE", "/v1/suppressions/erased@w.example"), 204)
        self.assertEqual(self.sql("SELECT count(*) FROM webhook_outbox WHERE body LIKE '%lifted%'"), "1")

    def test_a_secret_follows_another(self):
        first = self.made["secret"]
        rotated = self.good(self.ask("POST", self.path + "/rotate", {"overlap_s": 3600})).json
        self.assertNotEqual(rotated["secret"], first)
        self.assertEqual(self.get(self.path).json["old_secret_expires_at"],
                         rotated["old_secret_expires_at"])
        self.assertEqual(self.sql("SELECT secret || ' ' || old_secret FROM webhook WHERE id = HOOK"),
                         rotated["secret"] + " " + first)
        self.sql("UPDATE webhook SET old_secret_until = now() - interval '1 s'")
        self.assertIsNone(self.get(self.path).json["old_secret_expires_at"])
        self.sql("SELECT webhook_forget(1000)")
        self.assertEqual(self.sql("SELECT old_secret IS NULL FROM webhook WHERE id = HOOK"), "t")
        rotated = self.good(self.ask("POST", self.path + "/rotate", {"overlap_s": 0})).json
        self.assertIsNone(rotated["old_secret_expires_at"])

    def test_a_test_event_waits_for_this_endpoint_alone(self):
        other = self.good(self.ask("POST", "/v1/webhooks", {"url": URL}), 201).json["id"]
        event = self.good(self.ask("POST", self.path + "/test"), 202).json["event"]
        self.assertEqual(self.sql("SELECT webhook_id || ' ' || event || ' ' || (body::json->>'type') "
                                  "FROM webhook_outbox"), "%d %s webhook.test" % (self.made["id"], event))
        self.good(self.ask("PUT", self.path, {"enabled": False}))
        self.problem(self.ask("POST", self.path + "/test"), 409)
        self.assertEqual(self.get("/v1/webhooks/%d" % other).json["waiting"], 0)

    def test_what_is_off_hears_nothing_and_keeps_what_waited(self):
        self.emit(3)
        self.good(self.ask("PUT", self.path, {"enabled": False}))
        self.sql("SELECT webhook_emit(128, 'incident.opened', 'x', now(), '{}')")
        self.assertEqual(self.sql("SELECT webhook_wanted(128)"), "f")
        self.assertEqual(self.get(self.path).json["waiting"], 3)
        self.sql("UPDATE webhook_outbox SET at = now() - interval '4 days'")
        self.assertEqual(self.sql("SELECT webhook_forget(3 * 86400000)"), "3")
        found = self.get(self.path).json
        self.assertEqual((found["waiting"], found["dead"]), (0, 3))
        self.good(self.ask("PUT", self.path, {"enabled": True}))
        self.assertEqual(self.ask("POST", self.path + "/replay").json, {"events": 3})
        self.sql("SELECT webhook_emit(128, 'incident.opened', 'y', now(), '{}')")
        self.assertEqual(self.get(self.path).json["waiting"], 4)

    def batch(self, most=100, octets=1000):
        return self.sql("SELECT string_agg(event, ' ' ORDER BY seq) FROM webhook_batch(HOOK, %d, %d)"
                        % (most, octets))

    def end(self, name, more):
        return self.sql("SELECT webhook_%s(HOOK, (SELECT batch FROM webhook WHERE id = HOOK), "
                        "'msg', 2, 5, %s)" % (name, more))

    def test_a_message_is_the_same_at_every_attempt(self):
        self.emit(2, "a")
        self.assertEqual(self.batch(), "a1 a2")
        self.emit(2, "b")
        self.end("failed", "503::smallint, 'answered 503', 0, 1000000")
        self.assertEqual(self.batch(), "a1 a2")
        self.end("taken", "200::smallint")
        self.assertEqual(self.batch(), "b1 b2")
        self.end("failed", "NULL, 'away', 0, 1000000")
        self.sql("UPDATE webhook_outbox SET at = now() - interval '1 day' WHERE event = 'b1'")
        self.assertEqual(self.end("failed", "NULL, 'away', 0, 1000000"), "1")
        self.assertEqual(self.batch(), "b2") # the other was given up, so it is another message
        self.end("taken", "200::smallint")
        self.emit(5, "c")
        self.assertEqual(self.batch(most=3), "c1 c2 c3")
        self.end("taken", "200::smallint")
        self.assertEqual(self.batch(octets=2), "c4")
        self.end("taken", "200::smallint")
        self.assertEqual(self.batch(octets=1), "c5") # one is always there
        self.assertEqual(self.get(self.path).json["delivered"], 7)

    def test_a_late_sender_takes_nothing_from_another(self):
        self.emit(2, "a")
        self.batch(most=1)
        seqs = self.sql("SELECT batch FROM webhook WHERE id = HOOK")
        self.end("taken", "200::smallint")
        self.assertEqual(self.batch(), "a2")
        self.sql("SELECT webhook_taken(HOOK, '%s', 'msg', 2, 5, 200::smallint)" % seqs)
        self.assertEqual(self.batch(), "a2")
        self.assertNotEqual(self.sql("SELECT batch FROM webhook WHERE id = HOOK"), "")
        self.assertEqual(self.get(self.path).json["delivered"], 1)

    def test_410_switches_it_off(self):
        self.emit(1)
        self.batch()
        self.end("failed", "410::smallint, 'answered 410', 0, 1000000")
        found = self.get(self.path).json
        self.assertEqual((found["enabled"], found["disabled_reason"], found["waiting"]),
                         (False, "it answered 410 Gone", 1))

    def test_the_log_names_every_attempt_and_is_bounded(self):
        self.emit(2)
        self.batch()
        self.end("failed", "503::smallint, 'answered 503', 0, 1000000")
        self.end("failed", "NULL, 'timeout', 0, 1000000")
        self.end("taken", "204::smallint")
        found = self.good(self.get(self.path + "/deliveries")).data
        for row in found:
            self.assertRegex(row.pop("at"), r"^20.*Z$")
        same = {"message_id": "msg", "events": ["e1", "e2"], "octets": 2, "duration_ms": 5}
        self.assertEqual(found, [
            {"attempt": 3, "taken": True, "status": 204, "error": None, **same},
            {"attempt": 2, "taken": False, "status": None, "error": "timeout", **same},
            {"attempt": 1, "taken": False, "status": 503, "error": "answered 503", **same}])
        first = self.get(self.path + "/deliveries", limit=2).json
        rest = self.get(self.path + "/deliveries", cursor=first["next_cursor"]).data
        self.assertEqual([r["attempt"] for r in first["data"] + rest], [3, 2, 1])
        self.assertEqual(len(self.get(self.path + "/deliveries", format="ndjson").lines), 3)
        self.sql("SELECT count(webhook_note(HOOK, 'm', '{}', 1, 1, 200::smallint, NULL)::text) "
                 "FROM generate_series(1, 1100)")
        self.assertEqual(self.sql("SELECT count(*) || ' ' || max(attempt) FROM webhook_delivery "
                                  "WHERE webhook_id = HOOK"), "1000 1103")
        rows = self.get(self.path + "/deliveries", format="ndjson").lines
        self.assertEqual([row["attempt"] for row in rows], list(range(1103, 103, -1)))
        self.sql("UPDATE webhook_delivery SET at = now() - interval '31 days' WHERE attempt < 1103")
        self.sql("SELECT webhook_forget(1000)")
        self.assertEqual(len(self.get(self.path + "/deliveries").data), 1)
        self.good(self.ask("DELETE", self.path), 204)
        self.assertEqual(self.sql("SELECT count(*) FROM webhook_delivery"), "0")


if __name__ == "__main__":
    kit.main()
