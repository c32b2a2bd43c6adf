"""What a report shows depends on who reads it; a report that is filed stays as it was and syncs."""

import json

import pytest

# --- privacy classes by role ---

def role(person, name, **fields):
    return {"kind": "core.role_assignment", "fields": {
        "person": person, "site": "north", "role": name, "from": "2020-01-01", **fields}}


SCHOOL = [
    *({"id": f"p-{who}", "kind": "core.person", "fields": {"given": who.title(), "family": "Ode",
                                                           "active": True}}
      for who in ("nurse", "aide", "boss", "kim", "gone")),
    role("p-nurse", "nurse"), role("p-aide", "aide"), role("p-boss", "administrator"),
    role("p-kim", "student"), role("p-gone", "nurse", to="2021-01-01"),
    {"id": "a-1", "kind": "medical.allergy", "fields": {
        "person": "p-kim", "substance": "peanut", "reaction": "hives", "severity": "severe"}},
    {"id": "h-1", "kind": "medical.health_visit", "fields": {
        "person": "p-kim", "in": "2026-03-02T10:00:00-05:00", "complaint": "stomach ache",
        "action": "rest", "disposition": "returned"}},
    *({"kind": "core.work_time", "fields": {
        "person": person, "from": "2026-03-02T08:00:00-05:00", "to": f"2026-03-02T{end}:00-05:00",
        "category": "class"}} for person, end in (("p-aide", "15:00"), ("p-boss", "17:00"))),
    {"kind": "core.credential", "fields": {"person": "p-boss", "type": "Principal's licence",
                                           "issued": "2020-01-01", "valid_through": "2026-12-31"}}]


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("classes")) as world:
        site = world.site("North")
        site.rules = True
        site.start().add_file(SCHOOL)
        yield site


VISITS = ("medical.health_visits", "from=2026-03-01", "to=2026-03-31")
EXPIRY = ("core.certification_expiry", "from=2026-01-01", "to=2026-12-31")


def test_health_is_for_those_whose_role_has_it(school):
    assert "stomach ache" in school.client("report", *VISITS, by="p-nurse").out
    for reader in ("p-aide", "p-boss", "p-kim", "p-gone"):
        out = school.client("report", *VISITS, by=reader).out
        assert "stomach ache" not in out and "may not see: 1" in out
    # A site without roles for the caller has nothing to go by: it is who runs the machine.
    assert "stomach ache" in school.client("report", *VISITS, by="it-department").out


def test_personnel_records_are_for_hr_and_ones_own(school):
    assert "licence" in school.client("report", *EXPIRY, by="p-boss").out
    assert "licence" not in school.client("report", *EXPIRY, by="p-aide").out
    sheet = ("core.timesheet", "from=2026-03-02", "to=2026-03-02")
    assert "7.00" in school.client("report", *sheet, "person=p-aide", by="p-aide").out
    assert "9.00" not in school.client("report", *sheet, "person=p-boss", by="p-aide").out


def test_a_lunch_aide_is_told_the_allergies_and_no_more(school):
    out = school.client("report", "medical.allergy_card", "people=p-kim", by="p-aide").out
    assert "peanut" in out and "stomach ache" not in out


def test_the_site_decides_what_a_role_opens(school):
    school.client("plugin", "config", "core", 'role_classes={"aide": ["health"], "nurse": ["health"]}')
    assert "stomach ache" in school.client("report", *VISITS, by="p-aide").out


# --- filed reports ---

def test_a_filed_report_stays_as_it_was(school):
    filed = school.one("report", *VISITS, "--file", by="p-nurse")
    assert filed["kind"] == "core.report" and filed["envelope"]["status"] == "final"
    assert filed["fields"]["made_by"] == "p-nurse" and filed["fields"]["from"] == "2026-03-01"
    school.client("set", "h-1", "complaint=headache", "--reason", "heard it wrong")
    assert "stomach ache" in school.client("report", "--filed", filed["id"]).out
    assert "headache" in school.client("report", *VISITS, by="p-nurse").out
    school.client("set", filed["id"], "title=Another", expect=3)
    status, page = school.request("GET", f"/v1/spaces/school/filed/{filed['id']}?format=html")
    assert status == 200 and "stomach ache" in page and page.startswith("<!DOCTYPE html>")


def test_a_long_report_is_filed_too(school):
    school.add_file([{"id": f"p-long-{i}", "kind": "core.person", "fields": {
        "given": f"Given name {i}", "family": f"Family name {i}", "active": True}}
        for i in range(1100)] + [role(f"p-long-{i}", "student") for i in range(1100)])
    made = school.one("report", "education.attendance_summary", "from=2026-01-01",
                      "to=2026-03-31")
    assert len(json.dumps(made)) > 64 * 1024
    filed = school.one("report", "education.attendance_summary", "from=2026-01-01",
                       "to=2026-03-31", "--file")
    assert school.one("report", "--filed", filed["id"])["blocks"] == made["blocks"]


def test_a_schools_report_reaches_the_district(world):
    district = world.site("District", space="district")
    district.rules = True
    district.start()
    hub, school_hub = world.bare("hub"), world.bare("school-hub")
    district.client("remote", "add", "hub", hub, space="district")
    district.sync()
    school = world.invited(district, "North", space="district")
    school.rules = True
    school.start().sync()
    school.client("space", "create", "school", "--parent", "district")
    school.client("remote", "add", "own", school_hub, space="school")
    school.add_file([{"id": "d1", "kind": "core.duty", "fields": {
        "title": "Bus", "category": "supervision", "priority": "normal", "state": "open",
        "assignee": "p-rosa", "due": "2026-03-02"}},
        {"id": "v1", "kind": "medical.health_visit", "fields": {
            "person": "p-kim", "in": "2026-03-02T10:00:00-05:00", "complaint": "stomach ache",
            "action": "rest", "disposition": "returned"}}], space="school")
    sheet = ("core.duty_sheet", "person=p-rosa", "from=2026-03-02", "to=2026-03-02")
    filed = school.one("report", *sheet, "--file", "--into", "district", space="school")
    assert filed["space"] == "district"
    refused = school.client("report", *VISITS, "--file", "--into", "district", space="school",
                            expect=3)
    assert "purpose" in refused.err
    health = school.one("report", *VISITS, "--file", "--into", "district", "--purpose",
                        "outbreak", space="school")
    noted = school.many("list", "core.disclosure", space="school")[0]["fields"]
    assert (noted["to_party"], noted["purpose"]) == ("district", "outbreak")
    school.sync(space="district")
    district.sync()
    assert "Bus" in district.client("report", "--filed", filed["id"]).out
    assert "stomach ache" in district.client("report", "--filed", health["id"]).out
    assert district.many("list", "core.duty") == []  # the school's records stay there
