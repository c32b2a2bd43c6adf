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
    site = world.site("Writer").start()
    folder = site.store.parent
    measure.load(site, 8, 60, records.write_posts(folder / "warm", 2000, "warm"))
    site.stop()
    lines = journal_lines(site, folder / "lines")
    site.start()
    for clients in (1, 8, 64):
        posts = records.write_posts(folder / "posts", int(25_000 * sizes.seconds), f"c{clients}")
        used = measure.processor(site.process)
        got = measure.load(site, clients, sizes.seconds, posts)
        used = (measure.processor(site.process) - used) / got["requests"] * 1e6
        bare = measure.program("bench_floor", "durable", folder / f"bare{clients}.db", lines,
                               clients, sizes.seconds)
        table.line(f"durable writes, {clients} client{'s' if clients > 1 else ''}",
                   got["requests"] / got["seconds"], "/s", floor=bare["rows"] / bare["seconds"],
                   aim=("ratio", ">=", 0.5) if clients != 8 else None)
        table.note(f"answered in p50 {got['p50_ms']:.2f} ms, p99 {got['p99_ms']:.2f} ms; "
                   f"{used:.0f} us of the daemon's processor time each")
    health = folder / "health"
    health.write_text("GET /v1/health\n" * 200_000)
    bare = measure.load(site, 64, sizes.seconds / 2, health)
    table.note(f"bound by HTTP: /v1/health, 64 clients, {bare['requests'] / bare['seconds']:,.0f} /s")
    site.stop()


def batch(table, world, sizes):
    table.title("A batch as NDJSON; floor: SQLite, WAL, FULL, the same rows in one transaction")
    site = world.site("Batch").start()
    folder = site.store.parent
    file = records.write_ndjson(folder / "batch", sizes.batch, "b")
    seconds = measure.post_batch(site, file)
    used = measure.processor(site.process)
    stored = site.status()["records"]
    if stored != sizes.batch:
        raise RuntimeError(f"only {stored} of {sizes.batch} lines were stored")
    peak = measure.memory(site.process)[2]
    site.stop()
    lines = journal_lines(site, folder / "lines")
    bare = measure.program("bench_floor", "bulk", folder / "bare.db", lines)
    table.line(f"batch of {sizes.batch:,}", sizes.batch / seconds, "/s",
               floor=bare["rows"] / bare["seconds"], aim=("ratio", ">=", 0.4))
    table.note(f"{seconds:.2f} s, {used:.2f} s of the daemon's processor time, peak of memory {peak / 1e6:.0f} MB")
