"""A stick carries everybody's records to a site that has no other contact, and on to a hub."""

import os
import shutil
import subprocess

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
