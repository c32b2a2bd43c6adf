"""Files of a store damaged while the daemon is down: found, named, healed."""

import os
import subprocess

import pytest
from dutybook import duty


@pytest.fixture
def filled(pair):
    """North with sealed records that the hub holds too."""
    north, south, _ = pair
    for part in range(3):
        north.add_file(duty(f"{part} {i}") for i in range(30))
        north.sync()
    south.add_file(duty(f"south {i}") for i in range(30))
    south.sync()
    north.sync()
    return north


def index_of(site):
    return site.store / "spaces" / site.space / "index.db"


@pytest.mark.parametrize("damage", ["delete", "truncate", "rubbish", "half", "empty", "folder",
                                    "folder for a mark"])
def test_a_damaged_index_is_made_anew(filled, damage):
    north, before = filled, filled.digest()
    north.stop()
    path = index_of(north)
    size = path.stat().st_size
    if damage == "delete":
        path.unlink()
    elif damage.startswith("folder"):
        path = path if damage == "folder" else path.with_name("index.db.clean")
        path.unlink()
        path.mkdir()
        (path / "somebody's").write_text("kept")
    elif damage == "truncate":
        os.truncate(path, size // 2)
    elif damage == "empty":
        os.truncate(path, 0)
    elif damage == "rubbish":
        path.write_bytes(os.urandom(size))
    else:
        with open(path, "r+b") as file:
            file.seek(size // 2)
            file.write(os.urandom(size // 2))
    north.start()
    if damage.startswith("folder"):
        aside, = path.parent.glob(path.name + ".damaged-*")
        assert (aside / "somebody's").read_text() == "kept"
    assert north.digest() == before
    assert north.status()["records"] == 120
    assert len(north.many("search", "south", "--limit", 0)) == 30


def test_rebuild_gives_the_same_digest(filled):
    before = filled.status()
    filled.client("rebuild")
    after = filled.status()
    assert (after["digest"], after["operations_digest"]) == (before["digest"],
                                                             before["operations_digest"])


def loose(site, kind):
    """The path of a loose object of the kind that belongs to North's log."""
    git = site.store / "spaces" / site.space / "log.git"
    listed = site.git("cat-file", "--batch-check", "--batch-all-objects").splitlines()
    for line in listed:
        name, what, _ = line.split()
        path = git / "objects" / name[:2] / name[2:]
        if what == kind and path.exists():
            return path
    assert unpack(site, git), f"no {kind} at all"
    return loose(site, kind)


def unpack(site, git):
    """As an administrator might. Whether there was anything."""
    packs = list((git / "objects/pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        for suffix in (".pack", ".idx", ".rev"):
            pack.with_suffix(suffix).unlink(missing_ok=True)
        subprocess.run(["git", "-C", git, "unpack-objects", "-q"], input=data, check=True,
                       env=site.environment)
    return packs != []


def damage_object(site, name, where):
    """One object, alone or in a pack of everything."""
    git = site.store / "spaces" / site.space / "log.git"
    if where == "packed":
        pack = packed(site)
        lines = site.git("verify-pack", "-v", pack).splitlines()
        at = next(int(line.split()[4]) for line in lines if line.startswith(name))
        flip(pack, (at + 20) / pack.stat().st_size)
    else:
        unpack(site, git)
        (git / "objects" / name[:2] / name[2:]).unlink()


def flip(path, where=0.5):
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        file.seek(int(size * where))
        old = file.read(1)
        file.seek(int(size * where))
        file.write(bytes([old[0] ^ 0x55]))


def folder(path):
    path.unlink()
    path.mkdir()


def packed(site):
    site.git("repack", "-a", "-d", "-q")
    git = site.store / "spaces" / site.space / "log.git"
    return next((git / "objects/pack").glob("*.pack"))


def log_ref(site):
    git = site.store / "spaces" / site.space / "log.git"
    paths = sorted((git / "refs/heads/log").rglob("*"))
    paths = [one for one in paths if one.is_file()]
    if not paths:
        name = site.git("for-each-ref", "--format=%(refname)", "refs/heads/log").split()[0]
        path = git / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
    return paths[0]


DAMAGE = {
    "a blob": lambda site: flip(loose(site, "blob")),
    "a tree": lambda site: flip(loose(site, "tree")),
    "a commit": lambda site: flip(loose(site, "commit")),
    "a packed object": lambda site: flip(packed(site)),
    "a pack index": lambda site: flip(packed(site).with_suffix(".idx")),
    "a folder for a pack": lambda site: folder(packed(site)),
    "a ref": lambda site: log_ref(site).write_text(""),
    "HEAD": lambda site: (site.store / "spaces" / site.space / "log.git/HEAD").write_text(""),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_in_the_log_is_named_and_healed(filled, what):
    north, before = filled, filled.digest()
    north.stop()
    DAMAGE[what](north)
    north.start()
    ran = north.client("verify", expect=(6, 7))
    damage = ran.objects[-1]["damage"]
    assert damage and all(one["file"] and one["what"] for one in damage), ran
    if ran.code == 7:  # a name that is lost is written again at once; content needs repair
        rehearsed = north.client("repair", "--dry-run", expect=None)
        assert north.client("verify", expect=7).objects[-1]["damage"], rehearsed
        north.client("repair", expect=6)
    after = north.client("verify", "--full", expect=(0, 6)).objects[-1]["damage"]
    assert all(one["healed"] for one in after)  # what the start healed is told until the next
    north.client("rebuild")
    assert north.digest() == before
    assert "error" not in north.git("fsck", "--strict")
    north.add_file([duty("after")])
    assert north.sync()[0]["ok"]


def log_refs(site):
    return set(site.git("for-each-ref", "--format=%(refname)", "refs/heads/log").split())


@pytest.mark.parametrize("where", ["loose", "packed"])
def test_a_peers_log_that_has_a_hole_is_fetched_again(pair, where):
    """The commits after the hole are sound: they must not be taken for a log that is held."""
    north, south, _ = pair
    north.add_file([duty("north")])
    north.sync()
    before = log_refs(north)
    for part in range(3):
        south.add_file(duty(f"{part} {i}") for i in range(30))
        south.sync()
        north.sync()
    ref, = log_refs(north) - before
    blob = north.git("ls-tree", "--object-only", f"{ref}~1").strip()
    digest = north.digest()
    damage_object(north, blob, where)
    north.stop()
    index_of(north).unlink()  # what is shown must not be the only witness of what is missing
    north.start()
    assert north.client("verify", "--full", expect=7).objects[-1]["damage"]
    healed = north.client("repair", expect=6).objects[-1]["damage"]
    assert any(one["how"] == "fetched again from a remote" for one in healed), healed
    assert north.client("verify", "--full", expect=0).objects[-1]["damage"] == []
    assert north.digest() == digest
    assert north.sync()[0]["ok"]


def test_an_invited_site_starts_with_its_own_log_damaged(pair):
    """Its first segment says by which invitation it came."""
    _, south, _ = pair
    south.add_file(duty(f"south {i}") for i in range(30))
    south.sync()
    digest = south.digest()
    ref, = [one for one in log_refs(south) if south.one("status")["site"]["id"] in one]
    damage_object(south, south.git("rev-parse", ref).strip(), "loose")
    south.kill()
    south.start()
    assert south.client("verify", expect=7).objects[-1]["damage"]
    south.client("repair", expect=6)
    assert south.client("verify", "--full", expect=(0, 6)).objects[-1]["ok"]
    assert south.digest() == digest


def test_what_no_remote_has_is_not_called_healed(pair):
    north, south, _ = pair
    north.add_file([duty("north")])
    north.sync()
    before = log_refs(north)
    south.add_file(duty(f"south {i}") for i in range(30))
    south.sync()
    north.sync()
    ref, = log_refs(north) - before
    blob = north.git("ls-tree", "--object-only", ref).strip()
    damage_object(north, blob, "packed")
    north.stop()
    index_of(north).unlink()
    north.start()
    north.client("remote", "remove", "hub")
    assert north.client("repair", expect=8).objects[-1]["damage"]


def test_a_folder_in_the_place_of_the_lock_is_told_with_what_to_do(filled):
    filled.stop()
    lock = filled.store / "lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(AssertionError, match="a folder stands in its place; move that folder away"):
        filled.start()


def test_the_end_of_the_journal_lost_with_the_index_is_told(filled):
    """The index is the witness of the last transaction, and gives it back; without it, it is known
    that something is gone."""
    north = filled
    north.restart()
    north.add_file([duty("the last of all")])
    before = north.digest()
    north.kill()
    wal = north.store / "spaces" / north.space / "journal.db-wal"
    index_of(north).unlink()
    whole = wal.read_bytes()
    wal.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    north.start()
    assert north.digest() != before
    told = north.client("verify", expect=8).objects[-1]["damage"]
    assert any("journal.db-wal" in one["file"] and one["lost"] and "1 acknowledged" in one["what"]
               for one in told), told
    alarm, = [one for one in north.status()["alarms"] if one["kind"] == "operations-lost"]
    assert "restore a backup" in alarm["message"]
    north.restart()
    assert any(one["kind"] == "operations-lost" for one in north.status()["alarms"])
    north.client("repair", expect=None)
    assert not any(one["kind"] == "operations-lost" for one in north.status()["alarms"])
    assert north.request("POST", "/v1/spaces/-/records", duty("after"))[0] == 201


def pipe(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path.name)


def link(path):
    path.symlink_to(path.parent / "somebody's")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_is_no_file_stops_nothing_in_silence(filled, end):
    """A named pipe would be waited for, a link leads to somebody else's file."""
    north, before = filled, filled.digest()
    for name in ("lock", "reserve", "plugins.json", "site.json", "pack"):
        for put in (pipe, loop, link):
            path = packed(north).with_suffix(".idx") if name == "pack" else north.store / name
            other = path.parent / "somebody's"
            other.write_text("kept")
            north.stop() if end == "stop" else north.kill()
            path.unlink()
            put(path)
            if name == "lock":
                with pytest.raises(AssertionError, match="lock.*; move "):
                    north.start()
                north.kill()
                path.unlink()
                north.start()
            else:
                north.start()
                told = north.client("verify", expect=None).objects[-1]["damage"]
                north.client("repair", expect=None)
                assert name == "reserve" or any(path.name in one["file"] for one in told), told
            assert north.digest() == before, (name, put)
            assert other.read_text() == "kept", (name, put)
            other.unlink()


@pytest.mark.parametrize("what", ["log.git", "log.git/objects", "log.git/refs"])
def test_a_file_in_the_place_of_the_log_stops_neither_writes_nor_reads(filled, what):
    north, before = filled, filled.digest()
    path = north.store / "spaces" / north.space / what
    north.kill()
    path.rename(north.store.parent / "kept")
    path.write_text("somebody's")
    north.start()
    assert north.digest() == before
    assert north.request("POST", "/v1/spaces/-/records", duty("written"))[0] == 201
    before = north.digest()
    assert "log.git" in north.client("verify", expect=7).objects[-1]["damage"][0]["file"]
    north.client("repair", expect=6)
    assert north.client("verify", "--full", expect=(0, 6)).objects[-1]["ok"]
    assert north.sync()[0]["ok"]
    assert north.digest() == before
    north.client("rebuild")
    assert north.digest() == before


def test_a_second_daemon_is_refused_though_the_lock_was_deleted(filled):
    (filled.store / "lock").unlink()
    ran = subprocess.run([filled.programs / "dutybookd", "--store", filled.store, "--http", "off"],
                         env=filled.environment, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 1 and "is in use" in ran.stderr
    filled.client("status")
    filled.kill()
    filled.start()
