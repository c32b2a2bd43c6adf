#!/usr/bin/python3
"""Stands for ssh (core.sshCommand): carries one git connection to a test's server on loopback.

    relay.py PORT [ssh options] HOST COMMAND
"""

import json
import os
import socket
import sys
import threading

link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
link.sendall(json.dumps({"command": sys.argv[-1], "protocol": os.environ.get("GIT_PROTOCOL", "")})
             .encode() + b"\n")


def up():
    while data := os.read(0, 65536):
        link.sendall(data)
    link.shutdown(socket.SHUT_WR)


threading.Thread(target=up, daemon=True).start()
try:
    while data := link.recv(65536):
        while data:
            data = data[os.write(1, data):]
except (BrokenPipeError, ConnectionError):
    pass
os._exit(0)
