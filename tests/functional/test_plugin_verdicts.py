"""Verdicts are data that can be made again: poison alone stays unchecked, a plugin that was down
catches up, two sites find the same, an update tells what it would newly find."""

import datetime
import re
import threading
import time

from dutybook import wait_for
from hostile_workers import kill_workers
from plugins import NUMBER, TEXT, doses, kind, rule, write_plugin

POISON = """
rules["ROWS-R01"] = function(row)
  if row.n % 2000 == 7 then while true do end end
  if row.n % 100 == 0 then return { code = "round", path = "/n", values = { n = row.n } } end
end
"""


def rows_plugin(folder, lua=POISON, version="1.0.0", **more):
    """A judge of numbers: every hundredth is found, and some records are poison."""
    return write_plugin(folder, "rows", [kind("rows.row", {"n": NUMBER, "note": TEXT})],
                        [rule("ROWS-R01", "rows.row", {"round": "{n} is a round number."})], lua,
                        version, limits={"deadline_ms": 200, "instructions": 1_000_000_000}, **more)


def start_with(site, *plugins):
    """Plugins are put into the store by hand: no lint, no tests."""
    folder = site.store / "plugins"
    folder.mkdir(exist_ok=True)
    for plugin in plugins:
        plugin(folder)
    return site.start()


def findings(site):
    return sorted((one["finding"], one["rule"], tuple(one["records"])) for one in
                  site.many("findings"))


def settled(site, unchecked=0, seconds=60):
    wait_for(lambda: site.status()["unchecked"] == unchecked, seconds,
             f"{unchecked} unchecked records")


def add_rows(site, numbers):
    lines = site.add_file({"id": f"row{n}", "kind": "rows.row", "fields": {"n": n}}
                          for n in numbers)
    assert all("id" in line for line in lines)
    return lines


def test_of_ten_thousand_records_five_are_poison(world):
    site = start_with(world.site("North"), rows_plugin)
    site.client("plugin", "disable", "rows")
    add_rows(site, range(10_000))
    assert site.status()["unchecked"] == 0, "a plugin that is off misses nothing"
    began = time.monotonic()
    site.client("plugin", "enable", "rows")
    wait_for(lambda: site.status()["unchecked"] == 5, 60, "9,995 verdicts")
    took = time.monotonic() - began
    named = {one["record"]: one for one in site.many("findings", "--unchecked")}
    assert set(named) == {f"row{n}" for n in range(7, 10_000, 2000)}
    assert all(one["plugin"] == "rows" and "within 200 ms" in one["why"] for one in named.values())
    assert len(findings(site)) == 100
    print(f"10,000 records, 5 of them poison: 9,995 verdicts and 5 named in {took:.1f} s")
    assert took < 30


def test_a_plugin_that_was_down_for_a_thousand_writes_catches_up(world):
    calm = POISON.replace("2000 == 7", "2000 == 1999")
    site = start_with(world.site("North"), lambda folder: rows_plugin(folder, calm))
    never_down = start_with(world.site("South"), lambda folder: rows_plugin(folder, calm))
    stop = threading.Event()
    killer = threading.Thread(target=kill_workers, args=(site.process.pid, stop))
    killer.start()
    try:
        wait_for(lambda: plugin(site)["state"] == "quarantined", 60, "quarantine")
        for start in range(0, 1000, 200):
            add_rows(site, range(start, start + 200))
            add_rows(never_down, range(start, start + 200))
    finally:
        stop.set()
        killer.join()
    assert site.status()["unchecked"] == 1000
    assert site.status()["findings_digest"] is None
    assert "quarantined" in site.log.read_text()
    assert "crashes in ten minutes" in plugin(site)["why"]
    site.client("plugin", "enable", "rows")
    settled(site)
    settled(never_down)
    assert len(findings(site)) == 10 and findings(site) == findings(never_down)
    assert site.status()["findings_digest"] == never_down.status()["findings_digest"]


def plugin(site, name="rows"):
    found = [one for one in site.many("plugin", "list") if one["id"] == name][0]
    if found["state"] != "quarantined":  # asking for work is what finds out that it is dead
        site.client("check", "rows.row", "n:=1", expect=(0, 1))
    return found


def instant(minutes):
    at = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.timezone.utc)
    return (at + datetime.timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def give(site, name, order, minutes):
    return site.one("add", "--file", "-", input=(
        f'{{"id":"{name}","kind":"doses.dose","fields":'
        f'{{"order":"{order}","at":"{instant(minutes)}"}}}}\n'))


def judged(site):
    return re.findall(r"judged ([\w-]+)", site.log.read_text())


def test_two_doses_at_two_sites_are_one_finding(world):
    north = start_with(world.site("North"), doses)
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    south = world.invited(north, "South")
    start_with(south, doses)
    for number in range(3):
        north.client("add", "--file", "-", input=(
            f'{{"id":"o{number}","kind":"doses.order","fields":{{"minutes":240}}}}\n'))
    meet(north, south)
    # Apart: each gives a dose of the same order, an hour from each other; others are far apart.
    assert give(north, "d1", "o0", 0)["findings"] == []
    assert give(south, "d2", "o0", 60)["findings"] == []
    give(north, "d3", "o0", 600)
    give(south, "d4", "o1", 60)
    meet(north, south)
    expected = findings(north)
    assert [one[1:] for one in expected] == [("DOSES-R01", ("d1", "d2"))] or \
        [one[1:] for one in expected] == [("DOSES-R01", ("d2", "d1"))]
    assert [one[0] for one in findings(south)] == [one[0] for one in expected]
    assert north.status()["findings_digest"] == south.status()["findings_digest"]

    # The order's interval is amended: exactly its doses are judged again.
    before = len(judged(north))
    north.client("set", "o0", "minutes:=30")
    wait_for(lambda: findings(north) == [], 20, "the finding is gone")
    settled(north)
    again = judged(north)[before:]
    print(f"amending one of three orders: {len(again)} evaluations: {sorted(again)}")
    assert sorted(again) == ["d1", "d2", "d3"]
    meet(north, south)
    assert findings(south) == []

    # Back to four hours, then one dose turns out never to have been given.
    south.client("set", "o0", "minutes:=240")
    meet(north, south)
    assert [one[0] for one in findings(north)] == [one[0] for one in expected]
    assert [one[0] for one in findings(south)] == [one[0] for one in expected]
    south.client("retract", "d1", "--reason", "entered in error")
    meet(north, south)
    assert findings(north) == [] and findings(south) == []
    assert north.status()["findings_digest"] == south.status()["findings_digest"]


def meet(north, south):
    for site in (north, south, north):
        site.sync()
    settled(north)
    settled(south)


STRICTER = """
rules["ROWS-R01"] = function(row)
  if row.n % 10 == 0 then return { code = "round", path = "/n", values = { n = row.n } } end
end
"""
REJECTING = rule("ROWS-R02", "rows.row", {"low": "{n} is too low."}, severity="reject")


def test_a_stricter_update_tells_what_it_would_find_and_leaves_old_records_editable(world, tmp_path):
    site = start_with(world.site("North"), lambda folder: rows_plugin(folder, POISON.replace(
        "if row.n % 2000 == 7 then while true do end end", "")))
    add_rows(site, range(300))
    settled(site)
    assert len(findings(site)) == 3
    update = rows_plugin(tmp_path, STRICTER, "2.0.0")
    shadow = site.one("plugin", "shadow", update)
    assert (shadow["findings"], shadow["records"]) == (27, 300)
    assert shadow["text"] == "would newly find 27 in 300 records"
    assert len(findings(site)) == 3, "the shadow changes nothing"
    installed = site.one("plugin", "install", update)
    assert installed["shadow"]["text"] == "would newly find 27 in 300 records"
    settled(site)
    assert len(findings(site)) == 30

    # A rule that rejects what stands already: an edit elsewhere in the record goes through.
    lua = STRICTER + """
rules["ROWS-R02"] = function(row)
  if row.n < 50 then return { code = "low", path = "/n", values = { n = row.n } } end
end
"""
    both = write_plugin(tmp_path, "rows", [kind("rows.row", {"n": NUMBER, "note": TEXT})],
                        [rule("ROWS-R01", "rows.row", {"round": "{n} is a round number."}),
                         REJECTING], lua, "3.0.0")
    site.client("plugin", "install", both)
    settled(site)
    assert site.one("set", "row7", "note=seen", "--reason", "looked at")["fields"]["note"] == "seen"
    assert site.client("set", "row7", "n:=8", "--reason", "x", expect=3).problem["code"] == "rejected"
    assert site.client("add", "rows.row", "n:=9", expect=3).problem["code"] == "rejected"
    assert site.one("set", "row7", "n:=77", "--reason", "mended")["fields"]["n"] == 77

    # Back by one command; what the update found is gone.
    site.client("plugin", "rollback", "rows")
    settled(site)
    assert "ROWS-R02" not in {one[1] for one in findings(site)}


def test_the_shadow_runs_with_the_defaults_of_the_version_that_is_to_come(world, tmp_path):
    def least(number, version):
        lua = '''rules["ROWS-R01"] = function(row)
  if row.n < config.least then return { code = "low", path = "/n", values = { n = row.n } } end
end'''
        settings = {"type": "object", "properties": {"least": {"type": "integer", "default": number}}}
        return write_plugin(tmp_path / version, "rows", [kind("rows.row", {"n": NUMBER})],
                            [rule("ROWS-R01", "rows.row", {"low": "{n} is low."})], lua, version,
                            configuration=settings)

    site = world.site("North").start()
    site.client("plugin", "install", least(3, "1.0.0"))
    site.add_file([{"kind": "rows.row", "fields": {"n": n}} for n in range(10)])
    installed = site.one("plugin", "install", least(5, "1.1.0"))
    assert installed["shadow"]["findings"] == 2
    wait_for(lambda: len(site.many("findings")) == 5, 20, "judged by the new default")
    # What is set stays set, whatever the default.
    site.client("plugin", "config", "rows", "least=1")
    assert site.one("plugin", "shadow", least(7, "1.2.0"))["findings"] == 0


def test_an_update_that_fails_its_tests_leaves_the_old_one_running(world, tmp_path):
    site = start_with(world.site("North"), lambda folder: rows_plugin(folder, STRICTER))
    wrong = rows_plugin(tmp_path, STRICTER, "2.0.0", cases=[
        {"name": "never", "do": {"write": {"kind": "rows.row", "fields": {"n": 10}}},
         "expect": {"findings": []}}])
    ran = site.client("plugin", "install", wrong, expect=(1, 3))
    assert "fails its own tests" in ran.err
    assert [one["version"] for one in site.many("plugin", "list") if one["id"] == "rows"] == [
        "1.0.0"]
    assert len(site.one("add", "rows.row", "n:=20")["findings"]) == 1


COMPLETES = STRICTER + """
complete["rows.row"] = function(row)
  if row.n then return { told = "n is " .. row.n } end
end
"""


def test_fields_of_a_plugin_that_was_down_are_made_up_when_it_is_back(world):
    def rows(folder):
        fields = {"n": NUMBER, "note": TEXT, "told": {**TEXT, "x-completed": True}}
        write_plugin(folder, "rows", [kind("rows.row", fields)],
                     [rule("ROWS-R01", "rows.row", {"round": "{n} is a round number."})], COMPLETES,
                     completes=[{"kind": "rows.row"}], limits={"deadline_ms": 2000})

    site = start_with(world.site("North"), rows)
    assert site.one("add", "rows.row", "n:=5")["fields"]["told"] == "n is 5"
    stop = threading.Event()
    killer = threading.Thread(target=kill_workers, args=(site.process.pid, stop))
    killer.start()
    try:
        wait_for(lambda: plugin(site)["state"] == "quarantined", 60, "quarantine")
        add_rows(site, range(100, 140))
        assert "told" not in site.one("show", "row100")["fields"]
        site.restart()
        killed = threading.Thread(target=kill_workers, args=(site.process.pid, stop))
        killed.start()
    finally:
        stop.set()
        killer.join()
    killed.join()
    site.client("retract", "row139", "--reason", "a mistake")
    if plugin(site)["state"] == "quarantined":
        site.client("plugin", "enable", "rows")
    wait_for(lambda: all(site.one("show", f"row{n}")["fields"].get("told") == f"n is {n}"
                         for n in (100, 120, 138)), 30, "the fields are filled in")
    settled(site)
    assert "told" not in site.one("show", "row139")["fields"]
    assert len(findings(site)) == 4
    last = site.many("history", "row120")[-1]
    assert (last["field"], last["by"]) == ("told", "north-aide") and "was down" in last["reason"]
