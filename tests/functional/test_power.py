"""Power loss: what was acknowledged is on the disk at that very moment.

The store lies on ext4 on a loop device. Under concurrent writes the daemon is stopped in its tracks
and the device's image is copied: it holds what the kernel had been made to write, and nothing of
what only lay in memory. A daemon on the copy must show everything that was acknowledged. The control
is a daemon whose fsync does nothing: it must lose something.

    DUTYBOOK_TEST_POWER=20   so many losses (about 4 s each); the default is 2
"""

import contextlib
import http.client
import os
import random
import shutil
import signal
import subprocess
import threading

import pytest
from dutybook import LONG, ROOT, ask, duty, wait_for

RUNS = int(os.environ.get("DUTYBOOK_TEST_POWER", "20" if LONG else "2"))


def command(*words):
    done = subprocess.run([str(one) for one in words], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


class Volume:
    """An ext4 file system in a file."""

    def __init__(self, image, place):
        self.image, self.place = image, place
        place.mkdir(parents=True, exist_ok=True)

    def make(self):
        with open(self.image, "wb") as file:
            file.truncate(96 << 20)
        return command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", self.image)

    def mount(self):
        return command("mount", "-o", "loop", self.image, self.place)

    def unmount(self):
        command("umount", "-l", self.place)


@pytest.fixture
def volumes(tmp_path):
    disk = Volume(tmp_path / "disk.img", tmp_path / "disk")
    copy = Volume(tmp_path / "copy.img", tmp_path / "copy")
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("SKIPPED: loop devices need root and mkfs.ext4")
    for made, said in (disk.make(), disk.mount()):
        if not made:
            pytest.skip(f"SKIPPED: no loop device here: {said}")
    yield disk, copy
    for volume in (disk, copy):
        volume.unmount()


def write_until_it_stops(site, number, acknowledged):
    with contextlib.suppress(OSError, http.client.HTTPException):
        with contextlib.closing(site.connect()) as connection:
            connection.timeout = 5
            while True:
                status, answer = ask(connection, "POST", "/v1/spaces/-/records",
                                     duty(f"writer {number}"))
                if status == 201:
                    acknowledged.append(answer["id"])


def lose_power(world, site, volumes, dice):
    """How many acknowledged records the disk does not hold, and how many were acknowledged."""
    disk, copy = volumes
    site.start()
    acknowledged = []
    threads = [threading.Thread(target=write_until_it_stops, args=(site, i, acknowledged))
               for i in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) > 20)
    if dice.random() < 0.5:
        site.request("POST", "/v1/spaces/-/seal")
    threading.Event().wait(dice.uniform(0, 0.4))
    before = list(acknowledged)
    site.process.send_signal(signal.SIGSTOP)
    shutil.copyfile(disk.image, copy.image)
    site.kill()
    for thread in threads:
        thread.join(30)
    mounted, said = copy.mount()
    assert mounted, said
    try:
        after = world._site("After", site.space)
        after.store = copy.place / "store"
        after.start()
        held = {one["id"] for one in after.many("list", "core.duty", "--limit", 0)}
        after.add_file([duty("the power is back")])
        damage = after.client("verify", "--full", expect=None).objects[-1]["damage"]
        after.kill()
    except AssertionError as why:  # a store that lost what it stands on loses everything
        print(why)
        held, damage = set(), ["it does not start"]
    finally:
        site.kill()
        copy.unmount()
    return len(set(before) - held), len(before), [one for one in damage
                                                  if isinstance(one, str) or not one["healed"]]


def test_power_loss(world, volumes, tmp_path, counted):
    disk, _ = volumes
    north = world._site("North", "school")
    north.store = disk.place / "store"
    north.client("init", "--site", "North", "--tz", "UTC")
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    lost = total = 0
    for _ in range(RUNS):
        gone, count, damage = lose_power(world, north, volumes, dice)
        lost, total = lost + gone, total + count
        assert damage == []
    print(f"seed {seed}")
    assert lost == 0, f"of {total} acknowledged {lost} are lost"

    library = tmp_path / "refusing_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                    ROOT / "tests/support/refusing_disk.c", "-ldl"], check=True)
    control = tmp_path / "control"
    control.write_text("LIE fsync")
    north.environment |= {"LD_PRELOAD": str(library), "REFUSE_BELOW": str(north.store),
                          "REFUSE_CONTROL": str(control)}
    control_lost = 0
    for _ in range(3):
        control_lost += lose_power(world, north, volumes, dice)[0]
        if control_lost:
            break
    counted(f"power lost {RUNS} times, acknowledged {total}, lost {lost}; control (fsync does "
            f"nothing) lost {control_lost}")
    assert control_lost > 0, "the negative control lost nothing"
