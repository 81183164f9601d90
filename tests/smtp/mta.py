"""Mail servers and a balancer of Debian, unpacked into a directory and run from there, so that a test
neither needs them installed nor changes what is."""
import glob
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time

PACKAGES = ["postfix", "exim4-daemon-light", "haproxy", "liblua5.3-0",
            "libopentracing-c-wrapper0", "libopentracing1", "libfaketime"]


def unpack(where):
    """The packages' files below `where`; False where they cannot be had."""
    if os.path.exists(where + "/complete"):
        return True
    if os.geteuid() != 0:
        return False
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where + "/archives")
    for package in PACKAGES:
        if subprocess.run(["apt-get", "download", "-qq", package], cwd=where + "/archives",
                          capture_output=True).returncode:
            return False
    for archive in os.listdir(where + "/archives"):
        subprocess.run(["dpkg", "-x", where + "/archives/" + archive, where], check=True)
    open(where + "/complete", "w", encoding="ascii").close()
    return True


def faketime(where):
    """The library that fakes a clock, or None."""
    where = os.path.realpath(where)
    found = glob.glob(where + "/usr/lib/*/faketime/libfaketimeMT.so.1") if unpack(where) else []
    return found[0] if found else None


class Refuser(socketserver.ThreadingTCPServer):
    """A mail server that knows none of the recipients."""

    allow_reuse_address = daemon_threads = True

    class Session(socketserver.StreamRequestHandler):
        def handle(self):
            answers = {b"RCPT": b"550 5.1.1 <x>: user unknown", b"QUIT": b"221 bye",
                       b"DATA": b"503 no recipients"}
            self.wfile.write(b"220 refuser.test ESMTP\r\n")
            for line in self.rfile:
                self.wfile.write(answers.get(line[:4].upper(), b"250 ok") + b"\r\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Session)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Daemon:
    """A program of the unpacked tree in a directory of its own."""

    def __init__(self, tree, directory, port):
        self.tree, self.dir, self.port = tree, directory, port
        self.process = None

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as out:
            out.write(text)

    def make(self, names, user=1, group=1, mode=0o755):
        for name in names:
            os.makedirs(self.path(name))
            os.chmod(self.path(name), mode)
            os.chown(self.path(name), user, group)

    def run(self, command, **environment):
        with open(self.path("output"), "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output,
                                            start_new_session=True,
                                            env=dict(os.environ, **environment))
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise AssertionError(self.what_happened()) from None
                time.sleep(0.05)

    def what_happened(self):
        found = ""
        for name in ("output", "log", "mainlog", "paniclog"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), encoding="utf-8", errors="replace") as log:
                    found += log.read()[-4000:]
        return found

    def flush(self):
        """Postfix: try all that is deferred at once. What is in delivery as Postfix reloads rests 5 minutes else."""
        if os.path.exists(self.path("conf")):
            subprocess.run([self.tree + "/usr/sbin/postqueue", "-c", self.path("conf"), "-f"], check=True,
                           env=dict(os.environ, LD_LIBRARY_PATH=self.tree + "/usr/lib/postfix"))

    def stop(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()


def postfix(tree, directory, port, added, refuser):
    self = Daemon(tree, directory, port)
    self.make(["queue", "data"])
    self.make(["queue/" + name for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush",
                                            "hold", "incoming", "private", "saved", "trace")], mode=0o700)
    self.make(["queue/pid"], user=0)
    self.make(["queue/public", "queue/maildrop"], group=7, mode=0o730)
    self.make(["conf"], user=0)
    added = re.sub(r"(inline:\{ )", r"\1refused.test=smtp:[127.0.0.1]:%d, " % refuser, added)
    self.write("conf/main.cf", """compatibility_level = 3.6
mail_owner = daemon
setgid_group = lp
queue_directory = %(dir)s/queue
data_directory = %(dir)s/data
command_directory = %(tree)s/usr/sbin
daemon_directory = %(tree)s/usr/lib/postfix/sbin
shlib_directory = %(tree)s/usr/lib/postfix
meta_directory = %(dir)s/conf
import_environment = MAIL_CONFIG LD_LIBRARY_PATH TZ
maillog_file_prefixes = %(dir)s
maillog_file = %(dir)s/log
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
inet_protocols = ipv4
disable_dns_lookups = yes
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
%(added)s
""" % {"dir": directory, "tree": tree, "added": added})
    services = [("127.0.0.1:%d inet n" % port, "-", "smtpd"), ("cleanup unix n", "0", "cleanup"),
                ("qmgr unix n", "1", "qmgr"), ("rewrite unix -", "-", "trivial-rewrite"),
                ("bounce unix -", "0", "bounce"), ("defer unix -", "0", "bounce"),
                ("trace unix -", "0", "bounce"), ("smtp unix -", "-", "smtp"),
                ("lmtp unix -", "-", "lmtp"), ("pickup unix n", "1", "pickup"),
                ("error unix -", "-", "error"),
                ("retry unix -", "-", "error"), ("anvil unix -", "1", "anvil"),
                ("postlog unix-dgram n", "1", "postlogd"), ("proxymap unix -", "-", "proxymap")]
    self.write("conf/master.cf", "".join("%s - n - %s %s\n" % service for service in services))
    return self.run([tree + "/usr/lib/postfix/sbin/master", "-c", self.path("conf"), "-d"],
                    MAIL_CONFIG=self.path("conf"), LD_LIBRARY_PATH=tree + "/usr/lib/postfix")


def may_hide_files():
    """Whether a process may have mounts of its own: not in a plain container or a chroot."""
    return subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0


def exim(tree, directory, port, routers, transports, refuser, acl="", retry="1m", added=""):
    """The user Debian-exim, which only an installed Exim brings, is `daemon` in a namespace."""
    self = Daemon(tree, directory, port)
    self.make(["spool"])
    for name, line in (("passwd", "Debian-exim:x:1:1::/:/usr/sbin/nologin\n"),
                       ("group", "Debian-exim:x:1:\n")):
        with open("/etc/" + name, encoding="utf-8") as system:
            self.write(name, "".join(one for one in system if not one.startswith("Debian-exim"))
                       + line)
    self.write("exim.conf", """primary_hostname = exim.test
exim_path = %(tree)s/usr/sbin/exim4
keep_environment =
daemon_smtp_ports = %(port)d
local_interfaces = 127.0.0.1
spool_directory = %(dir)s/spool
log_file_path = %(dir)s/%%slog
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = check_rcpt
begin acl
check_rcpt:
%(acl)s
  accept
begin routers
%(routers)s
refused:
  driver = manualroute
  route_list = * 127.0.0.1::%(refuser)d
  self = send
  transport = dsnd
begin transports
%(transports)s
begin retry
* * F,1h,%(retry)s
""" % {"retry": retry, "port": port, "dir": directory, "tree": tree, "refuser": refuser, "routers": routers,
       "transports": transports, "acl": acl})
    os.chown(directory, 1, 1)
    script = ("mount --bind %(dir)s/passwd /etc/passwd && mount --bind %(dir)s/group /etc/group && "
              "exec %(tree)s/usr/sbin/exim4 -C %(dir)s/exim.conf -bdf %(added)s"
              % {"dir": directory, "tree": tree, "added": added})
    return self.run(["unshare", "-m", "sh", "-c", script])


def haproxy(tree, directory, port, config):
    self = Daemon(tree, directory, port)
    self.write("haproxy.cfg", config)
    return self.run([tree + "/usr/sbin/haproxy", "-db", "-f", self.path("haproxy.cfg")],
                    LD_LIBRARY_PATH=glob.glob(tree + "/usr/lib/*-linux-gnu")[0])
