"""Records that no site would have taken at its door: a member writes, for every kind, records whose
fields hold anything but what the kind says. What arrives by sync is always kept, so the daemon, its
rules and everything that reads records must cope with them.
"""

import json
import time

from dutybook import ROOT, duty, wait_for
from forge import Member, Repository, canonical

ODD = [7, -1.5, None, True, "", "x", [], [1, "a", None, {}], {}, {"a": [{"b": None}]}, [[[[]]]],
       "2026-13-45T99:99:99Z", "\u202e\U0001f600\u0001", 9007199254740991, -9007199254740991]


def kinds():
    """{kind: names of its fields}, the core's and those of all plugins that come with it."""
    found = {}
    for path in [*ROOT.glob("schemas/kinds/*.json"), *ROOT.glob("plugins/*/schemas/*.json")]:
        schema = json.loads(path.read_text())
        if "x-kind" in schema:
            found[schema["x-kind"]] = list(schema["properties"])
    return found


def odd_records():
    at = int(time.time() * 1000)
    for kind, fields in kinds().items():
        for number, value in enumerate(ODD):
            yield canonical({"auth": "socket", "by": "mallory", "do": "create", "hlc": [at, 0],
                             "kind": kind, "record": f"odd-{kind}-{number}",
                             "set": {name: value for name in fields}, "zone": "UTC"})


def reports(site):
    """Every report, for a span that holds what was written today, of nobody and nothing known."""
    given = {"from": "2020-01-01", "to": "2029-12-31", "date": "2026-03-02", "on": "2026-03-02"}
    for one in site.many("report"):
        needed = one["parameters"].get("required", [])
        yield ["report", one["report"],
               *(f"{name}={given.get(name, 'nobody')}" for name in {*needed, *(
                   set(given) & set(one["parameters"].get("properties", {})))})]


def test_records_of_any_shape_are_kept_and_stop_nothing(world, counted):
    north = world.site("North")
    north.rules = True
    north.start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    mallory = world.invited(north, "Mallory")
    north.sync()
    lines = list(odd_records())
    Member(mallory, Repository(world, hub)).log(lines)
    north.sync(timeout=300)
    alive = lambda: north.process.poll() is None  # noqa: E731
    assert alive(), north.tail()
    # A rule that fails on such a record leaves it unchecked, which is told; the others are judged.
    wait_for(lambda: not alive() or north.status()["unchecked"] < len(lines), 120, "some are judged")
    shown = sum(len(north.many("list", kind, "--limit", 0)) for kind in kinds())
    walled = len(ODD) - len(north.many("list", "legal.matter", "--limit", 0))  # names who may see it
    assert shown + walled == len(lines), "everything is kept"
    for words in (["today"], ["due"], ["due", "--days", 3000], *reports(north)):
        ran = north.client(*words, timeout=300)
        assert "could not be made" not in ran.out, ran
    for words in (["findings"], ["conflicts"], ["search", "x"], ["status"], ["plugin", "list"],
                  ["verify", "--full"]):
        ran = north.client(*words, expect=None, timeout=300)
        assert alive(), f"{words}: {ran}\n{north.tail()}"
    some = [one["id"] for kind in kinds() for one in north.many("list", kind, "--limit", 2)]
    for record in some[::3]:
        for words in (["show", record], ["history", record], ["retract", record, "--reason", "odd"]):
            north.client(*words, expect=None)
    assert alive(), north.tail()
    north.add_file([duty("after")])
    north.restart()  # and it starts with them
    counted(f"odd records {len(lines)} of {len(kinds())} kinds, kept {shown}, crashes 0")
