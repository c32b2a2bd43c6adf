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
import xml.etree.ElementTree

import pytest
from dutybook import ROOT

sys.path.insert(0, str(ROOT / "scripts/py"))

import demo_year  # noqa: E402
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


CHECKS = {"html": check_html, "csv": check_csv, "svg": check_svg, "ledes": check_ledes,
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
