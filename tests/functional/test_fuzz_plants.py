"""The bugs that `scripts/fuzz --planted` plants still fit the parsers, and the fuzz programs' list of
sources the tree: an ordinary build has neither."""

import re
import subprocess

from dutybook import ROOT


def test_each_planted_bug_fits_its_source():
    done = subprocess.run(["/usr/bin/python3", ROOT / "tests/fuzz/plant.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    targets = [path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.cpp")]
    assert done.stdout == f"{len(targets)} planted bugs fit\n"


def test_each_source_of_the_fuzz_programs_is_there():
    text = (ROOT / "tests/fuzz/CMakeLists.txt").read_text().partition("set(parsers")[2]
    sources = re.findall(r"\w+/\w+\.cpp", text.partition(")")[0])
    assert len(sources) > 50
    assert [one for one in sources if not (ROOT / "daemon" / one).exists()] == []
