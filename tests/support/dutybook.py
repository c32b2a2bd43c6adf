"""Real sites for tests: a store, a daemon on its socket, the client. No sleeps: every wait has a
condition and a deadline.

    with World(directory) as world:
        north = world.site("North", space="school")
        hub = world.bare("hub")
        north.start()
        north.run("remote", "add", "hub", hub)
        duty = north.one("add", "core.duty", "title=Bus", ...)
"""

import contextlib
import http.client
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("DUTYBOOK_BIN", ROOT / "build/bin"))
ZONE = "America/New_York"
LONG = "DUTYBOOK_TEST_LONG" in os.environ
FAKETIME = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def wait_for(condition, seconds=20, what="the condition"):
    """Returns the first true value of condition(); fails after the deadline."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        pause.wait(0.01)


class Ran:
    """What a client command did."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    @property
    def objects(self):
        return [json.loads(line) for line in self.out.splitlines() if line]

    @property
    def one(self):
        assert len(self.objects) == 1, f"{self}: not one object"
        return self.objects[0]

    @property
    def problem(self):
        return json.loads(self.err.splitlines()[-1])

    def __repr__(self):
        words = " ".join(map(str, self.arguments))
        return f"dutybook {words} -> {self.code}\n{self.out[-2000:]}\n{self.err[-2000:]}"


class Site:
    """One store and, while started, its daemon."""

    def __init__(self, world, name, store, space=""):
        self.world, self.name, self.store, self.space = world, name, pathlib.Path(store), space
        self.process = None
        self.http = "off"
        self.programs = BIN
        self.environment = dict(world.environment)
        self.log = store.parent / f"{name}.log"

    def client(self, *arguments, expect=0, input=None, by=None, space=None, timeout=120):
        """One client command with --json. `expect`: exit code, several, or None for any."""
        words = [str(self.programs / "dutybook"), "--store", str(self.store), "--json"]
        if space or self.space:
            words += ["--space", space or self.space]
        words += ["--by", by or f"{self.name.lower()}-aide", *map(str, arguments)]
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(words, input=data, capture_output=True, timeout=timeout,
                              env=self.environment)
        ran = Ran(arguments, done.returncode, done.stdout.decode(errors="replace"),
                  done.stderr.decode(errors="replace"))
        allowed = expect if isinstance(expect, (tuple, list)) else (expect,)
        assert expect is None or ran.code in allowed, f"{ran}\n{self.tail()}"
        return ran

    def one(self, *arguments, **how):
        return self.client(*arguments, **how).one

    def many(self, *arguments, **how):
        return self.client(*arguments, **how).objects

    def add_file(self, records, expect=0, **how):
        lines = "".join(json.dumps(one) + "\n" for one in records)
        return self.client("add", "--file", "-", input=lines, expect=expect, **how).objects

    def status(self, space=None):
        whole = self.one("status")
        wanted = space or self.space
        return next(one for one in whole["spaces"] if not wanted or one["name"] == wanted)

    def digest(self, space=None):
        return self.status(space)["digest"]

    def sync(self, expect=0, **how):
        return self.client("sync", expect=expect, **how).objects

    # --- the daemon ---

    @property
    def socket(self):
        return str(self.store / "run/dutybook.sock")

    def spawn(self, *arguments):
        """Starts the daemon without waiting for it."""
        assert self.process is None or self.process.poll() is not None
        self.turn_rules_off()
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [str(self.programs / "dutybookd"), "--store", str(self.store), "--http", self.http,
             *arguments],
            stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        log.close()
        self.said = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process, self.said), daemon=True).start()
        return self

    def turn_rules_off(self):
        """Tests of store and sync run without the field plugins; `site.rules = True` keeps them."""
        if getattr(self, "rules", False) or os.path.lexists(self.store / "plugins.json"):
            return
        spaces = [one.name for one in (self.store / "spaces").glob("*")]
        plugins = ["core", "education", "medical", "legal", "roster"]
        off = [[space, plugin] for space in spaces for plugin in plugins]
        (self.store / "plugins.json").write_text(json.dumps({"format": 1, "off": off}))

    @staticmethod
    def _listen(process, said):
        for line in process.stdout:
            said.put(line.decode(errors="replace").strip())
        said.put(None)

    def wait_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.said.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.name} was not ready in {seconds} s\n{self.tail()}")
            if line is None:
                raise AssertionError(f"{self.name} ended with {self.process.wait()} before it was "
                                     f"ready\n{self.tail()}")
            if line.split(" ")[0] == "ready":
                return self

    def start(self, *arguments):
        return self.spawn(*arguments).wait_ready()

    def stop(self, seconds=6):
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop within {seconds} s\n{self.tail()}")
        finally:
            self.process = None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    @property
    def http_address(self):
        """Where HTTP is served, once it is ready with `site.http = "127.0.0.1:0"`."""
        found = re.findall(r'"http":"(127[^"]+)"', self.log.read_text())
        assert found, f"no HTTP address in the log\n{self.tail()}"
        return found[-1]

    def resident(self):
        """Bytes of memory of the daemon."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def tail(self):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- log of {self.name}\n{text[-3000:]}"

    def clock(self, offset):
        """Lets this site's clock be off, such as '+10y'; before start()."""
        self.environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": offset,
                             "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}

    # --- the socket itself ---

    def connect(self):
        return UnixHTTP(self.socket)

    def request(self, method, target, body=None, headers=None):
        """(status, body as JSON or text) of one request over the socket."""
        with contextlib.closing(self.connect()) as connection:
            return ask(connection, method, target, body, headers)

    def git(self, *arguments, space=None):
        directory = self.store / "spaces" / (space or self.space) / "log.git"
        return self.world.git("-C", directory, *arguments)


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(connection, method, target, body=None, headers=None):
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, target, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text


class World:
    """A directory with sites, remotes and a home of its own; everything in it ends with it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.home = self.directory / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "HOME": str(self.home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC",
            **{name: os.environ[name] for name in os.environ
               if name.startswith(("ASAN_", "UBSAN_", "TSAN_", "LSAN_"))}}
        self.sites = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for site in self.sites:
            site.kill()

    def site(self, name, space="school", zone=ZONE):
        """A new store made with init."""
        site = self._site(name, space)
        site.client("init", "--site", name, "--tz", zone)
        return site

    def _site(self, name, space):
        directory = self.directory / name
        directory.mkdir(parents=True, exist_ok=True)
        site = Site(self, name, directory / "store", space)
        self.sites.append(site)
        return site

    def invited(self, inviter, name, space=None):
        """A new store made with invite and join."""
        file = self.directory / f"{name}.invite"
        inviter.client("invite", name, "--out", file, space=space)
        site = self._site(name, space or inviter.space)
        site.space = ""
        site.client("join", file)
        site.space = space or inviter.space
        return site

    def bare(self, name):
        path = self.directory / f"{name}.git"
        self.git("init", "-q", "--bare", path)
        return path

    def git(self, *arguments):
        done = subprocess.run(["git", *map(str, arguments)], env=self.environment, text=True,
                              capture_output=True)
        assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def copy(self, source, target):
        """A directory as it is now, permissions and times kept."""
        if pathlib.Path(target).exists():
            shutil.rmtree(target)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)
        return pathlib.Path(target)


def duty(title, **fields):
    """A duty with all that its kind requires."""
    return {"kind": "core.duty",
            "fields": {"title": title, "category": "supervision", "priority": "normal",
                       "state": "open", **fields}}


def arguments_of(record):
    """The same as arguments of `add`."""
    return [record["kind"], *(f"{name}:={json.dumps(value)}"
                              for name, value in record["fields"].items())]
