"""What leaves for other programs, and comes back as it was: LEDES 1998B, FHIR R4, iCalendar,
OneRoster, Ed-Fi attendance, plain CSV without formulas."""

import csv
import io
import json
import subprocess

import district
import pytest

NAMES = ("INVOICE_DATE|INVOICE_NUMBER|CLIENT_ID|LAW_FIRM_MATTER_ID|INVOICE_TOTAL|BILLING_START_DATE|"
         "BILLING_END_DATE|INVOICE_DESCRIPTION|LINE_ITEM_NUMBER|EXP/FEE/INV_ADJ_TYPE|"
         "LINE_ITEM_NUMBER_OF_UNITS|LINE_ITEM_ADJUSTMENT_AMOUNT|LINE_ITEM_TOTAL|LINE_ITEM_DATE|"
         "LINE_ITEM_TASK_CODE|LINE_ITEM_EXPENSE_CODE|LINE_ITEM_ACTIVITY_CODE|TIMEKEEPER_ID|"
         "LINE_ITEM_DESCRIPTION|LAW_FIRM_ID|LINE_ITEM_UNIT_COST|TIMEKEEPER_NAME|"
         "TIMEKEEPER_CLASSIFICATION|CLIENT_MATTER_ID[]")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("export")) as world:
        site = world.site("Office")
        site.rules = True
        yield site.start()


def operations(site):
    return site.status()["operations"]


def text(site, *arguments):
    return site.client("export", *arguments).out


@pytest.fixture(scope="module")
def matter(office):
    office.add_file([
        {"id": "p-ada", "kind": "core.person", "fields": {"given": "Ada", "family": "Ng",
                                                          "active": True}},
        {"id": "m1", "kind": "legal.matter", "fields": {
            "number": "2026-014", "title": "Baker v. Cole | costs", "client": "Baker",
            "attorney": "p-ada", "opened": "2026-01-05", "status": "open",
            "billing": {"increment": 6, "rounding": "up", "rate": "110.00", "client_id": "C-7"}}},
        {"id": "t1", "kind": "legal.time_entry", "fields": {
            "matter": "m1", "person": "p-ada", "date": "2026-05-04", "minutes": 36,
            "narrative": "Draft answer [first] | costs", "task_code": "L210",
            "activity_code": "A103", "billable": True, "rate": "110.00", "adjustment": "-5.00"}},
        {"id": "e1", "kind": "legal.expense_entry", "fields": {
            "matter": "m1", "date": "2026-05-06", "units": "12", "unit_cost": "0.10",
            "expense_code": "E101", "narrative": "Copies"}}])
    return ["matter=m1", "from=2026-05-01", "to=2026-05-31"]


def test_ledes_has_24_fields_a_line_and_adds_up(office, matter):
    lines = text(office, "ledes", *matter).split("\r\n")
    assert lines[0] == "LEDES1998B[]" and lines[1] == NAMES and lines[-1] == ""
    rows = [line.removesuffix("[]").split("|") for line in lines[2:-1]]
    assert len(rows) == 2 and all(line.endswith("[]") for line in lines[:-1])
    assert all(len(row) == 24 for row in rows)
    fee, expense = sorted(rows, key=lambda row: row[9], reverse=True)
    assert fee[9:14] == ["F", "0.6", "-5.00", "61.00", "20260504"]
    assert expense[9:14] == ["E", "12", "0.00", "1.20", "20260506"]
    assert {row[4] for row in rows} == {"62.20"}
    assert all("|" not in cell and "[" not in cell and cell.isascii() for row in rows for cell in row)
    assert "Draft answer (first)" in fee[18]


def test_ledes_refuses_to_bill_what_does_not_add_up(office, matter):
    office.one("add", "legal.time_entry", "matter=m1", "person=p-ada", "date=2026-06-02",
               "minutes:=30", "narrative=Review", "task_code=X999", "activity_code=A103",
               "billable:=true", "rate=110.00")
    ran = office.client("export", "ledes", "matter=m1", "from=2026-06-01", "to=2026-06-30",
                        expect=1)
    assert "X999" in ran.err


def test_ledes_comes_back_without_billing_twice(office, matter, tmp_path):
    path = tmp_path / "may.ledes"
    office.client("export", "ledes", *matter, "--out", path)
    before = operations(office)
    told = office.many("import", "ledes", path)[-1]
    assert told["added"] == {} and told["failed"] == 0
    assert operations(office) == before
    foreign = path.read_bytes().decode().replace("20260504", "20260505")
    last = foreign.split("\r\n")[2].replace("2026-014", "2026-999") + "\r\n"
    path.write_bytes((foreign + "20260531|X|[]\r\n" + last).encode())
    ran = office.client("import", "ledes", path, expect=3)
    assert [(one["line"], one["column"]) for one in ran.objects if "code" in one] == [
        (5, ""), (6, "LAW_FIRM_MATTER_ID")]
    new = office.many("list", "legal.time_entry", "--where", "date=2026-05-05")
    assert [(one["fields"]["minutes"], one["fields"]["total"]) for one in new] == [(36, "61.00")]
    assert office.many("import", "ledes", path, expect=3)[-1]["added"] == {}


HEALTH = [
    {"id": "p-kim", "kind": "core.person", "fields": {"given": "Kim", "family": "Ito",
                                                      "active": True}},
    {"id": "o1", "kind": "medical.medication_order", "fields": {
        "person": "p-kim", "drug": "acetaminophen", "ingredients": ["acetaminophen"],
        "dose": "0.10", "unit": "mg", "route": "oral", "kind": "PRN", "start": "2026-01-01",
        "end": "2026-12-31", "prescriber": "Dr. Roe", "controlled": False,
        "prescriber_sig": {"person": "Dr. Roe", "at": "2026-01-01T08:00:00-05:00"}}},
    {"id": "d1", "kind": "medical.medication_administration", "fields": {
        "order": "o1", "person": "p-kim", "at": "2026-03-02T08:30:00-05:00",
        "status": "completed", "dose": "0.10", "unit": "mg", "route": "oral", "by": "p-ada",
        "reason_prn": "headache"}},
    {"id": "v1", "kind": "medical.immunization", "fields": {
        "person": "p-kim", "vaccine": "MMR", "vaccine_code": "03",
        "at": "2026-03-02T09:00:00-05:00", "status": "completed", "lot": "A7", "expiry": "2027-02",
        "dose": "0.5", "unit": "mL", "body_site": "left_deltoid", "by": "p-ada"}}]


def test_fhir_keeps_every_digit_and_comes_back(office, matter, world, tmp_path):
    office.add_file(HEALTH)
    path = tmp_path / "bundle.json"
    office.client("export", "fhir", "--out", path)
    whole = path.read_text()
    bundle = json.loads(whole, parse_float=str)
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "collection"
    dose, shot = (entry["resource"] for entry in bundle["entry"])
    assert dose["resourceType"] == "MedicationAdministration" and dose["status"] == "completed"
    assert dose["dosage"]["dose"]["value"] == "0.10" and '"value": 0.10' in whole
    assert dose["subject"]["reference"] == "Patient/p-kim"
    assert dose["medicationCodeableConcept"]["text"] == "acetaminophen"
    assert dose["effectiveDateTime"] == "2026-03-02T08:30:00-05:00"
    assert shot["vaccineCode"]["coding"][0]["code"] == "03" and shot["lotNumber"] == "A7"
    before = operations(office)
    assert office.many("import", "fhir", path)[-1]["added"] == {}
    assert operations(office) == before
    other = world.site("Clinic")
    other.rules = True
    other.start()
    other.add_file([one for one in HEALTH if one["id"] in ("p-kim", "o1")])
    told = other.many("import", "fhir", path)
    assert told[-1]["added"] == {"medical.immunization": 1, "medical.medication_administration": 1}
    assert [one["orphan"] for one in told if "orphan" in one] == ["p-ada", "p-ada"]
    assert other.one("show", "d1")["fields"] == HEALTH[2]["fields"]
    assert other.one("show", "v1")["fields"] == HEALTH[3]["fields"]


def test_a_dose_entered_in_error_says_so(office, matter):
    office.add_file([one for one in HEALTH if one["id"] in ("p-kim", "o1")], expect=(0, 3))
    office.one("add", "medical.medication_administration", "order=o1", "person=p-kim", "by=p-ada",
               "at=2026-04-02T08:30:00-04:00", "status=completed", "dose=0.10", "unit=mg")
    wrong = office.many("list", "medical.medication_administration", "--since", "2026-04-01")[0]
    office.client("retract", wrong["id"], "--reason", "wrong child")
    bundle = json.loads(text(office, "fhir", "--since", "2026-04-01", "--until", "2026-04-30"))
    assert [entry["resource"]["status"] for entry in bundle["entry"]] == ["entered-in-error"]


def test_a_bundle_of_another_program_is_read_in_its_words(office, tmp_path):
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:6f2a", "resource": {
            "resourceType": "Immunization", "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "08",
                                        "display": "Hep B"}]},
            "patient": {"reference": "Patient/p-ada"}, "occurrenceDateTime": "2013-01-10",
            "site": {"coding": [{"code": "LA", "display": "left arm"}]},
            "route": {"coding": [{"code": "IM", "display": "Injection, intramuscular"}]}}},
        {"resource": {"resourceType": "Immunization", "id": "odd", "status": "completed",
                      "vaccineCode": {"text": "MMR"}, "patient": {"reference": "Patient/p-ada"},
                      "occurrenceDateTime": "2014-02-03T10:00:00Z",
                      "site": {"text": "between the toes"}}},
        {"resource": {"resourceType": "Patient", "id": "p-ada"}},
        {"resource": {"resourceType": "Immunization", "id": "vague", "status": "completed",
                      "vaccineCode": {"text": "MMR"}, "patient": {"reference": "Patient/p-ada"},
                      "occurrenceDateTime": "2014-02"}}]}))
    ran = office.client("import", "fhir", path, expect=3)
    assert ran.objects[-1]["added"] == {"medical.immunization": 2}
    assert [one["line"] for one in ran.objects if "code" in one] == [4]  # a month is no day
    assert [one["warning"]["line"] for one in ran.objects if "warning" in one] == [2, 3]
    first = office.one("show", "6f2a")["fields"]
    assert (first["at"], first["route"], first["body_site"], first["vaccine"]) == (
        "2013-01-10T00:00:00-05:00", "intramuscular", "left_deltoid", "Hep B")
    assert office.one("show", "odd")["fields"]["body_site"] == "other"
    before = operations(office)
    office.client("import", "fhir", path, expect=3)
    assert operations(office) == before


STRICT = """
import ctypes, ctypes.util, sys
ical = ctypes.CDLL(ctypes.util.find_library("ical"))
ical.icalparser_parse_string.restype = ctypes.c_void_p
ical.icalrestriction_check.argtypes = [ctypes.c_void_p]
ical.icalcomponent_count_errors.argtypes = [ctypes.c_void_p]
root = ical.icalparser_parse_string(sys.stdin.buffer.read())
assert root, "not parsed"
assert ical.icalcomponent_count_errors(root) == 0, "errors"
assert ical.icalrestriction_check(root) == 1, "restrictions"
"""


def strict(calendar):
    """libical's parser and its table of RFC 5545's restrictions."""
    done = subprocess.run(["/usr/bin/python3", "-c", STRICT], input=calendar.encode(),
                          capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert calendar.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in calendar.split("\r\n"))
    return calendar


def test_calendars_are_strict_and_come_back(office, tmp_path):
    office.add_file([
        {"id": "cal-duty", "kind": "core.duty", "fields": {
            "title": "Reading group; room 4, with a title that is long enough to be folded: ñandú",
            "category": "instruction", "priority": "high", "state": "started",
            "due": "2026-03-09T09:30:00-04:00", "place": "Room 4"}},
        {"id": "cal-day", "kind": "core.duty", "fields": {
            "title": "Count the supplies", "category": "supplies", "priority": "low",
            "state": "open", "due": "2026-03-10"}},
        {"id": "cal-meeting", "kind": "core.meeting", "fields": {
            "title": "Team", "when": "2026-03-09T15:00:00-04:00",
            "until": "2026-03-09T16:00:00-04:00", "where": "Library"}},
        {"id": "cal-shift", "kind": "core.shift", "fields": {
            "person": "p-ada", "site": "office", "from": "2026-03-09T08:00:00-04:00",
            "to": "2026-03-09T15:30:00-04:00"}}])
    calendar = strict(text(office, "ics", "--since", "2026-03-01", "--until", "2026-03-31"))
    assert calendar.count("BEGIN:VTODO") == 2 and calendar.count("BEGIN:VEVENT") == 2
    assert "DUE;VALUE=DATE:20260310" in calendar and "DTSTART:20260309T190000Z" in calendar
    path = tmp_path / "march.ics"
    path.write_bytes(calendar.encode())
    before = operations(office)
    assert office.many("import", "ics", path)[-1]["changed"] == {}
    assert operations(office) == before
    path.write_bytes(calendar.replace("cal-", "new-").encode())
    told = office.many("import", "ics", path)
    assert told[-1]["added"] == {"core.duty": 2, "core.meeting": 1}
    for name in ("duty", "day", "meeting"):
        assert office.one("show", f"new-{name}")["fields"] == office.one(
            "show", f"cal-{name}")["fields"]


def test_a_series_comes_in_as_its_times_and_goes_as_it_is_changed(office, tmp_path):
    path = tmp_path / "series.ics"

    def bring(*more, master=""):
        path.write_text("\r\n".join([
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:weekly@else",
            "SUMMARY:Team", "DTSTART;TZID=America/New_York:20260302T150000", "DURATION:PT45M",
            "RRULE:FREQ=WEEKLY;COUNT=4", *([master] if master else []), "END:VEVENT", *more,
            "END:VCALENDAR", ""]))
        return office.many("import", "ics", path)[-1]

    assert bring()["added"] == {"core.meeting": 4}
    before = operations(office)
    assert bring()["added"] == {} and operations(office) == before
    held = [one for one in office.many("list", "core.meeting", "--limit", 100)
            if one["id"].startswith("weekly_else-")]
    # The clocks change on the 8th: three in the afternoon stays three in the afternoon.
    assert sorted((one["fields"]["when"], one["fields"]["until"]) for one in held)[:2] == [
        ("2026-03-02T15:00:00-05:00", "2026-03-02T15:45:00-05:00"),
        ("2026-03-09T15:00:00-04:00", "2026-03-09T15:45:00-04:00")]
    moved = ["BEGIN:VEVENT", "UID:weekly@else", "SUMMARY:Team, later",
             "RECURRENCE-ID;TZID=America/New_York:20260309T150000",
             "DTSTART;TZID=America/New_York:20260310T090000", "END:VEVENT",
             "BEGIN:VEVENT", "UID:weekly@else", "STATUS:CANCELLED",
             "RECURRENCE-ID;TZID=America/New_York:20260316T150000",
             "DTSTART;TZID=America/New_York:20260316T150000", "END:VEVENT"]
    told = bring(*moved, master="EXDATE;TZID=America/New_York:20260323T150000")
    assert told["changed"] == {"core.meeting": 1} and told["removed"] == {"core.meeting": 2}
    times = {one["fields"]["when"] for one in office.many("list", "core.meeting", "--limit", 100)
             if one["id"].startswith("weekly_else-")}
    assert times == {"2026-03-02T15:00:00-05:00", "2026-03-10T09:00:00-04:00"}
    before = operations(office)
    again = bring(*moved, master="EXDATE;TZID=America/New_York:20260323T150000")
    assert again["changed"] == {} and again["removed"] == {} and operations(office) == before


def test_report_calendars_are_strict(office, matter):
    office.client("add", "legal.deadline", "matter=m1", "event=Answer", "trigger=2026-05-04",
                  "period:=21", "unit=day", "direction=after", "runs_from=service",
                  "service=personal", "rule=FRCP 12")
    ran = office.client("report", "legal.deadline_calendar", "from=2026-05-01", "to=2026-06-30",
                        "--format", "ics", expect=0)
    assert ran.out  # --json gives the blocks; the calendar itself comes over the API
    status, calendar = office.request(
        "GET", "/v1/spaces/school/reports/legal.deadline_calendar?format=ics"
               "&parameter=from%3D2026-05-01&parameter=to%3D2026-06-30")
    assert status == 200 and "20260526" in strict(calendar)


def test_plain_csv_has_no_formulas(office):
    office.one("add", "core.duty", 'title==HYPERLINK("http://x")', "category=+1+1",
               "priority=low", "state=open", "place=@SUM(A1)")
    rows = list(csv.reader(io.StringIO(text(office, "csv", "core.duty"))))
    assert rows[0][:2] == ["id", "title"]
    cells = [cell for row in rows for cell in row]
    assert "'=HYPERLINK(\"http://x\")" in cells and "'@SUM(A1)" in cells and "'+1+1" in cells
    assert not any(cell[:1] in "=@\t\r" and cell for cell in cells)


def test_oneroster_goes_out_and_comes_back(world, tmp_path):
    source = district.write(tmp_path, {name: text for name, text in district.small_files().items()
                                       if "oneroster" in name}) / "oneroster"
    north = world.site("North")
    north.rules = True
    north.start().client("import", "oneroster", source)
    for out in (tmp_path / "out", tmp_path / "out.zip"):
        north.client("export", "oneroster", "--out", out)
        before = operations(north)
        told = north.many("import", "oneroster", out)[-1]
        assert told["added"] == {} and told["failed"] == 0 and told["orphans"] == 0
        assert operations(north) == before
    manifest = dict(csv.reader(open(tmp_path / "out/manifest.csv")))
    assert manifest["file.users"] == "bulk" and manifest["file.demographics"] == "absent"
    users = district.rows(tmp_path / "out/users.csv")
    assert {row["sourcedId"] for row in users} == {user[0] for user in district.USERS}
    assert not any(row["status"] or row["dateLastModified"] or row["password"] for row in users)


def test_edfi_attendance_goes_out_and_comes_back(world, tmp_path):
    files = district.write(tmp_path, district.small_files())
    north = world.site("North")
    north.rules = True
    north.start().client("import", "oneroster", files / "oneroster")
    north.client("import", "edfi", files / "attendance.csv")
    out = tmp_path / "edfi.csv"
    north.client("export", "edfi", "--out", out)
    key = lambda row: sorted(row.items())  # noqa: E731
    assert sorted(district.rows(out), key=key) == sorted(district.rows(files / "attendance.csv"),
                                                         key=key)
    before = operations(north)
    assert north.many("import", "edfi", out)[-1]["added"] == {}
    assert operations(north) == before


def test_what_leaves_the_circle_is_written_down(office):
    refused = office.client("export", "csv", "core.duty", "--to", "County agency", expect=3)
    assert "disclosure" in refused.err and not refused.out
    office.client("export", "csv", "core.duty", "--to", "County agency", "--purpose", "audit",
                  "--basis", "contract 7")
    noted = office.many("list", "core.disclosure")[0]["fields"]
    assert (noted["to_party"], noted["purpose"], noted["what"]) == (
        "County agency", "audit", "export csv core.duty")
