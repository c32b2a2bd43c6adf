"""The link cut three times each in push, fetch and taking over of a 20,000-operation exchange.

Each next try goes on where the last one stopped: the bytes of all tries together stay under 1.5
times those of one undisturbed exchange plus one slice (a volume, about 1 MiB) for each kill.
"""

import contextlib
import http.client
import json
import random

from dutybook import ROOT, duty

OPERATIONS = 20_000
SLICE = 1_200_000  # a closed volume and what git says about it


class Link:
    """The ssh of one site's home, which counts and cuts."""

    def __init__(self, world, name):
        self.folder = world.directory / f"link-{name}"
        self.folder.mkdir()
        home = world.directory / f"home-{name}"
        home.mkdir()
        (home / ".gitconfig").write_text(
            f"[core]\n\tsshCommand = {ROOT}/tests/support/link.py {self.folder}\n"
            "[ssh]\n\tvariant = ssh\n")
        self.home = home

    def cut_after(self, way, size, command):
        (self.folder / "cut.json").unlink(missing_ok=True)
        (self.folder / "budget.json").write_text(json.dumps({way: size, "for": command}))

    def was_cut(self):
        return (self.folder / "cut.json").exists()

    def moved(self):
        log = self.folder / "moved.log"
        return sum(int(up) + int(down) for _, up, down in
                   (line.split() for line in log.read_text().splitlines()))


def linked(world, site, hub):
    """The site reaches the hub through a link of its own from now on."""
    link = Link(world, site.name)
    site.stop()
    site.environment["HOME"] = str(link.home)
    site.start()
    site.client("remote", "set", "hub", "--url", f"ssh://hub.example.org{hub}")
    return link


def noise(dice):
    return "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=120))


def kill_while(site, step):
    """Kills the daemon when its sync reports `step`; false if it never did."""
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(
            site.connect()) as connection:
        connection.request("POST", "/v1/spaces/-/sync", b"{}",
                           {"Accept": "application/x-ndjson", "Content-Type": "application/json"})
        answer = connection.getresponse()
        while line := answer.readline():
            if json.loads(line).get("progress", {}).get("step") == step:
                site.kill()
                return True
    return False


def test_each_try_goes_on_where_the_last_one_stopped(world, pair):
    north, south, hub = pair
    plain = world.invited(north, "Plain").start()
    dice = random.Random(7)
    north.add_file(duty(f"{i}", place=noise(dice)) for i in range(OPERATIONS))

    # One undisturbed exchange, through links that only count.
    free = world.bare("free")
    north_link, plain_link = linked(world, north, free), linked(world, plain, free)
    north.sync()
    plain.sync()
    undisturbed = {"push": north_link.moved(), "fetch": plain_link.moved()}
    assert plain.digest() == north.digest()

    # The same to another hub, with the push cut three times.
    north.client("remote", "set", "hub", "--url", f"ssh://hub.example.org{hub}")
    before = north_link.moved()
    for share in (0.2, 0.5, 0.5):
        north_link.cut_after("up", int(undisturbed["push"] * share * 0.8), "git-receive-pack")
        ran = north.client("sync", expect=1)
        assert north_link.was_cut() and not ran.one["ok"]
    north.sync()
    pushed = north_link.moved() - before
    assert pushed < 1.5 * undisturbed["push"] + 3 * SLICE, (pushed, undisturbed)

    # Fetched by South, cut three times, then killed three times while it takes over.
    south_link = linked(world, south, hub)
    for share in (0.1, 0.3, 0.3):
        south_link.cut_after("down", int(undisturbed["fetch"] * share * 0.8), "git-upload-pack")
        south.client("sync", expect=1)
        assert south_link.was_cut()
    kills = 0
    for step in ("check", "fold", "check", "fold", "check", "fold"):
        if kills == 3:
            break
        if kill_while(south, step):
            kills += 1
            south.start()
    assert kills == 3, "taking over was never reached"
    south.sync()
    fetched = south_link.moved()
    assert fetched < 1.5 * undisturbed["fetch"] + 6 * SLICE, (fetched, undisturbed)
    assert south.digest() == north.digest()
    assert south.status()["records"] == OPERATIONS
    print(f"undisturbed {undisturbed}, disturbed push {pushed}, fetch {fetched}")
