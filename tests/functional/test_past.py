"""When the past changes: a remote restored from last week, a restored store, a copied store."""

import shutil
import subprocess

from dutybook import duty


def titles(site):
    return sorted(one["fields"]["title"] for one in site.many("list", "core.duty", "--limit", 0))


def writers(world, hub):
    refs = world.git("-C", hub, "for-each-ref", "--format=%(refname)", "refs/heads/log").split()
    return {ref.split("/")[3] for ref in refs}


def backed_up_between_two_days(world, north, south):
    """A copy of North's store from between 20 early and 20 late duties; both sites synced both."""
    backup = None
    for day in ("early", "late"):
        if day == "late":
            north.stop()
            backup = world.copy(north.store, world.directory / "backup")
            north.start()
        north.add_file(duty(f"{day} {i}") for i in range(20))
        for site in (north, south):
            site.sync()
    return backup


def test_the_hub_goes_back_a_week(world, pair):
    north, south, hub = pair
    north.add_file(duty(f"early {i}") for i in range(20))
    for site in (north, south):
        site.sync()
    last_week = world.copy(hub, world.directory / "backup.git")
    north.add_file(duty(f"north {i}") for i in range(20))
    south.add_file(duty(f"south {i}") for i in range(20))
    for site in (north, south, north):
        site.sync()
    shutil.rmtree(hub)
    world.copy(last_week, hub)

    # While the hub takes nothing, what it lost cannot be put back: the alarm stands.
    world.git("-C", hub, "config", "receive.maxInputSize", "1")
    north.sync(expect=1)
    assert any(alarm["kind"] == "gone-back" for alarm in north.status()["alarms"])
    north.client("status", "--check", expect=1)
    world.git("-C", hub, "config", "--unset", "receive.maxInputSize")
    for site in (north, south, north, south):
        site.sync()
    for site in (north, south):
        assert site.status()["alarms"] == []
        assert len(titles(site)) == 60
    fresh = world.invited(north, "Fresh").start()
    fresh.sync()
    assert fresh.digest() == north.digest() == south.digest()


def test_a_store_restored_from_an_older_copy(world, pair):
    north, south, hub = pair
    backup = backed_up_between_two_days(world, north, south)
    before = writers(world, hub)
    north.stop()
    world.copy(backup, north.store)
    north.start()
    north.add_file(duty(f"again {i}") for i in range(5))
    for site in (north, south, north):
        site.sync()
    assert before < writers(world, hub), "no new writer was opened"
    expected = sorted([f"early {i}" for i in range(20)] + [f"late {i}" for i in range(20)] +
                      [f"again {i}" for i in range(5)])
    for site in (north, south):
        assert titles(site) == expected
    assert north.digest() == south.digest()
    assert world.git("-C", hub, "fsck", "--strict") == ""


def test_a_copy_runs_beside_its_original(world, pair):
    north, south, hub = pair
    north.add_file(duty(f"early {i}") for i in range(20))
    for site in (north, south):
        site.sync()
    north.add_file(duty(f"unsent {i}") for i in range(5))
    north.stop()
    twin = world._site("Twin", north.space)
    world.copy(north.store, twin.store)
    north.start()
    twin.start()
    north.add_file(duty(f"north {i}") for i in range(10))
    twin.add_file(duty(f"twin {i}") for i in range(10))
    for _ in range(2):
        for site in (north, twin, south):
            site.sync()
    expected = sorted([f"early {i}" for i in range(20)] + [f"unsent {i}" for i in range(5)] +
                      [f"north {i}" for i in range(10)] + [f"twin {i}" for i in range(10)])
    for site in (north, twin, south):
        assert titles(site) == expected
    assert north.digest() == twin.digest() == south.digest()
    assert north.status()["operations_digest"] == south.status()["operations_digest"]
    assert not any(alarm["kind"] == "fork" for alarm in south.status()["alarms"])


def test_a_copy_and_its_original_settle_what_they_set_apart(world, pair):
    """Both are one site: taking \"its\" value would pick one of two in silence."""
    north, south, hub = pair
    bus = north.add_file([duty("Bus")])[0]["id"]
    for site in (north, south):
        site.sync()
    north.stop()
    twin = world._site("Twin", north.space)
    world.copy(north.store, twin.store)
    north.start()
    twin.start()
    north.client("set", bus, "priority=urgent")
    twin.client("set", bus, "priority=low")
    for site in (north, twin, south):
        site.sync()
    given = {one["value"]: one["operation"] for one in south.many("conflicts")[0]["values"]}
    assert set(given) == {"urgent", "low"}
    for named in ("North", north.one("status")["site"]["id"]):
        told = south.client("resolve", bus, "priority", "--take", named, expect=2)
        assert all(text.rpartition(":")[0] in told.err for text in given.values())
    assert len(south.many("conflicts")) == 1
    south.client("resolve", bus, "priority", "--take", given["low"].rpartition(":")[0])
    assert south.many("conflicts") == []
    assert south.one("show", bus)["fields"]["priority"] == "low"


def test_files_put_back_in_place(world, pair):
    """The directory is the same one, so only the remote can tell that the past came back."""
    north, south, hub = pair
    backup = backed_up_between_two_days(world, north, south)
    before = writers(world, hub)
    north.stop()
    for entry in north.store.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for entry in backup.iterdir():
        subprocess.run(["cp", "-a", entry, north.store], check=True)
    north.start()
    north.add_file(duty(f"again {i}") for i in range(5))
    for site in (north, south, north):
        site.sync()
    assert before < writers(world, hub), "no new writer was opened"
    expected = sorted([f"early {i}" for i in range(20)] + [f"late {i}" for i in range(20)] +
                      [f"again {i}" for i in range(5)])
    for site in (north, south):
        assert titles(site) == expected
    assert north.digest() == south.digest()


def test_a_running_store_is_copied_and_both_go_on(world, pair):
    north, south, hub = pair
    north.add_file(duty(f"early {i}") for i in range(20))
    for site in (north, south):
        site.sync()
    north.add_file(duty(f"unsent {i}") for i in range(5))
    twin = world._site("Twin", north.space)
    world.copy(north.store, twin.store)  # under the running daemon, as a snapshot of a disk would
    twin.start()
    acknowledged = []
    for part in range(3):
        for site in (north, twin):
            acknowledged += [one["id"] for one in
                             site.add_file(duty(f"{site.name} {part} {i}") for i in range(5))]
            site.sync()
    for _ in range(2):
        for site in (north, twin, south):
            site.sync()
    for site in (north, twin, south):
        held = {one["id"] for one in site.many("list", "core.duty", "--limit", 0)}
        assert set(acknowledged) <= held and len(held) == 25 + 30
        assert not any(alarm["kind"] == "fork" for alarm in site.status()["alarms"])
    assert north.digest() == twin.digest() == south.digest()
    assert world.git("-C", hub, "fsck", "--strict") == ""


def shallow_clone(world, hub, path):
    world.git("init", "-q", "--bare", path)
    world.git("-C", path, "fetch", "-q", "--depth", "1", f"file://{hub}",
              "+refs/heads/*:refs/heads/*")
    return path


def test_a_shallow_clone_is_no_copy(world, pair):
    """It lists every log and holds none of them from its beginning."""
    north, south, hub = pair
    for day in range(3):
        north.add_file(duty(f"{day} {i}") for i in range(5))
        north.sync()
    shallow = shallow_clone(world, hub, world.directory / "shallow.git")
    # On a host git leaves out what a shallow clone lacks, and calls that a success.
    (world.home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {world.directory}/ssh\n")
    ssh = world.directory / "ssh"
    ssh.write_text('#!/bin/sh\neval "exec sh -c \\"\\${$#}\\""\n')
    ssh.chmod(0o755)
    south.client("remote", "set", "hub", "--url", f"git@host:{shallow}")
    failed = south.client("sync", expect=1).one
    assert "does not hand out" in failed["error"] and "shallow" in failed["error"]
    assert south.status()["records"] == 0 and south.status()["remotes"][0]["last_success"] is None
    # In a folder it is made anew by whoever has everything; what was there is moved aside.
    north.client("remote", "set", "hub", "--url", shallow)
    assert "shallow" in " ".join(north.client("remote", "check", "hub", expect=1).one["lines"])
    north.sync()
    south.sync()
    assert south.digest() == north.digest() and south.status()["records"] == 15
    assert list(world.directory.glob("shallow.git*")) != [shallow]


def test_the_hosts_own_words_are_told(world, pair):
    north, _, hub = pair
    north.sync()
    (world.home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {world.directory}/ssh\n")
    ssh = world.directory / "ssh"
    ssh.write_text('#!/bin/sh\neval "exec sh -c \\"\\${$#}\\""\n')
    ssh.chmod(0o755)
    north.client("remote", "set", "hub", "--url", f"git@host:{hub}")
    hook = hub / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'closed on\\033[31m Sundays\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    north.add_file([duty("refused")])
    error = north.client("sync", expect=1).one["error"]
    assert "closed on?[31m Sundays" in error and "refs/heads/control" in error, error
    hook.unlink()
    world.git("-C", hub, "config", "receive.maxInputSize", "100")
    error = north.client("sync", expect=1).one["error"]
    assert "takes no transfer of this size" in error and "limit for a push" in error, error
