"""A host that lies in git's own protocol, that takes back what it held or hides it, and a folder
whose settings would run programs. The truth is told by real git; support/host.py tells the lies.

Each lie is told (counted by the host), costs a bounded time, memory and disk, is told in `status`,
and is over when the host tells the truth again: that is its twin.
"""

import contextlib
import os
import random
import re
import socket
import struct
import threading
import time
import zlib

import pytest
from dutybook import FAKETIME, duty
from host import FLUSH, Host, Watch, occupied, packet

MEMORY, DISK = 200 << 20, 200 << 20
SORTS = set()


@pytest.fixture
def told(world):
    """North behind a host that may lie to it, South behind the same repository."""
    north = world.site("North").start()
    hub = world.bare("hub")
    with Host(world, hub) as host:
        north.client("remote", "add", "hub", host.url)
        north.client("remote", "set", "hub", "--timeout", 3)
        south = world.invited(north, "South").start()
        south.client("remote", "remove", "hub")
        south.client("remote", "add", "hub", hub)
        south.add_file([duty("south 0")])
        south.sync()
        north.sync()
        yield north, south, host


def titles(site):
    return {one["fields"]["title"] for one in site.many("list", "core.duty", "--limit", 10_000)}


def kinds(site):
    return {one["kind"] for one in site.status()["alarms"]}


def south_id(south):
    return south.one("status")["site"]["id"]


def log_of(host, site):
    """The refs of a site's logs at the remote."""
    lines = host.world.git("-C", host.repository, "for-each-ref",
                           "--format=%(objectname) %(refname)").splitlines()
    return {line[41:]: line[:40] for line in lines if site in line}


# --- lies while listing and fetching ----------------------------------------------------------

def garbage(talk):
    talk.send(random.Random(1).randbytes(100_000))


def half_a_packet(talk):
    talk.send(b"fff0version 2\n")


def a_web_page(talk):
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>" + b"x" * 10_000)


def list_without_end(talk):
    talk.advertise()
    talk.request()
    number = 0
    with contextlib.suppress(OSError):
        while True:
            talk.send(b"".join(packet(f"{number + i:040x} refs/heads/log/{number + i}\n")
                               for i in range(1000)))
            number += 1000


def capabilities_without_end(talk):
    with contextlib.suppress(OSError):
        talk.send(packet("version 2\n"))
        while True:
            talk.send(packet("x" * 60_000) * 10)


def a_list_of_nonsense(talk):
    talk.answer(ls_refs=lambda talk, _: talk.send(packet("not a ref at all\n") + FLUSH))


def wants_what_we_hold(talk):
    """Asks for objects itself, where it is to answer."""
    talk.answer(ls_refs=lambda talk, _: talk.send(
        packet("command=fetch\n") + packet(f"want {'a' * 40}\n") + packet("done\n") + FLUSH))


def a_message_for_the_terminal(talk):
    talk.send(packet(b"ERR \x1b]0;owned\x07\x1b[2J\xff\xfe\xe2\x80\xaeGNP No space left on device\n"))


def silence_after_the_greeting(talk):
    talk.advertise()
    talk.stall()


def fetch_lie(lie):
    """Tells the truth until something is fetched."""
    def tell(talk):
        talk.answer(fetch=lie)
    tell.__name__ = lie.__name__
    return tell


@fetch_lie
def half_a_pack_and_silence(talk, request):
    whole = talk.truth(request)
    talk.send(whole[:len(whole) * 2 // 3])
    talk.stall()


@fetch_lie
def a_pack_with_flipped_bits(talk, request):
    whole = bytearray(talk.truth(request))
    for at in range(len(whole) // 2, len(whole) - 40, 7):
        whole[at] ^= 0x40
    talk.send(bytes(whole))


@fetch_lie
def no_such_object(talk, request):
    talk.send(packet("ERR upload-pack: not our ref\n"))


@fetch_lie
def an_empty_pack(talk, request):
    import hashlib
    pack = b"PACK" + struct.pack(">II", 2, 0)
    talk.send(packet("packfile\n"))
    talk.band(1, pack + hashlib.sha1(pack).digest())
    talk.send(FLUSH)


@fetch_lie
def messages_without_end(talk, request):
    talk.send(packet("packfile\n"))
    with contextlib.suppress(OSError):
        while True:
            talk.band(2, b"Counting objects: 1%\r" * 3000)


@fetch_lie
def a_pack_without_end(talk, request):
    talk.send(packet("packfile\n"))
    talk.band(1, b"PACK" + struct.pack(">II", 2, 0xffffffff))
    chance, number = random.Random(2), 0
    with contextlib.suppress(OSError):
        while True:  # blobs of 32 random bytes
            talk.band(1, b"".join(b"\xb0\x02" + zlib.compress(chance.randbytes(32))
                                  for _ in range(500)))
            number += 500


@fetch_lie
def an_object_without_end(talk, request):
    talk.send(packet("packfile\n"))
    # A commit of 2^40 bytes: git has to hold commits whole.
    head, size = bytearray(), 1 << 40
    byte, size = 1 << 4 | size & 15, size >> 4
    while size:
        head.append(byte | 0x80)
        byte, size = size & 127, size >> 7
    head.append(byte)
    talk.band(1, b"PACK" + struct.pack(">II", 2, 1) + bytes(head))
    packer = zlib.compressobj(1)
    with contextlib.suppress(OSError):
        while True:
            talk.band(1, packer.compress(b"\0" * (1 << 22)))


@fetch_lie
def a_pack_that_unfolds(talk, request):
    """150 MB of commit in less than a megabyte."""
    talk.send(packet("packfile\n"))
    content = b"tree " + b"a" * 40 + b"\n" + b"\0" * (150 << 20)
    head, size = bytearray(), len(content)
    byte, size = 1 << 4 | size & 15, size >> 4
    while size:
        head.append(byte | 0x80)
        byte, size = size & 127, size >> 7
    head.append(byte)
    with contextlib.suppress(OSError):
        talk.band(1, b"PACK" + struct.pack(">II", 2, 1) + bytes(head) + zlib.compress(content, 1))
        talk.stall()


@fetch_lie
def asks_again_and_again(talk, request):
    """Never has enough of what we say that we hold: each answer asks for more of it."""
    with contextlib.suppress(OSError):
        while request:
            talk.host.haves |= set(re.findall(rb"have ([0-9a-f]{40})", request))
            talk.send(packet("acknowledgments\n") + packet("NAK\n") + FLUSH)
            request = talk.request()


def leads_elsewhere(kind):
    def tell(talk):
        # Whoever follows comes to this port.
        address = f"http://127.0.0.1:{talk.host.trap.getsockname()[1]}/evil"
        if kind == "packfile-uris":
            talk.advertise("fetch=shallow packfile-uris sideband-all")
        else:
            talk.advertise("bundle-uri")
        while request := talk.request():
            if b"command=bundle-uri" in request:
                talk.send(packet(f"bundle.version=1\n") + packet("bundle.mode=all\n") +
                          packet(f"bundle.x.uri={address}\n") + FLUSH)
            elif b"command=fetch" in request and kind == "packfile-uris":
                talk.send(packet("packfile-uris\n") + packet(f"{'a' * 40} {address}\n") + b"0001" +
                          packet("packfile\n") + FLUSH)
            elif b"command=fetch" in request:
                talk.send(packet(f"ERR redirect to {address}\n"))
            else:
                talk.send(talk.truth(request))
    tell.__name__ = f"leads_elsewhere_by_{kind}"
    return tell


def forged_list(change):
    """The true list, changed."""
    def tell(talk):
        def ls_refs(talk, request):
            refs = {line[41:]: line[:40] for line in talk.host.world.git(
                "-C", talk.host.repository, "for-each-ref",
                "--format=%(objectname) %(refname)").splitlines()}
            change(refs, talk.host)
            talk.list(refs)
        talk.answer(ls_refs=ls_refs)
    tell.__name__ = change.__name__
    return tell


@forged_list
def ten_thousand_strangers(refs, host):
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    chance, tip = random.Random(3), next(iter(refs.values()))
    for _ in range(10_000):
        name = "".join(chance.choice(letters) for _ in range(26))
        refs[f"refs/heads/log/{name}-abcdefgh/00000001"] = tip


@forged_list
def names_that_are_not_ours(refs, host):
    tip = next(iter(refs.values()))
    for name in ("main", "log", "log/", "log/x/00000001", "log/../../../etc/00000001",
                 "log/UPPER-CASE/00000001", f"log/{'a' * 26}-abcdefgh/1",
                 f"log/{'a' * 26}-abcdefgh/00000000", f"log/{'a' * 26}-abcdefgh/00000001/x",
                 "log/-rf-abcdefgh/00000001", "log/--upload-pack=x-abcdefgh/00000001",
                 f"log/{'a' * 26}-abcdefgh/00000001 ", "dutybook/x", "../../config"):
        refs[f"refs/heads/{name}"] = tip
    refs["refs/tags/v1"] = refs["refs/notes/x"] = refs["HEAD"] = tip


LISTING = [garbage, half_a_packet, a_web_page, list_without_end, capabilities_without_end,
           a_list_of_nonsense, wants_what_we_hold, a_message_for_the_terminal,
           silence_after_the_greeting]
FETCHING = [half_a_pack_and_silence, a_pack_with_flipped_bits, no_such_object, an_empty_pack,
            messages_without_end, a_pack_without_end, an_object_without_end, a_pack_that_unfolds,
            asks_again_and_again, leads_elsewhere("packfile-uris"), leads_elsewhere("bundle-uri")]
HARMLESS = [ten_thousand_strangers, names_that_are_not_ours]


def test_a_host_lies_in_the_protocol(told, counted):
    north, south, host = told
    host.haves = set()
    host.trap = socket.create_server(("127.0.0.1", 0))
    host.trap.settimeout(0)
    south_site, most, held = south_id(south), 0, 0
    for number, lie in enumerate(LISTING + FETCHING + HARMLESS):
        name = lie.__name__
        south.add_file([duty(f"south {name}")])
        south.sync()  # the good site goes on
        north.add_file([duty(f"north {name}")])
        before = occupied(north.store)
        host.lie, lied = lie, host.lied
        began = time.monotonic()
        with Watch(north) as watch:
            outcome = north.sync(expect=None)[0]
        took = time.monotonic() - began
        host.lie = None
        assert host.lied > lied, f"{name} was not told"
        assert watch.memory < MEMORY, f"{name}: {watch.memory >> 20} MB"
        assert watch.disk - before < DISK, f"{name}: {watch.disk - before >> 20} MB of disk"
        assert took < 60, f"{name}: {took} s"
        most = max(most, watch.memory)
        status = north.status()
        if lie in HARMLESS:
            assert f"south {name}" in titles(north), name
        else:
            assert not outcome["ok"], f"{name}: believed\n{outcome}"
            assert f"south {name}" not in titles(north)
            error = status["remotes"][0]["error"]
            assert "hub" in error and len(error) < 2000, name
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", error), f"{name}: {error!r}"
        if lie in FETCHING:
            told_alarms = [one["message"] for one in status["alarms"] if one["kind"] != "silent"]
            link_dropped = "dropped" in status["remotes"][0]["error"]
            assert link_dropped or any(south_site in one and "hub" in one for one in told_alarms), \
                f"{name}: {outcome['error']} {told_alarms}"
        held += 1
        # The twin: the same contact with a host that tells the truth.
        assert north.sync()[0]["ok"], name
        assert f"south {name}" in titles(north), name
        left = [one for one in north.status()["alarms"] if one["kind"] != "strangers"]
        assert not left, f"{name}: {left}"
    with pytest.raises(OSError):
        host.trap.accept()  # nobody was led there
    # What it was told that we hold was of the volume asked for, and listed by itself before.
    known = set(host.world.git("-C", host.repository, "rev-list", "--all").split())
    assert {one.decode() for one in host.haves} <= known
    south.sync()
    assert titles(north) == titles(south)
    counted(f"{held} attacks, {held} refused or bounded, 0 accepted ({most >> 20} MB at most)")


def test_strangers_are_told(told):
    north, south, host = told
    host.lie = ten_thousand_strangers
    north.sync(expect=None)
    alarm = next(one for one in north.status()["alarms"] if one["kind"] == "strangers")
    assert "nobody here knows" in alarm["message"] and "Find out who" in alarm["message"]
    assert len(north.status()["alarms"]) < 120
    assert len((north.store / "spaces/school/remotes.json").read_bytes()) < 20_000
    host.lie = None
    north.sync()
    assert not north.status()["alarms"]
