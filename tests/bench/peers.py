"""The same work by others, beside Dutybook: Fossil tickets and PouchDB. Skipped if not there."""

import json
import random
import re
import shutil
import subprocess
import tempfile

import measure
import records

POUCH = """
const PouchDB = require('pouchdb');
const [,, folder, count] = process.argv;
const docs = require('fs').readFileSync(folder + '/docs', 'utf8').trim().split('\\n').map(JSON.parse);
(async () => {
  const a = new PouchDB(folder + '/a'), b = new PouchDB(folder + '/b');
  let begin = process.hrtime.bigint();
  for (const doc of docs.slice(0, +count)) await a.put(doc);
  const insert = Number(process.hrtime.bigint() - begin) / 1e9;
  await PouchDB.replicate(a, b);
  for (const doc of docs.slice(+count)) await a.put(doc);
  begin = process.hrtime.bigint();
  const result = await PouchDB.replicate(a, b);
  const took = Number(process.hrtime.bigint() - begin) / 1e9;
  console.log(JSON.stringify({insert, took, moved: result.docs_written}));
  await a.close(); await b.close();
})();
"""
EXCHANGE = 200


def duties(count):
    chance = random.Random(9)
    return [records.duty(i, chance, "x") for i in range(count)]


def ours(table, world, sizes):
    site = measure.plain(world.site("Ours").start())
    posts = records.write_posts(world.directory / "posts", sizes.peer_records, "x")
    got = measure.load(site, 1, 600, posts)
    table.line("Dutybook: one by one, durable", got["requests"] / got["seconds"], "/s")
    site.client("remote", "add", "hub", world.bare("hub"))
    other = measure.plain(world.invited(site, "Other").start())
    for one in (site, other, site):
        one.sync(timeout=600)
    day = records.write_ndjson(world.directory / "day", EXCHANGE, "day")
    site.client("add", "--file", day)
    seconds, outcomes = measure.timed(lambda: [site.sync()[0], other.sync()[0]])
    table.line(f"Dutybook: exchange of {EXCHANGE}, A to hub to B", seconds, "s")
    table.note(f"{outcomes[0]['bytes_out']:,} bytes sent, {outcomes[1]['bytes_in']:,} received")


def fossil(table, world, sizes):
    if shutil.which("fossil") is None:
        return table.note("Fossil: SKIPPED: not installed (Debian package fossil)")
    home = world.directory / "fossil"
    home.mkdir()
    environment = world.environment | {"HOME": str(home), "USER": "bench", "FOSSIL_USER": "bench"}

    def run(*words, cwd=home):
        return subprocess.run(["fossil", *map(str, words)], cwd=cwd, env=environment, check=True,
                              text=True, capture_output=True).stdout

    def tickets(some):
        for one in some:
            fields = one["fields"]
            run("ticket", "add", "title", fields["title"], "type", fields["category"], "status",
                fields["state"], "priority", fields["priority"], "comment",
                json.dumps(fields), "-R", home / "a.fossil")

    run("init", home / "a.fossil")
    all_duties = duties(sizes.peer_records + EXCHANGE)
    count = min(sizes.peer_records, 1000)  # 62 a second: 10,000 would take minutes and say no more
    seconds, _ = measure.timed(lambda: tickets(all_duties[:count]))
    table.line(f"Fossil: {count:,} tickets, one by one", count / seconds, "/s")
    run("clone", f"file://{home}/a.fossil", home / "b.fossil")
    tickets(all_duties[-EXCHANGE:])
    seconds, said = measure.timed(
        lambda: run("pull", f"file://{home}/a.fossil", "-R", home / "b.fossil"))
    table.line(f"Fossil: exchange of {EXCHANGE}", seconds, "s")
    found = re.search(r"wire bytes sent: (\d+)\s+received: (\d+)", said)
    table.note(f"{int(found[1]):,} bytes sent, {int(found[2]):,} received" if found
               else said.strip()[-200:])


def pouch(table, world, sizes):
    if shutil.which("npm") is None:
        return table.note("PouchDB: SKIPPED: npm is not installed")
    with tempfile.TemporaryDirectory(dir=world.directory) as folder:
        done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "pouchdb"],
                              cwd=folder, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            why = (done.stderr or done.stdout).strip().splitlines()[-1:]
            return table.note(f"PouchDB: SKIPPED: npm could not install it {why}")
        with open(f"{folder}/docs", "w", encoding="utf-8") as file:
            for one in duties(sizes.peer_records + EXCHANGE):
                file.write(json.dumps({"_id": one["id"], **one["fields"]}) + "\n")
        with open(f"{folder}/run.js", "w", encoding="utf-8") as file:
            file.write(POUCH)
        done = subprocess.run(["node", "run.js", folder, str(sizes.peer_records)], cwd=folder,
                              capture_output=True, text=True, timeout=3600)
        if done.returncode != 0:
            return table.note(f"PouchDB: FAILED: {done.stderr.strip()[-300:]}")
        got = json.loads(done.stdout)
    table.line("PouchDB: one by one, no fsync", sizes.peer_records / got["insert"], "/s")
    table.line(f"PouchDB: exchange of {got['moved']}, in one process", got["took"], "s")
    table.note("between two databases of one process, so without a wire to count")


def peers(table, world, sizes):
    table.title(f"Peers: {sizes.peer_records:,} inserts and an exchange of {EXCHANGE}")
    ours(table, world, sizes)
    fossil(table, world, sizes)
    pouch(table, world, sizes)
