"""Ten thousand deliveries, and every number of every endpoint reckoned a second time."""
import base64
import collections
import csv
import datetime
import hashlib
import io
import json
import random
import time
import zoneinfo

import kit
from kit import Case

UTC = datetime.timezone.utc
# The clocks of Berlin went back on 2026-10-25: a day of 25 hours; forward on 2026-03-29: of 23.
STARTS = {"autumn": datetime.datetime(2026, 10, 24, 18, tzinfo=UTC),
          "march": datetime.datetime(2026, 3, 28, 18, tzinfo=UTC),
          "late": datetime.datetime(2026, 10, 24, 18, tzinfo=UTC)}
# Registered before the reports came, and after.
REGISTERED = {"march": 3000, "late": 1000}
HOURS = 50
PROVIDERS = ["google", "microsoft", "yahoo", "gmx"]
HARD = ["mailbox_unknown", "mailbox_inactive", "domain_invalid"]
SOFT = ["mailbox_full", "message_too_large", "throttled", "network", "remote_system", "expired"]
BLOCK = ["reputation_block", "auth_failure", "content_block", "policy_refused"]
RANK = {name: rank for rank, name in enumerate(HARD + SOFT + BLOCK)}
STATES = {"failed": 4, "delivered": 3, "relayed": 2, "expanded": 2, "delayed": 1}
COUNTS = ["failed", "delivered_confirmed", "handed_off", "delay_open", "delayed", "complained"]


def kind(name):
    return "hard" if name in HARD else "soft" if name in SOFT else "block"


def default_ref(address):
    digest = hashlib.sha256(address.lower().encode()).digest()
    return "h" + base64.b32encode(digest).decode().lower()[:13]


class World:
    """The reports, and what they ought to come to."""

    def __init__(self, campaign, deliveries, seed):
        self.random = random.Random(seed)
        self.campaign, self.size = campaign, deliveries
        self.start = STARTS[campaign]
        self.reports, self.records = [], []
        self.deliveries = collections.defaultdict(list)
        self.suppressed = set()
        for number in range(deliveries):
            self.deliver("%s%d@x.example" % (campaign, number))
        self.random.shuffle(self.reports)

    def sent(self, address):
        """As registered, else the first day a return path of it was minted."""
        if self.campaign in REGISTERED:
            return self.start + datetime.timedelta(minutes=int(
                address.removeprefix(self.campaign).split("@")[0]))
        return min(event[3] for event in self.deliveries[address]).replace(hour=0, minute=0,
                                                                           second=0)

    def time(self):
        return self.start + datetime.timedelta(seconds=self.random.randrange(HOURS * 3600))

    def report(self, address, action, name=None, recipient=None, signed=True, complaint=False):
        """One report, perhaps received twice."""
        at = self.time()
        provider = self.random.choice(PROVIDERS)
        line = {"recipient": recipient or address, "provider": provider,
                "at": int(at.timestamp()), "body": len(self.reports) + 1}
        if signed:
            line.update({"campaign": self.campaign, "for": address})
        else:
            line["to"] = "r1.%s.%s.bbbk%s@b.example.com" % (self.campaign, default_ref(address),
                                                            "a" * 16)
        if complaint:
            line["complaint"] = 1
        else:
            line["action"] = action
            line["permanent"] = "no" if action == "delayed" else "yes"
        if name:
            line["class"] = name
        self.reports.append(line)
        if not signed:
            return
        self.records.append((at, provider, name))
        self.deliveries[address].append((action, complaint, name, at, provider))
        # Who was forwarded is known again by his registered send, and only by that.
        known = not recipient or self.campaign == "march"  # registered before
        if name == "mailbox_unknown" and action == "failed" and known or complaint:
            self.suppressed.add(address)
        if self.random.random() < 0.1:
            self.reports.append(line)

    def deliver(self, address):
        draw = self.random.random()
        failure = self.random.choice(HARD + SOFT + BLOCK)
        if draw < 0.50:
            return  # nothing ever came back
        if draw < 0.62:
            self.report(address, "failed", failure)
        elif draw < 0.70:
            self.report(address, "delayed", "throttled")
            self.report(address, "failed", failure)
        elif draw < 0.78:
            self.report(address, "delayed", "network")
            self.report(address, "delayed", "throttled")
            self.report(address, "delivered")
        elif draw < 0.83:
            self.report(address, "delayed", "mailbox_full")
        elif draw < 0.87:
            self.report(address, self.random.choice(["relayed", "expanded"]))
        elif draw < 0.90:
            self.report(address, "delivered")
            self.report(address, None, "complaint", complaint=True)
        elif draw < 0.94:
            self.report(address, "failed", "mailbox_unknown", recipient="other-" + address)
        elif draw < 0.97:
            self.report(address, "failed", "mailbox_unknown", signed=False)
        else:
            for name in self.random.sample(HARD + SOFT + BLOCK, 3):
                self.report(address, "failed", name)

    def outcome(self, events):
        """What decides: the strongest state, then class, time, kind, provider."""
        moves = [event for event in events if event[0]]
        return min(moves, key=lambda event: (-STATES[event[0]], RANK.get(event[2], 99), event[3],
                                             kind(event[2]), event[4])) if moves else None

    def facts(self):
        """(address, time, provider, class, what) for everything that counts once."""
        for address, events in self.deliveries.items():
            delays = [event for event in events if event[0] == "delayed"]
            if outcome := self.outcome(events):
                action, _, name, at, provider = outcome
                yield (address, at, provider, name, {4: "failed", 3: "delivered_confirmed", 2: "handed_off",
                                            1: "delay_open"}[STATES[action]])
                if action == "failed":
                    yield address, at, provider, name, kind(name)
                if delays and action != "delayed":
                    yield address, at, provider, name, "delay_" + action
            if delays:
                _, _, name, at, provider = min(delays, key=lambda event: (
                    event[3], RANK[event[2]], event[4]))
                yield address, at, provider, name, "delayed"
            for action, complaint, name, at, provider in events:
                if complaint:
                    yield address, at, provider, "complaint", "complained"
        for at, provider, name in self.records:
            yield None, at, provider, name, "statuses"

    def tally(self, group, by="reported"):
        found = collections.defaultdict(collections.Counter)
        for address, at, provider, name, what in self.facts():
            if by == "sent" and what == "statuses":
                continue
            at = self.sent(address) if by == "sent" else at
            found[group(at, provider, name)][what] += 1
        return found


class Reckoning(Case):
    @classmethod
    def setUpClass(cls):
        cls.worlds = {"autumn": World("autumn", 6000, 1), "march": World("march", 3000, 2),
                      "late": World("late", 1000, 3)}
        cls.service.ask("PUT", "/v1/campaigns/autumn", {"sent": 6000})
        cls.register("march")
        for world in cls.worlds.values():
            cls.service.seed(*world.reports)
        cls.register("late")

    @classmethod
    def register(cls, key):
        lines = [json.dumps({"campaign": key, "sent_at": cls.worlds[key].sent(address).isoformat(),
                             "recipient": address})
                 for address in ("%s%d@x.example" % (key, n) for n in range(REGISTERED[key]))]
        reply = cls.service.ask("POST", "/v1/sends", "\n".join(lines).encode(),
                                headers={"Content-Type": kit.NDJSON})
        assert reply.status == 200, reply.body

    def check_rates(self, found, sent, counts):
        def rate(numerator, denominator):
            good = denominator and 0 <= numerator <= denominator
            return {"value": round(numerator / denominator, 10) if good else None,
                    "numerator": numerator, "denominator": denominator}

        failed = counts["failed"]
        self.assertEqual(found["rates"], {
            "failure_rate": rate(failed, sent), "hard_failure_rate": rate(counts["hard"], sent),
            "soft_failure_rate": rate(counts["soft"], sent),
            "block_failure_rate": rate(counts["block"], sent),
            "delivery_rate": rate(sent - failed - counts["delay_open"], sent),
            "delay_rate": rate(counts["delayed"], sent),
            "complaint_rate": rate(counts["complained"], sent - failed)})
        self.assertEqual(found["counts"]["delivered_presumed"], sent - failed
                         - counts["delay_open"] - counts["delivered_confirmed"]
                         - counts["handed_off"])

    def check_counts(self, found, counts):
        self.assertEqual({name: found["counts"][name] for name in COUNTS},
                         {name: counts[name] for name in COUNTS})

    def test_the_campaigns(self):
        listed = {row["key"]: row for row in self.get("/v1/campaigns").data}
        for key, world in self.worlds.items():
            found = self.good(self.get("/v1/campaigns/" + key)).json
            whole = world.tally(lambda *_: None)[None]
            self.assertEqual(found["sent"], world.size)
            self.check_counts(found, whole)
            self.check_rates(found, world.size, whole)
            self.assertEqual(found["coverage"], {"value": 1, "numerator": whole["statuses"],
                                                 "denominator": whole["statuses"]})
            classes = world.tally(lambda at, provider, name: name)
            self.assertEqual(found["classes"], {name: counts["failed"] for name, counts
                                                in classes.items() if counts["failed"]})
            providers = world.tally(lambda at, provider, name: provider)
            self.assertEqual(found["providers"], {
                name: {what: counts[what] for what in COUNTS}
                for name, counts in providers.items()})
            for name in listed[key]:
                self.assertEqual(listed[key][name], found[name], name)

    def series(self, **query):
        reply = self.good(self.get("/v1/metrics", **{"from_": "2026-01-01", "to": "2027-01-01",
                                                     **query}))
        self.assertIsNone(reply.json["next_cursor"])
        return reply.data

    def check_series(self, points, tally, key):
        """Points that are not there count nothing."""
        found = {}
        for point in points:
            self.assertNotIn(key(point), found)
            found[key(point)] = point
            self.check_counts(point, tally[key(point)])
            if point["coverage"] is not None:
                self.assertEqual(point["coverage"]["denominator"], tally[key(point)]["statuses"])
        self.assertEqual({k for k in tally if +tally[k]} - set(found), set())

    @staticmethod
    def text(at):
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_hours(self):
        for key, world in self.worlds.items():
            tally = world.tally(lambda at, *_: self.text(at.replace(minute=0, second=0)))
            points = self.series(campaign=key, interval="hour")
            self.check_series(points, tally, lambda point: point["t"])
            self.assertEqual([p["t"] for p in points], sorted(p["t"] for p in points))

    def test_days_of_25_and_of_23_hours(self):
        berlin = zoneinfo.ZoneInfo("Europe/Berlin")

        def day(at, *_):
            return self.text(at.astimezone(berlin).replace(hour=0, minute=0, second=0, fold=0))

        for key, world in self.worlds.items():
            points = self.series(campaign=key, interval="day", tz="Europe/Berlin")
            self.check_series(points, world.tally(day), lambda point: point["t"])
        self.assertIn("2026-10-24T22:00:00Z", days := [
            p["t"] for p in self.series(campaign="autumn", interval="day", tz="Europe/Berlin")])
        self.assertIn("2026-10-25T23:00:00Z", days)

    def test_days_and_hours_of_zones_that_are_off_by_half_an_hour_or_a_quarter(self):
        for name in ("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"):
            zone = zoneinfo.ZoneInfo(name)

            def day(at, *_, zone=zone):
                return self.text(at.astimezone(zone).replace(hour=0, minute=0, second=0, fold=0))

            def hour(at, *_, zone=zone):
                minute = at.astimezone(zone).minute
                return self.text(at.replace(second=0) - datetime.timedelta(minutes=minute))

            for key, world in self.worlds.items():
                with self.subTest(zone=name, campaign=key):
                    self.check_series(self.series(campaign=key, interval="day", tz=name),
                                      world.tally(day), lambda point: point["t"])
                    self.check_series(self.series(campaign=key, interval="hour", tz=name),
                                      world.tally(hour), lambda point: point["t"])
            if name == "Australia/Lord_Howe":
                continue  # at that time of the year its hours are those of UTC
            point, = self.series(campaign="autumn", interval="none", tz=name,
                                 from_="2026-10-25T18:30:00Z", to="2026-10-26T18:45:00Z")
            inside = self.worlds["autumn"].tally(
                lambda at, *_: "2026-10-25T18:30:00Z" <= self.text(at) < "2026-10-26T18:45:00Z")
            self.check_counts(point, inside[True])

    def test_what_became_of_what_was_sent_in_an_hour_or_on_a_day(self):
        berlin = zoneinfo.ZoneInfo("Europe/Berlin")
        dims = {"provider": lambda provider, name: provider, "class": lambda provider, name: name,
                "provider,class": lambda provider, name: (provider, name)}
        for key, world in self.worlds.items():
            tally = world.tally(lambda at, *_: self.text(at.replace(minute=0, second=0)), "sent")
            points = self.series(campaign=key, by="sent", interval="hour")
            self.check_series(points, tally, lambda point: point["t"])
            for point in points:
                self.assertIsNone(point["coverage"])
            if key in REGISTERED:
                for point in points:
                    self.assertTrue(point["sent"], point)
                    self.check_rates(point, point["sent"], tally[point["t"]])
                self.assertEqual(sum(p["sent"] for p in points), world.size)
            self.check_series(
                self.series(campaign=key, by="sent", interval="day", tz="Europe/Berlin"),
                world.tally(lambda at, *_: self.text(at.astimezone(berlin).replace(
                    hour=0, minute=0, second=0, fold=0)), "sent"), lambda point: point["t"])
            for group, of in dims.items():
                self.check_series(
                    self.series(campaign=key, by="sent", interval="none", group_by=group),
                    world.tally(lambda at, provider, name, of=of: of(provider, name), "sent"),
                    lambda point: point["dims"].get("provider") and (
                        (point["dims"]["provider"], point["dims"]["class"])
                        if "class" in point["dims"] else point["dims"]["provider"])
                    or point["dims"].get("class"))

    def test_all_campaigns_together_in_zones_that_are_off_by_half_an_hour_or_a_quarter(self):
        for query in ({"by": by, "interval": interval, "tz": zone} for by in ("reported", "sent")
                      for interval in ("hour", "day") for zone in ("Asia/Kolkata", "Asia/Kathmandu")):
            whole = collections.defaultdict(collections.Counter)
            for point in self.series(group_by="campaign", **query):
                whole[point["t"]].update({name: point["counts"][name] for name in COUNTS})
            self.assertEqual({point["t"]: {name: point["counts"][name] for name in COUNTS}
                              for point in self.series(**query)}, whole)

    def test_the_same_of_all_campaigns_and_what_has_no_time_of_sending(self):
        for group in ("provider", "class"):
            whole = collections.defaultdict(collections.Counter)
            for point in self.series(by="sent", interval="hour", group_by="campaign," + group):
                whole[point["t"], point["dims"][group]].update(
                    {name: point["counts"][name] for name in COUNTS})
            self.check_series(self.series(by="sent", interval="hour", group_by=group), whole,
                              lambda point, group=group: (point["t"], point["dims"][group]))
        self.service.seed({"to": "bounce@b.example.com", "recipient": "undated@x.example",
                           "action": "failed", "class": "mailbox_full", "permanent": "yes",
                           "provider": "undated"})
        reply = self.good(self.get("/v1/metrics", by="sent", group_by="provider",
                                   from_="2026-01-01", to="2027-01-01")).json
        found = {p["dims"]["provider"]: p for p in reply["undated"]}["undated"]
        self.assertEqual((found["t"], found["counts"]["failed"]), (None, 1))
        self.assertNotIn("undated", {p["dims"]["provider"] for p in reply["data"]})
        self.assertNotIn("undated", self.get("/v1/metrics").json)
        self.problem(self.get("/v1/metrics", by="received"), 400, "by", "reported")

    def test_providers_classes_and_both(self):
        world = self.worlds["autumn"]
        points = self.series(campaign="autumn", interval="none", group_by="provider")
        self.check_series(points, world.tally(lambda at, provider, name: provider),
                          lambda point: point["dims"]["provider"])
        points = self.series(campaign="autumn", interval="none", group_by="class")
        self.check_series(points, world.tally(lambda at, provider, name: name),
                          lambda point: point["dims"]["class"])
        points = self.series(campaign="autumn", interval="day", group_by="provider,class")
        self.check_series(
            points, world.tally(lambda at, provider, name: (
                self.text(at.replace(hour=0, minute=0, second=0)), provider, name)),
            lambda point: (point["t"], point["dims"]["provider"], point["dims"]["class"]))

    def test_csv_and_ndjson_hold_what_json_holds(self):
        query = {"campaign": "autumn", "interval": "day", "group_by": "provider,class"}
        points = self.series(**query)
        query.update(from_="2026-01-01", to="2027-01-01")
        self.assertEqual(self.good(self.get("/v1/metrics", format="ndjson", **query)).lines, points)
        table = csv.DictReader(io.StringIO(
            self.good(self.get("/v1/metrics", format="csv", **query)).body.decode()))
        for row, point in zip(table, points, strict=True):
            self.assertEqual((row["t"], row["provider"], row["class"] or None, row["campaign"]),
                             (point["t"], point["dims"]["provider"], point["dims"]["class"], ""))
            for name in COUNTS:
                self.assertEqual(int(row[name]), point["counts"][name])
            self.assertEqual(int(row["failed"]),
                             int(row["hard"]) + int(row["soft"]) + int(row["block"]))

    def test_compared_with_the_time_before(self):
        world = self.worlds["autumn"]
        middle = world.start + datetime.timedelta(hours=24)
        reply = self.good(self.get(
            "/v1/metrics", campaign="autumn", interval="none", compare="previous",
            from_=self.text(middle), to=self.text(middle + datetime.timedelta(hours=24)))).json
        tally = world.tally(lambda at, *_: (at - world.start) // datetime.timedelta(hours=24))
        self.check_counts(reply["data"][0], tally[1])
        self.check_counts(reply["previous"][0], tally[0])
        self.problem(self.get("/v1/metrics", compare="previous", format="csv"), 400, "compare")

    def test_the_interval_is_wilsons(self):
        point = self.series(campaign="march", interval="none", confidence="95")[0]
        for name, rate in point["rates"].items():
            count, size, z = rate["numerator"], rate["denominator"], 1.959963984540054
            share = count / size
            middle = (share + z * z / (2 * size)) / (1 + z * z / size)
            half = (z / (1 + z * z / size)
                    * (share * (1 - share) / size + z * z / (4 * size * size)) ** 0.5)
            self.assertAlmostEqual(rate["low"], max(0, middle - half), 9, name)
            self.assertAlmostEqual(rate["high"], min(1, middle + half), 9, name)
            self.assertTrue(rate["low"] <= rate["value"] <= rate["high"])

    def test_open_delays_by_provider_and_age(self):
        for key, world in [*self.worlds.items(), (None, None)]:
            worlds = [world] if world else self.worlds.values()
            counts = sum((collections.Counter({k: v["delay_open"] for k, v in w.tally(
                lambda at, provider, name: provider).items()}) for w in worlds),
                collections.Counter())
            query = {"campaign": key} if key else {}
            rows = self.good(self.get("/v1/delays", **query)).data
            self.assertEqual({row["provider"]: row["open"] for row in rows if row["open"]},
                             dict(counts))
            closed = collections.Counter()
            for world in worlds:
                for name, tally in world.tally(lambda at, provider, name: provider).items():
                    closed.update({(name, what): tally["delay_" + what]
                                   for what in ("delivered", "failed")})
            for row in rows:
                self.assertEqual(row["closed"], {
                    "delivered": closed[row["provider"], "delivered"],
                    "failed": closed[row["provider"], "failed"], "handed_off": 0, "expired": 0})
                self.assertEqual(row["ages"], {"under_1h": 0, "under_6h": 0, "under_1d": 0,
                                               "older": row["open"]})
        # On both sides of where each age ends, within a quarter of an hour.
        now = int(time.time())
        for i, age in enumerate((3400, 3800, 7200, 21400, 21800, 86200, 86600, 90000)):
            self.service.seed(kit.failure("fresh", "slow%d@x.example" % i, action="delayed",
                                          class_="throttled", permanent="no", provider="fresh",
                                          at=now - age))
        for query in ({"campaign": "fresh"}, {}):
            row, = [row for row in self.get("/v1/delays", **query).data
                    if row["provider"] == "fresh"]
            self.assertEqual(row["ages"], {"under_1h": 1, "under_6h": 3, "under_1d": 2, "older": 2})
            oldest = datetime.datetime.fromtimestamp(now - 90000, UTC)
            self.assertEqual((row["open"], row["oldest_at"]),
                             (8, oldest.strftime("%Y-%m-%dT%H:%M:%SZ")))

    def test_times_to_failure_and_to_the_end_of_a_delay(self):
        def percentile(values, part):
            values, at = sorted(values), (len(values) - 1) * part
            low = int(at)
            return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (at - low)

        world = self.worlds["march"]
        failures, delays = collections.defaultdict(list), collections.defaultdict(list)
        for address, events in world.deliveries.items():
            outcome = world.outcome(events)
            if not outcome or outcome[0] == "delayed":
                continue
            sent = world.sent(address)
            if outcome[0] == "failed" and outcome[3] >= sent:
                failures[outcome[4]].append((outcome[3] - sent).total_seconds())
            delayed = [event[3] for event in events if event[0] == "delayed"]
            if delayed and outcome[3] >= min(delayed):
                delays[outcome[4]].append((outcome[3] - min(delayed)).total_seconds())
        rows = {row["provider"]: row
                for row in self.good(self.get("/v1/campaigns/march/timings")).data}
        self.assertEqual(set(rows), set(failures) | set(delays))
        for provider, row in rows.items():
            for found, values in ((row["time_to_failure"], failures[provider]),
                                  (row["time_delayed"], delays[provider])):
                self.assertEqual(found["count"], len(values))
                self.assertLessEqual(abs(found["p50_s"] - percentile(values, 0.5)), 1)
                self.assertLessEqual(abs(found["p95_s"] - percentile(values, 0.95)), 1)
        self.problem(self.get("/v1/campaigns/nosuch/timings"), 404)

    def test_all_campaigns_together_are_the_sum_of_each(self):
        """Reports that name no campaign are among them."""
        for dim in ("provider", "class"):
            whole = collections.defaultdict(collections.Counter)
            for point in self.series(interval="hour", group_by="campaign," + dim):
                counts = {name: point["counts"][name] for name in COUNTS}
                counts["statuses"] = point["coverage"]["denominator"]
                whole[point["t"], point["dims"][dim]].update(counts)
            self.check_series(self.series(interval="hour", group_by=dim), whole,
                              lambda point, dim=dim: (point["t"], point["dims"][dim]))

    def test_campaigns_side_by_side(self):
        points = {p["dims"]["campaign"]: p for p in self.series(interval="none",
                                                                group_by="campaign")}
        for key, world in self.worlds.items():
            self.check_counts(points[key], world.tally(lambda *_: None)[None])

    def test_registered_sends_are_the_denominator_of_their_hour(self):
        for key, size in REGISTERED.items():
            sent = collections.Counter(self.text(self.worlds[key].sent("%s%d@" % (key, n)).replace(
                minute=0, second=0)) for n in range(size))
            points = {p["t"]: p for p in self.series(campaign=key, interval="hour")}
            for hour, count in sent.items():
                self.assertEqual(points[hour]["sent"], count)

    def test_status_records(self):
        for key, world in self.worlds.items():
            reply = self.good(self.get("/v1/statuses", campaign=key, format="ndjson"))
            self.assertEqual(len(reply.lines), len(world.records))
            for name in ("throttled", "complaint", "mailbox_unknown"):
                lines = self.get("/v1/statuses", campaign=key, class_=name, format="ndjson").lines
                self.assertEqual(len(lines), sum(1 for r in world.records if r[2] == name))

    def test_suppressions_follow_from_proof_alone(self):
        found = {line["address"]: line for line in
                 self.get("/v1/suppressions", format="ndjson").lines}
        expected = set().union(*(world.suppressed for world in self.worlds.values()))
        at_once = {address for address, line in found.items()
                   if line["class"] in ("mailbox_unknown", "complaint")}
        self.assertEqual(at_once, expected)
        self.assertFalse([a for a in found if a and a.startswith("other-")])
        sender_fault = [a for a, line in found.items() if line["class"] in BLOCK[:3]]
        self.assertEqual(sender_fault, [])


if __name__ == "__main__":
    kit.main()
