"""What a host of the remote can read and forge: signatures that stock git verifies, and objects
that show no word of what was written."""

import ctypes
import json
import shutil
import subprocess

from dutybook import duty


def refs(world, repository):
    lines = world.git("-C", repository, "for-each-ref", "--format=%(refname)").split()
    return [line for line in lines if line.startswith("refs/heads/log/")]


def commits(world, repository):
    return [commit for ref in refs(world, repository)
            for commit in world.git("-C", repository, "rev-list", ref).split()]


def verifies(world, repository, signers, commit):
    done = subprocess.run(
        ["git", "-C", str(repository), "-c", "gpg.format=ssh",
         "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", commit],
        env=world.environment, capture_output=True)
    return done.returncode == 0


def unzstd(frame):
    """The content of a zstd frame; nothing if it is none (Python's own library has no zstd)."""
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    library.ZSTD_decompress.restype = ctypes.c_size_t
    size = library.ZSTD_getFrameContentSize(frame, ctypes.c_size_t(len(frame)))
    if size > 1 << 26:  # also what it answers for an error
        return b""
    out = ctypes.create_string_buffer(size)
    got = library.ZSTD_decompress(out, ctypes.c_size_t(size), frame, ctypes.c_size_t(len(frame)))
    return out.raw if got == size else b""


def control(world, repository):
    return world.git("-C", repository, "rev-list", "refs/heads/control").split()


def changed(world, repository, commit, at):
    """The commit with one byte changed, written as another object."""
    content = bytearray(subprocess.run(
        ["git", "-C", str(repository), "cat-file", "commit", commit], env=world.environment,
        capture_output=True, check=True).stdout)
    content[at] ^= 1
    done = subprocess.run(
        ["git", "-C", str(repository), "hash-object", "-t", "commit", "-w", "--literally",
         "--stdin"], env=world.environment, input=bytes(content), capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_stock_git_verifies_every_commit(world, pair, tmp_path):
    north, south, hub = pair
    for site in (north, south):
        site.add_file(duty(f"{site.name} {i}") for i in range(20))
    for site in (north, south, north, south):
        site.sync()
    everything = commits(world, hub) + control(world, hub)
    assert len(everything) >= 4
    signers = tmp_path / "signers"
    for site in (north, south):  # with the daemon, and without
        for running in (True, False):
            if not running:
                site.stop()
            signers.unlink(missing_ok=True)
            assert site.one("members", "export", "--out", signers)["keys"] == 2
            assert all(verifies(world, hub, signers, commit) for commit in everything)
    # One changed byte anywhere in a commit.
    one = commits(world, hub)[0]
    length = int(world.git("-C", hub, "cat-file", "-s", one))
    for at in range(0, length, max(1, length // 40)):
        assert not verifies(world, hub, signers, changed(world, hub, one, at)), at
    # A signer that is not listed is not accepted.
    lines = signers.read_text().splitlines(keepends=True)
    signers.write_text(lines[0])
    assert not all(verifies(world, hub, signers, commit) for commit in everything)


def test_members_are_listed(pair):
    north, south, _ = pair
    own = north.one("status")["site"]["id"]
    members = {one["name"]: one for one in north.many("members")}
    assert members["North"]["site"] == own and members["North"]["pen"]
    assert members["South"]["state"] == "invited" and members["South"]["key"] is None
    south.sync()  # it introduces itself before it has written anything
    north.sync()
    members = {one["site"]: one for one in north.many("members")}
    assert len(members) == 2 and members[own]["own"]
    other = next(one for one in members.values() if not one["own"])
    assert other["name"] == "South" and other["state"] == "active" and other["role"] == "writer"
    assert other["last_heard"] and other["logs"] == 1
    assert other["key"].startswith("ssh-ed25519 ")


def test_an_invitation_under_a_passphrase(world):
    north = world.site("North").start()
    north.environment["DUTYBOOK_PASSPHRASE"] = "correct horse battery"
    file = world.directory / "south.invite"
    assert north.one("invite", "South", "--out", file)["passphrase"] is True
    assert file.stat().st_mode & 0o777 == 0o600
    assert "school" not in file.read_text()
    south = world._site("South", "")
    assert south.client("join", file, expect=2).code == 2
    south.environment["DUTYBOOK_PASSPHRASE"] = "another"
    assert south.client("join", file, expect=None).code not in (0, 2)
    assert not (south.store / "site.json").exists()
    south.environment["DUTYBOOK_PASSPHRASE"] = "correct horse battery"
    south.client("join", file)
    keys = [json.loads((site.store / "spaces/school/keys.json").read_text())
            for site in (north, south)]
    assert keys[0] == keys[1]


def test_without_keys_the_daemon_says_so_and_writes_nothing_in_plain(world):
    north = world.site("North")
    (north.store / "spaces/school/keys.json").unlink()
    (north.store / "spaces/school/keys.json.kept").unlink()  # it would be healed
    north.spawn()
    assert north.process.wait(20) != 0
    assert "keys.json" in north.log.read_text()


# --- members who come and go ---

def three(world):
    """North holds the pen; South and West write; all have met at the hub."""
    north = world.site("North").start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    south, west = (world.invited(north, name).start() for name in ("South", "West"))
    for site in (north, south, west):
        site.add_file([duty(f"{site.name} {i}") for i in range(3)])
    meet(north, south, west, north, south, west)
    return north, south, west, hub


def meet(*sites):
    for site in sites:
        site.client("sync", expect=(0, 1))


def second_administrator(world, north):
    """Deputy, invited by North and running."""
    invitation = world.directory / "Deputy.invite"
    north.client("invite", "Deputy", "--role", "admin", "--out", invitation)
    deputy = world._site("Deputy", "")
    deputy.client("join", invitation)
    deputy.space = "school"
    deputy.start()
    return deputy


def titles(site):
    return sorted(one["fields"]["title"] for one in site.many("list", "core.duty"))


def alarms(site, kind):
    return [one for one in site.status()["alarms"] if one["kind"] == kind]


def member(site, name):
    return next(one for one in site.many("members") if one["name"] == name)


def test_a_removed_member(world):
    north, south, west, hub = three(world)
    assert len(titles(west)) == 9
    # South writes on; West takes some of it over before it hears of the removal.
    south.add_file([duty("South later")])
    north.client("members", "remove", "South")
    meet(south, west)
    assert "South later" in titles(west)
    meet(north, west, south, north, west)
    south.add_file([duty("South much later")])
    meet(south, north, west, north, west)
    for site in (north, west):
        assert not [one for one in titles(site) if "later" in one]
        assert len(titles(site)) == 9, "its earlier history stays valid"
        gone = member(site, "South")
        assert gone["state"] == "removed"
        assert sum(one["operations"] for one in gone["quarantined"]) >= 1, gone
        alarm = alarms(site, "removed-site")
        assert alarm and "South" in alarm[0]["message"] and "refs/heads/log/" in alarm[0]["message"]
    assert north.digest() == west.digest()

    # It cannot read the new epoch.
    north.add_file([duty("not for South")])
    meet(north, west, south)
    assert "not for South" in titles(west) and "not for South" not in titles(south)
    keys = [json.loads((site.store / "spaces/school/keys.json").read_text())["epochs"]
            for site in (north, south)]
    assert len(keys[0]) == 2 and keys[1] == [keys[0][0]]
    assert alarms(south, "control-refused") and south.add_file([duty("goes on here")])

    # A person takes it in all the same.
    north.client("members", "adopt", "South")
    meet(north, west, north, west)
    for site in (north, west):
        assert "South later" in titles(site)
    assert north.digest() == west.digest()


def test_what_is_so_already_is_not_written_again(world):
    north, south, west, hub = three(world)
    north.client("members", "remove", "South")
    head = north.git("rev-parse", "refs/heads/control")
    epochs = (north.store / "spaces/school/keys.json").read_bytes()
    north.client("members", "remove", "South")
    north.client("members", "pen", "North")
    assert north.git("rev-parse", "refs/heads/control") == head
    assert (north.store / "spaces/school/keys.json").read_bytes() == epochs


def test_an_old_control_entry_replayed_is_refused(world):
    north, south, west, hub = three(world)
    before = world.git("-C", hub, "rev-parse", "refs/heads/control").strip()
    north.client("members", "remove", "South")
    meet(north, west)
    after = world.git("-C", hub, "rev-parse", "refs/heads/control").strip()
    assert before != after
    world.git("-C", hub, "update-ref", "refs/heads/control", before)
    meet(west)
    assert [one for one in alarms(west, "gone-back") if "control" in one["message"]]
    assert world.git("-C", hub, "rev-parse", "refs/heads/control").strip() == after
    assert member(west, "South")["state"] == "removed"
    meet(west, north)
    assert not alarms(west, "gone-back") and not alarms(north, "gone-back")


def test_the_recovery_key_makes_a_new_administrator(world):
    north = world._site("North", "school")
    key = north.one("init", "--site", "North", "--tz", "America/New_York")["recovery_key"]
    north.start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    south = world.invited(north, "South").start()
    for site in (north, south):
        site.add_file([duty(site.name)])
    meet(north, south, north)
    north.stop()
    shutil.rmtree(north.store)

    office = world._site("Office", "")
    wrong = office.client("recover", "--key", "aaaa-bbbb", "--remote", hub, "--site", "Office",
                          expect=None)
    assert wrong.code not in (0, 2)
    none = office.client("recover", "--key", "--remote", hub, "--site", "Office", expect=2)
    assert "DUTYBOOK_RECOVERY_KEY" in none.problem["detail"]
    office.environment["DUTYBOOK_RECOVERY_KEY"] = key  # stands in no arguments
    office.client("recover", "--remote", hub, "--site", "Office")
    office.space = "school"
    office.start()
    meet(office)
    assert titles(office) == ["North", "South"]
    office.client("members", "remove", "North")
    office.add_file([duty("Office")])
    meet(office, south, office)
    assert titles(south) == titles(office) == ["North", "Office", "South"]
    assert south.digest() == office.digest()
    for site in (office, south):
        assert member(site, "North")["state"] == "removed"
        assert member(site, "Office")["pen"] and member(site, "Office")["role"] == "admin"
    # It invites as the old one did.
    east = world.invited(office, "East").start()
    meet(east)
    assert titles(east) == ["North", "Office", "South"]


def test_two_administrators_apart(world):
    """A copy of the store that holds the pen acts too: one act holds everywhere, the other is
    listed at every site until it is done again."""
    north, south, west, hub = three(world)
    north.stop()
    twin = world._site("Twin", "school")
    world.copy(north.store, twin.store)
    for site in (north, twin):
        site.start()
    north.client("members", "remove", "South")
    twin.client("members", "remove", "West")
    twin.add_file([duty("under the lost key")])
    meet(north, twin, north, twin, south, west, north, twin)
    removed = [{one["name"] for one in site.many("members") if one["state"] == "removed"}
               for site in (north, twin)]
    assert removed[0] == removed[1] and len(removed[0]) == 1, removed
    stays = west if removed[0] == {"South"} else south
    meet(stays, north, twin, stays)
    for site in (north, twin, stays):
        assert member(site, "South" if stays is west else "West")["state"] == "removed"
        lost = alarms(site, "control-lost")
        assert len(lost) == 1 and stays.name in lost[0]["message"], lost
        assert "under the lost key" in titles(site)
    assert north.digest() == twin.digest() == stays.digest()
    heads = {site.git("rev-parse", "refs/heads/control").strip() for site in (north, twin, stays)}
    assert len(heads) == 1
    # Done again, nobody is told any more.
    north.client("members", "remove", stays.name)
    assert not alarms(north, "control-lost")


def test_an_invitation_used_twice(world):
    north = world.site("North").start()
    north.client("remote", "add", "hub", world.bare("hub"))
    south = world.invited(north, "South").start()
    other = world._site("Other", "")
    other.client("join", world.directory / "South.invite")
    other.space = "school"
    other.start()
    south.add_file([duty("South")])
    other.add_file([duty("Other")])
    meet(south, other, north)
    assert titles(north) == ["Other", "South"]
    assert len(alarms(north, "invite-used-twice")) == 2
    sites = {one["name"]: [] for one in north.many("members")}
    for one in north.many("members"):
        sites[one["name"]].append(one["site"])
    wrong = other.one("status")["site"]["id"]
    right = next(one for one in sites["South"] if one != wrong)
    assert north.client("members", "confirm", "South", expect=None).code == 2, "ambiguous"
    north.client("members", "confirm", right)
    north.client("members", "remove", wrong)
    assert not alarms(north, "invite-used-twice")
    meet(north, south)
    assert not alarms(south, "invite-used-twice") and titles(south) == ["Other", "South"]


def test_roles_pen_and_last_words(world):
    north = world.site("North").start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    assert "one administrator" in north.status()["warnings"][0]
    invitation = world.directory / "Board.invite"
    north.client("invite", "Board", "--out", invitation, "--role", "reader")
    board = world._site("Board", "")
    board.client("join", invitation)
    board.space = "school"
    board.start()
    invitation = world.directory / "Deputy.invite"
    north.client("invite", "Deputy", "--out", invitation, "--role", "admin")
    deputy = world._site("Deputy", "")
    deputy.client("join", invitation)
    deputy.space = "school"
    deputy.start()
    north.add_file([duty("North")])
    meet(north, board, deputy, north)
    assert titles(board) == ["North"]
    refused = board.client("add", "core.duty", "title=x", "category=c", "priority=low",
                           "state=open", expect=None)
    assert refused.code == 1 and "read" in refused.problem["title"]
    assert north.status()["warnings"] == []
    # Only who holds the pen changes who belongs.
    assert "North" in deputy.client("invite", "East", "--out", world.directory / "x",
                                    expect=1).problem["detail"]
    assert north.client("members", "pen", "Board", expect=1)
    north.client("members", "pen", "Deputy")
    meet(north, deputy, board)
    deputy.client("members", "rotate")
    north.client("members", "retire")
    assert north.client("add", "core.duty", "title=x", "category=c", "priority=low", "state=open",
                        expect=None).code == 1
    meet(north, deputy, north, board)
    for site in (north, deputy, board):
        assert member(site, "North")["state"] == "retired" and titles(site) == ["North"]
        assert member(site, "Deputy")["pen"]


def test_rubbish_on_the_control_log_stops_nothing(world):
    north, south, west, hub = three(world)
    head = world.git("-C", hub, "rev-parse", "refs/heads/control").strip()
    tree = world.git("-C", hub, "rev-parse", f"{head}^{{tree}}").strip()
    for commit in (world.git("-C", hub, "-c", "user.name=x", "-c", "user.email=x@x", "commit-tree",
                             tree, "-p", head, "-m", "control 99").strip(),
                   changed(world, hub, head, -3)):
        world.git("-C", hub, "update-ref", "refs/heads/control", commit)
        south.add_file([duty("goes on")])
        meet(south)
        assert alarms(south, "control-refused")
        assert world.git("-C", hub, "rev-parse", "refs/heads/control").strip() == head, "healed"
        meet(south, west)
        assert not alarms(south, "control-refused") and "goes on" in titles(west)
