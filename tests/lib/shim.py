"""Faults that a test puts under a program: a full disk, another time, no memory. See tests/shim/.

    shim = Shim(lab, "disk", "clock")       # before lab.start("xensnmpd")
    lab.start("xensnmpd", shim=shim)
    shim.disk(errno.ENOSPC, lab.path("state"))
    shim.disk(0)
    shim.clock(86400)

The file is mapped into the program: what is written here counts there at once, in its workers too."""

import os
import struct

_NUMBERS = {"disk_errno": 0, "clock_sec": 8, "alloc_octets": 16}
_FOLDER, _SIZE = 24, 4096


class Shim:
    def __init__(self, lab, *kinds):
        self.path = lab.path("shim")
        with open(self.path, "wb") as out:
            out.write(bytes(_SIZE))
        os.chmod(self.path, 0o644)
        folder = os.path.dirname(os.path.dirname(lab.binary("xensnmpd")))
        self.libraries = [os.path.join(folder, "tests", "shim", kind + ".so") for kind in kinds]

    def environment(self):
        """For a program that shall have these faults. A sanitizer wants to be the first library, and need not be."""
        asan = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": ":".join(self.libraries), "XENSNMP_SHIM": self.path,
                "ASAN_OPTIONS": f"{asan}:verify_asan_link_order=0"}

    def _write(self, at, data):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(data)

    def _number(self, name, value):
        self._write(_NUMBERS[name], struct.pack("=q", value))

    def disk(self, error, folder=None):
        """From now on writing below the folder fails with this errno; 0: it does not."""
        if folder:
            self._write(_FOLDER, os.path.realpath(folder).encode() + b"\0")
        self._number("disk_errno", error)

    def clock(self, seconds):
        """The wall clock is ahead by so much."""
        self._number("clock_sec", seconds)

    def memory(self, octets):
        """Workers get no piece of this size or more; 0: any."""
        self._number("alloc_octets", octets)
