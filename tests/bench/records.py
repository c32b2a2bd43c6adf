"""Duties of a usual size (operations of about 430 bytes), the same in every run."""

import json
import random

WORDS = ("sweep hall yard bus lunch reading group desk paper phone nurse door late check folder "
         "meeting parent print count clean").split()
FIRST = 1_700_000_000  # seconds


def instant(seconds):
    import datetime
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def duty(i, chance, prefix):
    words = " ".join(chance.choices(WORDS, k=8))
    return {"id": f"{prefix}-{i:07}", "kind": "core.duty", "fields": {
        "title": f"{words} {i}", "category": "supervision",
        "priority": chance.choice(("low", "normal", "high", "urgent")),
        "state": "open" if chance.random() < 0.1 else "done",
        "assignee": f"p{chance.randrange(1000)}",
        "place": f"rare{chance.randrange(5000)} {chance.choice(WORDS)}",
        "due": instant(FIRST + i * 30)}}


def write_ndjson(path, count, prefix, first=0):
    chance = random.Random(f"{prefix}{first}")
    with open(path, "w", encoding="utf-8") as file:
        for i in range(first, first + count):
            file.write(json.dumps(duty(i, chance, prefix)) + "\n")
    return path


def write_posts(path, count, prefix):
    """One POST of a duty a line, for bench_load."""
    chance = random.Random(prefix)
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            file.write(f"POST /v1/spaces/-/records\t{json.dumps(duty(i, chance, prefix))}\n")
    return path
