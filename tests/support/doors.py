"""Requests as an attacker sends them: byte by byte, nothing corrected on the way.

An attack is a name and two requests that differ in what makes it one: the attack, which must get
nothing, and its twin, which must pass. `Door.judge` runs both and counts.
"""

import contextlib
import json
import re
import socket

from dutybook import ask, duty

RECORDS = "/v1/spaces/-/records"


def body_of(title="written over HTTP"):
    return json.dumps(duty(title)).encode()


def request(method="GET", target=RECORDS, headers=(), body=None, host=None, version="1.1"):
    """`headers`: (name, value) pairs, in order. `host` None: no Host at all."""
    lines = [f"{method} {target} HTTP/{version}".encode()]
    for name, value in ((("Host", host),) if host is not None else ()) + tuple(headers):
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes)
                                               else value.encode()))
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def statuses(answer):
    return [int(one) for one in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


class Door:
    """One daemon with HTTP on, and tokens of both roles."""

    def __init__(self, site):
        self.site = site
        self.address = site.http_address
        self.port = self.address.rpartition(":")[2]
        self.writer = site.one("token", "add", "desk", "--role", "writer", "--person", "p1")["token"]
        self.reader = site.one("token", "add", "screen", "--role", "reader")["token"]
        self.secret = site.one("add", "core.duty", "title=secret-marker", "category=supervision",
                               "priority=normal", "state=open")["id"]
        self.owner = site.connect()
        self.attacks = 0
        self.allowed = []

    def bearer(self, token=None):
        return ("Authorization", f"Bearer {token or self.writer}")

    @property
    def json(self):
        return ("Content-Type", "application/json")

    def get(self, *headers, target=RECORDS, host="", token=True, **how):
        """A whole GET of the records; host "" is the right one."""
        return request("GET", target, (*((self.bearer(),) if token else ()), *headers),
                       host=self.address if host == "" else host, **how)

    def post(self, *headers, host="", token=True, body=None, kind="application/json", **how):
        given = (self.bearer(),) if token else ()
        typed = (("Content-Type", kind),) if kind else ()
        return request("POST", RECORDS, (*given, *typed, *headers), body or body_of(),
                       self.address if host == "" else host, **how)

    def connect(self, timeout=20):
        name, _, port = self.address.rpartition(":")
        return socket.create_connection((name, int(port)), timeout)

    def send(self, data, timeout=20):
        """Everything that the daemon says until it closes (we close our half after sending)."""
        answer = b""
        with contextlib.closing(self.connect(timeout)) as door:
            with contextlib.suppress(OSError):
                door.sendall(data)
                door.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError, TimeoutError):
                while piece := door.recv(65536):
                    answer += piece
        return answer

    def state(self):
        """What no attack may change."""
        asked = [ask(self.owner, "GET", target)[1] for target in ("/v1/status", "/v1/tokens",
                                                                  "/v1/accounts")]
        space = asked[0]["spaces"][0]
        return space["operations_digest"], space["remotes"], asked[1:], len(asked[0]["spaces"])

    def judge(self, name, attack, twin, allow=()):
        """The attack gets no success and changes nothing; its twin gets through. `allow`: statuses
        of an attack that mean no harm by themselves."""
        before = self.state()
        answer = self.send(attack)
        self.attacks += 1
        got_in = [one for one in statuses(answer) if one < 400 and one not in allow]
        if got_in or b"secret-marker" in answer or self.state() != before:
            self.allowed.append((name, answer[:300]))
        good = self.send(twin)
        assert statuses(good) and all(one < 300 for one in statuses(good)), \
            f"the twin of '{name}' was refused: {good[:400]}"

    def summary(self):
        assert not self.allowed, self.allowed
        return f"attacks {self.attacks}, allowed {len(self.allowed)}"
