#!/usr/bin/env python3
"""`dsnd receive` from outside: listeners, TLS, PROXY, limits, deadlines, reload and end."""
import os
import pwd
import re
import resource
import shutil
import socket
import ssl
import time
import unittest

import kit
from stopwatch import Stopwatch, until


class Listeners(kit.ReceiverTest):
    def test_a_message_is_in_the_journal_when_250_is_said(self):
        receiver = self.started()
        client = receiver.client()
        self.assertEqual(client.deliver(message=b"A: b\r\n\r\n..x\r\n")[0], 250)
        message = receiver.messages()[0]
        self.assertEqual(message["octets"], b"A: b\r\n\r\n.x\r\n")
        self.assertEqual((message["peer"], message["helo"]), ("127.0.0.1", "client.test"))
        self.assertEqual((message["source"], message["tls"]), (1, False))

    def test_lmtp_over_a_unix_socket(self):
        path = self.receiver.path("lmtp")
        self.receiver.settings["smtp.lmtp_listen"] = path
        self.started()
        client = kit.Client(None, path=path)
        self.assertEqual(client.deliver(hello="LHLO client.test")[0], 250)
        self.assertEqual(self.receiver.messages()[0]["source"], 2)
        self.assertEqual(self.receiver.messages()[0]["peer"], "unix")

    def test_lmtp_is_not_where_smtp_is_expected(self):
        self.receiver.settings["smtp.lmtp_listen"] = "127.0.0.1:25"
        with self.assertRaisesRegex(AssertionError, "port 25 is SMTP's"):
            self.started()

    def test_a_stale_socket_file_is_replaced(self):
        path = self.receiver.path("lmtp")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        self.receiver.settings["smtp.lmtp_listen"] = path
        self.started()
        self.assertEqual(kit.Client(None, path=path).greeting[0], 220)

    def test_an_address_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.receiver.settings["smtp.listen"] = "127.0.0.1:%d" % port
            with self.assertRaisesRegex(AssertionError, "cannot listen on 127.0.0.1 port %d" % port):
                self.started()


class Inherited(kit.ReceiverTest):
    def test_a_service_manager_passes_the_socket(self):
        wrapper = self.receiver.path("wrapper")
        with open(wrapper, "w", encoding="ascii") as out:
            out.write('#!/bin/sh\nLISTEN_PID=$$ exec "%s" "$@"\n' % os.path.realpath(self.program))
        os.chmod(wrapper, 0o700)
        self.receiver.program = wrapper
        with socket.create_server(("127.0.0.1", 0)) as passed:
            self.receiver.port = passed.getsockname()[1]
            self.receiver.settings["smtp.listen"] = "127.0.0.1:%d" % self.receiver.port
            early = self.receiver.client(greet=False)
            self.started(env=dict(os.environ, LISTEN_FDS="1"), close_fds=False,
                         preexec_fn=lambda: (os.dup2(passed.fileno(), 3), os.set_inheritable(3, True)))
            self.assertEqual(early.reply()[0], 220)
            self.assertEqual([self.receiver.client().deliver()[0] for _ in range(5)], [250] * 5)
            self.receiver.stop()
            self.receiver.client(greet=False).close()


class Proxy(kit.ReceiverTest):
    settings = {"smtp__proxy_from": "127.0.0.0/8", "smtp__max_per_client": "2"}
    HEADER = b"PROXY TCP4 192.0.2.%d 192.0.2.1 4660 25\r\n"

    def test_the_client_is_who_the_balancer_says(self):
        receiver = self.started()
        client = receiver.client(first=self.HEADER % 7)
        self.assertEqual(client.deliver()[0], 250)
        self.assertEqual(receiver.messages()[0]["peer"], "192.0.2.7")

    def test_a_header_in_pieces(self):
        receiver = self.started()
        client = receiver.client(greet=False)
        for octet in self.HEADER % 8:
            client.send(bytes([octet]))
            time.sleep(0.002)
        self.assertEqual(client.reply()[0], 220)
        self.assertEqual(client.deliver()[0], 250)
        self.assertEqual(receiver.messages()[0]["peer"], "192.0.2.8")

    def test_limits_are_those_of_the_client(self):
        receiver = self.started()
        kept = [receiver.client(first=self.HEADER % 9) for _ in range(2)]
        self.assertEqual([client.greeting[0] for client in kept], [220, 220])
        self.assertEqual(receiver.client(first=self.HEADER % 9).greeting[0], 421)
        self.assertEqual(receiver.client(first=self.HEADER % 10).greeting[0], 220)

    def test_without_a_header_there_is_no_greeting(self):
        receiver = self.started()
        client = receiver.client(first=b"EHLO client.test\r\n", greet=False)
        self.assertTrue(client.at_end(2))
        silent = receiver.client(greet=False)
        self.assertTrue(silent.at_end(8))

    def test_half_a_header_and_the_end_is_not_waited_for(self):
        client = self.started().client(first=(self.HEADER % 7)[:8], greet=False)
        time.sleep(0.1)
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.at_end(2))
        self.receiver.await_log("smtp.bad_proxy_header")

    def test_from_others_a_header_is_a_bad_command(self):
        self.receiver.settings["smtp.proxy_from"] = "192.0.2.0/24"
        client = self.started().client()
        self.assertEqual(client.say((self.HEADER % 7).decode().strip())[0], 554)


class Tls(kit.ReceiverTest):
    def setUp(self):
        super().setUp()
        self.cert, self.key = self.receiver.path("cert.pem"), self.receiver.path("key.pem")
        kit.make_certificate(self.cert, self.key)
        self.tls_port = kit.free_port()
        self.receiver.settings.update({"smtp.tls_cert": self.cert, "smtp.tls_key": self.key,
                                       "smtp.tls_listen": "127.0.0.1:%d" % self.tls_port})

    def secured(self, context=None, **how):
        client = self.receiver.client()
        client.say("EHLO client.test")
        self.assertEqual(client.say("STARTTLS")[0], 220)
        client.secure(context or kit.trust_all(), **how)
        return client

    def certificate(self):
        client = self.secured()
        octets = client.socket.getpeercert(True)
        client.close()
        return octets

    def test_starttls(self):
        self.started()
        self.assertEqual(self.secured().deliver()[0], 250)
        self.assertTrue(self.receiver.messages()[0]["tls"])

    def test_tls_from_the_first_octet(self):
        self.started()
        client = kit.Client(self.tls_port, tls=kit.trust_all())
        self.assertEqual(client.greeting[0], 220)
        self.assertNotIn("STARTTLS", client.say("EHLO client.test")[1])
        self.assertEqual(client.deliver()[0], 250)
        self.assertTrue(self.receiver.messages()[0]["tls"])

    def test_old_versions_are_refused(self):
        self.started()
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = kit.trust_all(minimum_version=version, maximum_version=version)
            context.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises(ssl.SSLError):
                self.secured(context)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.secured(kit.trust_all(maximum_version=version)).deliver()[0], 250)

    def test_sessions_are_resumed(self):
        self.started()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = kit.trust_all(maximum_version=version)
            first = self.secured(context)
            self.assertEqual(first.say("NOOP")[0], 250)
            session = first.socket.session
            again = self.secured(context, session=session)
            self.assertEqual(again.say("NOOP")[0], 250)
            self.assertTrue(again.socket.session_reused, version)

    def test_the_certificate_is_that_of_the_host_asked_for(self):
        other_cert, other_key = self.receiver.path("c2.pem"), self.receiver.path("k2.pem")
        kit.make_certificate(other_cert, other_key, name="*.second.test", kind="rsa")
        self.receiver.settings["smtp.tls_cert"] += ", " + other_cert
        self.receiver.settings["smtp.tls_key"] += ", " + other_key
        self.started()
        found = {name: self.secured(name=name).socket.getpeercert(True)
                 for name in ("mx.bounce.test", "mx.second.test", "third.test")}
        self.assertEqual(found["mx.bounce.test"], found["third.test"])
        self.assertNotEqual(found["mx.bounce.test"], found["mx.second.test"])

    def test_a_key_for_each_certificate_is_needed(self):
        self.receiver.settings["smtp.tls_cert"] += ", " + self.cert
        with self.assertRaisesRegex(AssertionError, "as many keys as certificates"):
            self.started()

    def test_a_handshake_that_does_not_come_ends(self):
        self.started()
        client = kit.Client(self.tls_port, greet=False)
        self.assertTrue(client.at_end(8))

    def test_a_new_pair_serves_after_a_reload_and_running_sessions_stay(self):
        self.started()
        before, old = self.certificate(), self.secured()
        kit.make_certificate(self.cert, self.key)
        self.receiver.reload()
        self.assertNotEqual(self.certificate(), before)
        self.assertEqual(old.deliver()[0], 250)

    def test_the_old_pair_stays_when_the_new_one_is_bad(self):
        self.started()
        before = self.certificate()
        kit.make_certificate(self.cert, self.receiver.path("other.pem"))
        self.receiver.reload()
        self.assertIn("receive.reload_failed", self.receiver.log())
        self.assertEqual(self.certificate(), before)
        os.truncate(self.cert, 0)
        self.receiver.reload()
        self.assertEqual(self.certificate(), before)

    def test_it_does_not_start_with_a_pair_that_does_not_match(self):
        for kind in ("ec", "rsa"):
            kit.make_certificate(self.receiver.path("other.pem"), self.key, kind=kind)
            with self.subTest(kind), self.assertRaisesRegex(AssertionError, "does not belong to"):
                self.started()


class Limits(kit.ReceiverTest):
    settings = {"smtp__max_per_client": "3", "smtp__max_connections": "6", "smtp__idle_timeout": "2s",
                "smtp__threads": "1"}

    def test_a_client_has_its_share(self):
        receiver = self.started()
        kept = [receiver.client() for _ in range(3)]
        refused = receiver.client()
        self.assertEqual(refused.greeting, (421, "4.7.0 Too many sessions from your address"))
        self.assertTrue(refused.at_end(2))
        self.assertEqual(receiver.client(source="127.0.0.2").greeting[0], 220)
        kept.pop().close()
        until(lambda: receiver.client().greeting[0] == 220)

    def test_the_longest_idle_makes_room(self):
        receiver = self.started()
        kept = [receiver.client(source="127.0.1.%d" % i) for i in range(1, 7)]
        kept[0].say("EHLO client.test")
        kept[0].say("MAIL FROM:<>")
        self.assertEqual(receiver.client(source="127.0.2.1").deliver()[0], 250)
        self.assertEqual(kept[1].reply()[0], 421)
        self.assertEqual(kept[0].say("RCPT TO:<a@bounce.test>")[0], 250)

    def transactions(self, count):
        """Sessions in the midst of MAIL, DATA or a chunk, each of another address."""
        kept = []
        for i in range(count):
            client = self.receiver.client(source="127.0.%d.%d" % (3 + i // 250, i % 250 + 1))
            for line in ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA")[:2 + i % 3]:
                self.assertLess(client.say(line)[0], 400)
            kept.append(client)
        return kept

    def test_the_longest_silent_in_a_transaction_makes_room(self):
        self.receiver.settings["smtp.idle_timeout"] = "60s"
        receiver = self.started()
        kept, began = self.transactions(6), time.monotonic()
        self.assertEqual(receiver.client(source="127.0.2.1").greeting, (421, "4.3.2 Too many sessions"))
        time.sleep(5)
        self.assertEqual(kept[0].say("RCPT TO:<a@bounce.test>")[0], 250)
        until(lambda: receiver.client(source="127.0.2.1").greeting[0] == 220, 20)
        self.assertGreater(time.monotonic() - began, 8)
        self.assertEqual(kept[1].reply(), (421, "4.3.2 Too busy for silent sessions"))
        self.assertEqual(kept[0].say("NOOP")[0], 250)

    def test_an_idle_session_is_found_behind_any_number_of_others(self):
        self.receiver.settings.update({"smtp.idle_timeout": "60s", "smtp.max_connections": "400"})
        receiver = self.started()
        kept = self.transactions(399)
        idle = receiver.client(source="127.0.2.1")
        self.assertEqual(receiver.client(source="127.0.2.2").greeting[0], 220)
        self.assertEqual(idle.reply()[0], 421)
        self.assertEqual(kept[0].say("NOOP")[0], 250)

    def test_a_full_house_in_transactions_refuses(self):
        receiver = self.started()
        for i in range(1, 7):
            client = receiver.client(source="127.0.1.%d" % i)
            client.say("EHLO client.test")
            self.assertEqual(client.say("MAIL FROM:<>")[0], 250)
            self.addCleanup(client.close)
        self.assertEqual(receiver.client(source="127.0.2.1").greeting[0], 421)

    def test_a_deadline_is_one_of_the_whole_command(self):
        client = self.started().client()
        watch = Stopwatch()
        try:
            for octet in b"EHLO a.very.long.name.that.never.comes.to.its.end":
                client.send(bytes([octet]))
                time.sleep(0.2)
        except OSError:
            pass
        self.assertLess(watch.seconds(), 5)
        self.assertEqual(client.reply()[0], 421)

    def test_content_must_flow(self):
        client = self.started().client()
        for line in ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA"):
            self.assertLess(client.say(line)[0], 400)
        watch = Stopwatch()
        try:
            while watch.seconds() < 10:
                client.send(b"x: y\r\n")
                time.sleep(0.1)
        except OSError:
            pass
        self.assertLess(watch.seconds(), 6)
        self.assertEqual(client.reply(), (421, "4.4.2 Data arrives too slowly"))

    def test_replies_that_nobody_reads_do_not_pile_up(self):
        receiver = self.started()
        alone = receiver.descriptors()
        client = receiver.client()
        client.socket.settimeout(0.5)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.socket.send(b"HELP\r\n" * 10000)
        except TimeoutError:
            pass
        with open("/proc/%d/status" % receiver.process.pid, encoding="ascii") as status:
            rss = int(status.read().split("VmRSS:")[1].split()[0])
        self.assertLess(rss, 64 * 1024)
        until(lambda: receiver.descriptors() == alone)  # it was sent away
        self.assertEqual(receiver.client().deliver()[0], 250)

    def test_early_talkers_and_other_protocols_are_sent_away(self):
        receiver = self.started()
        self.assertEqual(receiver.client(first=b"EHLO x\r\n").greeting[0] in (220, 554), True)
        client = receiver.client()
        self.assertEqual(client.say("POST / HTTP/1.1")[0], 554)
        self.assertTrue(client.at_end(2))


class Rates(kit.ReceiverTest):
    def test_connections_of_a_minute(self):
        self.receiver.settings["smtp.connection_rate"] = "3"
        receiver = self.started()
        for _ in range(3):
            receiver.client().close()
        self.assertEqual(receiver.client().greeting[0], 421)
        self.assertEqual(receiver.client(source="127.0.0.2").greeting[0], 220)
        receiver.await_log("reason=client_rate")

    def test_messages_of_a_minute(self):
        self.receiver.settings["smtp.message_rate"] = "2"
        receiver = self.started()
        client = receiver.client()
        self.assertEqual([client.deliver()[0] for _ in range(3)], [250, 250, 450])
        self.assertEqual(receiver.client(source="127.0.0.2").deliver()[0], 250)

    def test_everyone_together(self):
        self.receiver.settings.update({"smtp.total_connection_rate": "3", "smtp.total_message_rate": "2"})
        receiver = self.started()
        clients = [receiver.client(source="127.0.0.%d" % i) for i in range(1, 4)]
        self.assertEqual([client.deliver()[0] for client in clients], [250, 250, 450])
        self.assertEqual(receiver.client(source="127.0.0.9").greeting[0], 421)

    def test_who_makes_errors_may_not_come_again(self):
        self.receiver.settings["smtp.error_rate"] = "5"
        receiver = self.started()
        client = receiver.client()
        for _ in range(5):
            self.assertEqual(client.say("XYZZY")[0], 500)
        self.assertEqual(receiver.client().greeting[0], 421)
        self.assertEqual(client.deliver()[0], 250)


class Signed(kit.ReceiverTest):
    settings = {"smtp__require_signed": "yes"}

    def test_unsigned_return_paths_are_refused_before_data(self):
        with open(self.receiver.path("keys"), "w", encoding="ascii") as keys:
            keys.write("a %s\n" % kit.KEY)
        self.receiver.settings["sign.keys_file"] = self.receiver.path("keys")
        client = self.started().client()
        client.say("EHLO client.test")
        client.say("MAIL FROM:<>")
        for forged in ("someone", "r1.spring.u-1.cobaaaaaaaaaaaaaaaaa"):
            self.assertEqual(client.say("RCPT TO:<%s@bounce.test>" % forged)[0], 550)
        self.assertEqual(client.say("RCPT TO:<postmaster@bounce.test>")[0], 250)
        self.receiver.await_log("reason=(unsigned|forged)", 2)


class Descriptors(kit.ReceiverTest):
    settings = {"smtp__threads": "1"}

    def test_without_descriptors_accepting_pauses_and_goes_on(self):
        receiver = self.started(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
        working = receiver.client()
        working.say("EHLO client.test")
        working.say("MAIL FROM:<>")
        crowd = [receiver.client(greet=False, source="127.0.3.%d" % (i % 200 + 1)) for i in range(60)]
        receiver.await_log("smtp.accept_paused")
        spent = self.cpu(receiver)
        time.sleep(1)
        self.assertLess(self.cpu(receiver) - spent, 0.1)
        self.assertEqual(working.say("RCPT TO:<a@bounce.test>")[0], 250)
        for client in crowd:
            client.close()
        until(lambda: receiver.descriptors() < 30)
        self.assertEqual(receiver.client().deliver()[0], 250)

    @staticmethod
    def cpu(receiver):
        with open("/proc/%d/stat" % receiver.process.pid, encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Confined(kit.ReceiverTest):
    def status(self, name):
        with open("/proc/%d/status" % self.receiver.process.pid, encoding="ascii") as status:
            return dict(line.rstrip().split(":\t", 1) for line in status)[name].split()

    def test_no_program_and_no_further_socket(self):
        receiver = self.started()
        receiver.await_log("receive.confined_calls")
        if re.search("confined_calls .*by=nothing", receiver.log()):
            self.skipTest("the kernel has no seccomp")
        for task in os.listdir("/proc/%d/task" % receiver.process.pid):
            with open("/proc/%d/task/%s/status" % (receiver.process.pid, task), encoding="ascii") as status:
                self.assertIn("Seccomp:\t2", status.read())
        receiver.reload()
        self.assertEqual(receiver.client().deliver()[0], 250)

    @unittest.skipUnless(os.geteuid() == 0, "only root can cease to be root")
    def test_root_becomes_someone_else_and_binds_a_low_port_all_the_same(self):
        receiver = self.receiver
        receiver.port = next(port for port in range(700, 1000)
                             if socket.socket().connect_ex(("127.0.0.1", port)))
        receiver.settings.update({"smtp.listen": "127.0.0.1:%d" % receiver.port, "process.user": "daemon"})
        shutil.chown(receiver.path("journal"), "daemon", "daemon")
        os.chmod(receiver.dir, 0o755)
        self.started(umask=0o022)
        daemon = pwd.getpwnam("daemon")
        self.assertEqual(self.status("Uid"), [str(daemon.pw_uid)] * 4)
        self.assertEqual(self.status("Gid"), [str(daemon.pw_gid)] * 4)
        self.assertNotIn("0", self.status("Groups"))
        for name in ("CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd"):
            self.assertEqual(int(self.status(name)[0], 16) & ~(1 << 10), 0, name)
        self.assertEqual(receiver.client().deliver()[0], 250)
        receiver.reload()
        self.assertIn("receive.reloaded", receiver.log())
        self.assertEqual(receiver.client().deliver()[0], 250)

    @unittest.skipUnless(os.geteuid() == 0, "only root can cease to be root")
    def test_an_account_that_is_none_is_an_error(self):
        self.receiver.settings["process.user"] = "nobody-of-that-name"
        with self.assertRaisesRegex(AssertionError, "no account"):
            self.started()

    def test_a_journal_that_cannot_be_opened_is_named(self):
        os.rmdir(self.receiver.path("journal"))
        with open(self.receiver.path("journal"), "w", encoding="ascii"):
            pass
        with self.assertRaises(AssertionError):
            self.started()
        self.assertEqual(self.receiver.stop(), 1)
        self.assertRegex(self.receiver.log(), 'receive.failed .*detail="journal.dir /[^"]*/journal" errno="Not a dir')

    def test_it_gives_up_rights_before_it_listens(self):
        receiver = self.started()
        if "by=nothing" in receiver.log():
            self.skipTest("the kernel has no Landlock")
        receiver.await_log("receive.confined .*by=landlock")
        with open("/proc/%d/status" % receiver.process.pid, encoding="ascii") as status:
            self.assertIn("NoNewPrivs:\t1", status.read())


class Disk(kit.ReceiverTest):
    def test_below_the_reserve_mail_is_deferred_and_other_commands_work(self):
        if shutil.disk_usage(self.receiver.dir).free >= 1 << 40:
            self.skipTest("more space than any reserve")
        self.receiver.settings["journal.min_free"] = "1024G"
        client = self.started().client()
        client.say("EHLO client.test")
        self.assertEqual(client.say("MAIL FROM:<>"), (452, "4.3.1 Too little disk space"))
        self.assertEqual(client.say("NOOP")[0], 250)
        self.assertEqual(client.say("QUIT")[0], 221)


class End(kit.ReceiverTest):
    settings = {"smtp__drain_timeout": "2s"}

    def in_data(self):
        client = self.receiver.client()
        for line in ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA"):
            self.assertLess(client.say(line)[0], 400)
        client.send(kit.MESSAGE)
        return client

    def test_sigterm_lets_transactions_finish_and_ends_the_rest(self):
        receiver = self.started()
        idle, finishing, hanging = receiver.client(), self.in_data(), self.in_data()
        watch = Stopwatch()
        receiver.process.terminate()
        self.assertEqual(idle.reply()[0], 421)
        until(receiver.refuses)
        self.assertLess(watch.seconds(), 0.3)
        finishing.send(b".\r\n")
        self.assertEqual(finishing.reply()[0], 250)
        self.assertEqual(hanging.reply()[0], 421)
        self.assertEqual(receiver.stop(), 0)
        self.assertLess(watch.seconds(), 3.5)
        self.assertEqual(len(receiver.messages()), 1)

    def unread(self, client):
        """Octets of replies that wait in the sockets of this client and of the receiver."""
        ports = (":%04X" % client.getsockname()[1], ":%04X" % self.receiver.port)
        octets = 0
        with open("/proc/net/tcp", encoding="ascii") as table:
            for local, remote, _, queues in (row.split()[1:5] for row in list(table)[1:]):
                sent, received = (int(part, 16) for part in queues.split(":"))
                if (local[-5:], remote[-5:]) == ports:
                    octets += received
                elif (remote[-5:], local[-5:]) == ports:
                    octets += sent
        return octets

    def test_who_does_not_read_its_last_words_is_not_waited_for(self):
        self.receiver.settings["smtp.idle_timeout"] = "60s"
        receiver, client, said = self.started(), socket.socket(), 0
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", receiver.port))
        client.recv(4096)
        client.send(b"HELP\r\n")
        each = len(client.recv(4096))
        while said <= self.unread(client):  # until no socket holds all of it
            client.sendall(b"HELP\r\n" * 200)
            said += 200 * each
            until(lambda: receiver.unread() == 0)
            time.sleep(0.005)
        client.sendall(b"QUIT\r\n")
        until(lambda: receiver.unread() == 0)
        time.sleep(0.2)
        watch = Stopwatch()
        self.assertEqual(receiver.stop(), 0)
        self.assertLess(watch.seconds(), 3.5)

    def test_reloads_under_load_lose_nothing(self):
        receiver = self.started()
        client, sent = receiver.client(), 0
        for i in range(30):
            receiver.settings["smtp.max_size"] = "nonsense" if i % 2 else "%dM" % (i + 1)
            receiver.reload()
            self.assertEqual(client.deliver()[0], 250)
            self.assertEqual(receiver.client().deliver()[0], 250)
            sent += 2
        self.assertEqual(len(receiver.messages()), sent)
        self.assertEqual(receiver.log().count("receive.reload_failed"), 15)


class Killed(kit.ReceiverTest):
    def test_it_is_ready_at_once_however_much_waits_in_the_journal(self):
        measured = "DSND_BACKLOG_MB" in os.environ  # a figure; else on any machine, under any sanitizer
        backlog = int(os.environ.get("DSND_BACKLOG_MB", "10"))
        receiver = self.started()
        client, message = receiver.client(), kit.MESSAGE + (b"x" * 998 + b"\r\n") * 1000
        self.assertEqual({client.deliver(message=message)[0] for _ in range(backlog)}, {250})
        receiver.process.kill()
        receiver.process.wait()
        watch = Stopwatch()
        self.started()
        until(lambda: not receiver.refuses())
        self.assertEqual(receiver.client().greeting[0], 220)
        took = watch.seconds()
        self.assertLess(took, 0.5 if measured else 10)
        self.assertEqual(len(receiver.messages()), backlog)
        print("greeting %.0f ms after a start with %d MB in the journal" % (took * 1000, backlog))


if __name__ == "__main__":
    kit.main()
