#!/usr/bin/env python3
"""The receiver under more than it wants: idle connections, clients that drip, half handshakes, reloads
and its own end under load, a clock that jumps. DSND_IDLE sets the number of idle connections."""
import multiprocessing
import os
import resource
import select
import selectors
import socket
import threading
import time

import kit
import mta
from stopwatch import Stopwatch, until


def raise_limit(wanted):
    """How many descriptors this process may have, of those that it wants."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def address(i, net=10):
    return "127.%d.%d.%d" % (net, i // 250, i % 250 + 1)


def talk(port, source):
    """Commands over TLS without end, while another thread reads the replies."""
    client = kit.Client(port, source=source, tls=kit.trust_all())

    def read():
        while client.socket.recv(65536):
            pass

    threading.Thread(target=read, daemon=True).start()
    while True:
        client.send(b"NOOP\r\n" * 100)


class Load(threading.Thread):
    """Deliveries from one address, one after the other, until it is stopped."""

    def __init__(self, receiver, source="127.0.0.1", fresh=True):
        super().__init__(daemon=True)
        self.receiver, self.source, self.fresh = receiver, source, fresh
        self.seconds, self.answers, self.ended = [], [], threading.Event()

    def run(self):
        client = None
        while not self.ended.is_set():
            watch = Stopwatch()
            hello = "EHLO client.test" if client is None or self.fresh else None
            if hello:
                client = self.receiver.client(source=self.source)
            self.answers.append(client.deliver(hello=hello)[0])
            self.seconds.append(watch.seconds())
            if self.fresh:
                client.close()
            time.sleep(0.01)

    def stop(self):
        self.ended.set()
        self.join()
        return self


class Floods(kit.ReceiverTest):
    def setUp(self):
        super().setUp()
        self.room = raise_limit(25000)

    def rss(self):
        with open("/proc/%d/status" % self.receiver.process.pid, encoding="ascii") as status:
            return int(status.read().split("VmRSS:")[1].split()[0])

    def sanitized(self):
        with open("/proc/%d/maps" % self.receiver.process.pid, encoding="ascii") as maps:
            text = maps.read()
        return "libasan" in text or "libtsan" in text

    def normal(self, load, worst):
        load.stop()
        self.assertGreater(len(load.answers), 3)
        self.assertEqual(set(load.answers), {250})
        self.assertLess(max(load.seconds), worst)

    def test_idle_connections_cost_little_and_are_in_nobodys_way(self):
        count = min(int(os.environ.get("DSND_IDLE", "2000")), self.room - 200)
        self.receiver.settings.update({"smtp.idle_timeout": "60s"})
        receiver = self.started()
        receiver.client().deliver()
        before, crowd = self.rss(), []
        for i in range(count):
            crowd.append(receiver.client(source=address(i), greet=False))
        for client in crowd:
            self.assertEqual(client.reply()[0], 220)
        grown = (self.rss() - before) / count
        load = Load(receiver, "127.200.0.1")
        load.start()
        time.sleep(1)
        self.normal(load, 0.1)
        print("%d idle connections: %.1f KB each; delivery at worst %.1f ms" %
              (count, grown, max(load.seconds) * 1000))
        if not self.sanitized():
            self.assertLess(grown, 20)
        for client in crowd:
            client.close()

    def test_mail_in_progress_takes_its_share_of_memory_and_no_more(self):
        self.receiver.settings.update({"smtp.memory": "20M", "smtp.idle_timeout": "60s"})
        receiver = self.started()
        receiver.client().deliver()
        before, answers, clients = self.rss(), [], []
        body = b"x" * 98 + b"\r\n"
        for i in range(40):
            client = receiver.client(source=address(i, 15))
            codes = [client.say(line)[0] for line in
                     ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA")]
            if codes[-1] != 354:  # no memory is left for even an envelope
                answers.append(codes[1] if codes[1] >= 400 else codes[2])
                continue
            client.send(body * 9000)
            clients.append(client)
        until(lambda: receiver.unread() == 0)
        grown = self.rss() - before
        for client in clients:
            client.send(b".\r\n")
            answers.append(client.reply()[0])
        self.assertEqual(set(answers), {250, 452})
        self.assertEqual(len(receiver.messages()), 1 + answers.count(250))
        if not self.sanitized():
            self.assertLess(grown, 40 * 1024)
        self.assertEqual(clients[-1].deliver(hello=None)[0], 250)

    def hold(self, sources):
        """Messages that do not end, of the sources in turn, until not even an envelope finds room."""
        answers, clients = [], []
        for source, octets in zip(sources, 8 * [600000] + 4 * [300000] + 6 * [100000] + 8 * [40000] +
                                  10 * [10000] + 12 * [1]):
            client = self.receiver.client(source=source)
            clients.append(client)
            codes = [client.say(line)[0] for line in
                     ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA")]
            answers.append(next((code for code in codes[1:] if code >= 400), 354))
            if answers[-1] == 354:
                client.send(b"x" * octets)
                until(lambda: self.receiver.unread() == 0)
        self.assertEqual(answers[0], 354)
        self.assertEqual(answers[-1], 452)
        return clients

    def test_one_address_takes_its_share_of_memory_and_others_deliver(self):
        self.receiver.settings.update({"smtp.memory": "8M", "smtp.idle_timeout": "60s"})
        receiver = self.started()
        clients = self.hold(["127.17.0.1"] * 48)
        self.assertEqual(receiver.client(source="127.17.0.2").deliver()[0], 250)
        for client in clients:
            client.close()
        until(lambda: receiver.client(source="127.17.0.1").deliver()[0] == 250)

    def test_who_holds_memory_and_sends_nothing_is_ended_where_it_is_short(self):
        self.receiver.settings.update({"smtp.memory": "8M", "smtp.idle_timeout": "60s"})
        receiver = self.started()
        clients = self.hold([address(i, 18) for i in range(48)])
        self.assertEqual(receiver.client(source="127.17.0.1").deliver()[0], 452)
        until(lambda: receiver.client(source="127.17.0.1").deliver()[0] == 250, 20)
        ended, _, _ = select.select([client.socket for client in clients], [], [], 10)
        told = [client for client in clients if client.socket in ended]
        self.assertTrue(told)
        self.assertLessEqual(set(told), set(clients[:12]))  # who hold much; each event loop ends the worst of its own
        for client in told:
            self.assertEqual(client.reply(), (421, "4.3.1 Too much mail in progress, yours too slowly"))

    def test_where_the_system_gives_no_more_memory_mail_is_deferred(self):
        limit = 256 << 20
        self.receiver.settings.update({"smtp.memory": "1G", "smtp.max_size": "20M", "smtp.threads": "1",
                                       "smtp.idle_timeout": "60s"})
        try:
            receiver = self.started(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        except AssertionError:
            self.skipTest("the sanitizers need more address space")
        if self.sanitized():
            self.skipTest("the sanitizers need more address space")
        body, answers, clients = (b"x" * 998 + b"\r\n") * 10000, [], []
        for i in range(30):
            client = receiver.client(source=address(i, 16))
            codes = [client.say(line)[0] for line in
                     ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA")]
            if codes[-1] == 354:
                client.send(body)
                clients.append(client)
            else:
                answers.append(max(codes))
        for client in clients:
            client.send(b".\r\n")
            answers.append(client.reply()[0])
        self.assertLessEqual(set(answers), {250, 452, 451})
        self.assertIn(452, answers)
        self.assertEqual(len(receiver.messages()), answers.count(250))
        self.assertEqual(clients[-1].deliver(hello=None)[0], 250)
        self.assertIsNone(receiver.process.poll())
        print("256 MiB of address space, 30 messages of 10 MB at once: %d taken, %d deferred" %
              (answers.count(250), len(answers) - answers.count(250)))

    def drip(self, connect, octets):
        """500 clients that send an octet a second; how many are left after 12 seconds."""
        selector, left = selectors.DefaultSelector(), 500
        for i in range(500):
            client = connect(i)
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ)
        watch, tick = Stopwatch(), 0
        while left and watch.seconds() < 12:
            for key, _ in selector.select(0.2):
                try:
                    gone = key.fileobj.recv(4096) == b""
                except OSError:
                    gone = True
                if gone:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    left -= 1
            tick += 1
            for key in list(selector.get_map().values()) if tick % 5 == 0 else ():
                try:
                    key.fileobj.send(octets)
                except OSError:
                    pass
        selector.close()
        return left

    def test_who_drips_is_sent_away_and_others_are_served(self):
        receiver = self.started()
        load = Load(receiver, "127.200.0.1")

        def connect(i):
            client = receiver.client(source=address(i, 11))
            if i % 2:
                for line in ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA"):
                    client.say(line)
            return client.socket

        load.start()
        self.assertEqual(self.drip(connect, b"x"), 0)
        self.normal(load, 0.2)
        print("500 that drip; %d deliveries meanwhile, at worst %.1f ms" %
              (len(load.seconds), max(load.seconds) * 1000))

    def test_who_drips_a_handshake_is_sent_away_and_others_are_served(self):
        cert, key = self.receiver.path("cert.pem"), self.receiver.path("key.pem")
        kit.make_certificate(cert, key)
        port = kit.free_port()
        self.receiver.settings.update({"smtp.tls_cert": cert, "smtp.tls_key": key,
                                       "smtp.tls_listen": "127.0.0.1:%d" % port})
        receiver = self.started()
        load = Load(receiver, "127.200.0.1")
        load.start()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        self.assertEqual(self.drip(lambda i: kit.Client(port, source=address(i, 12), first=hello,
                                                        greet=False).socket, b"\0"), 0)
        self.normal(load, 0.2)
        print("500 that drip; %d deliveries meanwhile, at worst %.1f ms" %
              (len(load.seconds), max(load.seconds) * 1000))

    def test_a_flood_of_handshakes_that_go_nowhere(self):
        cert, key = self.receiver.path("cert.pem"), self.receiver.path("key.pem")
        kit.make_certificate(cert, key, kind="rsa")
        port = kit.free_port()
        self.receiver.settings.update({"smtp.tls_cert": cert, "smtp.tls_key": key,
                                       "smtp.tls_listen": "127.0.0.1:%d" % port})
        receiver = self.started()
        load = Load(receiver, "127.200.0.1")
        load.start()
        end, i = time.monotonic() + 3, 0
        while time.monotonic() < end:
            i += 1
            with socket.create_connection(("127.0.0.1", port), 5, (address(i % 2000, 13), 0)) as client:
                client.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
        self.normal(load, 0.5)
        receiver.await_log("smtp.tls_failed", 100)

    def test_who_talks_over_tls_without_end_keeps_nobody_waiting(self):
        cert, key = self.receiver.path("cert.pem"), self.receiver.path("key.pem")
        kit.make_certificate(cert, key)
        port = kit.free_port()
        self.receiver.settings.update({"smtp.tls_cert": cert, "smtp.tls_key": key, "smtp.threads": "1",
                                       "smtp.tls_listen": "127.0.0.1:%d" % port})
        receiver = self.started()
        crowd = [multiprocessing.Process(target=talk, args=(port, "127.19.0.%d" % i)) for i in (1, 2)]
        for process in crowd:
            process.start()
            self.addCleanup(process.kill)
        time.sleep(0.5)
        load = Load(receiver, "127.200.0.1")
        load.start()
        time.sleep(3)
        self.normal(load, 0.5)
        self.assertTrue(all(process.is_alive() for process in crowd))
        print("2 that talk over TLS; %d deliveries meanwhile, at worst %.1f ms" %
              (len(load.seconds), max(load.seconds) * 1000))

    def test_a_hundred_reloads_under_load(self):
        receiver = self.started()
        loads = [Load(receiver, "127.200.0.%d" % i, fresh=i % 2 == 0) for i in range(1, 5)]
        for load in loads:
            load.start()
        for i in range(100):
            receiver.settings["smtp.max_size"] = "nonsense" if i % 2 else "1M"
            receiver.reload()
        sent = 0
        for load in loads:
            self.normal(load, 2)
            sent += len(load.answers)
        self.assertEqual(receiver.log().count("receive.reload_failed"), 50)
        self.assertEqual(len(receiver.messages()), sent)

    def test_the_end_with_fifty_sessions_in_data(self):
        self.receiver.settings["smtp.drain_timeout"] = "2s"
        receiver, clients = self.started(), []
        for i in range(50):
            client = receiver.client(source=address(i, 14))
            for line in ("EHLO client.test", "MAIL FROM:<>", "RCPT TO:<a@bounce.test>", "DATA"):
                client.say(line)
            client.send(kit.MESSAGE)
            clients.append(client)
        watch = Stopwatch()
        receiver.process.terminate()
        until(receiver.refuses)
        self.assertLess(watch.seconds(), 0.1)
        for client in clients[::2]:
            client.send(b".\r\n")
        self.assertEqual({client.reply()[0] for client in clients[::2]}, {250})
        self.assertEqual({client.reply()[1] for client in clients[1::2]},
                         {"4.3.2 Shutting down, come back soon"})
        self.assertEqual(receiver.stop(), 0)
        self.assertLess(watch.seconds(), 3.5)
        self.assertEqual(len(receiver.messages()), 25)

    def test_a_clock_that_jumps_ends_no_session(self):
        library = mta.faketime(os.environ.get("DSND_MTA_DIR", "build/mta"))
        if not library:
            self.skipTest("needs root and the package libfaketime")
        file = self.receiver.path("now")

        def jump(seconds):
            with open(file, "w", encoding="ascii") as out:
                out.write("%+d\n" % seconds)
            time.sleep(1.5)

        jump(0)
        receiver = self.started(env=dict(os.environ, LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=file,
                                         FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_CACHE_DURATION="1"))
        load, waiting = Load(receiver, "127.200.0.1"), receiver.client()
        load.start()
        for seconds in (3600, -3600, 0):
            jump(seconds)
            self.assertEqual(waiting.say("NOOP")[0], 250)
        self.normal(load, 1)
        self.assertNotIn("timeout", receiver.log())
        # The library looks at its file now and then only: one of the jumps is seen for certain.
        receiver.await_log("receive.clock_jumped .*seconds=-?[0-9]{4}")


if __name__ == "__main__":
    kit.main()
