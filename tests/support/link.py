#!/usr/bin/python3
"""Stands for ssh in tests (core.sshCommand): runs the remote's git here, counts what moves, and
cuts the link where it is told to.

    link.py CONTROL [ssh options] HOST COMMAND

CONTROL is a folder. `budget.json` {"up": bytes, "down": bytes} says after how many bytes of one
connection the link dies, once: the file is renamed to `cut.json` then. One line for each connection
is appended to `moved.log`: command, bytes up, bytes down.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading


def main():
    control = pathlib.Path(sys.argv[1])
    command = sys.argv[-1]
    budget = {}
    if (control / "budget.json").exists():
        budget = json.loads((control / "budget.json").read_text())
    if "for" in budget and budget["for"] not in command:
        budget = {}
    child = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, start_new_session=True)
    moved = {"up": 0, "down": 0}
    record = threading.Lock()

    def finish(status):
        with record:
            with open(control / "moved.log", "a") as log:
                log.write(f"{command.split()[0]} {moved['up']} {moved['down']}\n")
            os._exit(status)

    def cut():
        os.rename(control / "budget.json", control / "cut.json")
        os.killpg(child.pid, signal.SIGKILL)
        finish(255)

    def relay(way, source, target):
        while data := os.read(source, 16384):
            if way in budget and moved[way] + len(data) >= budget[way]:
                moved[way] += len(data)
                cut()
            moved[way] += len(data)
            try:
                while data:
                    data = data[os.write(target, data):]
            except BrokenPipeError:
                break
        os.close(target)

    up = threading.Thread(target=relay, args=("up", 0, child.stdin.fileno()), daemon=True)
    up.start()
    relay("down", child.stdout.fileno(), 1)
    finish(child.wait())


main()
