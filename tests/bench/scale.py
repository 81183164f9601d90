"""Asks a running service what dashboards ask, and says how long answers took. Run by scale.sh."""
import http.client
import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

URL, CAMPAIGNS, DATABASE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
CLIENT = http.client.HTTPConnection(urlsplit(URL).netloc, timeout=60)
RUNS = 300


def ask(method, path, body=None):
    if method == "FETCH":
        return fetch(path)
    headers = {"Authorization": "Bearer " + os.environ["DSND_TOKEN"],
               "Content-Type": "application/json"}
    begun = time.perf_counter()
    CLIENT.request(method, path, body, headers)
    reply = CLIENT.getresponse()
    octets = len(reply.read())
    took = (time.perf_counter() - begun) * 1000
    if reply.status != 200:
        sys.exit("%s %s: %d" % (method, path, reply.status))
    return took, octets


def fetch(path):
    """With curl, because Python takes longer over reading a long answer than the service over making it."""
    done = subprocess.run(["curl", "-sS", "--fail", "-o", "/dev/null", "-w",
                           "%{time_total} %{size_download}", "-H", "@-", URL + path],
                          input="Authorization: Bearer " + os.environ["DSND_TOKEN"],
                          capture_output=True, text=True, check=True)
    took, octets = done.stdout.split()
    return float(took) * 1000, int(octets)


def sql(text):
    found = sorted(name for name in os.listdir("/usr/lib/postgresql") if name.isdigit())
    done = subprocess.run(["/usr/lib/postgresql/%s/bin/psql" % found[-1], DATABASE, "-Atqc", text],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


NOW = datetime.now(timezone.utc)
MONTH = "from=%s&to=%s" % ((NOW - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                           NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
BERLIN = MONTH + "&tz=Europe/Berlin"


def check_body(count, first):
    return json.dumps({"addresses": ["user%d@example.net" % (first + 3 * i)
                                     for i in range(count)]})


def campaign(i):
    """Not the large one; of the last half, so that it has reports within 30 days."""
    return "c%d" % (CAMPAIGNS - i * 7 % (CAMPAIGNS // 2 - 1))


# what, at most ms (None: no bound), runs, request of the run
QUESTIONS = [
    ("campaign summary", 20, RUNS, lambda i: ("GET", "/v1/campaigns/" + campaign(i))),
    ("campaign summary, a 20th of all records", 20, RUNS, lambda i: ("GET", "/v1/campaigns/c1")),
    ("30 days by hour, a campaign", 20, RUNS,
     lambda i: ("GET", "/v1/metrics?campaign=%s&interval=hour&%s" % (campaign(i), BERLIN))),
    ("30 days by hour, a 20th of all records", 20, RUNS,
     lambda i: ("GET", "/v1/metrics?campaign=c1&interval=hour&" + BERLIN)),
    ("by the time of sending, a campaign", None, RUNS,
     lambda i: ("GET", "/v1/metrics?campaign=%s&by=sent&interval=hour" % campaign(i))),
    ("100 campaigns with counts and rates", 50, RUNS, lambda i: ("GET", "/v1/campaigns?limit=100")),
    ("all campaigns, 30 days by day", 50, RUNS, lambda i: ("GET", "/v1/metrics?" + BERLIN)),
    ("all campaigns, 30 days compared with those before", 50, RUNS,
     lambda i: ("GET", "/v1/metrics?interval=none&compare=previous&" + BERLIN)),
    ("all campaigns by provider, 30 days", 50, RUNS,
     lambda i: ("GET", "/v1/metrics?interval=none&group_by=provider&" + BERLIN)),
    ("all campaigns by class, 30 days", 50, RUNS,
     lambda i: ("GET", "/v1/metrics?interval=none&group_by=class&" + BERLIN)),
    ("all campaigns by the time of sending, 30 days by day", 50, RUNS,
     lambda i: ("GET", "/v1/metrics?by=sent&" + BERLIN)),
    ("all campaigns, 30 days by day in a zone off by half an hour", None, 30,
     lambda i: ("GET", "/v1/metrics?tz=Asia/Kolkata&" + MONTH)),
    ("each campaign, 30 days in one", None, 10,
     lambda i: ("GET", "/v1/metrics?interval=none&group_by=campaign&" + MONTH)),
    ("open delays by provider and age", None, 30, lambda i: ("GET", "/v1/delays")),
    ("times to failure of a campaign", None, 100,
     lambda i: ("GET", "/v1/campaigns/%s/timings" % campaign(i))),
    ("times to failure, a 20th of all records", None, 5,
     lambda i: ("GET", "/v1/campaigns/c1/timings")),
    ("100 records of a campaign", None, RUNS,
     lambda i: ("GET", "/v1/statuses?campaign=" + campaign(i))),
    ("the records of an address", None, RUNS,
     lambda i: ("GET", "/v1/statuses?recipient=user%d%%40example.net" % (1 + i * 997))),
    ("suppression check, 1 address", 2, 1000,
     lambda i: ("POST", "/v1/suppressions/check", check_body(1, i * 991))),
    ("suppression check, 10,000 addresses", 100, 50,
     lambda i: ("POST", "/v1/suppressions/check", check_body(10000, i * 991))),
    ("export of 1,000,000 suppressions, NDJSON", 2000, 3,
     lambda i: ("FETCH", "/v1/suppressions?format=ndjson")),
    ("export of 1,000,000 suppressions, CSV", 2000, 3,
     lambda i: ("FETCH", "/v1/suppressions?format=csv")),
]

# Of the whole, what deliveries say and what totals say; all zero.
DIFFERENCES = """
    SELECT abs(sum(failed) - (SELECT count(*) FROM delivery WHERE state = 4))
         + abs(sum(delivered) - (SELECT count(*) FROM delivery WHERE state = 3))
         + abs(sum(delay_open) - (SELECT count(*) FROM delivery WHERE state = 1
                                                             AND delay_expired_at IS NULL))
         + abs(sum("delayed") - (SELECT count(*) FROM delivery WHERE delayed_at IS NOT NULL))
         + abs(sum(statuses) - (SELECT count(*) FROM status))
         + abs(sum(failed) - (SELECT sum(failed) FROM total_hour))
         + abs(sum(failed) - (SELECT sum(failed) FROM total_cohort))
         + abs(sum(failed) - (SELECT sum(failed) FROM total_breakdown))
         + abs(sum(failed) - (SELECT sum(failed) FROM total_hour_all))
         + abs(5 * sum(failed) - (SELECT sum(failed) FROM total_roll WHERE basis = 0))
         + abs(5 * sum(failed) - (SELECT sum(failed) FROM total_roll WHERE basis = 1))
         + abs(sum(delay_open) - (SELECT sum(open) FROM total_delay_slot))
         + abs(2 * sum("delayed") - (SELECT sum(open + handed_off + delivered + failed + expired)
                                     FROM total_delay))
    FROM total_campaign"""


def main():
    slow = 0
    time.sleep(3)
    before, begun = int(sql("SELECT sum(reports) FROM journal_position")), time.time()
    for what, most, runs, question in QUESTIONS:
        for i in range(runs if runs > 5 else 1):  # with what is asked for in memory, as after a day of use
            ask(*question(i))
        times = []
        for i in range(runs):
            took, octets = ask(*question(i))
            times.append(took)
        times.sort()
        p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
        late = most is not None and p99 > most
        slow += late
        print("%9.2f ms p50 %9.2f ms p99 %9d octets  %s%s" % (
            p50, p99, octets, what, ("  SLOW: at most %d ms" % most) if late else ""), flush=True)
    stored = int(sql("SELECT sum(reports) FROM journal_position")) - before
    print("%9.0f messages a second became rows meanwhile" % (stored / (time.time() - begun)))
    differences = sql(DIFFERENCES)
    print("%9s differences between deliveries and totals" % differences)
    slow += differences != "0"
    sys.exit(1 if slow else 0)


main()
