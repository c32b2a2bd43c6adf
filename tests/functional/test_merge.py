"""Changes made apart: merged field by field, conflicts on the table, nothing overwritten unseen."""

import pytest
from dutybook import arguments_of, duty


@pytest.fixture
def shared(pair):
    """Both hold one duty; then they are apart."""
    north, south, _ = pair
    record = north.one("add", *arguments_of(duty("Bus", tags=["yard"])))
    meet(north, south)
    return north, south, record["id"]


def meet(north, south):
    for site in (north, south, north):
        site.sync()
    assert north.digest() == south.digest()


def fields(site, record):
    return site.one("show", record)["fields"]


def test_different_fields_merge(shared):
    north, south, bus = shared
    north.client("set", bus, "title=Bus duty")
    south.client("set", bus, "priority=urgent")
    meet(north, south)
    for site in (north, south):
        assert fields(site, bus)["title"] == "Bus duty"
        assert fields(site, bus)["priority"] == "urgent"
        assert site.many("conflicts") == []


def test_one_field_set_apart_is_a_conflict_until_settled(shared):
    north, south, bus = shared
    north.client("set", bus, "priority=urgent")
    south.client("set", bus, "priority=low")
    meet(north, south)
    assert fields(north, bus)["priority"] == fields(south, bus)["priority"]
    for site in (north, south):
        listed = site.many("conflicts")
        assert [(one["id"], one["field"]) for one in listed] == [(bus, "priority")]
        assert listed[0]["shown"] == fields(site, bus)["priority"]
        values = {one["value"]: one for one in listed[0]["values"]}
        assert set(values) == {"urgent", "low"}
        assert values["urgent"]["by"] == "north-aide" and values["low"]["by"] == "south-aide"
        assert values["urgent"]["site"] == north.one("status")["site"]["id"]
        assert all(one["at"] for one in values.values())
    wrong = north.client("resolve", bus, "priority", "--take", "NOBODY", expect=1).problem
    given = wrong["why"].removeprefix("values are by: ").split(", ")
    assert {one.split(" (")[0] for one in given} == {"North", "South"}
    taken = south.one("status")["site"]["id"]
    north.client("resolve", bus, "priority", "--take", taken[:10])
    assert north.many("conflicts") == []
    meet(north, south)
    for site in (north, south):
        assert site.many("conflicts") == [] and fields(site, bus)["priority"] == "low"


def test_both_resolve_alike(shared):
    north, south, bus = shared
    north.client("set", bus, "priority=urgent")
    south.client("set", bus, "priority=low")
    meet(north, south)
    for site in (north, south):
        site.client("resolve", bus, "priority", "--value", "high")
    meet(north, south)
    for site in (north, south):
        assert site.many("conflicts") == [] and fields(site, bus)["priority"] == "high"


def test_equal_values_are_no_conflict(shared):
    north, south, bus = shared
    for site in (north, south):
        site.client("set", bus, "priority=high")
    meet(north, south)
    assert north.many("conflicts") == [] == south.many("conflicts")


@pytest.mark.parametrize("settle, alive", [
    (["restore"], True), (["set", "place=gate"], True),
    (["resolve", "@record", "--value", "keep"], True),
    (["resolve", "@record", "--value", "delete"], False), (["delete"], False)])
def test_delete_against_edit_keeps_the_record(shared, settle, alive):
    north, south, bus = shared
    north.client("delete", bus)
    south.client("set", bus, "priority=urgent")
    meet(north, south)
    for site in (north, south):
        assert fields(site, bus)["priority"] == "urgent"
        listed = [one for one in site.many("conflicts") if one["field"] == "@record"]
        assert {one["value"] for one in listed[0]["values"]} == {"keep", "delete"}
    north.client(settle[0], bus, *settle[1:])
    meet(north, south)
    for site in (north, south):
        assert site.many("conflicts") == []
        assert (site.client("show", bus, expect=None).code == 0) == alive


def test_two_deletes_apart_delete(shared):
    north, south, bus = shared
    for site in (north, south):
        site.client("delete", bus)
    meet(north, south)
    for site in (north, south):
        site.client("show", bus, expect=1)
        assert site.one("show", bus, "--deleted")["deleted"] is True
        assert site.many("conflicts") == []
        assert site.client("set", bus, "place=x", expect=1).problem["detail"].count("restore")
        before = site.status()["operations"]
        site.client("delete", bus)
        assert site.status()["operations"] == before


def test_sets_and_counters_merge(pair):
    north, south, _ = pair
    bus = north.one("add", *arguments_of(duty("Bus", tags=["yard"])))["id"]
    need = need_of(north)
    meet(north, south)
    north.client("set", bus, "tags+=rain")
    south.client("set", bus, "tags+=late", "tags-=yard")
    for site in (north, south):
        site.client("set", need, "times_seen+=1")
    meet(north, south)
    for site in (north, south):
        assert sorted(fields(site, bus)["tags"]) == ["late", "rain"]
        assert fields(site, need)["times_seen"] == 2
        assert site.many("conflicts") == []


def need_of(site):
    """A need with what its kind requires, taken from the kind's own example."""
    example = site.one("kind", "show", "core.need")["example"]
    values = dict(example)
    values.pop("times_seen", None)
    return site.one("add", *arguments_of({"kind": "core.need", "fields": values}))["id"]


def test_a_form_that_lay_open_over_a_sync_is_stale(shared):
    north, south, bus = shared
    opened = south.one("show", bus)["version"]
    north.client("set", bus, "priority=urgent")
    meet(north, south)
    ran = south.client("set", bus, "priority=low", "--version", opened, expect=4)
    assert ran.problem["code"] == "stale"
    changes = {one["field"]: one for one in ran.problem["changes"]}
    assert (changes["priority"]["then"], changes["priority"]["now"]) == ("normal", "urgent")
    assert fields(south, bus)["priority"] == "urgent"
    south.client("set", bus, "priority=low", "--version", south.one("show", bus)["version"])
    meet(north, south)
    assert fields(north, bus)["priority"] == "low" and north.many("conflicts") == []


def test_the_history_is_the_same_everywhere_and_after_a_rebuild(shared):
    north, south, bus = shared
    north.client("set", bus, "priority=urgent")
    south.client("set", bus, "priority=low")
    meet(north, south)
    north.client("set", bus, "priority=high")
    meet(north, south)
    told = north.many("history", bus)
    assert told[-1]["new"] == "high" and {one["new"] for one in told[-3:-1]} == {"urgent", "low"}
    assert told[-1]["old"] == told[-2]["new"]
    for site in (north, south):
        site.client("rebuild")
        assert site.many("history", bus) == told


@pytest.mark.parametrize("command", [["delete"], ["finalise"], ["retract", "--reason", "r"],
                                     ["resolve", "priority", "--value", "low"]])
def test_every_write_may_name_the_version_that_it_was_made_from(shared, command):
    north, south, bus = shared
    opened = south.one("show", bus)["version"]
    north.client("set", bus, "priority=urgent")
    south.client("set", bus, "priority=high")
    meet(north, south)
    word, *rest = command
    assert south.client(word, bus, *rest, "--version", opened, expect=4).problem["code"] == "stale"
    south.client(word, bus, *rest, "--version", south.one("show", bus)["version"])


def test_history_names_who_where_and_what(shared):
    north, south, bus = shared
    south.client("set", bus, "priority=urgent", "--reason", "storm", by="zoe")
    meet(north, south)
    line = north.many("history", bus)[-1]
    assert (line["do"], line["field"], line["old"], line["new"]) == ("set", "priority", "normal",
                                                                     "urgent")
    assert (line["by"], line["reason"]) == ("zoe", "storm")
    assert line["site"] == south.one("status")["site"]["id"]
    at = line["at"]
    assert north.one("show", bus, "--at", north.many("history", bus)[0]["at"])["fields"][
        "priority"] == "normal"
    assert north.one("show", bus, "--at", at)["fields"]["priority"] == "urgent"
