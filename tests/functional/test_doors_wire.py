"""Requests that mean one thing here and another elsewhere, and requests without an end."""

import contextlib
import gzip
import socket
import threading
import time

import pytest
from doors import RECORDS, Door, body_of, request, statuses
from dutybook import ask, duty, wait_for

MEMORY = 200 << 20


@pytest.fixture
def door(world):
    site = world.site("North")
    site.http = "127.0.0.1:0"
    return Door(site.start())


def test_smuggled_requests(door, counted):
    """Behind each attack hides a good write with a good token: it must not be carried out, and the
    connection must be over."""
    inner = door.post(body=body_of("smuggled"))
    host, body = door.address, body_of("outer")
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    first = (door.bearer(), door.json)

    def outer(*headers, sent=b"", method="POST", version="1.1", target=RECORDS):
        return request(method, target, (*first, *headers), host=host, version=version) + sent

    coding, length = ("Transfer-Encoding", "chunked"), ("Content-Length", str(len(body)))
    whole = chunk + b"0\r\n\r\n"
    attacks = {
        "length, then chunks": outer(length, coding, sent=b"0\r\n\r\n" + inner),
        "chunks, then length": outer(coding, ("Content-Length", "4"), sent=whole + inner),
        "two lengths": outer(length, ("Content-Length", "0"), sent=body + inner),
        "the same length twice": outer(length, length, sent=body + inner),
        "a list of lengths": outer(("Content-Length", f"{len(body)}, {len(body)}"),
                                   sent=body + inner),
        "a signed length": outer(("Content-Length", f"+{len(body)}"), sent=body + inner),
        "a negative length": outer(("Content-Length", "-1"), sent=body + inner),
        "a length in hex": outer(("Content-Length", "0x10"), sent=body + inner),
        "an endless number": outer(("Content-Length", "9" * 40), sent=body + inner),
        "a length of nothing": outer(("Content-Length", ""), sent=body + inner),
        "a space before the colon": outer(("Content-Length ", str(len(body))), sent=body + inner),
        "an unknown coding": outer(("Transfer-Encoding", "xchunked"), sent=inner),
        "identity": outer(("Transfer-Encoding", "identity"), sent=inner),
        "two codings": outer(("Transfer-Encoding", "gzip, chunked"), sent=whole + inner),
        "chunked last but one": outer(("Transfer-Encoding", "chunked, identity"),
                                      sent=whole + inner),
        "a coding twice": outer(coding, coding, sent=whole + inner),
        "an unknown coding first": outer(("Transfer-Encoding", "x"), coding, sent=whole + inner),
        "a quoted coding": outer(("Transfer-Encoding", '"chunked"'), sent=whole + inner),
        "a vertical tab": outer(("Transfer-Encoding", b"\x0bchunked"), sent=whole + inner),
        "a folded coding": outer(("Transfer-Encoding", b"\r\n chunked"), sent=whole + inner),
        "a folded header": outer(("X-Any", b"a\r\n\tTransfer-Encoding: chunked"), length,
                                 sent=body + inner),
        "a folded host": request("POST", RECORDS, (*first, ("Host", f"{host}\r\n x"), length)) +
        body + inner,
        "chunks of HTTP/1.0": outer(coding, version="1.0", sent=whole + inner),
        "a bare newline": outer(("X-Any", b"a\nContent-Length: 0"), length, sent=body + inner),
        "a bare return": outer(("X-Any", b"a\rContent-Length: 0"), length, sent=body + inner),
        "a NUL": outer(("X-Any", b"a\0b"), length, sent=body + inner),
        "a body with a GET": outer(("Content-Length", str(len(inner))), method="GET", sent=inner),
        "a body with a DELETE": outer(("Content-Length", str(len(inner))), method="DELETE",
                                      target=f"{RECORDS}/none", sent=inner),
        "a size beyond 64 bits": outer(coding, sent=b"1" + b"0" * 16 + b"\r\n" + inner),
        "a size in another way": outer(coding, sent=b"0x5\r\nabcde\r\n0\r\n\r\n" + inner),
        "a negative size": outer(coding, sent=b"-5\r\nabcde\r\n0\r\n\r\n" + inner),
        "a chunk longer than its size": outer(coding, sent=b"1\r\n" + body + b"\r\n0\r\n\r\n" +
                                              inner),
        "a newline alone after a size": outer(coding, sent=b"5\nabcde\n0\n\n" + inner),
        "a version of its own": outer(length, version="1.2", sent=body + inner),
        "a short request line": b"POST " + RECORDS.encode() + b"\r\n" + inner,
        "a line before the line": b"\r\n\r\nx" + outer(("Content-Length ", "0")) + inner,
        "a space in the target": outer(length, target=f"{RECORDS} /x", sent=body + inner),
        "two requests as one header": outer(("X-Any", b"a\r\n\r\n" + b"x" * 10), length, sent=body),
    }
    twins = {True: outer(coding, sent=whole), False: outer(length, sent=body)}
    for name, attack in attacks.items():
        door.judge(name, attack, twins["chunk" in name or "coding" in name])
    # Two honest requests in one piece are two requests.
    assert statuses(door.send(door.post() + door.post())) == [201, 201]
    extended = outer(coding, sent=b"%x;a=b\r\n%s\r\n0\r\nX-Trailer: y\r\n\r\n" % (len(body), body))
    assert statuses(door.send(extended)) == [201]
    # What stands in a trailer comes too late to let anybody in.
    late = request("POST", RECORDS, (door.json, coding), host=host) + chunk + \
        b"0\r\nAuthorization: Bearer %s\r\n\r\n" % door.writer.encode()
    door.judge("a token in a trailer", late, twins[True])
    counted(door.summary())


def test_a_coded_body_is_refused(door):
    """It would be read as something else than what was meant, or unpack to gigabytes."""
    def post(coding, body):
        return door.post(("Content-Encoding", coding), body=body)

    for coding in ("gzip", "GZIP", "br", "identity, gzip"):
        answer = door.send(post(coding, gzip.compress(body_of("coded"))))
        assert statuses(answer) == [415] and b"Content-Encoding is" in answer, coding
    assert statuses(door.send(post("identity", body_of("plain")))) == [201]


def test_a_refused_batch_says_that_the_connection_ends(door):
    body = b"{}\n" * 3
    head = (door.bearer(), ("Content-Type", "application/x-ndjson"),
            ("Content-Length", str(len(body))))
    answer = door.send(request("POST", "/v1/spaces/nowhere/records", head, host=door.address) + body)
    assert statuses(answer) == [404] and b"Connection: close" in answer, answer


def test_other_protocols(door, counted):
    upgrade = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="))
    evil = ("Origin", "http://evil.example")
    door.judge("a WebSocket without a token", door.get(*upgrade, token=False), door.get())
    door.judge("a WebSocket of another page", door.get(*upgrade, evil), door.get())
    # With a token it is an ordinary read, and no socket is opened.
    answer = door.send(door.get(*upgrade) + b"\x81\x85\x00\x00\x00\x00hello")
    assert 101 not in statuses(answer) and b"Upgrade" not in answer
    door.judge("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", door.get())
    door.judge("HTTP/2 on request", door.get(("Upgrade", "h2c"), ("HTTP2-Settings", "x"),
                                             ("Connection", "Upgrade"), token=False), door.get())
    door.judge("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), door.get())
    door.judge("HTTP/0.9", b"GET " + RECORDS.encode() + b"\r\n", door.get())
    door.judge("rubbish", bytes(range(256)) * 40, door.get())
    counted(door.summary())


def flow(door, head, piece, most):
    """Sends `head`, then `piece` again and again; how many bytes went before it was cut off."""
    with contextlib.closing(door.connect()) as stream:
        stream.sendall(head)
        sent, answer = 0, b""
        stream.settimeout(0.2)
        with contextlib.suppress(OSError):
            while sent < most:
                try:
                    sent += stream.send(piece)
                except TimeoutError:
                    pass
                stream.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    answer += (data := stream.recv(65536))
                    if not data:
                        break
                stream.settimeout(0.2)
        stream.settimeout(5)
        with contextlib.suppress(OSError):
            answer += stream.recv(65536)
        return sent, answer


def test_requests_without_an_end(door, counted):
    coding, host = ("Transfer-Encoding", "chunked"), door.address
    million = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    open_post = request("POST", RECORDS, (door.bearer(), door.json, coding), host=host)
    lines = ("Content-Type", "application/x-ndjson")
    endless = {
        "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-Any: y\r\n" * 1000),
        "one header": (b"GET / HTTP/1.1\r\nX-Any: ", b"y" * 65536),
        "a target": (b"GET /", b"a" * 65536),
        "a body without a token": (request("POST", RECORDS, (door.json, coding), host=host),
                                   million),
        "a body of a reader": (request("POST", RECORDS, (door.bearer(door.reader), door.json,
                                                         coding), host=host), million),
        "a body": (open_post, million),
        "the name of a chunk": (open_post + b"5;", b"a" * 65536),
        "trailers": (open_post + b"0\r\n", b"X-Any: y\r\n" * 1000),
        "a line of a batch": (request("POST", RECORDS, (door.bearer(), lines, coding), host=host),
                              million),
        "a body for a route without one": (request("GET", RECORDS, (door.bearer(), coding),
                                                   host=host), million),
        "a body to nowhere": (request("POST", "/nowhere", (door.bearer(), coding), host=host),
                              million),
    }
    before = door.state()
    for name, (head, piece) in endless.items():
        sent, answer = flow(door, head, piece, 300 << 20)
        door.attacks += 1
        assert door.site.resident() < MEMORY, name
        if door.state() != before or any(one < 300 for one in statuses(answer)
                                         if name != "a line of a batch"):
            door.allowed.append((name, answer[:200]))
        assert statuses(answer) or sent < 300 << 20, f"{name}: {sent} bytes were taken"
        assert statuses(door.send(door.get())) == [200]
    for name, attack in {
            "a claim of a terabyte": request("POST", RECORDS, (door.bearer(), door.json,
                                                               ("Content-Length", str(1 << 40))),
                                             host=host),
            "a body too large": door.post(body=b" " * (1 << 20) + body_of())}.items():
        door.judge(name, attack, door.post(body=b" " * 900_000 + body_of()))
    counted(door.summary())


def test_slow_and_many_connections_lock_nobody_out(door, counted):
    """Strangers hold every connection that TCP gives, a byte now and then: the owner goes on at the
    socket, and TCP is free again when their time for a header is over."""
    strangers = [door.connect() for _ in range(300)]
    over = threading.Event()

    def drip():
        while not over.wait(0.5):
            for one in strangers[::2]:
                with contextlib.suppress(OSError):
                    one.send(b"G")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        began = time.monotonic()
        for i in range(20):
            assert ask(door.owner, "POST", RECORDS, duty(f"{i}"))[0] == 201
        assert time.monotonic() - began < 10
        assert door.site.one("add", "core.duty", "title=a", "category=c", "priority=low",
                             "state=open")
        wait_for(lambda: statuses(door.send(door.get())) == [200], 25,
                 "TCP free again while strangers drip")
        assert time.monotonic() - began < 25
    finally:
        over.set()
        thread.join()
        for one in strangers:
            one.close()
    assert door.site.resident() < MEMORY
    door.attacks += len(strangers)
    counted(door.summary())


def test_an_answer_that_nobody_takes(door):
    """A client that asks and does not read is bounded in memory."""
    door.site.add_file(duty(f"{i} " + "x" * 2000) for i in range(2000))
    greedy = []
    for _ in range(60):
        one = socket.create_connection(door.address.rsplit(":", 1))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(door.get(target=f"{RECORDS}?limit=1000") * 50)
        greedy.append(one)
    assert ask(door.owner, "GET", "/v1/health")[0] == 200
    wait_for(lambda: ask(door.owner, "GET", "/v1/status")[0] == 200)
    assert door.site.resident() < 2 * MEMORY
    for one in greedy:
        one.close()
