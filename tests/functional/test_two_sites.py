"""Two sites write while apart, exchange through a git remote, and hold the same."""

import random
import re

from dutybook import duty

REF = re.compile(r"refs/heads/(dutybook|control|log/[a-z2-7]+-[a-z2-7]+/\d+)")


def test_a_thousand_records_meet(world, pair):
    north, south, hub = pair
    for site in pair[:2]:
        lines = site.add_file(duty(f"{site.name} {i}") for i in range(500))
        assert len(lines) == 500 and all(line["kind"] == "core.duty" for line in lines)
    for site in (north, south, north):
        outcome = site.sync()
        assert [one["ok"] for one in outcome] == [True]

    assert north.digest() == south.digest()
    assert north.status()["operations_digest"] == south.status()["operations_digest"]
    for site in pair[:2]:
        assert site.status()["records"] == 1000
        assert len(site.many("list", "core.duty", "--limit", 2000)) == 1000
        assert site.git("fsck", "--strict") == ""
        assert site.many("conflicts") == []
    assert world.git("-C", hub, "fsck", "--strict") == ""
    refs = world.git("-C", hub, "for-each-ref", "--format=%(refname)").split()
    assert refs and all(REF.fullmatch(ref) for ref in refs), refs
    assert world.git("-C", hub, "symbolic-ref", "HEAD").strip() != ""


def test_text_that_hardly_compresses_is_sealed_in_pieces(pair):
    """A thousand operations of it are more than one segment may hold."""
    north, south, _ = pair
    noise = random.Random(1)
    north.add_file(duty(f"noise {i}", goal=noise.randbytes(1500).hex()) for i in range(990))
    for site in (north, south):
        site.sync()
    assert south.digest() == north.digest() and south.status()["records"] == 990
    north.client("verify", "--full")


def test_what_is_not_delivered_is_told(pair):
    north, south, _ = pair
    north.add_file(duty(f"{i}") for i in range(7))
    assert north.status()["remotes"][0]["undelivered"] == 7
    assert north.status()["remotes"][0]["last_success"] is None
    north.sync()
    remote = north.status()["remotes"][0]
    assert remote["undelivered"] == 0 and remote["last_success"] and not remote["error"]
    south.sync()
    south.client("add", "core.duty", "title=seen", "category=c", "priority=low", "state=open")
    south.sync()
    north.sync()
    peers = {one["site"]: one for one in north.status()["peers"]}
    assert peers[south.one("status")["site"]["id"]]["holds_of_ours"] == 7
    assert peers[south.one("status")["site"]["id"]]["name"] == "South"


def test_nothing_new_moves_nothing(pair):
    north, south, _ = pair
    north.add_file([duty("one")])
    for site in (north, south, north, south):
        site.sync()
    before = north.digest()
    for site in (north, south):
        outcome = site.sync()[0]
        assert (outcome["operations_in"], outcome["operations_out"]) == (0, 0)
    assert north.digest() == before == south.digest()


def test_sync_without_a_remote_fails(world):
    north = world.site("North").start()
    ran = north.client("sync", expect=1)
    assert ran.problem["code"] == "conflict"


def test_stop_is_clean_and_the_state_stays(pair):
    north, _, _ = pair
    north.add_file(duty(f"{i}") for i in range(20))
    before = north.digest()
    assert north.stop() == 0
    north.client("status", expect=5)
    north.start()
    assert north.digest() == before
