#!/usr/bin/env python3
"""Discovery by SSH: a credential is tried only where it may be, at hosts whose key is trusted; else the find is possible."""

import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import TOP, Lab, done, free_port, is_, ok

FINISHED, XEN, POSSIBLE, UP = 5, 1, 2, 2
SANE = 'exec sh -c "$SSH_ORIGINAL_COMMAND"'
TOOLS = f"{TOP}/tests/integration/xl/bin"
# Address -> has it the tools of Xen? The last one's key is not trusted.
HOSTS = {"127.0.0.21": True, "127.0.0.22": False, "127.0.0.23": True}
GOOD, EMPTY, STRANGE = HOSTS


def serve(lab, address, port):
    name = f"sshd-{address}"
    with open(lab.path("login-" + address), "w") as login:
        tools = f"{lab.path('tools')}:{TOOLS}:" if HOSTS[address] else ""
        login.write(f"export PATH={tools}/usr/bin:/bin XL_STATE={lab.path('xl-' + address)} "
                    f"XENSNMP_RUN={lab.path('run-' + address)}\ncd {lab.path('far')}\n{SANE}\n")
    os.makedirs(lab.path("xl-" + address, "dom"))
    with open(lab.path(name), "w") as out:
        out.write(f"ListenAddress {address}:{port}\nHostKey {lab.path('key-' + address)}\nPidFile none\nUsePAM no\nStrictModes no\n"
                  f"PermitRootLogin yes\nAuthorizedKeysFile {lab.path('user_key.pub')}\nPrintMotd no\nLogLevel VERBOSE\n"
                  f"ForceCommand sh {lab.path('login-' + address)}\n")
    lab.start(name, ["/usr/sbin/sshd", "-D", "-e", "-f", lab.path(name)])
    lab.wait(lambda: "Server listening" in lab.log(name), f"{name} listens")


def make_tools(lab):
    """The simulated xl, which also tells of the host."""
    os.makedirs(lab.path("tools"))
    with open(lab.path("tools", "xl"), "w", opener=lambda file, flags: os.open(file, flags, 0o755)) as out:
        out.write(f'#!/bin/sh\n[ "$1" != info ] || exec cat {TOP}/tests/fixtures/xl/info/mixed.txt\nexec {TOOLS}/xl "$@"\n')


def make_keys(lab, port):
    for name in ("user_key", *(f"key-{address}" for address in HOSTS)):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", lab.path(name)], check=True)
    with open(lab.path("known_hosts"), "a") as known:
        for address in (GOOD, EMPTY):
            with open(lab.path(f"key-{address}.pub")) as public:
                known.write(f"[{address}]:{port} {' '.join(public.read().split()[:2])}\n")
    for name, uris in {"good": "ssh://root@127.0.0.*", "elsewhere": "ssh://root@10.*", "secret": "ssh://*"}.items():
        with open(lab.path("credentials", name), "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as out:
            out.write(f"[credential]\nuris = {uris}\nkey = {lab.path('user_key')}\n")


def fingerprint(lab, address):
    said = subprocess.run(["ssh-keygen", "-lf", lab.path(f"key-{address}.pub")], check=True, capture_output=True, text=True).stdout
    return said.split()[1]


def discover(lab, name, port, credential):
    status = lab.set((lab.oid("xenDiscoveryStart", 0), "s", name), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "127.0.0.16/28"),
                     (lab.oid("xenDiscoveryStartProbes", 0), "s", f"ssh:{port}"),
                     (lab.oid("xenDiscoveryStartCredential", 0), "s", credential))
    if status != "noError":
        return status

    def over():
        return [cells for cells in lab.table("xenDiscoveryTable").values()
                if cells["xenDiscoveryLabel"] == name and cells["xenDiscoveryState"] == FINISHED]
    lab.wait(over, f"discovery {name} is over", 60)
    return {cells["xenFoundAddress"]: cells for cells in lab.table("xenFoundTable").values()}


with Lab(hosts=0, domains=0, farm=False, start=False,
         agent={"discovery_allow": "127.0.0.0/24", "discovery_credentials": "good; elsewhere"}) as lab:
    os.makedirs("/run/sshd", exist_ok=True)
    os.makedirs(lab.path("far"))
    port = free_port(socket.SOCK_STREAM)
    make_keys(lab, port)
    make_tools(lab)
    for address in HOSTS:
        serve(lab, address, port)
    lab.start("snmpd")
    lab.start("xensnmpd")
    lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)), "the agent answers")

    is_(discover(lab, "secret", port, "secret"), "noAccess", "a credential that the file does not name is refused")
    finds = discover(lab, "plain", port, "")
    is_(sorted(finds), sorted(HOSTS), "every SSH server is found")
    is_({find["xenFoundVerdict"] for find in finds.values()}, {POSSIBLE}, "without a credential each is only possible")
    is_({address: find["xenFoundFingerprint"] for address, find in finds.items()},
        {address: fingerprint(lab, address) for address in HOSTS}, "each with its key's fingerprint")
    ok(not any("Accepted" in lab.log(f"sshd-{address}") for address in HOSTS), "nobody logged in")

    finds = discover(lab, "elsewhere", port, "elsewhere")
    is_(finds[GOOD]["xenFoundVerdict"], POSSIBLE, "a credential for other places")
    ok("is not for ssh://root@" in finds[GOOD]["xenFoundRemark"], f"tells so ({finds[GOOD]['xenFoundRemark']})")
    ok(not any("Accepted" in lab.log(f"sshd-{address}") for address in HOSTS), "it was not tried")

    finds = discover(lab, "good", port, "good")
    is_((finds[GOOD]["xenFoundVerdict"], finds[EMPTY]["xenFoundVerdict"], finds[STRANGE]["xenFoundVerdict"]),
        (XEN, POSSIBLE, POSSIBLE), "with a credential Xen is told from others")
    is_((finds[GOOD]["xenFoundProduct"], finds[GOOD].get("xenFoundName")), ("Xen 4.17.7", "xen1"), "it says what it is")
    ok("xl" in finds[EMPTY]["xenFoundRemark"], f"one without xl says so ({finds[EMPTY]['xenFoundRemark']})")
    ok("xenctl trust" in finds[STRANGE]["xenFoundRemark"], f"one that is not trusted, too ({finds[STRANGE]['xenFoundRemark']})")
    ok("publickey" not in lab.log(f"sshd-{STRANGE}"), "and was told no name or key")

    uri = f"ssh://root@{GOOD}:{port}"
    is_(lab.set((lab.oid("xenFoundRegisterAs", uri), "s", "lab")), "noError", "one SET registers it")
    lab.wait(lambda: lab.table("xenSourceTable")["lab"]["xenSourceState"] == UP, "the new source is up", 60)
    is_(lab.table("xenSourceTable")["lab"]["xenSourceCredential"], "good", "with the credential that proved it")
    latest = max(lab.table("xenDiscoveryTable"))
    finds = discover(lab, "after", port, "")
    is_((finds[GOOD]["xenFoundVerdict"], finds[GOOD]["xenFoundDiscovery"] > latest, finds[GOOD]["xenFoundRegisterAs"]),
        (POSSIBLE, True, "lab"), "what a later discovery sees takes the place of what was known")
done()
