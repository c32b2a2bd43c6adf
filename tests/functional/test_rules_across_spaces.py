"""A rule of a school that looks into the district's space: a change there judges again exactly the
school's records that needed it, whichever way it comes and whatever happens in between."""

import contextlib
import json
import re

from dutybook import wait_for
from plugins import TEXT, kind, rule, write_plugin

LUA = """
rules["POSTS-R01"] = function(post, needs)
  log("judged " .. post._id)
  for _, card in ipairs(needs.cards) do
    if card.name == "first aid" then return end
  end
  return { code = "no_card", path = "/who", values = { who = needs.who and needs.who.name or "?" } }
end
"""


def posts(folder):
    """A post wants a person with a first-aid card; persons and cards are the district's."""
    refers = {"type": "string", "x-index": True, "x-refers": "posts.person"}
    needs = {"who": {"kind": "posts.person", "id": "post.who"},
             "cards": {"kind": "posts.card", "where": {"holder": "post.who"}}}
    return write_plugin(
        folder, "posts",
        [kind("posts.person", {"name": TEXT}, **{"x-final": False}),
         kind("posts.card", {"holder": refers, "name": TEXT}, **{"x-final": False}),
         kind("posts.post", {"who": refers, "note": TEXT}, **{"x-final": False})],
        [rule("POSTS-R01", "posts.post", {"no_card": "{who} has no first-aid card."},
              subject="post", needs=needs)], LUA)


def put(site, space, record, kind, **fields):
    line = json.dumps({"id": record, "kind": f"posts.{kind}", "fields": fields})
    return site.client("add", "--file", "-", input=line + "\n", space=space).one


def judged(site):
    return re.findall(r"judged ([\w-]+)", site.log.read_text())


def found(site, space="north"):
    return {one["records"][0] for one in site.many("findings", space=space)}


@contextlib.contextmanager
def judging(site, *expected):
    """Exactly these are judged again by what is done inside, each once."""
    before = len(judged(site))
    yield
    wait_for(lambda: len(judged(site)) - before >= len(expected), 20, f"{expected} judged again")
    wait_for(lambda: site.status("north")["unchecked"] == 0, 20, "all judged")
    assert sorted(judged(site)[before:]) == sorted(expected)


def school(world, site):
    folder = site.store / "plugins"
    folder.mkdir(exist_ok=True)
    posts(folder)
    site.start()
    site.client("space", "create", "north", "--parent", "district")
    return site


def district_with_school(world):
    site = school(world, world.site("District", space="district"))
    for person in ("p1", "p2", "p3"):
        put(site, "district", person, "person", name=f"Person {person}")
    for number in range(12):
        put(site, "north", f"post{number}", "post", who=f"p{number % 3 + 1}")
    assert found(site) == {f"post{number}" for number in range(12)}
    return site


def test_a_change_in_the_district_judges_the_schools_records_that_needed_it(world):
    site = district_with_school(world)
    of = {f"p{n}": [f"post{number}" for number in range(12) if number % 3 == n - 1]
          for n in (1, 2, 3)}
    with judging(site, *of["p1"]):  # was looked for and not found
        put(site, "district", "c1", "card", holder="p1", name="first aid")
    assert found(site) == {*of["p2"], *of["p3"]}
    with judging(site, *of["p1"], *of["p2"]):  # leaves one, comes to the other
        site.client("set", "c1", "holder=p2", space="district")
    assert found(site) == {*of["p1"], *of["p3"]}
    with judging(site, *of["p3"]):
        site.client("set", "p3", "name=Maria", space="district")
    with judging(site):  # nobody needs it
        put(site, "district", "p4", "person", name="New")
        put(site, "district", "c4", "card", holder="p4", name="first aid")
    with judging(site, *of["p2"]):
        site.client("delete", "c1", space="district")
    assert found(site) == {f"post{number}" for number in range(12)}
    # A person of the school who is called like one of the district is another one.
    put(site, "north", "p5", "person", name="Here")
    put(site, "north", "own", "post", who="p5")
    put(site, "district", "p5", "person", name="There")
    put(site, "district", "c5", "card", holder="p5", name="first aid")
    with judging(site, *of["p3"]):
        site.client("set", "p3", "name=Ana", space="district")
    assert "own" in found(site)


def test_it_comes_by_sync_too_and_in_any_number(world):
    site = district_with_school(world)
    site.client("remote", "add", "hub", world.bare("hub"))
    office = world.invited(site, "Office", space="district")
    (office.store / "plugins").mkdir()
    posts(office.store / "plugins")
    office.start()
    site.client("sync", space="district")
    office.client("sync")
    # More than listeners are told of one by one.
    office.add_file({"id": f"card{n}", "kind": "posts.card",
                     "fields": {"holder": f"q{n}", "name": "first aid"}} for n in range(3000))
    put(office, "district", "c2", "card", holder="p2", name="first aid")
    office.client("sync")
    with judging(site, "post1", "post4", "post7", "post10"):
        site.client("sync", space="district")
    assert "post1" not in found(site) and "post0" in found(site)


def test_a_crash_in_between_leaves_no_verdict_that_is_wrong(world):
    """The change is stored, and the daemon is killed before the rules ran again."""
    site = district_with_school(world)
    site.add_file(({"id": f"more{n}", "kind": "posts.post", "fields": {"who": "p1"}}
                   for n in range(400)), space="north")
    wait_for(lambda: site.status("north")["unchecked"] == 0, 30, "all judged")
    for space, record, change in [("district", "c1", {"holder": "p1", "name": "first aid"}),
                                  ("north", "c1n", {"holder": "p2", "name": "first aid"})]:
        before = len(judged(site))
        if space == "north":
            change["holder"] = "district/p2"
        site.request("POST", f"/v1/spaces/{space}/records",
                     {"id": record, "kind": "posts.card", "fields": change})
        site.kill()
        print(f"{len(judged(site)) - before} judged again before the kill")
        site.start()
        gone = "post0" if space == "district" else "post1"
        wait_for(lambda: gone not in found(site), 20, f"the finding of {gone} is gone")
        wait_for(lambda: site.status("north")["unchecked"] == 0, 30, "all judged")
    assert found(site) == {"post2", "post5", "post8", "post11"}
