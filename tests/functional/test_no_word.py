"""The host of a remote reads nothing: a marker in every place where somebody writes something is
found nowhere in all that the remote holds, loose or packed, after decompression. Opened with the
space's own keys the same bytes show it in each of these places; so does a space without encryption."""

import base64
import ctypes
import json
import subprocess
import zlib

from dutybook import duty
from forge import canonical, sodium
from plugins import TEXT, kind, rule, write_plugin
from test_trust import unzstd

# Short: site and space names are a part of the socket's path.
FIELD, RECORD, PERSON, REASON, SITE, SPACE, PARENT, INVITED, PLUGIN, TAG = (
    f"zq{word}7391" for word in ("field", "rec", "person", "reason", "site", "space", "parent",
                                 "guest", "plugin", "tag"))
ALL = (FIELD, RECORD, PERSON, REASON, SITE, SPACE, PARENT, INVITED, PLUGIN, TAG)


def package(folder):
    lua = f"""
-- {PLUGIN} in a comment
rules["{PLUGIN.upper()}-R01"] = function(row) return array() end
"""
    name = f"{PLUGIN}.row"
    return write_plugin(folder, PLUGIN, [kind(name, {"note": TEXT})],
                        [rule(f"{PLUGIN.upper()}-R01", name, {"x": f"{PLUGIN} says"})], lua,
                        cases=[])


def write_everywhere(site, folder):
    site.add_file([{**duty(f"{FIELD} {i}", category=FIELD, place=FIELD, tags=[TAG]),
                    "id": f"{RECORD}-{i}"} for i in range(1000)], by=PERSON)
    site.client("set", f"{RECORD}-1", f"title={FIELD} changed", "--reason", REASON, by=PERSON)
    site.client("delete", f"{RECORD}-2", by=PERSON)
    if folder is None:  # a plain space has no administrator who could sign a plugin
        return (FIELD, RECORD, PERSON, REASON, TAG)
    site.client("plugin", "install", package(folder), "--space")
    site.client("add", f"{PLUGIN}.row", f"note={FIELD}")
    return (FIELD, RECORD, PERSON, REASON, PLUGIN, TAG)


def objects(world, repository):
    """(id, kind, content) of every object, loose and packed, also those that no ref leads to."""
    listed = world.git("-C", repository, "cat-file", "--batch-all-objects", "--unordered",
                       "--batch-check=%(objectname)").split()
    out = subprocess.run(["git", "-C", str(repository), "cat-file", "--batch"],
                         input="\n".join(listed).encode() + b"\n", env=world.environment,
                         capture_output=True, check=True).stdout
    at = 0
    for _ in listed:
        head, at = out[at:].split(b"\n", 1)[0], out.index(b"\n", at) + 1
        name, what, size = head.decode().split()
        yield name, what, out[at:at + int(size)]
        at += int(size) + 1


def frames(content):
    """What zstd frames in it hold."""
    at = content.find(b"\x28\xb5\x2f\xfd")
    while at >= 0:
        yield unzstd(content[at:])
        at = content.find(b"\x28\xb5\x2f\xfd", at + 1)


def everything(world, repository):
    """All bytes of a bare repository: objects opened, and each file beside them (refs, config,
    names of files and folders), inflated where it is a zlib stream."""
    count = 0
    for name, _, content in objects(world, repository):
        count += 1
        yield f"object {name}", content
        for opened in frames(content):
            yield f"frame in {name}", opened
    assert count > 5
    for path in sorted(repository.rglob("*")):
        yield "a name", str(path.relative_to(repository)).encode()
        if not path.is_file():
            continue
        raw = path.read_bytes()
        yield str(path), raw
        try:
            yield f"inflated {path}", zlib.decompress(raw)
        except zlib.error:
            pass


def found(bytes_of, words):
    """How often each word is in all of it, whatever its case, as it is and in base64."""
    hits = dict.fromkeys(words, 0)
    for _, content in bytes_of:
        lowered = content.lower()
        for word in words:
            hits[word] += lowered.count(word.lower().encode())
            for shift in range(3):  # where it may begin within three bytes
                encoded = base64.b64encode(b"\0" * shift + word.encode())
                hits[word] += content.count(encoded[4 if shift else 0:-4])
    return hits


# --- the same bytes with the space's keys ---

def opened(sealed, place, key):
    nonce, body = sealed[:24], sealed[24:]
    out = ctypes.create_string_buffer(max(1, len(body) - 16))
    done = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, None, None, body, ctypes.c_ulonglong(len(body)), place,
        ctypes.c_ulonglong(len(place)), nonce, key)
    return out.raw if done == 0 else None


def decrypted(world, repository, store, space):
    """What every segment and control entry says; a second implementation of the formats."""
    epochs = json.loads((store / "spaces" / space / "keys.json").read_text())["epochs"]
    keys = {number: base64.b64decode(key) for number, key in epochs}
    for name, what, content in objects(world, repository):
        if what != "blob" or not content.startswith(b"{"):
            continue
        line = content.split(b"\n", 1)[0]
        head = json.loads(line)
        key = keys[head["epoch"]]
        if "body" in head:
            body = base64.b64decode(head.pop("body"))
            yield name, opened(body, canonical(head), key)
            continue
        padded = opened(content[len(line) + 1:], line, key)
        yield name, unzstd(padded.rstrip(b"\0")[:-1])


def test_no_word_is_shown(world, tmp_path, counted):
    north = world.site(SITE, space=PARENT).start()
    north.client("space", "create", SPACE, "--parent", PARENT)
    hubs = {space: world.bare(f"hub{number}")
            for number, space in enumerate((PARENT, SPACE))}
    for space, hub in hubs.items():
        north.client("remote", "add", "hub", hub, space=space)
    south = world.invited(north, INVITED, space=SPACE).start()
    north.space = SPACE
    words = write_everywhere(north, tmp_path)
    north.client("add", "core.duty", f"title={FIELD}", "category=c", "priority=low", "state=open",
                 space=PARENT, by=PERSON)
    for site in (north, south, north):
        for space in (PARENT, SPACE):
            site.client("sync", space=space)
    assert south.status()["digest"] == north.digest() and south.status()["records"] > 1000
    # A removal, new keys, the pen: every sort of control entry that names somebody.
    north.client("members", "rotate")
    north.client("members", "remove", INVITED)
    north.sync()

    hits = {}
    for space, hub in hubs.items():
        assert not any(found(everything(world, hub), ALL).values()), space
        world.git("-C", hub, "gc", "-q", "--prune=now")  # packed
        assert not any(found(everything(world, hub), ALL).values()), space
        # The control: with the keys the same bytes show it, in each place.
        for word, count in found(decrypted(world, hub, north.store, space),
                                 (*words, SITE, SPACE, PARENT, INVITED)).items():
            hits[word] = hits.get(word, 0) + count
    assert all(hits.values()), hits
    counted(f"{len(hits)} places, 0 hits at the host; with the keys {sum(hits.values())}")


def test_without_encryption_it_is_found(world):
    """The negative control: the search finds what is there."""
    plain = world.site(SITE, space="plain")
    folder = plain.store / "spaces/plain"
    space = json.loads((folder / "space.json").read_text())
    (folder / "space.json").write_text(json.dumps({**space, "sealed": False}))
    (folder / "space.json.kept").unlink(missing_ok=True)
    plain.spawn()
    assert plain.process.wait(20) != 0, "nothing falls back to plain text"
    assert "not encrypted" in plain.log.read_text()
    plain.start("--plain-spaces")
    hub = world.bare("hub")
    plain.client("remote", "add", "hub", hub)
    words = write_everywhere(plain, None)
    plain.sync()
    hits = found(everything(world, hub), words)
    assert all(hits.values()), hits
