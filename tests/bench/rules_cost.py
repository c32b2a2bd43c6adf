"""What plugins cost: the worker against the same code in process, and one add with and without."""

import measure
import records

HERE = measure.ROOT / "tests/bench"


def isolation(table, sizes):
    table.title("Plugins: evaluations a second through the worker; floor: the same in process")
    object_ = measure.BIN.parent / "plugins/word_count/plugin.so"
    if not object_.exists():
        raise measure.Skipped(f"{object_} is not built: scripts/build release example_word_count")
    got = measure.program("bench_plugin", measure.BIN / "dutybook-worker", measure.ROOT / "schemas",
                          HERE / "rules", object_, sizes.seconds)
    for key, name in (("lua", "Lua rule of 15 lines"),
                      ("lua_needs", "Lua rule of 15 lines, 8 needed records"),
                      ("native", "native rule (word_count)"),
                      ("native_group", "the same, 64 calls at once")):
        table.line(name, got[key]["worker"], "/s", floor=got[key]["in_process"],
                   aim=("ratio", ">=", 0.6),
                   bound="two changes of process for each batch, and the copies through the socket: "
                         "microseconds, which only a rule that takes less than one feels")
        table.note(f"ratio by processor time {got[key]['worker_cpu'] / got[key]['in_process_cpu']:.2f}")
    table.line("records judged by the host, both rules", got["host_records"], "/s")
    table.note("with needs looked up in memory and answers checked")
    table.line("start of a worker", got["start_ms"], "ms")
    table.line("memory of a fresh worker", got["fresh_bytes"] / 1e6, "MB")
    table.line("memory of a worker that has worked", got["resident_bytes"] / 1e6, "MB")


def latency(table, world, sizes):
    table.title("One add with a plugin of both rules; floor: without it")
    site = measure.plain(world.site("Rules").start())
    count = int(sizes.seconds * 6000)

    def adds(prefix):
        return measure.load(site, 1, sizes.seconds,
                            records.write_posts(world.directory / prefix, count, prefix))

    adds("warm")
    bare = adds("without")
    site.client("plugin", "install", HERE / "rules")
    adds("start")
    ruled = adds("with")
    for name in ("p50_ms", "p99_ms"):
        table.line(f"one add, {name[:3]}", ruled[name], "ms", floor=bare[name])
        table.note(f"added {ruled[name] - bare[name]:.3f} ms")


def plugin(table, world, sizes):
    latency(table, world, sizes)
    isolation(table, sizes)
