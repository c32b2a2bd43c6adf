"""A host that takes back what it held, shows one log to one and another to others, puts old things in
new places, hides what is new, or says that it stored what it did not; and a folder whose settings
would run programs. Each attack has its twin: the same without the attack."""

import contextlib
import os
import pathlib
import shutil
import stat

import pytest
from dutybook import FAKETIME, duty
from forge import REF, Member, Repository, operation
from host import FLUSH, Host, packet


class Told:
    """North behind a host that may lie to it; South and Mallory behind the same repository."""

    def __init__(self, world, host, hub):
        self.world, self.host, self.hub = world, host, Repository(world, hub)
        self.north = world.site("North").start()
        self.north.client("remote", "add", "hub", host.url)
        self.south = world.invited(self.north, "South").start()
        self.south.client("remote", "remove", "hub")
        self.south.client("remote", "add", "hub", hub)
        self.attacks = 0

    def exchange(self, *titles):
        """South writes, both sync, one segment for each title."""
        for title in titles:
            self.south.add_file([duty(title)])
            self.south.sync()
            self.north.sync()

    def log_of(self, site):
        """The one ref of a site's log at the hub, and its commits, newest first."""
        name = site.one("status")["site"]["id"]
        ref = next(ref for ref in self.hub.refs() if name in ref)
        return ref, self.hub.git("rev-list", ref).decode().split()

    def alarm(self, kind):
        found = [one for one in self.north.status()["alarms"] if one["kind"] == kind]
        return found[0] if found else None

    def count(self, counted):
        counted(f"{self.attacks} attacks, {self.attacks} refused or bounded, 0 accepted")


@pytest.fixture
def told(world):
    hub = world.bare("hub")
    with Host(world, hub) as host:
        made = Told(world, host, hub)
        made.exchange("first", "second")
        yield made


def titles(site):
    return {one["fields"]["title"] for one in site.many("list", "core.duty", "--limit", 1000)}


def listing(change):
    """A host that tells the truth but for its list of refs, which `change` may change."""
    def lie(talk):
        def ls_refs(talk, _):
            refs = {line[41:]: line[:40] for line in talk.host.world.git(
                "-C", talk.host.repository, "for-each-ref",
                "--format=%(objectname) %(refname)").splitlines()}
            change(refs)
            talk.list(refs)
        talk.answer(ls_refs=ls_refs)
    return lie


def test_it_takes_back_what_it_held(told, counted):
    """Rollback: of one log, of a whole log, of everything; each is noticed, named, and mended."""
    ref, commits = told.log_of(told.south)
    yesterday = told.world.copy(told.hub.path, told.world.directory / "yesterday.git")
    told.exchange("third")
    newest = told.log_of(told.south)[1][0]

    def an_older_tip():
        told.hub.set(ref, commits[0])

    def no_log_at_all():
        told.hub.git("update-ref", "-d", ref)

    def everything_of_yesterday():
        told.world.copy(yesterday, told.hub.path)

    for attack in (an_older_tip, no_log_at_all, everything_of_yesterday):
        attack()
        assert told.hub.refs().get(ref) != newest
        told.north.client("status", "--check")  # nothing is wrong yet
        told.north.sync()
        alarm = told.alarm("gone-back")
        assert alarm and ref in alarm["message"] and "hub" in alarm["message"], attack.__name__
        assert told.alarm("gone-back")["subject"] == "hub"
        told.north.client("status", "--check", expect=1)
        assert {"first", "second", "third"} <= titles(told.north)
        # North gave back what it had; South finds its log whole, and nobody lost anything.
        assert told.hub.refs()[ref] == newest, attack.__name__
        told.south.sync()
        told.north.sync()
        assert not told.alarm("gone-back"), "the alarm closes itself"
        told.attacks += 1
        told.exchange(f"after {attack.__name__}")
        assert f"after {attack.__name__}" in titles(told.north)
        newest = told.log_of(told.south)[1][0]
    told.count(counted)


def test_it_shows_two_histories(told, counted):
    """Fork: a member signs two histories, from the first commit on or from the second."""
    mallory = Member(told.world.invited(told.north, "Mallory"), told.hub)
    for shared in (0, 1):
        writer = mallory.writer()
        ref, parent, first = REF.format(writer, 1), "", 1
        if shared:
            parent = mallory.segment(mallory.header(writer, 1, 1), [operation("shared")])
            first = 2

        def branch(title):
            header = mallory.header(writer, first, first, previous=parent)
            return mallory.segment(header, [operation(f"{title} {shared}")], parent)

        one, other = branch("one"), branch("other")
        told.hub.set(ref, one)
        told.north.sync()
        assert f"one {shared}" in titles(told.north)
        told.hub.set(ref, other)  # the twin of this is the first branch, which was accepted
        told.exchange(f"beside {shared}")
        told.north.sync(expect=None)
        alarm = next(one for one in told.north.status()["alarms"]
                     if one["kind"] == "fork" and ref in one["subject"])
        assert one in alarm["message"] and other in alarm["message"]
        kept = told.north.git("for-each-ref", "--format=%(refname)", "refs/dutybook/evidence")
        assert writer in kept, "the branch that does not count is kept as evidence"
        shown = {f"one {shared}", f"other {shared}"} & titles(told.north)
        assert shown == {f"{'one' if one < other else 'other'} {shared}"}
        assert f"beside {shared}" in titles(told.north)
        told.attacks += 1
        told.hub.git("update-ref", "-d", ref)
    told.count(counted)


def test_it_puts_old_things_in_new_places(told, counted):
    ref, commits = told.log_of(told.south)
    own, own_commits = None, None
    told.north.add_file([duty("north")])
    told.north.sync()
    own, own_commits = told.log_of(told.north)

    def my_commit_as_souths(refs):
        refs[ref] = own_commits[0]

    def souths_commit_as_mine(refs):
        refs[own] = commits[0]

    def souths_log_as_a_new_one(refs):
        refs[ref[:-17] + "zzzzzzzz/00000001"] = commits[0]

    def souths_log_as_its_next_volume(refs):
        refs[ref[:-1] + "2"] = commits[0]

    def the_greeting_as_a_log(refs):
        refs[ref] = refs["refs/heads/dutybook"]

    for attack in (my_commit_as_souths, souths_commit_as_mine, souths_log_as_a_new_one,
                   souths_log_as_its_next_volume, the_greeting_as_a_log):
        before = told.north.status()
        told.host.lie = listing(attack)
        told.north.sync(expect=None)
        after = told.north.status()
        assert told.host.lied, attack.__name__
        assert after["digest"] == before["digest"] and titles(told.north) == titles(told.south) | \
            {"north"}
        alarm = told.alarm("refused")
        name = (own if attack is souths_commit_as_mine else ref).split("/")[3].split("-")[0]
        assert alarm and name in alarm["message"] and "hub" in alarm["message"], \
            f"{attack.__name__}: {after['alarms']}"
        told.attacks += 1
        told.host.lie = None
        assert told.north.sync()[0]["ok"]
        assert not told.alarm("refused"), attack.__name__
    told.exchange("afterwards")
    assert "afterwards" in titles(told.north)
    told.count(counted)


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not here")
def test_it_hides_what_is_new(told, counted):
    """Each receipt says when its site will next be heard; only silence after that is an alarm."""
    told.south.client("remote", "set", "hub", "--window", "22:00-05:00")
    told.south.add_file([duty("with a promise")])
    told.south.sync()
    ref, commits = told.log_of(told.south)
    told.north.sync()
    site = told.south.one("status")["site"]["id"]
    peer = next(one for one in told.north.status()["peers"] if one["site"] == site)
    assert peer["next_heard"]

    def hide(refs):
        refs[ref] = commits[0]

    def days_later(site, days):
        site.stop()
        site.clock(f"+{days}d")
        site.start()

    told.host.lie = listing(hide)
    days_later(told.north, 0)
    told.north.sync()
    assert not told.alarm("silent"), "it is not due yet"
    # South goes on, night after night; the host shows North none of it.
    for days in (1, 2, 3):
        days_later(told.south, days)
        told.south.add_file([duty(f"night {days}")])
        told.south.sync()
    days_later(told.north, 3)
    told.north.sync()
    alarm = told.alarm("silent")
    assert alarm and site in alarm["message"] and "withholds" in alarm["message"]
    assert "Ask there" in alarm["message"] and "night 3" not in titles(told.north)
    told.north.client("status", "--check", expect=1)
    told.attacks += 1
    # The whole log hidden is the same to North.
    told.host.lie = listing(lambda refs: refs.pop(ref))
    told.north.sync(expect=None)
    assert told.alarm("silent") and told.alarm("gone-back")
    told.attacks += 1
    told.host.lie = None
    told.north.sync()
    assert "night 3" in titles(told.north)
    assert not told.alarm("silent"), "heard again"
    # The twin: a quiet site that has nothing to say says so each night, and raises no alarm.
    told.exchange()
    days_later(told.south, 4)
    told.south.sync()
    days_later(told.north, 4)
    told.north.sync()
    assert not told.alarm("silent")
    told.count(counted)


def test_it_says_that_it_stored_what_it_did_not(told, counted):
    """Takes a push, says ok, and keeps nothing: nothing counts as delivered that is not listed."""
    def swallow(talk):
        refs = told.hub.refs()
        first = True
        for name, tip in refs.items():
            talk.send(packet(f"{tip} {name}" + ("\0report-status side-band-64k ofs-delta "
                                                "object-format=sha1\n" if first else "\n")))
            first = False
        talk.send(FLUSH)
        wanted = []
        while (size := talk.reader.read(4)) != FLUSH:
            wanted.append(talk.reader.read(int(size, 16) - 4).split(b"\0")[0].split()[2])
        report = packet("unpack ok\n") + b"".join(packet(b"ok " + ref + b"\n") for ref in wanted)
        talk.band(1, report + FLUSH)
        talk.send(FLUSH)
        with contextlib.suppress(OSError):
            while talk.link.recv(65536):
                pass

    def lacks_everything(talk):
        """Has nothing, it says, to be given all there is."""
        talk.send(packet(f"{'0' * 40} capabilities^{{}}\0report-status side-band-64k "
                         "object-format=sha1\n") + FLUSH)
        while (size := talk.reader.read(4)) not in (FLUSH, b""):
            talk.reader.read(int(size, 16) - 4)

    for attack in (swallow, lacks_everything):
        told.north.add_file([duty(f"north {attack.__name__}")])
        told.host.push_lie, lied = attack, told.host.lied
        outcome = told.north.sync(expect=1)[0]
        told.host.push_lie = None
        assert told.host.lied > lied
        assert not outcome["ok"] and "hub" in outcome["error"], attack.__name__
        assert told.north.status()["remotes"][0]["undelivered"] == 1, attack.__name__
        told.attacks += 1
        assert told.north.sync()[0]["ok"]
        assert told.north.status()["remotes"][0]["undelivered"] == 0
    told.south.sync()
    assert "north swallow" in titles(told.south)
    told.count(counted)


def test_a_folder_that_would_run_programs(world, counted):
    """A stick, a share: whoever could write to it chose its hooks and settings."""
    north = world.site("North").start()
    sign = world.directory / "ran"
    attacks = 0

    def program(path):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho ran >> {sign}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def hooks(stick):
        for hook in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction",
                     "proc-receive", "pre-auto-gc", "push-to-checkout"):
            program(stick / "hooks" / hook)

    def setting(name, value):
        def set_it(stick):
            script = program(world.directory / "script")
            world.git("config", "--file", stick / "config", name, value.format(script))
        set_it.__name__ = name
        return set_it

    def alternates(stick):
        (stick / "objects/info").mkdir(exist_ok=True)
        (stick / "objects/info/alternates").write_text(f"{world.home}/objects\n")

    def common_directory(stick):
        (stick / "commondir").write_text(f"{world.home}\n")

    def in_place_of(name, put):
        def replace(stick):
            (stick / name).unlink(missing_ok=True)
            put(stick / name)
        replace.__name__ = f"{put.__name__} as {name}"
        return replace

    def a_link(path):  # git finds no repository behind it, and takes the one beside it
        (path.parent / "told").write_text("ref: refs/heads/dutybook\n")
        path.symlink_to("told")
        shutil.copytree(path.parent, f"{path.parent}.git", symlinks=True)
        other = pathlib.Path(f"{path.parent}.git")
        (other / "HEAD").unlink()
        (other / "told").rename(other / "HEAD")
        setting("remote.x.uploadpack", "{}")(other)

    def a_folder_elsewhere(path):
        shutil.copytree(path.parent, world.directory / "elsewhere")
        setting("core.fsmonitor", "{}")(world.directory / "elsewhere")
        path.symlink_to(world.directory / "elsewhere")

    def a_line_that_goes_on(stick):  # as git reads it, uploadpack is a remote's
        with open(stick / "config", "ab") as config:
            config.write(b'[remote "x"]\r\n\turl = a\\\r\n[daemon]\r\n\tuploadpack = /x\r\n')

    attacks_known = [*(in_place_of(name, os.mkfifo) for name in
                       ("HEAD", "config", "packed-refs", "shallow", "refs/heads/x",
                        "objects/info/commit-graph")),
                     in_place_of("HEAD", a_link), in_place_of(".git", a_folder_elsewhere),
                     a_line_that_goes_on, hooks, setting("core.hooksPath", "/tmp"), setting("core.fsmonitor", "{}"),
                     setting("core.alternateRefsCommand", "{}"), setting("core.sshCommand", "{}"),
                     setting("uploadpack.packObjectsHook", "{}"), setting("core.pager", "{}"),
                     setting("remote.x.uploadpack", "{}"), setting("remote.x.promisor", "true"),
                     setting("extensions.partialClone", "x"), setting("include.path", "{}"),
                     setting("includeIf.gitdir:/.path", "{}"), setting("gc.recentObjectsHook", "{}"),
                     setting("receive.procReceiveRefs", "refs"), setting("filter.x.clean", "{}"),
                     setting("core.gitProxy", "{}"), setting("core.worktree", "/"),
                     alternates, common_directory]
    for number, attack in enumerate(attacks_known):
        stick = world.bare(f"stick{number}")
        name = f"stick{number}"
        north.client("remote", "add", name, stick)
        # The twin: the folder as git makes it, with the settings that a clone has.
        world.git("config", "--file", stick / "config", "remote.origin.url", "https://x.example/x")
        north.add_file([duty(f"before {number}")])
        assert north.sync(expect=0) if number == 0 else \
            north.client("sync", "--remote", name).one["ok"]
        attack(stick)
        before = world.git("-C", stick, "for-each-ref") if attack in (hooks,) else None
        north.add_file([duty(f"after {number}")])
        outcome = north.client("sync", "--remote", name, expect=None).one
        assert not sign.exists(), f"{attack.__name__} ran a program"
        if attack is hooks:  # they are passed over, the rest of the folder is used
            assert outcome["ok"] and world.git("-C", stick, "for-each-ref") != before
        else:
            assert not outcome["ok"] and name in outcome["error"], attack.__name__
            assert "leads git" in outcome["error"] or "could run a program" in outcome["error"]
            assert not north.client("remote", "check", name, expect=1).one["ok"]
        attacks += 1
        north.client("remote", "remove", name)
    counted(f"{attacks} attacks, {attacks} refused or bounded, 0 accepted")


def test_a_member_claims_to_have_seen_what_nobody_wrote(told, counted):
    """An inflated frontier: its operations count, as every fact does, and everybody is told."""
    mallory = Member(told.world.invited(told.north, "Mallory"), told.hub)
    told.north.add_file([duty("north")])
    told.north.sync()
    south_ref, south_commits = told.log_of(told.south)
    north_ref, north_commits = told.log_of(told.north)
    south, north = south_ref.split("/")[3], north_ref.split("/")[3]
    claims = {
        "the future of South": {south: [1_000_000, "a" * 40]},
        "a segment that South did not write": {south: [2, "b" * 40]},
        "another segment of South": {south: [1, south_commits[0]]},
        "the future of North": {north: [50, north_commits[0]]},
        "a log that nobody has": {f"{'q' * 26}-abcdefgh": [3, "c" * 40]},
    }
    for name, frontier in claims.items():
        writer, ref, _ = mallory.log([operation(name)], frontier=frontier)
        told.exchange(f"beside {name}")
        assert {name, f"beside {name}"} <= titles(told.north)
        alarm = told.alarm("claim")
        assert alarm, f"{name}: {told.north.status()['alarms']}"
        alarm = next(one for one in told.north.status()["alarms"]
                     if one["kind"] == "claim" and one["subject"] == writer)
        assert mallory.site in alarm["message"] and next(iter(frontier)) in alarm["message"]
        assert "ask " in alarm["message"]
        told.attacks += 1
        # The twin: what South really wrote, seen where it stands.
        south_commits = told.log_of(told.south)[1]
        honest, _, _ = mallory.log([operation(f"honest {name}")],
                                   frontier={south: [len(south_commits), south_commits[0]]})
        told.north.sync()
        assert f"honest {name}" in titles(told.north)
        assert honest not in {one["subject"] for one in told.north.status()["alarms"]}
    told.count(counted)
