"""Invitations that cannot be used, were used, or bring less than they might: each says what, why and
what to do, and leaves nothing."""

import base64
import copy
import json

import pytest
from dutybook import World, duty
from test_trust import alarms, meet, member, titles


def text(ran):
    """What a person reads of a failed command."""
    problem = ran.problem
    return " ".join(str(problem.get(name, "")) for name in ("title", "detail", "why", "fix"))


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """A district's site, a school under it, and an invitation to both as a file's content."""
    with World(tmp_path_factory.mktemp("district")) as world:
        site = world.site("District", space="district").start()
        site.client("remote", "add", "hub", world.bare("district-hub"))
        site.client("space", "create", "school", "--parent", "district")
        site.client("remote", "add", "hub", world.bare("school-hub"), space="school")
        file = world.directory / "South.invite"
        site.client("invite", "South", "--out", file, space="school")
        yield world, site, json.loads(file.read_text())


def changed(piece):
    """One byte of a control entry's commit."""
    raw = bytearray(base64.b64decode(piece[0]))
    raw[len(raw) // 2] ^= 1
    piece[0] = base64.b64encode(raw).decode()


BAD = {
    "an entry of its control log was changed":
        lambda one: changed(one["control"]["pieces"][0]),
    "an entry of its parent's control log was changed":
        lambda one: changed(one["parent"]["control"]["pieces"][-1]),
    "its control log does not know it":
        lambda one: one["control"]["pieces"].pop(),
    "it lacks its keys":
        lambda one: one.pop("invite"),
    "its parent's keys are others":
        lambda one: one["parent"]["invite"].update(sign=base64.b64encode(bytes(32)).decode()),
    "the space's keys are none":
        lambda one: one["space"].update(epochs=[[1, "AAAA"]]),
    "the space's name leaves the store":
        lambda one: one["space"].update(name="../elsewhere"),
    "a remote is no address":
        lambda one: one["remotes"][0].update(url="ext::sh -c date"),
    "a remote of its parent is no address":
        lambda one: one["parent"]["remotes"][0].update(url="-oProxyCommand=date"),
}


def everything(store):
    return {path.relative_to(store): path.read_bytes() for path in store.rglob("*")
            if path.is_file() and path.parent.name in ("store", "school", "district", "spaces")
            and path.suffix not in (".db", ".db-wal", ".db-shm")}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_invitation_leaves_nothing(district, what, tmp_path):
    _, _, good = district
    bad = copy.deepcopy(good)
    BAD[what](bad)
    with World(tmp_path) as world:
        file = world.directory / "bad.invite"
        file.write_text(json.dumps(bad))
        new = world._site("New", "")
        assert text(new.client("join", file, expect=(1, 3))).strip()
        assert not new.store.exists() or not list(new.store.rglob("*"))
        other = world.site("Other", space="office")
        for running in (False, True):
            if running:
                other.start()
            before = everything(other.store)
            other.client("join", file, expect=(1, 3), space="office")
            assert everything(other.store) == before
            assert not (other.store / "spaces/district").exists()
        assert [one["name"] for one in other.many("space", "list")] == ["office"]


def test_its_twin_is_good(district, tmp_path):
    """The same file unchanged: into a new store, and beside another space with and without the
    daemon. What another space of that name is in the way of leaves nothing either."""
    _, _, good = district
    with World(tmp_path) as world:
        file = world.directory / "good.invite"
        file.write_text(json.dumps(good))
        for running in (None, False, True):
            site = world._site(f"Site{running}", "")
            if running is not None:
                site = world.site(f"Site{running}", space="office")
            if running:
                site.start()
            site.client("join", file, space="")
            names = {path.name for path in (site.store / "spaces").iterdir()}
            assert {"district", "school"} <= names
        taken = world.site("Taken", space="school")
        for running in (False, True):
            if running:
                taken.start()
            assert "another space called school" in text(taken.client("join", file, expect=1))
            assert not (taken.store / "spaces/district").exists()


def test_what_is_no_invitation_is_named(world):
    north = world.site("North").start()
    wrong = {"a.txt": "Dear South,\nplease join us.\n", "b.json": '{"format": 1}',
             "c.json": "[1, 2]", "d.invite": "", "e.invite": '{"format":1,"space":"school"}',
             "f.invite": '{"format":1,"space":{"name":"school"'}
    for name, content in wrong.items():
        file = world.directory / name
        file.write_text(content)
        for site in (north, world._site(f"New-{name}", "")):
            ran = site.client("join", file, expect=3)
            assert f"{file} is no invitation file" in text(ran), ran
            assert "dutybook invite" in text(ran)
        assert not (site.store / "site.json").exists()
    assert "byte 1" in text(north.client("join", world.directory / "a.txt", expect=3))
    assert "standard input is no invitation" in text(
        north.client("join", "-", input="hello", expect=3))


def test_a_space_that_is_here_is_not_joined_again(world):
    north = world.site("North").start()
    north.client("remote", "add", "hub", world.bare("hub"))
    first, second = (world.directory / f"{name}.invite" for name in ("first", "second"))
    north.client("invite", "South", "--out", first)
    north.client("invite", "Other", "--out", second)
    south = world._site("South", "")
    south.client("join", first)
    for running in (False, True):
        if running:
            south.start()
        for file in (first, second):
            ran = south.client("join", file, expect=1)
            assert "the space school is here already" in text(ran)
            assert "dutybook sync" in text(ran) and "--store" in text(ran)
    # A join that was cut off before the remotes were written goes on with its own invitation.
    for running in (True, False):
        if not running:
            south.stop()
        (south.store / "spaces/school/remotes.json").unlink(missing_ok=True)
        (south.store / "spaces/school/remotes.json.kept").unlink(missing_ok=True)
        if running:
            south.space = "school"
            south.client("remote", "remove", "hub", expect=None)
        assert south.client("join", second, expect=1)
        south.client("join", first)
    south.start()
    assert [one["name"] for one in south.many("remote", "list")] == ["hub"]
    meet(south, north)
    assert member(north, "South")["state"] == "active"
    assert member(north, "Other")["state"] == "invited", "the second one is still good"


def test_an_invitation_without_its_parent_says_so(world):
    """Who invites into a school and is no administrator of the district."""
    district = world.site("District", space="district").start()
    district.client("remote", "add", "hub", world.bare("district-hub"))
    north = world.invited(district, "North", space="district").start()
    made = north.one("space", "create", "school", "--parent", "district", space="")
    assert made["recovery_key"]
    meet(north, district)
    file = world.directory / "South.invite"
    ran = north.client("invite", "South", "--out", file, space="school")
    warning, = ran.one["warnings"]
    assert "parent space district" in warning and "District" in warning
    assert "dutybook invite South --role reader --space district" in warning
    assert f"warning: {warning}" in ran.err
    content = json.loads(file.read_text())
    assert content["parent"] is None and "warnings" not in content
    # What it says to do works.
    both = world.directory / "district.invite"
    assert district.one("invite", "South", "--role", "reader", "--out", both)["warnings"] == []
    south = world._site("South", "")
    south.client("join", both)
    south.client("join", file)
    assert {path.name for path in (south.store / "spaces").iterdir()} == {"district", "school"}
    # Nothing is said where nothing is missing.
    mine = district.one("space", "create", "office", "--parent", "district", space="")
    assert mine["name"] == "office"
    ran = district.client("invite", "East", "--out", world.directory / "East.invite",
                          space="office")
    assert ran.one["warnings"] == [] and "parent" not in ran.err


def test_two_pairs_that_replace_one_key(world):
    """Whoever has a copy of a site's old keys announces new ones as the site does: nobody is taken
    for the right one, a person is told what to do, and that ends it."""
    north = world.site("North").start()
    north.client("remote", "add", "hub", world.bare("hub"))
    south, west = (world.invited(north, name).start() for name in ("South", "West"))
    south.add_file([duty("South early")])
    meet(south, north, west, south)
    south.stop()
    thief = world._site("Thief", "school")
    world.copy(south.store, thief.store)
    for site in (south, thief):
        site.start()
        site.client("members", "rotate")
        site.add_file([duty(f"{site.name} under new keys")])
    meet(south)
    assert not alarms(south, "key-replaced-twice")
    meet(thief, west, north, south)
    id_ = south.one("status")["site"]["id"]
    for site in (west, north, south):
        told, = alarms(site, "key-replaced-twice")
        assert "South" in told["message"] and f"dutybook members remove {id_}" in told["message"]
        assert len(member(site, "South")["keys"]) == 3 and member(site, "South")["new_keys"]
    meet(north, west)
    assert member(north, "South")["new_keys"], "who holds the pen writes neither down"
    north.client("members", "remove", id_)
    assert not alarms(north, "key-replaced-twice")
    meet(north, west)
    assert not alarms(west, "key-replaced-twice") and member(west, "South")["state"] == "removed"
    again = world.invited(north, "South anew").start()
    again.add_file([duty("South anew")])
    meet(again, north, west)
    assert {"South early", "South anew"} <= set(titles(west)) == set(titles(north))
