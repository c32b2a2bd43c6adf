"""Every mutating system call of start-up, write, seal and sync is a place to die or to fail.

The daemon runs under strace, which kills it at the n-th call of a sort, or lets that call fail with
EIO or ENOSPC. A point is (call, n): the first thread that comes to its n-th such call is hit. After
each one a plain daemon starts on what is left, must be able to write, and must show everything that
was acknowledged. A call that failed must be told (an answer, a log line, an alarm) or done again.

    DUTYBOOK_TEST_CALLS=all   every point that a recorded run shows (over 300 of each test);
                              or a number of points; the default is a sample of 8
    DUTYBOOK_TEST_LANES=N     so many stores side by side (all: two for each processor)
"""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from dutybook import LONG, ask, duty, wait_for

ALL = os.environ.get("DUTYBOOK_TEST_CALLS", "all" if LONG else "8")
LANES = int(os.environ.get("DUTYBOOK_TEST_LANES", 2 * (os.cpu_count() or 1) if ALL == "all" else 1))
DAY = 300  # seconds after which a day is taken to hang; strace makes it ten times as long as it is
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
        self.timer = threading.Timer(DAY, self.kill)
        self.timer.start()

    def becomes_ready(self):
        """By the line that it writes; by its log where that very line is made to fail."""
        while not select.select([self.process.stdout], [], [], 0.05)[0]:
            if b'"what":"ready"' in self.site.log.read_bytes()[self.log_begins:]:
                return True
        return self.process.stdout.readline().startswith(b"ready")

    def day(self):
        self.ready = self.becomes_ready()
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
    assert traced.finished, f"the recorded day did not come to its end\n{site.tail()}"
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
        self.site, self.acknowledged, self.seen, self.lost, self.mute = site, [], 0, 0, []

    def restart(self, what):
        """A plain daemon on what is left: it must write, and show what is new in the ledger."""
        try:
            self.site.start()
            with contextlib.closing(self.site.connect()) as connection:
                status, answer = ask(connection, "POST", "/v1/spaces/-/records",
                                     duty(f"after {what}"))
                assert status == 201, answer
                self.acknowledged.append(answer["id"])
                for record in self.acknowledged[self.seen:]:
                    self.lost += ask(connection, "GET", f"/v1/spaces/-/records/{record}")[0] != 200
                self.seen = len(self.acknowledged)
        except (AssertionError, OSError, http.client.HTTPException) as why:
            self.mute.append(f"{what}: {why}")
        self.site.kill()

    def lost_of_all(self):
        """Of everything that was ever acknowledged."""
        self.site.start()
        held = {one["id"] for one in self.site.many("list", "core.duty", "--limit", 0)}
        return len(set(self.acknowledged) - held)


class Lane:
    """One store that goes through its share of the points, one after the other."""

    def __init__(self, world, number):
        self.world, self.number = world, number
        self.site = world.site(f"North{number}").start()
        self.site.client("remote", "add", "hub", world.bare(f"hub{number}"))
        self.site.add_file([duty("first")])
        self.site.sync()
        self.site.kill()
        self.ledger = Ledger(self.site)
        self.old_copy = None

    def run(self, call, n, inject, what):
        traced = Traced(self.site, call, f"{inject}:when={n}").day().end()
        self.ledger.acknowledged += traced.acknowledged
        self.ledger.restart(what)
        return traced

    def keep_copy(self):
        self.old_copy = self.world.copy(self.site.store, self.site.store.parent / "old")

    def in_order(self):
        """In the end everything is there, can be read, and goes to the remote."""
        self.ledger.lost = max(self.ledger.lost, self.ledger.lost_of_all())
        assert self.site.client("verify", "--full", expect=(0, 6)).objects[-1]["ok"]
        assert self.site.sync()[0]["ok"]
        self.site.kill()

    def lost_by_going_back(self):
        """The negative control: what an older copy of the store lacks must be missed."""
        shutil.rmtree(self.site.store)
        self.world.copy(self.old_copy, self.site.store)
        return self.ledger.lost_of_all()


def through_lanes(world, points, visit):
    """visit(lane, number, point) for every point; returns the lanes and what it gave."""
    with ThreadPoolExecutor(LANES) as pool:
        lanes = list(pool.map(lambda number: Lane(world, number), range(min(LANES, len(points)))))

        def drive(lane):
            share = points[lane.number::len(lanes)]
            given = []
            for number, point in enumerate(share):
                given.append(visit(lane, number, point))
                if number == len(share) // 2:
                    lane.keep_copy()
                if number % 20 == 0:
                    print(f"lane {lane.number}: {number} of {len(share)}, {point}, lost "
                          f"{lane.ledger.lost}", flush=True)
            return given

        return lanes, [one for given in pool.map(drive, lanes) for one in given]


def sums(lanes):
    return (sum(len(one.ledger.acknowledged) for one in lanes),
            sum(one.ledger.lost for one in lanes),
            [what for one in lanes for what in one.ledger.mute])


@pytest.fixture
def recorded(world):
    """{call: points}, as a day without harm shows them, and how many touch the store's files."""
    most, distinct = points_of(Lane(world, "R").site)
    print(f"recorded: {len(distinct)} distinct calls on the store's files; {most}")
    return most


def test_killed_at_mutating_calls(world, recorded, counted):
    chosen = choose([(call, n) for call in CALLS for n in range(1, recorded[call] + 1)], ALL)

    def visit(lane, number, point):
        call, n = point
        traced = lane.run(call, n, "signal=KILL", f"{call} {n}")
        died = not traced.finished
        return died, died and not traced.ready

    lanes, kills = through_lanes(world, chosen, visit)
    fired, in_recovery = (sum(column) for column in zip(*kills))
    for lane in lanes:
        lane.in_order()
    acknowledged, lost, mute = sums(lanes)
    control = sum(lane.lost_by_going_back() for lane in lanes)
    counted(f"kills {fired} at {len(chosen)} distinct points, {in_recovery} of them inside recovery, "
            f"acknowledged {acknowledged}, lost {lost}, restarts that could not write {len(mute)}; "
            f"control lost {control}")
    assert lost == 0 and mute == []
    assert fired >= 0.6 * len(chosen) and in_recovery > 0
    assert control > 0, "the negative control lost nothing"
    if ALL == "all":
        assert fired >= 300, "fewer than 300 points were hit"


def test_failing_mutating_calls_are_told(world, recorded, counted):
    # Each call once, with the one error and the other by turns.
    chosen = choose([(call, n, "ENOSPC" if n % 2 == 0 and call != "fsync" else "EIO")
                     for call in FAILING for n in range(1, recorded[call] + 1)], ALL)

    def visit(lane, number, point):
        call, n, error = point
        traced = lane.run(call, n, f"error={error}", f"{call} {n} {error}")
        hit = traced.hit()
        if hit is None:
            return None, None
        untold = not traced.told() and not traced.done_again(hit) and matters(hit)
        return (call, n), f"{call} {n} {error} by {hit.thread} on {hit.path}" if untold else None

    lanes, found = through_lanes(world, chosen, visit)
    hits = [at for at, _ in found if at]
    swallowed = [what for _, what in found if what]
    for lane in lanes:
        lane.in_order()
    acknowledged, lost, mute = sums(lanes)
    counted(f"failed calls {len(hits)} at {len(set(hits))} distinct points, acknowledged "
            f"{acknowledged}, lost {lost}, swallowed {len(swallowed)}, restarts that could not "
            f"write {len(mute)}")
    assert swallowed == [] and lost == 0 and mute == []
    assert len(hits) >= 0.3 * len(chosen)
    if ALL == "all":
        assert len(hits) >= 300, "fewer than 300 calls failed"


def matters(hit):
    """Not what is made again at every start, nor a child's own scratch files."""
    name = pathlib.PurePath(hit.path).name
    return not (name.startswith(("index.db", "lock", "reserve")) or "quarantine" in hit.path
                or name.startswith("dutybook.sock"))
