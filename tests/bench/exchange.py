"""Many sites through one bare remote: a night, and a year of nights."""

import concurrent.futures
import datetime

import measure
import records


def objects_of(site, writers="*"):
    """Objects that a site's log holds in the volumes of some writers."""
    refs = site.git("for-each-ref", "--format=%(refname)", f"refs/heads/log/{writers}/*").split()
    return len(site.git("rev-list", "--objects", *refs).splitlines()) if refs else 0


def together(sites, act):
    with concurrent.futures.ThreadPoolExecutor(len(sites)) as pool:
        return list(pool.map(act, sites))


def connected(world, count, names="Site"):
    """Running sites of one space that have all met the hub and each other."""
    first = measure.plain(world.site(f"{names}00").start())
    first.client("remote", "add", "hub", world.bare("hub"))
    sites = [first] + [measure.plain(world.invited(first, f"{names}{i:02}").start())
                       for i in range(1, count)]
    for _ in range(2):
        for site in sites:
            site.sync(timeout=600)
    return sites


class Round:
    """All sites sync at once; what it took."""

    def __init__(self, sites):
        self.failed = 0
        self.seconds, outcomes = measure.timed(lambda: together(sites, self.one))
        self.outcomes = [one for several in outcomes for one in several]

    def one(self, site):
        outcomes = site.sync(expect=(0, 1), timeout=900)
        self.failed += sum(not one["ok"] for one in outcomes)
        return outcomes

    def sum(self, name):
        return sum(one[name] for one in self.outcomes)


def night(table, world, sizes):
    count, each = sizes.sites, sizes.site_operations
    table.title(f"One night: {count} sites, {each} operations each, one bare remote, all at once")
    sites = connected(world, count)
    ids = {site.name: site.one("status")["site"]["id"] for site in sites}
    before = [objects_of(site) - objects_of(site, f"{ids[site.name]}*") for site in sites]
    for i, site in enumerate(sites):
        site.client("add", "--file",
                    records.write_ndjson(world.directory / "day", each, f"s{i}", i * each))
    rounds = [Round(sites), Round(sites)]
    while len({site.digest() for site in sites}) > 1 and len(rounds) < 5:
        rounds.append(Round(sites))
    moved = sum(one.sum("operations_in") + one.sum("operations_out") for one in rounds)
    wire = sum(one.sum("bytes_in") + one.sum("bytes_out") for one in rounds)
    received = sum(one.sum("objects_in") for one in rounds)
    needed = sum(objects_of(site) - objects_of(site, f"{ids[site.name]}*") for site in sites)
    needed -= sum(before)
    for i, one in enumerate(rounds, 1):
        table.line(f"round {i}, all sites at once", one.seconds, "s")
    table.line("syncs that failed and must be tried again",
               sum(one.failed for one in rounds), "", aim=("value", "<=", 0))
    table.line("rounds until all digests are equal", len(rounds), "", aim=("value", "<=", 2))
    table.line("bytes on the wire per operation", wire / moved, "B", aim=("value", "<=", 110))
    out = sum(one.sum("bytes_out") for one in rounds)
    table.note(f"sent {out / sum(one.sum('operations_out') for one in rounds):.0f} B an operation; "
               f"{moved:,} operations moved in all")
    table.line("objects received against objects needed", received, "", floor=needed,
               aim=("ratio", "<=", 1.2))


def year(table, world, sizes):
    nights, each = sizes.nights, sizes.night_operations
    table.title(f"A year of nights: 2 sites, {nights} nights, {each} operations each a night; "
                "floor: all operations in one zstd frame")
    if measure.FAKETIME is None:
        raise measure.Skipped("libfaketime is not installed; the daemon's maintenance is nightly")
    moment = world.directory / "moment"
    moment.write_text("+0d")
    # The file is read at each call of the clock, so a night passes without a restart.
    clock = {"LD_PRELOAD": str(measure.FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(moment),
             "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    world.environment |= clock
    north = measure.plain(world.site("North").start())
    north.client("remote", "add", "hub", world.bare("hub"))
    south = measure.plain(world.invited(north, "South").start())
    file = world.directory / "day"
    for night_number in range(nights):
        moment.write_text(f"+{night_number + 1}d")
        for site in (north, south):
            site.client("add", "--file",
                        records.write_ndjson(file, each, site.name, night_number * each))
        for site in (north, south, north):
            site.sync(timeout=300)
    operations = north.status()["operations"]
    if operations != 2 * nights * each:
        raise RuntimeError(f"{operations} operations, not {2 * nights * each}")
    log = measure.disk(north.store / "spaces/school/log.git")
    folder = north.store / "spaces/school"
    parts = {one.name: measure.disk(one) if one.is_dir() else one.stat().st_size
             for one in folder.iterdir()}
    for site in (north, south):
        site.stop()
    lines = world.directory / "lines"
    with open(lines, "wb") as both:
        for site in (north, south):
            measure.program("bench_floor", "lines", site.store / "spaces/school/journal.db",
                            world.directory / "part")
            both.write((world.directory / "part").read_bytes())
    frame = measure.program("bench_floor", "pack", lines, world.directory / "packed", 0)
    table.line("bytes of the log per operation", log / operations, "B",
               floor=frame["packed"] / operations, aim=("ratio", "<=", 1.3))
    table.note(", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in sorted(parts.items())))
    packs = len(list((folder / "log.git/objects/pack").glob("*.pack")))
    table.note(f"{operations:,} operations, {packs} packs, "
               f"{datetime.timedelta(days=nights).days} days, hub "
               f"{measure.disk(world.directory / 'hub.git') / operations:.0f} B an operation")
