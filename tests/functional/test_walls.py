"""Walls around matters (LEG-R14) hold at every door: a screened person reads nothing of a matter,
nor of anything that leads to it, by any route, in any report, export, event or answer."""

import contextlib
import json
import re
import urllib.parse

import pytest
from dutybook import ROOT, wait_for

# The matter's own words, which no answer to a screened person may hold; and ids of records that
# no list may name.
SECRET = "Zephyr"
NUMBER = "QZ-2"
INSIDE, ATTORNEY, SCREENED = "p-in", "p-att", "p-out"

RECORDS = [
    {"id": "p-att", "kind": "core.person", "fields": {"given": "Ada", "family": "Ng",
                                                      "active": True}},
    {"id": "m-open", "kind": "legal.matter", "fields": {
        "number": "1", "title": "Open matter", "client": "Ash", "attorney": "p-att",
        "opened": "2026-01-05"}},
    {"id": "m-wall", "kind": "legal.matter", "fields": {
        "number": NUMBER, "title": f"{SECRET} merger", "client": f"{SECRET} Works",
        "adverse": ["Mistral Corp"], "attorney": "p-att", "opened": "2026-01-05",
        "access_list": ["p-in"]}},
    {"id": "m-wall-2", "kind": "legal.matter", "fields": {
        "number": "QZ-3", "title": f"{SECRET} lease", "client": f"{SECRET} Works",
        "attorney": "p-att", "opened": "2026-01-05", "access_list": ["p-in"]}},
    {"id": "t-wall", "kind": "legal.time_entry", "fields": {
        "matter": "m-wall", "person": "p-in", "date": "2026-05-04", "from": "2026-05-04T09:00:00-04:00",
        "to": "2026-05-04T09:30:00-04:00", "minutes": 30, "narrative": f"{SECRET} review",
        "billable": True, "rate": "100.00"}},
    {"id": "f-wall", "kind": "legal.filing", "fields": {
        "matter": "m-wall", "document": f"{SECRET} complaint", "court": "c", "checklist": "k-wall"}},
    {"id": "k-wall", "kind": "legal.filing_checklist", "fields": {
        "type": "answer", "matter": "m-wall", "items": [{"text": f"{SECRET} exhibits"}]}},
    {"id": "s-wall", "kind": "legal.service_record", "fields": {
        "filing": "f-wall", "on": "2026-05-05", "party": SECRET, "method": "mail", "by": "p-in"}},
    {"id": "r-wall", "kind": "legal.attorney_review", "fields": {
        "of": "f-wall", "by": "p-att", "at": "2026-05-05T09:00:00-04:00", "result": "changes",
        "note": f"{SECRET} is misspelt"}},
    {"id": "l-wall", "kind": "legal.deadline", "fields": {
        "matter": "m-wall", "event": f"{SECRET} answer", "trigger": "2026-05-04", "period": 21,
        "unit": "day", "direction": "after", "runs_from": "event", "service": "none",
        "rule": "FRCP 12"}},
    {"id": "i-wall", "kind": "core.paperwork_item", "fields": {
        "template": f"{SECRET} engagement letter", "about": "m-wall", "owner": "p-in",
        "due": "2026-05-04"}},
    {"id": "d-wall", "kind": "core.disclosure", "fields": {
        "about": ["m-wall"], "to_party": SECRET, "at": "2026-05-04T10:00:00-04:00",
        "purpose": "closing", "what": "papers", "legal_basis": "consent", "authorised_by": "p-att"}}]
BEHIND = [one["id"] for one in RECORDS if "wall" in one["id"]]
MONTH = ["from=2026-05-01", "to=2026-05-31"]
REPORTS = {"legal.deadline_calendar": MONTH, "legal.time_billing": MONTH,
           "legal.matter_sheet": ["matter=m-wall"], "legal.privilege_log": ["matter=m-wall"],
           "core.paperwork": [], "core.disclosure_log": MONTH}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("walls")) as world:
        site = world.site("Office")
        site.rules = True
        site.start().add_file(RECORDS, by=ATTORNEY)
        finding = next(one for one in site.many("findings", by=ATTORNEY)
                       if set(one["records"]) <= set(BEHIND))
        site.client("answer", finding["finding"], "accepted", "--reason", f"{SECRET} knows",
                    by=ATTORNEY)
        site.filed = site.one("report", "legal.matter_sheet", "matter=m-wall", "--file",
                              by=INSIDE)["id"]
        site.filed_month = site.one("report", "legal.deadline_calendar", *MONTH, "--file",
                                    by=ATTORNEY)["id"]
        yield site


def questions(site, every):
    """Every GET route of the interface, with all that could be asked of it, or with some. No
    question holds the secret itself: an error repeats it."""
    document = json.loads((ROOT / "schemas/openapi.json").read_text())
    ids = [*(BEHIND if every else ["l-wall"]), site.filed, site.filed_month, "@merger", "@answ*",
           "m-wa"]
    values = {"id": ids, "record": ids, "kind": sorted({one["kind"] for one in RECORDS}),
              "plugin": ["legal"], "rule": ["LEG-R07"],
              "name": [one["report"] for one in site.many("report")] if every else list(REPORTS)}
    queries = {
        "/v1/spaces/{space}/records": ["", "?q=merger", "?prefix=m-w", "?prefix=t-",
                                       "?kind=core.finding_answer", "?kind=core.report",
                                       "?deleted=1&limit=1000",
                                       *(f"?kind={kind}" for kind in values["kind"]),
                                       "?kind=legal.time_entry&where=matter:m-wall"],
        "/v1/spaces/{space}/records/{id}": ["", "?deleted=1", "?at=now"],
        "/v1/spaces/{space}/records/{id}/diff": ["?a=2020-01-01&b=now"],
        "/v1/spaces/{space}/today": ["?date=2026-05-25", "?date=2026-05-04&person=p-in"],
        "/v1/spaces/{space}/due": ["?date=2026-05-04&days=60"],
    }
    for path, methods in document["paths"].items():
        if "get" not in methods or path == "/v1/events":
            continue
        wanted = re.findall(r"\{(\w+)\}", path)
        targets = [path.replace("{space}", "school")]
        for name in wanted:
            if name != "space":
                targets = [target.replace("{%s}" % name, urllib.parse.quote(value, safe=""))
                           for target in targets for value in values[name]]
        for target in targets:
            for query in queries.get(path, [""]):
                if path.endswith("/reports/{name}"):
                    report = urllib.parse.unquote(target.rsplit("/", 1)[1])
                    given = REPORTS.get(report, [*MONTH, "matter=m-wall"])
                    query = "?format=json&" + "&".join(f"parameter={one}" for one in given)
                yield path, target + query


def answers(site, reader, every=False):
    """{route: everything that it said to the reader}"""
    said = {}
    for path, target in questions(site, every):
        _, answer = site.request("GET", target, headers={"X-Dutybook-By": reader})
        text = answer if isinstance(answer, str) else json.dumps(answer)
        said[path] = said.get(path, "") + text
    return said


def test_no_route_tells_a_screened_person(office):
    told = {path for path, text in answers(office, ATTORNEY).items() if SECRET in text}
    # What those inside are told shows that the routes were asked for something.
    assert told >= {"/v1/spaces/{space}/records", "/v1/spaces/{space}/records/{id}",
                    "/v1/spaces/{space}/records/{id}/history",
                    "/v1/spaces/{space}/records/{id}/diff", "/v1/spaces/{space}/findings",
                    "/v1/spaces/{space}/reports/{name}", "/v1/spaces/{space}/filed/{record}",
                    "/v1/spaces/{space}/today", "/v1/spaces/{space}/due"}, told
    for path, text in answers(office, SCREENED, every=True).items():
        assert SECRET not in text and NUMBER not in text, (path, text[:2000])


def test_lists_do_not_name_or_count_what_is_behind(office):
    for words in (["list", "legal.matter"], ["list", "legal.time_entry"], ["list", "core.report"],
                  ["list", "core.paperwork_item"], ["list", "core.disclosure"],
                  ["list", "core.finding_answer"], ["list", "legal.attorney_review"],
                  ["list", "legal.filing_checklist"], ["search", SECRET], ["search", "QZ*"]):
        shown = office.many(*words, by=SCREENED)
        assert not {one["id"] for one in shown} & {*BEHIND, office.filed, office.filed_month}, words
        assert len(office.many(*words, by=ATTORNEY)) > len(shown), words
    assert [one["id"] for one in office.many("list", "legal.matter", by=SCREENED)] == ["m-open"]
    assert not [one for one in office.many("findings", by=SCREENED) if set(one["records"]) & set(BEHIND)]


def test_several_hidden_matches_are_no_match(office):
    assert office.client("show", f"@{SECRET}", by=ATTORNEY, expect=2).problem["candidates"]
    assert office.client("show", f"@{SECRET}", by=SCREENED, expect=1).problem["code"] == "not_found"
    assert office.client("show", "m-wa", by=SCREENED, expect=1).problem["code"] == "not_found"
    # One that may be seen is found among those that may not.
    assert office.one("show", "m-", by=SCREENED)["id"] == "m-open"


@pytest.mark.parametrize("words", [
    ["set", "t-wall", "narrative=Mine"], ["retract", "t-wall", "--reason", "mine"],
    ["delete", "t-wall"], ["restore", "t-wall"], ["finalise", "l-wall"],
    ["resolve", "m-wall", "title", "--value", "Mine"], ["set", "r-wall", "note=Mine"]])
def test_nothing_behind_a_wall_is_changed_by_a_screened_person(office, words):
    assert office.client(*words, by=SCREENED, expect=1).problem["code"] == "not_found"
    assert SECRET in json.dumps(office.one("show", words[1], by=ATTORNEY))


def test_exports_keep_to_the_wall(office):
    for words in (["csv", "legal.matter"], ["csv", "legal.time_entry"], ["csv", "core.report"],
                  ["csv", "legal.deadline_calendar", *MONTH], ["ics"], ["fhir"]):
        assert SECRET not in office.client("export", *words, by=SCREENED).out
    assert SECRET in office.client("export", "csv", "legal.matter", by=INSIDE).out
    ledes = ("export", "ledes", "matter=m-wall", *MONTH, "number=7")
    assert SECRET not in office.client(*ledes, by=SCREENED, expect=None).out


def test_a_verdict_stands_and_its_reason_is_told_to_those_inside(office):
    new = ["check", "legal.matter", "number=9", "title=New", "client=Mistral Corp.",
           "attorney=p-other", "opened=2026-05-01"]
    inside = office.client(*new, by=INSIDE, expect=3).one
    assert NUMBER in inside["findings"][0]["message"]
    outside = office.client(*new, by=SCREENED, expect=3).one
    assert outside["verdict"] == "deny" and NUMBER not in json.dumps(outside)
    (finding,) = [one for one in outside["findings"] if one["rule"] == "LEG-R07"]
    assert finding["severity"] == "deny" and "may not see" in finding["message"]
    assert "m-wall" not in finding["records"]


def test_what_is_written_across_a_wall_tells_nothing_back(office):
    asked = office.client("check", "legal.conflict_check", 'names:=["Mistral Corp"]', "by=p-out",
                          "at=2026-05-05T09:00:00-04:00", "decision=pending", by=SCREENED,
                          expect=None).one
    assert NUMBER not in json.dumps(asked) and "m-wall" not in json.dumps(asked)
    entry = ["legal.time_entry", "matter=m-wall", "person=p-out", "date=2026-05-05", "minutes:=19",
             "narrative=Filing", "billable:=true"]
    written = office.one("add", *entry, by=SCREENED)
    assert written["wrote"] and written["fields"] == {}
    (line,) = office.add_file([{"kind": "legal.time_entry", "fields": {
        "matter": "m-wall", "person": "p-out", "date": "2026-05-06", "minutes": 19,
        "narrative": "Filing", "billable": True}}], by=SCREENED)
    assert line["wrote"] and line["fields"] == {}
    assert office.one("show", written["id"], by=ATTORNEY)["fields"]["narrative"] == "Filing"


def test_a_finding_behind_a_wall_is_not_answered_from_outside(office):
    finding = next(one for one in office.many("findings", by=ATTORNEY)
                   if set(one["records"]) <= set(BEHIND))
    office.client("answer", finding["finding"], "dismissed", "--reason", "no", by=SCREENED, expect=1)


def test_events_keep_to_the_wall(office):
    with contextlib.ExitStack() as stack:
        streams = {}
        for reader in (INSIDE, SCREENED):
            connection = stack.enter_context(contextlib.closing(office.connect()))
            connection.request("GET", "/v1/events", headers={"X-Dutybook-By": reader})
            streams[reader] = connection.getresponse()
        office.client("set", "l-wall", f"event={SECRET} reply", by=ATTORNEY)
        office.client("add", "legal.time_entry", "matter=m-wall", "person=p-in", "date=2026-05-04",
                      "from=2026-05-04T09:10:00-04:00", "to=2026-05-04T09:40:00-04:00",
                      "minutes:=30", f"narrative={SECRET} call", "billable:=true", by=INSIDE)
        last = office.one("add", "core.duty", "title=End", "category=admin", "priority=low",
                          "state=open", by=ATTORNEY)["id"]
        said = {}
        for reader, stream in streams.items():
            said[reader] = read_until(stream, last)
            again = stack.enter_context(contextlib.closing(office.connect()))
            first = re.search(r"^id: (\S+)", said[reader], re.M).group(1)
            again.request("GET", "/v1/events", headers={"X-Dutybook-By": reader,
                                                       "Last-Event-ID": first})
            said[reader] += read_until(again.getresponse(), last)
    assert '"l-wall"' in said[INSIDE] and "event: finding" in said[INSIDE]
    assert '"l-wall"' not in said[SCREENED] and SECRET not in said[SCREENED]
    assert '"t-wall"' not in said[SCREENED] and "legal.time_entry" not in said[SCREENED]


def read_until(stream, word):
    """What an event stream says up to the event that holds the word."""
    text = ""
    while f'"{word}"' not in text or not text.endswith("\n\n"):
        line = stream.fp.readline().decode()
        assert line, "the stream ended"
        text += line
    return text


def test_conflicts_keep_to_the_wall(world):
    office = world.site("Office")
    office.rules = True
    office.start().add_file(RECORDS[:3], by=ATTORNEY)
    hub = world.bare("hub")
    office.client("remote", "add", "hub", hub)
    office.sync()
    branch = world.invited(office, "Branch")
    branch.rules = True
    branch.start().sync()
    office.sync()
    for site, title in ((office, f"{SECRET} A"), (branch, f"{SECRET} B")):
        site.client("set", "m-wall", f"title={title}", by=ATTORNEY)
    for site in (office, branch, office):
        site.sync()
    for site in (office, branch):
        wait_for(lambda site=site: site.many("conflicts", by=INSIDE), what="the conflict")
        assert site.many("conflicts", by=SCREENED) == []
        site.client("show", "m-wall", by=SCREENED, expect=1)
