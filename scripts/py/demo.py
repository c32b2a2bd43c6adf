"""Two schools and their district keep records, lose the link, and sync at night through a git
remote. Three real daemons, a bare repository, a USB stick (a folder that is carried).

    scripts/demo [--keep] [--year]

--keep  leaves the daemons running and says how to talk to them
--year  instead: a year of school life, three schools, 200 days, every kind in use, every report
"""

import argparse
import csv
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
SPACE = "grand-bend"


def say(text=""):
    print(text, flush=True)


def title(text):
    say(f"\n=== {text}")


def count(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# --- the district's data ---

def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def clean(identifier):
    return re.sub(r"[^A-Za-z0-9._:-]", "-", identifier)


def district_records():
    """People, credentials and leaves as core records, from the large data set if it is there."""
    large = ROOT.parent / "shared/data/grand-bend"
    folder, users = (large, large / "oneroster/users.csv") if large.is_dir() else (
        ROOT / "scripts/data", ROOT / "scripts/data/users.csv")
    names, records = {}, {"people": [], "credentials": [], "staff leaves": []}
    for row in rows(users):
        person = clean(row["sourcedId"])
        names[row["sourcedId"]] = f"{row['givenName']} {row['familyName']}"
        records["people"].append({"id": person, "kind": "core.person", "fields": {
            "given": row["givenName"], "family": row["familyName"],
            "active": row["enabledUser"] == "true",
            "external_ids": [{"system": "oneroster", "id": row["sourcedId"]}]}})
    for row in rows(folder / "credentials.csv"):
        fields = {"person": clean(row["staff"]), "type": row["type"], "number": row["credential"],
                  "issued": row["issued"], "valid_through": row["expires"] or ""}
        records["credentials"].append({"kind": "core.credential", "fields": {
            name: value for name, value in fields.items() if value}})
    for row in rows(folder / "staff_leave.csv"):
        who = names.get(row["staff"], row["staff"])
        records["staff leaves"].append({"kind": "core.duty", "fields": {
            "title": f"Cover for {who}: {row['category']}", "category": "leave cover",
            "priority": "normal", "state": "open", "due": row["begin"],
            "place": f"until {row['end']}" if row["end"] else "open end"}})
    return records


# --- the three sites ---

class Demo:
    def __init__(self, world):
        self.world = world
        self.hub = world.bare("hub")
        self.link = world.directory / "link-to-hub"  # the path that all sites use
        self.raise_link()

    def raise_link(self):
        self.link.symlink_to(self.hub)

    def cut_link(self):
        self.link.unlink()

    @property
    def sites(self):
        return [self.district, self.north, self.south]

    def open_sites(self):
        self.district = self.world.site("District", space=SPACE).start()
        self.district.client("remote", "add", "hub", self.link)
        self.north = self.world.invited(self.district, "North").start()
        self.south = self.world.invited(self.district, "South").start()
        say("Three sites run: District made the space, North and South joined by invitation.")

    def sync(self, site, remote="hub"):
        for one in site.many("sync", "--remote", remote, expect=(0, 1)):
            if one["ok"]:
                say(f"  {site.name:8} received {count(one['operations_in'], 'change')}, sent "
                    f"{count(one['operations_out'], 'change')} "
                    f"({one['bytes_in']:,} and {one['bytes_out']:,} bytes) in {one['seconds']:.1f} s")
            else:
                error = one["error"]
                say(f"  {site.name:8} could not: {error['title'] if isinstance(error, dict) else error}")
            yield one

    def night(self):
        for site in (*self.sites, *self.sites):
            for one in self.sync(site):
                must(one["ok"], f"{site.name} synced")


def must(condition, what):
    if not condition:
        raise SystemExit(f"demo: this did not hold: {what}")


def load(demo):
    title("The district's data")
    began = time.monotonic()
    total = 0
    for name, records in district_records().items():
        demo.district.add_file(records)
        total += len(records)
        say(f"  {count(len(records), 'record')} of {name}")
    say(f"  written durably in {time.monotonic() - began:.1f} s")
    return total


def shared_duty(demo):
    """A duty of the district that both schools will touch."""
    return demo.district.one("add", "core.duty", "title=Storm: send the buses early",
                             "category=transport", "priority=normal", "state=open",
                             "place=all schools", "due=14:30", by="superintendent")["id"]


def school_day(demo, storm):
    title("The link is down; the school day goes on")
    demo.cut_link()
    north, south = demo.north, demo.south
    for i in range(1, 13):
        north.client("add", "core.duty", f"title=Hall duty, period {i}", "category=supervision",
                     "priority=normal", "state=done", "place=North, east hall", by="rosa")
        south.client("add", "core.duty", f"title=Reading group {i}", "category=instruction",
                     "priority=low", "state=done", "place=South, room 4", by="tomasz")
    north.client("add", "core.incident", "what=Fell from the climbing frame", "at=10:40",
                 "response=Nurse called, ice on the knee", "place=Playground", by="rosa")
    south.client("add", "core.need", "text=Directions of the science lab in Japanese", "at=09:15",
                 "type=linguistic", by="tomasz")
    north.client("set", storm, "priority=urgent", "assignee=rosa", by="rosa")
    south.client("set", storm, "priority=low", "place=South and the annex", by="tomasz")
    say("  North  wrote 12 duties and an incident, and made the storm duty urgent")
    say("  South  wrote 12 duties and a need, and made the same duty low")
    for one in demo.sync(north):
        must(not one["ok"], "a sync without a link fails and says so")
    waiting = north.status()["remotes"][0]["undelivered"]
    must(waiting > 0, "North knows what is not delivered")
    say(f"  North  knows: {count(waiting, 'change')} not yet delivered to the hub")


def stick(demo):
    title("A USB stick carries North's day to the district")
    at_north = demo.world.directory / "usb-at-north"
    at_north.mkdir()
    demo.north.client("remote", "add", "stick", at_north / "dutybook.git", "--create")
    for one in demo.sync(demo.north, "stick"):
        must(one["ok"], "North wrote the stick")
    at_district = demo.world.directory / "usb-at-district"
    at_north.rename(at_district)
    demo.district.client("remote", "add", "stick", at_district / "dutybook.git")
    for one in demo.sync(demo.district, "stick"):
        must(one["ok"] and one["operations_in"] > 0, "the district read the stick")
    say("  District has North's records although the link is still down")
    for site in (demo.north, demo.district):
        site.client("remote", "remove", "stick")


def night(demo):
    title("Night: the link is back, every site syncs with the hub")
    demo.raise_link()
    demo.night()


def conflict(demo, storm):
    title("What two people decided apart is on the table")
    listed = demo.district.many("conflicts")
    must([one["field"] for one in listed] == ["priority"], "exactly one conflict, on the priority")
    record = demo.district.one("show", storm)["fields"]
    names = {site.one("status")["site"]["id"]: site.name for site in demo.sites}
    say(f"  \"{record['title']}\": North's assignee ({record['assignee']}) and South's place "
        f"({record['place']}) were merged; nobody had to be asked")
    for value in listed[0]["values"]:
        say(f"  priority \"{value['value']}\" by {value['by']} at {names[value['site']]}, {value['at']}")
    say(f"  every site shows \"{listed[0]['shown']}\" until somebody settles it")
    for site in demo.sites:
        must(site.many("conflicts") == listed, f"{site.name} lists the same conflict")
    taken = next(site for site, name in names.items() if name == "North")
    demo.district.client("resolve", storm, "priority", "--take", taken, "--reason",
                         "the storm is close", by="superintendent")
    say("  District settles it: North's value holds")
    demo.night()
    for site in demo.sites:
        must(site.many("conflicts") == [], f"{site.name} has no conflict left")
        must(site.one("show", storm)["fields"]["priority"] == "urgent", f"{site.name} shows urgent")


def closing(demo):
    title("The picture, from `dutybook status --json` at each site")
    digests = set()
    for site in demo.sites:
        space = site.status()
        digests.add(space["digest"])
        say(f"  {site.name:8} {count(space['records'], 'record')}, "
            f"{count(space['operations'], 'operation')}, "
            f"{count(space['remotes'][0]['undelivered'], 'change')} undelivered, "
            f"{count(len(space['alarms']), 'alarm')}, digest {space['digest'][:16]}")
    must(len(digests) == 1, "the digests are equal")
    say("  The digests are equal: all three hold the same records.")


def keep(demo):
    title("The daemons keep running")
    program = ROOT / "build/bin/dutybook"
    for site in demo.sites:
        say(f"  {site.name:8} process {site.process.pid}: {program} --store {site.store} status")
    pids = " ".join(str(site.process.pid) for site in demo.sites)
    say(f"\n  Stop them:  kill {pids}\n  Forget all: rm -r {demo.world.directory}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--year", action="store_true")
    options = parser.parse_args()
    if subprocess.run([ROOT / "scripts/build", "release", "dutybookd", "dutybook", "dutybook-worker",
                       "dutybook-supervise"]).returncode != 0:
        return 1
    os.environ["DUTYBOOK_BIN"] = str(ROOT / "build/bin")
    from dutybook import World

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = tempfile.mkdtemp(prefix="dutybook-demo-")
    world = World(directory)
    kept = False
    try:
        if options.year:
            import demo_year
            title("A year: three schools, 200 days")
            demo_year.run(world, say, must)
            return 0
        demo = Demo(world)
        title("A district and two schools")
        demo.open_sites()
        load(demo)
        storm = shared_duty(demo)
        title("First night: the schools fetch what the district wrote")
        demo.night()
        school_day(demo, storm)
        stick(demo)
        night(demo)
        conflict(demo, storm)
        closing(demo)
        if options.keep:
            kept = True
            keep(demo)
        else:
            for site in demo.sites:
                must(site.stop() == 0, f"{site.name} stopped cleanly")
        return 0
    finally:
        if not kept:
            world.__exit__()
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
