"""One changed byte anywhere in what a remote holds is refused, by stock git and by us.

Of a space with members that come, go and change their keys, every commit of every log and of the
control log is taken, and one byte of it, of its tree and of its blob is changed at many places:
headers, parents, times, signature, message, modes and names, what is authenticated and what is
encrypted. What comes of it bears the signature that was there. By default a few places of the
newest commit of each ref; `DUTYBOOK_TEST_LONG=1` takes every place of the small objects of all."""

import os
import subprocess
import zlib

from dutybook import duty
from forge import Repository
from test_trust import meet, three, verifies

LONG = bool(os.environ.get("DUTYBOOK_TEST_LONG"))
PLACES = 10_000 if LONG else 3  # in one object


def raw(world, hub, kind, name):
    return subprocess.run(["git", "-C", str(hub), "cat-file", kind, name], env=world.environment,
                          capture_output=True, check=True).stdout


def places(length):
    step = max(1, length // PLACES)
    return sorted({*range(0, length, step), length - 1})


def changed(content, at):
    return content[:at] + bytes([content[at] ^ (1 << at % 8 or 1)]) + content[at + 1:]


def forgeries(world, host, commit):
    """(what was changed, the commit that comes of it), with the signature that stood there."""
    text = raw(world, host.path, "commit", commit)
    tree = text[5:45].decode()
    listed = raw(world, host.path, "tree", tree)
    blob = listed[-20:].hex()
    content = raw(world, host.path, "blob", blob)
    for at in places(len(text)):
        yield f"commit byte {at}", host.put("commit", changed(text, at))
    for at in places(len(listed)):
        other = host.put("tree", changed(listed, at))
        yield f"tree byte {at}", host.put("commit", text.replace(tree.encode(), other.encode(), 1))
    for at in places(len(content)):
        leaf = host.put("blob", changed(content, at))
        other = host.put("tree", listed[:-20] + bytes.fromhex(leaf))
        yield f"blob byte {at}", host.put("commit", text.replace(tree.encode(), other.encode(), 1))


def space_of_a_year(world):
    north, south, west, hub = three(world)
    north.client("members", "rotate")
    south.client("members", "rotate")
    for site in (north, south, west):
        site.add_file([duty(f"{site.name} again {i}", place="x" * i) for i in range(40)])
    meet(north, south, west, north)
    north.client("members", "remove", "West")
    meet(north, south, north)
    return north, south, hub


def test_one_changed_byte_is_refused_by_both(world, counted):
    north, south, hub = space_of_a_year(world)
    damaged_objects(world, north, hub, counted)
    meet(north, south, north)
    host = Repository(world, hub)
    refs = {ref: tip for ref, tip in host.refs().items() if ref != "refs/heads/dutybook"}
    assert len(refs) >= 6 and "refs/heads/control" in refs
    signers = world.directory / "signers"
    south.client("members", "export", "--out", signers)
    chains = {ref: world.git("-C", hub, "rev-list", ref).split() for ref in refs}
    assert all(verifies(world, hub, signers, commit) for chain in chains.values()
               for commit in chain), "the twin: every commit as it is"

    made = {ref: [(commit, what, forged) for commit in (chain if LONG else chain[:1])
                  for what, forged in forgeries(world, host, commit)]
            for ref, chain in chains.items()}
    total = sum(len(of_ref) for of_ref in made.values())
    # Stock git: each of them, by the signature alone.
    for ref, of_ref in made.items():
        for commit, what, forged in of_ref:
            assert forged != commit
            assert not verifies(world, hub, signers, forged), (ref, commit, what)

    # We: one forgery of each ref at a time stands at the remote; nothing of it is taken over.
    digest, held = south.digest(), south.git("for-each-ref")
    forged_ids = {forged for of_ref in made.values() for _, _, forged in of_ref}
    rounds = max(len(of_ref) for of_ref in made.values())
    step = 1 if LONG else max(1, rounds // 4)
    offered = 0
    for turn in range(0, rounds, step):
        for ref, of_ref in made.items():
            host.set(ref, of_ref[turn % len(of_ref)][2])
            offered += 1
        failed = south.client("sync", expect=(0, 1)).one["error"]
        assert south.digest() == digest, turn
        now = south.git("for-each-ref")
        kept = [line for line in now.splitlines() if line.split()[0] in forged_ids]
        assert not kept, (turn, kept)
        told = " ".join(alarm["message"] for alarm in south.status()["alarms"])
        for ref, of_ref in made.items():
            commit, what, forged = of_ref[turn % len(of_ref)]
            # What git itself cannot hand out of the control log ends in the contact's own error.
            unreadable = ref == "refs/heads/control" and failed
            assert ref in told or unreadable, (ref, what, told, failed)
    assert south.git("for-each-ref", "refs/heads") == "\n".join(
        line for line in held.splitlines() if "\trefs/heads/" in line) + "\n"
    for ref, tip in refs.items():
        host.set(ref, tip)
    south.add_file([duty("goes on")])
    meet(south, north)
    assert north.digest() == south.digest()
    counted(f"{total} changed bytes refused by git, {offered} of them offered to us and refused")


def damaged_objects(world, north, hub, counted):
    """The same name, other bytes: what a host's own disk makes, or a host that does not care."""
    host = Repository(world, hub)
    world.git("-C", hub, "config", "core.looseCompression", "0")
    listed = world.git("-C", hub, "rev-list", "--objects", "--all").split("\n")
    names = [line.split()[0] for line in listed if line]
    packs = list((hub / "objects/pack").glob("*.pack"))
    if packs:  # git keeps what is pushed as packs: loose, each can be damaged alone
        aside = world.directory / "packs"
        aside.mkdir()
        for pack in packs:
            pack.rename(aside / pack.name)
        for other in (hub / "objects/pack").iterdir():
            other.unlink()
        for pack in aside.iterdir():
            host.git("unpack-objects", "-q", data=pack.read_bytes())
    world.git("-C", hub, "fsck", "--strict")
    sound = world.copy(hub, world.directory / "sound.git")
    step = 1 if LONG else max(1, len(names) // 5)
    damaged = 0
    for name in names[::step]:
        path = hub / "objects" / name[:2] / name[2:]
        inside = zlib.decompress(path.read_bytes())
        path.chmod(0o644)
        path.write_bytes(zlib.compress(changed(inside, len(inside) - 1 - damaged % 7)))
        ran = subprocess.run(["git", "-C", str(hub), "fsck"], env=world.environment,
                             capture_output=True)
        assert ran.returncode != 0, name
        fresh = world.invited(north, f"Fresh{damaged}").start()
        fresh.client("sync", expect=(0, 1))
        fresh.git("fsck", "--strict")  # what it holds is what its name says
        # What it has from elsewhere (the invitation, its own README) it does not ask for.
        own = name in fresh.git("rev-list", "--objects", "--all")
        status = fresh.status()
        assert own or status["alarms"] or status["remotes"][0]["error"], name
        fresh.stop()
        world.copy(sound, hub)  # a folder that is damaged is moved aside and made anew
        damaged += 1
    counted(f"{damaged} damaged objects: found by git fsck, none taken over")
