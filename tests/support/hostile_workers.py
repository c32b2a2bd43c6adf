"""Ends the plugin workers of a daemon as they come, for as long as a test wants them down."""

import os
import pathlib
import signal


def children(pid):
    found = []
    folder = pathlib.Path(f"/proc/{pid}/task")
    for task in folder.iterdir() if folder.exists() else ():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass  # the thread ended meanwhile
    return found


def kill_workers(pid, stop):
    """Until `stop` is set. Only children of the daemon that run dutybook-worker; what a process that
    was shut in runs (exe) only root may ask."""
    while not stop.wait(0.01):
        for child in children(pid):
            try:
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "dutybook-worker\n":
                    os.kill(child, signal.SIGKILL)
            except (OSError, ProcessLookupError):
                pass  # it was gone already
