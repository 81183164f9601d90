"""What tests of the receiver share: `dsnd receive` over its own journal, and a plain client that says
exactly what it is told. Standard library only."""
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
MESSAGE = b"From: <>\r\nSubject: x\r\n\r\nbody\r\n"
RECORD_MAGIC = 0x4A52AB1E


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def make_certificate(cert, key, name="mx.bounce.test", kind="ec"):
    new = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "rsa": ["rsa:2048"]}
    subprocess.run(["openssl", "req", "-x509", "-newkey"] + new[kind] +
                   ["-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", "/CN=" + name,
                    "-addext", "subjectAltName=DNS:" + name], check=True, capture_output=True)


class Receiver:
    """The program with a configuration of its own, in a temporary directory."""

    def __init__(self, program, **settings):
        self.dir = tempfile.mkdtemp(prefix="dsnd-smtp-")
        self.program, self.port = program, free_port()
        self.settings = {"smtp.listen": "127.0.0.1:%d" % self.port, "smtp.hostname": "mx.bounce.test",
                         "smtp.domains": "bounce.test", "smtp.max_size": "1M",
                         "smtp.idle_timeout": "5s", "journal.dir": self.path("journal"),
                         "journal.min_free": "1M", "metrics.listen": "127.0.0.1:0"}
        self.settings.update({key.replace("__", "."): value for key, value in settings.items()})
        os.mkdir(self.path("journal"))
        self.process = None

    def path(self, name):
        return os.path.join(self.dir, name)

    def write_config(self):
        sections = {}
        for name, value in self.settings.items():
            section, key = name.split(".")
            sections.setdefault(section, []).append("%s=%s\n" % (key, value))
        with open(self.path("dsnd.conf"), "w", encoding="ascii") as out:
            for section, lines in sections.items():
                out.write("[%s]\n%s" % (section, "".join(lines)))

    def start(self, **popen):
        self.write_config()
        with open(self.path("log"), "ab") as log:
            popen.setdefault("umask", 0o077)
            self.process = subprocess.Popen([self.program, "receive", "-c", self.path("dsnd.conf")],
                                            stdout=log, stderr=log, **popen)
        self.await_log("receive.start")
        return self

    def log(self):
        with open(self.path("log"), encoding="utf-8") as log:
            return log.read()

    def await_log(self, pattern, count=1, seconds=20):
        end = time.monotonic() + seconds
        while len(re.findall(pattern, self.log())) < count:
            if time.monotonic() > end or self.process.poll() not in (None, 0):
                raise AssertionError("no %r in the log:\n%s" % (pattern, self.log()[-4000:]))
            time.sleep(0.02)

    def reload(self):
        """Read the settings again; they may be bad."""
        self.write_config()
        seen = self.log().count("receive.reload")
        self.process.send_signal(signal.SIGHUP)
        self.await_log("receive.reload", seen + 1)

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process = None
        return status

    def remove(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        found = re.search("(Sanitizer|runtime error).*", self.log() if os.path.exists(self.path("log")) else "")
        shutil.rmtree(self.dir)
        if found:
            raise AssertionError(found.group())

    def unread(self):
        """Octets that clients on 127/8 have sent and it has not read."""
        port, octets = ":%04X" % self.port, 0
        with open("/proc/net/tcp", encoding="ascii") as table:
            for local, remote, _, queues in (row.split()[1:5] for row in list(table)[1:]):
                sent, received = (int(part, 16) for part in queues.split(":"))
                octets += received if local.endswith(port) else sent if remote.endswith(port) else 0
        return octets

    def refuses(self):
        """Whether nobody listens on its port."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 20).close()
        except OSError:
            return True
        return False

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def messages(self):
        """Octets of every message in the journal, in order."""
        found = []
        for name in sorted(os.listdir(self.path("journal"))):
            if name.endswith(".seg"):
                with open(os.path.join(self.path("journal"), name), "rb") as segment:
                    found += list(records(segment.read()))
        return found

    def client(self, **how):
        return Client(self.port, **how)


def records(octets):
    """The records of a segment: (source, flags, peer, recipients, message)."""
    at = 64
    while at + 32 <= len(octets):
        magic, _, length = struct.unpack_from("<III", octets, at)
        if magic != RECORD_MAGIC:
            return
        yield decode(octets[at + 32:at + 32 + length])
        at += (32 + length + 7) // 8 * 8


def decode(payload):
    source, flags, _, count = struct.unpack_from("<BBBH", payload, 0)
    at, texts, recipients = 5, [], []

    def text(at):
        length = struct.unpack_from("<H", payload, at)[0]
        length = 0 if length == 0xFFFF else length
        return payload[at + 2:at + 2 + length], at + 2 + length

    for _ in range(4):
        one, at = text(at)
        texts.append(one.decode())
    for _ in range(count):
        one, at = text(at + 1)
        _, at = text(at)
        recipients.append(one.decode())
    return {"source": source, "tls": bool(flags & 1), "peer": texts[0], "helo": texts[1],
            "sender": texts[2], "recipients": recipients, "octets": payload[at:]}


class Client:
    """A connection; `say` sends a line and returns the reply's code and text."""

    def __init__(self, port, source="127.0.0.1", tls=None, path=None, first=b"", greet=True):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), 20, (source, 0))
        self.socket.settimeout(20)
        self.socket.sendall(first)
        self.rest = b""
        if tls:
            self.secure(tls)
        self.greeting = self.reply() if greet else None

    def secure(self, context, name="mx.bounce.test", session=None):
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)

    def line(self):
        while b"\n" not in self.rest:
            octets = self.socket.recv(65536)
            if not octets:
                raise EOFError(self.rest)
            self.rest += octets
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode().rstrip("\r")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return int(lines[-1][:3]), "\n".join(line[4:] for line in lines)

    def send(self, octets):
        self.socket.sendall(octets)

    def say(self, line):
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def deliver(self, recipient="a@bounce.test", message=MESSAGE, hello="EHLO client.test"):
        """One message; the last reply."""
        for line in ([hello] if hello else []) + ["MAIL FROM:<>", "RCPT TO:<%s>" % recipient, "DATA"]:
            answer = self.say(line)
            if answer[0] >= 400:
                return answer
        self.send(message + b".\r\n")
        return self.reply()

    def at_end(self, seconds=20):
        """Whether the server closes, with nothing more said, within `seconds`."""
        self.socket.settimeout(seconds)
        try:
            return self.rest == b"" and self.socket.recv(65536) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()


def trust_all(**options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for key, value in options.items():
        setattr(context, key, value)
    return context


class ReceiverTest(unittest.TestCase):
    """A test of one receiver, whose settings are `settings`."""

    program = ""
    settings = {}

    def setUp(self):
        self.receiver = Receiver(self.program, **self.settings)
        self.addCleanup(self.receiver.remove)

    def started(self, **popen):
        return self.receiver.start(**popen)


def main():
    ReceiverTest.program = sys.argv.pop(1)
    unittest.main(warnings="ignore")
