#!/usr/bin/python3
"""usage: compare_campaign.py EXPECTED SHOWN

EXPECTED is what dsnd-demo printed, SHOWN the answer of GET /v1/campaigns/{key}. Exit status 0 when
all numbers agree, else 1 and what differs.
"""
import json
import sys


def rates_of(expected):
    counts, sent = expected["counts"], expected["sent"]
    return {
        "failure_rate": (counts["failed"], sent),
        "hard_failure_rate": (expected["hard"], sent),
        "soft_failure_rate": (expected["soft"], sent),
        "block_failure_rate": (expected["block"], sent),
        "delivery_rate": (sent - counts["failed"] - counts["delay_open"], sent),
        "delay_rate": (counts["delayed"], sent),
        "complaint_rate": (counts["complained"], sent - counts["failed"]),
    }


def differences(expected, shown):
    for name in ("sent", "counts", "classes", "providers"):
        if expected[name] != shown.get(name):
            yield "%s: expected %s, shown %s" % (name, expected[name], shown.get(name))
    for name, (numerator, denominator) in rates_of(expected).items():
        rate = shown.get("rates", {}).get(name, {})
        if (rate.get("numerator"), rate.get("denominator")) != (numerator, denominator):
            yield "%s: expected %d of %d, shown %s" % (name, numerator, denominator, rate)
        elif abs(rate["value"] - numerator / denominator) > 1e-9:
            yield "%s: %s is not %d / %d" % (name, rate["value"], numerator, denominator)


def main(expected_path, shown_path):
    with open(expected_path) as file:
        expected = json.load(file)
    with open(shown_path) as file:
        shown = json.load(file)
    found = list(differences(expected, shown))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
