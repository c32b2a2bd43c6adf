"""A full disk and one that refuses: writes are answered with what to do, reads, status and stop go
on, a full one recovers by itself, and nothing acknowledged is lost."""

import contextlib
import os
import random
import subprocess

import pytest
from dutybook import ROOT, duty, wait_for


@pytest.fixture(scope="session")
def refusing(tmp_path_factory):
    """The library that makes a disk refuse (tests/support/refusing_disk.c)."""
    library = tmp_path_factory.mktemp("refuse") / "refusing_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                    ROOT / "tests/support/refusing_disk.c", "-ldl"], check=True)
    return library


class Disk:
    """Of one site: refuses what `fail` says until `heal`."""

    def __init__(self, site, library):
        self.control = site.store.parent / "control"
        site.environment |= {"LD_PRELOAD": str(library), "REFUSE_BELOW": str(site.store),
                             "REFUSE_CONTROL": str(self.control)}

    def fail(self, what):
        self.control.write_text(what)

    def heal(self):
        self.control.unlink(missing_ok=True)


def kinds_of_alarms(site):
    return {one["kind"] for one in site.status()["alarms"]}


def titles(site):
    return {one["fields"]["title"] for one in site.many("list", "core.duty", "--limit", 0)}


@pytest.mark.parametrize("what", ["ENOSPC write", "ENOSPC write journal.db"])
def test_a_full_disk_refuses_writes_and_recovers_by_itself(world, refusing, what):
    north = world.site("North")
    disk = Disk(north, refusing)
    north.start()
    north.add_file(duty(f"before {i}") for i in range(10))
    assert (north.store / "reserve").stat().st_blocks * 512 >= 8 << 20
    assert len(titles(north)) == 10  # the index has them
    disk.fail(what)
    status, problem = north.request("POST", "/v1/spaces/-/records", duty("refused"))
    assert (status, problem["code"]) == (507, "full") and "room" in problem["fix"], problem
    assert north.client("add", "core.duty", "title=refused", "category=c", "priority=low",
                        "state=open", expect=1).problem["status"] == 507
    wait_for(lambda: "disk-full" in kinds_of_alarms(north))
    north.client("status", "--check", expect=1)
    assert len(titles(north)) == 10
    disk.heal()
    written = wait_for(lambda: north.request("POST", "/v1/spaces/-/records",
                                             duty("after"))[0] == 201)
    assert written
    wait_for(lambda: "disk-full" not in kinds_of_alarms(north))
    assert titles(north) == {*(f"before {i}" for i in range(10)), "after"}
    assert (north.store / "reserve").exists(), "the reserve is made again"
    assert north.stop() == 0
    north.start()
    assert "after" in titles(north)
    assert north.client("verify", "--full").objects[-1]["damage"] == []


def test_what_is_acknowledged_while_the_index_finds_no_room_is_shown_later(world, refusing):
    north = world.site("North")
    disk = Disk(north, refusing)
    north.start()
    disk.fail("ENOSPC write index.db")
    kept = []

    def refused():
        status, answer = north.request("POST", "/v1/spaces/-/records", duty(f"kept {len(kept)}"))
        if status == 201:
            kept.append(f"kept {len(kept)}")
        return status != 201 and (status, answer)

    status, problem = wait_for(refused)  # the index follows what is written
    assert (status, problem["code"]) == (507, "full") and "room" in problem["fix"], problem
    assert kept and "index-behind" in kinds_of_alarms(north)
    disk.heal()
    assert north.request("POST", "/v1/spaces/-/records", duty("after"))[0] == 201
    assert titles(north) == {*kept, "after"}
    assert "index-behind" not in kinds_of_alarms(north)


def test_a_volume_that_cannot_be_written_is_told(world):
    north = world._site("North", "school")
    with small_volume(north.store.parent, "48m"):
        north.client("init", "--site", "North", "--tz", "UTC")
        north.log = world.directory / "North.log"
        remount = ["mount", "-o", "remount,ro", north.store.parent]
        north.turn_rules_off()
        subprocess.run(remount, check=True)
        with pytest.raises(AssertionError, match="Read-only file system; .*mount its volume"):
            north.start()


def test_a_stop_while_the_disk_is_full_is_clean(world, refusing):
    north = world.site("North")
    disk = Disk(north, refusing)
    north.start()
    north.add_file([duty("kept")])
    disk.fail("ENOSPC write")
    assert north.request("POST", "/v1/spaces/-/records", duty("refused"))[0] == 507
    assert north.stop() == 0
    disk.heal()
    north.start()
    assert titles(north) == {"kept"}
    north.add_file([duty("again")])


@pytest.mark.parametrize("what", ["EIO fsync journal.db", "EIO write journal.db", "EIO fsync",
                                  "ENOSPC fsync journal.db"])
def test_a_disk_that_refuses_stops_the_writer_and_says_so(world, refusing, what):
    north = world.site("North")
    disk = Disk(north, refusing)
    north.start()
    north.add_file(duty(f"before {i}") for i in range(10))
    disk.fail(what)
    status, problem = north.request("POST", "/v1/spaces/-/records", duty("refused"))
    assert status == 500 and problem["code"] == "io" and "restart" in problem["fix"], problem
    disk.heal()  # asking again may be answered well although pages are gone
    assert north.request("POST", "/v1/spaces/-/records", duty("refused too"))[0] == 500
    assert "disk-error" in kinds_of_alarms(north)
    north.client("status", "--check", expect=1)
    assert len(titles(north)) == 10, "reads go on"
    assert north.stop() == 0
    north.start()
    north.add_file([duty("after")])
    assert "disk-error" not in kinds_of_alarms(north)
    assert titles(north) == {*(f"before {i}" for i in range(10)), "after"}


@contextlib.contextmanager
def small_volume(path, size):
    path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                          capture_output=True)
    if done.returncode != 0:
        pytest.skip("SKIPPED: mounting a small volume needs root")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path])


def test_a_remote_whose_disk_is_full(world):
    """It is told, not tried again at once, and goes on when there is room."""
    north = world.site("North").start()
    with small_volume(world.directory / "stick", "600k") as stick:
        north.client("remote", "add", "stick", stick / "s.git", "--create")
        north.sync()
        noise = random.Random(2)
        north.add_file(duty(f"{i}", goal=noise.randbytes(1500).hex()) for i in range(500))
        failed = north.client("sync", expect=1).one
        assert "the disk there is full" in failed["error"] and "make room" in failed["error"]
        assert failed["bytes_out"] < 2_000_000, "sent once"
        assert north.status()["remotes"][0]["undelivered"] > 0
        fill(stick / "filler")
        told = north.client("remote", "check", "stick", expect=1).one["lines"][-1]
        assert "full" in told and "make room" in told
        (stick / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", stick], check=True)
        north.sync()
        assert north.status()["remotes"][0]["undelivered"] == 0


def fill(path):
    """Every last byte."""
    with open(path, "ab") as file, contextlib.suppress(OSError):
        block = bytes(1 << 16)
        while True:
            os.write(file.fileno(), block[:])
    with open(path, "ab") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), b"x")


def test_a_volume_that_is_really_full(world):
    north = world._site("North", "school")
    with small_volume(north.store.parent, "48m"):
        north.client("init", "--site", "North", "--tz", "UTC")
        north.start()
        acknowledged = [one["id"] for one in north.add_file(duty(f"{i}") for i in range(50))]
        filler = north.store.parent / "filler"

        def refused():
            for _ in range(5):
                status, answer = north.request("POST", "/v1/spaces/-/records", duty("full"))
                assert status == 507, answer
            held = {one["id"] for one in north.many("list", "core.duty", "--limit", 0)}
            assert held == set(acknowledged)

        def recovers():
            filler.unlink()
            wait_for(lambda: north.request("POST", "/v1/spaces/-/records", duty("room"))[0] == 201)
            acknowledged[:] = [one["id"] for one in
                               north.many("list", "core.duty", "--limit", 0)]
            wait_for(lambda: "disk-full" not in kinds_of_alarms(north))

        fill(filler)
        wait_for(lambda: "disk-full" in kinds_of_alarms(north))
        refused()
        assert north.stop() == 0
        north.start()  # in the room that was given back
        assert north.status()["records"] == len(acknowledged)
        recovers()

        fill(filler)
        wait_for(lambda: "disk-full" in kinds_of_alarms(north))
        fill(filler)  # somebody takes what was given back, too
        refused()
        assert north.stop() == 0
        north.spawn()  # it starts, or says what to do
        if north.said.get(timeout=30) is None:
            assert north.process.wait(30) != 0
            assert "the disk is full; " in north.log.read_text().splitlines()[-1]
        north.kill()
        filler.unlink()
        north.start()
        filler.touch()
        recovers()
        assert north.client("verify", "--full").objects[-1]["damage"] == []
        north.kill()
