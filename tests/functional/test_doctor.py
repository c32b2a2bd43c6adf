"""doctor: every check can fail, says what to do, and changes nothing."""

import json
import os
import shutil
import time

from dutybook import ROOT, duty


def lines(site, expect=(0, 7)):
    ran = site.client("doctor", expect=expect)
    schema = json.loads((ROOT / "schemas/doctor.schema.json").read_text())
    for line in ran.objects:
        assert set(line) == set(schema["required"])
        assert line["level"] in schema["properties"]["level"]["enum"]
        assert line["what"] and (line["fix"] or line["level"] == "ok" or "tell" in line["what"])
    return ran


def found(site, check, level):
    return [one for one in lines(site).objects
            if one["check"].startswith(check) and one["level"] == level]


def state_of(store):
    return {path: (path.stat().st_mtime_ns, path.stat().st_mode) for path in store.rglob("*")
            if path.is_file() and not path.name.endswith("-shm")}


def test_a_sound_store_passes_with_and_without_its_daemon(pair):
    north, south, _ = pair
    north.add_file([duty("one")])
    for site in (north, south, north):
        site.sync()
    began = time.monotonic()
    ran = lines(north, 0)
    assert time.monotonic() - began < 10
    checks = {one["check"] for one in ran.objects}
    assert {"store", "permissions", "keys", "locks", "file system", "disk encryption",
            "free space", "clock", "clock against peers", "versions", "sandbox", "remote hub",
            "alarms"} <= checks
    north.stop()
    before = state_of(north.store)
    ran = lines(north, 0)
    assert state_of(north.store) == before, "doctor changed the store"
    assert {"store", "keys", "remote hub"} <= {one["check"] for one in ran.objects}
    assert found(north, "daemon", "warn")


def test_a_single_administrator_is_told(world):
    north = world._site("North", "school")
    made = north.client("init", "--site", "North", "--tz", "UTC")
    assert "only one administrator" in made.err
    for running in (False, True):
        if running:
            north.start()
        told, = found(north, "administrators", "warn")
        assert "school" in told["what"] and "--role admin" in told["fix"]
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    file = world.directory / "deputy.invite"
    north.client("invite", "Deputy", "--role", "admin", "--out", file)
    assert found(north, "administrators", "warn"), "an invitation is no administrator yet"
    deputy = world._site("Deputy", "")
    deputy.client("join", file)
    deputy.space = "school"
    deputy.start()
    for site in (deputy, north):
        site.sync()
    for site in (deputy, north):
        assert found(site, "administrators", "ok") and not found(site, "administrators", "warn")


BREAK = {
    "keys readable by others": (lambda site: os.chmod(site.store / "keys/sign.key", 0o644),
                                "permissions"),
    "the store open": (lambda site: os.chmod(site.store, 0o755), "permissions"),
    "another site's key": (lambda site: (site.store / "keys/sign.key").write_text("ab" * 64),
                           "keys"),
    "a cut key": (lambda site: (site.store / "keys/sign.key").write_text("abab"), "keys"),
    "another public key": (lambda site: (site.store / "keys/sign.pub").write_text(
        "ssh-ed25519 AAAA North"), "keys"),
    "no site": (lambda site: (site.store / "site.json").unlink(), "store"),
    "a damaged space": (lambda site: (site.store / "spaces/school/space.json").write_text("{"),
                        "store"),
    "a space that is gone": (lambda site: shutil.rmtree(site.store / "spaces/school"), "store"),
    "a space without its name": (lambda site: (
        site.store / "spaces/school/space.json").unlink(), "store"),
    "a journal that is gone": (lambda site: (
        site.store / "spaces/school/journal.db").unlink(), "store"),
    "damaged remotes": (lambda site: (site.store / "spaces/school/remotes.json").write_text("{"),
                        "remotes"),
    "written in the future": (lambda site: os.utime(
        site.store / "spaces/school/journal.db", (2e9, 2e9)), "clock"),
}


def test_what_is_wrong_fails_and_says_what_to_do(world):
    north = world.site("North").start()
    north.client("remote", "add", "hub", world.bare("hub"))
    north.stop()
    lines(north, 0)
    shutil.copytree(north.store, world.directory / "whole")
    for what, (act, check) in BREAK.items():
        act(north)
        ran = lines(north, 7)
        wrong = [one for one in ran.objects if one["level"] == "fail"]
        assert check in {one["check"] for one in wrong}, what
        assert all(one["fix"] for one in wrong), what
        shutil.rmtree(north.store)
        shutil.copytree(world.directory / "whole", north.store)
        os.chmod(north.store, 0o700)


def test_remotes_that_do_not_answer_are_named_in_time(world):
    north = world.site("North").start()
    north.client("remote", "add", "stick", world.directory / "not-plugged-in/hub.git")
    north.client("remote", "add", "far", "https://192.0.2.1/hub.git")  # RFC 5737: nobody is there
    began = time.monotonic()
    warned = {one["check"] for one in found(north, "remote", "warn")}
    assert warned == {"remote stick", "remote far"}
    assert time.monotonic() - began < 15


def test_a_hanging_daemon_is_told_from_none(world):
    north = world.site("North").start()
    os.unlink(north.socket)
    failed = [one for one in lines(north, 7).objects if one["level"] == "fail"]
    assert [one["check"] for one in failed] == ["locks"]
    assert str(north.process.pid) in failed[0]["what"]
