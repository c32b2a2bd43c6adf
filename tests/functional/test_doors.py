"""What a page, a script or another program on this machine may do over HTTP: nothing, unless it
brings a token that was issued over the socket, from the daemon's own origin, as JSON."""

import json
import subprocess

import pytest
from dutybook import BIN, wait_for
from doors import RECORDS, Door, body_of, request, statuses


@pytest.fixture
def door(world):
    site = world.site("North")
    site.http = "127.0.0.1:0"
    return Door(site.start())


def test_rebound_and_foreign_names(door, counted):
    good, port = door.address, door.port
    for host in (f"evil.example:{port}", "evil.example", "127.0.0.1", "localhost", f"0.0.0.0:{port}",
                 f"127.0.0.1:{port}0", f"LOCALHOST:{port}", f"localhost.:{port}",
                 f"localhost:{port}@evil.example", f"evil.example@localhost:{port}",
                 f"localhost:{port}.evil.example", f"127.1:{port}", f"[::ffff:127.0.0.1]:{port}",
                 f"{good}, evil.example", "", None, f"2130706433:{port}"):
        door.judge(f"read as {host}", door.get(host=host or None), door.get())
        door.judge(f"write as {host}", door.post(host=host or None), door.post())
    for name, hosts in {"evil last": (good, "evil.example"), "evil first": ("evil.example", good),
                        "empty first": ("", good), "the same twice": (good, good)}.items():
        pairs = tuple(("Host", one) for one in hosts)
        door.judge(f"two hosts, {name}", door.get(*pairs, host=None), door.get())
    door.judge("a whole address as target",
               door.get(target=f"http://evil.example{RECORDS}"), door.get())
    for own in (f"localhost:{port}", f"[::1]:{port}"):
        assert statuses(door.send(door.get(host=own))) == [200]
    counted(door.summary())


def test_pages_of_other_origins(door, counted):
    good = f"http://{door.address}"
    origins = ["http://evil.example", "null", f"https://{door.address}", "http://localhost:80",
               f"http://localhost:{door.port}.evil.example", f"{good}/", f"{good} http://evil.example",
               f"http://evil.example@{door.address}", door.address, "file://", "chrome-extension://x",
               f"HTTP://{door.address}"]
    for origin in origins:
        page = ("Origin", origin)
        door.judge(f"read from {origin}", door.get(page), door.get(("Origin", good)))
        door.judge(f"write from {origin}", door.post(page), door.post(("Origin", good)))
    door.judge("two origins", door.get(("Origin", good), ("Origin", "http://evil.example")),
               door.get(("Origin", good)))
    for site in ("cross-site", "same-site", "nonsense", "same-origin, cross-site"):
        fetch = ("Sec-Fetch-Site", site)
        door.judge(f"fetch from {site}", door.post(fetch),
                   door.post(("Sec-Fetch-Site", "same-origin")))
        door.judge(f"image from {site}", door.get(fetch), door.get(("Sec-Fetch-Site", "none")))
    # What a form or a script may send to another origin without asking first.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "", "text/plain; application/json", "text/json", "application/jsonx"):
        door.judge(f"a body of {kind or 'no type'}", door.post(kind=kind),
                   door.post(kind="application/json; charset=utf-8"))
        door.judge(f"a form of {kind or 'no type'} without a token",
                   door.post(("Origin", "http://evil.example"), kind=kind, token=False), door.post())
    for method in ("POST", "PATCH", "DELETE", "GET"):
        asked = request("OPTIONS", RECORDS, (("Origin", "http://evil.example"),
                                             ("Access-Control-Request-Method", method)),
                        host=door.address)
        door.judge(f"asks first for {method}", asked, door.get())
        assert b"Access-Control" not in door.send(asked)
    counted(door.summary())


def test_without_a_token_or_with_a_wrong_one(door, counted):
    _, secret = door.bearer()
    revoked = door.site.one("token", "add", "old", "--role", "writer")
    door.site.client("token", "revoke", revoked["id"])
    tokens = json.loads((door.site.store / "tokens.json").read_text())["tokens"]
    claims = {
        "nothing": (), "an empty one": (("Authorization", "Bearer "),),
        "a made-up one": (door.bearer("dbk_" + "a" * 52),),
        "a revoked one": (door.bearer(revoked["token"]),),
        "half of one": (door.bearer(door.writer[:-1]),), "more than one": (door.bearer(
            door.writer + "x"),),
        "its hash": (door.bearer(tokens[0]["hash"]),), "its id": (door.bearer(tokens[0]["id"]),),
        "Basic": (("Authorization", f"Basic {door.writer}"),),
        "a cookie": (("Cookie", f"token={door.writer}; Authorization={secret}"),),
        "another header": (("X-Authorization", secret), ("Proxy-Authorization", secret)),
        "a list": (("Authorization", f"Bearer x, {secret}"),),
        "two": (door.bearer("wrong"), door.bearer()), "a claim": (("X-Dutybook-By", "p1"),
                                                                  ("X-Forwarded-For", "127.0.0.1")),
    }
    for name, headers in claims.items():
        for target in (RECORDS, "/v1/status", "/v1/kinds", "/v1/events", f"{RECORDS}/{door.secret}",
                       f"{RECORDS}/{door.secret}/history", "/v1/tokens"):
            twin = door.get() if target in ("/v1/events", "/v1/tokens") else door.get(target=target)
            door.judge(f"{name}: GET {target}", door.get(*headers, target=target, token=False), twin)
        door.judge(f"{name}: POST", door.post(*headers, token=False), door.post())
    for scheme in ("bearer", "BEARER", "Bearer "):  # a scheme knows no case (RFC 9110, 11.1)
        allowed = door.get(("Authorization", f"{scheme} {door.writer}"), token=False)
        assert statuses(door.send(allowed)) == [200], scheme
    for query in ("token", "access_token", "authorization", "bearer"):
        door.judge(f"?{query}=", door.get(target=f"{RECORDS}?{query}={door.writer}", token=False),
                   door.get(target=f"{RECORDS}?limit=1"))
    counted(door.summary())


def test_a_token_does_what_its_role_allows_and_no_more(door, counted):
    record = f"{RECORDS}/{door.secret}"
    read, write = door.bearer(door.reader), door.bearer()
    host, body = door.address, body_of()
    patch = b'{"title":"secret-marker"}'
    for method, target, sent in (("POST", RECORDS, body), ("PATCH", record, b'{"title":"x"}'),
                                 ("DELETE", record, None), ("POST", f"{record}/retract", None),
                                 ("POST", "/v1/spaces/-/sync", b"{}"),
                                 ("POST", "/v1/spaces/-/seal", None)):
        door.judge(f"a reader: {method} {target}",
                   request(method, target, (read, door.json) if sent else (read,), sent, host),
                   request("PATCH", record, (write, door.json), patch, host))
    for method, target, sent in (
            ("POST", "/v1/tokens", {"name": "x", "role": "writer"}), ("GET", "/v1/tokens", None),
            ("POST", "/v1/accounts", {"account": "nobody", "role": "admin"}),
            ("GET", "/v1/accounts", None), ("DELETE", "/v1/accounts/root", None),
            ("POST", "/v1/spaces", {"name": "mine"}),
            ("POST", "/v1/spaces/-/remotes", {"name": "evil", "url": "https://evil.example/x.git"}),
            ("POST", "/v1/spaces/-/invite", {"site": "evil"})):
        sent = None if sent is None else json.dumps(sent).encode()
        door.judge(f"a writer: {method} {target}",
                   request(method, target, (write, door.json) if sent else (write,), sent, host),
                   door.get())
    # A token stands for a person: whatever else the request says.
    answer = door.send(door.post(("X-Dutybook-By", "the-boss")))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["envelope"]["by"] == "p1"
    door.attacks += 1
    counted(door.summary())


def test_a_token_chooses_no_plugins(door, counted):
    """The records by which plugins come with a space are code for every site of it, and a plugin's
    settings say who reads what: who may write records may still not write these."""
    site, attacks = door.site, 0
    fields = {"plugin": "low", "version": "1.0.0", "digest": "0" * 64, "parts": 1}
    package = {"kind": "core.plugin_package", "id": "plugin-low", "fields": fields}
    part = {"kind": "core.plugin_part", "id": "part-" + "0" * 32 + "-1",
            "fields": {"package": "0" * 64, "number": 1, "file": "rules.lua", "text": "x"}}
    settings = {"kind": "core.plugin_config", "id": "any", "fields":  # whoever reads what
                {"plugin": "core", "role_classes": {"core": ["health"]}}}
    bearer, lines = door.bearer(), ("Content-Type", "application/x-ndjson")

    def told(method, target, body, *headers):
        answer = door.send(request(method, target, (bearer, *headers), body, door.address))
        return statuses(answer), answer

    for record in (package, part, settings):
        body = json.dumps(record).encode()
        assert told("POST", RECORDS, body, door.json)[0] == [403]
        assert b"chosen by an administrator" in told("POST", RECORDS, body + b"\n", lines)[1]
        attacks += 2
        assert not site.many("list", record["kind"])
        site.add_file([record])  # the twin: the account that runs the daemon
        place = f"{RECORDS}/{record['id']}"
        for method, target, body, *headers in (
                ("PATCH", place, b'{"version":"2.0.0","text":"y"}', door.json),
                ("DELETE", place, None), ("POST", f"{place}/retract?reason=x", None),
                ("POST", f"{place}/finalise", None),
                ("POST", f"{place}/resolve", b'{"field":"@record","value":"delete"}', door.json)):
            assert told(method, target, body, *headers)[0] == [403], (method, target)
            attacks += 1
        site.client("delete", record["id"])
        assert told("POST", f"{place}/restore", None)[0] == [403]
        attacks += 1
    counted(f"attacks {attacks}, allowed 0")


def heard(link, seconds):
    """What comes of an answer until its last chunk, or for so long; whether it ended."""
    link.settimeout(seconds)
    told = b""
    try:
        while not told.endswith(b"\r\n0\r\n\r\n") and (piece := link.recv(65536)):
            told += piece
    except TimeoutError:
        return told, False
    return told, True


def test_a_revoked_token_holds_nothing_open(door, counted):
    """A stream of events and a batch that began with a good token; the twins keep theirs."""
    site, links = door.site, {}
    tokens = {name: site.one("token", "add", name, "--role", "writer") for name in ("bad", "good")}
    for name, token in tokens.items():
        bearer = door.bearer(token["token"])
        links[name, "events"] = door.connect()
        links[name, "events"].sendall(request("GET", "/v1/events", (bearer,), host=door.address))
        links[name, "batch"] = door.connect()
        links[name, "batch"].sendall(request("POST", RECORDS, (
            bearer, ("Content-Type", "application/x-ndjson"), ("Transfer-Encoding", "chunked")),
            host=door.address))

    def write(name, title):
        line = body_of(title) + b"\n"
        links[name, "batch"].sendall(b"%x\r\n%s\r\n" % (len(line), line))

    def titles():
        return {one["fields"]["title"] for one in site.many("list", "core.duty")}

    for name in tokens:
        write(name, f"before {name}")
    wait_for(lambda: {"before bad", "before good"} <= titles(), what="both batches")
    site.client("token", "revoke", tokens["bad"]["id"])
    told, ended = heard(links["bad", "events"], 5)
    assert ended, "the stream went on"
    secret = site.one("add", "core.duty", "title=later", "category=c", "priority=low", "state=open")
    for name in tokens:
        write(name, f"after {name}")
    wait_for(lambda: "after good" in titles(), what="the good batch")
    told, ended = heard(links["bad", "batch"], 5)
    assert ended and b"may no longer write" in told and "after bad" not in titles()
    told, ended = heard(links["good", "events"], 1)
    assert not ended and secret["id"].encode() in told
    for link in links.values():
        link.close()
    counted("attacks 2, allowed 0")


def test_reading_changes_nothing(door, counted):
    """Every path that the interface has, by GET, and every trick that makes a GET another method."""
    document = json.loads(subprocess.run([str(BIN / "dutybookd"), "--print-openapi"], check=True,
                                         capture_output=True, text=True).stdout)
    host, before = door.address, door.state()
    for path in sorted(document["paths"]):
        if path == "/v1/events":
            continue
        target = path.replace("{space}", "-").replace("{id}", door.secret)
        target = target.replace("{", "").replace("}", "")
        for trick in ((), (("X-HTTP-Method-Override", "DELETE"),), (("X-Method-Override", "POST"),)):
            door.send(request("GET", target, (door.bearer(), *trick), host=host))
            door.attacks += 1
        for query in ("_method=DELETE", "_method=POST"):
            door.send(request("GET", f"{target}?{query}", (door.bearer(),), host=host))
            door.attacks += 1
        assert door.state() == before, path
    for method in ("HEAD", "TRACE", "CONNECT", "PUT", "PROPFIND", "get", "POSTX"):
        door.judge(method, request(method, RECORDS, (door.bearer(),), host=host), door.get())
    door.judge("a body with a GET", request("GET", RECORDS, (door.bearer(), door.json), body_of(),
                                            host), door.get())
    counted(door.summary())

