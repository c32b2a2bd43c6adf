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
