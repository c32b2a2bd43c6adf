"""A district's files come in, and the reports over them say what the files say: OneRoster 1.1 as
folder and ZIP, bulk and delta, with the deviations of real files, and plain CSV files through the
mappings that plugins bring. With the rules on."""

import collections
import datetime
import shutil
import zipfile

import district
import pytest

COUNTED = {"orgs": "roster.organization", "users": "core.person", "courses": "roster.course",
           "classes": "roster.class", "enrollments": "roster.enrollment",
           "academicSessions": "roster.session"}
MAPPED = ["credentials", "staff_leave", "attendance", "incidents", "special_education",
          "test_accommodations", "immunizations"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("import")) as world:
        north = world.site("North", zone="America/Chicago")
        north.rules = True
        yield north.start()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return district.folder(tmp_path_factory.mktemp("files"))


def operations(site):
    return site.status()["operations"]


def summary(ran):
    return ran.objects[-1]


@pytest.fixture(scope="module")
def filled(site, files):
    """The site with everything in it; the roster's own test looks at how it got there."""
    before = operations(site)
    tried = summary(site.client("import", "oneroster", files / "oneroster", "--dry-run"))
    assert operations(site) == before, "--dry-run wrote something"
    told = summary(site.client("import", "oneroster", files / "oneroster"))
    assert tried["added"] == told["added"]
    for name in MAPPED:
        done = summary(site.client("import", name, files / f"{name}.csv"))
        assert sum(done["added"].values()) == len(district.rows(files / f"{name}.csv"))
        assert done["failed"] == 0 and done["orphans"] == 0
    site.told = told
    return site


def test_roster(filled, files):
    told = filled.told
    for name, kind in COUNTED.items():
        rows = district.rows(files / f"oneroster/{name}.csv")
        assert told["seen"][kind] == len(rows)
        assert told["added"][kind] == len({row["sourcedId"] for row in rows})
        assert len(filled.many("list", kind, "--limit", 5000)) == told["added"][kind]
    assert told["failed"] == 0 and told["orphans"] == 0
    if files == district.LARGE:
        assert [told["seen"][COUNTED[name]] for name in
                ("orgs", "users", "courses", "classes", "enrollments")] == [4, 1028, 84, 520, 528]
        assert told["repeated"] == 8


def test_importing_twice_writes_nothing(filled, files):
    before = operations(filled)
    again = summary(filled.client("import", "oneroster", files / "oneroster"))
    assert again["added"] == {} and again["changed"] == {}
    for name in MAPPED:
        assert summary(filled.client("import", name, files / f"{name}.csv"))["added"] == {}
    assert operations(filled) == before


def test_what_was_imported_is_marked_so(filled):
    one = filled.many("list", "education.attendance_event", "--limit", 1)[0]
    assert one["envelope"]["source"] == "imported"


def report(site, name, *parameters):
    return site.one("report", name, *parameters)["blocks"]


def names(files):
    return {row["sourcedId"]: f"{row['givenName']} {row['familyName']}"
            for row in district.rows(files / "oneroster/users.csv")}


def school_days(first, last):
    day, count = datetime.date.fromisoformat(first), 0
    while day <= datetime.date.fromisoformat(last):
        count += day.weekday() < 5
        day += datetime.timedelta(1)
    return count


def test_attendance_summary_is_right(filled, files):
    first, last = "2021-08-30", "2021-12-17"
    codes = ["Excused Absence", "Unexcused Absence", "Tardy", "Early departure", "Partial"]
    days = collections.defaultdict(lambda: collections.defaultdict(set))
    for row in district.rows(files / "attendance.csv"):
        if first <= row["date"] <= last:
            days[row["student"]][row["date"]].add(row["category"])
    expected, conflicts = collections.Counter(), 0
    everybody = names(files)
    students = [row["sourcedId"] for row in district.rows(files / "oneroster/users.csv")
                if row["role"] == "student"]
    for student in students:
        agreed = [next(iter(seen)) for seen in days[student].values() if len(seen) == 1]
        open_ = sum(len(seen) > 1 for seen in days[student].values())
        conflicts += open_
        expected[everybody[student], *(agreed.count(code) for code in codes), open_] += 1
    blocks = report(filled, "education.attendance_summary", f"from={first}", f"to={last}")
    rows = next(block for block in blocks if block["type"] == "table")["rows"]
    shown = collections.Counter((row[0], *map(int, row[3:8]), int(row[9])) for row in rows[:-1])
    assert shown == expected
    assert [int(cell) for cell in rows[-1][3:8]] == [
        sum(row[1 + i] * n for row, n in expected.items()) for i in range(5)]
    assert int(rows[-1][9]) == conflicts
    for row in rows[:-1]:
        assert int(row[1]) <= school_days(first, last)
        assert int(row[2]) == int(row[1]) - int(row[9]) - int(row[3]) - int(row[4])


def test_certification_expiry_is_right(filled, files):
    everybody = names(files)
    expected = sorted((everybody[row["staff"]], row["type"], row["credential"], row["expires"])
                      for row in district.rows(files / "credentials.csv")
                      if "2003-01-01" <= row["expires"] <= "2022-12-31")
    blocks = report(filled, "core.certification_expiry", "from=2003-01-01", "to=2022-12-31")
    rows = next(block for block in blocks if block["type"] == "table")["rows"]
    assert sorted(tuple(row[:4]) for row in rows) == expected
    assert expected


def test_special_education_is_right(filled, files):
    day = "2021-10-01"
    everybody = names(files)
    placed = [row for row in district.rows(files / "special_education.csv") if row["begin"] <= day]
    blocks = report(filled, "education.special_education", f"on={day}")
    tables = [block["rows"] for block in blocks if block["type"] == "table"]
    assert sorted((row[0], row[3], row[4], row[5]) for row in tables[1]) == sorted(
        (everybody[row["student"]], row["iep_begin"], row["iep_review"], row["iep_end"])
        for row in placed)
    settings = collections.Counter(row["setting"] or "not given" for row in placed)
    assert {row[0]: int(row[1]) for row in tables[0]} == settings
    hours = collections.Counter()
    for row in placed:
        hours[row["setting"] or "not given"] += float(row["hours_per_week"] or 0)
    assert {row[0]: float(row[2]) for row in tables[0]} == hours


def test_incident_in_the_sites_zone(filled, files):
    row = district.rows(files / "incidents.csv")[0]
    record = filled.one("show", f"incident-{row['school']}-{row['incident']}")["fields"]
    assert record["at"].startswith(f"{row['date']}T{row['time']}-0")
    assert record["about"] == [f"person-{row['student']}"]
    assert record["what"] == (f"{row['behavior']}: {row['detail']}" if row["detail"]
                              else row["behavior"])


# --- deviations of real files, on a site of their own ---

@pytest.fixture
def empty(world):
    site = world.site("South")
    site.rules = True
    return site.start()


def small(scratch, **changes):
    files = {name: text for name, text in district.small_files().items() if "oneroster/" in name}
    files.update({f"oneroster/{name}.csv": text for name, text in changes.items()})
    return district.write(scratch, files) / "oneroster"


def test_zip_with_a_folder_inside(empty, tmp_path):
    folder = small(tmp_path)
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "oneroster")
    first = summary(empty.client("import", "oneroster", packed))
    assert first["added"]["core.person"] == len(district.USERS)
    before = operations(empty)
    assert summary(empty.client("import", "oneroster", folder))["added"] == {}
    assert operations(empty) == before


def test_a_damaged_zip_is_refused(empty, tmp_path):
    path = tmp_path / "cut.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.csv", "sourcedId\n" * 1000)
    path.write_bytes(path.read_bytes()[:-30])
    ran = empty.client("import", "oneroster", path, expect=3)
    assert "cannot be unpacked" in ran.err


def test_other_columns_cases_marks_and_ends(empty, tmp_path):
    users = ("\ufeffROLE,givenName,ext_house,familyName,metadata.note,SourcedId,grade,orgSourcedIds,"
             "enabledUser\r\n"
             'Teacher,"Ann ""Nan""",red,"O\'Hara, Smith",x,71,,900001,TRUE\r\n'
             'STUDENT,Bo,,"Two\r\nLines",,72,04,"900001,900002",False\r\n'
             ",Cy,,Di,,73,,,\r\n").encode()
    folder = small(tmp_path, users=users, enrollments="sourcedId,classSourcedId,userSourcedId,role,"
                   "beginDate,endDate\nE1,ALG-1,72,Student,,\nE2,ALG-1,71,CHAPERONE,,\n")
    ran = empty.client("import", "oneroster", folder)
    assert summary(ran)["failed"] == 0
    ann = empty.one("show", "person-71")["fields"]
    assert (ann["given"], ann["family"], ann["role"]) == ('Ann "Nan"', "O'Hara, Smith", "teacher")
    bo = empty.one("show", "person-72")["fields"]
    assert bo["family"] == "Two\r\nLines" and bo["active"] is False
    assert bo["organizations"] == ["org-900001", "org-900002"] and bo["grades"] == ["04"]
    assert "begin" not in empty.one("show", "enrollment-E1")["fields"]
    # An unknown role there warns, and goes in.
    warned = [one["warning"] for one in ran.objects if "warning" in one]
    assert [(one["line"], one["column"]) for one in warned] == [(3, "role")]
    assert empty.one("show", "enrollment-E2")["fields"]["role"] == "CHAPERONE"
    # A password never comes in.
    assert "password" not in str(empty.many("list", "core.person"))


def test_bad_rows_are_told_by_line_and_column_and_the_good_go_in(empty, tmp_path):
    enrollments = ("sourcedId,classSourcedId,userSourcedId,role,primary,beginDate\n"
                   "E1,ALG-1,20,student,true,2021-08-23\n"
                   "E2,ALG-1,21,student,perhaps,2021-08-23\n"
                   "E3,ALG-1,22,student,true,23/08/2021\n"
                   ",ALG-1,23,student,true,2021-08-23\n"
                   "E5,NONE,24,student,true,2021-08-23\n"
                   "E6,ALG-1,999,student,true,2021-08-23\n")
    ran = empty.client("import", "oneroster", small(tmp_path, enrollments=enrollments), expect=3)
    problems = [one for one in ran.objects if "code" in one]
    assert [(one["file"], one["line"], one["column"]) for one in problems] == [
        ("enrollments.csv", 3, "primary"), ("enrollments.csv", 4, "beginDate"),
        ("enrollments.csv", 5, "sourcedId")]
    orphans = [one for one in ran.objects if "orphan" in one]
    assert [(one["line"], one["column"], one["orphan"]) for one in orphans] == [
        (6, "classSourcedId", "class-NONE"), (7, "userSourcedId", "person-999")]
    assert len(empty.many("list", "roster.enrollment")) == 3
    assert summary(ran)["failed"] == 3 and summary(ran)["orphans"] == 2


def test_delta(empty, tmp_path):
    empty.client("import", "oneroster", small(tmp_path))
    delta = district.write(tmp_path / "delta", {
        "manifest.csv": "propertyName,value\nfile.users,delta\nfile.orgs,absent\n",
        "orgs.csv": "sourcedId,name,type\n900777,Must not come,school\n",
        "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,givenName,"
                     "familyName\n"
                     "12,active,2021-10-01T00:00:00Z,true,900002,aide,Boris,Tal-Ben\n"
                     "31,tobedeleted,2021-10-01T00:00:00Z,,,student,,\n"
                     "99,active,2021-10-01T00:00:00Z,true,900002,aide,New,Aide\n"})
    tried = summary(empty.client("import", "oneroster", delta, "--dry-run"))
    told = summary(empty.client("import", "oneroster", delta))
    assert tried["removed"] == told["removed"] and told["removed"]["core.person"] == 1
    assert told["changed"]["core.person"] == 1 and told["added"]["core.person"] == 1
    assert empty.one("show", "person-12")["fields"]["family"] == "Tal-Ben"
    assert empty.client("show", "person-31", expect=1)
    assert empty.client("show", "org-900777", expect=1)
    assert empty.one("show", "person-11")  # who is not in a delta stays
    before = operations(empty)
    again = summary(empty.client("import", "oneroster", delta))
    assert again["added"] == again["changed"] == again["removed"] == {}
    assert operations(empty) == before


def test_birth_dates_of_demographics(empty, tmp_path):
    folder = small(tmp_path, demographics="sourcedId,status,dateLastModified,birthDate,sex\n"
                                          "21,,,2009-04-05,female\n")
    (folder / "manifest.csv").unlink()
    assert summary(empty.client("import", "oneroster", folder))["failed"] == 0
    fields = empty.one("show", "person-21")["fields"]
    assert fields["born"] == "2009-04-05" and "sex" not in fields
    before = operations(empty)
    empty.client("import", "oneroster", folder)
    assert operations(empty) == before


def test_a_mapping_of_ones_own(empty, tmp_path):
    mapping = tmp_path / "supplies.json"
    mapping.write_text("""{"file": "duties.csv", "kind": "core.duty", "id": "own-{No}", "fields": {
      "title": {"template": "{What} ({Room})"}, "category": {"const": "errand"},
      "priority": {"column": "P", "map": {"1": "urgent", "2": "normal"}, "default": "low"},
      "state": {"const": "open"}, "due": {"template": "{Day} {Time}", "type": "instant"},
      "estimate_min": {"column": "Minutes", "type": "integer"}}}""")
    table = tmp_path / "any name.csv"
    table.write_text("No,What,Room,P,Day,Time,Minutes\n1,Copies,4,1,2026-03-08,01:30,15\n"
                     "2,Paper,,,2026-03-08,03:30,20\n3,Ink,5,7,2026-03-08,10:00,20\n"
                     "4,Glue,5,2,2026-03-08,10:00,many\n")
    ran = empty.client("import", "csv", table, "--mapping", mapping, expect=3)
    assert [(one["line"], one["column"]) for one in ran.objects if "code" in one] == [
        (4, "P"), (5, "Minutes")]
    first, second = (empty.one("show", f"own-{i}")["fields"] for i in (1, 2))
    assert first["title"] == "Copies (4)" and first["due"] == "2026-03-08T01:30:00-05:00"
    assert second["priority"] == "low" and second["due"] == "2026-03-08T03:30:00-04:00"


def test_what_spreadsheets_save_comes_in(empty, tmp_path):
    mapping = tmp_path / "people.json"
    mapping.write_text("""{"file": "people.csv", "kind": "core.person", "id": "sheet-{Nr}", "fields": {
      "given": {"column": "Given"}, "family": {"column": "Family"}, "active": {"const": true}}}""")
    table = "Nr;Given;Family\r\n1;Zoë;Nuñez\r\n2;Ana;Peña\r\n"
    path = tmp_path / "people.csv"
    path.write_bytes(table.encode())
    assert summary(empty.client("import", "csv", path, "--mapping", mapping))["failed"] == 0
    assert empty.one("show", "sheet-1")["fields"]["family"] == "Nuñez"
    before = operations(empty)
    for encoded in (table.encode("utf-16"), table.encode("utf-8-sig"), table.encode("cp1252"),
                    table.replace(";", "\t").encode("utf-16"), table.replace("\r", "").encode()):
        path.write_bytes(encoded)
        ran = empty.client("import", "csv", path, "--mapping", mapping)
        assert summary(ran)["same"] == 2 and summary(ran)["failed"] == 0
    assert operations(empty) == before
    # What it was read as is told where it is a guess.
    path.write_bytes(table.encode("cp1252"))
    told = [one["warning"]["title"] for one in
            empty.client("import", "csv", path, "--mapping", mapping).objects if "warning" in one]
    assert len(told) == 1 and "Windows-1252" in told[0]


def test_rows_that_are_no_csv_are_told_and_the_rest_goes_in(empty, tmp_path):
    courses = ('sourcedId,title,courseCode,orgSourcedId\n'
               'C1,Algebra,A,900001\n'
               'C2,Art, drawing,B,900001\n'       # an unquoted comma would move the code
               'C3,6" pipes,C,900001\n'           # a quote in the middle
               'C4,Chess,D,900001\n'
               'C5,"Drama,E,900001\n'             # never closed
               'C6,Music,F,900001\n')
    ran = empty.client("import", "oneroster", small(tmp_path, courses=courses), expect=3)
    bad = [one for one in ran.objects if "code" in one and one.get("file") == "courses.csv"]
    assert [one["line"] for one in bad] == [3, 4, 6]
    titles = {one["fields"]["title"] for one in empty.many("list", "roster.course")}
    assert {"Algebra", "Chess", "Music"} <= titles and len(titles) == 3


def test_repeats_are_listed_by_line(filled, files):
    again = filled.client("import", "oneroster", files / "oneroster").objects
    repeats = [one for one in again if "repeat" in one]
    assert len(repeats) == summary(filled.client(
        "import", "oneroster", files / "oneroster", "--dry-run"))["repeated"]
    lines = (files / "oneroster/enrollments.csv").read_text().splitlines()
    assert repeats and all(lines[one["line"] - 1] == lines[one["first_line"] - 1]
                           for one in repeats)


def test_a_file_without_the_column_that_names_its_rows(empty, tmp_path):
    folder = small(tmp_path, courses="title,courseCode\nAlgebra,A\nArt,B\n")
    ran = empty.client("import", "oneroster", folder, expect=3)
    assert [(one["line"], one["column"]) for one in ran.objects if "code" in one] == [
        (1, "sourcedId")]


def test_one_file_of_several(empty, tmp_path):
    folder = small(tmp_path)
    told = summary(empty.client("import", "oneroster", folder / "orgs.csv"))
    assert told["added"] == {"roster.organization": 3}
    other = tmp_path / "something.csv"
    other.write_text((folder / "orgs.csv").read_text())
    assert "none of the mapping's files" in empty.client("import", "oneroster", other,
                                                         expect=1).err


def test_columns_of_vendors_guardians_and_ids_are_kept(empty, tmp_path):
    users = ("sourcedId,enabledUser,orgSourcedIds,role,userIds,givenName,familyName,middleName,"
             "sms,agentSourcedIds,grades,password,metadata.house,ext_bus\n"
             '51,true,900001,guardian,,Ana,Gómez,,555-0101,,,,,\n'
             '52,true,900001,student,"{STATE:1},{SIS:2}",Bo,Gómez,Li,,51,04,secret,red,7\n')
    folder = small(tmp_path, users=users, enrollments="sourcedId,classSourcedId,userSourcedId\n")
    assert summary(empty.client("import", "oneroster", folder))["orphans"] == 0
    bo = empty.one("show", "person-52")["fields"]
    assert bo["extensions"] == {"metadata.house": "red", "ext_bus": "7"} and bo["middle"] == "Li"
    assert sorted((one["system"], one["id"]) for one in bo["external_ids"]) == [
        ("SIS", "2"), ("STATE", "1")]
    assert empty.one("show", "student-52")["fields"]["guardians"] == ["person-51"]
    assert "secret" not in str(bo)
    before = operations(empty)
    empty.client("import", "oneroster", folder)
    assert operations(empty) == before


def test_roles_in_a_file_of_their_own(empty, tmp_path):
    users = "sourcedId,enabledUser,givenName,familyName\n61,true,Ann,Day\n62,true,Bo,Eck\n"
    roles = ("sourcedId,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
             "r1,61,primary,aide,2021-08-01,,900001\nr2,61,secondary,proctor,2021-09-01,,900002\n"
             "r3,62,primary,student,2021-08-23,2022-05-27,900001\n")
    folder = small(tmp_path, users=users, roles=roles,
                   enrollments="sourcedId,classSourcedId,userSourcedId\n")
    (folder / "manifest.csv").unlink()
    told = summary(empty.client("import", "oneroster", folder))
    assert told["added"]["core.role_assignment"] == 3 and told["added"]["education.student"] == 1
    held = {one["fields"]["role"]: one["fields"]
            for one in empty.many("list", "core.role_assignment")}
    assert held["proctor"]["site"] == "org-900002" and held["student"]["to"] == "2022-05-27"
