"""A clock ten years ahead hides nothing and drags nobody along."""

import datetime

import pytest
from dutybook import FAKETIME, arguments_of, duty


@pytest.mark.skipif(FAKETIME is None, reason="SKIPPED: libfaketime is not installed")
def test_a_wrong_clock_never_hides_a_later_change(pair):
    north, south, _ = pair
    bus = north.one("add", *arguments_of(duty("Bus")))["id"]
    north.sync()
    south.stop()
    south.clock("+10y")
    south.start()
    south.sync()
    south.client("set", bus, "priority=urgent")
    south.sync()
    north.sync()
    flagged = [one for one in north.status()["alarms"] if one["kind"] == "future-stamp"]
    assert len(flagged) == 1 and "South" in flagged[0]["message"], "South's clock is told"
    assert north.one("show", bus)["fields"]["priority"] == "urgent"
    later = datetime.datetime.now().year + 9
    assert int(north.many("history", bus)[-1]["at"][:4]) >= later, "the clock was not ahead"

    north.client("set", bus, "priority=low")
    for site in (north, south, north):
        site.sync()
    for site in (north, south):
        assert site.one("show", bus)["fields"]["priority"] == "low"
        assert site.many("conflicts") == []
    assert north.digest() == south.digest()
    # North's own time stays North's.
    assert int(north.many("history", bus)[-1]["at"][:4]) < later
    fresh = north.one("add", *arguments_of(duty("After")))
    assert int(north.many("history", fresh["id"])[0]["at"][:4]) < later


@pytest.mark.skipif(FAKETIME is None, reason="SKIPPED: libfaketime is not installed")
def test_a_clock_that_goes_back_is_told_and_loses_nothing(world):
    north = world.site("North")
    plain = dict(north.environment)
    north.clock("+30d")
    north.start()
    ahead = north.one("add", *arguments_of(duty("Ahead")))["id"]
    north.stop()
    north.environment = plain  # somebody set the clock
    north.start()
    flagged = [one for one in north.status()["alarms"] if one["kind"] == "future-stamp"]
    assert len(flagged) == 1 and "clock went back" in flagged[0]["message"]
    assert north.client("status", "--check", expect=1)
    north.client("set", ahead, "priority=low")
    assert north.one("show", ahead)["fields"]["priority"] == "low"
    north.restart()
    assert north.one("show", ahead)["fields"]["priority"] == "low", "the later change counts"
    assert not [one for one in north.status()["alarms"] if one["kind"] == "future-stamp"]
