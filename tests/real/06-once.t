#!/usr/bin/env python3
"""The worker, then the whole daemon, is killed in the middle of a live migration: the guest moves once,
and the operation ends with the right result."""

import os
import signal

from real import *


def workers():
    """Processes that run drivers: children of the daemon."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline") as line:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                if parent == lab.pid("xensnmpd") and "--worker" in line.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def under_way(number, k):
    """Waits until host k receives the guest; the operation runs then for many seconds more."""
    lab.wait(lambda: "--incoming" in lab.xen.ssh(k, "xl list"), f"xen{k} receives the guest", 60)
    return lab.read(number, "xenOperationState") == 3


def arrived(number, row, k, domid):
    op = lab.end(number, 180)
    diag(op)
    is_([op["result"], op["cause"]], [OK, 1], f"to xen{k}: result ok")
    here, there = lab.xen.xl(k), lab.xen.xl(3 - k)
    is_(["pvh1" in here, [name for name in there if name.startswith("pvh1")]], [True, []], f"to xen{k}: it is there only")
    # Xen counts its domains: a second attempt would have taken another number.
    is_(here["pvh1"].domid, domid, f"to xen{k}: one migration, not two")
    lab.wait(lambda: lab.read(row, "xenDomainHost") == f"xen{k}", f"the row says xen{k}", 20)
    is_([lab.find("pvh1"), lab.state(row)], [row, RUNNING], f"to xen{k}: the same index, running")
    is_(lab.last_op(), number, f"to xen{k}: and no other operation")


with RealLab() as lab:
    row, uuid = lab.find("pvh1"), "00000000-0000-4000-8000-000000000011"
    domids = {k: max(guest.domid for guest in lab.xen.xl(k).values()) for k in (1, 2)}

    number = lab.begin(row, "xenDomainMigrateTo", "xen2", "s")
    ok(under_way(number, 2), "the migration is under way")
    killed = workers()
    ok(killed, f"workers killed with signal 9: {killed}")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    lab.wait(lambda: set(workers()) - set(killed), "there is a new worker", 5)
    ok(lab.read(row, "xenDomainUuid") == uuid, "the rows are still there")
    arrived(number, row, 2, domids[2] + 1)
    ok(lab.get(lab.oid("xenWorkersLost", 0)) >= 1, "the agent says that it lost a worker")

    number = lab.begin(row, "xenDomainMigrateTo", "xen1", "s")
    ok(under_way(number, 1), "the migration back is under way")
    lab.kill("xensnmpd", signal.SIGKILL)
    lab.start("xensnmpd")
    lab.wait(lambda: lab.read(row, "xenDomainUuid") == uuid, "the rows are back", 60)
    arrived(number, row, 1, domids[1] + 1)
done()
