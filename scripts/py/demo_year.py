"""`scripts/demo --year`: a district with three schools, 200 school days, every kind in use, every
report made."""

import json
import time
import urllib.parse

import year

DAYS, STUDENTS = 200, 60


class Year:
    """One daemon that hosts the district's space and a space for each school."""

    def __init__(self, world, days=DAYS, students=STUDENTS):
        self.days, self.students = list(year.school_days(days)), students
        self.spaces = [year.DISTRICT, *year.SCHOOLS]
        self.site = world.site("District", space=year.DISTRICT)
        self.site.rules = True
        self.site.start()
        for school in year.SCHOOLS:
            self.site.client("space", "create", school, "--parent", year.DISTRICT)

    def fill(self):
        """(records, failures) of everything that the year brings."""
        kinds = [self.site.one("kind", "show", one["kind"]) for one in self.site.many("kind", "list")]
        kinds = [one for one in kinds if one["kind"] != "core.plugin_config"]
        added, failed = 0, []
        for space in self.spaces:
            records = list(year.district(self.days) if space == year.DISTRICT
                           else year.school(space, self.days, self.students))
            used = {one["kind"] for one in records}
            records += year.examples(kinds, used, space, self.days)
            answers = self.site.add_file(records, expect=(0, 3), space=space, by="office",
                                         timeout=1800)
            failed += [(space, one) for one in answers if "code" in one]
            added += len(answers)
        return added, failed

    def unused_kinds(self):
        return [kind["kind"] for kind in self.site.many("kind", "list")
                if not any(self.site.many("list", kind["kind"], "--limit", 1, space=space)
                           for space in self.spaces)]

    def reports(self):
        """(space, report, format) of every report in every format."""
        for report in self.site.many("report"):
            space = year.DISTRICT if report["report"].startswith("legal.") else year.SCHOOLS[0]
            formats = [*report["formats"], *(["ledes"] if "ledes" in report["report"] else [])]
            yield from ((space, report, form) for form in dict.fromkeys(formats))

    def make(self, space, report, form):
        """(status, text, seconds) of one report over the year."""
        query = [("format", form)]
        query += [("parameter", one) for one in year.parameters(
            report, space, self.days, report["report"] != "medical.mar_sheet")]
        start = time.monotonic()
        status, body = self.site.request(
            "GET", f"/v1/spaces/{space}/reports/{report['report']}?"
                   + urllib.parse.urlencode(query), headers={"X-Dutybook-By": "attorney"})
        text = body if isinstance(body, str) else json.dumps(body)
        return status, text, time.monotonic() - start


def run(world, say, must):
    start = time.monotonic()
    life = Year(world)
    added, failed = life.fill()
    must(not failed, f"every record went in: {failed[:3]}")
    seconds = time.monotonic() - start
    say(f"  {added:,} records of {len(life.days)} days in {seconds:.0f} s")
    say(f"  kinds without a record: {', '.join(life.unused_kinds()) or 'none'}")
    slowest = []
    for space, report, form in life.reports():
        status, text, took = life.make(space, report, form)
        slowest.append((took, report["report"], form))
        must(status == 200, f"{report['report']} as {form}: {text[:300]}")
    slowest.sort(reverse=True)
    say(f"  {len(slowest)} reports and formats; the slowest:")
    for took, name, form in slowest[:5]:
        say(f"    {took:5.2f} s  {name} as {form}")
    must(slowest[0][0] < 2, "every report is made within 2 s")
