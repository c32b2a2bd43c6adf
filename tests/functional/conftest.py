import json
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from dutybook import World  # noqa: E402

LONG = 4  # seconds


def pytest_collection_modifyitems(items):
    """What took long in the last run of scripts/test comes first, so that no worker is left alone
    with it at the end. The others stay in their files' order and share what these set up."""
    path = pathlib.Path(os.environ.get("DUTYBOOK_TEST_TIMES", ""))
    if not path.is_file():
        return
    seconds = json.loads(path.read_text())

    def weight(item):
        taken = seconds.get(item.nodeid, 0)
        return -taken if taken >= LONG else 0

    items.sort(key=weight)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScheduling

    class TwoAhead(LoadScheduling):
        """Gives each worker one test beside the one that it runs, where xdist would give it a
        quarter of all at once: a worker with long ones would be left behind."""

        def _send_tests(self, node, num):
            super()._send_tests(node, min(num, 2 - len(self.node2pending[node])))

    return TwoAhead(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    item.failed = getattr(item, "failed", False) or report.failed


@pytest.fixture(autouse=True)
def swept(request, tmp_path):
    """The folder of a test that passed goes with it: all of them together take gigabytes, and they
    may lie in memory. That of a test that failed is left to be looked at."""
    yield
    if not request.node.failed:
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made


@pytest.fixture
def pair(world):
    """North and South, apart, with a hub that both know: the everyday case."""
    north = world.site("North").start()
    hub = world.bare("hub")
    north.client("remote", "add", "hub", hub)
    south = world.invited(north, "South").start()
    return north, south, hub


@pytest.fixture
def counted(record_property):
    """counted("attacks 7, allowed 0"): a line that the run prints at its end."""
    return lambda line: record_property("counted", line)


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, line in getattr(report, "user_properties", []):
                if name == "counted" and getattr(report, "when", "") == "call":
                    terminalreporter.write_line(f"{report.nodeid.rpartition('/')[2]}: {line}")
