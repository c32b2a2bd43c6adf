"""Builds Dutybook and runs every test: the doctest programs, the simulation, the functional tests,
the rows of scripts/seeds.

    scripts/test [--preset NAME] [--only SUITE]... [--long]

--preset  which build to test (release; asan-ubsan and tsan build and run the doctest programs alone)
--only    one suite: a program's name (test_store), a functional file (test_sync), or seeds
--long    the long forms: 200 kills instead of 40, more seeds, each rule off in turn

The last line is `N passed, N failed`.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = re.compile(r"test cases:\s+\d+ \|\s+(\d+) passed \|\s+(\d+) failed")
SANITIZED = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


MEMORY = pathlib.Path("/dev/shm")
ROOM = 4 << 30  # bytes that must be free in it, and as much besides for the programs


@contextlib.contextmanager
def test_folder():
    """Where tests keep their sites: in memory where there is room, for waiting for a disk was two
    thirds of their time and none of them asks it for anything: what must outlive a power loss is
    looked at on a volume of its own (test_power). Its name is short, since paths of sockets are."""
    free = {words[0]: int(words[1]) << 10
            for words in map(str.split, pathlib.Path("/proc/meminfo").read_text().splitlines())}
    roomy = (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
             and shutil.disk_usage(MEMORY).free > ROOM and free["MemAvailable:"] > 2 * ROOM)
    with tempfile.TemporaryDirectory(prefix="db-", dir=MEMORY if roomy else None) as folder:
        yield pathlib.Path(folder)


class Times:
    """How long each program and each functional test took when it last ran; kept beside the
    programs, so that the next run can begin with what takes longest."""

    def __init__(self, path):
        self.path = path
        self.seconds = json.loads(path.read_text()) if path.exists() else {}

    def note(self, seconds):
        self.seconds |= {name: round(each, 2) for name, each in seconds.items()}
        self.path.write_text(json.dumps(self.seconds, indent=1, sort_keys=True) + "\n")


class Tally:
    """What passed and failed, suite by suite."""

    def __init__(self):
        self.passed = self.failed = 0
        self.broken = []

    def add(self, suite, passed, failed, seconds, note=""):
        self.passed += passed
        self.failed += failed
        if failed:
            self.broken.append(suite)
        print(f"{suite:28} {passed:5} passed {failed:4} failed {seconds:7.1f} s{note}", flush=True)


def binary_folder(preset):
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    for one in presets:
        if one["name"] == preset and "binaryDir" in one:
            return pathlib.Path(one["binaryDir"].replace("${sourceDir}", str(ROOT))) / "bin"
    sys.exit(f"test: no preset is called '{preset}'")


def run_program(path, environment, seconds):
    """One doctest program: what it printed, how many passed and failed, and how long it took."""
    start = time.monotonic()
    try:
        done = subprocess.run([path], env=environment, cwd=ROOT, timeout=seconds, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        output, status = output + f"\nno end after {seconds} s", 1
    cases = CASES.search(output)
    passed, failed = (int(cases[1]), int(cases[2])) if cases else (0, 0)
    if status != 0 and failed == 0:  # it crashed, or a sanitizer stopped it
        failed = 1
    return output, passed, failed, time.monotonic() - start


def run_programs(paths, environment, seconds, tally, times):
    """Two at a time, the longest first. What one prints is shown only if it failed."""
    paths = sorted(paths, key=lambda path: -times.seconds.get(path.name, 0))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = {pool.submit(run_program, path, environment, seconds): path for path in paths}
        for done in concurrent.futures.as_completed(running):
            output, passed, failed, took = done.result()
            if failed:
                print(output[-20000:])
            tally.add(running[done].name, passed, failed, took)
            times.note({running[done].name: took})


def run_pytest(tests, arguments, environment):
    """pytest, with its progress: its status, {test: seconds}, how many were skipped, who failed."""
    with test_folder() as folder:
        report = folder / "report.xml"
        status = subprocess.run(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "--tb=short", "-p", "no:cacheprovider",
             f"--junitxml={report}", f"--basetemp={folder / 't'}", *arguments, *map(str, tests)],
            env=environment, cwd=ROOT).returncode
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    skipped = sum(case.find("skipped") is not None for case in cases)
    seconds = {name_of(case): float(case.get("time")) for case in cases}
    failed = {name_of(case) for case in cases
              if case.find("failure") is not None or case.find("error") is not None}
    return status, seconds, skipped, sorted(failed)


def name_of(case):
    return case.get("classname").replace(".", "/") + ".py::" + case.get("name")


def run_functional(files, environment, tally, times):
    """Two at a time, long ones first (tests/functional/conftest.py). Some tests hold times that
    their neighbour can spoil: what fails is run once more, alone, and only that counts; the tally
    says how many needed it."""
    start = time.monotonic()
    environment = environment | {"DUTYBOOK_TEST_TIMES": str(times.path)}
    status, seconds, skipped, failed = run_pytest(files, ["-n", "2"], environment)
    times.note(seconds)
    needed_it = len(failed)
    if 0 < needed_it <= 12:
        print("once more, alone: " + " ".join(failed), flush=True)
        status, _, _, failed = run_pytest(failed, [], environment)
    broken = len(failed)
    if status not in (0, 5) and broken == 0:
        broken = 1
    note = f", {skipped} skipped" if skipped else ""
    if needed_it > broken:
        note += f", {needed_it - broken} passed only alone"
    tally.add("functional", max(len(seconds) - skipped - broken, 0), broken, time.monotonic() - start, note)


def run_seeds(environment, tally, words, suite="seeds"):
    """The rows of scripts/seeds: every duty that the program is made for, and the plugins' cases."""
    start = time.monotonic()
    done = subprocess.run(["/usr/bin/python3", ROOT / "scripts/py/seeds.py", *words],
                          env=environment, cwd=ROOT, text=True, capture_output=True)
    counts = re.search(r"(\d+) (?:rows|rules) passed, (\d+) failed", done.stdout)
    passed, failed = (int(counts[1]), int(counts[2])) if counts else (0, 0)
    if done.returncode != 0:
        print(done.stdout[-20000:], done.stderr[-2000:])
        failed = max(failed, 1)
    tally.add(suite, passed, failed, time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", default="release")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    sanitized = options.preset in ("asan-ubsan", "tsan")
    targets = options.only if sanitized else []
    if subprocess.run([ROOT / "scripts/build", options.preset, *targets]).returncode != 0:
        print("test: the build failed", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1

    folder = binary_folder(options.preset)
    environment = os.environ | {"DUTYBOOK_BIN": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if options.long:
        environment["DUTYBOOK_TEST_LONG"] = "1"
    for variable in ("DUTYBOOK_STORE", "DUTYBOOK_BY", "DUTYBOOK_PASSPHRASE"):
        environment.pop(variable, None)
    if sanitized:
        environment |= SANITIZED

    def wanted(suite):
        return not options.only or suite in options.only

    tally = Tally()
    times = Times(folder.parent / "test-times.json")
    programs = [*folder.glob("simulation"), *sorted(folder.glob("test_*"))]
    programs = [path for path in programs if wanted(path.name)]
    with test_folder() as folder:
        run_programs(programs, environment | {"TMPDIR": str(folder)},
                     1800 if sanitized or options.long else 300, tally, times)
    files = sorted((ROOT / "tests/functional").glob("test_*.py"))
    files = [one for one in files if wanted(one.stem)]
    if files and not sanitized:
        run_functional(files, environment, tally, times)
    if wanted("seeds") and not sanitized:
        run_seeds(environment, tally, ["--brief", *(["--permute"] if options.long else [])])
        if options.long:
            run_seeds(environment, tally, ["--mutate"], "seeds --mutate")
    if tally.broken:
        print("failed: " + ", ".join(tally.broken))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or tally.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
