"""Which time a series covers: zones that change by half an hour, names of zones, and what `previous` is
compared with."""
import datetime
import json
import zoneinfo

import kit
from kit import Case

UTC = datetime.timezone.utc
HOWE = zoneinfo.ZoneInfo("Australia/Lord_Howe")
CHANGE = datetime.datetime(2026, 4, 4, 15, tzinfo=UTC)  # from UTC+11 to UTC+10:30


def text(at):
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Series(Case):
    def register(self, campaign, times):
        body = "\n".join(json.dumps({"campaign": campaign, "ref": "n%d" % n, "sent_at": text(at)})
                         for n, at in enumerate(times)).encode()
        found = self.good(self.ask("POST", "/v1/sends", body, headers={"Content-Type": kit.NDJSON}))
        self.assertEqual({line["result"] for line in found.data}, {"created"})

    def sent(self, name="data", **query):
        reply = self.good(self.get("/v1/metrics", **query)).json
        return {point["t"]: point["sent"] for point in reply[name]}

    def test_a_zone_that_changes_by_half_an_hour_within_the_time(self):
        times = [CHANGE + datetime.timedelta(minutes=15 * n + 3) for n in range(-4 * 96, 4 * 96)]
        self.register("howe", times)
        wanted = {}
        for at in times:
            day = at.astimezone(HOWE).replace(hour=0, minute=0, second=0, fold=0)
            wanted[text(day)] = wanted.get(text(day), 0) + 1
        # The days before and behind it, whole and cut; all in less time than a zone is looked at.
        for first, last in ((-3, 3), (-1, 3), (-3, 1)):
            start, end = (CHANGE.astimezone(HOWE) + datetime.timedelta(days=n) for n in (first, last))
            start, end = (at.replace(hour=0, minute=0, fold=0) for at in (start, end))
            inside = {day: n for day, n in wanted.items() if text(start) <= day < text(end)}
            for more in ({}, {"campaign": "howe"}, {"by": "sent"}, {"group_by": "provider"}):
                with self.subTest(start=text(start), end=text(end), more=more):
                    self.assertEqual(inside, self.sent(from_=text(start), to=text(end),
                                                       tz="Australia/Lord_Howe", **more))
        # And the time before alone holds the change.
        start = (CHANGE + datetime.timedelta(days=1)).astimezone(HOWE).replace(hour=0, minute=0)
        before = self.sent("previous", from_=text(start), to=text(start + datetime.timedelta(days=2)),
                           compare="previous", tz="Australia/Lord_Howe", campaign="howe")
        inside = {day: n for day, n in wanted.items()
                  if text(start - datetime.timedelta(days=1)) <= day < text(start)}
        self.assertEqual(inside, {day: n for day, n in before.items() if day in inside})

    def test_a_day_begins_with_the_first_of_two_midnights(self):
        for zone, first in (("Atlantic/Azores", datetime.datetime(2026, 10, 25, 0, tzinfo=UTC)),
                            ("America/Havana", datetime.datetime(2026, 11, 1, 4, tzinfo=UTC))):
            campaign = zone.split("/")[1].lower()
            self.register(campaign, [first + datetime.timedelta(minutes=30 * n + 5)
                                     for n in range(-48, 98)])
            for more in ({"campaign": campaign}, {"campaign": campaign, "by": "sent"},
                         {"campaign": campaign, "group_by": "provider,class"}):
                self.assertEqual({text(first - datetime.timedelta(days=1)): 48, text(first): 50,
                                  text(first + datetime.timedelta(hours=25)): 48},
                                 self.sent(tz=zone, from_="2026-10-20", to="2026-11-10", **more))

    def test_what_is_no_name_of_a_zone_is_refused(self):
        for name in ("Foo/Bar-3", "Europe/Berlin+5", "Europe/Berlin-5", "Etc/GMT+15", "Etc/GMT5X",
                     "Foo/Bar", "UTC+3", "+03:00"):
            self.problem(self.get("/v1/metrics", tz=name), 400, "tz", "IANA")
        for name in ("UTC", "Etc/GMT+5", "Etc/GMT-14", "Etc/GMT0", "America/Port-au-Prince",
                     "America/North_Dakota/New_Salem"):
            self.good(self.get("/v1/metrics", tz=name))

    def test_what_is_no_group_is_refused(self):
        for group in ("provider,", ",provider", "provider,,class", "provider,provider", "campaign,class,provider"):
            self.problem(self.get("/v1/metrics", group_by=group), 400, "group_by", "one or two")

    def test_without_an_end_the_time_before_is_as_long_as_that_till_now(self):
        now = datetime.datetime.now(UTC)
        self.register("steady", [now - datetime.timedelta(hours=n, minutes=1) for n in range(24 * 20)])
        query = {"campaign": "steady", "interval": "none", "compare": "previous",
                 "from_": text(now - datetime.timedelta(days=7))}
        found, before = (self.sent(name, **query)[None] for name in ("data", "previous"))
        self.assertLessEqual(abs(found - before), 1, (found, before))


if __name__ == "__main__":
    kit.main()
