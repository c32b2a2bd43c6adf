"""Checks that no test can make: format, clang-tidy, library arrows, tests that nothing builds,
folders without a README, schema files that are no JSON.

    scripts/check [--no-tidy] [--fix]

clang-tidy looks only at files whose text, headers or configuration changed since they last passed
(build-dev/tidy-cache), so that a second run is quick. --fix formats instead of complaining.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Libraries that only one folder may include.
KEPT = {"git2": ["store"], "sqlite3.h": ["store"], "boost/beast": ["api", "cli"]}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def sources(*suffixes):
    """Tracked and new files below the folders that hold code."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "daemon", "plugins", "tests"], cwd=ROOT,
        capture_output=True, text=True, check=True).stdout.split("\n")
    return sorted(ROOT / one for one in listed if one.endswith(suffixes) and (ROOT / one).exists())


def relative(path):
    return path.relative_to(ROOT).as_posix()


def check_format(fix):
    files = sources(".cpp", ".h", ".c", ".hpp")
    command = ["clang-format", "-i" if fix else "--dry-run", *([] if fix else ["-Werror"])]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True)
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.stderr, re.M)))
    return [f"{relative(pathlib.Path(one))}: not formatted; run scripts/check --fix" for one in wrong]


def arrows():
    """{folder: folders that its link line names}; CMakeLists.txt is where the arrows are drawn."""
    text = (ROOT / "CMakeLists.txt").read_text()
    lines = re.findall(r"^dutybook_library\((\w+)\s+daemon/(\w+)([^)]*)\)", text, re.M)
    libraries = {name: folder for name, folder, _ in lines}
    drawn = {folder: [libraries[one] for one in links.split() if one in libraries]
             for _, folder, links in lines}
    drawn["main"] = sorted(libraries.values())  # programs compose
    return drawn


def reach(drawn, folder, way=()):
    """All folders below one; a circle is an error."""
    if folder in way:
        raise ValueError("circle: " + " -> ".join([*way[way.index(folder):], folder]))
    below = set()
    for one in drawn[folder]:
        below |= {one} | reach(drawn, one, (*way, folder))
    return below


def check_arrows():
    """Each include goes along the arrows, and the arrows have no circle."""
    drawn, problems = arrows(), []
    try:
        allowed = {folder: reach(drawn, folder) | {folder} for folder in drawn}
    except ValueError as circle:
        return [str(circle)]
    for path in sources(".cpp", ".h"):
        parts = path.relative_to(ROOT).parts
        if parts[0] != "daemon" or len(parts) < 3:
            continue
        folder = parts[1]
        if folder not in allowed:
            problems.append(f"{relative(path)}: CMakeLists.txt has no library for daemon/{folder}")
            continue
        for include in INCLUDE.findall(path.read_text()):
            target = include.split("/")[0]
            if "/" in include and target in drawn and target not in allowed[folder]:
                problems.append(f"{relative(path)}: {folder} may not include {include}")
            for library, owners in KEPT.items():
                if include.startswith(library) and folder not in owners:
                    problems.append(f"{relative(path)}: only {' and '.join(owners)} may include {include}")
    return problems + check_header_circles()


def check_header_circles():
    """Headers that include each other in a ring."""
    edges = {}
    for path in sources(".h"):
        name = path.relative_to(ROOT).as_posix().removeprefix("daemon/")
        edges[name] = [one for one in INCLUDE.findall(path.read_text())]
    problems, done = [], set()

    def descend(name, way):
        if name in way:
            problems.append("headers include each other: " + " -> ".join([*way[way.index(name):], name]))
        elif name in edges and name not in done:
            for below in edges[name]:
                descend(below, [*way, name])
            done.add(name)

    for name in edges:
        descend(name, [])
    return problems


def check_tests_are_built():
    """Every test source belongs to a target, every functional test is one that pytest collects."""
    built = set()
    database = ROOT / "build/compile_commands.json"
    if not database.exists():
        return ["build/compile_commands.json is missing; run scripts/build first"]
    for entry in json.loads(database.read_text()):
        built.add((pathlib.Path(entry["directory"]) / entry["file"]).resolve())
    problems = []
    for path in sources(".cpp", ".c"):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "tests" and parts[1] not in ("fuzz", "support", "data") and path not in built:
            problems.append(f"{relative(path)}: no target builds it")
    for path in (ROOT / "tests").rglob("*.py"):
        if re.search(r"^def test_", path.read_text(), re.M) and not (
                path.name.startswith("test_") and path.parent.name in ("functional", "browser")):
            problems.append(f"{relative(path)}: pytest does not collect it")
    return problems


def check_readmes():
    folders = {path.parent for path in sources(".cpp", ".h", ".py", ".c", ".lua")}
    wanted = {ROOT / one for one in ("daemon", "plugins", "schemas", "scripts", "tests")}
    for folder in folders:
        parts = folder.relative_to(ROOT).parts
        if parts[:1] in (("daemon",), ("plugins",), ("tests",)):
            wanted.add(ROOT.joinpath(*parts[:2]))
    return [f"{relative(folder)}: has no README.md" for folder in sorted(wanted)
            if folder.is_dir() and not (folder / "README.md").exists()]


def check_json():
    problems = []
    for path in [*(ROOT / "schemas").rglob("*.json"), *(ROOT / "plugins").rglob("*.json")]:
        try:
            json.loads(path.read_text())
        except ValueError as wrong:
            problems.append(f"{relative(path)}: {wrong}")
    return problems


def tidy_key(entry, configuration):
    """A hash of all that clang-tidy would read of our own: the file, its headers, the checks."""
    digest = hashlib.sha256(configuration)
    waiting, seen = [pathlib.Path(entry["file"])], set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        text = path.read_text(errors="replace")
        for include in INCLUDE.findall(text):
            waiting += [ROOT / "daemon" / include, ROOT / "tests" / include, path.parent / include]
    for path in sorted(seen):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def check_tidy():
    database = ROOT / "build/compile_commands.json"
    cache = ROOT / "build/tidy-cache"
    cache.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True).stdout
    configuration = (ROOT / ".clang-tidy").read_bytes() + version
    jobs = []
    for entry in json.loads(database.read_text()):
        path = pathlib.Path(entry["file"])
        if not path.exists() or ROOT / "tests" in path.parents:
            continue  # tests are built with all warnings; tidy's time goes to what ships
        key = tidy_key(entry, configuration)
        if not (cache / key).exists():
            jobs.append((path, key))
    if jobs:
        print(f"clang-tidy: {len(jobs)} files", flush=True)

    def look(job):
        path, key = job
        done = subprocess.run(["clang-tidy", "-quiet", "-p", str(database.parent), str(path)],
                              capture_output=True, text=True)
        if done.returncode == 0:
            (cache / key).touch()
            return []
        found = re.findall(r"^(\S+:\d+:\d+: (?:error|warning): .*)$", done.stdout, re.M)
        return [one.replace(f"{ROOT}/", "") for one in found] or [f"{relative(path)}: {done.stderr[-500:]}"]

    problems = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for count, found in enumerate(pool.map(look, jobs), 1):
            problems += found
            if count % 20 == 0:
                print(f"clang-tidy: {count} of {len(jobs)}", flush=True)
    return sorted(set(problems))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--no-tidy", action="store_true")
    parser.add_argument("--fix", action="store_true")
    options = parser.parse_args()
    if subprocess.run([ROOT / "scripts/build"]).returncode != 0:
        return 1
    checks = [("format", lambda: check_format(options.fix)), ("arrows", check_arrows),
              ("tests are built", check_tests_are_built), ("readmes", check_readmes),
              ("json", check_json)]
    if not options.no_tidy:
        checks.append(("clang-tidy", check_tidy))
    failed = 0
    for name, check in checks:
        problems = check()
        print(f"{name}: {'ok' if not problems else f'{len(problems)} problems'}", flush=True)
        for one in problems:
            print(f"  {one}")
        failed += bool(problems)
    print(f"checks: {len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
