"""What a host of the remote can read and forge: signatures that stock git verifies, and objects
that show no word of what was written."""

import ctypes
import json
import subprocess

from dutybook import duty

MARKER = "zebra7391"  # short: it is part of the socket's path


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


def unpacked(world, repository):
    """Every object of a repository, its payload decompressed wherever it is compressed."""
    ids = [line.split()[0] for line in world.git(
        "-C", repository, "cat-file", "--batch-all-objects",
        "--batch-check=%(objectname) %(objecttype)").splitlines()]
    assert ids
    for one in ids:
        kind = world.git("-C", repository, "cat-file", "-t", one).strip()
        content = subprocess.run(["git", "-C", str(repository), "cat-file", kind, one],
                                 env=world.environment, capture_output=True, check=True).stdout
        yield content
        frame = content.find(b"\x28\xb5\x2f\xfd")
        if frame >= 0:
            yield unzstd(content[frame:])


def hits(world, repository, words):
    return sum(content.lower().count(word.lower().encode())
               for content in unpacked(world, repository) for word in words)


def test_stock_git_verifies_every_commit(world, pair, tmp_path):
    north, south, hub = pair
    for site in (north, south):
        site.add_file(duty(f"{site.name} {i}") for i in range(20))
    for site in (north, south, north, south):
        site.sync()
    everything = commits(world, hub)
    assert len(everything) >= 2
    signers = tmp_path / "signers"
    for site in (north, south):  # with the daemon, and without
        for running in (True, False):
            if not running:
                site.stop()
            signers.unlink(missing_ok=True)
            assert site.one("members", "export", "--out", signers)["keys"] == 2
            assert all(verifies(world, hub, signers, commit) for commit in everything)
    # A signer that is not listed is not accepted.
    lines = signers.read_text().splitlines(keepends=True)
    signers.write_text(lines[0])
    assert not all(verifies(world, hub, signers, commit) for commit in everything)


def test_members_are_listed(pair):
    north, south, _ = pair
    own = north.one("status")["site"]["id"]
    assert [one["site"] for one in north.many("members")] == [own]
    south.add_file([duty("one")])
    south.sync()
    north.sync()
    members = {one["site"]: one for one in north.many("members")}
    assert len(members) == 2 and members[own]["own"]
    other = next(one for one in members.values() if not one["own"])
    assert other["last_heard"] and other["logs"] == 1
    assert other["key"].startswith("ssh-ed25519 ")


def marked(site):
    site.add_file([duty(f"{MARKER} {i}", category=MARKER, place=MARKER, tags=[MARKER])
                   for i in range(1000)])
    site.client("add", "core.duty", f"title={MARKER}", "category=c", "priority=low", "state=open",
                by=MARKER)


def test_no_word_is_shown(world):
    north = world.site(f"{MARKER}North", space=f"{MARKER}space").start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    south = world.invited(north, f"{MARKER}South").start()
    marked(north)
    for site in (north, south, north):
        site.sync()
    assert south.status()["records"] == 1001
    assert refs(world, hub)
    assert hits(world, hub, [MARKER]) == 0

    # Negative control: the same without encryption is found.
    plain = world.site("Plain", space="plain")
    folder = plain.store / "spaces/plain"
    space = json.loads((folder / "space.json").read_text())
    (folder / "space.json").write_text(json.dumps({**space, "sealed": False}))
    (folder / "keys.json").unlink()
    plain.start()
    other = world.bare("other")
    plain.client("remote", "add", "other", other)
    marked(plain)
    plain.sync()
    assert hits(world, other, [MARKER]) > 1000


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
    north.spawn()
    assert north.process.wait(20) != 0
    assert "keys.json" in north.log.read_text()
