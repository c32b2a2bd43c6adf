"""scripts/seeds finds what it is there to find: a row without a case, a case that did not run or
failed, a case that does not say what it is named for, a text without Spanish."""

import copy
import sys

from dutybook import ROOT

sys.path.insert(0, str(ROOT / "scripts/py"))
import seeds  # noqa: E402
import seeds_check  # noqa: E402

TITLES = {37: "takes attendance"}


def row_37():
    """The education plugin with the seed of one row alone, and results in which all passed."""
    plugins = seeds.read_plugins(ROOT / "plugins")
    for plugin in plugins:
        plugin.seeds = [one for one in plugin.seeds
                        if one["row"] == 37 and plugin.id == "education"]
    education = next(one for one in plugins if one.id == "education")
    results = {one.id: {name: True for name in one.cases} for one in plugins}
    return plugins, education, education.seeds[0], results


def problems(plugins, results):
    return seeds.row_problems(TITLES, plugins, results)[37]


def test_a_row_that_works_has_no_problem():
    plugins, _, _, results = row_37()
    assert problems(plugins, results) == []


def test_each_thing_that_a_row_names_must_be_there():
    for member, value, said in (("kind", "education.nothing", "no kind"),
                                ("rule", "EDU-R99", "no rule"),
                                ("report", "education.nothing", "no report"),
                                ("trips", None, "names no trips"),
                                ("clean", "no such case", "is no case"),
                                ("shows", "Zebra", "does not ask for 'Zebra'"),
                                ("shows", None, "does not say what")):
        plugins, education, seed, results = row_37()
        education.seeds = [seed | {member: value}]
        assert any(said in one for one in problems(plugins, results)), (member, value)


def test_a_case_that_failed_or_did_not_run_fails_its_row():
    plugins, _, seed, results = row_37()
    results["education"][seed["trips"]] = False
    assert any("failed" in one for one in problems(plugins, results))
    del results["education"][seed["report_test"]]
    assert any("did not run" in one for one in problems(plugins, results))


def test_a_case_must_say_what_it_is_named_for():
    plugins, education, seed, results = row_37()
    tripping = education.cases[seed["trips"]]
    education.cases[seed["trips"]] = tripping | {"expect": {"findings": []}}
    assert any("expects no finding" in one for one in problems(plugins, results))
    education.cases[seed["trips"]] = tripping
    education.cases[seed["clean"]] = tripping
    assert any("finds nothing" in one for one in problems(plugins, results))


def test_a_case_must_hold_a_record_of_its_row():
    plugins, education, seed, results = row_37()
    education.seeds = [seed | {"of": {"code": "Tardy"}}]
    said = problems(plugins, results)
    assert len(said) == 2, said  # the tripping case has one
    assert seed["clean"] in said[0] and "Tardy" in said[0] and seed["report_test"] in said[1]
    education.seeds = [seed | {"of": {"code": "Vanished"}}]
    assert len(problems(plugins, results)) == 3
    education.cases["nobody comes"] = education.cases[seed["clean"]] | {"given": []}
    education.seeds = [seed | {"clean": "nobody comes"}]
    results["education"]["nobody comes"] = True
    assert any("'nobody comes' has no education.attendance_event" in one
               for one in problems(plugins, results))


def test_what_a_report_must_not_show_does_not_count_as_shown():
    plugins, education, seed, results = row_37()
    report = copy.deepcopy(education.cases[seed["report_test"]])
    report["expect"]["lacks"] = ["Zebra"]
    education.cases[seed["report_test"]] = report
    education.seeds = [seed | {"shows": "Zebra"}]
    assert any("does not ask for 'Zebra'" in one for one in problems(plugins, results))


def test_a_record_or_a_case_that_hides_another_is_told():
    plugins, education, seed, _ = row_37()
    assert seeds_check.case_problems(plugins) == []
    case = copy.deepcopy(education.cases[seed["trips"]])
    case["given"].append(case["given"][0])
    education.cases[seed["trips"]] = case
    education.twice = [seed["clean"]]
    said = seeds_check.case_problems(plugins)
    assert len(said) == 2
    assert seed["clean"] in said[0] and "two cases" in said[0]
    assert seed["trips"] in said[1] and "two records" in said[1]


def test_a_row_that_nothing_backs_is_told():
    plugins, education, _, results = row_37()
    education.seeds = []
    assert problems(plugins, results) == ["nothing backs it"]


def test_every_rule_has_its_cases_and_its_example():
    plugins = seeds.read_plugins(ROOT / "plugins")
    assert seeds_check.rule_problems(plugins) == []
    education = next(one for one in plugins if one.id == "education")
    education.cases = {name: case for name, case in education.cases.items()
                       if not name.startswith("EDU-R16")}
    assert any(one.startswith("EDU-R16: no case is called") for one in
               seeds_check.rule_problems(plugins))


def test_a_rule_about_other_records_trips_over_stored_ones():
    plugins = seeds.read_plugins(ROOT / "plugins")
    core = next(one for one in plugins if one.id == "core")
    core.cases = {name: case for name, case in core.cases.items() if "whichever came first" not in name}
    assert seeds_check.rule_problems(plugins) == [
        "CORE-R17: no case of core trips it over records in any order"]


def test_every_text_has_its_spanish():
    plugins = seeds.read_plugins(ROOT / "plugins")
    assert seeds_check.text_problems(ROOT, plugins) == []
    medical = next(one for one in plugins if one.id == "medical")
    medical.rules = copy.deepcopy(medical.rules)
    del medical.rules["MED-R02"]["messages"]["too_early"]["es"]
    del medical.rules["MED-R03"]["messages"]["too_many"]["en"]
    medical.rules["MED-R03"]["messages"]["too_much"]["es"] = "Demasiado: {todo}."
    assert seeds_check.text_problems(ROOT, plugins) == [
        "MED-R02: too_early has no Spanish",
        "MED-R02: too_early does not fill the same names in Spanish",
        "MED-R03: too_many has no Spanish",
        "MED-R03: too_many does not fill the same names in Spanish",
        "MED-R03: too_much does not fill the same names in Spanish"]
    assert seeds_check.lua_texts('t("Date") ES = { ["Time"] = "Hora" }') == ["Date"]
    assert seeds_check.lua_texts('T("Date")') == ["Date"]
