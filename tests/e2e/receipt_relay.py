#!/usr/bin/env python3
"""usage: receipt_relay.py PORT DIRECTORY: a relay. Keeps each message as a file of its Message-ID and a
number in DIRECTORY. Says 451 to the first message, and 550 to every one for refused@."""
import itertools
import os
import re
import socketserver
import sys

PORT, DIRECTORY = int(sys.argv[1]), sys.argv[2]
NUMBERS = itertools.count(1)


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def content(self):
        octets = b""
        while not octets.endswith(b"\r\n.\r\n"):
            line = self.rfile.readline()
            if not line:
                raise EOFError
            octets += line
        return octets[:-3]

    def handle(self):
        self.say("220 relay.test ESMTP")
        while True:
            line = self.rfile.readline().decode()
            if not line:
                return
            verb = line[:4].upper()
            if verb == "MAIL":
                sender = line.split("<", 1)[1].split(">")[0]
            if verb == "RCPT" and "<refused@" in line:
                self.say("550 5.1.1 no such user")
            elif verb == "RCPT":
                recipient = line.split("<", 1)[1].split(">")[0]
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                octets, number = self.content(), next(NUMBERS)
                if number > 1:
                    name = re.search(rb"Message-ID: <([^@]*)@", octets).group(1).decode()
                    with open(os.path.join(DIRECTORY, "%s.%d" % (name, number)), "wb") as out:
                        out.write(("X-From: %s\r\nX-To: %s\r\n" % (sender, recipient)).encode() + octets)
                self.say("250 ok" if number > 1 else "451 4.3.0 not now")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Relay(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Relay(("127.0.0.1", PORT), Session).serve_forever()
