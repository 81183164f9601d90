#!/usr/bin/python3
"""usage: sync_before_250.py PID HOST:PORT RECIPIENT SENDERS MESSAGES

Watches the receiver PID with strace while SENDERS connections deliver MESSAGES each. For every
message: an fdatasync of the file that it was written to must begin after that write has returned,
and return 0 before the reply "queued as SEQUENCE" of this very message is sent.
"""
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

CALLS = "pwrite64,pwritev,write,writev,fdatasync,fsync,sendto,sendmsg"
LINE = re.compile(r"(\d+)\s+(\d+\.\d+) (.*)\n")


def deliver(address, recipient, sender, messages, queued):
    host, port = address.rsplit(":", 1)
    peer = socket.create_connection((host, int(port)), 30)
    replies = peer.makefile("rb")

    def say(text):
        peer.sendall(text.encode())
        line = replies.readline().decode()
        while line[3] == "-":
            line = replies.readline().decode()
        return line

    replies.readline()
    say("EHLO sync.example\r\n")
    for number in range(messages):
        name = "sync-%d-%d@sync.example" % (sender, number)
        say("MAIL FROM:<>\r\n")
        say("RCPT TO:<%s>\r\n" % recipient)
        say("DATA\r\n")
        found = re.search("queued as ([0-9a-f]+)", say("Message-ID: <%s>\r\n\r\n.\r\n" % name))
        queued[name] = found.group(1) if found else None
    peer.close()


def events(path):
    """(begin, end, text) of each call; a call in two lines is put together."""
    begun = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for match in filter(None, map(LINE.match, file)):
            thread, at, text = match.group(1), float(match.group(2)), match.group(3)
            if text.endswith("<unfinished ...>"):
                begun[thread] = at, text
            elif text.startswith("<... ") and thread in begun:
                start, head = begun.pop(thread)
                yield start, at, head + text
            else:
                took = re.search(r"<(\d+\.\d+)>$", text)
                yield at, at + (float(took.group(1)) if took else 0), text


def file_of(text):
    return re.match(r"\w+\(\d+<([^>]*)>", text).group(1)


def judge(calls, queued):
    writes = [c for c in calls if re.match(r"p?writev?(64)?\(\d+</", c[2])]
    syncs = [c for c in calls if re.match(r"f(data)?sync\(", c[2]) and re.search(r"= 0\b", c[2])]
    sends = [c for c in calls if "queued as" in c[2]]
    for name, sequence in queued.items():
        write = next((c for c in writes if name in c[2]), None)
        send = next((c for c in sends if sequence and "queued as " + sequence in c[2]), None)
        if not write or not send:
            yield "%s: %s was not seen" % (name, "its reply" if write else "its write")
        elif not any(c[0] >= write[1] - 1e-6 and c[1] <= send[0] + 1e-6 and
                     file_of(c[2]) == file_of(write[2]) for c in syncs):
            yield "%s: no sync between its write and its 250" % name


def main(pid, address, recipient, senders, messages):
    queued = {}
    with tempfile.NamedTemporaryFile() as out:
        strace = subprocess.Popen(["strace", "-f", "-y", "-T", "-ttt", "-qq", "-s", "65536", "-e",
                                   "trace=" + CALLS, "-o", out.name, "-p", pid])
        time.sleep(1)
        threads = [threading.Thread(target=deliver,
                                    args=(address, recipient, i, int(messages), queued))
                   for i in range(int(senders))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        strace.terminate()
        strace.wait()
        found = list(judge(list(events(out.name)), queued))
    print("\n".join(found[:10]))
    print("%d of %d synced before 250, %s senders at once"
          % (len(queued) - len(found), int(senders) * int(messages), senders))
    return 1 if found or len(queued) != int(senders) * int(messages) else 0


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
