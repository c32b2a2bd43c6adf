"""Every file of a store damaged in turn, each in several ways: found every time, healed or reported
with what to do; never a crash, never silent.

The files are those that a real store has, whatever they are called. After each damage the daemon is
started; `verify --full`, `repair` and `doctor` are asked. Found means that one of them, or the
daemon's refusal to start, or a line of its log names the file (or what it holds).

    DUTYBOOK_TEST_FILES=all   every file in every way, also after a kill; by default one file of
                              each class, in the ways by turns
"""

import collections
import json
import os
import re
import shutil

import pytest
from dutybook import LONG, World, duty
from plugins import NUMBER, kind, rule, write_plugin

ALL = os.environ.get("DUTYBOOK_TEST_FILES", "all" if LONG else "") == "all"
# Made again at every start, and holding nothing: that they are as before is all there is to find.
PASSING = re.compile(r"^(lock|reserve|run/.*|gitconfig|spaces/[^/]+/(log-)?quarantine\.git/.*|"
                     r".*-shm|.*\.kept)$")


def change(path, where, mask=0x10):
    """Another byte at a part of the file's length. False: it has no such byte."""
    data = bytearray(path.read_bytes())
    if not data:
        return False
    data[min(int(len(data) * where), len(data) - 1)] ^= mask
    return write(path, data)


def cut(path):
    size = path.stat().st_size
    return size > 1 and write(path, path.read_bytes()[:size // 2])


def empty(path):
    return path.stat().st_size > 0 and write(path, b"")


def delete(path):
    path.unlink()
    return True


def lengthen(path):
    return write(path, path.read_bytes() + b"\x00garbage" * 16)


def folder(path):
    path.unlink()
    path.mkdir()
    (path / "lost+found").write_text("x")
    return True


def write(path, data):
    os.chmod(path, 0o600)
    path.write_bytes(data)
    return True


WAYS = {"bit flip": lambda path: change(path, 0.5),
        "truncation": cut, "zero length": empty, "deletion": delete,
        "first byte": lambda path: change(path, 0, 0x55),
        "late bit flip": lambda path: change(path, 0.9, 0x01),
        "last byte": lambda path: change(path, 1, 0x01),
        "appended": lengthen, "a folder in its place": folder}


def class_of(name):
    """Files of one sort are alike, in whatever space or plugin they are."""
    name = re.sub(r"^spaces/[^/]+/", "spaces/SPACE/", name)
    name = re.sub(r"^plugins/(\.before/|\.spaces/[^/]+/)?[a-z]+(/|\.kept)", r"plugins/\1ID\2", name)
    name = re.sub(r"log\.git/objects/[0-9a-f]{2}/[0-9a-f]{38}$", "log.git/objects/LOOSE", name)
    name = re.sub(r"pack-[0-9a-f]{40}", "pack-PACK", name)
    name = re.sub(r"refs/dutybook/evidence/.*", "refs/dutybook/evidence/REF", name)
    return re.sub(r"refs/heads/log/.*", "refs/heads/log/REF", name)


def files_of(store):
    groups = collections.defaultdict(list)
    for path in sorted(store.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(store).as_posix()
            groups[class_of(name)].append(name)
    return [name for group in groups.values() for name in (group if ALL else group[:1])]


SPACES = ["district", "school"]


class Store:
    """A store with a past, and copies of it to damage: North's, which was invited into its
    district's space and keeps a school's, with everything that a site may have beside them."""

    def __init__(self, world, clean):
        self.world = world
        district = world.site("District", "district").start()
        district.client("remote", "add", "hub", world.bare("district-hub"))
        district.add_file(duty(f"district {i}") for i in range(5))
        district.sync()
        north = world.invited(district, "North").start()
        for site in (north, district, north):
            site.sync()
        north.client("space", "create", "school", "--parent", "district")
        north.space = "school"
        north.client("remote", "add", "hub", world.bare("hub"))
        south = world.invited(north, "South").start()
        for part in range(2):
            north.add_file(duty(f"{part} {i}") for i in range(5))
            north.sync()
        south.sync()
        south.add_file(duty(f"south {i}") for i in range(5))
        south.sync()
        north.sync()
        north.git("-c", "repack.updateServerInfo=false", "repack", "-d", "-q")  # beside loose ones
        north.request("POST", "/v1/tokens", {"name": "page", "role": "reader"})
        north.client("account", "add", "nobody", "--role", "reader")
        self.plugins(world)
        north.add_file(duty(f"sealed {i}") for i in range(5))
        north.request("POST", "/v1/spaces/school/seal")
        north.add_file(duty(f"unsealed {i}") for i in range(5))
        self.north = north
        self.records = self.held()
        self.digest = north.digest()
        north.stop() if clean else north.kill()
        for site in (district, south):
            site.stop()
        self.pristine = world.copy(north.store, world.directory / "pristine")
        shutil.rmtree(self.pristine / "run", ignore_errors=True)  # a socket cannot be copied

    def plugins(self, world):
        """Two of the site's own, one with a version before it, and one that rides in the space."""
        north = self.north = world.sites[1]
        lua = 'rules["%s-R01"] = function(row) return nil end'
        for name, version in (("low", "1.0.0"), ("low", "1.1.0"), ("high", "1.0.0")):
            made = write_plugin(world.directory / version, name, [kind(f"{name}.row", {"n": NUMBER})],
                                [rule(f"{name.upper()}-R01", f"{name}.row", {"x": "x"})],
                                lua % name.upper(), version)
            north.client("plugin", "install", made, *(["--space"] if name == "high" else []))
        north.client("plugin", "disable", "roster", expect=None)

    def held(self):
        return {one["id"]: one["fields"] for space in SPACES for one in
                self.north.many("list", "core.duty", "--limit", 0, space=space)}

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


def said_by(north):
    """What the log says of trouble, and that a copy was made."""
    lines = north.log.read_text(errors="replace").splitlines()
    return "\n".join(one for one in lines if re.search(
        r'"level":"(warning|error)"|a kept copy was made|index', one) or not one.startswith("{"))


class Care:
    """The care commands over every space: what they say, and that their exit code is true to it."""

    def __init__(self, north):
        self.north, self.text, self.wrong = north, "", None

    def run(self, *words):
        """The worst code of all spaces, and the damage of all."""
        worst, damage = 0, []
        for space in SPACES:
            ran = self.north.client(*words, expect=None, space=space)
            here = [one for answer in ran.objects for one in answer.get("damage", [])]
            true = (1 if ran.err and not ran.objects else
                    0 if not here else 6 if all(one["healed"] for one in here) else
                    8 if any(one["lost"] for one in here) else 7)
            if ran.code != true:
                self.wrong = f"{words} ends with {ran.code} where it should with {true}: {ran}"
            self.text += ran.out + ran.err
            worst, damage = max(worst, ran.code), damage + here
        return worst, damage

    def doctor(self):
        self.text += "".join(json.dumps(one) for one in
                             self.north.client("doctor", expect=None).objects
                             if one["level"] != "ok")


def content(store):
    """Of what a dry run must leave alone."""
    return {path: path.read_bytes() for path in sorted((store / "spaces").rglob("log.git/**/*"))
            if path.is_file()}


def refused(north, name):
    code = north.process.wait(10)
    said = north.log.read_text(errors="replace")
    last = said.strip().splitlines()[-1] if said.strip() else ""
    if code != 1:
        return f"crashed with {code}: {last}"
    if not names(last, name) or "; " not in last:
        return f"refused to start, but does not say what is wrong and what to do: {last}"
    return "refused"


def judge(store, name):
    """What happened: refused, healed, reported; or a sentence of what went wrong."""
    north = store.north
    if not started(north):
        return refused(north, name)
    care = Care(north)
    care.doctor()
    code, damage = care.run("verify", "--full")
    if any(not one["healed"] and not one["how"] for one in damage):
        return f"reported without what to do: {damage}"
    result = "healed"
    if code not in (0, 6):
        before = content(north.store)
        care.run("repair", "--dry-run")
        if content(north.store) != before:
            return "a dry run changed something"
        mended, _ = care.run("repair")
        code, _ = care.run("verify", "--full")
        result = "healed by repair" if code in (0, 6) and mended != 8 else "reported"
    if north.process.poll() is not None:
        return "crashed while it was asked"
    if store.held() != store.records and result != "reported":
        return f"records differ, and {result}"
    if care.wrong:
        return care.wrong
    if not names(said_by(north) + care.text, name) and not PASSING.match(name):
        return f"silent: {care.text}"
    written = north.request("POST", "/v1/spaces/school/records", duty("after"))
    if written[0] != 201 and result != "reported":
        return f"cannot write: {written[1]}"
    return result


KNOWN = ("refused", "healed", "healed by repair", "reported")


@pytest.mark.parametrize("end", ["clean stop", "kill"] if ALL else ["clean stop"])
def test_every_file_damaged_in_every_way(tmp_path, counted, end):
    with World(tmp_path) as world:
        store = Store(world, end == "clean stop")
        names_ = files_of(store.pristine)
        counts, wrong = collections.Counter(), []
        for number, name in enumerate(names_):
            for way in list(WAYS) if ALL else [list(WAYS)[number % len(WAYS)]]:
                store.reset()
                if not WAYS[way](store.north.store / name):
                    continue
                verdict = judge(store, name)
                counts[verdict if verdict in KNOWN else "WRONG"] += 1
                if verdict not in KNOWN:
                    wrong.append(f"{name}, {way}: {verdict}")
                    print(f"{name}, {way}: {verdict[:300]}", flush=True)
        store.north.kill()
        total = sum(counts.values())
        counted(f"after a {end}: {len(names_)} files of {len({class_of(one) for one in names_})} "
                f"classes, {total} damages, found {total - len(wrong)}: {json.dumps(dict(counts))}")
        assert not wrong, "\n".join(wrong)
        # The control: an untouched store has nothing to report.
        if end == "clean stop":
            store.reset()
            store.north.start()
            assert Care(store.north).run("verify", "--full") == (0, [])
            assert store.north.digest() == store.digest
