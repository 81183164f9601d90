"""As much of the Chrome DevTools protocol as tests need: a page, its scripts, its errors."""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


class Socket:
    """A WebSocket client (RFC 6455): text messages, unfragmented out."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), 30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                             "Sec-WebSocket-Version: 13\r\n\r\n"
                             % (parts.path, parts.netloc, key)).encode())
        self.file = self.socket.makefile("rb")
        while self.file.readline().strip():
            pass

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        head = bytes([0x81]) + (bytes([0x80 | size]) if size < 126 else
                                b"\xfe" + struct.pack(">H", size) if size < 65536 else
                                b"\xff" + struct.pack(">Q", size))
        self.socket.sendall(head + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, size = self.file.read(2)
            if size == 126:
                size = struct.unpack(">H", self.file.read(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.file.read(8))[0]
            text += self.file.read(size)
            if first & 0x80:
                return text.decode()


class Page:
    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            print("chromium is not installed: skipped", file=sys.stderr)
            sys.exit(77)
        self.dir = tempfile.mkdtemp(prefix="dsnd-browser-")
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--window-size=1280,1500", "--remote-debugging-port=0",
             "--user-data-dir=" + self.dir, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.errors, self.number = [], 0
        self.connect(self.port())
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def port(self):
        path = os.path.join(self.dir, "DevToolsActivePort")
        for _ in range(300):
            if os.path.exists(path) and (lines := open(path).read().split()):
                return int(lines[0])
            time.sleep(0.1)
        raise AssertionError("chromium does not start")

    def connect(self, port):
        made = urlopen(Request("http://127.0.0.1:%d/json/new?about:blank" % port, method="PUT"))
        self.socket = Socket(json.load(made)["webSocketDebuggerUrl"])

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self.note(message)

    def note(self, message):
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:500])
        entry = message.get("params", {}).get("entry", {})
        if message.get("method") == "Log.entryAdded" and entry["level"] == "error":
            self.errors.append(entry["text"])

    def open(self, url):
        self.call("Page.navigate", url=url)

    def value(self, script):
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                          awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script, seconds=15):
        """Wait for a script's value to be true, and return it; a page may not be there yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.value("try { %s } catch { null }" % script):
                return found
            time.sleep(0.1)
        raise AssertionError("never true: %s; the page says: %s"
                             % (script, self.value("document.body.innerText")[:1500]))

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)
