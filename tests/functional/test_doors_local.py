"""The socket by peer credentials, and the store as others on this machine find it.

Another account is needed for most of it, so it runs as root alone; elsewhere it is skipped, and
says so. The other account is `nobody`.
"""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

import pytest
from dutybook import BIN, World, ask, duty

RECORDS = "/v1/spaces/-/records"
OTHER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
needs_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"),
                                reason="only root can act as another account")

# Runs as the other account: one request for each line of standard input, [method, target, body,
# headers] -> status; or what kept it from connecting.
ASK = """
import http.client, json, socket, sys
class Door(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(sys.argv[1])
for line in sys.stdin:
    method, target, body, headers = json.loads(line)
    door = Door("localhost")
    try:
        door.request(method, target, body, headers)
        answer = door.getresponse()
        print(json.dumps([answer.status, answer.read().decode()]))
    except OSError as refused:
        print(json.dumps([type(refused).__name__, str(refused)]))
"""


# The same over one connection that stays open; then, while it stays open, events.
STAY = """
import http.client, socket, sys
class Door(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(sys.argv[1])
def ask():
    door.request("GET", "/v1/status")
    answer = door.getresponse()
    answer.read()
    print(answer.status, flush=True)
door, events = Door("localhost"), Door("localhost")
events.request("GET", "/v1/events")
stream = events.getresponse()
ask()
sys.stdin.readline()
ask()
while stream.read1(): pass
print("ended", flush=True)
"""


def as_other(*words, **how):
    return subprocess.run([*OTHER, *map(str, words)], capture_output=True, text=True, timeout=60,
                          **how)


def asked_by_other(socket, *requests):
    lines = "".join(json.dumps([method, target, body, {"Content-Type": "application/json"} if body
                                else {}]) + "\n" for method, target, body in requests)
    done = as_other("/usr/bin/python3", "-c", ASK, socket, input=lines)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def open_world():
    """A world in a folder that every account may enter; pytest's own folders admit nobody."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dutybook-doors-"))
    folder.chmod(0o755)
    with World(folder) as made:
        yield made
    shutil.rmtree(folder)


def everything():
    """Reading and writing, of records and of the daemon itself."""
    body = json.dumps(duty("intruder"))
    return [("GET", RECORDS, None), ("GET", "/v1/status", None), ("GET", "/v1/events", None),
            ("POST", RECORDS, body), ("DELETE", f"{RECORDS}/x", None),
            ("GET", "/v1/tokens", None),
            ("POST", "/v1/tokens", json.dumps({"name": "x", "role": "writer"})),
            ("POST", "/v1/accounts", json.dumps({"account": "nobody", "role": "admin"})),
            ("POST", "/v1/spaces/-/remotes", json.dumps({"name": "x", "url": "https://x.example/x"})),
            ("POST", "/v1/spaces/-/sync", "{}")]


@needs_root
def test_another_account(open_world, counted):
    site = open_world.site("North")
    shared = open_world.directory / "door"
    site.start("--socket", str(shared))
    site.one("add", "core.duty", "title=a", "category=c", "priority=low", "state=open")
    before = site.status()["operations_digest"]
    attacks = 0
    # The store lets nobody in, so its socket cannot even be reached.
    for answer in asked_by_other(site.socket, *everything()):
        attacks += 1
        assert answer[0] == "PermissionError", answer
    for path in (site.store, site.store / "keys/sign.key", site.store / "spaces/school/journal.db",
                 site.store / "spaces/school/log.git/config", site.store / "site.json"):
        attacks += 1
        assert as_other("cat", path).returncode != 0
        assert as_other("sh", "-c", f"echo >> {path}").returncode != 0
    # A careless administrator opens the folders: the daemon still knows who is calling.
    for path in (site.store, site.store / "run"):
        path.chmod(0o777)
    pathlib.Path(site.socket).chmod(0o777)
    for answer in asked_by_other(site.socket, *everything()) + \
            asked_by_other(str(shared), *everything()):
        attacks += 1
        assert answer[0] == 403 and "nobody" in answer[1], answer
        assert "account add nobody" in answer[1]
    # Fifty callers that are refused lock nobody out.
    crowd = [subprocess.Popen([*OTHER, "/usr/bin/python3", "-c",
                               "import socket,sys,time\nheld=[]\nfor i in range(50):\n"
                               "  s=socket.socket(socket.AF_UNIX)\n  s.connect(sys.argv[1])\n"
                               "  held.append(s)\nprint('in',flush=True)\nsys.stdin.read()",
                               str(shared)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
             for _ in range(2)]
    for one in crowd:
        assert one.stdout.readline() == b"in\n"
    attacks += 100
    assert site.status()["operations_digest"] == before
    for one in crowd:
        one.communicate()
    assert not site.many("token", "list") and not site.many("account", "list")
    counted(f"attacks {attacks}, allowed 0")


@needs_root
def test_an_account_does_what_its_role_allows(open_world, counted):
    site = open_world.site("North")
    shared = open_world.directory / "door"
    site.start("--socket", str(shared))
    assert stat.S_IMODE(shared.stat().st_mode) == 0o666
    requests = [one for one in everything() if "events" not in one[1]]  # has no end
    allowed = {"reader": {"GET /v1/status", f"GET {RECORDS}"},
               "writer": {"GET /v1/status", f"GET {RECORDS}", f"POST {RECORDS}",
                          f"DELETE {RECORDS}/x", "POST /v1/spaces/-/sync"}}
    attacks = 0
    for role, passes in allowed.items():
        for name in ("nobody", "@nogroup"):
            site.client("account", "add", name, "--role", role, "--person", "p7")
            for (method, target, _), answer in zip(requests, asked_by_other(str(shared),
                                                                            *requests)):
                if f"{method} {target}" in passes:
                    assert answer[0] != 403, (role, method, target, answer)
                else:
                    attacks += 1
                    assert answer[0] == 403, (role, method, target, answer)
            site.client("account", "remove", name)
    site.client("account", "add", "nobody", "--person", "p7")
    # It acts as its person and as nobody else.
    done = as_other("/usr/bin/python3", "-c", ASK, shared, input="".join(
        json.dumps(["POST", RECORDS, json.dumps(duty(by)),
                    {"Content-Type": "application/json", "X-Dutybook-By": by}]) + "\n"
        for by in ("p7", "the-boss")))
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert first[0] == 201 and json.loads(first[1])["envelope"]["by"] == "p7"
    assert second[0] == 403
    assert asked_by_other(str(shared), ("POST", RECORDS, json.dumps(duty("mine"))))[0][0] == 201
    assert {one["envelope"]["by"] for one in site.many("list", "core.duty")} == {"p7"}
    site.client("account", "remove", "nobody")
    assert asked_by_other(str(shared), ("GET", RECORDS, None))[0][0] == 403
    # A restart forgets nobody.
    site.client("account", "add", "@nogroup", "--role", "reader")
    site.stop()
    site.start("--socket", str(shared))
    assert asked_by_other(str(shared), ("GET", RECORDS, None))[0][0] == 200
    assert asked_by_other(str(shared), ("POST", RECORDS, json.dumps(duty("x"))))[0][0] == 403
    assert stat.S_IMODE((site.store / "accounts.json").stat().st_mode) == 0o600
    counted(f"attacks {attacks + 4}, allowed 0")


@needs_root
def test_an_account_that_is_taken_out_is_out_at_once(open_world, counted):
    site = open_world.site("North")
    shared = open_world.directory / "door"
    site.start("--socket", str(shared))
    for name in ("nobody", "@nogroup"):
        site.client("account", "add", name, "--role", "writer")
        stays = subprocess.Popen([*OTHER, "/usr/bin/python3", "-c", STAY, str(shared)], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert stays.stdout.readline() == "200\n"
        site.client("account", "remove", name)
        said, _ = stays.communicate("go on\n", timeout=20)
        assert said == "403\nended\n", said
    counted("attacks 4, allowed 0")


@needs_root
def test_a_store_of_another_account_is_refused(open_world):
    site = open_world.site("North")
    os.chown(site.store / "keys/sign.key", 65534, 65534)
    site.spawn()
    assert site.process.wait(20) == 1
    assert "belongs to another account" in site.tail() and "chown" in site.tail()
    os.chown(site.store / "keys/sign.key", 0, 0)
    site.start()


def test_a_crash_leaves_no_image_of_the_keys(world):
    site = world.site("North").start()
    limits = pathlib.Path(f"/proc/{site.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits), limits


def test_open_modes_are_closed_at_the_start(world):
    site = world.site("North")
    secrets = [path for path in (site.store / "keys").iterdir() if path.suffix != ".pub"]
    assert secrets
    for path in (site.store, site.store / "keys"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        path.chmod(0o777)
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o666)
    site.start()
    for path in (site.store, site.store / "keys"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "was open to others" in site.log.read_text()
    assert stat.S_IMODE(os.stat(site.socket).st_mode) == 0o600


def test_a_key_that_is_a_link_is_refused(world):
    site = world.site("North")
    key = site.store / "keys/sign.key"
    key.rename(world.directory / "elsewhere")
    key.symlink_to(world.directory / "elsewhere")
    site.spawn()
    assert site.process.wait(20) == 1 and "is a link" in site.tail()


@pytest.mark.parametrize("name, magic", [("NFS", 0x6969), ("SMB2", 0xFE534D42)])
def test_a_network_file_system_is_refused(world, name, magic):
    """strace answers statfs in the kernel's place."""
    if not shutil.which("strace"):
        pytest.skip("strace is not here")
    site = world.site("North")
    inject = f"inject=statfs:poke_exit=@arg2={magic.to_bytes(8, sys.byteorder).hex()}"
    words = [str(BIN / "dutybookd"), "--store", str(site.store), "--http", "off"]
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "trace=statfs", "-e", inject,
                           *words], capture_output=True, text=True, env=site.environment, timeout=60)
    if "PTRACE" in done.stderr or "invalid" in done.stderr:
        pytest.skip(f"strace cannot do it here: {done.stderr[:200]}")
    assert done.returncode == 1 and name in done.stderr and "local disk" in done.stderr, done
    site.start()


def test_a_second_daemon_is_refused(world):
    site = world.site("North").start()
    second = subprocess.run([str(BIN / "dutybookd"), "--store", str(site.store), "--http", "off"],
                            capture_output=True, text=True, env=site.environment, timeout=30)
    assert second.returncode == 1
    assert "is in use" in second.stderr and str(site.process.pid) in second.stderr
    assert "stop that one first" in second.stderr
    assert ask(site.connect(), "GET", "/v1/health")[0] == 200


def test_a_taken_port_and_a_file_in_the_sockets_place(world):
    site = world.site("North")
    file = world.directory / "precious"
    file.write_text("mine")
    site.spawn("--socket", str(file))
    assert site.process.wait(20) == 1 and "is no socket" in site.tail()
    assert file.read_text() == "mine"
    for address in ("0.0.0.0:0", "[::]:0"):
        site.http = address
        site.spawn()
        assert site.process.wait(20) == 1 and "other machines could reach it" in site.tail()
