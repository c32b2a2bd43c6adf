"""kill -9 at random times under concurrent writes, and inside start-up, a seal and a fold.

Every acknowledged operation is there after the restart, every restart can write, `verify` is clean,
no child outlives its daemon. A negative control (an older copy of the store) must lose something.
"""

import contextlib
import http.client
import json
import pathlib
import random
import threading
import time

from dutybook import LONG, ask, duty, wait_for

EACH = 10  # kills inside start-up, a seal, a fold
RANDOM = 200 - 3 * 20 if LONG else 10
TARGETED = 20 if LONG else EACH


class Writers:
    """Clients that write until the daemon is gone and remember what was acknowledged."""

    def __init__(self, site, count=4):
        self.acknowledged, self.site = [], site
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        with contextlib.suppress(OSError, http.client.HTTPException):
            with contextlib.closing(self.site.connect()) as connection:
                while True:
                    status, record = ask(connection, "POST", "/v1/spaces/-/records",
                                         duty(f"writer {number}"))
                    assert status == 201, record
                    self.acknowledged.append(record["id"])

    def join(self):
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        return self.acknowledged


def children_of(pid):
    """All processes below one."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after = entry.read_text().rpartition(")")[2].split()
            parents.setdefault(int(after[1]), []).append(int(entry.parent.name))
    found, waiting = [], [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def kill(site):
    if site.process is None:
        return
    children = children_of(site.process.pid)
    site.kill()
    wait_for(lambda: not any(alive(child) for child in children), 5,
             f"the end of the children {children}")


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def kill_in_startup(site, dice):
    """True if it was not ready yet."""
    site.kill()
    began = time.monotonic()
    site.start()
    usual = time.monotonic() - began
    site.kill()
    site.spawn()
    threading.Event().wait(dice.uniform(0.1, 1.0) * usual)
    inside = site.said.empty() and site.process.poll() is None
    kill(site)
    return inside


def kill_in_seal(site, dice):
    """True if the seal was asked for and not answered."""
    site.add_file(duty(f"{i}", note="x" * 400) for i in range(700))
    answered, asked = threading.Event(), threading.Event()

    def seal():
        with contextlib.suppress(OSError, http.client.HTTPException):
            with contextlib.closing(site.connect()) as connection:
                connection.connect()
                asked.set()
                ask(connection, "POST", "/v1/spaces/-/seal")
                answered.set()

    thread = threading.Thread(target=seal)
    thread.start()
    asked.wait(10)
    answered.wait(dice.uniform(0.001, 0.005))  # a seal takes about so long
    inside = not answered.is_set()
    kill(site)
    thread.join(10)
    return inside and not answered.is_set()


def kill_in_fold(site, other, dice):
    """True if folding had begun and was not reported as done."""
    other.add_file(duty(f"{i}") for i in range(1500))
    other.sync()
    folding, done = False, False
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(
            site.connect()) as connection:
        connection.request("POST", "/v1/spaces/-/sync", b"{}",
                           {"Accept": "application/x-ndjson", "Content-Type": "application/json"})
        answer = connection.getresponse()
        while line := answer.readline():
            progress = json.loads(line).get("progress", {})
            if progress.get("step") != "fold":
                continue
            if progress["done"] >= progress["all"]:
                done = True
            elif not folding:
                folding = True
                threading.Event().wait(dice.uniform(0, 0.03))
                kill(site)  # what it had said before is read to its end
    kill(site)
    return folding and not done


def kill_at_random(site, dice):
    threading.Event().wait(dice.uniform(0.02, 0.5))
    kill(site)
    return True


def lost(site, acknowledged):
    held = {one["id"] for one in site.many("list", "core.duty", "--limit", 0)}
    return len(set(acknowledged) - held)


def test_nothing_acknowledged_is_lost(world, pair, counted):
    north, south, _ = pair
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    print(f"seed {seed}")
    kills = {"random": 0, "start-up": 0, "seal": 0, "fold": 0}
    wanted = {"random": RANDOM, "start-up": TARGETED, "seal": TARGETED, "fold": TARGETED}
    acknowledged, tries, began = [], 0, time.monotonic()
    old_copy = None
    while any(kills[name] < wanted[name] for name in kills):
        tries += 1
        assert tries < 4 * sum(wanted.values()), f"kills miss their moment: {kills}"
        name = dice.choice([one for one in kills if kills[one] < wanted[one]])
        writers = Writers(north) if name != "start-up" else None
        inside = {"random": lambda: kill_at_random(north, dice),
                  "start-up": lambda: kill_in_startup(north, dice),
                  "seal": lambda: kill_in_seal(north, dice),
                  "fold": lambda: kill_in_fold(north, south, dice)}[name]()
        kills[name] += inside
        print(f"{time.monotonic() - began:6.1f} s  {name} {'inside' if inside else 'missed'} {kills}",
              flush=True)
        acknowledged += writers.join() if writers else []
        if tries == sum(wanted.values()) // 2:
            old_copy = world.copy(north.store, north.store.parent / "old")
        north.start()
        acknowledged.append(north.one("add", "core.duty", "title=after", "category=c",
                                      "priority=low", "state=open")["id"])
        if tries % 10 == 0:
            assert lost(north, acknowledged) == 0
            assert north.client("verify").objects[-1]["damage"] == []
    gone = lost(north, acknowledged)
    counted(f"kills {sum(kills.values())} {kills}, acknowledged {len(acknowledged)}, lost {gone}")
    assert gone == 0 and len(acknowledged) > 100
    assert north.client("verify", "--full").objects[-1]["damage"] == []
    for site in (north, south, north):
        site.sync()
    assert north.digest() == south.digest()

    north.stop()
    north.store = old_copy
    north.start()
    assert lost(north, acknowledged) > 0, "the negative control lost nothing"
