"""Every report in every format over a generated year, each by a judge from outside: HTML by tidy,
SVG by an XML parser, calendars by libical, LEDES by its 24 fields, CSV without formulas.

The year has 5 days here; DUTYBOOK_TEST_YEAR=200 makes it whole, and then each report must come
within 2 s.
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree

import pytest
from dutybook import ROOT

sys.path.insert(0, str(ROOT / "scripts/py"))

import demo_year  # noqa: E402
import year  # noqa: E402
from test_export import strict  # noqa: E402

DAYS = int(os.environ.get("DUTYBOOK_TEST_YEAR", "5"))
STUDENTS = 60 if DAYS >= 100 else 5


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("year")) as world:
        made = demo_year.Year(world, DAYS, STUDENTS)
        made.added, made.failed = made.fill()
        yield made


def test_every_kind_is_in_use(life):
    assert life.failed == []
    print(f"{life.added} records")
    # Written by the program itself when something happens.
    assert set(life.unused_kinds()) <= {"core.plugin_config", "core.plugin_package"}


def check_html(text, name):
    assert text.startswith("<!DOCTYPE html>") and "<script" not in text
    assert "@media print" in text
    done = subprocess.run(["tidy", "-errors", "-quiet", "-utf8", "--drop-empty-elements", "no"],
                          input=text, text=True, capture_output=True)
    assert done.returncode == 0, f"{name}: {done.stderr[:2000]}"


def check_csv(text, name):
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert rows or not text, name
    for cell in (cell for row in rows for cell in row if cell):
        number = cell.lstrip("+-").replace(".", "", 1).isdigit()
        assert cell[0] not in "=+-@\t\r" or number, f"{name}: {cell!r}"


def check_svg(text, name):
    assert xml.etree.ElementTree.fromstring(text).tag.endswith("svg"), name


def check_ledes(text, name):
    lines = text.split("\r\n")
    assert lines[0] == "LEDES1998B[]" and lines[-1] == "" and len(lines) > 3, name
    assert all(line.endswith("[]") and line.count("|") == 23 for line in lines[1:-1]), name


def check_json(text, name):
    assert json.loads(text)["blocks"], name


def check_text(text, name):
    assert max(map(len, text.splitlines())) <= 100, name


CHECKS = {"html": check_html, "text": check_text, "csv": check_csv, "svg": check_svg, "ledes": check_ledes,
          "json": check_json, "ics": lambda text, name: strict(text)}


def test_every_report_in_every_format(life):
    assert shutil.which("tidy"), "tidy is missing: scripts/setup"
    made, seconds = 0, []
    for space, report, form in life.reports():
        name = f"{report['report']} as {form}"
        status, text, took = life.make(space, report, form)
        assert status == 200, f"{name}: {text[:500]}"
        CHECKS[form](text, name)
        made += 1
        seconds.append((took, name))
    print(f"{made} reports and formats, the slowest {max(seconds)[0]:.2f} s ({max(seconds)[1]})")
    assert made > 150
    if DAYS >= 100:
        assert max(seconds)[0] < 2, max(seconds)


def test_no_report_on_a_child_names_another(life):
    children = {f"Child{i}" for i in range(1, STUDENTS)}
    for space, report, form in life.reports():
        required = report["parameters"].get("required", [])
        if "student" not in required and not (
                report["report"].startswith("medical.") and "person" in required):
            continue
        _, text, _ = life.make(space, report, "json")
        words = set(text.replace('"', " ").replace(",", " ").split())
        assert not words & children, f"{report['report']}: {words & children}"


def report_of(life, name, *parameters, space="north", **options):
    query = [("format", options.get("form", "json")), *(("parameter", one) for one in parameters)]
    status, body = life.site.request(
        "GET", f"/v1/spaces/{space}/reports/{name}?{urllib.parse.urlencode(query)}",
        headers={"X-Dutybook-By": options.get("by", "office")})
    assert status == 200, body
    return body


def test_staff_of_the_district_are_found_from_a_school(life):
    """A duty in the school names "district/north-aide-0"; people say north-aide-0."""
    span = [f"from={life.days[0]}", f"to={life.days[-1]}"]
    for who in ("north-aide-0", "district/north-aide-0"):
        blocks = report_of(life, "core.duty_sheet", f"person={who}", *span)["blocks"]
        rows = next(block["rows"] for block in blocks if block["type"] == "table")
        assert rows and {row[2] for row in rows} <= {"Recess duty", "Lunch duty", "Dismissal duty"}
    rows = report_of(life, "core.timesheet", "person=north-aide-0", *span)["blocks"][1]["rows"]
    assert len(rows) == len(life.days)


def test_a_school_knows_the_matters_and_people_of_its_district(life):
    due = [row["what"] for row in life.site.many(
        "due", "--date", life.days[0], "--days", 400, space="north")
        if row["source"] == "legal.due"]
    assert sum(what.startswith("Deadline 2025-0") for what in due) == 3, due
    assert not any("Deadline :" in what for what in due), due
    rows = report_of(life, "legal.deadline_calendar", f"from={life.days[0]}", "to=2026-08-31")[
        "blocks"][1]["rows"]
    assert sum(row[1].startswith("2025-0") for row in rows) == 3
    found = [[one["id"] for one in life.site.many(
        "list", "core.duty", "--where", f"assignee={who}", space="north")]
        for who in ("north-aide-0", "district/north-aide-0")]
    assert found[0] and found[0] == found[1]


def test_a_report_is_made_for_at_most_fifty_years(life):
    span = ("core.incident_register", "from=0026-01-01", "to=2026-01-01")
    assert "fifty years" in life.site.client("report", *span, space="north", expect=3).err
    assert life.site.client("report", span[0], "from=2026-01-02", span[2], space="north",
                            expect=3).problem["pointer"] == "/to"


def test_what_the_rules_found_is_a_report(life):
    life.site.add_file([
        {"id": f"two-{i}", "kind": "core.shift", "fields": {
            "person": "north-aide-1", "site": site, "kind": "duty",
            "from": f"2026-06-13T{start}:00:00-04:00", "to": f"2026-06-13T{start + 2}:00:00-04:00"}}
        for i, (site, start) in enumerate((("north", 10), ("south", 11)))], space="north")
    table = next(block for block in report_of(life, "site.inconsistencies", "rule=CORE-R01")["blocks"]
                 if block["type"] == "table")
    assert [column["label"] for column in table["columns"]] == [
        "Rule", "Severity", "What was found", "Record", "Beside", "Since", "Site"]
    row = next(row for row in table["rows"] if "two-0" in row[3] + row[4])
    assert row[0] == "CORE-R01" and "two-1" in row[3] + row[4] and row[6] == "District"
    summary = report_of(life, "site.inconsistencies")["blocks"][1]
    counts = {row[0]: row[3] for row in summary["rows"]}
    assert counts["CORE-R01"] == len(table["rows"]) and len(counts) > 1
    assert all(row[1] for row in summary["rows"]), "each rule has its title"
    finding = life.site.many("findings", "--rule", "CORE-R01", "--open", space="north")[0]
    life.site.client("answer", finding["finding"], "accepted", "--reason", "swapped by phone",
                     space="north")
    text = report_of(life, "site.inconsistencies", "answered=true", "rule=CORE-R01",
                     form="csv")
    assert "swapped by phone" in text


def test_sync_and_merge_is_a_report(life):
    blocks = report_of(life, "site.sync")["blocks"]
    assert [block["text"] for block in blocks if block["type"] == "heading"] == [
        "Sites", "Remotes", "Conflicts", "Clock differences", "Refused or set aside"]
    assert "Sync and merge" in report_of(life, "site.sync", form="text")


def test_the_medication_sheet_is_printed_across(life):
    page = report_of(life, "medical.mar_sheet", "person=north-child-0", f"from={life.days[0]}",
                     f"to={life.days[-1]}", form="html")
    assert "size: landscape" in page
    assert "size: landscape" not in report_of(
        life, "core.supply_list", form="html")


def marked(value, mark, key=""):
    """The example with a mark in every free text."""
    if isinstance(value, dict):
        return {name: marked(one, mark, name) for name, one in value.items()}
    if isinstance(value, list):
        return [marked(one, mark, key) for one in value]
    return f"{value} {mark}" if isinstance(value, str) and " " in value else value


def test_no_report_shows_what_its_readers_role_does_not_open(life):
    """A cook has a role that opens no class: no mark of any record of a class is in any report, in
    `today`, or in what the rules found."""
    kinds = [life.site.one("kind", "show", one["kind"]) for one in life.site.many("kind", "list")]
    planted = [{"kind": kind["kind"], "id": "mark-" + kind["kind"].replace(".", "-"),
                "fields": marked(year.settled(kind["example"], year.Settling(
                    kind, "north", life.days)), "MARK" + kind["privacy"].upper())}
               for kind in kinds if kind["privacy"] != "ordinary" and kind.get("example")]
    answers = life.site.add_file(planted, expect=(0, 3), space="north", by="office")
    stored = [one for one in answers if "code" not in one]
    assert len(stored) > 40
    everything = " ".join(json.dumps(one) for one in stored)
    assert "MARKHEALTH" in everything and "MARKEDUCATION" in everything
    life.site.add_file([
        year.person("p-cook", "Cy", "Cook"),
        year.record("core.role_assignment", "role-cook", person="p-cook", site="north",
                    role="cook", from_=life.days[0].isoformat())], space="north")
    names = {report["report"]: report for _, report, _ in life.reports()}
    parameters = {name: year.parameters(report, "north", life.days)
                  for name, report in names.items()}
    for name in names:
        assert "MARK" not in json.dumps(report_of(life, name, *parameters[name], by="p-cook")), name
    # Who has no role is not limited: the marks are there to be seen.
    seen = [name for name in names
            if "MARK" in json.dumps(report_of(life, name, *parameters[name], by="office"))]
    assert len(seen) > 15, seen
    for name in ("today", "due"):
        status, body = life.site.request("GET", f"/v1/spaces/north/{name}",
                                         headers={"X-Dutybook-By": "p-cook"})
        assert status == 200 and "MARK" not in json.dumps(body)
