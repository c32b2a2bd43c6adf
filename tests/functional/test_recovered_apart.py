"""Machines that were recovered apart, with one recovery key: all sites come to one control log and
one pen, whoever lost is told what to do, and what to do loses nothing."""

import random
import subprocess
import threading

import pytest
import test_syscalls
from dutybook import LONG, duty
from test_trust import alarms, meet, member, second_administrator, titles


def founded(world, *others):
    """North with its printed key, the others as members, all of them at the hub; each wrote one."""
    north = world._site("North", "school")
    key = north.one("init", "--site", "North", "--tz", "America/New_York")["recovery_key"]
    north.start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    sites = [north, *(world.invited(north, name).start() for name in others)]
    for site in sites:
        site.add_file([duty(site.name)])
    meet(*sites, *sites)
    return key, hub, sites


def recovered(world, name, key, remote):
    site = world._site(name, "")
    site.client("recover", "--key", key, "--remote", remote, "--site", name)
    site.space = "school"
    return site.start()


def recover_again(site, key):
    return site.client("recover", "--key", key)


def head(site):
    return site.git("rev-parse", "refs/heads/control").strip()


def pen(site):
    """Names of who holds the pen, as this site has it."""
    return [one["name"] for one in site.many("members") if one["pen"]]


def agree(*sites):
    meet(*sites, *sites, *sites)
    assert len({head(site) for site in sites}) == 1
    assert len({tuple(pen(site)) for site in sites}) == 1 and len(pen(sites[0])) == 1
    assert len({site.digest() for site in sites}) == 1, [(one.name, titles(one)) for one in sites]


def apart(world, first="One", second="Two"):
    """Two machines recovered from the same state of the remote, each with what it did meanwhile;
    the loser first."""
    key, hub, (north, south) = founded(world, "South")
    north.stop()
    copy = world.copy(hub, world.directory / "copy.git")
    one, two = recovered(world, first, key, hub), recovered(world, second, key, copy)
    for site in (one, two):
        site.add_file([duty(f"{site.name} before it knew")])
    refused = two.client("members", "remove", "North", expect=1)
    assert "never synced" in str(refused.problem), "nothing that North wrote would count"
    two.client("sync")  # to the copy
    two.client("members", "remove", "North")
    two.add_file([duty(f"{two.name} in its own epoch")])
    two.client("sync")
    two.client("remote", "remove", "recovered")
    two.client("remote", "add", "hub", hub)
    meet(one, two, south, one, two, south)
    lost = next(site for site in (one, two) if alarms(site, "outside"))
    return key, hub, lost, two if lost is one else one, south, north


def test_both_meet_the_remote(world):
    key, hub, lost, won, south, north = apart(world)
    # One line, one pen, at every site; the loser knows.
    assert len({head(site) for site in (lost, won, south)}) <= 2
    assert head(won) == head(south) and pen(won) == pen(south) == [won.name] and pen(lost) == []
    assert not alarms(won, "outside") and not alarms(south, "outside")
    told, = alarms(lost, "outside")
    assert "recover --key" in told["message"] and "recovered at another machine" in told["message"]
    assert not alarms(lost, "refused") and not alarms(lost, "control-refused")
    own = next(one for one in lost.many("members") if one["own"])
    assert own["state"] == "outside" and not own["pen"]
    for running in (True, False):
        if not running:
            lost.stop()
        doctor = lost.client("doctor", expect=7)
        line, = [one for one in doctor.objects if one["check"].startswith("membership")]
        assert line["level"] == "fail" and "recover --key" in line["fix"]
    lost.start()
    assert alarms(lost, "outside"), "and after a restart"
    refused = lost.client("invite", "East", "--out", world.directory / "East.invite", expect=1)
    assert "recover --key" in str(refused.problem)
    assert lost.client("members", "remove", "South", expect=1)
    # It writes on for itself, and says with every sync that this stays here.
    lost.add_file([duty(f"{lost.name} while outside")])
    ran = lost.client("sync", expect=1)
    assert "no member" in ran.one["error"]
    assert f"{lost.name} while outside" in titles(lost)
    # The others list what has no effect.
    for site in (won, south):
        told = alarms(site, "control-lost")
        assert any("recover" in one["message"] for one in told), site.status()["alarms"]
        assert not [one for one in titles(site) if "while outside" in one]

    # What it was told to do works, and nobody's line gives way again.
    before = head(won)
    recover_again(lost, key)
    assert lost.git("rev-list", head(lost)).split().count(before) == 1
    agree(lost, won, south)
    for site in (lost, won, south):
        assert pen(site) == [lost.name]
        assert {f"{lost.name} before it knew", f"{lost.name} while outside",
                f"{won.name} before it knew", "Two in its own epoch", "North",
                "South"} <= set(titles(site))
        assert not alarms(site, "outside") and not alarms(site, "refused")
        assert not [one for one in alarms(site, "control-lost") if "recover" in one["message"]]
    # An entry of the loser's line that has no effect is listed until it is done again.
    if lost.name == "Two":
        for site in (lost, won, south):
            assert ["remove North" in one["message"]
                    for one in alarms(site, "control-lost")] == [True]
        lost.client("members", "remove", "North")
        agree(lost, won, south)
    for site in (lost, won, south):
        assert not alarms(site, "control-lost"), site.status()["alarms"]
        assert member(site, "North")["state"] == "removed"
    # The pen goes on, and a new site reads all of it.
    lost.client("members", "pen", won.name)
    meet(lost, won)
    east = world.invited(won, "East").start()
    meet(won, east, won)
    agree(east, won, south, lost)
    assert not east.status()["alarms"]


def test_the_loser_comes_back_by_an_invitation(world):
    key, hub, lost, won, south, north = apart(world)
    lost.add_file([duty(f"{lost.name} while outside")])
    file = world.directory / "again.invite"
    won.client("invite", lost.name, "--out", file)
    meet(won)
    assert won.client("join", file, expect=1).problem["code"] == "conflict"
    lost.client("join", file)
    assert not alarms(lost, "outside")
    agree(lost, won, south)
    for site in (lost, won, south):
        assert pen(site) == [won.name]
        assert {f"{lost.name} before it knew", f"{lost.name} while outside",
                "Two in its own epoch"} <= set(titles(site))
        assert not alarms(site, "refused")
    lost.restart()
    lost.add_file([duty("after all that")])
    agree(lost, won, south)
    assert "after all that" in titles(south)


def test_recovered_twice_one_after_the_other(world):
    """On another machine that knows of the first, and once more on one that holds the pen."""
    key, hub, (north, south) = founded(world, "South")
    north.stop()
    one = recovered(world, "One", key, hub)
    one.add_file([duty("One")])
    meet(one, south)
    two = recovered(world, "Two", key, hub)
    agree(two, one, south)
    assert pen(one) == ["Two"] and member(south, "One")["role"] == "admin"
    recover_again(two, key)
    agree(two, one, south)
    recover_again(one, key)  # it had not met the other's second one before: it does now
    agree(one, two, south)
    assert pen(south) == ["One"]
    for site in (one, two, south):
        assert not site.status()["alarms"]
    # In a store that has the space nothing is begun anew.
    one.stop()
    again = one.client("recover", "--key", key, "--remote", hub)
    assert again.one["space"] == "school"
    two.stop()
    refused = two.client("recover", "--key", key, "--remote", hub, expect=1)
    assert "without --remote" in str(refused.problem)
    assert head(one.start()) == head(two.start())


# What the old administrator does apart, with what was recovered elsewhere in its place.
ACTS = {"remove": ("members", "remove", "South"), "epoch": ("members", "epoch"),
        "rotate": ("members", "rotate"), "pen": ("members", "pen", "Deputy"),
        "format": ("members", "format", "1"), "invite": ("invite", "East", "--out", "{}")}


@pytest.mark.parametrize("act", ACTS)
def test_the_old_administrator_lives_and_acts_apart(world, act):
    key, hub, (north, south) = founded(world, "South")
    deputy = second_administrator(world, north)
    meet(north, deputy, north, south, deputy)
    copy = world.copy(hub, world.directory / "copy.git")
    one = recovered(world, "One", key, copy)
    one.add_file([duty("One")])
    one.client("remote", "remove", "recovered")
    one.client("remote", "add", "hub", hub)
    invited = world.directory / "East.invite"
    north.client(*[word.format(invited) for word in ACTS[act]])
    north.add_file([duty("North apart")])
    meet(north, deputy)
    deputy.add_file([duty("Deputy apart")])
    sites = [north, deputy, south, one]
    meet(one, *sites)
    for site in sites:  # before anybody does anything again
        told = alarms(site, "control-lost")
        assert not alarms(site, "outside"), site.name
        listed = [one for one in told if "entry" in one["message"]]
        assert act in ("epoch", "rotate") or site is one or listed, site.status()["alarms"]
    agree(one, north, deputy, south)
    wanted = {"North", "South", "One", "North apart", "Deputy apart"}
    for site in sites:
        assert pen(site) == ["One"], site.name
        assert wanted <= set(titles(site)), site.name
        told = [one["message"] for one in alarms(site, "control-lost")]
        # New keys are announced again, and a new epoch begun, by the sites themselves.
        assert len(told) == (0 if act in ("epoch", "rotate") else 1), told
        assert not alarms(site, "refused") and not alarms(site, "not-received"), site.status()
    # Done again it is at rest; one who joins later reads everything.
    again = world.directory / "again.invite"
    if act == "pen":
        one.client("members", "pen", "Deputy")
    elif act == "invite":
        one.client("invite", "East", "--out", again)
    elif act in ("remove", "format"):
        one.client(*ACTS[act])
    agree(*(site for site in (one, north, deputy, south) if act != "remove" or site is not south))
    for site in (one, north, deputy):
        assert not alarms(site, "control-lost"), site.status()["alarms"]
    west = world.invited(deputy if act == "pen" else one, "West").start()
    meet(west, one, north, deputy, west)
    assert west.digest() == one.digest() and not west.status()["alarms"]


def test_a_site_whose_invitation_gave_way(world):
    """It joined by an entry that no site has any more: it is told, and comes back with a new one."""
    key, hub, (north, south) = founded(world, "South")
    copy = world.copy(hub, world.directory / "copy.git")
    one = recovered(world, "One", key, copy)
    one.client("remote", "remove", "recovered")
    one.client("remote", "add", "hub", hub)
    east = world.invited(north, "East").start()
    east.add_file([duty("East early")])
    meet(north, east, south, north)
    assert "East early" in titles(south)
    meet(one, east, north, south, one)
    assert alarms(east, "outside") and not alarms(east, "refused")
    assert "invite" in alarms(east, "outside")[0]["message"]
    east.add_file([duty("East while outside")])
    east.client("sync", expect=1)
    # Until then no site counts what it wrote: all the same.
    meet(one, north, south)
    assert one.digest() == north.digest() == south.digest() and "East early" not in titles(south)
    for site in (one, north, south):
        told, = alarms(site, "control-lost")
        assert "East" in told["message"]
    file = world.directory / "East again.invite"
    one.client("invite", "East", "--out", file)
    meet(one)
    east.stop()
    east.client("join", file)  # without its daemon
    assert "here already" in east.client("join", file, expect=1).err
    east.start()
    agree(east, one, north, south)
    for site in (east, one, north, south):
        assert {"East early", "East while outside"} <= set(titles(site))
        assert not site.status()["alarms"] or site is east, site.status()["alarms"]
        assert not alarms(site, "outside") and not alarms(site, "control-lost")


def test_recovered_from_a_backup_older_than_the_remote(world):
    world.environment["DUTYBOOK_PASSPHRASE"] = "correct horse battery"
    key, hub, (north, south) = founded(world, "South")
    file = world.directory / "south.backup"
    south.environment["DUTYBOOK_PASSPHRASE"] = "correct horse battery"
    south.one("backup", file)
    # Since then: another member, a new epoch, and words in it.
    west = world.invited(north, "West").start()
    north.client("members", "epoch")
    for site in (north, south, west):
        site.add_file([duty(f"{site.name} later")])
    meet(north, south, west, north, south, west)
    for site in (north, south):
        site.stop()
    new = world._site("Restored", "school")
    new.client("restore-backup", file, "--dir", new.store)
    new.start()
    recover_again(new, key)  # meets the remote by itself: nothing gives way
    agree(new, west)
    assert pen(west) == ["South"] and not alarms(west, "control-lost")
    assert {"North later", "South later", "West later"} <= set(titles(new))
    assert member(new, "West")["state"] == "active"
    # Without the remote it goes on too, and says what that may cost.
    new.client("remote", "remove", "hub")
    new.client("remote", "add", "gone", world.directory / "nowhere.git")
    ran = new.client("recover", "--key", key)
    assert "gone did not answer" in ran.err and pen(new) == ["South"]


def test_a_removed_site_recovers(world):
    key, hub, (north, south) = founded(world, "South")
    north.client("members", "remove", "South")
    south.add_file([duty("South after it was removed")])
    meet(north, south, north)
    recover_again(south, key)
    agree(south, north)
    assert pen(north) == ["South"] and member(north, "South")["state"] == "active"
    assert "South after it was removed" in titles(north)
    assert len(north.many("members")) == 2, "its used invitation is not open again"
    assert not alarms(north, "control-lost") and not alarms(south, "control-refused")


def killed(site, calls, at, *words):
    """Runs a command under strace, which kills it at the n-th of the calls; whether it was hit."""
    tools = str(site.programs / "dutybook-tools")
    ran = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
         f"inject={calls}:signal=SIGKILL:when={at}", tools, "--store", str(site.store), *words],
        env=site.environment, capture_output=True)
    return ran.returncode != 0


@pytest.mark.skipif(test_syscalls.SKIP is not None, reason=str(test_syscalls.SKIP))
def test_a_recovery_that_is_killed_at_any_step_goes_on(world, counted):
    key, hub, (north, south) = founded(world, "South")
    north.stop()
    words = ["recover", "--key", key, "--remote", str(hub), "--site", "Office"]
    crashes, at = 0, 1
    while True:
        office = world._site(f"Office{at}", "")
        if not killed(office, "rename,linkat,renameat2", at, *words):
            break
        crashes += 1
        office.client(*words)
        office.space = "school"
        office.start()
        office.add_file([duty(f"Office {at}")])
        meet(office, south)
        assert pen(office) == pen(south) == ["Office"], at
        assert "North" in titles(office) and f"Office {at}" in titles(south), at
        assert not alarms(office, "outside") and not alarms(south, "control-lost"), at
        office.stop()
        at += 1 if LONG else 3
    assert crashes >= (24 if LONG else 8), "so many files are put in place"
    counted(f"{crashes} crashes of a recovery, 0 that could not go on")


def test_a_daemon_that_is_killed_while_it_recovers(world, counted):
    key, hub, lost, won, south, north = apart(world)
    lost.add_file([duty("acknowledged before")])
    dice = random.Random(4)
    for turn in range(6):
        asked = threading.Thread(target=lost.client, args=("recover", "--key", key),
                                 kwargs={"expect": None})
        asked.start()
        asked.join(dice.random() * 0.6)
        lost.kill()
        asked.join()
        lost.start()
    recover_again(lost, key)
    agree(lost, won, south)
    assert pen(south) == [lost.name] and "acknowledged before" in titles(south)
    assert not alarms(south, "outside") and not alarms(lost, "outside")
    counted("6 daemons killed while they recovered, 0 that could not go on")
