"""Measures Dutybook. Each line: what, value, its floor in the same run, ratio, aim, met or missed.

    scripts/bench [--quick] [--only NAME]... [--peers] [--records N] [--sites N] [--nights N]

See tests/bench/README.md for what each measurement does and what its floor is.
"""

import argparse
import os
import pathlib
import platform
import shutil
import signal
import sys
import tempfile
import time
import traceback

import exchange
import measure
import peers
import reads
import rules_cost
import trust
import writes

MEASUREMENTS = {
    "writes": writes.durable_writes,
    "batch": writes.batch,
    "night": exchange.night,
    "year": exchange.year,
    "large": reads.large,  # reads, show, memory, start-up and join at size
    "plugin": rules_cost.plugin,
    "trust": trust.trust,
}


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs")
    parser.add_argument("--only", action="append", choices=[*MEASUREMENTS, "peers"], default=[])
    parser.add_argument("--peers", action="store_true", help="Fossil and PouchDB beside it")
    parser.add_argument("--records", type=int, help="of the large store")
    parser.add_argument("--sites", type=int, help="in the night")
    parser.add_argument("--nights", type=int, help="of the year")
    parser.add_argument("--folder", help="where to work; else a temporary one")
    return parser.parse_args()


def run(name, act, folder, table, sizes):
    begin = time.monotonic()
    try:
        with measure.World(folder / name) as world:
            act(table, world, sizes)
    except measure.Skipped as why:
        table.skipped.append(name)
        print(f"{name}: SKIPPED: {why}", flush=True)
    except Exception:  # one that fails must not hide the others
        table.failed.append(name)
        traceback.print_exc()
        print(f"{name}: FAILED", flush=True)
    finally:
        shutil.rmtree(folder / name, ignore_errors=True)
    table.note(f"{name} took {time.monotonic() - begin:.0f} s")


def main():
    options = read_options()
    sizes = measure.Sizes.quick() if options.quick else measure.Sizes()
    for name in ("records", "sites", "nights"):
        if getattr(options, name):
            setattr(sizes, name, getattr(options, name))
    wanted = dict(MEASUREMENTS)
    if options.peers or "peers" in options.only:
        wanted["peers"] = peers.peers
    if options.only:
        wanted = {name: act for name, act in wanted.items() if name in options.only}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dutybook-bench-", dir=options.folder))
    table = measure.Table()
    print(f"{'quick sizes: only shows that it runs' if options.quick else 'full sizes'}; "
          f"{os.cpu_count()} processors, {platform.release()}, {folder}")
    print(table.HEAD)
    try:
        for name, act in wanted.items():
            run(name, act, folder, table, sizes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{table.met} met, {len(table.missed)} missed, {len(table.skipped)} skipped, "
          f"{len(table.failed)} failed")
    if table.missed:
        print("missed: " + "; ".join(table.missed))
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
