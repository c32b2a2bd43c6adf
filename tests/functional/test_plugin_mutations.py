"""Manifests and schemas that are wrong in five hundred ways: lint and install crash over none of
them, and say by file, line and pointer what is wrong. DUTYBOOK_TEST_LONG=1 tries 5,000."""

import copy
import json
import os
import random
import shutil
import subprocess

from dutybook import BIN, LONG, ROOT

COUNT = 5000 if LONG else 500
EXAMPLE = ROOT / "plugins/examples/bus_duty"
STRANGE = [None, True, -1, 0, 1e308, 10**30, "", "x" * 5000, "\u0000", "../../etc/passwd", "[", "(?=a)",
           [], {}, [[]], {"": {}}, "a.b.c", "now - PT", "dose.at + P1M1M", ["lua"], "config.x"]
WORDS = ["type", "required", "properties", "items", "pattern", "$ref", "enum", "format", "minimum",
         "x-kind", "x-merge", "x-refers", "needs", "where", "id", "kind", "from", "on", "severity",
         "unevaluatedItems", "if", "$id", "limits", "abi", "runtime"]


def places(value, at=()):
    """Every place in a JSON value, as a path."""
    yield at
    children = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*at, key))


def parent_of(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


def changed_value(source, chance):
    value = copy.deepcopy(source)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        path = chance.choice(list(places(value)))
        if not path:
            if chance.random() < 0.05:
                return chance.choice(STRANGE)
            continue
        parent = parent_of(value, path)
        how = chance.randrange(5)
        if how == 0 and isinstance(parent, dict):
            del parent[path[-1]]
        elif how == 1 and isinstance(parent, dict):
            parent[chance.choice(WORDS)] = parent[path[-1]]
        elif how == 2 and isinstance(parent, dict):
            parent[chance.choice(WORDS)] = chance.choice(STRANGE)
        elif how == 3 and isinstance(parent, list):
            parent.extend(copy.deepcopy(parent[:3]))
        else:
            parent[path[-1]] = chance.choice(STRANGE)
    return value


def mutated(text, chance):
    """Bytes: a value changed, or the text itself damaged."""
    how = chance.randrange(10)
    data = text.encode()
    if how < 7:
        return json.dumps(changed_value(json.loads(text), chance), indent=1).encode()
    at = chance.randrange(len(data))
    if how == 7:
        return data[:at]
    if how == 8:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1:]
    return data[:at] + chance.choice([b"[" * 2000, b'{"a":' * 200, b"\xff\xfe", b",,", b"1e999",
                                      b'"\\ud800"']) + data[at:]


def make(directory):
    """Folders, each a copy of the example with one file mutated: [(folder, file)]."""
    made = []
    for number in range(COUNT):
        chance = random.Random(number)
        folder = directory / f"m{number}"
        shutil.copytree(EXAMPLE, folder)
        file = folder / chance.choice(["plugin.json", "schemas/run.json"])
        file.write_bytes(mutated(file.read_text(), chance))
        made.append((folder, file))
    return made


def lint(folders):
    """Problems by name of the folder. One process for many folders: a crash takes them all."""
    done = subprocess.run([BIN / "dutybook", "plugin", "lint", "--json", *folders],
                          capture_output=True, timeout=300)
    assert done.returncode in (0, 3), (done.returncode, done.stderr[-2000:])
    found = {folder.name: [] for folder in folders}
    for line in done.stdout.decode(errors="replace").splitlines():
        problem = json.loads(line)
        found.setdefault(problem["what"].split("/")[0], []).append(problem)
    return found


def test_five_hundred_mutants_are_named_and_crash_nothing(world, tmp_path):
    made = make(tmp_path / "mutants")
    found = {}
    for start in range(0, COUNT, 50):
        found |= lint([folder for folder, _ in made[start:start + 50]])
    wrong = 0
    for problems in found.values():
        problems = [one for one in problems if one["level"] == "error"]
        wrong += bool(problems)
        for one in problems:
            assert ".json" in one["what"] or "rules.lua" in one["what"], one
            named = isinstance(one.get("line"), int) or "missing" in one["what"]
            assert named or "rules.lua" in one["what"], one
            assert one["pointer"] == "" or one["pointer"].startswith("/"), one
    assert wrong > COUNT / 2

    site = world.site("North").start()
    refused = installed = 0
    for folder, _ in made[::5]:
        status, answer = site.request("POST", "/v1/plugins",
                                      {"folder": str(folder), "dry_run": True})
        assert status in (200, 400, 409, 413, 422), (folder, answer)
        refused += status != 200
        installed += status == 200
        if status == 400:
            assert any(answer.get(name) for name in ("errors", "output", "why")), answer
    assert site.status()["records"] == 0
    assert site.stop() == 0
    print(f"{COUNT} mutants: {wrong} refused by lint with file, line and pointer, none crashed it; "
          f"{refused + installed} given to install: {refused} refused, {installed} would go in")


def folder_in_place(path):
    path.unlink()
    path.mkdir()


def link_in_place(path):
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def fifo_in_place(path):
    path.unlink()
    os.mkfifo(path)


def twice(path):
    text = path.read_text()
    at = text.index("{") + 1
    path.write_text(text[:at] + '"id": "x", "id": "y",' + text[at:])


# What may become of a file; and which of these are no mistake.
FILE_MUTANTS = {
    "missing": lambda path: path.unlink(),
    "a folder": folder_in_place,
    "a link": link_in_place,
    "a fifo": fifo_in_place,
    "huge": lambda path: path.write_bytes(b" " * (5 << 20) + path.read_bytes()),
    "empty": lambda path: path.write_bytes(b""),
    "marked": lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()),
    "of another system": lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
    "in UTF-16": lambda path: path.write_bytes(path.read_text().encode("utf-16")),
    "with a zero": lambda path: path.write_bytes(path.read_bytes()[:40] + b"\0" +
                                                 path.read_bytes()[40:]),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "twice the same": twice,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-30]),
}
NO_MISTAKE = {"marked", "of another system"}


def requires(name, version):
    def change(folder):
        manifest = json.loads((folder / "plugin.json").read_text())
        manifest["requires"] = {name: version}
        (folder / "plugin.json").write_text(json.dumps(manifest, indent=2))
    return change


def lua(text):
    return lambda folder: (folder / "rules.lua").write_text(text)


def many(folder):
    for number in range(2100):
        (folder / f"tests/t{number}.json").write_text("[]")


FOLDER_MUTANTS = {
    "requires what is not here": requires("nowhere", "1.0.0"),
    "requires a newer one": requires("core", "99.0.0"),
    "a line of Lua that is none": lua("local x =\nend\n"),
    "Lua that never ends": lua("while true do end\n"),
    "Lua that fails": lua("local x\nx.y = 1\n"),
    "no Lua": lua("\x1bLua"),
    "too many files": many,
}


def mutants_of_files(directory):
    made = []
    for file in ("plugin.json", "rules.lua", "schemas/run.json", "tests/runs.json"):
        for name, change in FILE_MUTANTS.items():
            if name == "missing" and file.startswith("tests/") or \
                    name in ("twice the same", "with a zero") and file == "rules.lua":
                continue
            folder = directory / f"{file.replace('/', '_')} {name}/bus_duty"
            shutil.copytree(EXAMPLE, folder)
            change(folder / file)
            made.append((folder, name in NO_MISTAKE))
    for name, change in FOLDER_MUTANTS.items():
        folder = directory / name / "bus_duty"
        shutil.copytree(EXAMPLE, folder)
        change(folder)
        made.append((folder, False))
    return made


# No line, where there is no text, or none that Lua could name.
NO_LINE = ("is missing", "is not read", "is no folder", "gave no answer", "binary chunk", "stack overflow")


def named(problem):
    what = problem["what"]
    lined = isinstance(problem.get("line"), int) or any(no in what for no in NO_LINE)
    return what.startswith("bus_duty/") and lined


def test_every_tool_names_the_file_that_is_wrong(world, tmp_path):
    made = mutants_of_files(tmp_path / "mutants")
    site = world.site("North").start()
    errors = 0
    for number, (folder, fine) in enumerate(made):
        for tool in ("lint", ("test", "bench", "install", "shadow")[number % 4]):
            ran = site.client("plugin", tool, folder, expect=(0, 3) if fine else 3)
            said = [*ran.objects, *([ran.problem] if ran.err.strip() else [])]
            problems = [one for one in said if one.get("level") == "error"]
            for one in said:
                problems += one.get("errors", [])
                if "output" in one and not one.get("errors"):
                    assert "bus_duty/" in one["why"], (folder, tool, one)
            for one in problems:
                assert named(one), (folder.parent.name, tool, one)
                errors += 1
            assert fine or problems or any("bus_duty/" in str(one) for one in said), (folder, tool)
    for folder in (tmp_path / "nowhere", EXAMPLE / "plugin.json"):
        for tool in ("lint", "test", "bench", "install", "shadow"):
            assert "is no folder" in str(vars(site.client("plugin", tool, folder, expect=3)))
    for name in ("nowhere", "a/b", "@x", "", "x" * 5000, "../../etc"):
        site.client("plugin", "explain", name, expect=(1, 2, 3))
    assert site.status()["records"] == 0
    print(f"{len(made)} folders given to five tools: {errors} errors, each names its file")


def test_a_keyword_that_is_not_supported_is_refused_by_name(tmp_path):
    folder = tmp_path / "bus"
    shutil.copytree(EXAMPLE, folder)
    path = folder / "schemas/run.json"
    schema = json.loads(path.read_text())
    schema["properties"]["bus"]["contentEncoding"] = "base64"
    path.write_text(json.dumps(schema, indent=2))
    problem = lint([folder])["bus"][0]
    assert "contentEncoding" in problem["what"] and problem["line"] > 1
    assert problem["pointer"] == "/properties/bus/contentEncoding"
