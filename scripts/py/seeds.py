"""Shows that every duty the program is made for works: row, kind, rule, report, test.

    scripts/seeds [--permute] [--brief]
    scripts/seeds --mutate [--only RULE]

The rows stand in plugins/rows.json, what backs them in plugins/*/seeds.json: for each row a case
that trips its rule, one that does not, and one that finds the row's own value in a report. The
plugins' cases are run once; a row whose case is missing, did not run or failed, fails. `of` is what
tells the row's records from others of their kind: each of its cases must hold such a record. A
message of a rule that no case makes it say fails too.

--permute runs each case in every order in which its records may arrive (ten minutes)
--mutate  turns off each rule in turn in a copy of the plugins: exactly its rows must fail (of a rule
          without a row, a case that it trips)
--only    with --mutate: rules whose id holds this text
--brief   without the table

Example: scripts/seeds --mutate --only MED-R02

The last line is `N rows passed, N failed`.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import seeds_check  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = ("test", "trips", "clean", "report_test")


def program():
    folder = os.environ.get("DUTYBOOK_BIN", ROOT / "build/bin")
    return str(pathlib.Path(folder) / "dutybook")


def run_cases(folder, tool=None, *words):
    """({name of a case: whether it passed}, codes that none exercised) of one plugin."""
    done = subprocess.run([tool or program(), "plugin", "test", str(folder), "--json", *words],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    results, never = {}, []
    for line in done.stdout.splitlines():
        if line.startswith('{'):
            case = json.loads(line)
            if "name" in case:
                results[case["name"]] = results.get(case["name"], True) and case["passed"]
            elif "never_exercised" in case:
                never.append(case["never_exercised"])
    if not results:
        sys.exit(f"seeds: {folder.name}: no case ran: {done.stdout[-300:]} {done.stderr[-300:]}")
    return results, never


def read_json(path):
    try:
        return json.loads(path.read_text())
    except ValueError as wrong:
        sys.exit(f"seeds: {path.relative_to(path.parents[2])} is no JSON: {wrong}")


class Plugin:
    """A plugin's manifest, cases and seeds as they stand in its folder."""

    def __init__(self, folder):
        self.folder, self.id = folder, folder.name
        self.manifest = read_json(folder / "plugin.json")
        self.rules = {one["id"]: one for one in self.manifest.get("rules", [])}
        self.reports = {f"{self.id}.{one['name']}" for one in self.manifest.get("reports", [])}
        self.kinds = {one["kind"] for one in self.manifest.get("kinds", [])}
        self.cases, self.twice = {}, []
        for path in sorted((folder / "tests").glob("*.json")):
            read = read_json(path)
            for case in read if isinstance(read, list) else [read]:
                if case["name"] in self.cases:
                    self.twice.append(case["name"])
                self.cases[case["name"]] = case
        seeds = folder / "seeds.json"
        self.seeds = read_json(seeds) if seeds.exists() else []


def read_plugins(folder):
    return [Plugin(one.parent) for one in sorted(folder.glob("*/plugin.json"))]


def row_problems(titles, plugins, results):
    """{row: sentences on what is wrong with it}; a row without any works."""
    kinds = {path.stem for path in (ROOT / "schemas/kinds").glob("*.json")}
    kinds = kinds.union(*(one.kinds for one in plugins))
    rules = {rule: one for one in plugins for rule in one.rules}
    reports = set().union(*(one.reports for one in plugins))
    problems = {row: ["nothing backs it"] for row in titles}
    for plugin in plugins:
        for seed in plugin.seeds:
            row = seed["row"]
            wrong = problems.setdefault(row, ["is not in rows.json"])
            if wrong == ["nothing backs it"]:
                wrong.clear()
            wrong += [f"no kind is called '{seed['kind']}'"] * (seed["kind"] not in kinds)
            wrong += [f"no rule is called '{seed['rule']}'"] * (seed["rule"] not in rules)
            wrong += [f"no report is called '{seed['report']}'"] * (seed["report"] not in reports)
            for member in CASES:
                name = seed.get(member)
                if not name:
                    wrong.append(f"names no {member}")
                elif name not in results[plugin.id]:
                    wrong.append(f"{member} '{name}' is no case of {plugin.id}, or did not run")
                elif not results[plugin.id][name]:
                    wrong.append(f"{member} '{name}' failed")
            wrong += seeds_check.seed_problems(seed, plugin.cases)
    return problems


def print_table(titles, plugins):
    seeds = sorted((seed for one in plugins for seed in one.seeds), key=lambda seed: seed["row"])
    for seed in seeds:
        title = titles.get(seed["row"], "?")
        print(f"{seed['row']:>3}  {title[:58]:58}  {seed['kind']}  ->  {seed['rule']}  ->  "
              f"{seed['report']}  ->  {seed['test']}")
    print()


def show(options):
    titles = {one["row"]: one["title"] for one in json.loads((ROOT / "plugins/rows.json").read_text())}
    plugins = read_plugins(ROOT / "plugins")
    tested = [one for one in plugins if one.cases]
    words = ["--coverage", *(["--permute"] if options.permute else [])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ran = list(pool.map(lambda one: run_cases(one.folder, None, *words), tested))
    results = {one.id: cases for one, (cases, _) in zip(tested, ran)}
    if not options.brief:
        print_table(titles, plugins)
    problems = row_problems(titles, plugins, results)
    failed = {row: wrong for row, wrong in sorted(problems.items()) if wrong}
    for row, wrong in failed.items():
        print(f"row {row}, {titles.get(row, '?')}: {'; '.join(wrong)}")
    beside = [f"{plugin}: '{name}' failed" for plugin, cases in results.items()
              for name, passed in cases.items() if not passed]
    beside += [f"{code}: no case of {one.id} makes the rule say it"
               for one, (_, never) in zip(tested, ran) for code in never]
    beside += seeds_check.rule_problems(plugins) + seeds_check.case_problems(plugins) + \
        seeds_check.text_problems(ROOT, plugins)
    for sentence in beside:
        print(sentence)
    print(f"{sum(len(one) for one in results.values())} cases of {len(results)} plugins, "
          f"{sum(len(one.rules) for one in plugins)} rules, "
          f"{sum(len(one.reports) for one in plugins)} reports")
    print(f"{len(titles.keys() - failed)} of {len(titles)} rows are backed by cases that ran")
    print(f"{len(problems) - len(failed)} rows passed, {len(failed)} failed"
          + (f"; {len(beside)} other problems" if beside else ""))
    return 1 if failed or beside or len(titles) != 115 else 0


def watched(plugins):
    """[(plugin, rule, what, names of cases)]: the cases of each row, and of a rule that has no row one
    that it trips."""
    rowed = {seed["rule"] for one in plugins for seed in one.seeds}
    watch = []
    for plugin in plugins:
        watch += [(plugin.id, seed["rule"], f"row {seed['row']}", {seed[member] for member in CASES})
                  for seed in plugin.seeds]
        for rule in plugin.rules.keys() - rowed:
            name = next(name for name, case in plugin.cases.items()
                        if seeds_check.expects(case, rule))
            watch.append((plugin.id, rule, f"'{name}'", {name}))
    return watch


class Tree:
    """A copy of the programs, schemas and plugins: a plugin finds those that it requires beside the
    program that runs it. Of their cases it has those that are watched: no other can fail a row."""

    def __init__(self, root, watch):
        self.plugins, self.watch = root / "plugins", watch
        self.program = root / "build/bin/dutybook"
        self.program.parent.mkdir(parents=True)
        for path in pathlib.Path(program()).parent.glob("dutybook*"):
            if path.name in ("dutybook", "dutybook-tools", "dutybook-worker", "dutybook-supervise"):
                shutil.copy2(path, self.program.parent)
        shutil.copytree(ROOT / "schemas", root / "schemas")
        shutil.copytree(ROOT / "plugins", self.plugins)
        for plugin in read_plugins(self.plugins):
            named = set().union(*(names for owner, _, _, names in watch if owner == plugin.id))
            shutil.rmtree(plugin.folder / "tests", ignore_errors=True)
            (plugin.folder / "tests").mkdir()
            cases = [case for name, case in plugin.cases.items() if name in named]
            (plugin.folder / "tests/watched.json").write_text(json.dumps(cases))

    def failing(self, plugins):
        """(plugin, rule, what) of each that is watched and of which a case fails."""
        results = {one.id: run_cases(self.plugins / one.id, str(self.program))[0] for one in plugins}
        return {(plugin, rule, what) for plugin, rule, what, names in self.watch if plugin in results
                and not all(results[plugin].get(name, False) for name in names)}

    def mutate(self, plugins, owner, rule):
        """(what fails when a rule is off, what is wrong with that): rows that do not fail though they
        should, or fail though they should not. The plugin and those that require it are tested."""
        touched = [one for one in plugins
                   if one is owner or owner.id in one.manifest.get("requires", {})]
        own = {one.id for one in touched if one is owner or rule not in one.rules}
        wanted = {(plugin, of, what) for plugin, of, what, _ in self.watch
                  if of == rule and plugin in own}
        lua = self.plugins / owner.id / "rules.lua"
        written = lua.read_text()
        lua.write_text(f'{written}\nrules["{rule}"] = function() return nil end\n')
        try:
            failing = self.failing(touched)
        finally:
            lua.write_text(written)
        wrong = [f"{what} still works" for _, _, what in sorted(wanted - failing)] + \
            [f"{what} of {other} fails too" for _, other, what in sorted(failing - wanted)]
        return sorted(what for _, _, what in wanted), wrong


def show_mutations(options):
    plugins = [one for one in read_plugins(ROOT / "plugins") if one.seeds]
    watch = watched(plugins)
    jobs = [(one, rule) for one in plugins for rule in one.rules if (options.only or "") in rule]
    wrong, trees, count = 0, queue.SimpleQueue(), os.cpu_count() or 1

    def run(job):
        tree = trees.get()
        try:
            return job, *tree.mutate(plugins, *job)
        finally:
            trees.put(tree)

    with tempfile.TemporaryDirectory(prefix="dutybook-seeds-") as scratch, \
            concurrent.futures.ThreadPoolExecutor(count) as pool:
        for number in range(count):
            tree = Tree(pathlib.Path(scratch) / str(number), watch)
            trees.put(tree)
        failing = tree.failing(plugins)
        if failing:
            print(f"no rule off, and these fail: {sorted(failing)}")
            return 1
        print("no rule off: no row fails", flush=True)
        for number, ((owner, rule), fails, problems) in enumerate(pool.map(run, jobs), 1):
            wrong += bool(problems)
            print(f"[{number}/{len(jobs)}] {owner.id} {rule} off: "
                  + ("; ".join(problems) or "exactly these fail: " + ", ".join(fails)), flush=True)
    rows = sum(1 for _, rule in jobs if any(seed["rule"] == rule for one in plugins
                                            for seed in one.seeds))
    print(f"{len(jobs) - wrong} rules passed, {wrong} failed; {rows} of them have rows, of the others "
          "a case of their own fails")
    return 1 if wrong or not jobs else 0


def main():
    parser = argparse.ArgumentParser(prog="scripts/seeds", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--permute", action="store_true", help="every order of arrival")
    parser.add_argument("--mutate", action="store_true", help="turn off each rule in turn")
    parser.add_argument("--only", help="with --mutate: rules whose id holds this text")
    parser.add_argument("--brief", action="store_true", help="without the table")
    options = parser.parse_args()
    return show_mutations(options) if options.mutate else show(options)


if __name__ == "__main__":
    sys.exit(main())
