"""Any bytes at all as input: refused by line and pointer, and the daemon lives on."""

import contextlib
import json
import socket

import pytest
from dutybook import ask, duty

GOOD = duty("good")


def line(**fields):
    return json.dumps({"kind": "core.duty", "fields": {**GOOD["fields"], **fields}})


def raw(text):
    """A whole line around a raw JSON value of a field."""
    return line(place="@@").replace('"@@"', text)


# name: (line, pointer or None where any will do)
BAD = {
    "empty object": ("{}", None),
    "not an object": ("[1]", None),
    "a word": ("nonsense", None),
    "unclosed": ('{"kind":"core.duty"', None),
    "trailing comma": ('{"kind":"core.duty",}', None),
    "comment": ('{"kind":"core.duty"/*x*/}', None),
    "single quotes": ("{'kind':'core.duty'}", None),
    "two values": (line() + " " + line(), None),
    "a byte-order mark": ("\ufeff" + line(), None),
    "NaN": (raw("NaN"), None),
    "Infinity": (raw("-Infinity"), None),
    "leading zero": (raw("012"), None),
    "plus sign": (raw("+1"), None),
    "hex": (raw("0x1F"), None),
    "bare dot": (raw(".5"), None),
    "unknown escape": (raw(r'"\x41"'), None),
    "lone surrogate": (raw(r'"\ud800"'), "/fields/place"),
    "raw newline": (raw('"a\tb"'), None),
    "NUL in text": (raw(r'"a\u0000b"'), "/fields/place"),
    "NUL in a key": ('{"kind":"core.duty","fields":{"a\\u0000":1}}', None),
    "beyond 2^53": (raw("9007199254740993"), "/fields/place"),
    "far below": (raw("-9223372036854775809"), "/fields/place"),
    "beyond a double": (raw("1e400"), "/fields/place"),
    "a key twice": ('{"kind":"core.duty","kind":"core.duty","fields":{}}', "/kind"),
    "a field twice": ('{"kind":"core.duty","fields":{"title":"a","title":"b"}}', "/fields/title"),
    "unknown kind": ('{"kind":"core.nothing","fields":{}}', None),
    "kind of a wrong type": ('{"kind":7,"fields":{}}', "/kind"),
    "fields of a wrong type": ('{"kind":"core.duty","fields":[]}', "/fields"),
    "a value of a wrong type": (line(title=7), "/fields/title"),
    "a value outside the list": (line(priority="soon"), "/fields/priority"),
    "a missing field": ('{"kind":"core.duty","fields":{"title":"x"}}', None),
    "an impossible date": (line(due="2026-02-30T08:00:00Z"), "/fields/due"),
    "an id with a space": ('{"id":"a b",' + line()[1:], "/id"),
    "an id too long": ('{"id":"' + "a" * 129 + '",' + line()[1:], "/id"),
    "depth 33": (raw("[" * 33 + "]" * 33), None),
    "an operation over 64 KiB": (line(title="x" * 70_000), None),
}
BAD_BYTES = {
    "invalid UTF-8": line(place="@@").encode().replace(b"@@", b"\xff\xfe"),
    "overlong UTF-8": line(place="@@").encode().replace(b"@@", b"\xc0\x80"),
    "a surrogate in UTF-8": line(place="@@").encode().replace(b"@@", b"\xed\xa0\x80"),
    "a raw NUL": line(place="@@").encode().replace(b"@@", b"a\0b"),
    "cut in a character": line(place="@@").encode().replace(b'@@"}}', b"\xe2\x82"),
    "nothing but NULs": b"\0" * 1000,
}
FINE = {
    "unicode": line(place="Zoë 🌧 日本"),
    "2^53 - 1 as text": line(place="9007199254740991"),
    "escapes": line(place='"\\/\b\f\n\r\t'),
    "depth 20 in an unknown field": None,
}
MEMORY = 200 << 20


@pytest.fixture
def north(world):
    return world.site("North").start()


def test_each_bad_line_is_named_and_the_good_ones_are_stored(north):
    cases = [(name, text.encode(), pointer) for name, (text, pointer) in BAD.items()]
    cases += [(name, data, None) for name, data in BAD_BYTES.items()]
    good = [text.encode() for text in FINE.values() if text]
    lines, wanted = [], []
    for number, (name, data, pointer) in enumerate(cases):
        lines += [data, good[number % len(good)]]
        wanted += [(name, pointer), None]
    ran = north.client("add", "--file", "-", input=b"\n".join(lines) + b"\n", expect=3)
    assert len(ran.objects) == len(lines)
    for number, (answer, want) in enumerate(zip(ran.objects, wanted), 1):
        if want is None:
            assert answer.get("kind") == "core.duty", answer
            continue
        assert answer["status"] >= 400 and answer["line"] == number, (want, answer)
        assert answer["title"] and "pointer" in answer, (want, answer)
        if want[1] is not None:
            assert answer.get("pointer") == want[1], (want, answer)
    assert north.status()["records"] == len(cases)
    assert north.resident() < MEMORY


def test_ten_megabytes_of_nesting(north):
    deep = b"[" * 10_000_000
    ran = north.client("add", "--file", "-", input=deep + b"\n" + line().encode() + b"\n", expect=3)
    assert [("kind" in one) for one in ran.objects] == [False, True], ran
    assert ran.objects[0]["line"] == 1
    status, problem = north.request("POST", "/v1/spaces/-/records", deep[:900_000])
    assert 400 <= status < 500 and problem["title"]
    assert north.resident() < MEMORY
    assert north.status()["records"] == 1


def test_a_line_without_an_end(north):
    ran = north.client("add", "--file", "-", input=b'{"kind":"' + b"x" * 30_000_000, expect=3)
    assert len(ran.objects) == 1 and ran.one["line"] == 1
    assert north.resident() < MEMORY


def test_an_empty_batch(north):
    assert north.client("add", "--file", "-", input=b"").objects == []


RAW_REQUESTS = {
    "rubbish": b"\x00\xff\xfe rubbish\r\n\r\n",
    "a bare newline": b"\n\n\n\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET /v1/status HTTP/1.1\r\n\r\n",
    "a negative length": b"POST /v1/spaces/-/records HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: -1\r\n\r\n",
    "two lengths": b"POST /v1/spaces/-/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                   b"Content-Length: 5\r\n\r\n{}abc",
    "length and chunks": b"POST /v1/spaces/-/records HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a huge chunk": b"POST /v1/spaces/-/records HTTP/1.1\r\nHost: localhost\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    "endless headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000,
    "a long target": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a climbing path": b"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a bad escape": b"GET /v1/spaces/-/records/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an escaped NUL": b"GET /v1/spaces/-/records/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW_REQUESTS)
def test_raw_bytes_at_the_socket(north, name):
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as door:
        door.settimeout(20)
        door.connect(north.socket)
        with contextlib.suppress(OSError):
            door.sendall(RAW_REQUESTS[name])
            door.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while data := door.recv(65536):
                answer += data
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:200]
    assert north.status()["records"] == 0
    assert north.resident() < MEMORY


def test_wrong_methods_and_paths(north):
    with contextlib.closing(north.connect()) as connection:
        for method, target, wanted in [
                ("PUT", "/v1/status", 405), ("GET", "/v2/status", 404), ("GET", "/", 404),
                ("POST", "/v1/spaces/nowhere/records", 404),
                ("GET", "/v1/spaces/-/records/nothing", 404),
                ("GET", "/v1/spaces/-/records?limit=-1", 400),
                ("GET", "/v1/spaces/-/records?limit=x", 400),
                ("GET", "/v1/spaces/-/records?cursor=rubbish", 400),
                ("GET", "/v1/spaces/-/records?since=yesterday", 400)]:
            status, problem = ask(connection, method, target,
                                  GOOD if method == "POST" else None)
            assert status == wanted, (method, target, status, problem)
            assert problem["title"] and problem["status"] == wanted


def test_patches_of_wrong_shapes(north):
    record = north.one("add", "core.duty", "title=a", "category=c", "priority=low", "state=open")
    target = f"/v1/spaces/-/records/{record['id']}"
    with contextlib.closing(north.connect()) as connection:
        for patch in ([], 7, None, {"title": 7}, {"tags": {"$add": "x"}}, {"tags": {"$add": [1]}},
                      {"title": {"$increment": 1}}, {"tags": {"$frob": []}}, {"": 1},
                      {"@record": "keep"}):
            body = json.dumps(patch)
            status, problem = ask(connection, "PATCH", target, body)
            assert 400 <= status < 500, (patch, status, problem)
    after = north.one("show", record["id"])
    assert after["version"] == record["version"]
