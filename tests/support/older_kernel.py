"""Runs a command as on an older kernel: `older_kernel.py landlock,seccomp COMMAND...` refuses these
system calls (ENOSYS) to it and to all that it starts."""

import ctypes
import errno
import os
import struct
import sys

# x86-64 and arm64 agree on the first; seccomp differs, and can be asked for by prctl, too.
LANDLOCK = 444
SECCOMP = {"x86_64": (317, 157), "aarch64": (277, 167)}[os.uname().machine]
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x00050000 | errno.ENOSYS, 0x7FFF0000
NUMBER_AT, FIRST_ARGUMENT_AT = 0, 16


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def program(refused):
    steps = [(LOAD, 0, 0, NUMBER_AT)]
    if "landlock" in refused:
        steps += [(EQUAL, 0, 1, LANDLOCK), (RETURN, 0, 0, REFUSE)]
    if "seccomp" in refused:
        call, prctl = SECCOMP
        steps += [(EQUAL, 0, 1, call), (RETURN, 0, 0, REFUSE), (EQUAL, 0, 3, prctl),
                  (LOAD, 0, 0, FIRST_ARGUMENT_AT), (EQUAL, 0, 1, PR_SET_SECCOMP),
                  (RETURN, 0, 0, REFUSE)]
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps), len(steps)


def main():
    text, length = program(sys.argv[1].split(","))
    libc = ctypes.CDLL(None, use_errno=True)
    loaded = Program(length, text)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
            libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(loaded), 0, 0):
        sys.exit(os.strerror(ctypes.get_errno()))
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
