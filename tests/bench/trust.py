"""What encryption and membership cost: seal, join and nightly exchange, against the same in a space
that is not encrypted and takes every site that proves its own name. Both sign every commit."""

import json
import statistics

import measure
import records

AIM = ("ratio", "<=", 1.25)
NIGHT = 2_000
TURNS = 3  # one after the other, the middle one counts: a neighbour on the machine hits one


def change(site, **members):
    path = site.store / "spaces/school/space.json"
    path.with_name("space.json.kept").unlink(missing_ok=True)  # it would be healed
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
    return json.loads(path.read_text())["id"]


def open_space(world, name, space_id=None):
    """A site of a space without keys and control log."""
    site = world.site(name)
    change(site, sealed=False, **({"id": space_id} if space_id else {}))
    return site


def timed_pair(world, sizes, sealed, turn):
    """Seconds of a seal with its push, of a join of all of it, of a night's exchange."""
    names = [f"{name}{turn}" for name in (("Alpha", "Beta") if sealed else ("Gamma", "Delta"))]
    first = world.site(names[0]) if sealed else open_space(world, names[0])
    space_id = change(first)
    first = measure.plain(first.start(*([] if sealed else ["--plain-spaces"])))
    hub = world.bare(f"hub-{names[0]}")
    first.client("remote", "add", "hub", hub)
    file = world.directory / "batch"
    first.client("add", "--file", records.write_ndjson(file, sizes.batch, "b"), timeout=900)
    out = {}
    out["seal"], _ = measure.timed(lambda: first.sync(timeout=900))
    if sealed:
        second = measure.plain(world.invited(first, names[1]).start())
    else:
        second = measure.plain(open_space(world, names[1], space_id).start("--plain-spaces"))
        second.client("remote", "add", "hub", hub)
    out["join"], _ = measure.timed(lambda: second.sync(timeout=900))
    for i, site in enumerate((first, second)):
        site.client("add", "--file", records.write_ndjson(file, NIGHT, f"n{i}", i * NIGHT))
    out["night"], _ = measure.timed(
        lambda: [site.sync(timeout=900) for site in (first, second, first)])
    if first.digest() != second.digest():
        raise RuntimeError("the two sites do not show the same")
    out["processor"] = sum(measure.processor(site.process) for site in (first, second))
    for site in (first, second):
        site.stop()
    return out


def trust(table, world, sizes):
    table.title(f"Trust: {sizes.batch:,} operations sealed and joined, {NIGHT:,} from each of two "
                "sites in a night; floor: without encryption")
    runs = {False: [], True: []}
    for turn in range(TURNS):
        for sealed, of in runs.items():
            of.append(timed_pair(world, sizes, sealed, turn))
    plain, sealed = ({name: statistics.median(run[name] for run in of) for name in of[0]}
                     for of in runs.values())
    for name, what in (("seal", "seal and push"), ("join", "join"), ("night", "nightly exchange")):
        table.line(f"{what}, encrypted", sealed[name], "s", floor=plain[name], aim=AIM)
    table.note(f"both daemons' processor time, loading included: {sealed['processor']:.1f} s, "
               f"without {plain['processor']:.1f} s")
