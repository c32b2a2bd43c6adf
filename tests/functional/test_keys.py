"""Keys that are replaced: who follows, what the old ones are still good for, what they are not."""

import base64
import ctypes
import json

import pytest
from dutybook import duty
from forge import REF, Keys, Member, Repository, operation, sodium
from test_trust import alarms, commits, control, meet, member, three, titles, verifies


def writers(repository, site):
    """The logs of a site at the hub: writer to tip."""
    return {ref.split("/")[3]: tip for ref, tip in repository.refs().items()
            if ref.startswith(f"refs/heads/log/{site}-")}


def signers(world, site):
    file = world.directory / f"{site.name}.signers"
    file.unlink(missing_ok=True)
    site.client("members", "export", "--out", file)
    return file


def all_verify(world, hub, site):
    everything = commits(world, hub) + control(world, hub)
    listed = signers(world, site)
    return all(verifies(world, hub, listed, commit) for commit in everything)


def test_a_site_replaces_its_keys(world):
    north, south, west, hub = three(world)
    host = Repository(world, hub)
    site = south.one("status")["site"]["id"]
    before = writers(host, site)
    assert len(before) == 1 and len(signers(world, west).read_text().splitlines()) == 3
    south.add_file([duty("South under the old key")])
    south.client("members", "rotate")
    south.add_file([duty("South under the new key")])
    meet(south, west)
    # It counts everywhere before who holds the pen has met it, and without a second act of theirs.
    assert {"South under the old key", "South under the new key"} <= set(titles(west))
    assert member(west, "South")["new_keys"] and len(member(west, "South")["keys"]) == 2
    assert all_verify(world, hub, west)
    epochs = len(json.loads((west.store / "spaces/school/keys.json").read_text())["epochs"])
    meet(north, west, south, north, west)
    for one in (north, south, west):
        keys = member(one, "South")
        assert not keys["new_keys"] and len(keys["keys"]) == 2 and keys["state"] == "active"
        assert not one.status()["alarms"]
        held = json.loads((one.store / "spaces/school/keys.json").read_text())["epochs"]
        assert len(held) == epochs + 1, "a new epoch, which the old box key does not open"
    after = writers(host, site)
    assert len(after) == 2 and set(before) < set(after)
    assert len(signers(world, west).read_text().splitlines()) == 4
    south.stop()
    assert len(signers(world, south).read_text().splitlines()) == 4, "and without a daemon"
    assert all_verify(world, hub, south)
    south.start()
    south.add_file([duty("South after a restart")])
    south.client("members", "rotate")  # and once more
    south.add_file([duty("South under the third key")])
    meet(south, north, west, south)
    assert len(member(west, "South")["keys"]) == 3
    assert north.digest() == south.digest() == west.digest()
    assert all_verify(world, hub, west) and not west.status()["alarms"]
    # Who joins afterwards reads all of it.
    east = world.invited(north, "East").start()
    meet(north, east)
    assert east.digest() == west.digest() and not east.status()["alarms"]


def test_who_has_the_old_key_writes_nothing(world, counted):
    north, south, west, hub = three(world)
    host = Repository(world, hub)
    thief = Member(south, host)
    (old, tip), = writers(host, thief.site).items()
    ref = REF.format(old, 1)
    header = json.loads(host.git("cat-file", "blob", f"{tip}:segment").split(b"\n", 1)[0])
    south.client("members", "rotate")
    south.add_file([duty("South goes on")])
    meet(south, north, west, south)
    end = writers(host, thief.site)[old]
    last = json.loads(host.git("cat-file", "blob", f"{end}:segment").split(b"\n", 1)[0])["last"]

    def an_operation_more():
        made = thief.header(old, last + 1, last + 1, previous=end)
        host.set(ref, thief.segment(made, [operation("forged")], end))
        return ref, lambda: host.set(ref, end)

    def a_receipt_more():
        made = thief.header(old, last + 1, last, previous=end)
        host.set(ref, thief.segment(made, [], end, next_heard=0))  # "I retire"
        return ref, lambda: host.set(ref, end)

    def a_writer_of_its_own():
        writer, its, _ = thief.log([operation("forged")])
        return its, lambda: host.git("update-ref", "-d", its)

    def keys_of_its_own():
        fresh = Keys()
        box = ctypes.create_string_buffer(32)
        sodium.randombytes_buf(box, ctypes.c_size_t(32))
        writer = thief.writer()
        text = (f"dutybook key replaced\n{thief.space}\n{thief.site}\n{old}\n{last}\n{end}\n"
                .encode() + fresh.public.raw + box.raw)
        proof = ctypes.create_string_buffer(64)
        sodium.crypto_sign_detached(proof, None, text, ctypes.c_ulonglong(len(text)),
                                    thief.secret)
        encoded = {name: base64.b64encode(value).decode() for name, value in
                   (("box", box.raw), ("proof", proof.raw), ("replaces", thief.public.raw),
                    ("sign", fresh.public.raw))}
        thief.introduction = {**encoded, "ended": [old, last, end]}
        made = thief.header(writer, 1, 1)
        its = REF.format(writer, 1)
        host.set(its, thief.segment(made, [operation("forged")], key=fresh))
        return its, lambda: host.git("update-ref", "-d", its)

    attacks = (an_operation_more, a_receipt_more, a_writer_of_its_own, keys_of_its_own)
    for attack in attacks:
        its, undo = attack()
        for site in (west, north):
            site.client("sync", expect=(0, 1))
            told = [one for one in alarms(site, "refused") if its in one["message"]]
            assert told and thief.site in told[0]["message"], (attack.__name__, site.status())
            assert "forged" not in titles(site)
            assert member(site, "South")["state"] == "active", attack.__name__
        undo()
        south.add_file([duty(f"after {attack.__name__}")])
        meet(south, west, north)
        assert f"after {attack.__name__}" in titles(west), "the site itself goes on"
        assert not alarms(west, "refused"), attack.__name__

    # Another end of the old log, with an id that would win any fork.
    before = host.git("rev-parse", f"{end}^").decode().strip() if end != tip else tip
    made = {**header, "time": header["time"]}
    for seconds in range(1000):
        made["time"] = header["time"] + 1000 * seconds
        parent = header["previous"]
        low = thief.segment(made, [operation(f"forged {i}") for i in
                                   range(made["last"] - made["first"] + 1)], parent)
        if low < tip and low < end:
            break
    else:
        pytest.fail("no lower id found")
    shown = titles(west)
    host.set(ref, low)
    for site in (west, north):
        site.client("sync", expect=(0, 1))
        assert titles(site) == shown, "the branch that leads to where the log ends counts"
    assert before
    counted(f"{len(attacks) + 1} attacks with a replaced key, 0 accepted")


def test_who_holds_the_pen_replaces_its_keys(world, counted):
    north, south, west, hub = three(world)
    host = Repository(world, hub)
    thief = Member(north, host)
    head = host.refs()["refs/heads/control"]
    north.client("members", "rotate")
    north.add_file([duty("North goes on")])
    meet(north, south, west)
    assert "North goes on" in titles(west) and not west.status()["alarms"]
    assert len(member(west, "North")["keys"]) == 2 and member(west, "North")["pen"]
    assert all_verify(world, hub, south)
    newest = host.refs()["refs/heads/control"]
    assert host.git("rev-list", "--count", f"{head}..{newest}").strip() == b"1"
    # With the old key: beside the entry that replaced it, and after it.
    invite = Keys()
    act = {"do": "add", "invite_box": base64.b64encode(invite.public.raw).decode(),
           "invite_sign": base64.b64encode(invite.public.raw).decode(), "name": "Mallory",
           "role": "admin", "site": ""}
    for previous in (head, newest):
        host.set("refs/heads/control", thief.entry(act, previous))
        for site in (west, south):
            meet(site)
            assert "Mallory" not in {one["name"] for one in site.many("members")}
        assert host.refs()["refs/heads/control"] == newest, "the good one is sent again"
        meet(west, south)
    # Its twin, by the new key, is good.
    world.invited(north, "East").start()
    meet(north, west)
    assert member(west, "East")["state"] == "invited"
    counted("2 control entries by a replaced key, 0 accepted")


def test_a_backup_from_before_the_keys_were_replaced(world):
    """Nobody can tell it from a thief: it is told what to do, and what is written stays."""
    north, south, west, hub = three(world)
    south.stop()
    twin = world._site("Twin", "school")
    world.copy(south.store, twin.store)
    south.start()
    south.client("members", "rotate")
    meet(south, north, west)
    twin.start()
    twin.add_file([duty("written at the twin")])
    meet(twin)
    # Its box key opens no entry from the replacement on: the same word as for a removed site.
    told = alarms(twin, "control-refused") + alarms(twin, "key-replaced")
    assert told and "administrator" in told[0]["message"]
    assert "written at the twin" in titles(twin)
    twin.add_file([duty("goes on writing")])
    meet(twin, north, west)
    assert "written at the twin" not in titles(west) and south.add_file([duty("South")])
    meet(south, west)
    assert "South" in titles(west)


def test_new_keys_hold_in_every_space_of_the_site(world):
    north = world.site("North").start()
    north.client("space", "create", "clinic")
    for space in ("school", "clinic"):
        north.client("remote", "add", "hub", world.bare(f"hub-{space}"), space=space)
    invitation = world.directory / "both.invite"
    north.client("invite", "South", "--out", invitation)
    south = world._site("South", "")
    south.client("join", invitation)
    south.space = "school"
    south.start()
    clinic = world.directory / "clinic.invite"
    north.client("invite", "South", "--out", clinic, space="clinic")
    south.client("join", clinic)
    for space in ("school", "clinic"):
        south.client("sync", space=space)
        north.client("sync", space=space)
    south.client("members", "rotate")
    north.client("members", "rotate")
    for space in ("school", "clinic"):
        for site in (south, north):
            site.add_file([duty(f"{site.name} in {space}")], space=space)
            site.client("sync", space=space)
        for site in (south, north, south):
            site.client("sync", space=space)
        for site in (south, north):
            shown = {one["name"]: one for one in site.many("members", space=space)}
            assert all(len(one["keys"]) == 2 for one in shown.values()), (space, shown)
            assert not site.status(space)["alarms"]
        assert north.digest(space) == south.digest(space)
    # A space that is made later follows too: its site's id is the first key's.
    north.client("space", "create", "office")
    made, = north.many("members", space="office")
    assert made["site"] == north.one("status")["site"]["id"] and len(made["keys"]) == 2


def test_the_least_format_that_a_site_must_know(world):
    north, south, west, hub = three(world)
    host = Repository(world, hub)
    north.client("members", "format", "1")
    refused = north.client("members", "format", "2", expect=1)
    assert "update this site first" in str(refused.problem), "nobody locks itself out"
    assert north.client("members", "format", "0", expect=None).code not in (0, 1, 5)
    meet(north, south)
    assert south.status()["alarms"] == []
    # The next version demands format 2, as this one would see it.
    newer = Member(north, host)
    head = host.refs()["refs/heads/control"]
    host.set("refs/heads/control", newer.entry({"do": "format", "minimum": 2, "site": ""}, head))
    south.add_file([duty("South waits")])
    before = host.refs()
    ran = south.client("sync", expect=1)
    assert "update needed" in ran.one["error"]
    told = alarms(south, "format-too-old")
    assert told and "update needed" in told[0]["message"]
    assert host.refs() == before, "nothing is sent in a format that is not wanted"
    assert "South waits" in titles(south) and south.status()["unsealed"] == 1
    south.restart()
    assert alarms(south, "format-too-old") and south.add_file([duty("South goes on writing")])

    # An act that this version does not know is waited for, never written over.
    host.set("refs/heads/control", newer.entry({"do": "dance", "site": ""}, head))
    before = host.refs()["refs/heads/control"]
    west.add_file([duty("West goes on")])
    west.client("sync", expect=(0, 1))
    assert alarms(west, "update-needed") and host.refs()["refs/heads/control"] == before
