"""Plugins that attack: the daemon goes on answering, each attack ends in time, nothing outside its
worker changes. Each attack says that it began before it counts; its harmless twin passes.

Lint is bypassed: the folders are put into the store by hand. Deadlines are short (the manifests'
limits), so that the whole takes less than a minute.
"""

import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from hostile import lua_attacks

from dutybook import BIN, LONG, ROOT, wait_for

HERE = ROOT / "tests/support/hostile"
DEADLINE = 100  # ms without progress, of an attack
TWIN_DEADLINE = 5000  # ms: a twin must not fail because the machine is busy
MEMORY = 64  # MiB that a plugin may hold
MOST = 50  # ms, 99th percentile of the others' requests
CONSTRUCTORS = ["constructor_file", "constructor_outlive", "constructor_clock", "constructor_read",
                "constructor_loop", "constructor_trickle"]


class Canaries:
    """What would show that something got out of a worker."""

    def __init__(self, directory):
        self.directory = directory / "canaries"
        self.directory.mkdir()
        self.file = self.directory / "canary"
        self.file.write_text("untouched")
        self.bomb = self.directory / "bomb"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.victim = subprocess.Popen(["sleep", "600"])
        self.before = self.files()

    def files(self):
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes())
                for path in self.directory.iterdir()}

    def check(self):
        assert self.files() == self.before
        assert self.victim.poll() is None, "the victim was ended"
        state = pathlib.Path(f"/proc/{self.victim.pid}/status").read_text()
        assert "TracerPid:\t0\n" in state
        with pytest.raises(BlockingIOError):
            self.listener.accept()

    def end(self):
        self.victim.kill()
        self.victim.wait()
        self.listener.close()


class Deed:
    """One plugin with one rule: an attack or its twin."""

    def __init__(self, name, runtime, twin):
        self.name, self.runtime, self.twin = name, runtime, twin
        self.rule = f"{name}.twin" if twin else name
        self.id = f"{runtime}_{name}" + ("_twin" if twin else "")
        self.kind = f"{self.id}.trap"

    def install(self, folder, code):
        place = folder / self.id
        (place / "schemas").mkdir(parents=True)
        manifest = {
            "id": self.id, "version": "1.0.0", "abi": 1, "runtime": self.runtime,
            "kinds": [{"kind": self.kind, "schema": "schemas/trap.json"}],
            "rules": [{"id": self.rule, "on": self.kind, "severity": "needs_review",
                       "messages": {"ok": {"en": "Judged."}}}],
            "limits": {"deadline_ms": TWIN_DEADLINE if self.twin else DEADLINE,
                       "instructions": 1_000_000_000, "output_kb": 1024,
                       "memory_mb": MEMORY}}
        schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Trap",
                  "x-kind": self.kind, "x-version": 1, "x-final": True, "type": "object",
                  "properties": {"text": {"type": "string"}}}
        (place / "plugin.json").write_text(json.dumps(manifest))
        (place / "schemas/trap.json").write_text(json.dumps(schema))
        if self.runtime == "lua":
            (place / "rules.lua").write_text(code)
        else:
            (place / "plugin.so").write_bytes(code)


def compiled(directory, canaries, *defines):
    out = directory / "attacks.so"
    words = [f'-DCANARY="{canaries.file}"', f'-DBOMB="{canaries.bomb}"',
             f"-DPORT={canaries.listener.getsockname()[1]}", f"-DVICTIM={canaries.victim.pid}"]
    subprocess.run(["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wno-infinite-recursion",
                    "-shared", "-fPIC", "-fstack-protector-all", "-pthread",
                    f"-I{ROOT / 'plugins/sdk'}", *words, *defines, "-o", out, HERE / "attacks.c"],
                   check=True)
    return out.read_bytes()


def native_names():
    table = (HERE / "attacks.c").read_text().partition("} deeds[] = {")[2].partition("};")[0]
    return re.findall(r'\{"(\w+)",', table)


def install_all(folder, canaries):
    """[(attack, twin)] of every attack, put where the daemon finds installed plugins."""
    pairs = []

    def install(name, runtime, attack_code, twin_code):
        pair = Deed(name, runtime, False), Deed(name, runtime, True)
        for deed, code in zip(pair, (attack_code, twin_code)):
            deed.install(folder, code)
        pairs.append(pair)

    for attacks, at_load in ((lua_attacks.ATTACKS, False), (lua_attacks.AT_LOAD, True)):
        for name, (attack, twin) in attacks.items():
            install(name, "lua", lua_attacks.text(name, attack, at_load),
                    lua_attacks.text(f"{name}.twin", twin, at_load))
    code = compiled(folder.parent, canaries)
    for name in native_names():
        install(name, "native", code, code)
    for name in CONSTRUCTORS:
        install(name, "native",
                compiled(folder.parent, canaries, f'-DCONSTRUCTOR="{name}"', "-DHARM"),
                compiled(folder.parent, canaries, f'-DCONSTRUCTOR="{name}.twin"'))
    return pairs


def workers_of(pid):
    """Process ids of workers: the daemon's own, and those that belong to nobody (escaped)."""
    own, orphans = [], []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.readlink(entry / "exe") != str((BIN / "dutybook-worker").resolve()):
                continue
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            own.append(int(entry.name))
        elif parent == 1:
            orphans.append(int(entry.name))
    return own, orphans


def percentile(times, part):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def test_the_daemon_outlives_every_hostile_plugin(world, tmp_path):
    canaries = Canaries(tmp_path)
    try:
        besiege(world, canaries)
    finally:
        canaries.end()


def besiege(world, canaries):
    site = world.site("North")
    folder = site.store / "plugins"
    folder.mkdir()
    pairs = install_all(folder, canaries)
    assert len(pairs) >= 25
    site.spawn().wait_ready(180)
    orphans_before = workers_of(site.process.pid)[1]
    prober = Prober(site)
    said, ended = [], {}
    for attack, twin in pairs:
        took = ended[attack.id] = strike(site, attack)
        passes(site, twin)
        said.append(f"{attack.runtime} {attack.name}: began, contained after {took:.0f} ms, "
                    "twin passes")
        canaries.check()
    times = prober.end()

    wait_for(lambda: site.status()["unchecked"] == len(pairs), 20, "all twins have verdicts")
    told = {one["record"]: one["why"] for one in site.many("findings", "--unchecked")}
    for name, words in (("segfault", "ended by Segmentation fault"), ("exit", "ended with status 0"),
                        ("socket", "forbidden system call"),
                        # the second if the prober's write came to wait behind it
                        ("loop", "within 100 ms|when others were waiting")):
        assert re.search(words, told[f"native_{name}"]), told[f"native_{name}"]
    held = int(re.search(r"held (\d+) MiB", site.log.read_text(errors="replace"))[1])
    assert held <= MEMORY + 128, "beyond its limit there is room for a batch alone"
    status = site.status()
    assert status["records"] == 2 * len(pairs) + len(times["POST /v1/spaces/school/records"])

    def one_for_each():  # a worker that was ended may be just on its way out
        running = [one for one in site.many("plugin", "list") if one["state"] == "running"]
        return len(workers_of(site.process.pid)[0]) <= len(running)
    wait_for(one_for_each, 20, "no more workers than plugins that run")
    assert set(workers_of(site.process.pid)[1]) <= set(orphans_before)
    everything = [one for each in times.values() for one in each]
    print("\n".join(said))
    for name, each in times.items():
        print(f"{name}: {len(each)} requests, p50 {percentile(each, .5):.1f} ms, "
              f"p99 {percentile(each, .99):.1f} ms, longest {max(each):.1f} ms")
    print(f"the greediest native plugin held {held} MiB of {MEMORY}")
    print(f"{len(pairs)} attacks, each contained; {len(everything)} requests meanwhile, "
          f"p99 {percentile(everything, .99):.1f} ms")
    calm = calm_answers(site)
    print(f"the same with nobody attacking: p99 {calm:.1f} ms")
    # A machine that is busy with other things answers later, attacked or not.
    busy = calm if calm > MOST / 5 else 0
    # The times themselves are judged on a quiet machine (DUTYBOOK_TEST_LONG=1); beside other tests
    # it must not hang.
    assert percentile(everything, .99) < (MOST if LONG and not busy else 5000)
    longest = max(ended, key=ended.get)
    most = DEADLINE + 1000 if LONG and not busy else 10_000
    assert ended[longest] < most, (longest, ended[longest])
    assert site.stop() == 0


def test_what_a_plugin_says_about_a_record_is_bounded(world):
    """A value that stands in a message a thousand times, in a hundred findings of each of fifty
    rules: gigabytes out of little answers."""
    site = world.site("North")
    place = site.store / "plugins/flood"
    (place / "schemas").mkdir(parents=True)
    rules = [f"FLOOD-{number}" for number in range(50)]
    (place / "plugin.json").write_text(json.dumps({
        "id": "flood", "version": "1.0.0", "abi": 1, "runtime": "lua",
        "kinds": [{"kind": "flood.trap", "schema": "schemas/trap.json"}],
        "rules": [{"id": rule, "on": "flood.trap", "severity": "warn",
                   "messages": {"c": {"en": "{v}" * 1000}}} for rule in rules],
        "limits": {"deadline_ms": 10_000, "output_kb": 1024}}))
    (place / "schemas/trap.json").write_text(json.dumps({
        "$schema": "http://json-schema.org/draft-07/schema#", "title": "Trap",
        "x-kind": "flood.trap", "x-version": 1, "x-final": True, "type": "object",
        "properties": {"findings": {"type": "integer"}, "size": {"type": "integer"}}}))
    (place / "rules.lua").write_text("".join(f"""
        rules["{rule}"] = function(trap)
          local all = {{}}
          for i = 1, trap.findings do
            all[i] = {{ code = "c", values = {{ v = ("x"):rep(trap.size) }} }}
          end
          return all
        end""" for rule in rules))
    site.start()
    bad = site.one("add", "flood.trap", "findings=100", "size=2000")
    assert site.resident() < 200 << 20, f"{site.resident() >> 20} MB"
    assert not bad["findings"]
    [told] = site.many("findings", "--unchecked")
    assert told["record"] == bad["id"] and "says more than" in told["why"] and "flood" in told["why"]
    good = site.one("add", "flood.trap", "findings=1", "size=1")  # the twin
    assert [one["message"] for one in good["findings"]] == ["x" * 1000] * len(rules)


class Prober:
    def __init__(self, site):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "prober.py", site.socket, site.space],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self):
        out = self.process.communicate("")[0]
        assert self.process.returncode == 0
        return json.loads(out)


def calm_answers(site):
    """99th percentile, ms, of the same requests afterwards."""
    prober = Prober(site)
    before = site.status()["records"]
    wait_for(lambda: site.status()["records"] > before + 100, 30, "a hundred writes")
    return percentile([one for each in prober.end().values() for one in each], .99)


def strike(site, attack):
    """Milliseconds until the daemon was done with the attack: no call is under way any more."""
    began = time.monotonic()
    status, answer = site.request("POST", f"/v1/spaces/{site.space}/records",
                                  {"id": attack.id, "kind": attack.kind, "fields": {"text": "x"}})
    assert status == 201, f"a fact is never refused: {answer}"
    assert answer.get("checked") is False and answer["findings"] == [], (attack.id, answer)
    wait_for(lambda: not state_of(site, attack)["busy"], 30, f"{attack.id} ends")
    took = 1000 * (time.monotonic() - began)
    wait_for(lambda: f"began {attack.name}" in site.log.read_text(errors="replace"), 30,
             f"{attack.id} begins")
    return took


def state_of(site, deed):
    items = site.request("GET", "/v1/plugins")[1]["items"]
    return next(one for one in items if one["id"] == deed.id)


def findings_of(site, deed):
    record = site.request("GET", f"/v1/spaces/{site.space}/records/{deed.id}")[1]
    return [one["rule"] for one in record["findings"]]


def passes(site, twin):
    status, answer = site.request("POST", f"/v1/spaces/{site.space}/records",
                                  {"id": twin.id, "kind": twin.kind, "fields": {"text": "x"}})
    assert status == 201, (twin.id, answer, site.tail())
    if not answer.get("checked", True):  # others waited behind it: its verdict is made up later
        wait_for(lambda: findings_of(site, twin), 30, f"the verdict of {twin.id}")
    assert findings_of(site, twin) == [twin.rule], (twin.id, answer, site.tail())
    wait_for(lambda: f"began {twin.rule}" in site.log.read_text(errors="replace"), 30,
             f"{twin.id} begins")
