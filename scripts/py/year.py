"""A year of school life, the same each time: three schools and their district, 200 school days.

Staff, credentials and the law office's matters are the district's; children, duties and what
happens day by day are each school's. Kinds that no day brings are in use with the example of their
schema, so that no kind is missing.
"""

import datetime
import hashlib
import re
import zoneinfo

SCHOOLS = ("north", "south", "west")
DISTRICT = "district"
FIRST = datetime.date(2025, 9, 2)
ZONE = zoneinfo.ZoneInfo("America/New_York")
AIDES, TEACHERS = 6, 3


def school_days(count):
    day = FIRST
    while count:
        if day.weekday() < 5:
            yield day
            count -= 1
        day += datetime.timedelta(1)


def chance(share, *what):
    """True for this share of all cases, always the same ones."""
    digest = hashlib.sha256("/".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def at(day, time):
    return datetime.datetime.fromisoformat(f"{day} {time}").replace(tzinfo=ZONE).isoformat()


def record(kind, id_=None, /, **fields):
    fields = {name.rstrip("_"): value for name, value in fields.items()}
    return {"kind": kind, "fields": fields, **({"id": id_} if id_ else {})}


def person(id_, given, family):
    return record("core.person", id_, given=given, family=family, active=True)


def signed(who, when):
    return {"person": who, "at": when, "method": "paper"}


# --- the district ---

def staff_of(school):
    return ([f"{school}-aide-{i}" for i in range(AIDES)],
            [f"{school}-teacher-{i}" for i in range(TEACHERS)], f"{school}-nurse")


def district(days):
    first, last = days[0].isoformat(), days[-1].isoformat()
    for school in SCHOOLS:
        aides, teachers, nurse = staff_of(school)
        for who, role in ([(one, "aide") for one in aides] +
                          [(one, "teacher") for one in teachers] + [(nurse, "nurse")]):
            yield person(who, who.split("-")[1].title(), f"{school.title()} {who[-1]}")
            yield record("core.role_assignment", f"role-{who}", person=who, site=school, role=role,
                         from_=first)
            yield record("core.credential", f"cpr-{who}", person=who, type="CPR",
                         issued="2024-10-01", valid_through="2026-09-30" if role == "nurse" else
                         (days[len(days) // 2] + datetime.timedelta(len(who))).isoformat())
            yield record("core.education_history", f"study-{who}", person=who, level="secondary",
                         kind="diploma", on="2010-06-20")
        for who in aides:
            yield record("core.contract", f"contract-{who}", person=who, from_=first,
                         hours_per_week="35")
            if not chance(0.13, who):
                yield record("core.pd_activity", f"pd-{who}", person=who, course="Positive support",
                             on=days[min(5, len(days) - 1)].isoformat(), hours="8")
    yield from law_office(days, last)


def law_office(days, last):
    yield person("attorney", "Ada", "Ng")
    yield person("paralegal", "Bo", "Tan")
    for i in range(3):
        matter = f"matter-{i}"
        yield record("legal.matter", matter, number=f"2025-{i:03}", title=f"Hearing {i}",
                     client=f"Family {chr(65 + i)}", attorney="attorney",
                     opened=days[0].isoformat(),
                     billing={"increment": 6, "rounding": "up", "rate": "110.00",
                              "client_id": f"C{i}"})
        yield record("legal.deadline", f"deadline-{i}", matter=matter, event="Answer",
                     trigger=last, period=21, unit="day", direction="after", runs_from="service",
                     service="mail", rule="FRCP 12")
        yield record("legal.privilege_log_entry", f"log-{i}", matter=matter, control_no=f"P{i}",
                     date=days[0].isoformat(), doc_type="letter", author="attorney",
                     to=[f"Family {chr(65 + i)}"], description="Advice on the hearing",
                     basis="AC", withheld_or_redacted="withheld", attorneys=["attorney"])
    for n, day in enumerate(days):
        yield record("legal.time_entry", f"time-{day}", matter=f"matter-{n % 3}",
                     person="paralegal", date=day.isoformat(), minutes=18 + n % 40,
                     narrative="Draft of the answer", task_code="L210", activity_code="A103",
                     billable=True, rate="110.00")
        if n % 5 == 0:
            yield record("legal.expense_entry", f"copies-{day}", matter=f"matter-{n % 3}",
                         date=day.isoformat(), units=str(3 + n % 20), unit_cost="0.10",
                         expense_code="E101", narrative="Copies")


# --- a school ---

def school(name, days, students):
    children = [f"{name}-child-{i}" for i in range(students)]
    yield from enrolled(name, children, days)
    yield from planned(name, children, days)
    for n, day in enumerate(days):
        yield from morning(name, n, day, children)
        yield from support(name, n, day, children, days)
        yield from health_office(name, n, day, children)


def enrolled(name, children, days):
    for i, child in enumerate(children):
        yield person(child, f"Child{i}", f"{name.title()}{i}")
        yield record("education.student", f"student-{child}", person=child, school=name,
                     grade=f"{i % 6 + 1:02}", home_language="es" if i % 4 == 0 else "en")
        yield record("core.role_assignment", f"role-{child}", person=child, site=name,
                     role="student", from_=days[0].isoformat())


def planned(name, children, days):
    first, last = days[0].isoformat(), days[-1].isoformat()
    aides, teachers, nurse = staff_of(name)
    for i, child in enumerate(children[:3]):
        yield record("education.behavior_plan", f"plan-{child}", student=child, from_=first,
                     to=last, owner=teachers[0], acknowledged_by=aides,
                     behaviors=[{"id": "hit", "name": "Hitting", "definition": "Hits another child",
                                 "method": "frequency", "baseline": "12", "goal": "3"}],
                     strategies=[{"id": "breathe", "name": "Three slow breaths", "type": "coping"}])
        yield record("education.iep_assignment", f"iep-{child}", student=child, para=aides[i],
                     service="reading", minutes_per_week=120, setting="special_ed", max_group=3,
                     goals=["Reads"], from_=first, to=last, teacher=teachers[0])
        yield record("medical.medication_order", f"order-{child}", person=child, drug="Cetirizine",
                     ingredients=["cetirizine"], dose="5", unit="mg", route="oral",
                     kind="scheduled", times=["11:00"], weekdays=[1, 2, 3, 4, 5], start=first,
                     end=last, prescriber="Dr. Roe", prescriber_sig=signed("Dr. Roe", at(days[0], "08:00")),
                     controlled=i == 0, first_dose_confirmed_on=first)
        yield record("medical.med_consent", f"consent-{child}", order=f"order-{child}",
                     guardian="parent", sig=signed("parent", at(days[0], "08:00")), from_=first, to=last)
    yield record("medical.stock_lot", f"lot-{name}", order_or_supply=f"order-{children[0]}",
                 lot="L7", expiry="2027-02", received=str(len(days) + 30), unit="tablet",
                 counted_by=signed(nurse, at(days[0], "07:30")),
                 witness=signed(aides[0], at(days[0], "07:30")))


def morning(name, n, day, children):
    aides, teachers, nurse = staff_of(name)
    for who in [*aides, *teachers, nurse]:
        yield record("core.shift", f"shift-{who}-{day}", person=who, site=name,
                     from_=at(day, "08:00"), to=at(day, "15:00"), kind="duty")
    for who in aides:
        late = 10 if chance(0.03, who, day, "late") else 0
        yield record("core.work_time", f"work-{who}-{day}", person=who, category="class",
                     from_=at(day, f"08:{late:02}"), to=at(day, "15:00"),
                     breaks=[{"from": at(day, "12:00"), "to": at(day, "12:30"), "relieved": True}])
    for child in children:
        code = next((code for share, code in ((0.02, "Unexcused Absence"), (0.03, "Excused Absence"),
                                              (0.02, "Tardy")) if chance(share, child, day, code)),
                    None)
        if code:
            arrived = {"arrived": at(day, "08:40")} if code == "Tardy" else {}
            yield record("education.attendance_event", f"att-{child}-{day}", student=child,
                         date=day.isoformat(), scope="day", code=code, school=name, **arrived)
    for i, (place, start, end) in enumerate((("recess", "10:30", "10:50"),
                                             ("lunch", "12:30", "13:00"),
                                             ("dismissal", "14:45", "15:00"))):
        yield record("education.supervision_post", f"post-{name}-{day}-{place}", place=place,
                     from_=at(day, start), to=at(day, end), school=name, where="yard",
                     staff=[aides[(n + i) % AIDES], aides[(n + i + 1) % AIDES]],
                     students_expected=len(children))
        yield record("core.duty", f"duty-{name}-{day}-{place}", title=f"{place.title()} duty",
                     category="supervision", priority="normal", due=at(day, end),
                     assignee=aides[(n + i) % AIDES], place=place,
                     state="open" if chance(0.02, name, day, place) else "done")
    if day.weekday() == 0:
        yield record("core.meeting", f"team-{name}-{day}", title="Team",
                     who=[*aides[:2], teachers[0]], when=at(day, "15:00"), until=at(day, "15:30"),
                     where="Library")


def support(name, n, day, children, days):
    aides, teachers, _ = staff_of(name)
    for i, child in enumerate(children[:3]):
        yield record("education.support_session", f"session-{child}-{day}", students=[child],
                     para=aides[i], from_=at(day, "09:00"), to=at(day, "09:30"),
                     setting="small_group", group_size=1, goal="Reads", teacher=teachers[0],
                     service="reading", lesson_plan="reading-1")
        if chance(0.9, child, day, "seen"):  # the other days are gaps in the graph
            yield record("education.behavior_observation", f"seen-{child}-{day}", student=child,
                         plan=f"plan-{child}", behavior="hit", from_=at(day, "09:00"),
                         to=at(day, "09:30"), method="frequency",
                         count=max(0, 8 - n * 8 // len(days) + n % 3 - 1), observer=aides[i],
                         purpose="primary")
        if chance(0.2, child, day, "abc"):
            yield record("education.abc_event", f"abc-{child}-{day}", student=child,
                         at=at(day, "09:12"), antecedent="Asked to stop", behavior="hit",
                         consequence="Quiet corner", intensity=2, minutes=3, injury=False)
            yield record("education.strategy_use", f"use-{child}-{day}", student=child,
                         plan=f"plan-{child}", strategy="breathe", at=at(day, "09:13"),
                         result="worked" if n % 3 else "partly", by=aides[i])
    if day.weekday() == 4:
        for i, child in enumerate(children[:6]):
            yield record("education.progress_point", f"progress-{child}-{day}", student=child,
                         goal="Reads", date=day.isoformat(), value=str(40 + n // 5 + i),
                         unit="words a minute", prompt_level="independent", target="80",
                         by=aides[i % AIDES])
            yield record("education.participation_tally", f"tally-{child}-{day}", student=child,
                         from_=at(day, "10:00"), to=at(day, "10:30"), prompted=2,
                         spoke_up=n % 4, correct=n % 4)


def health_office(name, n, day, children):
    aides, _, nurse = staff_of(name)
    for child in children[:3]:
        status = "not-done" if chance(0.03, child, day, "dose") else "completed"
        why = {"not_done_reason": "refused"} if status == "not-done" else {"dose": "5",
                                                                             "unit": "mg"}
        lot = {"lot": f"lot-{name}"} if child == children[0] and status == "completed" else {}
        yield record("medical.medication_administration", f"dose-{child}-{day}",
                     order=f"order-{child}", person=child, at=at(day, f"11:{n % 20:02}"), by=nurse,
                     status=status, route="oral", **why, **lot)
    if chance(0.7, name, day, "visit"):
        child = children[n % len(children)]
        yield record("medical.health_visit", f"visit-{name}-{day}", person=child,
                     in_=at(day, "10:00"), out=at(day, "10:20"), complaint="headache",
                     action="rest", disposition="returned")


# --- what no day brings ---

CHILDREN = {"student", "students", "person", "people", "about", "roster", "consents", "patient"}
A_DAY = re.compile(r"\d{4}-\d\d-\d\d(T.*)?$")
A_PERSON = re.compile(r"p-[a-z]+$")


def examples(kinds, used, space, days):
    """One record by the example of each kind that is not in use yet, moved into the year and to
    people of the space."""
    for kind in kinds:
        if kind["kind"] not in used and kind.get("example"):
            yield {"kind": kind["kind"], "id": "example-" + kind["kind"].replace(".", "-"),
                   "fields": settled(kind["example"], Settling(kind, space, days))}


class Settling:
    def __init__(self, kind, space, days):
        effective = kind["example"].get(kind.get("effective") or "", "")
        first = datetime.date.fromisoformat(effective[:10]) if A_DAY.match(str(effective)) else None
        self.days = (days[len(days) // 2] - first) if first else datetime.timedelta()
        self.of_staff = space == DISTRICT or kind["kind"].startswith(("core.", "legal."))
        self.staff = (["paralegal", "attorney"] if space == DISTRICT else
                      [f"{space}-aide-0", f"{space}-teacher-0", f"{space}-nurse"])
        self.children = [f"{space}-child-{i}" for i in range(3)]
        subject = kind["example"].get("person", kind["example"].get("assignee"))
        self.staff_known = {subject: 0} if self.of_staff and isinstance(subject, str) else {}
        self.children_known = {}

    def person(self, name, key):
        """Of the space, somebody else for each person of the example."""
        child = key in CHILDREN and not self.of_staff
        people = self.children if child else self.staff
        places = self.children_known if child else self.staff_known
        return people[places.setdefault(name, len(places)) % len(people)]


def settled(value, to, key=""):
    if isinstance(value, dict):
        signature = set(value) <= {"person", "at", "method"}
        return {name: settled(one, to, "signed" if signature else name)
                for name, one in value.items()}
    if isinstance(value, list):
        return [settled(one, to, key) for one in value]
    if not isinstance(value, str):
        return value
    if A_PERSON.match(value):
        return to.person(value, key)
    if A_DAY.match(value):
        return (datetime.date.fromisoformat(value[:10]) + to.days).isoformat() + value[10:]
    return value


# --- what reports are asked for ---

def parameters(report, space, days, long_formats=True):
    """NAME=VALUE for every required parameter of a report."""
    last = days[-1] if long_formats else days[min(len(days) - 1, 20)]
    who = "paralegal" if space == DISTRICT else f"{space}-child-0"
    if report["report"].startswith("core."):
        who = "paralegal" if space == DISTRICT else f"{space}-aide-0"
    values = {"from": days[0].isoformat(), "to": last.isoformat(), "on": last.isoformat(),
              "date": last.isoformat(), "person": who, "student": f"{space}-child-0",
              "behavior": "hit", "period": "Year", "session": "example-education-test_session",
              "trip": "example-education-trip", "assignment": "spelling-07",
              "lot": f"lot-{space}", "people": f"{space}-child-0", "matter": "matter-0"}
    wanted = list(report["parameters"].get("required", []))
    if report["report"] == "legal.ledes_invoice":
        wanted = ["matter", "from", "to"]
    return [f"{name}={values[name]}" for name in wanted]
