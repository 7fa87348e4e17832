#!/usr/bin/env python3
"""A group of four guests is started equally over both hosts, rebalanced after one of them moved, and shut down; another makes its members of
configurations: by snmpset alone."""

from real import *

GROUP = "shop"
# Debian's Xen moves PVH guests live, not PV ones: those have a host each.
MEMBERS = {"pvh1": None, "pvh2": None, "tiny2": "xen1", "tiny3": "xen2"}
CREATE_AND_GO = 4
STATUS_OK, STATUS_STOPPED = 1, 7
MINUTES = 60


def homes():
    """{host: the members that xl has there}"""
    return {k: sorted(name for name in lab.xen.xl(k) if name in MEMBERS) for k in (1, 2)}


def made():
    row = [(lab.oid("xenGroupHosts", GROUP), "s", "xen1 xen2"), (lab.oid("xenGroupRowStatus", GROUP), "i", CREATE_AND_GO)]
    for name, host in MEMBERS.items():
        row.append((lab.oid("xenMemberRowStatus", GROUP, name), "i", CREATE_AND_GO))
        if host:
            row.append((lab.oid("xenMemberPin", GROUP, name), "s", host))
    is_(lab.set(*row), "noError", "one SET makes the group, its hosts and its members")
    rows = [lab.find(name) for name in MEMBERS]
    is_([lab.get(lab.oid("xenMemberDomainIndex", GROUP, name)) for name in MEMBERS], rows, "each member is a domain that is known")
    is_(lab.read(GROUP, "xenGroupMembers", "xenGroupRunning"), [4, 0], "none of the four runs")


def whole(column, value, kind, minutes, words):
    """An action of the group, to its end."""
    is_(lab.set(lab.oid(column, GROUP), kind, value), "noError", f"{words}: accepted")
    parent = lab.read(GROUP, "xenGroupLastOpIndex")
    op = lab.end(parent, minutes * MINUTES)
    diag(f"{words}: {op}")
    is_([op["result"], op["cause"]], [OK, 1], f"{words}: all of it went well ({op['text']})")
    lab.rescan()
    return lab.read(parent, "xenOperationTotal", "xenOperationDone", "xenOperationFailed")


def started():
    is_(whole("xenGroupPower", START, "i", 6, "start"), [4, 4, 0], "start: four parts")
    where = homes()
    is_([len(where[1]), len(where[2])], [2, 2], f"start: two on each host ({where})")
    ok("tiny2" in where[1] and "tiny3" in where[2], "start: who is pinned is where it is pinned to")
    is_(lab.read(GROUP, "xenGroupStatus", "xenGroupRunning", "xenGroupImbalance", "xenGroupSpread"),
        [STATUS_OK, 4, 0, "xen1=2 xen2=2"], "start: the row agrees")


def rebalanced():
    here = 1 if "pvh1" in homes()[1] else 2
    op = lab.act(lab.find("pvh1"), "xenDomainMigrateTo", f"xen{3 - here}", "s", seconds=6 * MINUTES)
    is_(op["result"], OK, "one is moved to the others")
    lab.rescan()
    is_([len(homes()[3 - here]), lab.read(GROUP, "xenGroupImbalance")], [3, 2], "three are there now, one is here")
    is_(whole("xenGroupMigrateTo", "@spread", "s", 6, "rebalance"), [1, 1, 0], "rebalance: one move will do")
    where = homes()
    is_([len(where[1]), len(where[2])], [2, 2], f"rebalance: two on each host ({where})")
    is_(lab.read(GROUP, "xenGroupStatus", "xenGroupRunning", "xenGroupImbalance"), [STATUS_OK, 4, 0], "rebalance: the row agrees")


def shut_down():
    is_(whole("xenGroupPower", SHUTDOWN, "i", 6, "shutdown"), [4, 4, 0], "shutdown: four parts")
    is_(homes(), {1: [], 2: []}, "shutdown: xl has none of them")
    is_(lab.read(GROUP, "xenGroupStatus", "xenGroupRunning"), [STATUS_STOPPED, 0], "shutdown: the group is stopped, which was wanted")


def made_of_configurations():
    """One of the collector's library, to whichever host; one of a file that is on xen2 alone."""
    with open(lab.path("library", "sent.cfg"), "w") as out:
        out.write(FRESH.format(name="sent", n=22))
    lab.xen.ssh(2, f"mkdir /etc/xen/more && cat >/etc/xen/more/fresh.cfg <<'E'\n{FRESH.format(name='fresh', n=21)}E")
    row = [(lab.oid("xenGroupRowStatus", "new"), "i", CREATE_AND_GO)]
    for name, create in (("sent", "library:sent.cfg"), ("fresh", "/etc/xen/more/fresh.cfg")):
        row += [(lab.oid("xenMemberRowStatus", "new", name), "i", CREATE_AND_GO), (lab.oid("xenMemberCreate", "new", name), "s", create)]
    is_(lab.set(*row, (lab.oid("xenMemberPin", "new", "fresh"), "s", "xen2")), "noError", "a group of two that do not exist yet")
    is_(lab.set(lab.oid("xenGroupPower", "new"), "i", START), "noError", "it is started")
    op = lab.end(lab.read("new", "xenGroupLastOpIndex"), 3 * MINUTES)
    is_([op["result"], op["text"]], [OK, "2 ok"], "both are made")
    there = {k: sorted(name for name in lab.xen.xl(k) if name in ("sent", "fresh")) for k in (1, 2)}
    ok(sorted(there[1] + there[2]) == ["fresh", "sent"] and "fresh" in there[2], f"they run, each once ({there})")
    is_(lab.set(lab.oid("xenGroupForce", "new"), "i", DESTROY), "noError", "destroyed")
    op = lab.end(lab.read("new", "xenGroupLastOpIndex"), 3 * MINUTES)
    is_([op["result"], op["text"]], [OK, "2 ok"], "both are gone")


with RealLab(prepare={1: "xl destroy pvh1; xl destroy tiny1; xl destroy tiny2",
                      2: "xl destroy tiny3; xl destroy keep; xl destroy crash"}) as lab:
    made()
    started()
    rebalanced()
    shut_down()
    made_of_configurations()
done()
