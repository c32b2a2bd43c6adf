"""A remote that accepts the connection and never answers."""

import contextlib
import socket
import statistics
import threading
import time

import pytest
from dutybook import ask, duty, wait_for


@pytest.fixture
def silent():
    """The port of a server that listens and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    held = []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                held.append(listener.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1], held
    listener.close()
    for one in held:
        one.close()


def write_times(site, count):
    times = []
    with contextlib.closing(site.connect()) as connection:
        for i in range(count):
            began = time.monotonic()
            assert ask(connection, "POST", "/v1/spaces/-/records", duty(f"{i}"))[0] == 201
            times.append(time.monotonic() - began)
    return times


@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/hub.git", "ssh://127.0.0.1:{}/hub.git"])
def test_sync_gives_up_in_time_and_says_why(pair, silent, url):
    north, south, _ = pair
    port, held = silent
    north.add_file([duty("delivered")])
    north.sync()
    success = north.status()["remotes"][0]["last_success"]
    usual = statistics.median(write_times(north, 100))
    north.client("remote", "set", "hub", "--url", url.format(port), "--timeout", 4)

    ended = {}

    def run():
        began = time.monotonic()
        ended["ran"] = north.client("sync", expect=1)
        ended["seconds"] = time.monotonic() - began

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: held, what="the connection to the silent remote")
    during = statistics.median(write_times(north, 100))
    reading = time.monotonic()
    north.many("list", "core.duty")
    reading = time.monotonic() - reading
    assert thread.is_alive(), "sync ended before the writes were measured"
    thread.join(30)
    assert ended["seconds"] < 15, ended
    outcome = ended["ran"].one
    assert not outcome["ok"]
    text = str(outcome["error"])
    assert "hub" in text and ("answer" in text or "timed out" in text or "deadline" in text), text
    assert during < 5 * usual + 0.01 and reading < 2

    remote = north.status()["remotes"][0]
    assert remote["last_success"] == success and remote["last_attempt"] >= success
    assert remote["undelivered"] == 200 and remote["error"]
    assert north.client("status", expect=0)


def test_the_default_deadline_is_a_minute(pair):
    north, _, _ = pair
    assert north.many("remote", "list")[0]["timeout"] == 60


def test_stop_does_not_wait_for_a_silent_remote(pair, silent):
    north, _, _ = pair
    port, held = silent
    north.client("remote", "set", "hub", "--url", f"https://127.0.0.1:{port}/hub.git")
    thread = threading.Thread(target=lambda: north.client("sync", expect=None))
    thread.start()
    wait_for(lambda: held, what="the connection to the silent remote")
    began = time.monotonic()
    assert north.stop() == 0
    assert time.monotonic() - began < 5
    thread.join(10)
    assert not thread.is_alive()
