"""A stick carries everybody's records to a site that has no other contact, and on to a hub."""

import os
import shutil
import subprocess
import time

import pytest
from dutybook import duty


def relay(world, carry):
    """North -> stick -> South -> hub -> West. `carry(path)` brings the stick to South."""
    north = world.site("North").start()
    stick = carry(None)
    north.client("remote", "add", "stick", stick / "dutybook.git", "--create")
    south = world.invited(north, "South").start()
    north.add_file(duty(f"north {i}") for i in range(50))
    north.sync()

    there = carry(stick)
    south.client("remote", "set", "stick", "--url", there / "dutybook.git")
    south.add_file(duty(f"south {i}") for i in range(5))
    south.sync()
    hub = world.bare("hub")
    south.client("remote", "remove", "stick")
    south.client("remote", "add", "hub", hub)
    south.sync()
    west = world.invited(north, "West").start()  # North holds the pen; West never meets its stick
    west.client("remote", "remove", "stick")
    west.client("remote", "add", "hub", hub)
    west.sync()
    held = {one["fields"]["title"] for one in west.many("list", "core.duty", "--limit", 0)}
    assert {f"north {i}" for i in range(50)} <= held
    assert west.digest() == south.digest()
    return there


def test_a_directory_is_carried(world):
    def carry(stick):
        if stick is None:
            made = world.directory / "stick-at-north"
            made.mkdir()
            return made
        there = world.directory / "stick-at-south"
        os.rename(stick, there)
        return there

    relay(world, carry)


@pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED: chown needs root")
def test_the_repository_belongs_to_somebody_else(world):
    def carry(stick):
        if stick is None:
            made = world.directory / "stick"
            made.mkdir()
            return made
        subprocess.run(["chown", "-R", "65534:65534", str(stick)], check=True)
        return stick

    there = relay(world, carry)
    assert os.stat(there / "dutybook.git").st_uid == 65534


def test_a_vfat_stick(world):
    if os.geteuid() != 0 or shutil.which("mkfs.vfat") is None:
        pytest.skip("SKIPPED: a vfat image needs root and mkfs.vfat")
    image, mount = world.directory / "stick.img", world.directory / "mnt"
    mount.mkdir()
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    made = subprocess.run(["mkfs.vfat", str(image)], capture_output=True)
    mounted = made.returncode == 0 and subprocess.run(
        ["mount", "-o", "loop", str(image), str(mount)], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("SKIPPED: this machine cannot mount a vfat image")
    try:
        def carry(stick):
            if stick is not None:  # unplugged and plugged in again
                subprocess.run(["umount", str(mount)], check=True)
                subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
            return mount

        relay(world, carry)
    finally:
        subprocess.run(["umount", str(mount)])


def test_locks_of_a_stick_that_was_pulled_out(world):
    """git leaves them behind; one of an hour ago is nobody's any more."""
    north = world.site("North").start()
    stick = world.bare("stick")
    north.client("remote", "add", "stick", stick)
    north.add_file([duty("before")])
    north.sync()
    control = stick / "refs/heads/control"
    locks = [log.with_name(log.name + ".lock") for log in (stick / "refs/heads/log").rglob("0*")]
    locks += [control.with_name("control.lock"), stick / "HEAD.lock", stick / "packed-refs.lock"]
    for lock in locks:
        lock.write_text("")
    north.add_file([duty("after it was pulled out")])
    error = north.client("sync", expect=1).one["error"]
    assert "lock" in error and "removed after an hour" in error, error
    for lock in locks:
        os.utime(lock, (time.time() - 3700, time.time() - 3700))
    north.sync()
    assert not any(lock.exists() for lock in locks)
    assert north.status()["remotes"][0]["undelivered"] == 0


def test_a_torn_object_on_a_stick(world):
    """Whoever needs it finds it; whoever has everything puts it there again."""
    north = world.site("North").start()
    stick = world.bare("stick")
    north.client("remote", "add", "stick", stick)
    for day in range(3):
        north.add_file(duty(f"{day} {i}") for i in range(5))
        north.sync()
    blobs = [line.split()[0] for line in world.git(
        "-C", stick, "cat-file", "--batch-all-objects", "--batch-check").splitlines()
             if " blob " in line]
    for blob in blobs:
        path = stick / "objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:60])
    south = world.invited(north, "South").start()
    failed = south.client("sync", expect=1).one
    assert "damaged" in failed["error"], failed
    for site in (north, south):
        site.sync()
    assert south.digest() == north.digest() and south.status()["records"] == 15
