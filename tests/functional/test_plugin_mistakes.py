"""Plugins that are wrong without meaning harm: what a person writes is stored all the same, what is
told stays readable, and the daemon outlives what their tests and reports hold."""

import json
import shutil
import subprocess

from dutybook import BIN, ROOT, wait_for
from plugins import NUMBER, TEXT, kind, rule, write_plugin


def note(folder, lua, version="1.0.0", cases=None, reports=(), completes=False, native=False):
    fields = {"n": NUMBER, "text": TEXT, "told": TEXT}
    if completes:
        fields["told"] = {"type": "string", "maxLength": 100_000, "x-completed": True}
    more = {"completes": [{"kind": "notes.note"}]} if completes else {}
    if reports:
        more["reports"] = [{"name": name, "title": {"en": name}} for name in reports]
    return write_plugin(folder, "notes", [kind("notes.note", fields)],
                        [rule("NOTES-R01", "notes.note", {"long": "{what}"})], lua, version,
                        cases=cases, **more)


def running(world, lua, **how):
    site = world.site("North")
    folder = site.store / "plugins"
    folder.mkdir()
    note(folder, lua, **how)
    return site.start()


NOTHING = 'rules["NOTES-R01"] = function() end\n'


def lint(folder):
    done = subprocess.run([BIN / "dutybook", "plugin", "lint", folder], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_lint_finds_nothing_in_the_plugins_of_the_program(tmp_path):
    for folder in sorted((ROOT / "plugins").glob("*/plugin.json")):
        assert lint(folder.parent) == (0, f"{folder.parent.name}: no mistakes found\n")
    # Core reads kinds of the plugins that are built on it; no other kind that nobody brings.
    for kind in ("nothing.at_all", "education.nothing", "roster.class"):
        core = tmp_path / kind / "core"
        shutil.copytree(ROOT / "plugins/core", core)
        text = (core / "plugin.json").read_text()
        (core / "plugin.json").write_text(text.replace('"education.iep_assignment"', f'"{kind}"'))
        status, said = lint(core)
        assert status == 3 and said.count("error:") == 1 and kind in said, said


def test_what_a_plugin_completes_wrongly_refuses_no_record(world):
    site = running(world, NOTHING + """
complete["notes.note"] = function(record)
  local answers = { { told = 42 }, { told = ("x"):rep(70000) }, { other = "x", _id = "y", n = 7 },
                    { told = { "a", "list" } }, { told = "right" } }
  return answers[record.n]
end
""", completes=True)
    for number in range(1, 6):
        record = site.one("add", "notes.note", f"n:={number}", "text=x")
        wanted = {"n": number, "text": "x"} | ({"told": "right"} if number == 5 else {})
        assert record["fields"] == wanted
        assert site.one("check", "notes.note", f"n:={number}")["verdict"] == "allow"
    assert site.status()["records"] == 5


def test_texts_are_cut_between_characters(world):
    site = running(world, """
rules["NOTES-R01"] = function(note)
  local long = ("x"):rep(note.n) .. ("é"):rep(1500)
  return { code = "long", values = { what = long, [("k"):rep(note.n) .. ("é"):rep(60)] = "v" },
           steps = { long } }
end
""")
    for number in (0, 1):
        found = site.one("add", "notes.note", f"n:={number}")["findings"]
        assert found[0]["message"].endswith("é") and len(found[0]["message"].encode()) <= 2000
        assert found[0]["steps"][0].endswith("é")
        assert "\ufffd" not in json.dumps(found, ensure_ascii=False)
    listed = site.client("findings")
    assert len(listed.objects) == 2 and "\ufffd" not in listed.out


def test_what_a_plugin_says_to_people_is_text(world):
    site = running(world, """
rules["NOTES-R01"] = function(note)
  log("log \\xff\\xfe")
  error("error \\xff\\xc3(" .. ("é"):rep(2000))
end
""")
    record = site.one("add", "notes.note", "n:=1")
    assert record["checked"] is False
    why = site.one("findings", "--unchecked")["why"]
    assert "error" in why
    site.log.read_bytes().decode()
    for line in site.log.read_text().splitlines():
        json.loads(line)


WRONG_CASES = [
    5, "x", None, {}, [5], [[]], [{"name": 1, "expect": {}}],
    *({"name": "n", "expect": {}} | wrong for wrong in (
        {"given": "x"}, {"given": [5]}, {"given": [{"kind": 5}]}, {"given": {"kind": "notes.note"}},
        {"given": [{"kind": "notes.note", "fields": []}]},
        {"given": [{"kind": "notes.note", "id": 7}]}, {"given": [{"kind": "notes.note", "by": {}}]},
        {"do": []}, {"do": {"check": 5}}, {"do": {"write": {"kind": "notes.note", "status": 1}}},
        {"do": {"judge": "x"}}, {"do": {"judge": {"record": 1}}}, {"do": {"report": 1}},
        {"do": {"report": {"name": 1}}}, {"do": {"chek": {}}}, {"zone": 1}, {"zone": "Mars/Base"},
        {"now": 5}, {"now": "today"}, {"config": []}, {"expect": []}, {"expect": {"findings": {}}},
        {"expect": {"findings": [1]}}, {"expect": {"only_rules": "x"}}, {"expect": {"contains": 1}},
        {"expect": {"contains": [1]}}, {"expect": {"blocks": [1]}}, {"expect": {"fields": 1}},
        {"expect": {"errors": 1}}, {"expect": {"findngs": []}})),
]


def test_cases_of_a_wrong_shape_are_named_and_the_daemon_lives(world, tmp_path):
    site = world.site("North").start()
    for number, wrong in enumerate(WRONG_CASES):
        folder = note(tmp_path / str(number), NOTHING, cases=[])
        (folder / "tests/cases.json").write_text("\n" + json.dumps(wrong, indent=1))
        for tool in ("lint", "test"):
            if tool == "lint" and wrong == {"name": "n", "expect": {}, "zone": "Mars/Base"}:
                continue
            ran = site.client("plugin", tool, folder, expect=3)
            said = ran.objects
            assert said and "notes/tests/cases.json" in json.dumps(said), (wrong, ran)
            assert all(isinstance(one.get("line"), int) for one in said), (wrong, said)
        ran = site.client("plugin", "install", folder, expect=3)
        assert "cases.json" in ran.err, (wrong, ran)
    assert site.status()["records"] == 0
    assert "notes" not in {one["id"] for one in site.many("plugin", "list")}


def test_reports_put_nothing_on_a_page_but_text(world):
    site = running(world, NOTHING + """
reports.script = function()
  local evil = "<script>alert(1)</script>"
  return { { type = "heading", level = 1, text = evil }, { type = "text", text = evil, style = "note" },
           { type = "table", columns = { { id = "a", label = evil } }, rows = { { evil } } },
           { type = "signature", label = "\\"><img src=x onerror=alert(1)>" } }
end
reports.deep = function()
  local block = { type = "text", text = "x" }
  for i = 1, 60 do block = { type = "text", text = block } end
  return { block }
end
reports.odd = function() return { { type = "html", html = "<b>" }, 7, { type = "text", text = 1 / 0 } } end
""", reports=["script", "deep", "odd"])
    status, text = site.request("GET", "/v1/spaces/school/reports/notes.script?format=html")
    assert status == 200
    assert "<script>alert" not in text and "&lt;script&gt;" in text and "<img" not in text
    for name in ("deep", "odd"):
        ran = site.client("report", f"notes.{name}", "--format", "json", expect=(1, 3))
        assert ran.problem["title"]
    assert site.status()["records"] == 0


CRASHES = """
rules["NOTES-R01"] = function(note)
  if note.n % 10 == 3 then error("not thought of") end
  if note.n % 2 == 0 then return { code = "long", path = "/n", values = { what = "even" } } end
end
"""
EVERY_FOURTH = CRASHES.replace("% 2 == 0", "% 4 == 0").replace("% 10 == 3", "== -1")


def test_a_version_that_cannot_judge_what_is_here_is_not_taken_into_use(world, tmp_path):
    site = running(world, EVERY_FOURTH)
    site.add_file({"id": f"n{n}", "kind": "notes.note", "fields": {"n": n}} for n in range(100))
    bad = note(tmp_path / "bad", CRASHES, "2.0.0")
    shadow = site.one("plugin", "shadow", bad)
    assert (shadow["records"], shadow["findings"], shadow["failed"]) == (100, 25, 10)
    ran = site.client("plugin", "install", bad, expect=3)
    assert "cannot judge 10 of 100 records" in ran.err and "not thought of" in ran.err
    assert [one["version"] for one in site.many("plugin", "list") if one["id"] == "notes"] == [
        "1.0.0"]
    good = note(tmp_path / "good", CRASHES.replace("% 10 == 3", "== -1"), "2.0.0")
    assert site.one("plugin", "install", good)["shadow"]["text"] == (
        "would newly find 25 in 100 records")
    wait_for(lambda: site.status()["unchecked"] == 0, 20, "all judged")
    assert len(site.many("findings")) == 50
    # One that cannot judge some records itself does not keep its own mending out.
    assert site.one("plugin", "rollback", "notes")["version"] == "1.0.0"


def test_a_field_never_means_something_else(world, tmp_path):
    site = running(world, NOTHING)
    site.add_file([{"id": "n1", "kind": "notes.note", "fields": {"n": 1}}])
    update = note(tmp_path, NOTHING, "2.0.0")
    path = update / "schemas/kind0.json"
    schema = json.loads(path.read_text())
    schema["properties"]["n"] = {"type": "string"}
    schema["required"] = ["text"]
    path.write_text(json.dumps(schema, indent=1))
    told = site.many("plugin", "lint", update, expect=3)
    assert sorted((one["level"], one["pointer"]) for one in told) == [
        ("error", "/properties/n/type"), ("error", "/required/0")]
    assert all("schemas/kind0.json" in one["what"] and one["line"] > 1 for one in told)
    assert "migrate it" in told[0]["fix"]
    assert "records of version 1.0.0 may not fit" in site.client("plugin", "install", update,
                                                                 expect=3).err
    # What only takes less goes in, and leaves what stands editable.
    schema["properties"]["n"] = {"type": "integer", "minimum": 5}
    del schema["required"]
    path.write_text(json.dumps(schema, indent=1))
    site.client("plugin", "install", update)
    assert site.one("set", "n1", "told=x", "--reason", "seen")["fields"] == {"n": 1, "told": "x"}
    # Another name goes in beside the old one, which stays readable where it is left out.
    del schema["properties"]["n"]
    schema["x-version"], schema["properties"]["count"] = 2, {"type": "string"}
    path.write_text(json.dumps(schema, indent=1))
    told = site.many("plugin", "lint", update)
    assert [(one["level"], one["pointer"]) for one in told] == [("warning", "/properties")]
    manifest = json.loads((update / "plugin.json").read_text())
    manifest["version"] = "3.0.0"
    (update / "plugin.json").write_text(json.dumps(manifest, indent=1))
    site.client("plugin", "install", update)
    assert site.one("set", "n1", "count=five", "--reason", "seen")["fields"] == {
        "n": 1, "told": "x", "count": "five"}


def test_what_a_person_meant_to_be_read_is_never_left_out_in_silence(world, tmp_path):
    site = world.site("North")

    def complaint(change):
        folder = tmp_path / "plugins"
        shutil.rmtree(folder, ignore_errors=True)
        change(note(folder, NOTHING, cases=[]))
        said = site.many("plugin", "lint", f"{folder}/notes/", expect=3)
        assert len(said) == 1, said
        return said[0]

    def moved(old, new):
        return lambda place: (place / old).rename(place / new)

    def linked(place):
        (place / "tests/cases.json").rename(tmp_path / "elsewhere.json")
        (place / "tests/cases.json").symlink_to(tmp_path / "elsewhere.json")

    def linked_folder(place):
        (place / "tests").rename(tmp_path / "elsewhere")
        (place / "tests").symlink_to(tmp_path / "elsewhere")

    for change, name, why in [
            (linked_folder, "notes/tests", "symbolic link"),
            (moved("tests/cases.json", "tests/année.json"), "notes/tests/année.json", "letters"),
            (moved("tests/cases.json", "tests/Cases.JSON"), "notes/tests/Cases.JSON", "letters"),
            (moved("rules.lua", "Rules.lua"), "notes/Rules.lua", "small letters"),
            (linked, "notes/tests/cases.json", "symbolic link"),
            (lambda place: (place / "plugin.json").write_text("{}", "utf-16"),
             "plugin.json", "UTF-16")]:
        told = complaint(change)
        assert name in told["what"] and why in told["why"] and told["fix"], told
    told = complaint(lambda place: (place / "rules.lua").write_text("\n\nrules['OTHER'] = 1\n"))
    assert told["pointer"] == "/rules/0" and told["line"] > 1

    # Marks of an encoding, ends of lines, tabs and a link to the folder are no mistakes.
    place = note(tmp_path / "fine", NOTHING, cases=[])
    for path in (place / "plugin.json", place / "rules.lua", place / "tests/cases.json"):
        text = path.read_text().replace("\n", "\r\n").replace("  ", "\t")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "link").symlink_to(place)
    site.client("plugin", "lint", tmp_path / "link")
    site.client("plugin", "test", tmp_path / "link/")


def test_codes_and_needs_that_the_manifest_does_not_declare_are_told(world, tmp_path):
    site = world.site("North")
    lua = """
-- needs.commented, code = "commented"
rules["NOTES-R01"] = function(note, needs)
  local other = needs.others or needs["elsewhere"]
  if note.code == "long" then return { code = "lng" } end
  return { code = "lo" .. "ng" }
end
"""
    told = site.many("plugin", "lint", note(tmp_path, lua, cases=[]), expect=3)
    found = sorted((one["level"], one["line"], one["what"].rpartition(": ")[2]) for one in told)
    nowhere = "is declared nowhere in plugin.json"
    assert found == [("error", 4, f'the need "elsewhere" {nowhere}'),
                     ("error", 4, f'the need "others" {nowhere}'),
                     ("warning", 5, f'the code "lng" {nowhere}')]
    assert any("did you mean long" in one["fix"] for one in told)


def test_new_plugins_are_named_and_made_as_asked(world, tmp_path):
    site = world.site("North")
    assert site.one("plugin", "new", f"{tmp_path}/bus_duty/")["plugin"]
    site.client("plugin", "test", tmp_path / "bus_duty")
    assert site.client("plugin", "new", tmp_path / "other", "--runtime", "python", expect=2).err
    assert not (tmp_path / "other").exists()
    assert site.client("plugin", "new", tmp_path / "Bus Duty", expect=3).problem["title"]


def test_settings_are_refused_where_the_plugin_has_none_of_that_name_or_value(world, tmp_path):
    site = world.site("North").start()
    settings = {"type": "object", "properties": {"most": {"type": "integer", "default": 3},
                                                 "least": {"type": "integer", "default": 1}}}
    site.client("plugin", "install", write_plugin(
        tmp_path, "notes", [kind("notes.note", {"n": NUMBER})], [], "", configuration=settings))
    wrong = site.client("plugin", "config", "notes", "mots=4", expect=3).problem
    assert "most" in wrong["fix"] and wrong["pointer"] == "/mots"
    assert site.client("plugin", "config", "notes", "most=many", expect=3).problem["pointer"] == "/most"
    missing = site.client("plugin", "config", "note", "most=4", expect=1).problem
    assert "notes" in missing["fix"] and "--elsewhere" in missing["fix"]
    assert site.many("list", "core.plugin_config") == []
    assert site.one("plugin", "config", "notes", "most=4")["fields"]["most"] == 4
    ran = site.client("plugin", "config", "note", "most=4", "--elsewhere")
    assert ran.one["fields"]["plugin"] == "note" and "nobody looked" in ran.err


def test_a_plugin_may_require_one_that_is_installed_on_the_site(world, tmp_path):
    site = world.site("North").start()
    needing = write_plugin(tmp_path, "letters", [kind("letters.letter", {"n": NUMBER})], [], "",
                           requires={"notes": "1.1.0"})
    told = site.many("plugin", "lint", needing, expect=3)[0]
    assert told["pointer"] == "/requires/notes" and told["line"] > 1, told
    assert told["what"].startswith("letters/plugin.json: requires plugin notes 1.1.0"), told
    site.client("plugin", "install", note(tmp_path, NOTHING))
    assert "1.0.0 here" in site.many("plugin", "lint", needing, expect=3)[0]["why"]
    site.client("plugin", "install", note(tmp_path / "next", NOTHING, "1.1.0"))
    for command in ("lint", "test", "install"):
        site.client("plugin", command, needing)
