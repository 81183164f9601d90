#!/usr/bin/env python3
"""The submission listener: who may authenticate how, and what becomes of the mail."""
import base64
import hashlib
import hmac
import os
import smtplib
import time

import kit
from stopwatch import Stopwatch


def b64(octets):
    return base64.b64encode(octets).decode()


def keys_of(password, salt, iterations):
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    return [hmac.digest(salted, name, "sha256") for name in (b"Client Key", b"Server Key")]


def scram_secret(password, salt=b"a salt of a user", iterations=4096):
    client, server = keys_of(password, salt, iterations)
    stored = hashlib.sha256(client).digest()
    return "{SCRAM-SHA-256}%d,%s,%s,%s" % (iterations, b64(salt), b64(stored), b64(server))


def scram(client, name, password, initial=True, header="n,,", last=""):
    """RFC 5802 from the client's side; the last reply, after the server has proved itself."""
    first = "n=%s,r=clientnonce" % name
    message = b64((header + first).encode())
    if initial:
        code, text = client.say("AUTH SCRAM-SHA-256 " + message)
    else:
        client.say("AUTH SCRAM-SHA-256")
        code, text = client.say(message)
    if code != 334:
        return code, text
    server_first = base64.b64decode(text).decode()
    fields = dict(field.split("=", 1) for field in server_first.split(","))
    without_proof = "c=%s,r=%s" % (b64(header.encode()), fields["r"])
    signed = ",".join((first, server_first, without_proof)).encode()
    key, server_key = keys_of(password, base64.b64decode(fields["s"]), int(fields["i"]))
    signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature))
    code, text = client.say(b64(("%s,p=%s" % (without_proof, b64(proof))).encode()))
    if code != 334:
        return code, text
    assert base64.b64decode(text).decode() == "v=" + b64(hmac.digest(server_key, signed, "sha256"))
    return client.say(last)


class Submit(kit.ReceiverTest):
    def setUp(self):
        super().setUp()
        cert, key, users = (self.receiver.path(name) for name in ("cert.pem", "key.pem", "users"))
        kit.make_certificate(cert, key)
        self.users = users
        self.write_users("one %s\n# a comment\n\ntwo {PLAIN}pencil\n" % scram_secret(b"secret"))
        self.port = kit.free_port()
        self.receiver.settings.update({"smtp.tls_cert": cert, "smtp.tls_key": key,
                                       "submit.listen": "127.0.0.1:%d" % self.port,
                                       "submit.users_file": users})

    def write_users(self, text):
        with open(self.users, "w", encoding="ascii") as out:
            out.write(text)

    def greeted(self):
        client = kit.Client(self.port)
        self.assertNotIn("AUTH", client.say("EHLO client.test")[1])
        self.assertEqual(client.say("AUTH SCRAM-SHA-256")[0], 538)
        client.say("STARTTLS")
        client.secure(kit.trust_all())
        self.assertIn("AUTH", client.say("EHLO client.test")[1])
        return client

    def test_scram_over_the_wire(self):
        self.started()
        for name, password in (("one", b"secret"), ("two", b"pencil")):
            for initial in (True, False):
                client = self.greeted()
                self.assertEqual(scram(client, name, password, initial)[0], 235)
                self.assertEqual(client.deliver(hello=None)[0], 250)
        self.assertEqual({message["source"] for message in self.receiver.messages()}, {3})

    def test_scram_with_a_wrong_password_or_name(self):
        self.started()
        for name, password in (("one", b"pencil"), ("two", b"secret"), ("three", b"secret")):
            self.assertEqual(scram(self.greeted(), name, password)[0], 535)
        self.receiver.await_log("reason=auth_failed", 3)

    def test_scram_for_someone_else_or_with_more_to_say(self):
        self.started()
        self.assertEqual(scram(self.greeted(), "one", b"secret", header="n,a=one,")[0], 235)
        self.assertEqual(scram(self.greeted(), "one", b"secret", header="n,a=two,")[0], 535)
        self.assertEqual(scram(self.greeted(), "one", b"secret", last="abcd")[0], 535)

    def test_without_a_certificate_no_password_is_sent(self):
        self.receiver.settings["smtp.tls_cert"] = ""
        self.started()
        client = kit.Client(self.port)
        self.assertIn("AUTH SCRAM-SHA-256 CRAM-MD5\n", client.say("EHLO client.test")[1])
        self.assertEqual(client.say("AUTH PLAIN")[0], 538)
        self.assertEqual(scram(client, "one", b"secret")[0], 235)

    def test_each_way_of_a_client_library(self):
        self.started()
        for name, password, method in (("one", "secret", "PLAIN"), ("one", "secret", "LOGIN"),
                                       ("two", "pencil", "PLAIN"), ("two", "pencil", "CRAM-MD5")):
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                client.starttls()
                client.ehlo()
                client.user, client.password = name, password
                code, _ = client.auth(method, getattr(client, "auth_" + method.lower().replace("-", "_")))
                self.assertEqual(code, 235, method)
                client.sendmail("a@b.example", ["a@bounce.test"], kit.MESSAGE)
        self.assertEqual(len(self.receiver.messages()), 4)

    def test_failures_cost_time(self):
        self.started()
        client = self.greeted()
        began = time.monotonic()
        for _ in range(2):
            self.assertEqual(scram(client, "one", b"wrong")[0], 535)
        client.say("NOOP")
        self.assertGreater(time.monotonic() - began, 1.8)

    def test_slow_hashes_are_in_nobodys_way(self):
        self.receiver.settings["smtp.threads"] = "1"
        self.write_users("one %s\n" % scram_secret(b"secret", iterations=100000))
        self.started()
        guessers = [self.greeted() for _ in range(20)]
        for client in guessers:
            client.send(b"AUTH PLAIN %s\r\n" % b64(b"\0one\0guess").encode())
        worst = 0
        for _ in range(20):
            watch = Stopwatch()
            self.assertEqual(self.receiver.client().deliver()[0], 250)
            worst = max(worst, watch.seconds())
        self.assertLess(worst, 0.1)
        print("20 hashes of 100,000 iterations; delivery meanwhile at worst %.1f ms" % (worst * 1000))
        for client in guessers:
            self.assertEqual(client.reply()[0], 535)

    def test_who_leaves_while_the_password_is_looked_at_harms_nobody(self):
        self.write_users("one %s\n" % scram_secret(b"secret", iterations=100000))
        self.started()
        for _ in range(5):
            client = self.greeted()
            client.send(b"AUTH PLAIN %s\r\nQUIT\r\n" % b64(b"\0one\0guess").encode())
            client.close()
        client = self.greeted()
        client.send(b"AUTH PLAIN %s\r\nNOOP\r\n" % b64(b"\0one\0secret").encode())
        self.assertEqual([client.reply()[0] for _ in range(2)], [235, 250])
        self.assertEqual(self.receiver.stop(), 0)

    def test_it_is_not_offered_on_the_other_listener(self):
        client = self.started().client()
        self.assertNotIn("AUTH", client.say("EHLO client.test")[1])
        self.assertEqual(client.say("AUTH PLAIN")[0], 502)
        self.assertEqual(client.say("MAIL FROM:<> AUTH=<>")[0], 555)

    def test_receipts_are_promised_only_where_a_relay_can_send_them(self):
        self.started()
        for relay, listener, code in (("", self.port, 550), ("smtp://127.0.0.1:25", self.port, 250),
                                      ("smtp://127.0.0.1:25", self.receiver.port, 550)):
            self.receiver.settings["submit.relay"] = relay
            self.receiver.reload()
            client = self.greeted() if listener == self.port else self.receiver.client()
            if listener == self.port:
                self.assertEqual(scram(client, "one", b"secret")[0], 235)
            else:
                client.say("EHLO client.test")
            client.say("MAIL FROM:<a@b.example>")
            self.assertEqual(client.say("RCPT TO:<a@bounce.test> NOTIFY=SUCCESS")[0], code)
        self.receiver.settings["submit.relay"] = "http://127.0.0.1"
        self.receiver.reload()
        self.assertIn(r'submit.relay: \x22http://127.0.0.1\x22 is not allowed; allowed is smtp://', self.receiver.log())

    def test_users_are_read_again(self):
        self.started()
        self.write_users("three %s\n" % scram_secret(b"third"))
        self.receiver.reload()
        self.assertEqual(scram(self.greeted(), "three", b"third")[0], 235)
        self.assertEqual(scram(self.greeted(), "one", b"secret")[0], 535)
        self.assertNotIn("CRAM-MD5", self.greeted().say("EHLO client.test")[1])
        self.write_users("three nonsense\n")
        self.receiver.reload()
        self.assertIn("users:1: want a name", self.receiver.log())
        self.assertEqual(scram(self.greeted(), "three", b"third")[0], 235)

    def test_it_does_not_start_without_users(self):
        os.unlink(self.users)
        with self.assertRaisesRegex(AssertionError, "users: No such file"):
            self.started()


if __name__ == "__main__":
    kit.main()
