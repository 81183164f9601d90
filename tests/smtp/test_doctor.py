#!/usr/bin/env python3
"""dsnd doctor and the DNS: MX, chain, MTA-STS, DANE, TLSRPT, against a name server of the test's own. Needs
root, for port 53 of a loopback address and a resolv.conf that only the program sees."""
import hashlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import kit

TYPES = {"A": 1, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
PROGRAM = ""


def labels(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def txt(*texts):
    return b"".join(bytes([len(text)]) + text.encode() for text in texts)


class NameServer(threading.Thread):
    """Answers from `records`, {(name, type): [data, ...]}."""

    def __init__(self, secure=True):
        super().__init__(daemon=True)
        self.records, self.secure = {}, secure
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for last in range(1, 255):
            self.address = "127.0.77.%d" % last
            try:
                self.socket.bind((self.address, 53))
                break
            except OSError:
                continue
        self.start()

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            at, name = 12, []
            while query[at]:
                name.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            kind = struct.unpack_from(">H", query, at + 1)[0]
            found = self.records.get((".".join(name).lower(), kind), [])
            known = any(key[0] == ".".join(name).lower() for key in self.records)
            flags = 0x8180 | (0x20 if self.secure else 0) | (0 if known else 3)
            answer = query[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0) + query[12:at + 5]
            for data in found:
                answer += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
            self.socket.sendto(answer, peer)

    def add(self, name, kind, *data):
        self.records[(name, TYPES[kind])] = list(data)


class Doctor(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="dsnd-doctor-")
        self.addCleanup(self.dir.cleanup)
        self.names = NameServer()
        self.addCleanup(self.names.socket.close)
        self.names.add("bounce.test", "MX", struct.pack(">H", 10) + labels("mx.bounce.test"))
        self.names.add("mx.bounce.test", "A", bytes([192, 0, 2, 1]))
        with open(self.path("resolv.conf"), "w", encoding="ascii") as out:
            out.write("nameserver %s\noptions timeout:1 attempts:1\n" % self.names.address)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def certify(self, name="mx.bounce.test"):
        kit.make_certificate(self.path("cert"), self.path("key"), name=name)

    def public_key_digest(self):
        key = subprocess.run(["openssl", "x509", "-in", self.path("cert"), "-noout", "-pubkey"],
                             check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                             capture_output=True).stdout
        return hashlib.sha256(der).digest()

    def findings(self, trusted=True, **more):
        environment = dict(os.environ, DSND_CONF="/dev/null", DSND_SMTP_DOMAINS="bounce.test",
                           DSND_DATABASE_URL="postgresql:///?host=/nowhere")
        if os.path.exists(self.path("cert")):
            environment.update(DSND_SMTP_TLS_CERT=self.path("cert"), DSND_SMTP_TLS_KEY=self.path("key"))
        if trusted:
            environment["SSL_CERT_FILE"] = self.path("cert")
        environment.update(more)
        script = "mount --bind %s /etc/resolv.conf && exec %s doctor" % (self.path("resolv.conf"), PROGRAM)
        output = subprocess.run(["unshare", "-m", "sh", "-c", script], env=environment,
                                capture_output=True, check=False, text=True).stdout
        found = {}
        for line in output.splitlines():
            grade, _, rest = line.partition("  ")
            found[rest[:10].strip()] = (grade.strip(), rest[11:])
        return found

    def expect(self, subject, grade, words, **how):
        found = self.findings(**how)
        self.assertIn(subject, found)
        self.assertEqual(found[subject][0], grade, found[subject])
        self.assertIn(words, found[subject][1])
        return found

    def test_everything_in_order(self):
        self.certify()
        self.names.add("_mta-sts.bounce.test", "TXT", txt("something else"), txt("v=STSv1; ", "id=1;"))
        self.names.add("_smtp._tls.bounce.test", "TXT", txt("v=TLSRPTv1; rua=mailto:tls@bounce.test"))
        self.names.add("_25._tcp.mx.bounce.test", "TLSA", bytes([3, 1, 1]) + bytes(32),
                       bytes([3, 1, 1]) + self.public_key_digest())
        found = self.expect("dane", "good", "matches the certificate")
        for subject in ("dns", "chain", "mta-sts", "tlsrpt"):
            self.assertEqual(found[subject][0], "good", found[subject])
        self.assertIn("v=STSv1; id=1;", found["mta-sts"][1])

    def test_a_key_that_stands_with_its_certificate(self):
        self.certify()
        with open(self.path("cert"), "a", encoding="ascii") as out, open(self.path("key"), encoding="ascii") as key:
            out.write(key.read())
        found = self.expect("smtp tls", "good", "expires in", DSND_SMTP_TLS_KEY="")
        self.assertEqual(found["settings"][0], "good", found["settings"])

    def test_what_the_service_would_refuse_at_its_start(self):
        self.expect("settings", "BAD", "submit.users_file: users file /nosuch",
                    DSND_SUBMIT_LISTEN="127.0.0.1:0", DSND_SUBMIT_USERS_FILE="/nosuch")

    def test_no_mx_and_a_null_mx(self):
        self.names.add("bounce.test", "MX", struct.pack(">H", 0) + b"\0")
        self.expect("dns", "BAD", "null MX")
        self.names.records.clear()
        self.expect("dns", "BAD", "has no MX")

    def test_a_certificate_of_another_name_or_of_nobody_known(self):
        self.certify("other.test")
        self.expect("chain", "warn", "no certificate names mx.bounce.test")
        self.certify()
        self.expect("chain", "warn", "does not verify: self-signed certificate", trusted=False)
        self.names.add("_mta-sts.bounce.test", "TXT", txt("v=STSv1; id=1"))
        found = self.expect("mta-sts", "BAD", "nobody can deliver", trusted=False)
        self.assertEqual(found["tlsrpt"][0], "warn")

    def test_mta_sts_that_nobody_heeds(self):
        self.certify()
        self.expect("mta-sts", "warn", "senders may deliver in the clear")
        self.names.add("_mta-sts.bounce.test", "TXT", txt("v=STSv1; id=1"), txt("v=STSv1; id=2"))
        self.expect("mta-sts", "BAD", "several")
        self.names.add("_mta-sts.bounce.test", "TXT", txt("v=STSv1;"))
        self.expect("mta-sts", "BAD", "no id")

    def test_dane_that_matches_nothing_or_is_not_vouched_for(self):
        self.certify()
        name = "_25._tcp.mx.bounce.test"
        self.names.add(name, "TLSA", bytes([3, 1, 1]) + bytes(32), bytes([1, 1, 1]) + self.public_key_digest())
        self.expect("dane", "BAD", "no TLSA record")
        self.names.add(name, "TLSA", bytes([3, 1, 1]) + self.public_key_digest())
        self.names.secure = False
        self.expect("dane", "warn", "does not vouch")

    def test_a_tlsrpt_record_that_names_nobody(self):
        self.names.add("_smtp._tls.bounce.test", "TXT", txt("v=TLSRPTv1;"))
        self.expect("tlsrpt", "BAD", "rua=")


if __name__ == "__main__":
    PROGRAM = os.path.realpath(sys.argv.pop(1))
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True,
                                           check=False).returncode:
        print("SKIP: needs root, and mounts of its own")
        sys.exit(77)
    unittest.main()
