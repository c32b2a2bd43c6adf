import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from dutybook import World  # noqa: E402


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
