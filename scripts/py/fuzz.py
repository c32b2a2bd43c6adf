#!/usr/bin/env python3
"""Fuzzes every parser that meets foreign bytes, with libFuzzer, AddressSanitizer and UBSan.

    scripts/fuzz 10                  ten minutes, shared by all targets
    scripts/fuzz 2 --target http     one of them
    scripts/fuzz 10 --planted        with one bug planted in each parser: each must be found

Prints the executions of each target and exits 1 at a crash (or, with --planted, at a bug that was
not found). What the fuzzer learns is kept in build-fuzz/corpus; a crash is kept in
build-fuzz/crashes: repair the parser and put the input into tests/fuzz/corpus/<target>.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-fuzz"
SOURCES = ROOT / "tests" / "fuzz"
LARGEST_INPUT = 64 * 1024  # bytes; limits in the parsers beyond it have tests of their own


def targets() -> list[str]:
    return sorted(path.stem.removeprefix("fuzz_") for path in SOURCES.glob("fuzz_*.cpp"))


def build(programs: list[str]) -> None:
    subprocess.run(["cmake", "--preset", "fuzz"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(BUILD), *programs], check=True, stdout=sys.stderr)


def number(text: str, name: str) -> int:
    found = re.search(rf"{name}:\s*(\d+)", text)
    return int(found.group(1)) if found else 0


def run(target: str, seconds: int, planted: bool) -> dict:
    learnt = BUILD / ("planted" if planted else "corpus") / target
    crashes = BUILD / ("planted" if planted else "crashes") / f"{target}-crash-"
    for folder in (learnt, crashes.parent):
        folder.mkdir(parents=True, exist_ok=True)
    if planted:  # what an earlier run learnt would make it too easy
        for old in [*learnt.iterdir(), *crashes.parent.glob(f"{target}-crash-*")]:
            old.unlink()
    program = BUILD / "bin" / (f"fuzz_{target}" + ("_planted" if planted else ""))
    command = [str(program), str(learnt), str(SOURCES / "corpus" / target),
               f"-max_total_time={seconds}", f"-max_len={LARGEST_INPUT}", "-timeout=10",
               "-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-print_final_stats=1",
               "-use_value_profile=1", "-verbosity=1", f"-artifact_prefix={crashes}"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, errors="replace",
                          env={**os.environ, "ASAN_OPTIONS": "allocator_may_return_null=0",
                               "UBSAN_OPTIONS": "print_stacktrace=1"})
    executions = number(done.stderr, "stat::number_of_executed_units")
    if not executions:  # it died: the last line that counts
        counts = re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
        executions = int(counts[-1]) if counts else 0
    cause = re.search(r"^(SUMMARY: .*|broken: .*|.*terminate called.*|.*runtime error.*)$",
                      done.stderr, re.MULTILINE)
    return {"target": target, "executions": executions, "crashed": done.returncode != 0,
            "seconds": time.monotonic() - began, "cause": cause.group(1) if cause else "",
            "tail": done.stderr[-3000:]}


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("minutes", type=float, help="of all targets together, on one core")
    asked.add_argument("--planted", action="store_true", help="a bug in each parser, to be found")
    asked.add_argument("--target", choices=targets(), help="this one alone")
    options = asked.parse_args()
    chosen = [options.target] if options.target else targets()
    suffix = "_planted" if options.planted else ""
    build([f"fuzz_{target}{suffix}" for target in chosen])
    cores = os.cpu_count() or 1
    seconds = max(5, int(options.minutes * 60 / len(chosen)))
    with ThreadPoolExecutor(cores) as pool:
        results = list(pool.map(lambda target: run(target, seconds, options.planted), chosen))
    bugs = {bug["target"]: bug["what"]
            for bug in json.loads((SOURCES / "planted.json").read_text())}
    bad = 0
    for result in results:
        line = (f"{result['target']:<10} {result['executions']:>10} executions in "
                f"{result['seconds']:5.1f} s: ")
        if options.planted:
            line += ("found" if result["crashed"] else "NOT FOUND") + f" ({bugs[result['target']]})"
        else:
            line += "CRASHED" if result["crashed"] else "no crash"
        print(line + (f"  {result['cause'].strip()}" if result["crashed"] else ""))
        failed = result["crashed"] != options.planted
        bad += failed
        if failed and not options.planted:
            print(result["tail"], file=sys.stderr)
    print(f"{len(results)} targets, {sum(r['executions'] for r in results)} executions, {bad} "
          + ("bugs not found" if options.planted else "crashes"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
