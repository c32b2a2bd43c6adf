"""What a member writes who does not keep to the rules: segments, commits and refs made by hand with
the keys of its own store. A second implementation of the formats that daemon/store/segment.h,
segment_sealed.h, git_commit.h and ssh_signature.h describe, over libsodium and libzstd.
"""

import base64
import ctypes
import hashlib
import json
import os
import random
import struct
import subprocess
import time
import zlib

sodium = ctypes.CDLL("libsodium.so.23")
zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_compress.restype = zstd.ZSTD_compressBound.restype = ctypes.c_size_t
sodium.sodium_init()

REF = "refs/heads/log/{}/{:08d}"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def frame_of(plain):
    """One zstd frame."""
    room = zstd.ZSTD_compressBound(ctypes.c_size_t(len(plain)))
    out = ctypes.create_string_buffer(room)
    size = zstd.ZSTD_compress(out, ctypes.c_size_t(room), plain, ctypes.c_size_t(len(plain)), 9)
    return out.raw[:size]


def hollow_frame(claimed, blocks=1):
    """A zstd frame that claims a size, and holds `blocks` blocks of 128 KiB of zeros each."""
    block = struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3] + b"\0"
    last = struct.pack("<I", (1 << 17) << 3 | 1 << 1 | 1)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", claimed) + block * (blocks - 1) + last


def string(data):
    return struct.pack(">I", len(data)) + data


class Keys:
    """An Ed25519 key pair and what SSH signatures are made of it."""

    def __init__(self, seed=None):
        self.public, self.secret = (ctypes.create_string_buffer(size) for size in (32, 64))
        sodium.crypto_sign_seed_keypair(self.public, self.secret, seed or os.urandom(32))
        digest = hashlib.blake2b(self.public.raw, digest_size=32).digest()[:16]
        self.site = base64.b32encode(digest).decode().lower().rstrip("=")

    def sign(self, data):
        """The signature of a commit, as git keeps it in `gpgsig`."""
        hashed = hashlib.sha512(data).digest()
        told = b"SSHSIG" + string(b"git") + string(b"") + string(b"sha512") + string(hashed)
        made = ctypes.create_string_buffer(64)
        sodium.crypto_sign_detached(made, None, told, ctypes.c_ulonglong(len(told)), self.secret)
        kind = string(b"ssh-ed25519")
        whole = (b"SSHSIG\0\0\0\1" + string(kind + string(self.public.raw)) + string(b"git") +
                 string(b"") + string(b"sha512") + string(kind + string(made.raw)))
        text = base64.b64encode(whole).decode()
        lines = [text[at:at + 70] for at in range(0, len(text), 70)]
        return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"])


class Repository:
    """A bare repository as its host sees it: any object, any ref."""

    def __init__(self, world, path):
        self.world, self.path = world, path

    def git(self, *words, data=None):
        done = subprocess.run(["git", "-C", str(self.path), *map(str, words)], input=data,
                              env=self.world.environment, capture_output=True)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def put(self, kind, data):
        """Writes an object loose, unchecked: git itself would refuse some of them."""
        store = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.sha1(store).hexdigest()
        path = self.path / "objects" / name[:2] / name[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(store, 1))
        return name

    def pack(self, objects):
        """A pack of (kind, data) made by hand, however large."""
        kinds = {"commit": 1, "tree": 2, "blob": 3}
        body = b"PACK" + struct.pack(">II", 2, len(objects))
        names = []
        for kind, data in objects:
            names.append(hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest())
            size, head = len(data), bytearray()
            byte, size = kinds[kind] << 4 | size & 15, size >> 4
            while size:
                head.append(byte | 0x80)
                byte, size = size & 127, size >> 7
            head.append(byte)
            body += bytes(head) + zlib.compress(data, 1)
        body += hashlib.sha1(body).digest()
        self.git("index-pack", "--stdin", data=body)
        return names

    def set(self, ref, commit):
        """A ref file as it is, whatever git thinks of its name."""
        path = self.path / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit + "\n")

    def refs(self):
        lines = self.git("for-each-ref", "--format=%(objectname) %(refname)").decode().split("\n")
        return {line[41:]: line[:40] for line in lines if line}


class Member(Keys):
    """A member of a space: the keys of its store, and logs under any incarnation."""

    def __init__(self, site, repository):
        super().__init__(bytes.fromhex((site.store / "keys/sign.key").read_text().strip())[:32])
        folder = site.store / "spaces" / site.space
        self.space = json.loads((folder / "space.json").read_text())["id"]
        epochs = json.loads((folder / "keys.json").read_text())["epochs"]
        self.epochs = {number: base64.b64decode(key) for number, key in epochs}
        self.repository = repository
        invited = (folder / "invite.json").exists()
        self.introduction = self.introduced(site.store, folder) if invited else None

    def introduced(self, store, folder):
        """What the first segment of each writer says of an invited site (core/circle.h)."""
        invite = json.loads((folder / "invite.json").read_text())
        key = Keys(base64.b64decode(invite["sign"]))
        box, unused = (ctypes.create_string_buffer(32) for _ in range(2))
        sodium.crypto_box_seed_keypair(
            box, unused, bytes.fromhex((store / "keys/box.key").read_text().strip()))
        text = (f"dutybook introduction\n{self.space}\n{self.site}\n".encode() +
                self.public.raw + box.raw)
        proof = ctypes.create_string_buffer(64)
        sodium.crypto_sign_detached(proof, None, text, ctypes.c_ulonglong(len(text)), key.secret)
        return {name: base64.b64encode(value).decode() for name, value in
                (("box", box.raw), ("invite", key.public.raw), ("proof", proof.raw),
                 ("sign", self.public.raw))}

    def writer(self):
        letters = "abcdefghijklmnopqrstuvwxyz234567"
        return f"{self.site}-{''.join(random.choice(letters) for _ in range(8))}"

    def header(self, writer, first=1, last=0, **other):
        made = {"codec": "sealed1", "epoch": max(self.epochs), "first": first, "format": 1,
                "last": last, "previous": "", "space": self.space,
                "time": int(time.time()) * 1000, "volume": 1, "writer": writer, **other}
        own = made["writer"].startswith(self.site)
        if not made["previous"] and own and self.introduction:
            made.setdefault("introduction", self.introduction)
        return made

    def seal(self, header, frame):
        """The blob of a segment around a zstd frame (or what pretends to be one)."""
        line = canonical(header)
        if header["codec"] == "zstd":
            return line + b"\n" + frame
        least = len(frame) + 1
        step = min(max(1 << (least.bit_length() - 1), 256 * 32) // 32, 8192)
        padded = frame + b"\x80" + b"\0" * (-(-least // step) * step - least)
        return line + b"\n" + self.encrypted(header["epoch"], line, padded)

    def encrypted(self, epoch, place, plain):
        """Nonce and bytes, authenticated with their place."""
        key = self.epochs[epoch]
        sub = hashlib.blake2b(b"dutybook nonce", digest_size=32, key=key).digest()
        nonce = hashlib.blake2b(struct.pack("<Q", len(place)) + place + plain, digest_size=24,
                                key=sub).digest()
        out = ctypes.create_string_buffer(len(plain) + 16)
        sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            out, None, plain, ctypes.c_ulonglong(len(plain)), place,
            ctypes.c_ulonglong(len(place)), None, nonce, key)
        return nonce + out.raw

    def plain(self, lines, frontier=None, next_heard=None):
        told = {"frontier": frontier or {}}
        if next_heard is not None:
            told["next_heard"] = next_heard
        return b"\n".join([canonical(told), *lines]) + b"\n"

    def commit_text(self, header, tree, parent=""):
        person = (f"{header['writer']} <{header['writer']}@dutybook.invalid> "
                  f"{header['time'] // 1000} +0000")
        said = f"segment {header['first']}-{header['last']}" if header["last"] >= header["first"] \
            else f"receipt {header['last']}"
        return (f"tree {tree}\n" + (f"parent {parent}\n" if parent else "") +
                f"author {person}\ncommitter {person}\n\n{said}\n")

    def signed(self, text, key=None):
        """`key` None: signed by this member; False: not at all."""
        if key is False:
            return text
        head, _, rest = text.partition("\n\n")
        signature = (key or self).sign(text.encode()).replace("\n", "\n ")
        return f"{head}\ngpgsig {signature}\n\n{rest}"

    def tree(self, blob):
        return self.repository.put("tree", b"100644 segment\0" + bytes.fromhex(blob))

    def segment(self, header, lines=(), parent="", frontier=None, next_heard=None, frame=None,
                key=None):
        """Puts one honest segment (unless a part is given) into the repository; its commit."""
        frame = frame or frame_of(self.plain(lines, frontier, next_heard))
        blob = self.repository.put("blob", self.seal(header, frame))
        text = self.commit_text(header, self.tree(blob), parent)
        return self.repository.put("commit", self.signed(text, key).encode())

    def entry(self, act, previous, key=None):
        """A control entry that follows the commit `previous`; its commit (store/control_log.h)."""
        told = json.loads(self.repository.git("cat-file", "blob", f"{previous}:entry"))
        at = int(time.time() * 1000)
        made = {"at": at, "by": base64.b64encode((key or self).public.raw).decode(), "chain": [],
                "epoch": max(self.epochs), "format": 1, "number": told["number"] + 1,
                "previous": previous, "space": self.space, "wraps": []}
        sealed = self.encrypted(made["epoch"], canonical(made), canonical(act))
        made["body"] = base64.b64encode(sealed).decode()
        blob = self.repository.put("blob", canonical(made) + b"\n")
        tree = self.repository.put("tree", b"100644 entry\0" + bytes.fromhex(blob))
        person = f"{self.space} <control@dutybook.invalid> {at // 1000} +0000"
        text = (f"tree {tree}\nparent {previous}\nauthor {person}\ncommitter {person}\n\n"
                f"control {made['number']}\n")
        return self.repository.put("commit", self.signed(text, key).encode())

    def log(self, lines, writer=None, **how):
        """A whole honest log of one segment: (writer, ref, commit)."""
        writer = writer or self.writer()
        commit = self.segment(self.header(writer, 1, len(lines)), lines, **how)
        ref = REF.format(writer, 1)
        self.repository.set(ref, commit)
        return writer, ref, commit


def operation(record, do="create", at=None, **fields):
    """The line of an operation on a duty."""
    at = at or int(time.time() * 1000)
    line = {"auth": "socket", "by": "mallory", "do": do, "hlc": [at, 0], "record": record.replace(" ", "-"),
            "set": fields, "zone": "UTC"}
    if do == "create":
        line |= {"kind": "core.duty", "set": {"category": "supervision", "priority": "normal",
                                              "state": "open", "title": record, **fields}}
    return canonical(line)
