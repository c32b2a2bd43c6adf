"""What a remote may hold that no honest site wrote: logs forged by a member, and by a host that
changes refs and objects at will. The host answers with real git on loopback (support/host.py); the
forgeries are made with the keys of a member's own store (support/forge.py).

Every attack has a twin that is the same without the attack and is accepted; good sites on the same
remote go on syncing meanwhile; an alarm in `status` names remote, site and log, and what to do.
Lies of the protocol are told in test_hostile_host.py.
"""

import os
import re
import subprocess
import sys

import pytest
from dutybook import ROOT, duty
from forge import REF, Keys, Member, Repository, frame_of, hollow_frame, operation
from host import Host, Watch

MEMORY, DISK = 200 << 20, 400 << 20
ATTACKS = {}


def attack(sort):
    """Registers an attack by a member: function of (mallory, writer, title, bad), which puts a log of
    one operation that makes a record called `title`, and returns its ref. Not `bad`: the twin."""
    def register(function):
        assert function.__name__ not in ATTACKS
        ATTACKS[function.__name__] = (sort, function)
        return function
    return register


def put(mallory, writer, commit, volume=1):
    ref = REF.format(writer, volume)
    mallory.repository.set(ref, commit)
    return ref


def plain_log(mallory, writer, title, header=None, parent="", **parts):
    """A log of one segment with parts of it replaced."""
    header = {**mallory.header(writer, 1, 1), **(header or {})}
    return put(mallory, writer, mallory.segment(header, [operation(title)], parent, **parts))


def raw_log(mallory, writer, title, change, bad):
    """A log whose commit text is changed before it is signed."""
    header = mallory.header(writer, 1, 1)
    frame = frame_of(mallory.plain([operation(title)]))
    blob = mallory.repository.put("blob", mallory.seal(header, frame))
    text = mallory.commit_text(header, mallory.tree(blob))
    text = change(text, blob) if bad else text
    return put(mallory, writer, mallory.repository.put("commit", mallory.signed(text).encode()))


# --- who wrote it -----------------------------------------------------------------------------

@attack("wrong key")
def unsigned(mallory, writer, title, bad):
    return plain_log(mallory, writer, title, key=False if bad else None)


@attack("wrong key")
def signed_by_nobody_known(mallory, writer, title, bad):
    return plain_log(mallory, writer, title, key=Keys() if bad else None)


@attack("wrong key")
def changed_after_signing(mallory, writer, title, bad):
    header = mallory.header(writer, 1, 1)
    blob = mallory.repository.put("blob", mallory.seal(header, frame_of(mallory.plain(
        [operation(title)]))))
    text = mallory.signed(mallory.commit_text(header, mallory.tree(blob)))
    if bad:
        text = text.replace("\n\nsegment", "\n\nSegment")
    return put(mallory, writer, mallory.repository.put("commit", text.encode()))


@attack("wrong key")
def in_the_name_of_another_site(mallory, writer, title, bad):
    """A log of a new incarnation of South, signed by Mallory."""
    if bad:
        writer = mallory.victim + writer[writer.index("-"):]
    return plain_log(mallory, writer, title)


@attack("wrong key")
def not_encrypted(mallory, writer, title, bad):
    """By somebody who has no key of the space, and says so."""
    return plain_log(mallory, writer, title, {"codec": "zstd", "epoch": 0} if bad else {})


@attack("wrong key")
def key_of_another_epoch(mallory, writer, title, bad):
    mallory.epochs[77] = os.urandom(32)
    ref = plain_log(mallory, writer, title, {"epoch": 77 if bad else 1})
    del mallory.epochs[77]
    return ref


# --- old things in new places -----------------------------------------------------------------

@attack("replay")
def a_log_under_another_name(mallory, writer, title, bad):
    """A commit of South's log under a ref of Mallory."""
    return put(mallory, writer, mallory.others) if bad else plain_log(mallory, writer, title)


@attack("replay")
def of_another_space(mallory, writer, title, bad):
    return plain_log(mallory, writer, title, {"space": "a" * 26} if bad else {})


@attack("replay")
def operations_counted_again(mallory, writer, title, bad):
    """A second segment that holds the places of the first once more."""
    first = mallory.segment(mallory.header(writer, 1, 1), [operation(title)])
    header = mallory.header(writer, 1 if bad else 2, 1 if bad else 2, previous=first)
    return put(mallory, writer, mallory.segment(header, [operation(f"{title} again")], first))


@attack("replay")
def a_volume_as_the_next_one(mallory, writer, title, bad):
    commit = mallory.segment(mallory.header(writer, 1, 1), [operation(title)])
    put(mallory, writer, commit)
    if not bad:
        header = mallory.header(writer, 2, 2, volume=2, previous=commit)
        commit = mallory.segment(header, [operation(f"{title} again")])
    return put(mallory, writer, commit, 2)


@attack("withheld")
def a_volume_without_the_one_before(mallory, writer, title, bad):
    first = mallory.segment(mallory.header(writer, 1, 1), [operation(title)])
    header = mallory.header(writer, 2, 2, volume=2, previous=first)
    second = mallory.segment(header, [operation(f"{title} again")])
    if not bad:
        put(mallory, writer, first)
    return put(mallory, writer, second, 2)


@attack("withheld")
def a_gap_in_the_log(mallory, writer, title, bad):
    first = mallory.segment(mallory.header(writer, 1, 1), [operation(title)])
    at = 4 if bad else 2
    header = mallory.header(writer, at, at, previous=first)
    return put(mallory, writer, mallory.segment(header, [operation(f"{title} again")], first))


# --- sizes ------------------------------------------------------------------------------------

@attack("inflated")
def operations_without_number(mallory, writer, title, bad):
    return plain_log(mallory, writer, title, {"last": (1 << 53) - 1} if bad else {})


@attack("inflated")
def a_frontier_of_a_megabyte(mallory, writer, title, bad):
    logs = {f"{mallory.site}-{number:08d}".replace("0", "a").replace("1", "b").replace("8", "c")
            .replace("9", "d"): [1, "a" * 40] for number in range(15_000 if bad else 1)}
    return plain_log(mallory, writer, title, frontier=logs)


@attack("oversized")
def a_blob_of_150_megabytes(mallory, writer, title, bad):
    blob = b"\0" * (150 << 20 if bad else 1)
    if not bad:
        return plain_log(mallory, writer, title)
    name = mallory.repository.pack([("blob", blob)])[0]
    header = mallory.header(writer, 1, 1)
    text = mallory.signed(mallory.commit_text(header, mallory.tree(name)))
    return put(mallory, writer, mallory.repository.put("commit", text.encode()))


@attack("oversized")
def a_commit_of_half_a_megabyte(mallory, writer, title, bad):
    return raw_log(mallory, writer, title, lambda text, _: text + "x" * 500_000, bad)


@attack("oversized")
def a_segment_of_two_megabytes(mallory, writer, title, bad):
    lines = [operation(title, place=os.urandom(30_000).hex()) for _ in range(40 if bad else 1)]
    header = mallory.header(writer, 1, len(lines))
    return put(mallory, writer, mallory.segment(header, lines))


@attack("bomb")
def a_frame_that_claims_8_gigabytes(mallory, writer, title, bad):
    return plain_log(mallory, writer, title, frame=hollow_frame(8 << 30) if bad else None)


@attack("bomb")
def a_frame_that_holds_a_gigabyte(mallory, writer, title, bad):
    return plain_log(mallory, writer, title,
                     frame=hollow_frame(1 << 30, 8192) if bad else None)


@attack("bomb")
def a_frame_that_holds_more_than_it_says(mallory, writer, title, bad):
    return plain_log(mallory, writer, title, frame=hollow_frame(1 << 17, 2000) if bad else None)


@attack("bomb")
def a_commit_of_150_megabytes(mallory, writer, title, bad):
    if not bad:
        return plain_log(mallory, writer, title)
    header = mallory.header(writer, 1, 1)
    text = mallory.commit_text(header, mallory.tree(mallory.repository.put("blob", b"x")))
    return put(mallory, writer, mallory.repository.pack([
        ("commit", text.encode() + b"x" * (150 << 20))])[0])


@attack("bomb")
def a_tree_of_140_megabytes(mallory, writer, title, bad):
    if not bad:
        return plain_log(mallory, writer, title)
    tree = (b"100644 segment\0" + bytes(20)) * 4_000_000
    name = mallory.repository.pack([("tree", tree)])[0]
    text = mallory.signed(mallory.commit_text(mallory.header(writer, 1, 1), name))
    return put(mallory, writer, mallory.repository.put("commit", text.encode()))


@attack("bomb")
def a_delta_of_a_giant(mallory, writer, title, bad):
    """A blob of 1,000 bytes that is stored as a difference to one of 300 MB."""
    if not bad:
        return plain_log(mallory, writer, title)
    done = subprocess.run([sys.executable, ROOT / "tests/support/delta_bomb.py",
                           mallory.repository.path], capture_output=True, text=True, check=True)
    text = mallory.commit_text(mallory.header(writer, 1, 1), mallory.tree(done.stdout.strip()[:40]))
    return put(mallory, writer, mallory.repository.put("commit", mallory.signed(text).encode()))


# --- shapes -----------------------------------------------------------------------------------

def in_a_tree(entries):
    """An attack whose tree is `entries` around the segment's blob."""
    def build(mallory, writer, title, bad):
        def change(text, blob):
            raw = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(blob)
                           for mode, name in entries)
            return re.sub("^tree .*", "tree " + mallory.repository.put("tree", raw), text, count=1)
        return raw_log(mallory, writer, title, change, bad)
    return build


for name, entries in {
        "a_tree_that_climbs": [(b"100644", b".."), (b"100644", b"segment")],
        "a_tree_with_a_slash": [(b"100644", b"../../../../etc/cron.d/x")],
        "a_tree_with_a_repository": [(b"40000", b".git"), (b"100644", b"segment")],
        "a_link": [(b"120000", b"segment")], "a_program": [(b"100755", b"segment")],
        "a_submodule": [(b"160000", b"segment")],
        "two_files": [(b"100644", b"segment"), (b"100644", b"segmenu")]}.items():
    build = in_a_tree(entries)
    build.__name__ = name
    attack("hostile tree")(build)


@attack("hostile tree")
def two_parents(mallory, writer, title, bad):
    return raw_log(mallory, writer, title, lambda text, _: text.replace(
        "\nauthor", f"\nparent {mallory.others}\nparent {mallory.others}\nauthor", 1), bad)


@attack("hostile tree")
def another_author(mallory, writer, title, bad):
    return raw_log(mallory, writer, title, lambda text, _: text.replace(
        f"author {writer}", f"author {mallory.victim}", 1), bad)


@attack("hostile tree")
def a_tip_that_is_a_blob(mallory, writer, title, bad):
    blob = mallory.repository.put("blob", b"hello")
    return put(mallory, writer, blob) if bad else plain_log(mallory, writer, title)


@attack("hostile tree")
def a_header_spelled_otherwise(mallory, writer, title, bad):
    ref = plain_log(mallory, writer, title)
    if bad:
        header = mallory.header(writer, 1, 1)
        blob = mallory.seal(header, frame_of(mallory.plain([operation(title)])))
        blob = mallory.repository.put("blob", blob.replace(b'"codec":', b'"codec": ', 1))
        text = mallory.signed(mallory.commit_text(header, mallory.tree(blob)))
        put(mallory, writer, mallory.repository.put("commit", text.encode()))
    return ref


# --- the run ----------------------------------------------------------------------------------

@pytest.fixture
def attacked(world):
    """North, whose remote is a host on loopback; South, which reaches the same repository; and
    Mallory, a member whose keys the test has."""
    north = world.site("North").start()
    hub = world.bare("hub")
    with Host(world, hub) as host:
        north.client("remote", "add", "hub", host.url)
        south = world.invited(north, "South")
        mallory_site = world.invited(north, "Mallory")
        south.start()
        south.client("remote", "remove", "hub")
        south.client("remote", "add", "hub", hub)
        south.add_file([duty("south 0")])
        south.sync()
        north.sync()
        mallory = Member(mallory_site, Repository(world, hub))
        mallory.victim = south.one("status")["site"]["id"]
        mallory.others = next(tip for ref, tip in mallory.repository.refs().items()
                              if mallory.victim in ref)
        yield north, south, mallory, host


def titles(site):
    return {one["fields"]["title"] for one in site.many("list", "core.duty", "--limit", 10_000)}


def alarms(site, kind=None):
    return [one for one in site.status()["alarms"] if kind in (None, one["kind"])]


def says_what_to_do(text):
    return re.search(r"\b([Ff]ind out|[Aa]sk|[Ss]ee that|run |[Ll]ook who|[Ll]et )", text)


def test_a_member_forges(attacked, counted):
    north, south, mallory, _ = attacked
    held, accepted = [], []
    refs = {}
    for name, (sort, build) in ATTACKS.items():
        for bad in (True, False):
            writer = mallory.writer()
            refs[name, bad] = build(mallory, writer, f"{'evil' if bad else 'twin'} {name}", bad)
    there = mallory.repository.refs()
    assert all(ref in there for ref in refs.values()), "an attack did not happen"
    south.add_file([duty("south 1")])
    delivered = south.sync(expect=None, timeout=600)[0]
    with Watch(north) as watch:
        outcome = north.sync(expect=None, timeout=600)[0]
    assert "error" in outcome
    shown = titles(north)
    assert "south 1" in shown, f"{delivered}\n{outcome}"
    standing = {one["subject"]: one for one in alarms(north)}
    first_parts = ("operations_counted_again", "a_volume_as_the_next_one", "a_gap_in_the_log")
    for name, (sort, _) in ATTACKS.items():
        told = standing.get(f"hub {refs[name, True]}")
        good = f"twin {name}" in shown
        evil = f"evil {name}" in shown and name not in first_parts or f"evil {name} again" in shown
        site = refs[name, True].split("/")[3].split("-")[0]
        well = told and site in told["message"] and says_what_to_do(told["message"])
        (accepted if evil else held).append(name)
        assert good, f"the twin of {name} was not accepted: {outcome} {alarms(north)}"
        assert well, f"{name}: no alarm that names it: {told}\n{list(standing)}"
    assert not accepted
    assert watch.memory < MEMORY, f"{watch.memory >> 20} MB"
    assert watch.disk < DISK, f"{watch.disk >> 20} MB"
    # Writing and reading go on, and South delivers and receives.
    north.add_file([duty("north 1")])
    north.sync(expect=None)
    south.sync(expect=None, timeout=600)
    assert "north 1" in titles(south)
    # Whoever cleans the remote needs to close no alarm.
    for name in ATTACKS:
        mallory.repository.git("update-ref", "-d", refs[name, True])
    north.sync()
    left = [one for one in alarms(north) if one["kind"] in ("refused", "not-received")]
    assert not left, left
    counted(f"{len(ATTACKS)} attacks, {len(held)} refused or bounded, {len(accepted)} accepted "
            f"({len({sort for sort, _ in ATTACKS.values()})} sorts, {watch.memory >> 20} MB at most)")
