"""How a measurement is run and printed: value, floor of the same run, ratio, aim, verdict."""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from dutybook import BIN, FAKETIME, World, wait_for  # noqa: E402, F401


@dataclasses.dataclass
class Sizes:
    """Full sizes are those of the aims; quick ones only show that everything runs."""

    seconds: float = 8  # of one load
    batch: int = 100_000
    records: int = 1_000_000
    sites: int = 50
    site_operations: int = 200
    nights: int = 365
    night_operations: int = 100  # of each of two sites
    shows: int = 300
    peer_records: int = 10_000

    @classmethod
    def quick(cls):
        return cls(seconds=1.5, batch=5_000, records=20_000, sites=5, site_operations=200,
                   nights=12, night_operations=100, shows=40, peer_records=200)


class Skipped(Exception):
    """A measurement that this machine cannot make; says why."""


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


class Table:
    """Prints each line as soon as it is known."""

    HEAD = f"{'what':50} {'value':>17} {'floor':>17} {'ratio':>7}  {'aim':12} verdict"

    def __init__(self):
        self.missed, self.met, self.skipped, self.failed = [], 0, [], []

    def line(self, what, value, unit, *, floor=None, floor_unit=None, ratio=None, aim=None,
             bound=None):
        """`aim` is ("value" or "ratio", "<", number); no aim, no verdict. `bound` says what keeps
        it from being met, and is printed where it is missed."""
        if ratio is None and floor and floor_unit is None:
            ratio = value / floor
        floor_text = "-" if floor is None else f"{number(floor)} {floor_unit or unit}"
        verdict = aim_text = ""
        if aim:
            of, sign, number_aimed = aim
            got = value if of == "value" else ratio
            good = {"<": got < number_aimed, "<=": got <= number_aimed,
                    ">=": got >= number_aimed}[sign]
            verdict = "met" if good else "missed"
            aim_text = f"{sign} {number_aimed:g}" + (" x" if of == "ratio" else "")
            if good:
                self.met += 1
            else:
                self.missed.append(what)
        print(f"{what:50} {number(value) + ' ' + unit:>17} {floor_text:>17} "
              f"{number(ratio):>7}  {aim_text:12} {verdict}", flush=True)
        if verdict == "missed" and bound:
            self.note(f"bounded by: {bound}")

    def title(self, text):
        print(f"\n{text} (load average {os.getloadavg()[0]:.1f})", flush=True)

    def note(self, text):
        print(f"    {text}", flush=True)


def program(name, *arguments):
    """Runs one of the bench programs and returns what it prints."""
    path = pathlib.Path(os.environ.get("DUTYBOOK_BENCH_BIN", BIN)) / name
    if not path.exists():
        raise Skipped(f"{path} is not built: scripts/build release {name}")
    done = subprocess.run([path, *map(str, arguments)], text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{name} {arguments}: {done.stderr or done.stdout}")
    if done.stderr:
        print(done.stderr.strip(), file=sys.stderr)
    return json.loads(done.stdout)


def load(site, clients, seconds, requests):
    """One load over the socket; a request that was refused is an error of the benchmark."""
    got = program("bench_load", site.socket, clients, seconds, requests)
    if got["failed"]:
        raise RuntimeError(f"{got['failed']} of {got['requests']} requests failed")
    return got


def post_batch(site, path):
    """NDJSON over the socket, the answer read while the body is sent. Seconds it took."""
    size = pathlib.Path(path).stat().st_size
    head = ("POST /v1/spaces/-/records HTTP/1.1\r\nHost: localhost\r\nX-Dutybook-By: bench\r\n"
            "Content-Type: application/x-ndjson\r\nConnection: close\r\n"
            f"Content-Length: {size}\r\n\r\n")
    begin = time.monotonic()
    with socket.socket(socket.AF_UNIX) as link, open(path, "rb") as file:
        link.connect(site.socket)
        link.sendall(head.encode())
        sender = threading.Thread(target=link.sendfile, args=(file,))
        sender.start()
        first = link.recv(1 << 20)
        while link.recv(1 << 20):
            pass
        sender.join()
    if b" 200 " not in first.split(b"\r\n")[0]:
        raise RuntimeError(f"the batch was answered with {first[:500]}\n{site.tail()}")
    return time.monotonic() - begin


def memory(process):
    """Resident bytes of a process: all, its own without files, and the peak of all."""
    found = {}
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "RssAnon", "VmHWM"):
            found[name] = int(rest.split()[0]) * 1024
    return found["VmRSS"], found["RssAnon"], found["VmHWM"]


def processor(process):
    """Seconds of processor that a process has used: what a busy machine does not blur."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk(path):
    """Bytes that a folder's files hold, by their length."""
    return sum(one.stat().st_size for one in pathlib.Path(path).rglob("*") if one.is_file())


def plain(site):
    """Turns all rules off: the aims of the store are about the store."""
    for plugin in site.many("plugin", "list"):
        site.client("plugin", "disable", plugin["id"])
    return site


def ruled(site):
    """The built-in rules from the start, as people have them (the tests' sites begin without)."""
    site.rules = True
    return site


def with_rules(site):
    for plugin in site.many("plugin", "list"):
        site.client("plugin", "enable", plugin["id"])
    return site


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def timed(call):
    begin = time.monotonic()
    value = call()
    return time.monotonic() - begin, value


def command_ms(site, words):
    """Milliseconds of one whole command, its start included."""
    begin = time.monotonic()
    done = subprocess.run([str(one) for one in words], env=site.environment,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = (time.monotonic() - begin) * 1000
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr.decode(errors='replace')}")
    return took
