"""Every mutating system call of start-up, write, seal and sync is a place to die or to fail.

The daemon runs under strace, which kills it at the n-th call of a sort, or lets that call fail with
EIO or ENOSPC. A point is (call, n): the first thread that comes to its n-th such call is hit. After
each one a plain daemon starts on what is left, must be able to write, and must show everything that
was acknowledged. A call that failed must be told (an answer, a log line, an alarm) or done again.

    DUTYBOOK_TEST_CALLS=all   every point that a recorded run shows (over 300, about 25 minutes);
                              or a number of points; the default is a sample of 8
"""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading

import pytest
from dutybook import LONG, ask, duty, wait_for

ALL = os.environ.get("DUTYBOOK_TEST_CALLS", "all" if LONG else "8")
CALLS = ["pwrite64", "write", "fdatasync", "fsync", "rename", "link", "unlink", "unlinkat",
         "mkdir", "rmdir", "ftruncate", "fchmod", "fallocate"]
# Those whose failure may be a loss. (A file that cannot be removed, or cut, only takes room.)
FAILING = ["pwrite64", "write", "fdatasync", "fsync", "rename", "link", "mkdir"]
LINE = re.compile(r"^\d+<([^>]*)> (\w+)\((.*)$")
SKIP = None
if shutil.which("strace") is None:
    SKIP = "strace is not installed"
elif subprocess.run(["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"],
                    capture_output=True).returncode != 0:
    SKIP = "this machine does not let strace trace"
pytestmark = pytest.mark.skipif(SKIP is not None, reason=str(SKIP))


class Hit:
    """What strace saw of an injection."""

    def __init__(self, thread, call, path):
        self.thread, self.call, self.path = thread, call, path


class Traced:
    """A daemon under strace, through one day: start, writes, seal, sync, writes."""

    def __init__(self, site, call, inject=None):
        self.site, self.call = site, call
        self.trace = site.store.parent / "trace"
        self.trace.unlink(missing_ok=True)
        self.log_begins = site.log.stat().st_size if site.log.exists() else 0
        self.acknowledged, self.refused, self.alarms, self.ready = [], 0, [], False
        self.finished = False  # the day came to its end
        words = ["strace", "-f", "-qq", "-y", "-Y", "-e", "signal=none", "-o", str(self.trace),
                 "-e", f"trace={call}"]
        if not inject or "signal" not in inject:
            words += ["--seccomp-bpf"]  # much quicker, but strace 6.1 sends no signals with it
        if inject:
            words += ["-e", f"inject={call}:{inject}"]
        words += [str(site.programs / "dutybookd"), "--store", str(site.store), "--http", "off"]
        with open(site.log, "ab") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log,
                                            env=site.environment, start_new_session=True)
        self.timer = threading.Timer(60, self.kill)
        self.timer.start()

    def day(self):
        self.ready = self.process.stdout.readline().startswith(b"ready")
        if not self.ready:
            return self
        with contextlib.suppress(OSError, http.client.HTTPException):
            with contextlib.closing(self.site.connect()) as connection:
                for step in ("write", "write", "seal", "write", "sync", "write", "seal", "sync",
                             "write", "write", "write", "seal", "sync", "write"):
                    self.do(connection, step)
                status, answer = ask(connection, "GET", "/v1/status")
                if status == 200:
                    self.alarms = answer["spaces"][0]["alarms"]
                self.finished = True
        return self

    def do(self, connection, step):
        if step == "write":
            status, answer = ask(connection, "POST", "/v1/spaces/-/records", duty("traced"))
            if status == 201:
                self.acknowledged.append(answer["id"])
        elif step == "seal":
            status, answer = ask(connection, "POST", "/v1/spaces/-/seal")
        else:
            status, answer = ask(connection, "POST", "/v1/spaces/-/sync", {})
            self.refused += status == 200 and not all(one["ok"] for one in answer["items"])
        self.refused += status >= 400

    def kill(self):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.site.store / "lock").read_text()), signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        """Kills what still runs, as a power button would."""
        self.timer.cancel()
        self.kill()
        self.process.wait(20)
        self.process.stdout.close()
        return self

    def lines(self):
        for line in self.trace.read_text(errors="replace").splitlines():
            match = LINE.match(line)
            if match:
                yield match[1], match[2], match[3]

    def hit(self):
        """The call that was made to fail, if it was one on the store's files."""
        for thread, call, rest in self.lines():
            if "(INJECTED)" in rest and str(self.site.store) in rest:
                path = re.search(re.escape(str(self.site.store)) + r"/?([^>\"]*)", rest)
                return Hit(thread, call, path[1])
        return None

    def told(self):
        said = self.site.log.read_bytes()[self.log_begins:].decode(errors="replace")
        loud = re.search(r'"level":"(warning|error)"', said) or "dutybookd:" in said
        return bool(self.refused or self.alarms or loud or not self.ready)

    def done_again(self, hit):
        """The same sort of call on the same sort of file went well afterwards."""
        after, folder = False, os.path.dirname(hit.path)
        for thread, call, rest in self.lines():
            if "(INJECTED)" in rest:
                after = True
            elif after and call == hit.call and folder in rest and "= -1" not in rest:
                return True
        return False


def points_of(site):
    """{call: how many of them one thread of the daemon makes at most}, and the recorded distinct
    calls on the store's files."""
    traced = Traced(site, ",".join(CALLS)).day().end()
    counts, distinct = collections.Counter(), set()
    for thread, call, rest in traced.lines():
        counts[thread, call] += 1
        if str(site.store) in rest:
            distinct.add((thread, call, counts[thread, call]))
    most = {call: max((count for (thread, name), count in counts.items()
                       if name == call and not thread.startswith(("git", "dutybook-superv"))),
                      default=0) for call in CALLS}
    return most, distinct


def choose(points, wanted):
    """All, or a sample in which each call has its share."""
    if wanted == "all":
        return points
    dice = random.Random(7)
    by_call = collections.defaultdict(list)
    for point in points:
        by_call[point[0]].append(point)
    for group in by_call.values():
        dice.shuffle(group)
    chosen = []
    while len(chosen) < int(wanted) and any(by_call.values()):
        for group in by_call.values():
            if group and len(chosen) < int(wanted):
                chosen.append(group.pop())
    return chosen


class Ledger:
    """What was acknowledged, and what the restarts after each point showed."""

    def __init__(self, site):
        self.site, self.acknowledged, self.lost, self.mute = site, [], 0, []

    def restart(self, what):
        try:
            self.site.start()
            self.acknowledged.append(self.site.add_file([duty(f"after {what}")])[0]["id"])
        except AssertionError as why:
            self.mute.append(f"{what}: {why}")
            self.site.kill()
            return
        held = {one["id"] for one in self.site.many("list", "core.duty", "--limit", 0)}
        self.lost = len(set(self.acknowledged) - held)
        self.site.kill()


@pytest.fixture
def north(world):
    site = world.site("North").start()
    hub = world.bare("hub")
    site.client("remote", "add", "hub", hub)
    site.add_file([duty("first")])
    site.sync()
    site.kill()
    return site


def test_killed_at_mutating_calls(world, north):
    most, distinct = points_of(north)
    points = [(call, n) for call in CALLS for n in range(1, most[call] + 1)]
    print(f"recorded: {len(distinct)} distinct calls on the store's files; {len(points)} points, "
          f"{most}")
    ledger, fired, in_recovery = Ledger(north), 0, 0
    old_copy = None
    chosen = choose(points, ALL)
    for number, (call, n) in enumerate(chosen):
        traced = Traced(north, call, f"signal=KILL:when={n}").day()
        traced.end()
        died = not traced.finished
        fired += died
        in_recovery += died and not traced.ready
        ledger.acknowledged += traced.acknowledged
        ledger.restart(f"{call} {n}")
        if number == len(chosen) // 2:
            old_copy = world.copy(north.store, north.store.parent / "old")
        if number % 20 == 0:
            print(f"{number}: {call} {n} {'died' if died else 'missed'} "
                  f"{'inside recovery' if died and not traced.ready else ''} lost {ledger.lost}",
                  flush=True)
    print(f"kills {fired} of {len(chosen)} points, acknowledged {len(ledger.acknowledged)}, "
          f"acknowledged lost {ledger.lost}, restarts that could not write {len(ledger.mute)}, "
          f"crashes inside recovery {in_recovery}")
    assert ledger.lost == 0 and ledger.mute == []
    assert fired >= 0.6 * len(chosen) and in_recovery > 0
    if ALL == "all":
        assert fired >= 300, "fewer than 300 points were hit"
    north.start()
    assert north.client("verify", "--full", expect=(0, 6)).objects[-1]["ok"]
    assert north.sync()[0]["ok"]
    north.kill()

    shutil.rmtree(north.store)  # negative control: what an older copy lacks must be missed
    world.copy(old_copy, north.store)
    ledger.restart("the negative control")
    assert ledger.lost > 0, "the negative control lost nothing"


def test_failing_mutating_calls_are_told(world, north):
    most, _ = points_of(north)
    points = [(call, n, error) for call in FAILING for n in range(1, most[call] + 1)
              for error in ("EIO", "ENOSPC") if not (call == "fsync" and error == "ENOSPC")]
    ledger, hits, swallowed, unheard = Ledger(north), 0, [], 0
    chosen = choose(points, ALL)
    for number, (call, n, error) in enumerate(chosen):
        traced = Traced(north, call, f"error={error}:when={n}").day()
        traced.end()
        hit = traced.hit()
        ledger.acknowledged += traced.acknowledged
        ledger.restart(f"{call} {n} {error}")
        if number % 20 == 0:
            print(f"{number}: {call} {n} {error} lost {ledger.lost}", flush=True)
        if hit is None:
            continue
        hits += 1
        if not traced.told() and not traced.done_again(hit) and matters(hit):
            swallowed.append(f"{call} {n} {error} by {hit.thread} on {hit.path}")
    print(f"failed calls {hits} of {len(chosen)} points, acknowledged {len(ledger.acknowledged)}, "
          f"acknowledged lost {ledger.lost}, swallowed errors {len(swallowed)}, "
          f"restarts that could not write {len(ledger.mute)}")
    assert swallowed == [] and ledger.lost == 0 and ledger.mute == []
    assert hits >= 0.3 * len(chosen)
    north.start()
    assert north.client("verify", "--full", expect=(0, 6)).objects[-1]["ok"]


def matters(hit):
    """Not what is made again at every start, nor a child's own scratch files."""
    name = pathlib.PurePath(hit.path).name
    return not (name.startswith(("index.db", "lock", "reserve")) or "quarantine" in hit.path
                or name.startswith("dutybook.sock"))
