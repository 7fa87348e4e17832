#!/usr/bin/env python3
"""Runs a command under the restrictions of a systemd unit, without systemd: confine.py UNIT WRITABLE COMMAND...

What of the unit is put into force: SystemCallFilter= (with the sets as systemd-analyze knows them), RestrictAddressFamilies=,
MemoryDenyWriteExecute=, NoNewPrivileges=, UMask=, an empty CapabilityBoundingSet=; and, when run as root, User= (as
the account nobody) and, where mount namespaces may be made, ProtectSystem=strict: all is read-only but the folder WRITABLE.
A directive that is missing restricts nothing.
"""

import ctypes
import os
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
SECCOMP = ctypes.CDLL("libseccomp.so.2", use_errno=True)
SECCOMP.seccomp_init.restype = ctypes.c_void_p
SECCOMP.seccomp_init.argtypes = [ctypes.c_uint32]
NOBODY = 65534
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, EAFNOSUPPORT = 1, 97
EQUAL, MASKED_EQUAL = 4, 7
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
FAMILY_MAX = 45
PROT_WRITE, PROT_EXEC = 2, 4
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


class Argument(ctypes.Structure):
    """struct scmp_arg_cmp"""
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def directives(unit):
    """{name: [values, in their order]}"""
    found = {}
    with open(unit) as text:
        for line in text:
            name, equals, value = line.strip().partition("=")
            if equals and not line.startswith("#"):
                found.setdefault(name, []).append(value)
    return found


def check(done, what):
    if done < 0:
        sys.exit(f"confine.py: {what}: {os.strerror(ctypes.get_errno() or -done)}")
    return done


# --- system calls

def members(name):
    """The calls of a set, or the call itself."""
    if not name.startswith("@"):
        return {name}
    lines = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
    words = [line.strip() for line in lines.splitlines()[1:] if not line.strip().startswith("#")]
    return set().union(*(members(word) for word in words if word))


def allowed_calls(filters):
    calls = set()
    for line in filters:
        named = set().union(*(members(word) for word in line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    # systemd allows what it needs itself to start a program.
    return calls | members("@default") | {"execve"}


class Filter:
    """One seccomp filter; several add up."""

    def __init__(self, otherwise):
        self.context = ctypes.c_void_p(SECCOMP.seccomp_init(otherwise))

    def rule(self, action, call, *arguments):
        number = SECCOMP.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # a call of other processors has none here
            array = (Argument * len(arguments))(*arguments)
            check(SECCOMP.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(arguments), array), call)

    def load(self):
        check(SECCOMP.seccomp_load(self.context), "seccomp")


def filters_of(unit):
    if "RestrictAddressFamilies" in unit:
        families = Filter(ALLOW)
        known = {FAMILIES[name] for line in unit["RestrictAddressFamilies"] for name in line.split()}
        for family in set(range(FAMILY_MAX)) - known:
            families.rule(ERRNO | EAFNOSUPPORT, "socket", Argument(0, EQUAL, family, 0))
        yield families
    if unit.get("MemoryDenyWriteExecute") == ["yes"]:
        memory = Filter(ALLOW)
        memory.rule(ERRNO | EPERM, "mmap", Argument(2, MASKED_EQUAL, PROT_EXEC | PROT_WRITE, PROT_EXEC | PROT_WRITE))
        for call in ("mprotect", "pkey_mprotect"):
            memory.rule(ERRNO | EPERM, call, Argument(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
        yield memory
    # The last: what it forbids, the others need.
    if "SystemCallFilter" in unit:
        calls = Filter(ERRNO | EPERM)
        for call in allowed_calls(unit["SystemCallFilter"]):
            calls.rule(ALLOW, call)
        yield calls


# --- files and privileges

def read_only(path, yes):
    """Sets or clears the attribute for all that is mounted from there on."""
    bits = (MOUNT_ATTR_RDONLY, 0) if yes else (0, MOUNT_ATTR_RDONLY)
    attributes = (ctypes.c_uint64 * 4)(*bits, 0, 0)
    check(LIBC.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, attributes, ctypes.sizeof(attributes)),
          f"{path} read-only: {yes}")


def can_protect_files():
    """Are we root, and in no container that keeps us from mounting?"""
    child = os.fork()
    if child == 0:
        os._exit(os.geteuid() != 0 or LIBC.unshare(CLONE_NEWNS) < 0)
    return os.waitpid(child, 0)[1] == 0


def protect_files(writable):
    check(LIBC.unshare(CLONE_NEWNS), "a mount namespace")
    check(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "/")
    check(LIBC.mount(writable.encode(), writable.encode(), None, MS_BIND, None), writable)
    read_only("/", True)
    read_only(writable, False)


def drop_capabilities():
    with open("/proc/sys/kernel/cap_last_cap") as last:
        for capability in range(int(last.read()) + 1):
            check(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), f"capability {capability}")


def confine(unit, writable):
    filters = list(filters_of(unit))
    os.umask(int(unit.get("UMask", ["0022"])[-1], 8))
    if unit.get("ProtectSystem") == ["strict"] and can_protect_files():
        protect_files(writable)
    if os.geteuid() == 0:
        if unit.get("CapabilityBoundingSet") == [""]:
            drop_capabilities()
        if "User" in unit:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    if unit.get("NoNewPrivileges") == ["yes"]:
        check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    for one in filters:
        one.load()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    confine(directives(sys.argv[1]), sys.argv[2])
    os.execv(sys.argv[3], sys.argv[3:])
