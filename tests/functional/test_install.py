"""`cmake --install` puts everything into place, and what is installed runs without the checkout."""

import os
import shutil
import subprocess

import pytest
from dutybook import BIN, duty, wait_for


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    place = tmp_path_factory.mktemp("install") / "usr"
    done = subprocess.run(["cmake", "--install", BIN.parent, "--prefix", place], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_the_installed_programs_find_their_files(world, prefix):
    site = world._site("North", "school")
    site.programs = prefix / "bin"
    site.rules = True
    site.client("init", "--site", "North", "--tz", "Europe/Berlin", space="school")
    site.start()
    try:
        assert site.add_file([duty("installed")])[0]["fields"]["title"] == "installed"
        kinds = {one["kind"] for one in site.many("kind", "list")}
        assert {"core.duty", "education.behavior_observation",
                "medical.medication_administration"} <= kinds
        shipped = dict.fromkeys(["core", "education", "medical", "legal", "roster"], "running")
        wait_for(lambda: shipped == {one["id"]: one["state"]
                                     for one in site.one("status")["plugins"]},
                 what="every plugin that ships, running")
        site.client("plugin", "new", world.directory / "mine", "--runtime", "native")
        hub = world.bare("hub")
        site.client("remote", "add", "hub", hub)
        assert site.sync()[0]["ok"]  # the supervisor of git children is found too
        assert os.readlink(f"/proc/{site.process.pid}/exe") == str(prefix / "bin/dutybookd")
    finally:
        site.stop()


def test_the_unit_names_the_prefix_and_is_sound(prefix):
    unit = prefix / "lib/systemd/system/dutybookd.service"
    text = unit.read_text()
    assert f"ExecStart={prefix}/bin/dutybookd " in text
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=",
                 "UMask=0077", "SystemCallFilter=@system-service"):
        assert line in text
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", unit], text=True, capture_output=True)
        complaints = [line for line in done.stderr.splitlines() if "dutybookd.service" in line]
        assert not [one for one in complaints if "User" not in one], done.stderr


def test_the_header_for_native_plugins_compiles_alone(prefix, tmp_path):
    source = tmp_path / "plugin.c"
    source.write_text("#include <dutybook_plugin.h>\nint one = 1;\n")
    subprocess.run(["cc", "-std=c99", "-I", prefix / "include", "-c", source, "-o",
                    tmp_path / "plugin.o"], check=True)
