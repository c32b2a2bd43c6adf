"""A large store: reads, the whole client command, memory, start-up, and joining it."""

import random
import urllib.parse

import measure
import records
import writes

CHUNK = 100_000


def idle(table, world):
    table.title("Memory and start-up of an empty store, with what a new store has enabled")
    site = measure.ruled(world.site("Idle"))
    seconds, _ = measure.timed(site.start)
    site.status()
    rss, own, _ = measure.memory(site.process)
    table.line("resident memory, idle", rss / 1e6, "MB", aim=("value", "<", 40))
    table.note(f"of it {own / 1e6:.0f} MB not backed by files")
    site.stop()
    return seconds


def filled(table, world, sizes):
    site = measure.plain(world.site("Large").start())
    site.client("remote", "add", "hub", world.bare("hub"))
    table.title(f"Loading {sizes.records:,} records in batches of {CHUNK:,}")
    spent = 0
    for first in range(0, sizes.records, CHUNK):
        count = min(CHUNK, sizes.records - first)
        spent += measure.post_batch(
            site, records.write_ndjson(world.directory / "chunk", count, "r", first))
    table.line("records loaded", sizes.records / spent, "/s")
    table.note(f"{spent:.1f} s; the daemon's peak of memory {measure.memory(site.process)[2] / 1e6:.0f} MB")
    stored = site.status()["records"]
    if stored != sizes.records:
        raise RuntimeError(f"{stored} of {sizes.records} records are stored")
    measure.wait_for(lambda: searchable(site, sizes.records - 1), 600, "the full-text index")
    return site


def searchable(site, last):
    """Whether the newest record is found by its words already."""
    return any(one["id"] == f"r-{last:07}" for one in site.many("search", str(last)))


def start_up(table, site, empty):
    times = []
    for _ in range(3):
        site.stop(30)
        seconds, _ = measure.timed(site.start)
        times.append(seconds)
    table.line("start-up", sorted(times)[1], "s", floor=empty, aim=("value", "<", 1))
    table.note("its floor is the start-up of an empty store")


def queries(chance, last):
    """(name, bound of p99 in ms, a function that makes a target)"""
    space = "/v1/spaces/-/records"
    word = lambda: chance.choice(records.WORDS)  # noqa: E731
    search = lambda text: f"{space}?limit=50&q={urllib.parse.quote(text)}"  # noqa: E731
    return [
        ("point read", 1, lambda: f"{space}/r-{chance.randrange(last):07}"),
        ("list by assignee, 50", 2,
         lambda: f"{space}?kind=core.duty&limit=50&where=assignee:p{chance.randrange(1000)}"),
        ("list by two fields, 20", 2,
         lambda: f"{space}?kind=core.duty&limit=20&where=assignee:p{chance.randrange(1000)}"
                 "&where=priority:high"),
        ("search, frequent word, 50", 20, lambda: search(word())),
        ("search, two frequent words, 50", 20, lambda: search(f"{word()} {word()}")),
        ("search, rare and frequent word", 20,
         lambda: search(f"rare{chance.randrange(5000)} hall")),
    ]


def latencies(table, world, site, sizes):
    table.title("Reads over the socket, one client; floor: /v1/health, the round trip alone")
    chance = random.Random(5)
    file = world.directory / "reads"
    file.write_text("GET /v1/health\n" * 20_000)
    floor = measure.load(site, 1, min(2, sizes.seconds), file)
    for name, bound, target in queries(chance, sizes.records):
        file.write_text("".join(f"GET {target()}\n" for _ in range(20_000)))
        got = measure.load(site, 1, sizes.seconds / 2, file)
        table.line(f"{name}, p50", got["p50_ms"], "ms", floor=floor["p50_ms"])
        table.line(f"{name}, p99", got["p99_ms"], "ms", floor=floor["p99_ms"],
                   aim=("value", "<", bound))


def shows(table, site, sizes):
    chance = random.Random(6)
    words = ["--store", site.store, "--json", "show"]
    times, floor = [], []
    for _ in range(sizes.shows):
        target = f"r-{chance.randrange(sizes.records):07}"
        floor.append(measure.command_ms(site, ["/bin/true"]))
        times.append(measure.command_ms(site, [measure.BIN / "dutybook", *words, target]))
    table.line("`dutybook show`, p50", measure.percentile(times, 0.5), "ms",
               floor=measure.percentile(floor, 0.5))
    table.line("`dutybook show`, p99", measure.percentile(times, 0.99), "ms",
               floor=measure.percentile(floor, 0.99), aim=("value", "<", 15))
    table.note("its floor is starting /bin/true")


def join(table, world, site, sizes):
    table.title(f"Joining {sizes.records:,} operations; floor: git clone, zstd decode, bulk insert")
    out = site.sync(timeout=3600)[0]
    table.note(f"sealed and pushed in {out['seconds']:.1f} s, "
               f"{out['bytes_out'] / sizes.records:.0f} B an operation")
    joiner = measure.plain(world.invited(site, "Joiner").start())
    seconds, outcome = measure.timed(lambda: joiner.sync(timeout=3600)[0])
    used = measure.processor(joiner.process)
    if joiner.status()["records"] != sizes.records or joiner.digest() != site.digest():
        raise RuntimeError("the joiner does not hold the same records")
    text, _ = measure.timed(
        lambda: measure.wait_for(lambda: searchable(joiner, sizes.records - 1), 900,
                                 "the joiner's full-text index"))
    peak = measure.memory(joiner.process)[2]
    joiner.stop(30)
    site.stop(30)
    folder = world.directory
    writes.journal_lines(site, folder / "lines")
    clone, _ = measure.timed(lambda: world.git("clone", "-q", "--bare", f"file://{folder}/hub.git",
                                               folder / "clone.git"))
    measure.program("bench_floor", "pack", folder / "lines", folder / "packed", 8 << 20)
    bare = measure.program("bench_floor", "join", folder / "packed", folder / "join.db")
    floor = clone + bare["decode"] + bare["insert"]
    table.line(f"joining {sizes.records:,} operations", seconds, "s", floor=floor,
               aim=("ratio", "<=", 1.5),
               bound="each operation is decrypted, folded, hashed twice and gets four lookup rows "
                     "where the floor has two indexed columns; volumes come one by one, so that a "
                     "dropped link costs one")
    table.note(f"floor: clone {clone:.1f} s, decode {bare['decode']:.1f} s, parse and insert "
               f"{bare['insert']:.1f} s; received {outcome['bytes_in'] / 1e6:.1f} MB")
    table.note(f"{used:.1f} s of the daemon's processor time; full text {text:.1f} s later; "
               f"peak of memory {peak / 1e6:.0f} MB")
    checks = signature_checks(joiner, folder / "commits")
    table.line("share of a join spent in signature checks", 100 * checks["seconds"] / seconds, "%",
               aim=("value", "<", 10))
    table.note(f"{checks['rows']:,} commits, {checks['seconds'] / checks['rows'] * 1e6:.0f} us each")


def signature_checks(joiner, file):
    """The checks that a join made, made again by the same code: rows, seconds."""
    commits = joiner.git("rev-list", "--glob=refs/heads/log/*")
    file.write_text(commits)
    return measure.program("bench_floor", "signatures", joiner.store / "spaces/school/log.git", file)


def large(table, world, sizes):
    empty = idle(table, world)
    site = filled(table, world, sizes)
    start_up(table, site, empty)
    rss, own, _ = measure.memory(site.process)
    table.note(f"resident after start-up {rss / 1e6:.0f} MB, {own / 1e6:.0f} MB of it not of files")
    latencies(table, world, site, sizes)
    shows(table, site, sizes)
    rss, own, _ = measure.memory(site.process)
    table.line(f"resident memory at {sizes.records:,} records", rss / 1e6, "MB",
               aim=("value", "<", 150))
    table.note(f"after all these reads; {own / 1e6:.0f} MB of it not backed by files")
    join(table, world, site, sizes)
