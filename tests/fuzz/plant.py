#!/usr/bin/env python3
"""plant.py TARGET OUT: writes the source that planted.json names for the target, with its bug in.

Each bug is one that a careless change could bring: a check of the parser's own that is gone. It
stays out of the product: only a fuzz program links the damaged copy. `plant.py --check` only says
whether every bug still fits its source.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def planted(bug: dict) -> str:
    text = (ROOT / bug["file"]).read_text()
    for before, after in bug["changes"]:
        if text.count(before) != 1:
            sys.exit(f"plant.py: {bug['target']}: {bug['file']} holds {text.count(before)} times:"
                     f"\n{before}\nMake planted.json fit the source again.")
        text = text.replace(before, after)
    return text


def main() -> None:
    bugs = {bug["target"]: bug for bug in json.loads((HERE / "planted.json").read_text())}
    targets = {path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.cpp")}
    if set(bugs) != targets:
        sys.exit(f"plant.py: targets without a bug, or bugs without a target: {targets ^ set(bugs)}")
    if sys.argv[1:] == ["--check"]:
        for bug in bugs.values():
            planted(bug)
        print(f"{len(bugs)} planted bugs fit")
        return
    target, out = sys.argv[1:]
    pathlib.Path(out).write_text(planted(bugs[target]))


main()
