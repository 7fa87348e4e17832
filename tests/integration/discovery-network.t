#!/usr/bin/env python3
"""Discovery on a network: agent and hosts in namespaces of their own, so that most addresses are silent.

Run without arguments it begins itself anew in a namespace; where the kernel forbids that, it is skipped.
"""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from discovery import Server, greets, xend
from lab import Lab, done, is_, ok

FINISHED, OK, XEN, POSSIBLE = 5, 2, 1, 2
AGENT, XENDS, BOX = "10.77.0.1", ("10.77.0.9", "10.77.0.17", "10.77.0.62"), "10.77.0.33"
XEND_PORT, SSH_PORT = 8006, 22


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def be_hosts():
    """The far side: waits for its interface, then serves until its standard input ends."""
    sys.stdin.readline()
    ip("link", "set", "lo", "up")
    for address in (*XENDS, BOX):
        ip("address", "add", address + "/26", "dev", "far0")
    ip("address", "add", "fd77::9/64", "dev", "far0", "nodad")
    ip("link", "set", "far0", "up")
    _ = [Server(address, XEND_PORT, xend(host="h" + address.rpartition(".")[2])) for address in XENDS]
    _ += [Server(BOX, SSH_PORT, greets(b"SSH-2.0-Box\r\n")), Server("fd77::9", SSH_PORT, greets(b"SSH-2.0-Six\r\n"))]
    print("ready", flush=True)
    sys.stdin.read()


def connect():
    """A pair of interfaces between this namespace and one for the hosts; the process of those."""
    ip("link", "set", "lo", "up")
    far = subprocess.Popen(["unshare", "-n", sys.executable, os.path.abspath(__file__), "hosts"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    ip("link", "add", "near0", "type", "veth", "peer", "name", "far0")
    own = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{far.pid}/ns/net") == own:  # until unshare has done its part
        time.sleep(0.01)
    ip("link", "set", "far0", "netns", str(far.pid))
    ip("address", "add", AGENT + "/26", "dev", "near0")
    ip("address", "add", "fd77::1/64", "dev", "near0", "nodad")
    ip("link", "set", "near0", "up")
    far.stdin.write("go\n")
    far.stdin.flush()
    far.stdout.readline()
    return far


def finish(lab, name):
    def over():
        return [cells for cells in lab.table("xenDiscoveryTable").values()
                if cells["xenDiscoveryLabel"] == name and cells["xenDiscoveryState"] == FINISHED]
    return lab.wait(over, f"discovery {name} is over", 60)[0]


def test(lab):
    allowed = lab.get(lab.oid("xenDiscoveryAllowed", 0))
    is_(allowed, "10.77.0.0/26,fd77::/64", "the agent may look into its own subnets")
    refused = lab.set((lab.oid("xenDiscoveryStart", 0), "s", "x"), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "127.0.0.1"))
    is_(refused, "noAccess", "which loopback is none of")
    refused = lab.set((lab.oid("xenDiscoveryStart", 0), "s", "x"), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "10.77.0.64/26"))
    is_(refused, "noAccess", "nor the next one")

    is_(lab.set((lab.oid("xenDiscoveryStart", 0), "s", "own")), "noError", "a name alone starts one in them")
    row = finish(lab, "own")
    is_((row["xenDiscoveryResult"], row["xenDiscoverySubnets"], row["xenDiscoveryAddresses"], row["xenDiscoveryProbes"]),
        (OK, "10.77.0.0/26", 62, "xapi,ssh,xend,libvirt"), "it tried each address, for everything")
    finds = lab.table("xenFoundTable")
    is_(sorted(finds), sorted([f"ssh://root@{BOX}", *(f"xend://{address}" for address in XENDS)]), "it found all hosts and no more")
    is_({uri: find["xenFoundVerdict"] for uri, find in finds.items() if uri.startswith("ssh")}, {f"ssh://root@{BOX}": POSSIBLE},
        "one of them may be Xen")
    is_([finds[f"xend://{address}"]["xenFoundName"] for address in XENDS], ["h9", "h17", "h62"], "the others are, by name")

    is_(lab.set((lab.oid("xenDiscoveryStart", 0), "s", "six"), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "fd77::9,fd77::99"),
                (lab.oid("xenDiscoveryStartProbes", 0), "s", "ssh")), "noError", "addresses of IPv6")
    is_(finish(lab, "six")["xenDiscoveryFound"], 1, "one answers")
    ok("ssh://root@[fd77::9]" in lab.table("xenFoundTable"), "it has a row")


def main():
    if sys.argv[1:] == ["hosts"]:
        be_hosts()
        return
    if sys.argv[1:] != ["inside"]:
        tried = subprocess.run(["unshare", "-rn", "sh", "-c", "ip link set lo up && ip link add near0 type veth peer name far0"],
                               capture_output=True, text=True, check=False) if shutil.which("unshare") and shutil.which("ip") else None
        if not tried or tried.returncode:
            print(f"1..0 # SKIP no network namespaces here: {tried.stderr.strip() if tried else 'unshare or ip is missing'}")
            return
        os.execvp("unshare", ["unshare", "-rn", sys.executable, os.path.abspath(__file__), "inside"])
    far = connect()
    try:
        with Lab(hosts=0, domains=0, farm=False) as lab:
            lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)), "the agent answers")
            test(lab)
    finally:
        far.stdin.close()
        far.wait()
    done()


main()
