"""The bugs that `scripts/fuzz --planted` plants still fit the parsers."""

import subprocess

from dutybook import ROOT


def test_each_planted_bug_fits_its_source():
    done = subprocess.run(["/usr/bin/python3", ROOT / "tests/fuzz/plant.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    targets = [path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.cpp")]
    assert done.stdout == f"{len(targets)} planted bugs fit\n"
