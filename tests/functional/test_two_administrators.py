"""Two stores of the site that holds the pen act apart, in every pair of commands: all sites come to
the same control log, whatever gave way is listed until it is done again, and no word is lost."""

import itertools

import pytest
from dutybook import LONG, duty
from test_trust import alarms, meet, member, second_administrator, titles

# What of an act's alarm a person reads; None: it is done again by the sites themselves.
ACTS = {
    "remove": (("members", "remove", "South"), "remove South"),
    "invite": (("invite", "East", "--out", "{out}"), "add East"),
    "uninvite": (("members", "remove", "Open"), "remove"),
    "pen": (("members", "pen", "Deputy"), "pen Deputy"),
    "rotate": (("members", "rotate"), None),
    "epoch": (("members", "epoch"), None),
    "format": (("members", "format", "1"), "format"),
    "adopt": (("members", "adopt", "Gone"), "adopt Gone"),
}
# Two that replace one key are for a person to decide: test_invitations.py.
PAIRS = [pair for pair in itertools.combinations_with_replacement(ACTS, 2)
         if pair != ("rotate", "rotate")]
# Those in which the two differ most: in who reads, who holds the pen, which key signs.
TELLING = [("remove", "epoch"), ("remove", "rotate"), ("pen", "rotate"), ("invite", "invite"),
           ("invite", "remove"), ("pen", "adopt")]


def space(world):
    """North holds the pen and was copied; Deputy is an administrator too; Gone was removed and
    wrote on; Open has an invitation that was not used."""
    north = world.site("North").start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    deputy = second_administrator(world, north)
    south, gone = (world.invited(north, name).start() for name in ("South", "Gone"))
    north.client("invite", "Open", "--out", world.directory / "Open.invite")
    sites = [north, deputy, south, gone]
    for site in sites:
        site.add_file([duty(site.name)])
    meet(*sites, *sites)
    north.client("members", "remove", "Gone")
    gone.add_file([duty("Gone later")])
    meet(north, gone, north, deputy, south)
    north.stop()
    twin = world._site("Twin", "school")
    world.copy(north.store, twin.store)
    for site in (north, twin):
        site.start()
    return north, twin, deputy, south


@pytest.mark.parametrize("first, second", PAIRS if LONG else TELLING)
def test_two_stores_of_the_pen_act_apart(world, first, second):
    north, twin, deputy, south = space(world)
    for site, act in ((north, first), (twin, second)):
        out = world.directory / f"{site.name}-{act}.invite"
        site.client(*[word.format(out=out) for word in ACTS[act][0]])
        site.add_file([duty(f"{site.name} apart")])
    south.add_file([duty("South apart")])
    sites = [north, deputy, twin, south]
    meet(*sites, *sites, *sites)
    # A copy from before the keys were replaced is told so, and stays outside (test_keys.py).
    sure = twin if second == "rotate" else north
    if "rotate" in (first, second):
        sites = [sure, deputy, south]
    left = [site for site in sites
            if member(sure, "North" if site is twin else site.name)["state"] == "active"]
    heads = {site.git("rev-parse", "refs/heads/control").strip() for site in left}
    assert len(heads) == 1, [one.status()["alarms"] for one in left]
    pens = {tuple(one["name"] for one in site.many("members") if one["pen"]) for site in left}
    assert len(pens) == 1 and len(pens.pop()) == 1
    # Whoever knows that a key was replaced takes nothing of it any more: it may be stolen.
    tell = left if "rotate" not in (first, second) else [deputy]
    told = {tuple(sorted(one["message"] for one in alarms(site, "control-lost"))) for site in tell}
    assert len(told) == 1, told
    listed, = told
    wanted = [ACTS[act][1] for act in (first, second) if ACTS[act][1]]
    if first != second:
        assert len(listed) <= 1 and all(any(one in message for one in wanted)
                                        for message in listed), listed
    for site in left:
        shown = titles(site)
        assert {"Deputy", "Gone", "North", "South"} <= set(shown), (site.name, shown)
        for one in (north, twin):
            assert one not in left or f"{one.name} apart" in shown, (site.name, shown)
    assert len({site.digest() for site in left}) == 1
