"""Puts a pack into a repository: a blob of 300 MB of zeros, and a blob of 1,000 bytes as its delta.

Prints the small blob's id. Stock git makes no such delta (the base is far too large), so the pack is
written by hand.
"""
import hashlib
import struct
import subprocess
import sys
import zlib

REF_DELTA, BLOB = 7, 3
LARGE, SMALL = 300 << 20, 1000


def entry_header(kind, size):
    byte = kind << 4 | size & 15
    size >>= 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte, size = size & 127, size >> 7
    out.append(byte)
    return bytes(out)


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zeros(size):
    piece = bytes(1 << 20)
    for _ in range(size >> 20):
        yield piece


def main():
    repository = sys.argv[1]
    packer, base = zlib.compressobj(1), hashlib.sha1(b"blob %d\0" % LARGE)
    large = b""
    for piece in zeros(LARGE):
        large += packer.compress(piece)
        base.update(piece)
    large += packer.flush()
    copy = bytes([0x80 | 0x10 | 0x20]) + struct.pack("<H", SMALL)  # SMALL bytes from offset 0
    delta = varint(LARGE) + varint(SMALL) + copy
    pack = b"PACK" + struct.pack(">II", 2, 2)
    pack += entry_header(BLOB, LARGE) + large
    pack += entry_header(REF_DELTA, len(delta)) + base.digest() + zlib.compress(delta)
    pack += hashlib.sha1(pack).digest()
    subprocess.run(["git", "-C", repository, "index-pack", "--stdin"], input=pack, check=True,
                   stdout=subprocess.DEVNULL)
    print(hashlib.sha1(b"blob %d\0" % SMALL + bytes(SMALL)).hexdigest())


main()
