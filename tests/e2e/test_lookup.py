#!/usr/bin/env python3
"""Suppressions served to mail servers: the protocols by hand, then a real Postfix and a real Exim with
the configurations of deploy/, which refuse a recipient once its bounce has come in by SMTP."""
import os
import smtplib
import socket
import statistics

import whole
from whole import api
import mta
from stopwatch import Stopwatch

DEPLOY = os.path.join(os.path.dirname(__file__), "../../deploy")
SOCKETMAP, TCP_TABLE = whole.free_port(), whole.free_port()
LIMIT_S = 1.0  # from the 250 of a bounce to the refusal of its recipient


def netstring(text):
    return b"%d:%s," % (len(text), text)


class Client:
    def __init__(self, where):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.socket.settimeout(20)
        self.socket.connect(where if isinstance(where, str) else ("127.0.0.1", where))
        self.rest = b""

    def more(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise EOFError(self.rest)
        self.rest += octets

    def netstring(self):
        while b":" not in self.rest:
            self.more()
        length, rest = self.rest.split(b":", 1)
        while len(rest) < int(length) + 1:
            self.more()
            rest = self.rest.split(b":", 1)[1]
        self.rest = rest[int(length) + 1:]
        return rest[:int(length)].decode()

    def line(self):
        while b"\n" not in self.rest:
            self.more()
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def all(self):
        try:
            while True:
                self.more()
        except EOFError:
            return self.rest.decode()

    def ask(self, text):
        self.socket.sendall(netstring(text.encode()))
        return self.netstring()

    def close(self):
        self.socket.close()


class Lookup(api.Case):
    def client(self, where=SOCKETMAP):
        client = Client(where)
        self.addCleanup(client.close)
        return client

    def unix(self, name):
        return os.path.join(self.service.dir, "sockets", name)

    def suppress(self, address, **body):
        self.good(self.ask("PUT", "/v1/suppressions/" + api.escape(address), body))

    def lift(self, address):
        self.good(self.ask("DELETE", "/v1/suppressions/" + api.escape(address)), 204)

    def test_every_map_of_a_socketmap(self):
        self.suppress("one@maps.example", **{"class": "mailbox_full"})
        since = self.get("/v1/suppressions/one@maps.example").json["since"]
        client = self.client()
        for name, head in (("access", "REJECT 5.7.1 suppressed: "),
                           ("transport", "error:5.7.1 suppressed: "), ("suppressed", "")):
            self.assertEqual(client.ask(name + " One@Maps.example"),
                             "OK %smailbox_full since %s" % (head, since))
            self.assertEqual(client.ask(name + " other@maps.example"), "NOTFOUND ")
        for key in ("maps.example", "one@", "*", ""):
            self.assertEqual(client.ask("access " + key), "NOTFOUND ")
        self.assertTrue(client.ask("nothing one@maps.example").startswith("PERM no such map"))
        self.assertEqual(self.client(self.unix("map")).ask("access other@maps.example"), "NOTFOUND ")

    def test_nothing_is_remembered(self):
        client = self.client()
        for _ in range(5):
            self.suppress("again@maps.example")
            self.assertIn("OK REJECT 5.7.1 suppressed: manual", client.ask("access again@maps.example"))
            self.lift("again@maps.example")
            self.assertEqual(client.ask("access again@maps.example"), "NOTFOUND ")

    def test_an_erased_address_stays_refused(self):
        self.suppress("erased@maps.example", **{"class": "complaint"})
        self.good(self.ask("DELETE", "/v1/recipients/erased@maps.example"))
        self.assertIn("OK REJECT 5.7.1 suppressed: complaint",
                      self.client().ask("access erased@maps.example"))

    def test_tcp_table(self):
        self.suppress("one@tcp.example")
        client = self.client(TCP_TABLE)
        client.socket.sendall(b"get one%40tcp.example\nget two@tcp.example\r\nput a b\n")
        self.assertRegex(client.line(), "^200 REJECT%205.7.1%20suppressed:%20manual%20since%202")
        self.assertEqual(client.line(), "500 not%20suppressed")
        self.assertEqual(client.line(), "400 this%20table%20cannot%20be%20written")
        client.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(client.all(), "400 request%20is%20not:%20get,%20space,%20key\n")

    def test_readsocket(self):
        self.suppress("one@exim.example", **{"class": "mailbox_unknown"})
        for sent, ended, wanted in ((b"one@exim.example\n", False, "suppressed=yes class=mailbox_unknown since=2"),
                                    (b"one@exim.example", True, "suppressed=yes class=mailbox_unknown since=2"),
                                    (b"two@exim.example\nmore", False, "suppressed=no\n")):
            client = self.client(self.unix("exim"))
            client.socket.sendall(sent)
            if ended:
                client.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(client.all().startswith(wanted), client.rest)

    def test_questions_sent_at_once_are_answered_in_order(self):
        for number in range(0, 1000, 7):
            self.suppress("n%d@order.example" % number)
        asked = [b"access n%d@order.example" % number for number in range(1000)]
        client = self.client()
        client.socket.sendall(b"".join(map(netstring, asked)))
        for number in range(1000):
            wanted = "OK" if number % 7 == 0 else "NOTFOUND"
            self.assertEqual(client.netstring().split()[0], wanted, number)

    def test_octets_one_by_one(self):
        client = self.client()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in netstring(b"access slow@maps.example"):
            client.socket.sendall(bytes([octet]))
        self.assertEqual(client.netstring(), "NOTFOUND ")

    def test_what_cannot_be_read_is_named_and_the_connection_ends(self):
        for port, sent, wanted in ((SOCKETMAP, b"EHLO x\r\n", "20:PERM not a netstring,"),
                                   (SOCKETMAP, b"2000:", "36:PERM request longer than 1024 octets,"),
                                   (TCP_TABLE, b"get " + b"a" * 2000, "400 request%20longer%20than%201024%20octets\n")):
            client = self.client(port)
            client.socket.sendall(sent)
            self.assertEqual(client.all(), wanted)

    def test_the_silent_and_the_slow_are_closed_and_the_others_served(self):
        idle = [self.client() for _ in range(40)]  # lookup.max_connections is 20
        self.assertEqual(self.client().ask("access a@b.example"), "NOTFOUND ")
        slow = self.client()
        slow.socket.sendall(b"1")
        self.assertEqual(slow.all(), "")  # lookup.idle_timeout is 2 s
        for client in idle:
            self.assertEqual(client.all(), "")

    def test_deferred_while_the_database_is_away(self):
        self.suppress("away@maps.example")
        client = self.client()
        self.assertIn("OK REJECT", client.ask("access away@maps.example"))
        self.service.proxy.away()
        try:
            watch = Stopwatch()
            self.assertEqual(client.ask("access away@maps.example"),
                             "TEMP suppressions cannot be looked up now")
            self.assertLess(watch.seconds(), 10)
            table = self.client(TCP_TABLE)
            table.socket.sendall(b"get away@maps.example\n")
            self.assertTrue(table.line().startswith("400 "))
            exim = self.client(self.unix("exim"))
            exim.socket.sendall(b"away@maps.example\n")
            self.assertTrue(exim.all().startswith("suppressed=unknown reason="))
            self.assertEqual(client.ask("access example"), "NOTFOUND ")  # needs no database
        finally:
            self.service.proxy.back()
        self.service.until(lambda: self.client().ask("access away@maps.example").startswith("OK"))
        self.service.until(self.service.is_ready)
        self.assertGreater(self.service.metric('dsnd_lookups_total{result="away"}'), 0)
        self.assertGreater(self.service.metric('dsnd_lookups_total{result="suppressed"}'), 0)


class Servers(api.Case):
    """Postfix and Exim, as deploy/ has them."""

    tree = ""

    def setUp(self):
        if not self.tree:
            self.skipTest("no mail servers")
        self.refuser = mta.Refuser()
        self.addCleanup(self.refuser.server_close)
        self.port = whole.free_port()
        self.dir = os.path.join(self.service.dir, self.id().rsplit(".", 1)[-1])
        os.makedirs(self.dir)

    def example(self, name):
        with open(os.path.join(DEPLOY, name), encoding="ascii") as source:
            text = source.read()
        sockets = os.path.join(self.service.dir, "sockets")
        for old, new in (("bounces.example.com", "b.example.com"), ("127.0.0.1:2527", "127.0.0.1:%d" % SOCKETMAP),
                         ("127.0.0.1:2528", "127.0.0.1:%d" % TCP_TABLE), ("/run/dsnd/lmtp", sockets + "/lmtp"),
                         ("/run/dsnd/lookup", sockets + "/exim"), ("127.0.0.1::2525", "127.0.0.1::%d" % self.service.smtp_port)):
            text = text.replace(old, new)
        return text

    def keep(self, daemon):
        self.daemon = daemon
        self.addCleanup(daemon.stop)

    def postfix(self, *names):
        """Without its own pauses of a second, before it says no and for mail that was not sent."""
        self.keep(mta.postfix(self.tree, self.dir, self.port, "".join(map(self.example, names)) +
                              "smtpd_error_sleep_time = 0\nin_flow_delay = 0\n", self.refuser.port))

    def exim(self, routers, acl=""):
        if not mta.may_hide_files():
            print("SKIP: Exim needs accounts of its own, and mounts are not allowed here")
            self.skipTest("no mounts")
        self.keep(mta.exim(self.tree, self.dir, self.port, routers, self.example("exim/transports"),
                           self.refuser.port, acl))

    def offer(self, recipient):
        """What the mail server says to a recipient."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.ehlo("sender.test")
            client.mail("news@b.example.com")
            code, text = client.rcpt(recipient)
            client.rset()
        return code, text.decode()

    def refused_after_its_bounce(self):
        """Seconds from the 250 of a bounce to the refusal, for some recipients."""
        took = []
        for number in range(5):
            address = "gone%d@%s.refused.test" % (number, self.id().rsplit(".", 1)[-1].replace("_", "-"))
            path = self.service.mint("lookup", address)
            self.assertEqual(self.offer(address)[0], 250)
            with self.service.mail() as client:
                client.sendmail("", [path], whole.dsn(path, address))
                watch = Stopwatch()
            code, text = self.service.until(lambda: (found := self.offer(address))[0] != 250 and found)
            took.append(watch.seconds())
            self.assertIn(code, (550, 554), text)
            self.assertRegex(text, "5.7.1.*suppressed: mailbox_unknown since 20")
            self.assertEqual(self.offer("other" + address)[0], 250)
        print("refused after %s s" % ", ".join("%.2f" % seconds for seconds in took))
        self.assertLess(statistics.median(took), LIMIT_S)

    def bounced_by_the_server(self):
        """Mail past the question at RCPT comes back, and feeds no suppression."""
        address = "full@bounced.refused.test"
        self.good(self.ask("PUT", "/v1/suppressions/" + address, {"class": "mailbox_full"}))
        campaign = "own-" + self.daemon.dir.rsplit("_", 1)[-1]
        before = self.service.suppressed()
        for _ in range(4):
            with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
                client.sendmail(self.service.mint(campaign, address), [address],
                                b"To: x\r\nSubject: %s\r\n\r\nx\r\n" % os.urandom(4).hex().encode())
        try:
            found = self.service.until(
                lambda: len(rows := self.get("/v1/statuses", campaign=campaign).data) >= 4 and rows)
        except AssertionError:
            self.fail(self.daemon.what_happened() + self.service.log_text())
        for row in found:
            self.assertEqual((row["class"], row["rule"]), ("unclassified", "dsnd/suppressed"), row)
            self.assertIn("suppressed: mailbox_full since", row["diagnostic"])
        self.assertEqual(self.service.suppressed(), before)

    def test_postfix_by_socketmap(self):
        self.postfix("postfix/main.cf", "postfix/suppressed.cf")
        self.refused_after_its_bounce()

    def test_postfix_by_tcp_table(self):
        self.postfix("postfix/main.cf", "postfix/suppressed-tcp.cf")
        self.refused_after_its_bounce()

    def test_postfix_bounces_what_came_otherwise(self):
        lines = self.example("postfix/suppressed.cf").splitlines()
        self.keep(mta.postfix(self.tree, self.dir, self.port,
                              self.example("postfix/main.cf").split("transport_maps")[0] + "\n".join(
                                  line for line in lines if not line.startswith("smtpd_recipient"))
                              + "\nsmtpd_reject_unlisted_recipient = no\n",
                              self.refuser.port))
        self.bounced_by_the_server()

    def test_postfix_defers_while_the_database_is_away(self):
        self.postfix("postfix/main.cf", "postfix/suppressed.cf")
        self.assertEqual(self.offer("a@away.refused.test")[0], 250)
        self.service.proxy.away()
        try:
            self.assertEqual(self.offer("a@away.refused.test")[0], 451)
        finally:
            self.service.proxy.back()
        self.service.until(lambda: self.offer("a@away.refused.test")[0] == 250)

    def test_exim_by_readsocket(self):
        self.exim(self.example("exim/routers"), self.example("exim/acl"))
        self.refused_after_its_bounce()

    def test_exim_bounces_what_came_otherwise(self):
        self.exim(self.example("exim/router-suppressed") + self.example("exim/routers"))
        self.bounced_by_the_server()


def make(dsnd):
    return whole.Whole(dsnd, None, """[smtp]
lmtp_listen=DIR/sockets/lmtp
[lookup]
socketmap_listen=127.0.0.1:%d, DIR/sockets/map
tcp_table_listen=127.0.0.1:%d
readsocket_listen=DIR/sockets/exim
max_connections=20
idle_timeout=2s
""" % (SOCKETMAP, TCP_TABLE))


if __name__ == "__main__":
    tree = os.path.realpath(os.environ.get("DSND_MTA_DIR", "build/mta"))
    if mta.unpack(tree):
        Servers.tree = tree
    else:
        print("SKIP: of Postfix and Exim: needs root, and packages of Debian")
    whole.main(make)
