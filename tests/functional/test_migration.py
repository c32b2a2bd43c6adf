"""Records of an older shape: `plugin migrate` brings them to the shape that their kind has now, at
sites that are apart, in the middle of a kill, and whatever the callback does."""

import http.client
import json
import shutil
import subprocess

import pytest

from dutybook import BIN, wait_for
from plugins import NUMBER, TEXT, kind, write_plugin

KIND = "rides.ride"
HOURS = {"bus": TEXT, "hours": {"type": "number"}, "children": TEXT, "note": TEXT}
MINUTES = {"bus": TEXT, "minutes": NUMBER, "children": NUMBER, "note": TEXT}

# hours (a number) is called minutes now, and children is no text any more.
MIGRATE = """
migrate["rides.ride"] = function(ride)
  local changes = object()
  if ride.hours then
    changes.minutes = ride.hours * 60 // 1
    changes.hours = null
  end
  if type(ride.children) == "string" then
    changes.children = tonumber(ride.children) or ride.children
  end
  return changes
end
"""
CASE = {"name": "hours become minutes",
        "do": {"migrate": {"kind": KIND, "fields": {"bus": "7", "hours": 1.5, "children": "12"}}},
        "expect": {"fields": {"bus": "7", "minutes": 90, "hours": None, "children": 12}}}


def first(folder):
    return write_plugin(folder / "v1", "rides", [kind(KIND, HOURS, required=["hours"])], [], "")


def second(folder, lua=MIGRATE, cases=(CASE,), name="v2", version=2, migrates=True, fields=None,
           **more):
    schema = kind(KIND, fields or MINUTES, **{"x-version": version, "required": ["minutes"], **more})
    place = write_plugin(folder / name, "rides", [schema], [], lua, "2.0.0", cases=list(cases))
    manifest = json.loads((place / "plugin.json").read_text())
    if migrates:
        manifest["kinds"][0]["migrates"] = True
    (place / "plugin.json").write_text(json.dumps(manifest, indent=2))
    return place


def lint(folder, site):
    done = subprocess.run([BIN / "dutybook", "--store", site.store, "plugin", "lint", folder],
                          capture_output=True, text=True)
    return done.returncode, done.stdout


def fields(site, record):
    return site.one("show", record)["fields"]


def ride(number, hours=None, **more):
    return {"id": f"r{number}", "kind": KIND,
            "fields": {"bus": str(number), "hours": hours or 1.5, "children": "12", **more}}


def meet(*sites):
    for _ in range(2):
        for site in sites:
            site.sync()


@pytest.fixture(name="lone")
def _lone(world, tmp_path):
    site = world.site("North").start()
    site.client("plugin", "install", first(tmp_path))
    return site


def test_two_sites_apart_one_of_the_older_version(pair, tmp_path):
    north, south, _ = pair
    for site in (north, south):
        site.client("plugin", "install", first(tmp_path))
    north.add_file([ride(n) for n in range(6)])
    meet(north, south)
    # South still has version 1: it edits one record and adds another, while North migrates.
    installed = north.one("plugin", "install", second(tmp_path))
    assert installed["shadow"]["old"] == 6
    assert "`dutybook plugin migrate rides`" in installed["shadow"]["text"]
    done = north.one("plugin", "migrate", "rides")
    assert (done["records"], done["old"], done["changed"], done["failed"]) == (6, 6, 6, 0)
    south.one("set", "r1", "note=wet road", "--reason", "seen late")
    south.one("add", "--file", "-", input=json.dumps(ride(6, 2)))
    meet(north, south)
    assert fields(north, "r1") == {"bus": "1", "minutes": 90, "children": 12, "note": "wet road"}
    assert fields(south, "r1") == fields(north, "r1")
    # The older version goes on: what it writes is migrated at the next run.
    south.one("set", "r2", "hours:=2", "--reason", "counted again")
    meet(north, south)
    assert north.one("plugin", "migrate", "rides", "--dry-run")["old"] == 2
    # Both migrate, apart from each other.
    south.client("plugin", "install", second(tmp_path))
    assert north.one("plugin", "migrate", "rides")["changed"] == 2
    assert south.one("plugin", "migrate", "rides")["changed"] == 2
    meet(north, south)
    assert fields(south, "r2")["minutes"] == 120 and fields(south, "r6")["minutes"] == 120
    assert north.digest() == south.digest()
    assert north.many("conflicts") == south.many("conflicts") == []
    for site in (north, south):
        again = site.one("plugin", "migrate", "rides")
        assert (again["records"], again["old"], again["changed"]) == (7, 0, 0)
    # History tells who and why; what stood there is in it.
    lines = [one for one in south.many("history", "r0") if one["field"] == "hours"]
    assert [one["old"] for one in lines] == [None, 1.5]
    assert "rides 2.0.0" in lines[-1]["reason"] and lines[-1]["by"]


def test_a_dry_run_writes_nothing_and_doctor_tells(lone, tmp_path):
    lone.add_file([ride(n) for n in range(3)])
    lone.client("plugin", "install", second(tmp_path))
    before = lone.digest()
    for _ in range(2):
        seen = lone.one("plugin", "migrate", "rides", "--kind", KIND, "--dry-run")
        assert (seen["old"], seen["changed"], seen["dry_run"]) == (3, 0, True)
    assert lone.digest() == before
    doctor = lone.client("plugin", "doctor", expect=7).objects
    assert next(one for one in doctor if one["id"] == "rides")["migration"]["old"] == 3
    assert lone.client("plugin", "migrate", "rides", "--kind", "rides.rid", expect=1).problem
    # Until then an old record is shown as it is, and may be edited.
    lone.one("set", "r1", "bus=9", "--reason", "another bus")
    assert fields(lone, "r1")["hours"] == 1.5
    assert lone.one("plugin", "migrate", "rides")["changed"] == 3
    lone.client("plugin", "doctor", expect=0)


def test_what_cannot_be_migrated_is_named(pair, tmp_path):
    north, south, _ = pair
    for site in (north, south):
        site.client("plugin", "install", first(tmp_path))
    north.add_file([ride(0), ride(1), ride(2, children="many")])
    meet(north, south)
    north.one("set", "r1", "hours:=3", "--reason", "x")
    south.one("set", "r1", "hours:=4", "--reason", "y")
    meet(north, south)
    north.client("plugin", "install", second(tmp_path))
    done = north.client("plugin", "migrate", "rides", expect=7).one
    assert (done["changed"], done["failed"]) == (1, 2)
    why = {one["record"]: one for one in done["problems"]}
    assert "conflict" in why["r1"]["what"] and why["r1"]["pointer"] == "/hours"
    assert why["r2"]["pointer"] == "/children" and "fit" in why["r2"]["why"]
    # A person settles both; the next run does the rest.
    north.one("resolve", "r1", "hours", "--value", "4", "--reason", "asked")
    north.one("set", "r2", "children=30", "--reason", "counted")
    assert north.one("plugin", "migrate", "rides")["changed"] == 2
    assert fields(north, "r1")["minutes"] == 240
    assert fields(north, "r2") == {"bus": "2", "minutes": 90, "children": 30}


def test_killed_in_the_middle_it_is_done_by_the_next_run(lone, tmp_path):
    count = 3000
    lone.add_file([ride(n) for n in range(count)])
    lone.client("plugin", "install", second(tmp_path))
    run = subprocess.Popen([BIN / "dutybook", "--store", lone.store, "plugin", "migrate", "rides"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def some():
        return lone.many("list", KIND, "--where", "minutes=90", "--limit", "200")
    wait_for(lambda: len(some()) >= 100, 60, "it has begun")
    lone.kill()
    run.wait(30)
    lone.start()
    left = lone.one("plugin", "migrate", "rides", "--dry-run")
    assert 0 < left["old"] < count and left["records"] == count, left
    done = lone.one("plugin", "migrate", "rides")
    assert done["changed"] == left["old"]
    assert lone.one("plugin", "migrate", "rides")["old"] == 0


def test_lint_takes_an_incompatible_change_only_with_a_migration(lone, tmp_path):
    tried = {
        "not migrated": dict(migrates=False, lua="", cases=()),
        "not raised": dict(version=1),
        "no case": dict(cases=()),
        "no function": dict(lua=""),
    }
    for name, how in tried.items():
        status, said = lint(second(tmp_path, name=name, **how), lone)
        assert status == 3, (name, said)
        assert ".json:" in said or "line" in said, said
    assert lint(second(tmp_path), lone)[0] == 0, lint(second(tmp_path), lone)
    # How a field merges no migration can change.
    merged = second(tmp_path, name="merged", fields={
        **MINUTES, "bus": {"type": "array", "items": TEXT, "x-merge": "set"}})
    status, said = lint(merged, lone)
    assert status == 3 and "x-merge" in said and "another name" in said, said


WRONG = {
    "not idempotent": ("return { minutes = (ride.minutes or 0) + 1, hours = null }", "idempotent"),
    "an endless loop": ("while true do end", ""),
    "a huge answer": ("return { minutes = 1, hours = null, note = ('x'):rep(20000000) }", ""),
    "a large field": ("return { minutes = 1, hours = null, note = ('x'):rep(20000) }", "16 KiB"),
    "no object": ("return array({ 1, 2 })", "no object"),
    "no table": ("return 42", "table"),
    "no fit": ("return { minutes = 'many', hours = null }", "fit"),
    "another's id": ("return { _id = 'r2', minutes = 1, hours = null }", "cannot be"),
    "an error": ("error('no')", "no"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_callback_is_refused_and_harms_nothing(lone, tmp_path, what):
    body, word = WRONG[what]
    lua = f'migrate["{KIND}"] = function(ride) {body} end'
    bare = {"name": "hours become minutes", "do": {"migrate": {"kind": KIND, "fields": {"hours": 1}}},
            "expect": {"fields": {"minutes": 60}}}
    place = second(tmp_path, lua, [bare])
    tested = subprocess.run([BIN / "dutybook", "plugin", "test", place], capture_output=True,
                            text=True)
    assert tested.returncode == 3 and word in tested.stdout, tested.stdout
    assert lone.client("plugin", "install", place, expect=3)
    # Past the checks, as a plugin that came onto the disk another way.
    lone.add_file([{"id": f"r{n}", "kind": KIND, "fields": {"hours": 1}} for n in range(3)])
    before = lone.digest()
    lone.client("plugin", "remove", "rides")
    lone.stop()
    shutil.copytree(place, lone.store / "plugins/rides")
    lone.start()
    answer = lone.client("plugin", "migrate", "rides", expect=None)
    assert answer.code in (1, 7), answer
    assert lone.digest() == before
    state = next(one for one in lone.many("plugin", "list") if one["id"] == "rides")["state"]
    assert state != "quarantined", state


def test_only_an_administrator_at_the_socket_may_migrate(lone, tmp_path):
    lone.http = "127.0.0.1:0"
    lone.restart()
    lone.add_file([ride(0)])
    lone.client("plugin", "install", second(tmp_path))
    token = lone.one("token", "add", "reception", "--role", "writer")["token"]
    door = http.client.HTTPConnection(lone.http_address, timeout=20)
    door.request("POST", "/v1/plugins/rides/migrate", "{}", {
        "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    assert door.getresponse().status == 403
    assert lone.one("plugin", "migrate", "rides", "--dry-run")["old"] == 1
