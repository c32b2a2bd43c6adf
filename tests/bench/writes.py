"""Durable writes over the socket and batches, against a bare SQLite of the same durability."""

import measure
import records


def journal_lines(site, out):
    """What the daemon wrote for its records, as rows for the floor. The daemon must be stopped."""
    journal = next(site.store.glob("spaces/*/journal.db"))
    measure.program("bench_floor", "lines", journal, out)
    return out


def durable_writes(table, world, sizes):
    table.title("Durable writes over the socket; floor: SQLite, WAL, FULL, batches of that size")
    site = measure.plain(world.site("Writer").start())
    folder = site.store.parent
    measure.load(site, 8, min(20, 4 * sizes.seconds),
                 records.write_posts(folder / "warm", 2000, "warm"))
    site.stop()
    lines = journal_lines(site, folder / "lines")
    site.start()
    health = folder / "health"
    health.write_text("GET /v1/health\n" * 200_000)
    used = measure.processor(site.process)
    bare = measure.load(site, 64, sizes.seconds / 2, health)
    used = (measure.processor(site.process) - used) / bare["requests"] * 1e6
    table.note(f"HTTP alone: /v1/health, 64 clients, {bare['requests'] / bare['seconds']:,.0f} /s, "
               f"{used:.0f} us of the daemon's processor time each")
    for clients in (1, 8, 64):
        bare = measure.program("bench_floor", "durable", folder / f"bare{clients}.db", lines,
                               clients, sizes.seconds)
        floor = bare["rows"] / bare["seconds"]
        aim = ("ratio", ">=", 0.5) if clients != 8 else None
        one_load(table, site, sizes, clients, floor, "", aim)
    site.stop()
    ruled = measure.ruled(world.site("Ruled")).start()  # its own: no backlog of records to judge
    for clients in (1, 64):
        one_load(table, ruled, sizes, clients, None, ", with the built-in rules", None)


def one_load(table, site, sizes, clients, floor, words, aim):
    posts = records.write_posts(site.store.parent / "posts", int(25_000 * sizes.seconds),
                                f"c{clients}{len(words)}")
    used = measure.processor(site.process)
    got = measure.load(site, clients, sizes.seconds, posts)
    used = (measure.processor(site.process) - used) / got["requests"] * 1e6
    table.line(f"writes, {clients} client{'s' if clients > 1 else ''}{words}",
               got["requests"] / got["seconds"], "/s", floor=floor, aim=aim,
               bound="the processor, which the clients share: a request is parsed, checked against "
                     "its schema, made an operation, folded, hashed, indexed and answered whole; "
                     "the floor inserts a finished line")
    table.note(f"answered in p50 {got['p50_ms']:.2f} ms, p99 {got['p99_ms']:.2f} ms; "
               f"{used:.0f} us of the daemon's processor time each")


def batch(table, world, sizes):
    table.title("A batch as NDJSON; floor: SQLite, WAL, FULL, the same rows in one transaction")
    site = measure.plain(world.site("Batch").start())
    folder = site.store.parent
    seconds = one_batch(table, site, sizes.batch, "b", sizes.batch)
    site.stop()
    lines = journal_lines(site, folder / "lines")
    bare = measure.program("bench_floor", "bulk", folder / "bare.db", lines)
    table.line(f"batch of {sizes.batch:,}", sizes.batch / seconds, "/s",
               floor=bare["rows"] / bare["seconds"], aim=("ratio", ">=", 0.4),
               bound="the processor: schema, operation, fold, digests and journal on one thread, "
                     "seven index rows for each record on another; the floor inserts one finished "
                     "line")
    few = sizes.batch // 10
    seconds = one_batch(table, measure.ruled(world.site("Ruled")).start(), few, "r", few)
    table.line(f"batch of {few:,}, with the built-in rules", few / seconds, "/s")
    catching_up(table, site, few)


def catching_up(table, site, few):
    """How fast records that rules have not seen are judged, once the rules are turned on."""
    measure.with_rules(site.start())
    seconds, left = measure.timed(lambda: measure.wait_for(
        lambda: (site.status()["unchecked"],) if judged(site, few) else None, 1200,
        "the rules' catching up"))
    done = site.status()["records"] - left[0]
    table.line("records judged after turning the rules on", done / seconds, "/s")


def judged(site, few):
    status = site.status()
    return status["unchecked"] <= status["records"] - few


def one_batch(table, site, count, prefix, stored):
    file = records.write_ndjson(site.store.parent / "batch", count, prefix)
    used = measure.processor(site.process)
    seconds = measure.post_batch(site, file)
    used = measure.processor(site.process) - used
    found = site.status()["records"]
    if found != stored:
        raise RuntimeError(f"{found} records are stored, not {stored}")
    table.note(f"{seconds:.2f} s, {used:.2f} s of the daemon's processor time, peak of memory "
               f"{measure.memory(site.process)[2] / 1e6:.0f} MB")
    return seconds
