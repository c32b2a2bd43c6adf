"""backup and restore-backup: one encrypted file, taken under load; a store made from it never forks
a log; damage is named."""

import os
import shutil
import threading

import pytest
from dutybook import duty, wait_for

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def passphrase(world):
    world.environment["DUTYBOOK_PASSPHRASE"] = PASSPHRASE


def titles(site):
    return sorted(one["fields"]["title"] for one in site.many("list", "core.duty", "--limit", 0))


def writers(world, hub):
    refs = world.git("-C", hub, "for-each-ref", "--format=%(refname)", "refs/heads/log").split()
    return {ref.split("/")[3] for ref in refs}


def restored(world, site, file, name="Restored"):
    new = world._site(name, site.space)
    new.client("restore-backup", file, "--dir", new.store)
    return new


def test_a_backup_under_load_holds_all_that_was_acknowledged_before(world, pair):
    north, south, hub = pair
    north.add_file(duty(f"early {i}") for i in range(20))
    for site in (north, south):
        site.sync()
    before = [one["id"] for one in north.add_file(duty(f"unsealed {i}") for i in range(20))]
    stop, written = threading.Event(), []

    def write():
        while not stop.is_set():
            written.extend(one["id"] for one in north.add_file(duty("load") for _ in range(20)))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        wait_for(lambda: len(written) > 20)
        file = world.directory / "north.backup"
        done = north.one("backup", file)
        assert done["bytes"] == file.stat().st_size
        north.request("POST", "/v1/spaces/-/seal")
        again = north.one("backup", file)  # replaces the first, atomically
        assert again["bytes"] == file.stat().st_size
    finally:
        stop.set()
        thread.join(30)
    assert not list(north.store.glob("backup-*")) and not list(world.directory.glob("*.new-*"))
    assert (file.stat().st_mode & 0o777) == 0o600
    text = file.read_bytes()
    assert b"unsealed" not in text and b"sign.key" not in text and b"core.duty" not in text
    assert len(set(text[200:5000])) > 250, "does not look encrypted"

    north.stop()  # the machine burns down
    north.store.rename(north.store.parent / "gone")
    seen = writers(world, hub)
    new = restored(world, north, file).start()
    held = {one["id"] for one in new.many("list", "core.duty", "--limit", 0)}
    assert set(before) <= held
    new.add_file([duty("after")])
    for site in (new, south, new):
        site.sync()
    assert new.digest() == south.digest()
    assert seen < writers(world, hub), "no new writer was opened"
    assert new.client("verify", "--full").objects[-1]["damage"] == []
    assert world.git("-C", hub, "fsck", "--strict") == ""


def test_last_weeks_backup_meets_what_was_written_since(world, pair):
    north, south, hub = pair
    north.add_file(duty(f"early {i}") for i in range(20))
    for site in (north, south):
        site.sync()
    north.add_file(duty(f"unsent {i}") for i in range(5))
    file = world.directory / "north.backup"
    north.one("backup", file)
    north.add_file(duty(f"late {i}") for i in range(20))
    for site in (north, south):
        site.sync()
    north.stop()
    new = restored(world, north, file).start()
    new.add_file(duty(f"again {i}") for i in range(5))
    for site in (new, south, new):
        site.sync()
    expected = sorted([f"{word} {i}" for word, count in
                       (("early", 20), ("unsent", 5), ("late", 20), ("again", 5))
                       for i in range(count)])
    for site in (new, south):
        assert titles(site) == expected
        assert not [one for one in site.status()["alarms"] if one["kind"] == "fork"]
    assert new.digest() == south.digest()
    # And the old machine is started again after all.
    north.start()
    north.add_file([duty("north is back")])
    for _ in range(2):
        for site in (north, new, south):
            site.sync()
    assert titles(north) == titles(new) == titles(south) == sorted([*expected, "north is back"])
    assert north.digest() == new.digest() == south.digest()


def test_two_stores_from_one_backup_go_on_beside_the_original_and_merge(world, pair):
    north, south, hub = pair
    north.add_file(duty(f"sealed {i}") for i in range(10))
    north.request("POST", "/v1/spaces/-/seal")
    north.add_file(duty(f"unsealed {i}") for i in range(10))
    file = world.directory / "north.backup"
    north.one("backup", file)
    one, two = (restored(world, north, file, name).start() for name in ("One", "Two"))
    three = (north, one, two)
    for part in range(2):  # before anybody meets the remote, and between
        for site in three:
            site.add_file(duty(f"{site.name} {part}{i}") for i in range(5))
        for site in three:
            site.sync()
    for _ in range(2):
        for site in (*three, south):
            site.sync()
    expected = sorted([f"{word} {i}" for word in ("sealed", "unsealed") for i in range(10)] +
                      [f"{site.name} {part}{i}" for site in three for part in range(2)
                       for i in range(5)])
    for site in (*three, south):
        assert titles(site) == expected
        assert not [alarm for alarm in site.status()["alarms"] if alarm["kind"] == "fork"]
        assert not site.git("for-each-ref", "refs/dutybook/evidence")
    assert len({site.digest() for site in (*three, south)}) == 1


def test_without_a_daemon_and_what_is_refused(world):
    north = world.site("North").start()
    north.add_file([duty("one")])
    north.stop()
    file = world.directory / "north.backup"
    north.one("backup", file)
    new = world._site("New", "school")
    new.environment["DUTYBOOK_PASSPHRASE"] = "another"
    assert "passphrase" in new.client("restore-backup", file, expect=1).problem["why"]
    assert not new.store.exists() and not list(world.directory.glob("*/*.restoring-*"))
    new.environment["DUTYBOOK_PASSPHRASE"] = PASSPHRASE
    assert north.client("restore-backup", file, expect=1).problem["code"] == "exists"
    del new.environment["DUTYBOOK_PASSPHRASE"]
    assert "DUTYBOOK_PASSPHRASE" in new.client("restore-backup", file, expect=2).problem["fix"]
    new.environment["DUTYBOOK_PASSPHRASE"] = PASSPHRASE
    new.store.mkdir()
    new.client("restore-backup", file)  # an empty folder is taken
    new.start()
    assert titles(new) == ["one"]


def test_damage_anywhere_is_named_and_restores_nothing(world):
    north = world.site("North").start()
    north.add_file(duty("x" * 500) for _ in range(200))
    north.stop()
    file = world.directory / "north.backup"
    north.one("backup", file)
    whole = file.read_bytes()
    new = world._site("New", "school")
    first, second = whole.index(b"\n"), whole.index(b"\n", whole.index(b"\n") + 1)
    places = [0, second - 10, second + 60, len(whole) // 2, len(whole) - 1]
    cases = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:] for at in places]
    chunk = 64 * 1024 + 17
    body = second + 1 + 24
    swapped = (whole[:body] + whole[body + chunk:body + 2 * chunk] + whole[body:body + chunk] +
               whole[body + 2 * chunk:])
    cases += [whole[:-1], whole[:body + chunk], b"", whole + b"x", swapped]
    assert len(whole) > body + 2 * chunk
    for number, case in enumerate(cases):
        file.write_bytes(case)
        problem = new.client("restore-backup", file, expect=1).problem
        assert problem["fix"] and ("damaged" in problem["title"] or "no backup" in problem["title"]
                                   or "open" in problem["title"]
                                   or "newer" in problem["title"]), (number, problem)
        assert not new.store.exists(), number
        assert not list(new.store.parent.glob("*.restoring-*"))
    print(f"damaged backups refused: {len(cases)} of {len(cases)}")
    file.write_bytes(whole)
    new.client("restore-backup", file)
    assert len(titles(new.start())) == 200
