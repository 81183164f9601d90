#!/usr/bin/env python3
"""usage: webhook_receiver.py PORT SECRET_FILE OUT [REFUSALS]: an endpoint that checks signatures.

Appends the id and type of every event to OUT; answers 503 to the first REFUSALS requests, 401 where
the signature is wrong."""
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

refusals = int(sys.argv[4]) if len(sys.argv) > 4 else 0


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global refusals
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = base64.b64decode(open(sys.argv[2]).read().strip()[len("whsec_"):])
        stamp = self.headers["webhook-timestamp"]
        signed = b"%s.%s." % (self.headers["webhook-id"].encode(), stamp.encode()) + body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(wanted, self.headers["webhook-signature"]) \
                or abs(time.time() - int(stamp)) > 60:
            return self.answer(401)
        if refusals > 0:
            refusals -= 1
            return self.answer(503)
        with open(sys.argv[3], "a") as out:
            for event in json.loads(body)["events"]:
                print(event["id"], event["type"], file=out)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
