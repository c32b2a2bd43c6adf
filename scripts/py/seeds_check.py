"""What scripts/seeds looks at without running anything: whether the cases that a row names say what
they are named for, whether every rule has cases, whether every text has its Spanish."""

import json
import re

# The rules that were laid down before the plugins were written, each with an example.
TABLE_RULES = [f"{field}-R{number:02}" for field, last in
               (("CORE", 17), ("EDU", 16), ("MED", 18), ("LEG", 16))
               for number in range(1, last + 1)]


def expects(case, rule):
    """Whether a case expects a finding of the rule, or fields that a computed rule fills in."""
    expect = case.get("expect", {})
    return any(one.get("rule") == rule for one in expect.get("findings", []))


def looks_at(case, rule):
    only = case.get("expect", {}).get("only_rules")
    return "report" not in case.get("do", {}) and (only is None or rule in only)


def records(case):
    """What a case stores, checks or writes."""
    do = case.get("do", {})
    return case.get("given", []) + [do[word] for word in ("check", "write") if word in do]


def holds_record(case, seed):
    """Whether a case holds a record of the row: of its kind, with what tells the row from others."""
    return any(one["kind"] == seed["kind"]
               and seed.get("of", {}).items() <= one.get("fields", {}).items()
               for one in records(case) if "fields" in one)


def seed_problems(seed, cases):
    """The case that trips expects a finding of the rule, the clean one looks and expects none, the
    report's case asks for that report and names what must be in it; each holds a record of the row.
    (Where the record's absence trips the rule, `of` is left out.)"""
    wrong = []
    for member in ("trips", "clean", "report_test"):
        case = cases.get(seed.get(member))
        if case and (member != "trips" or "of" in seed) and not holds_record(case, seed):
            wrong.append(f"'{seed[member]}' has no {seed['kind']} {seed.get('of', '')}".rstrip())
    trips, clean = cases.get(seed.get("trips")), cases.get(seed.get("clean"))
    report = cases.get(seed.get("report_test"))
    if trips and not expects(trips, seed["rule"]):
        wrong.append(f"'{seed['trips']}' expects no finding of {seed['rule']}")
    if clean and (expects(clean, seed["rule"]) or not looks_at(clean, seed["rule"])
                  or "findings" not in clean.get("expect", {})):
        wrong.append(f"'{seed['clean']}' does not show that {seed['rule']} finds nothing")
    if report:
        asked = report.get("do", {}).get("report", {}).get("name", "")
        expect = report.get("expect", {})
        if asked != seed["report"].partition(".")[2]:
            wrong.append(f"'{seed['report_test']}' does not ask for {seed['report']}")
        if not expect.get("contains") and not expect.get("blocks"):
            wrong.append(f"'{seed['report_test']}' names nothing that the report must show")
        shown = seed.get("shows")
        if not shown:
            wrong.append("does not say what of it the report shows")
        elif shown not in json.dumps([expect.get("contains"), expect.get("blocks")],
                                     ensure_ascii=False):
            wrong.append(f"'{seed['report_test']}' does not ask for '{shown}'")
    return wrong


def judged_kinds(case):
    do = case.get("do", {})
    subject = do.get("check") or do.get("write")
    if subject:
        return {subject.get("kind")}
    given = case.get("given", [])
    if "judge" in do:
        given = [one for one in given if one.get("id") == do["judge"].get("record")]
    return {one.get("kind") for one in given}


def case_problems(plugins):
    """A case with two records of one id has lost the first; of two cases of one name one is not
    found by it."""
    problems = []
    for plugin in plugins:
        problems += [f"{plugin.id}: two cases are called '{name}'" for name in plugin.twice]
        for name, case in plugin.cases.items():
            ids = [one["id"] for one in case.get("given", []) if "id" in one]
            problems += [f"{plugin.id}: '{name}' gives two records {one}"
                         for one in sorted({one for one in ids if ids.count(one) > 1})]
    return problems


def permuted(case):
    """Whether a case judges stored records that may have come in another order."""
    return case.get("do", {}).keys() <= {"judge"} and len(case.get("given", [])) > 1


def rule_problems(plugins):
    """Each rule has a case that trips it and one that does not; a rule that looks at other records
    trips over stored ones, so that every order of arrival is tried; each rule of the tables has its
    example, a case whose name begins with `RULE example:`."""
    problems = []
    for plugin in plugins:
        for rule, declared in plugin.rules.items():
            on = declared["on"] if isinstance(declared["on"], list) else [declared["on"]]
            trips = any(expects(case, rule) for case in plugin.cases.values())
            clean = any(looks_at(case, rule) and not expects(case, rule)
                        and judged_kinds(case) & set(on) and "findings" in case["expect"]
                        for case in plugin.cases.values() if "expect" in case)
            ordered = any(expects(case, rule) and permuted(case) for case in plugin.cases.values())
            problems += [f"{rule}: no case of {plugin.id} trips it"] * (not trips)
            problems += [f"{rule}: no case of {plugin.id} trips it over records in any order"] * \
                ("needs" in declared and not ordered)
            problems += [f"{rule}: no case of {plugin.id} shows that it finds nothing"] * (not clean)
    examples = {name.split(" example:")[0] for plugin in plugins for name in plugin.cases
                if " example:" in name}
    problems += [f"{rule}: no case is called '{rule} example: …'"
                 for rule in TABLE_RULES if rule not in examples]
    return problems


def untranslated(value, at):
    """Places where a text has English and no Spanish."""
    found = []
    if isinstance(value, dict):
        if isinstance(value.get("en"), str) and not value.get("es"):
            found.append(at)
        for name, one in value.items():
            found += untranslated(one, f"{at}/{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            found += untranslated(one, f"{at}/{index}")
    return found


def unlabelled(schema):
    return [name for name, field in schema.get("properties", {}).items()
            if not {"en", "es"} <= set(field.get("x-label", {}))]


def filled(text, language):
    return set(re.findall(r"\{(\w+)\}", text.get(language, "")))


def text_problems(root, plugins):
    problems = []
    for plugin in plugins:
        files = [plugin.folder / "plugin.json", *sorted(plugin.folder.glob("schemas/*.json"))]
        if plugin.id == "core":
            files += sorted((root / "schemas/kinds").glob("*.json"))
        for path in files:
            read = json.loads(path.read_text())
            shown = path.relative_to(root)
            problems += [f"{shown}: {at} has no Spanish" for at in untranslated(read, "")]
            problems += [f"{shown}: {name} has no label" for name in unlabelled(read)]
        for rule, declared in plugin.rules.items():
            texts = {"title": declared["title"], **declared.get("messages", {})}
            problems += [f"{rule}: {name} has no Spanish" for name, text in texts.items()
                         if "en" not in text or "es" not in text]
            problems += [f"{rule}: {name} does not fill the same names in Spanish"
                         for name, text in texts.items() if filled(text, "en") != filled(text, "es")]
        code = [*plugin.folder.glob("rules.lua"), *sorted(plugin.folder.glob("lua/*.lua"))]
        problems += [f"{plugin.id}: '{text}' in its reports has no Spanish"
                     for text in lua_texts("\n".join(one.read_text() for one in code))]
    return problems


def lua_texts(lua):
    """Texts of reports that have no Spanish. A plugin either says both at the place, T("Date",
    "Fecha"), or keeps a table ["Date"] = "Fecha" and asks it: t("Date"), grid(t, { "Date" })."""
    lone = re.findall(r'\bT\(\s*"([^"]*)"\s*\)', lua)
    known = set(re.findall(r'\["([^"]+)"\]\s*=\s*"', lua))
    asked = set(re.findall(r'\b[tw]\("([^"]+)"\)', lua))
    for names in re.findall(r'\bgrid\(t,\s*\{([^}]*)\}', lua) + \
            re.findall(r'\blocal (?:head|list) = \{([^}]*)\}', lua):
        asked |= {name.lstrip(">") for name in re.findall(r'"([^"]+)"', names)}
    if "table_of(w, " in lua:
        asked |= set(re.findall(r'\{ "\w+", "([^"]+)"(?:, "right")? \}', lua))
    return lone + sorted(asked - known) if known else lone
