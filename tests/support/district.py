"""A district's CSV files as they leave a student information system: the large sample beside the
checkout where it is there, else a small one of the same shape that is written here.

    folder = district.folder(tmp_path)
"""

import csv
import io
import pathlib

import dutybook

LARGE = dutybook.ROOT.parent / "shared/data/grand-bend"

ORGS = """sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId
900,active,2021-08-20T00:00:00.000Z,Sample district,district,900,
900001,active,2021-08-20T00:00:00.000Z,Upper school,school,900001,900
900002,active,2021-08-20T00:00:00.000Z,Lower school,school,900002,900
"""
SESSIONS = """sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear
900001-2021-2022 Fall,active,2021-08-20T00:00:00.000Z,Fall,semester,2021-08-23,2021-12-17,,2022
900002-2021-2022 Fall,active,2021-08-20T00:00:00.000Z,Fall,semester,2021-08-23,2021-12-17,,2022
"""
COURSES = """sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes
900001-ALG,active,2021-08-20T00:00:00.000Z,,Algebra,ALG,,900001,,
900002-ART,active,2021-08-20T00:00:00.000Z,,"Art, drawing",ART,,900002,,
"""
CLASSES = """sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods
ALG-1,active,2021-08-20T00:00:00.000Z,ALG 220,,900001-ALG,ALG-1,scheduled,220,900001,900001-2021-2022 Fall,,,02 - Traditional
ART-1,active,2021-08-20T00:00:00.000Z,ART 4,,900002-ART,ART-1,homeroom,4,900002,900002-2021-2022 Fall,,,
ART-2,active,2021-08-20T00:00:00.000Z,ART 5,,900002-ART,ART-2,scheduled,5,900002,900002-2021-2022 Fall,,,
"""
USERS = [("11", "900", "administrator", "Amal", "Rahn"), ("12", "900002", "aide", "Boris", "Tal"),
         ("13", "900001", "teacher", "Carla", "Oro"), ("14", "900002", "teacher", "Dana", "O'Ney"),
         *((str(20 + i), "900", "student", f"Given{i}", f"Family{i}") for i in range(12))]
MANIFEST = ["manifest.version,1.0", "oneroster.version,1.1", "file.academicSessions,bulk",
            "file.orgs,bulk", "file.courses,bulk", "file.classes,bulk", "file.enrollments,bulk",
            "file.users,bulk", "file.demographics,absent"]


def table(header, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return out.getvalue()


def small_files():
    modified = "2021-08-20T00:00:00.000Z"
    users = [(i, "active", modified, "true", org, role, f"u{i}", f"{{STATE:{i}}}", given, family,
              "", i, "", "", "", "", "", "") for i, org, role, given, family in USERS]
    enrollments = [("13-ALG-1", "13", "900001", "ALG-1"), ("14-ART-1", "14", "900002", "ART-1"),
                   ("14-ART-2", "14", "900002", "ART-2"), ("14-ART-2", "14", "900002", "ART-2")]
    days = ["2021-08-31", "2021-09-01", "2021-09-02", "2021-11-09"]
    codes = [("Excused Absence", "Absent excused"), ("Unexcused Absence", "Absent unexcused"),
             ("Tardy", "Tardy")]
    return {
        "oneroster/orgs.csv": ORGS,
        "oneroster/academicSessions.csv": SESSIONS,
        "oneroster/courses.csv": COURSES,
        "oneroster/classes.csv": CLASSES,
        "oneroster/manifest.csv": "propertyName,value\n" + "\n".join(MANIFEST) + "\n",
        "oneroster/users.csv": table(
            "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,"
            "givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,"
            "password", users),
        "oneroster/enrollments.csv": table(
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,"
            "primary,beginDate,endDate",
            [(i, "active", modified, klass, school, user, "teacher", "true", "2021-08-23",
              "2021-12-17") for i, user, school, klass in enrollments]),
        "attendance.csv": table(
            "date,student,school,category,reason",
            [(day, str(20 + (i + j) % 9), "900001", *codes[(i * 2 + j) % 3])
             for i, day in enumerate(days) for j in range(6)]),
        "credentials.csv": table(
            "staff,credential,type,field,issued,expires",
            [("13", "5001", "Certification", "Mathematics", "1990-12-31", ""),
             ("14", "5002", "Registration", "", "2016-05-20", "2021-09-20"),
             ("12", "5003", "Licensure", "Art", "2019-01-01", "2022-08-17")]),
        "staff_leave.csv": table("staff,begin,end,category,reason",
                                 [("13", "2021-09-30", "", "Personal", "Sick leave"),
                                  ("14", "2022-03-29", "2022-03-30", "Jury duty", "Personal")]),
        "incidents.csv": table(
            "incident,date,time,school,location,reporter,student,behavior,detail",
            [("10", "2021-10-18", "09:00:00", "900001", "Parking lot", "Rahn, Amal", "21",
              "State Offense", "Robbery"),
             ("11", "2022-03-31", "14:20:00", "900002", "School bus", "Tal, Boris", "22",
              "School Code of Conduct", "")]),
        "special_education.csv": table(
            "student,begin,setting,hours_per_week,iep_begin,iep_review,iep_end,disability",
            [("21", "2021-08-30", "Inside regular class less than 40% of the day", "25.00",
              "2021-09-01", "2021-08-27", "", ""),
             ("22", "2021-08-30", "", "", "2021-09-01", "2021-08-27", "2021-09-30", ""),
             ("23", "2021-08-30", "Inside reg class between 40-79% of the day", "16.00",
              "2021-09-01", "2021-08-27", "", "")]),
        "test_accommodations.csv": table("student,accommodation",
                                         [("21", "Test administration accommodation"),
                                          ("22", "test ADMINISTRATION accommodation")]),
        "immunizations.csv": table("student,vaccine,date", [("21", "MMR", "2009-12-13"),
                                                            ("21", "IPV", "2012-09-13"),
                                                            ("22", "TB, BCG", "2012-09-13")]),
    }


def write(folder, files):
    for name, text in files.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return pathlib.Path(folder)


def folder(scratch):
    return LARGE if LARGE.is_dir() else write(pathlib.Path(scratch) / "district", small_files())


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
