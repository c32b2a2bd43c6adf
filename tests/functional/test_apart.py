"""Two sites apart do what together breaks a rule. Both facts stand, and after sync every site shows
the same findings, in whatever order it heard of them."""

import itertools

import pytest
from dutybook import wait_for


def sig(person, at):
    return {"person": person, "at": at, "method": "paper"}


ORDER = {"person": "p1", "drug": "Ibuprofen", "ingredients": ["ibuprofen"], "dose": "200",
         "unit": "mg", "route": "oral", "kind": "PRN", "min_interval_min": 360,
         "max_doses_24h": 4, "start": "2026-01-05", "end": "2026-12-18", "prescriber": "Dr. Okafor",
         "prescriber_sig": sig("Dr. Okafor", "2026-01-04T10:00:00-05:00"), "controlled": False}
SHARED = [
    *({"id": person, "kind": "core.person", "fields": {"given": person.title(), "family": "Ode",
                                                       "active": True}}
      for person in ("p1", "aide", "nurse")),
    {"id": "order", "kind": "medical.medication_order", "fields": ORDER},
    {"id": "pills", "kind": "medical.medication_order", "fields": {
        **ORDER, "drug": "Methylphenidate", "ingredients": ["methylphenidate"], "dose": "10",
        "controlled": True, "min_interval_min": 60}},
    {"id": "box", "kind": "medical.stock_lot", "fields": {
        "order_or_supply": "pills", "expiry": "2027-02", "received": "30",
        "counted_by": sig("nurse", "2026-03-01T08:00:00-05:00"),
        "witness": sig("aide", "2026-03-01T08:00:00-05:00")}},
    {"id": "rda", "kind": "core.credential", "fields": {
        "person": "aide", "type": "AMT_RDA", "issued": "2023-05-01", "valid_through": "2026-04-30"}}]


def dose(id_, order, at, by, **fields):
    return {"id": id_, "kind": "medical.medication_administration", "fields": {
        "order": order, "person": "p1", "at": at, "status": "completed", "by": by,
        "reason_prn": "headache", "effect": "better", **fields}}


def count(id_, at):
    return {"id": id_, "kind": "medical.controlled_count", "fields": {
        "lot": "box", "at": at, "by": sig("nurse", at), "witness": sig("aide", at),
        "previous": "30", "given": "1", "counted": "29"}}


def shift(id_, site, start, end):
    return {"id": id_, "kind": "core.shift", "fields": {
        "person": "aide", "site": site, "from": f"2026-03-02T{start}:00-05:00",
        "to": f"2026-03-02T{end}:00-05:00"}}


# rule -> what North does, what South does
CASES = {
    "MED-R12": ([dose("dn", "order", "2026-03-02T12:00:00-05:00", "aide", dose="200", unit="mg")],
                [dose("ds", "order", "2026-03-02T12:15:00-05:00", "nurse", dose="200", unit="mg")]),
    "CORE-R01": ([shift("sn", "north", "08:00", "09:00")], [shift("ss", "south", "08:50", "09:20")]),
    "MED-R16": ([], [{"id": "xs", "kind": "medical.procedure_log", "fields": {
        "person": "p1", "procedure": "bitewing X-ray", "category": "radiological", "site": "south",
        "at": "2026-05-04T10:00:00-04:00", "by": "aide", "under": "dentist"}}]),
    "EDU-R01": ([{"id": "an", "kind": "education.attendance_event", "fields": {
        "student": "p1", "date": "2026-03-02", "scope": "day", "code": "Present"}}],
                [{"id": "as", "kind": "education.attendance_event", "fields": {
                    "student": "p1", "date": "2026-03-02", "scope": "day", "code": "Tardy",
                    "arrived": "2026-03-02T08:40:00-05:00"}}]),
    "LEG-R07": ([{"id": "mn", "kind": "legal.matter", "fields": {
        "number": "N-1", "title": "Hale", "client": "Tom Hale", "attorney": "att",
        "opened": "2026-04-20", "adverse": ["Baker and Sons"]}}],
                [{"id": "ms", "kind": "legal.matter", "fields": {
                    "number": "S-1", "title": "Baker", "client": "Baker & Sons, Inc.",
                    "attorney": "att", "opened": "2026-04-20"}}]),
    "MED-R08": ([dose("pn", "pills", "2026-03-02T08:00:00-05:00", "aide", lot="box", dose="10",
                      unit="mg"), count("kn", "2026-03-02T08:10:00-05:00")],
                [dose("ps", "pills", "2026-03-02T13:00:00-05:00", "nurse", lot="box", dose="10",
                      unit="mg"), count("ks", "2026-03-02T13:10:00-05:00")]),
}


def found(site):
    wait_for(lambda: site.status()["unchecked"] == 0, 60, "every record is judged")
    return {one["finding"]: (one["rule"], one["severity"], sorted(one["records"]), one["message"])
            for one in site.many("findings")}


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """North and South wrote apart; four observers heard of it, each in an order of its own."""
    from dutybook import World
    with World(tmp_path_factory.mktemp("apart")) as world:
        north = world.site("North")
        north.rules = True
        north.start()
        hubs = {name: world.bare(name) for name in ("north", "south")}
        north.client("remote", "add", "north", hubs["north"])
        north.add_file(SHARED)
        others = []
        for name in ("South", "First", "Second", "Third"):
            site = world.invited(north, name)
            site.rules = True
            others.append(site)
        north.sync()
        south, *observers = others
        for site in others:
            site.start()
            site.sync()
            for one in site.many("remote", "list"):
                site.client("remote", "remove", one["name"])
        south.client("remote", "add", "south", hubs["south"])
        north.add_file(itertools.chain(*(theirs for theirs, _ in CASES.values())))
        south.add_file(itertools.chain(*(theirs for _, theirs in CASES.values())))
        apart = found(north), found(south)
        north.sync()
        south.sync()
        orders = [("north", "south"), ("south", "north"), ("north", "south")]
        for site, order in zip(observers, orders):
            for name in order:
                site.client("remote", "add", name, hubs[name])
                site.sync() if name == order[-1] else site.client("sync", "--remote", name)
            site.client("remote", "remove", order[0])
        for site, other in ((north, "south"), (south, "north")):
            site.client("remote", "add", other, hubs[other])
            site.sync()
        north.apart = apart
        yield [north, south, *observers]


@pytest.mark.parametrize("rule", CASES)
def test_every_site_has_the_finding_and_both_facts(sites, rule):
    theirs = [record["id"] for side in CASES[rule] for record in side]
    for site in sites:
        told = [one for one in found(site).values() if one[0] == rule and set(one[2]) & set(theirs)]
        assert told and all(one[1] == "needs_review" for one in told), f"{site.name}: {told}"
        for side in CASES[rule]:
            for record in side:
                shown = site.one("show", record["id"])
                assert shown["envelope"]["status"] != "retracted"
                assert {**shown["fields"], **record["fields"]} == shown["fields"]


def test_all_sites_agree(sites):
    everything = [found(site) for site in sites]
    assert all(one == everything[0] for one in everything)
    assert len({site.digest() for site in sites}) == 1
    assert len({site.status()["findings_digest"] for site in sites}) == 1
    print(f"{len(everything[0])} findings, the same at {len(sites)} sites")


def test_nobody_could_have_known_alone(sites):
    """The negative control: what takes two sites to find was not found by one."""
    alone = [{one[0] for one in findings.values()} for findings in sites[0].apart]
    for rule in ("MED-R12", "CORE-R01", "EDU-R01", "LEG-R07"):
        assert rule not in alone[0] | alone[1]
