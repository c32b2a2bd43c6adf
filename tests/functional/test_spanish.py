"""Spanish: labels, messages, reports, and the report to a family whose language is Spanish."""

import subprocess

import pytest
from dutybook import BIN

PLUGINS = ["core", "education", "medical", "legal", "roster"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("spanish")) as world:
        north = world.site("North")
        north.rules = True
        north.start().add_file([
            {"id": "p-ito", "kind": "core.person", "fields": {"given": "Nao", "family": "Ito",
                                                              "active": True}},
            {"id": "p-ash", "kind": "core.person", "fields": {"given": "Kit", "family": "Ash",
                                                              "active": True}},
            {"id": "p-tea", "kind": "core.person", "fields": {"given": "Ada", "family": "Roe",
                                                              "active": True}},
            *({"kind": "education.student", "fields": {"person": person, "school": "north",
                                                       "home_language": language}}
              for person, language in (("p-ito", "es"), ("p-ash", "en"))),
            *({"kind": "education.progress_point", "fields": {
                "student": person, "goal": "reading", "date": date, "value": value,
                "unit": "palabras", "by": "p-tea"}}
              for person in ("p-ito", "p-ash")
              for date, value in (("2026-03-02", "40"), ("2026-03-09", "55"))),
            {"kind": "education.supervision_post", "fields": {
                "place": "recess", "from": "2026-03-02T10:30:00-05:00",
                "to": "2026-03-02T10:50:00-05:00", "staff": ["p-tea"], "students_expected": 95}}])
        yield north


def page(site, student):
    status, text = site.request(
        "GET", "/v1/spaces/school/reports/education.progress_report?format=html"
               f"&parameter=student%3D{student}&parameter=period%3DMarzo"
               "&parameter=from%3D2026-03-01&parameter=to%3D2026-03-31")
    assert status == 200
    return text


def test_the_family_reads_its_own_language(site):
    spanish, english = page(site, "p-ito"), page(site, "p-ash")
    assert '<html lang="es">' in spanish and "Estimada familia" in spanish
    assert '<html lang="en">' in english and "Dear family" in english
    assert "Dear family" not in spanish and "Kit" not in spanish and "Nao" not in english


def test_messages(site):
    english = {one["finding"]: one["message"] for one in site.many("findings")}
    spanish = {one["finding"]: one["message"] for one in site.many("findings", "--lang", "es")}
    assert english.keys() == spanish.keys() and english
    assert all(english[finding] != spanish[finding] for finding in english)


def test_every_kind_and_field_has_a_spanish_label(site):
    kinds = [one["kind"] for one in site.many("kind", "list") if one["owner"] in PLUGINS]
    assert len(kinds) > 90
    for kind in kinds:
        shown = site.one("kind", "show", kind)
        assert shown["labels"]["es"], kind
        for field in shown["fields"]:
            assert field["labels"]["es"], f"{kind}.{field['name']}"
    done = subprocess.run([BIN / "dutybook", "--store", site.store, "kind", "show", "core.duty",
                           "--language", "es"], text=True, capture_output=True,
                          env=site.environment)
    assert "Prioridad" in done.stdout


def test_reports(site):
    _, text = site.request("GET", "/v1/spaces/school/reports/education.duty_roster?format=html"
                                  "&language=es&parameter=from%3D2026-03-01"
                                  "&parameter=to%3D2026-03-31")
    assert '<html lang="es">' in text and "recreo" in text.lower()
