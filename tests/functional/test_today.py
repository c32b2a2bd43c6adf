"""`today` and `due`: what needs attention comes first, from every plugin that has a word in it."""

import datetime
import subprocess

import pytest
from dutybook import BIN

DAY = datetime.date.today()


def day(offset):
    return (DAY + datetime.timedelta(offset)).isoformat()


def at(offset, time):
    return f"{day(offset)}T{time}:00Z"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("today")) as world:
        north = world.site("North", zone="UTC")
        north.rules = True
        north.start().add_file(records())
        yield north


def duty(id_, title, **fields):
    return {"id": id_, "kind": "core.duty", "fields": {
        "title": title, "category": "supervision", "priority": "normal", "state": "open", **fields}}


def records():
    return [
        {"id": "p-rosa", "kind": "core.person", "fields": {"given": "Rosa", "family": "Diaz",
                                                           "active": True}},
        {"id": "p-tom", "kind": "core.person", "fields": {"given": "Tom", "family": "Lee",
                                                          "active": True}},
        duty("d-late", "Count the keys", assignee="p-rosa", due=day(-3)),
        duty("d-storm", "Storm doors", priority="urgent", due=day(5)),
        duty("d-bus", "Bus duty", assignee="p-tom", due=day(0)),
        duty("d-done", "Copies", state="done", due=day(0)),
        duty("d-next", "Parents' evening", due=day(9)),
        duty("d-aside", "Sort the shelves", state="deferred", due=day(-2)),
        {"id": "f-1", "kind": "core.deferral", "fields": {
            "duty": "d-aside", "at": at(-2, "08:00"), "reason": "storm", "new_due": day(6)}},
        {"id": "m-1", "kind": "core.meeting", "fields": {"title": "Team", "when": at(0, "23:30"),
                                                         "where": "Library"}},
        {"id": "c-old", "kind": "core.credential", "fields": {
            "person": "p-rosa", "type": "CPR", "issued": day(-400), "valid_through": day(-1)}},
        {"id": "c-new", "kind": "core.credential", "fields": {
            "person": "p-tom", "type": "CDA", "issued": day(-400), "valid_through": day(20)}},
        {"id": "o-1", "kind": "medical.medication_order", "fields": {
            "person": "p-rosa", "drug": "albuterol", "ingredients": ["albuterol"], "dose": "2",
            "unit": "puff", "route": "inhaled", "kind": "scheduled", "times": ["00:00"],
            "weekdays": [1, 2, 3, 4, 5, 6, 7],
            "start": day(-10), "end": day(10), "prescriber": "Dr. Roe", "controlled": False,
            "prescriber_sig": {"person": "Dr. Roe", "at": at(-10, "08:00")}}},
        {"id": "x-1", "kind": "legal.matter", "fields": {
            "number": "2026-014", "title": "Baker", "client": "Baker", "attorney": "p-tom",
            "opened": day(-30)}},
        {"id": "x-2", "kind": "legal.deadline", "fields": {
            "matter": "x-1", "event": "Answer", "trigger": day(-300), "period": 21, "unit": "day",
            "direction": "after", "runs_from": "event", "service": "none", "rule": "FRCP 12"}},
        {"id": "s-1", "kind": "education.supervision_post", "fields": {
            "place": "recess", "from": at(0, "10:00"), "to": at(0, "10:30"), "staff": []}},
    ]


def levels(items):
    return {one["record"]: one["level"] for one in items if one["source"].endswith((".today", ".due"))}


def test_today_puts_first_what_needs_attention(site):
    items = site.many("today")
    found = levels(items)
    assert found["d-storm"] == "urgent" and found["d-late"] == "overdue"
    assert found["d-bus"] == "today" and found["m-1"] == "today"
    assert found["o-1"] in ("overdue", "now") and found["x-2"] == "overdue"
    assert found["s-1"] == "urgent"
    assert "d-done" not in found and "d-next" not in found and "d-aside" not in found
    order = ["urgent", "overdue", "expired", "now", "unanswered", "today", "soon", "open"]
    ranks = [order.index(one["level"]) for one in items]
    assert ranks == sorted(ranks) and ranks[0] == 0
    assert {one["source"] for one in items} >= {
        "core.today", "education.today", "medical.today", "legal.today"}


def test_today_of_one_person_leaves_out_the_others(site):
    found = levels(site.many("today", "--person", "p-tom"))
    assert "d-bus" in found and "d-storm" in found  # nobody's duty is everybody's
    assert "d-late" not in found


def test_another_day(site):
    assert levels(site.many("today", "--date", day(9)))["d-next"] == "today"
    assert "d-aside" in levels(site.many("today", "--date", day(6)))


def test_due_is_what_expires_is_overdue_or_unanswered(site):
    found = levels(site.many("due"))
    assert found["c-old"] == "expired" and found["c-new"] == "soon"
    assert found["d-late"] == "overdue" and found["d-next"] == "soon"
    assert found["d-aside"] == "soon" and found["x-2"] == "overdue"
    assert "c-new" not in levels(site.many("due", "--days", 7))
    assert set(levels(site.many("due", "--person", "p-rosa"))) >= {"c-old", "d-late"}
    assert "c-new" not in levels(site.many("due", "--person", "p-rosa"))


def test_findings_that_nobody_answered_are_there_until_they_are(site):
    site.add_file([{"id": "sh-1", "kind": "core.shift", "fields": {
        "person": "p-rosa", "site": "north", "from": at(0, "08:00"), "to": at(0, "12:00")}},
        {"id": "sh-2", "kind": "core.shift", "fields": {
            "person": "p-rosa", "site": "south", "from": at(0, "11:00"), "to": at(0, "13:00")}}])
    lines = [one for one in site.many("today") if one["source"] == "CORE-R01"]
    assert [one["level"] for one in lines] == ["unanswered"]
    for one in site.many("findings", "--rule", "CORE-R01", "--open"):
        site.client("answer", one["finding"], "corrected", "--reason", "swapped")
    assert not [one for one in site.many("today") if one["source"] == "CORE-R01"]


def test_people_read_aligned_lines(site):
    done = subprocess.run([BIN / "dutybook", "--store", site.store, "today"], text=True,
                          capture_output=True, env=site.environment)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0].split()[:3] == ["LEVEL", "WHEN", "WHAT"]
    column = lines[0].index("WHAT")
    assert all(line[column - 1] == " " for line in lines if line.split()[0] in ("urgent", "today"))
    assert any("Storm doors (urgent)" in line for line in lines)


def test_a_terminal_of_80_columns_is_enough(site):
    for command in ("today", "due"):
        done = subprocess.run([BIN / "dutybook", "--store", site.store, command], text=True,
                              capture_output=True, env=site.environment)
        assert max(map(len, done.stdout.splitlines())) <= 80
        wide = subprocess.run([BIN / "dutybook", "--store", site.store, command], text=True,
                              capture_output=True, env={**site.environment, "COLUMNS": "160"})
        assert "RECORD" in wide.stdout.splitlines()[0] and "RECORD" not in done.stdout


def test_a_person_is_named_by_words(site):
    assert levels(site.many("today", "--person", "@rosa")) == levels(
        site.many("today", "--person", "p-rosa"))
    assert site.client("today", "--person", "@nobody-of-this-name", expect=1)


def test_findings_of_classes_that_a_role_does_not_open_stay_away(site):
    site.add_file([
        {"id": "r-aide", "kind": "core.role_assignment", "fields": {
            "person": "p-tom", "site": "north", "role": "cook", "from": day(-9)}},
        *({"id": f"g-{i}", "kind": "medical.medication_administration", "fields": {
            "order": "o-1", "person": "p-rosa", "by": "p-tom", "status": "completed", "dose": "2",
            "unit": "puff", "route": "inhaled", "at": at(-1, f"0{i}:05")}} for i in (1, 2))],
        expect=(0, 3))
    assert any(one["source"].startswith("MED-") for one in site.many("today", "--person", "p-rosa"))
    assert not any(one["source"].startswith("MED-") for one in site.many(
        "today", by="p-tom"))


def test_every_line_has_the_schemas_members(site):
    members = {"level", "when", "what", "place", "who", "record", "source"}
    for one in site.many("today") + site.many("due"):
        assert set(one) == members and all(isinstance(value, str) for value in one.values())


def test_nothing_to_do_says_so(world):
    empty = world.site("Empty").start()
    done = subprocess.run([BIN / "dutybook", "--store", empty.store, "due"], text=True,
                          capture_output=True, env=empty.environment)
    assert (done.returncode, done.stdout) == (0, "nothing needs attention\n")
    assert empty.many("today") == []
