"""A batch is judged for many records at once, and finds what the same records find one by one."""

import copy
import json
import pathlib
import re

from dutybook import ask, wait_for

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
CASES = ("core/tests/r*.json", "medical/tests/doses_*.json", "education/tests/sessions.json",
         "legal/tests/billing.json")


def renamed(value, prefix):
    """Ids of one case must not meet those of another."""
    if isinstance(value, dict):
        return {name: renamed(one, prefix) for name, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, prefix) for one in value]
    if isinstance(value, str) and re.fullmatch(r"[a-z]+[0-9]*", value) and len(value) < 4:
        return prefix + value
    return value


def records_of_the_cases():
    """What the plugins' own cases have stored before and then write, case after case."""
    records = []
    for pattern in CASES:
        for file in sorted(PLUGINS.glob(pattern)):
            for number, case in enumerate(json.loads(file.read_text())):
                given = copy.deepcopy(case.get("given", []))
                written = case.get("do", {}).get("write")
                given += written if isinstance(written, list) else [written] if written else []
                prefix = f"{file.stem}-{number}-"
                for place, record in enumerate(given):
                    if set(record) - {"id", "kind", "fields"}:
                        continue
                    name = record.get("id", f"w{place}")
                    records.append({"id": prefix + name, "kind": record["kind"],
                                    "fields": renamed(record["fields"], prefix)})
    return records


def told(findings):
    """Without what depends on the moment at which a rule with a clock looked."""
    return sorted((one["rule"], one["severity"], one["path"], *one["records"]) for one in findings)


def answers(lines):
    return [(one.get("id"), told(one["findings"])) if "fields" in one else
            (one["status"], one.get("pointer")) for one in lines]


def post(link, record):
    """A batch of one line."""
    answer = ask(link, "POST", "/v1/spaces/-/records", json.dumps(record) + "\n",
                 {"Content-Type": "application/x-ndjson", "X-Dutybook-By": "together-aide"})
    return answer[1]


def settled(site):
    return wait_for(lambda: site.status()["unchecked"] == 0 and site.status(), 300, "the verdicts")


def with_rules(world, name):
    site = world.site(name)
    site.rules = True
    return site.start()


def test_a_batch_is_judged_like_single_writes(world):
    records = records_of_the_cases()
    together, apart = with_rules(world, "Together"), with_rules(world, "Apart")
    batch = answers(together.add_file(records, expect=3))
    link = apart.connect()
    single = answers([post(link, one) for one in records])
    differing = [(record["id"], one, other)
                 for record, one, other in zip(records, batch, single, strict=True) if one != other]
    assert differing == []
    found = sum(len(one[1]) for one in batch if isinstance(one[1], list))
    refused = sum(isinstance(one[0], int) for one in batch)
    assert found > 100 and refused > 3
    settled(together), settled(apart)
    assert told(together.many("findings")) == told(apart.many("findings"))
    print(f"{len(records)} records, {found} findings, {refused} refused, in both ways alike")


def test_verdicts_of_writes_are_those_of_a_second_look(world):
    site = with_rules(world, "Twice")
    site.add_file(records_of_the_cases(), expect=3)
    settled(site)
    before = told(site.many("findings"))
    assert len(before) > 100
    for plugin in ("core", "medical", "education", "legal"):
        site.client("plugin", "disable", plugin)
    wait_for(lambda: not site.many("findings"), 60, "the findings' going")
    for plugin in ("core", "medical", "education", "legal"):
        site.client("plugin", "enable", plugin)
    settled(site)
    assert told(site.many("findings")) == before
