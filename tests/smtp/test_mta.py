#!/usr/bin/env python3
"""Real mail servers before the receiver, with the configurations of deploy/: Postfix by LMTP and Exim
by SMTP, each with a delivery report it wrote itself, and HAProxy with a PROXY header."""
import os
import re
import smtplib
import sys
import time

import kit
import mta

DEPLOY = os.path.join(os.path.dirname(__file__), "../../deploy")


def example(name, **replaced):
    """A file of deploy/ with what a test must have otherwise than its reader."""
    with open(os.path.join(DEPLOY, name), encoding="ascii") as source:
        text = source.read().replace("bounces.example.com", "bounce.test")
    for old, new in replaced.values():
        if old not in text:
            raise AssertionError("%s does not say %r" % (name, old))
        text = text.replace(old, new)
    return text


def settings_of(text):
    """The keys of a dsnd.conf as the kit's Receiver takes them."""
    found, section = {}, ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found["%s.%s" % (section, key.strip())] = value.strip()
    return found


class Mta(kit.ReceiverTest):
    tree = ""

    def setUp(self):
        super().setUp()
        self.refuser = mta.Refuser()
        self.addCleanup(self.refuser.server_close)
        os.mkdir(self.receiver.path("mta"))
        os.chmod(self.receiver.dir, 0o755)
        self.port = kit.free_port()

    def configure(self, name, **replaced):
        """The receiver as the example says, its journal in the test's directory."""
        config = settings_of(example(name, **replaced))
        for key in ("journal.dir", "database.url"):
            config.pop(key, None)
        self.receiver.settings.update(config)
        self.receiver.start()

    def keep(self, daemon):
        self.addCleanup(daemon.stop)
        self.daemon = daemon

    def bounce(self, sender):
        """Mail to someone who is refused; the report that comes back."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail(sender, ["nobody@refused.test"],
                            b"From: a@b.example\r\nTo: nobody@refused.test\r\nSubject: x\r\n\r\nx\r\n")
        end = time.monotonic() + 20
        while not self.receiver.messages():
            if time.monotonic() > end:
                self.fail(self.daemon.what_happened() + self.receiver.log())
            time.sleep(0.05)
        message = self.receiver.messages()[0]
        self.assertEqual((message["sender"], message["recipients"]), ("", [sender]))
        for wanted in (b"multipart/report", b"message/delivery-status", b"nobody@refused.test",
                       b"550"):
            self.assertIn(wanted, message["octets"])
        return message

    def test_postfix_hands_its_report_over_by_lmtp(self):
        path = self.receiver.path("lmtp")
        self.configure("postfix/dsnd.conf", path=("/run/dsnd/lmtp", path))
        self.keep(mta.postfix(self.tree, self.receiver.path("mta"), self.port,
                              example("postfix/main.cf", path=("/run/dsnd/lmtp", path)),
                              self.refuser.port))
        self.assertEqual(self.bounce("r1@bounce.test")["source"], 2)

    def test_exim_sends_its_report_by_smtp(self):
        if not mta.may_hide_files():
            print("SKIP: Exim needs accounts of its own, and mounts are not allowed here")
            self.skipTest("no mounts")
        listen = ("2525", str(self.receiver.port))
        self.configure("exim/dsnd.conf", listen=listen)
        self.keep(mta.exim(self.tree, self.receiver.path("mta"), self.port,
                           example("exim/routers", listen=listen), example("exim/transports"),
                           self.refuser.port))
        self.assertEqual(self.bounce("r1@bounce.test")["helo"], "exim.test")

    def test_haproxy_says_who_the_client_is(self):
        listen = ("2525", str(self.receiver.port))
        self.configure("haproxy/dsnd.conf", listen=listen)
        self.keep(mta.haproxy(self.tree, self.receiver.path("mta"), self.port,
                              example("haproxy/haproxy.cfg", listen=listen,
                                      bind=("bind :25", "bind 127.0.0.1:%d" % self.port))))
        client = kit.Client(self.port, source="127.0.4.2")
        self.assertEqual(client.deliver()[0], 250)
        self.assertEqual(self.receiver.messages()[0]["peer"], "127.0.4.2")

    def test_alone_as_the_mx(self):
        cert, key = self.receiver.path("cert.pem"), self.receiver.path("key.pem")
        kit.make_certificate(cert, key)
        with open(self.receiver.path("keys"), "w", encoding="ascii") as keys:
            keys.write("a %s\n" % kit.KEY)
        self.configure("mx/dsnd.conf", cert=("/etc/dsnd/tls/fullchain.pem", cert),
                       key=("/etc/dsnd/tls/privkey.pem", key),
                       keys=("/etc/dsnd/keys", self.receiver.path("keys")),
                       listen=("0.0.0.0:25, [::]:25", "127.0.0.1:%d" % self.receiver.port))
        client = self.receiver.client()
        self.assertTrue(re.search("STARTTLS", client.say("EHLO client.test")[1]))
        self.assertEqual(client.deliver("unsigned@bounce.test")[0], 550)


if __name__ == "__main__":
    Mta.tree = os.path.realpath(os.environ.get("DSND_MTA_DIR", "build/mta"))
    if not mta.unpack(Mta.tree):
        print("SKIP: needs root, and packages of Debian: " + " ".join(mta.PACKAGES))
        sys.exit(77)
    kit.main()
