#!/usr/bin/env python3
"""usage: undisputed.py DISPUTED EXPECTED.jsonl: the expectations without those that are disputed."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as lines:
    disputed = {words[0]: words[1] for words in (line.split(None, 2) for line in lines)
                if words and words[0] != "#"}
with open(sys.argv[2], encoding="utf-8") as lines:
    for entry in map(json.loads, lines):
        what = disputed.pop(entry["file"], None)
        if what == "class":
            entry["class"] = None
        elif what == "reason":
            for recipient in entry["recipients"]:
                del recipient["reason"]
        print(json.dumps(entry))
if disputed:
    sys.exit("no such expectations: " + " ".join(sorted(disputed)))
