"""A git host on loopback that tells the truth, or lies as a test wants it to.

    with Host(world, repository) as host:
        site.client("remote", "add", "hub", host.url)
        host.lie = lambda talk: talk.stall()      # of each connection that lists or fetches

The truth is told by real git (upload-pack, receive-pack). A lie speaks git's protocol, version 2,
by itself; `host.lied` counts how often one was told.
"""

import contextlib
import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import threading

RELAY = pathlib.Path(__file__).resolve().parent / "relay.py"
FLUSH, DELIMITER = b"0000", b"0001"


def packet(data):
    data = data.encode() if isinstance(data, str) else data
    return b"%04x" % (len(data) + 4) + data


class Talk:
    """One connection of a client that wants to list or to fetch."""

    def __init__(self, host, link):
        self.host, self.link = host, link
        self.reader = link.makefile("rb")

    def send(self, data):
        self.link.sendall(data)

    def band(self, number, data):
        for at in range(0, len(data), 65000):
            self.send(packet(bytes([number]) + data[at:at + 65000]))

    def advertise(self, *more):
        lines = ["version 2", "agent=git/2.39", "ls-refs", "fetch=shallow", *more]
        self.send(b"".join(packet(line + "\n") for line in lines) + packet("object-format=sha1\n") +
                  FLUSH)

    def request(self):
        """The next command as it came, b"" at the end."""
        whole = b""
        while size := self.reader.read(4):
            whole += size
            if size == FLUSH:
                break
            if size != DELIMITER:
                whole += self.reader.read(int(size, 16) - 4)
        return whole

    def truth(self, request):
        """What real git answers to a command."""
        return subprocess.run(
            ["git", "upload-pack", "--stateless-rpc", str(self.host.repository)], input=request,
            env=self.host.environment | {"GIT_PROTOCOL": "version=2"}, capture_output=True).stdout

    def stall(self):
        """Says nothing until the client gives up."""
        with contextlib.suppress(OSError):
            while self.link.recv(65536):
                pass

    def answer(self, ls_refs=None, fetch=None):
        """Tells the truth but for what is given: functions of (talk, request)."""
        self.advertise()
        while request := self.request():
            listing = b"command=ls-refs" in request
            lie = ls_refs if listing else fetch
            if lie is None:
                self.send(self.truth(request))
            else:
                lie(self, request)

    def list(self, refs):
        """A whole list of refs."""
        self.send(b"".join(packet(f"{tip} {ref}\n") for ref, tip in sorted(refs.items())) + FLUSH)


class Host:
    def __init__(self, world, repository):
        self.world, self.repository = world, repository
        self.environment = dict(world.environment)
        self.lie = None          # of upload-pack: function of a Talk
        self.push_lie = None     # of receive-pack: function of a Talk
        self.lied = self.served = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        with open(world.home / ".gitconfig", "a") as config:
            config.write(f"[core]\n\tsshCommand = {RELAY} {self.port}\n[ssh]\n\tvariant = ssh\n")
        self.url = f"ssh://host.example{repository}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        with contextlib.closing(link), contextlib.suppress(OSError, ValueError):
            head = b""
            while not head.endswith(b"\n"):
                head += link.recv(1)
            asked = json.loads(head)
            program, _ = shlex.split(asked["command"])
            lie = self.push_lie if "receive" in program else self.lie
            self.served += 1
            if lie is not None:
                self.lied += 1
                lie(Talk(self, link))
                return
            words = [*re.split("[- ]", program, maxsplit=1), str(self.repository)]
            subprocess.run(words, stdin=link.fileno(), stdout=link.fileno(),
                           stderr=subprocess.DEVNULL,
                           env=self.environment | {"GIT_PROTOCOL": asked["protocol"]})


class Watch(threading.Thread):
    """The most memory (of the daemon and everything below it) and disk that a site used meanwhile."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site, self.memory, self.disk = site, 0, 0
        self.over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(0.1):
            self.memory = max(self.memory, resident(self.site.process.pid))
            self.disk = max(self.disk, occupied(self.site.store))


def resident(root):
    """Bytes of a process and all its descendants."""
    parents, sizes = {}, {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError):
            text = pathlib.Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)], sizes[int(entry.name)] = int(text[1]), int(text[21]) * 4096
    total, below = 0, {root}
    for _ in range(8):  # generations
        below |= {pid for pid, parent in parents.items() if parent in below}
    for pid in below:
        total += sizes.get(pid, 0)
    return total


def occupied(folder):
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(where, name)).st_blocks * 512
    return total
