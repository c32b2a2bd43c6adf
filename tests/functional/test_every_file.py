"""Every file of a store damaged in turn, each in several ways: found every time, healed or reported
with what to do; never a crash, never silent.

The files are those that a real store has, whatever they are called. After each damage the daemon is
started; `verify --full`, `repair` and `doctor` are asked. Found means that one of them, or the
daemon's refusal to start, or a line of its log names the file (or what it holds).

    DUTYBOOK_TEST_FILES=all   every file in every way, also after a kill (about 10 minutes); by
                              default one file of each class, in the ways by turns
"""

import collections
import json
import os
import re
import shutil

import pytest
from dutybook import LONG, World, duty

ALL = os.environ.get("DUTYBOOK_TEST_FILES", "all" if LONG else "") == "all"
# Made again at every start, and holding nothing: that they are as before is all there is to find.
PASSING = re.compile(r"^(lock|reserve|run/.*|gitconfig|spaces/[^/]+/(log-)?quarantine\.git/.*|"
                     r".*-shm|.*\.kept)$")


def flip(path):
    data = bytearray(path.read_bytes())
    if not data:
        return False
    data[len(data) // 2] ^= 0x10
    write(path, data)
    return True


def flip_late(path):
    data = bytearray(path.read_bytes())
    if len(data) < 8:
        return False
    data[len(data) * 9 // 10] ^= 0x01
    write(path, data)
    return True


def cut(path):
    size = path.stat().st_size
    if size < 2:
        return False
    write(path, path.read_bytes()[:size // 2])
    return True


def empty(path):
    if path.stat().st_size == 0:
        return False
    write(path, b"")
    return True


def delete(path):
    path.unlink()
    return True


def write(path, data):
    os.chmod(path, 0o600)
    path.write_bytes(data)


WAYS = {"bit flip": flip, "late bit flip": flip_late, "truncation": cut, "zero length": empty,
        "deletion": delete}


def class_of(name):
    """Files of one sort are alike."""
    name = re.sub(r"log\.git/objects/[0-9a-f]{2}/[0-9a-f]{38}$", "log.git/objects/LOOSE", name)
    name = re.sub(r"pack-[0-9a-f]{40}", "pack-PACK", name)
    return re.sub(r"refs/heads/log/.*", "refs/heads/log/REF", name)


def files_of(store):
    groups = collections.defaultdict(list)
    for path in sorted(store.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(store).as_posix()
            groups[class_of(name)].append(name)
    return [name for group in groups.values() for name in (group if ALL else group[:1])]


class Store:
    """A store with a past, and copies of it to damage."""

    def __init__(self, world, clean):
        self.world = world
        hub = world.bare("hub")
        north = world.site("North").start()
        north.client("remote", "add", "hub", hub)
        south = world.invited(north, "South").start()
        for part in range(3):
            north.add_file(duty(f"{part} {i}") for i in range(5))
            north.sync()
        south.sync()
        south.add_file(duty(f"south {i}") for i in range(5))
        south.sync()
        north.sync()
        north.git("-c", "repack.updateServerInfo=false", "repack", "-d", "-q")  # a pack, beside loose objects
        north.add_file(duty(f"sealed {i}") for i in range(5))
        north.request("POST", "/v1/spaces/-/seal")
        north.add_file(duty(f"unsealed {i}") for i in range(5))
        north.request("POST", "/v1/tokens", {"name": "page", "role": "reader"})
        north.client("plugin", "disable", "roster", expect=None)
        self.records = {one["id"]: one["fields"] for one in
                        north.many("list", "core.duty", "--limit", 0)}
        self.digest = north.digest()
        north.stop() if clean else north.kill()
        south.stop()
        self.north = north
        self.pristine = world.copy(north.store, world.directory / "pristine")
        shutil.rmtree(self.pristine / "run", ignore_errors=True)  # a socket cannot be copied

    def reset(self):
        self.north.kill()
        # In place, so that the store is not taken for a copy: its directory stays.
        for entry in self.north.store.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for entry in self.pristine.iterdir():
            target = self.north.store / entry.name
            shutil.copytree(entry, target, symlinks=True) if entry.is_dir() else shutil.copy2(
                entry, target)
        self.north.log.unlink(missing_ok=True)


def started(north):
    try:
        north.start()
        return True
    except AssertionError:
        return False


def names(text, name):
    """Whether a report speaks of the file, or of what stands in it."""
    base = os.path.basename(name)
    if base in text or (base.startswith("index.db") and "index.db" in text):
        return True
    loose = re.search(r"objects/([0-9a-f]{2})/([0-9a-f]{38})$", name)
    if loose:
        return loose[1] + loose[2] in text
    if "refs/heads" in name:
        return name[name.index("refs/heads"):] in text
    return bool(re.search(r"pack-[0-9a-f]{40}", name)) and base.rpartition(".")[0] in text


def judge(store, name, way):
    """What happened: refused, healed, reported; or a sentence of what went wrong."""
    north = store.north
    if not started(north):
        code = north.process.wait(10)
        said = north.log.read_text(errors="replace")
        last = said.strip().splitlines()[-1] if said.strip() else ""
        if code != 1:
            return f"crashed with {code}: {last}"
        if not names(last, name) or "; " not in last:
            return f"refused to start, but does not say what is wrong and what to do: {last}"
        return "refused"
    said = north.log.read_text(errors="replace")
    verified = north.client("verify", "--full", expect=None)
    doctor = north.client("doctor", expect=None)
    damage = [one for answer in verified.objects for one in answer.get("damage", [])]
    text = said + verified.out + verified.err + doctor.out
    found = names(text, name)
    if any(not one["healed"] and not one["how"] for one in damage):
        return f"reported without what to do: {damage}"
    result = "healed"
    if verified.code not in (0, 6):
        north.client("repair", expect=None)
        again = north.client("verify", "--full", expect=None)
        result = "healed by repair" if again.code in (0, 6) else "reported"
    held = {one["id"]: one["fields"] for one in north.many("list", "core.duty", "--limit", 0)}
    alive = north.process.poll() is None
    if not alive:
        return "crashed while it was asked"
    if held != store.records and result != "reported":
        return f"records differ, and {result}: {len(held)} of {len(store.records)}"
    if not found and not PASSING.match(name):
        return f"silent: {verified.out}"
    written = north.request("POST", "/v1/spaces/-/records", duty("after"))
    if written[0] != 201 and result != "reported":
        return f"cannot write: {written[1]}"
    return result


@pytest.mark.parametrize("end", ["clean stop", "kill"] if ALL else ["clean stop"])
def test_every_file_damaged_in_every_way(tmp_path, end):
    with World(tmp_path) as world:
        store = Store(world, end == "clean stop")
        names_ = files_of(store.pristine)
        counts, wrong = collections.Counter(), []
        for number, name in enumerate(names_):
            for way in list(WAYS) if ALL else [list(WAYS)[number % len(WAYS)]]:
                store.reset()
                if not WAYS[way](store.north.store / name):
                    continue
                verdict = judge(store, name, way)
                known = verdict in ("refused", "healed", "healed by repair", "reported")
                counts[verdict if known else "WRONG"] += 1
                if not known:
                    wrong.append(f"{name}, {way}: {verdict}")
        store.north.kill()
        total = sum(counts.values())
        print(f"after a {end}: {len(names_)} files, {total} damages, found "
              f"{total - len(wrong)} of {total}: {json.dumps(dict(counts))}")
        assert not wrong, "\n".join(wrong)
        # The control: an untouched store has nothing to report.
        if end == "clean stop":
            store.reset()
            store.north.start()
            assert store.north.client("verify", "--full").objects[-1]["damage"] == []
            assert store.north.digest() == store.digest
