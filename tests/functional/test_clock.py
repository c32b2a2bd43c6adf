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
