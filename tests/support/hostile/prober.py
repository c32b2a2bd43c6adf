"""What other people ask of the daemon while plugins attack it: a process of its own that goes round
reads and writes over one connection, until its input ends, and then prints the times in ms as
{"GET /v1/status": [...], ...}.

    prober.py SOCKET SPACE
"""

import itertools
import json
import pathlib
import select
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from dutybook import UnixHTTP, ask, duty  # noqa: E402

PAUSE = 0.003  # seconds between two requests: others need the processor, too


def main():
    socket, space = sys.argv[1:]
    connection = UnixHTTP(socket)
    records = f"/v1/spaces/{space}/records"
    headers = {"X-Dutybook-By": "prober"}
    requests = itertools.cycle([
        ("GET", "/v1/status", None, 200),
        ("GET", f"{records}?kind=core.duty&limit=20", None, 200),
        ("POST", records, duty("asked meanwhile"), 201),
        ("GET", "/v1/plugins", None, 200),
    ])
    times = {}
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        method, target, body, wanted = next(requests)
        began = time.monotonic()
        status, answer = ask(connection, method, target, body, headers)
        took = 1000 * (time.monotonic() - began)
        assert status == wanted, (method, target, status, answer)
        times.setdefault(f"{method} {target.partition('?')[0]}", []).append(round(took, 3))
    print(json.dumps(times))


main()
