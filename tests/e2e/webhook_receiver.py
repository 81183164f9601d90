#!/usr/bin/env python3
"""usage: webhook_receiver.py PORT SECRET_FILE OUT [REFUSALS] [LOST]: an endpoint that checks signatures.

Appends to OUT, for every event of every request, its id, its type and the webhook-id. Answers 503 to
the first REFUSALS requests, 401 where no signature is of a secret of SECRET_FILE (one a line); of the
others every LOSTth is taken, but the answer is lost. A file OUT.mode changes what all are answered:
"gone" 410, "slow" nothing at all, "redirect" 302, "huge" 200 and a body without end, "both" 200 where
every secret has signed, else 401."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time

PORT, SECRETS, OUT = int(sys.argv[1]), sys.argv[2], sys.argv[3]
refusals = int(sys.argv[4]) if len(sys.argv) > 4 else 0
lost = int(sys.argv[5]) if len(sys.argv) > 5 else 0
requests = 0
lock = threading.Lock()


def signed_by(headers, body):
    """How many of the secrets have signed it."""
    stamp, found = headers["webhook-timestamp"], headers["webhook-signature"].split(" ")
    signed = b"%s.%s." % (headers["webhook-id"].encode(), stamp.encode()) + body
    if abs(time.time() - int(stamp)) > 60:
        return 0
    count = 0
    for line in open(SECRETS).read().split():
        key = base64.b64decode(line[len("whsec_"):])
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        count += any(hmac.compare_digest(wanted, one) for one in found)
    return count


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global refusals, requests
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mode = open(OUT + ".mode").read().strip() if os.path.exists(OUT + ".mode") else ""
        count = signed_by(self.headers, body)
        if not count or (mode == "both" and count < len(open(SECRETS).read().split())):
            return self.answer(401)
        if mode in ("gone", "redirect"):
            return self.answer({"gone": 410, "redirect": 302}[mode])
        if mode == "slow":
            time.sleep(5)
            return None
        with lock:
            if refusals > 0:
                refusals -= 1
                return self.answer(503)
            requests += 1
            with open(OUT, "a") as out:
                for event in json.loads(body)["events"]:
                    print(event["id"], event["type"], self.headers["webhook-id"], file=out)
            if lost and requests % lost == 0:
                self.close_connection = True
                return self.connection.close()
        if mode == "huge":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 65536)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            pass

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
