"""Privacy classes hold at every door: who has a role that does not open a class reads nothing of
its records by any route; who runs the machine reads everything."""

import contextlib
import http.client
import json

import pytest
from dutybook import ROOT

SECRET = "Quetzal"  # in every record of a class that is not ordinary, and in no other

PEOPLE = ("nurse", "aide", "boss", "kim")
ROLES = {"p-nurse": "nurse", "p-aide": "aide", "p-boss": "administrator"}
OF_CLASS = {  # id -> who may read it beside its writer
    "v-1": {"p-nurse"}, "a-1": {"p-nurse"}, "w-1": {"p-boss"}, "t-1": {"p-boss", "p-aide"},
    "s-1": {"p-nurse", "p-aide", "p-boss"}}
RECORDS = [
    *({"id": f"p-{who}", "kind": "core.person",
       "fields": {"given": who.title(), "family": "Ode", "active": True}} for who in PEOPLE),
    *({"kind": "core.role_assignment", "fields": {
        "person": person, "site": "north", "role": role, "from": "2020-01-01"}}
      for person, role in ROLES.items()),
    {"id": "v-1", "kind": "medical.health_visit", "fields": {
        "person": "p-kim", "in": "2026-03-02T10:00:00-05:00", "complaint": f"{SECRET} ache",
        "action": "rest", "disposition": "returned"}},
    {"id": "a-1", "kind": "medical.allergy", "fields": {
        "person": "p-kim", "substance": SECRET, "reaction": "hives", "severity": "severe"}},
    {"id": "w-1", "kind": "core.feedback", "fields": {
        "to": "p-nurse", "kind": "praise", "at": "2026-03-02T10:00:00-05:00",
        "text": f"{SECRET} praise"}},
    {"id": "t-1", "kind": "core.credential", "fields": {
        "person": "p-aide", "type": f"{SECRET} certificate", "issued": "2020-01-01",
        "valid_through": "2026-04-30"}},
    {"id": "s-1", "kind": "core.support_note", "fields": {
        "about": "p-kim", "type": "emotional", "by": "p-boss", "minutes": 5,
        "at": "2026-03-02T10:00:00-05:00", "outcome": f"{SECRET} smiled"}}]


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("classes")) as world:
        site = world.site("North")
        site.rules = True
        site.http = "127.0.0.1:0"
        site.start().add_file(RECORDS, by="office")
        site.client("set", "v-1", f"complaint={SECRET} headache", by="p-nurse")
        site.filed = site.one("report", "medical.health_visits", "from=2026-03-01",
                              "to=2026-03-31", "--file", by="p-nurse")["id"]
        site.tokens = {person: site.one("token", "add", person, "--role", "reader", "--person",
                                        person)["token"] for person in (*ROLES, "p-visitor")}
        yield site


def may_read(person, filed):
    opened = {one for one, readers in OF_CLASS.items() if person in readers}
    return opened | ({filed} if person == "p-nurse" else set())


def of_records(school):
    """(path, id) of each GET route that shows a record, with each record of a class."""
    document = json.loads((ROOT / "schemas/openapi.json").read_text())
    for path, methods in document["paths"].items():
        if "get" in methods and path.startswith("/v1/spaces/{space}/records/{id}"):
            for id in (*OF_CLASS, school.filed):
                query = "?a=2020-01-01&b=now" if path.endswith("/diff") else ""
                yield path.replace("{space}", "school").replace("{id}", id) + query, id


@pytest.mark.parametrize("person", [*ROLES, "p-visitor"])
def test_every_route_keeps_to_the_classes_of_a_tokens_person(school, person):
    allowed = may_read(person, school.filed)
    assert len(list(of_records(school))) >= 3 * len(OF_CLASS)
    for target, id in of_records(school):
        status, said = ask(school, person, target)
        assert status == (200 if id in allowed else 404), (target, said)
    for query in ("", "?deleted=1", f"?q={SECRET}", "?prefix=v-", "?kind=medical.health_visit",
                  "?kind=core.feedback", "?kind=core.report", "?kind=core.credential"):
        _, said = ask(school, person, f"/v1/spaces/school/records{query}")
        shown = {one["id"] for one in said["items"]} & {*OF_CLASS, school.filed}
        assert shown <= allowed and (query not in ("", "?deleted=1") or shown == allowed), query
    hidden = "reports/" if person == "p-aide" else "" if person == "p-visitor" else None
    for path in ("today?date=2026-03-02", "due?date=2026-03-02&days=90", "findings", "conflicts",
                 f"filed/{school.filed}", "reports/medical.health_visits?parameter=from=2026-03-01"
                 "&parameter=to=2026-03-31", "reports/core.feedback_summary"
                 "?parameter=from=2026-03-01&parameter=to=2026-03-31"):
        _, said = ask(school, person, f"/v1/spaces/school/{path}")
        if hidden is not None and path.startswith(hidden):
            assert SECRET not in json.dumps(said), path


def ask(site, person, target):
    with contextlib.closing(http.client.HTTPConnection(site.http_address)) as connection:
        connection.request("GET", target, headers={
            "Authorization": f"Bearer {site.tokens[person]}"})
        answer = connection.getresponse()
        text = answer.read().decode()
    return answer.status, json.loads(text) if text[:1] in "{[" else {"text": text}


def test_who_runs_the_machine_reads_everything(school):
    for id in (*OF_CLASS, school.filed):
        assert school.client("show", id, by="root-of-north").code == 0
    status, said = school.request("GET", f"/v1/spaces/school/records?q={SECRET}")
    assert status == 200 and {one["id"] for one in said["items"]} >= set(OF_CLASS)


def test_one_may_go_on_with_what_one_wrote_oneself(school):
    seen = ["medical.health_visit", "person=p-kim", "in=2026-03-03T10:00:00-05:00",
            "complaint=cut", "action=plaster", "disposition=returned"]
    own = school.one("add", *seen, by="p-aide")["id"]
    assert school.one("show", own, by="p-aide")["fields"]["complaint"] == "cut"
    school.client("set", own, "action=washed", by="p-aide")
    assert [one["id"] for one in school.many("list", "medical.health_visit", by="p-aide")] == [own]
    assert school.client("show", own, by="p-boss", expect=1).problem["code"] == "not_found"
    school.client("set", "v-1", "action=none", by="p-aide", expect=1)


def test_what_was_answered_about_a_record_is_of_its_class(school):
    answer = {"id": "f-1", "kind": "core.finding_answer", "fields": {
        "finding": "f" + "a" * 25, "answer": "accepted", "reason": f"{SECRET} is known",
        "rule": "MED-R13", "records": ["v-1"], "at": "2026-03-02T12:00:00Z"}}
    school.add_file([answer], by="office")
    assert school.one("show", "f-1", by="p-nurse")["fields"]["reason"]
    assert school.client("show", "f-1", by="p-aide", expect=1).problem["code"] == "not_found"
    assert "f-1" not in {one["id"] for one in school.many("list", answer["kind"], by="p-aide")}


def test_events_and_exports_keep_to_the_classes(school):
    with contextlib.closing(school.connect()) as connection:
        connection.request("GET", "/v1/events", headers={"X-Dutybook-By": "p-aide"})
        stream = connection.getresponse()
        school.client("set", "v-1", "action=rest and water", by="p-nurse")
        last = school.one("add", "core.duty", "title=End", "category=admin", "priority=low",
                          "state=open", by="p-boss")["id"]
        said = ""
        while f'"{last}"' not in said:
            line = stream.fp.readline().decode()
            assert line, "the stream ended"
            said += line
    assert '"v-1"' not in said and "medical" not in said
    for words in (["csv", "medical.health_visit"], ["csv", "medical.allergy"], ["fhir"],
                  ["csv", "core.feedback"]):
        assert SECRET not in school.client("export", *words, by="p-aide").out, words
    assert SECRET in school.client("export", "csv", "medical.allergy", by="p-nurse").out


def test_who_asks_before_acting_is_told_why_not(school):
    school.add_file([{"id": "o-1", "kind": "medical.medication_order", "fields": {
        "person": "p-kim", "drug": SECRET, "ingredients": [SECRET], "dose": "1", "unit": "mg",
        "route": "oral", "kind": "PRN", "start": "2026-03-01", "end": "2026-06-01",
        "prescriber": "Dr Ode", "controlled": False,
        "prescriber_sig": {"person": "dr", "at": "2026-03-01T09:00:00-05:00", "method": "paper"}}}],
        by="p-nurse")
    asked = school.client("check", "medical.medication_administration", "order=o-1", "person=p-kim",
                          "at=2026-03-02T10:00:00-05:00", "status=completed", "dose=1", "unit=mg",
                          "route=oral", "by=p-aide", by="p-aide", expect=(0, 3)).one
    denied = [one for one in asked["findings"] if one["severity"] == "deny"]
    assert denied and not any("may not see" in one["message"] for one in denied)
