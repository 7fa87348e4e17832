#!/usr/bin/env python3
"""Live migration of a real guest by one SET, watched all the way: undisturbed, and with the worker killed in the middle.
Each is one migration with the right result. And what Xen refuses."""

import os
import signal
import threading

from real import *

NOT_SUPPORTED, NO_MEMORY = 14, 8  # XenCause


class Watch:
    """Reads a domain again and again while something happens: its row, its name's row, its counters."""

    def __init__(self, name):
        self.name, self.row = name, lab.find(name)
        self.seen, self.bad, self.stop = [], [], threading.Event()
        self.uuid = lab.read(self.row, "xenDomainUuid")

    def _look(self):
        client = lab.user("public")
        oids = [lab.oid(c, self.row) for c in ["xenDomainUuid", "xenDomainState", "xenDomainHost", *COUNTERS]]
        name = [lab.oid("xenNameDomainIndex", self.name), lab.oid("xenNameCount", self.name)]
        while not self.stop.wait(0.3):
            try:
                uuid, state, host, *counters = client.get(*oids)
                # Xen suspends a guest for the last moment of its journey.
                if uuid != self.uuid or state not in (RUNNING, MIGRATING, SUSPENDING) or client.get(*name) != [self.row, 1]:
                    self.bad.append((uuid, state, host, client.get(*name)))
                self.seen.append((host, counters))
            except SnmpError as error:
                self.bad.append(error)

    def __enter__(self):
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def judge(self, words):
        if not ok(not self.bad, f"{words}: the same row, index and uuid in {len(self.seen)} looks"):
            diag(self.bad[:5])
        falls = [(a, b) for (_, a), (_, b) in zip(self.seen, self.seen[1:])
                 if any(x is not None and y is not None and y < x for x, y in zip(a, b))]
        if not ok(not falls, f"{words}: no counter ever fell"):
            diag(falls[:3])
        first, last = self.seen[0][1], self.seen[-1][1]
        if not ok(None not in first + last, f"{words}: all counters were there at the beginning and the end"):
            diag(f"{first}\n{last}")


def where(name):
    return [k for k in (1, 2) if name in lab.xen.xl(k)]


def there():
    row = lab.find("pvh1")
    with Watch("pvh1") as watch:
        number = lab.begin(row, "xenDomainMigrateTo", "xen2", "s")
        is_(lab.read(row, "xenDomainMigrateTo"), "xen2", "the column names the destination while it runs")
        is_(lab.set(lab.oid("xenDomainMigrateTo", row), "s", "xen2"), "noError", "asking again is no second migration")
        is_(lab.last_op(), number, "but the same operation")
        is_(lab.set(lab.oid("xenDomainPower", row), "i", PAUSE), "resourceUnavailable", "its target is busy")
        op = lab.end(number, 180)
        diag(f"{op}")
        ok(op["result"] == OK and op["cause"] == 1, "one SET moved the guest to xen2")
        is_(where("pvh1"), [2], "xl finds it on xen2 only")
        lab.wait(lambda: lab.read(row, "xenDomainHost") == "xen2", "the row says xen2", 15)
        lab.rescan()
    watch.judge("there")
    is_([lab.find("pvh1"), lab.state(row)], [row, RUNNING], "there: the same index, running")
    is_(lab.read(row, "xenDomainDomid"), lab.xen.xl(2)["pvh1"].domid, "there: the domid is xen2's")


def back_without_worker():
    migration = Migration(lab, 1)
    with Watch("pvh1") as watch:
        ok(migration.under_way(), "the migration back is under way")
        killed = lab.workers()
        ok(killed, f"workers killed with signal 9: {killed}")
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        lab.wait(lambda: lab.workers() - killed, "there is a new worker", 5)
        migration.arrived()
        lab.rescan()
    watch.judge("back")
    ok(lab.get(lab.oid("xenWorkersLost", 0)) >= 1, "the agent says that it lost a worker")
    ok("bytes from" in lab.xen.ssh(1, "busybox ping -c 5 -W 2 10.99.0.111", check=False), "the guest still answers")


def check_first():
    row = lab.find("pvh1")
    op = lab.act(row, "xenDomainCheckMigrateTo", "xen2", "s")
    is_([op["result"], op["cause"], where("pvh1")], [OK, 1, [1]], "check-migrate: possible, and nothing moved")
    lab.xen.ssh(2, "xl create -q -p /etc/xen/pvh2.cfg 'memory=180;maxmem=180'")
    op = lab.act(row, "xenDomainCheckMigrateTo", "xen2", "s")
    is_([op["result"], op["cause"]], [FAILED, NO_MEMORY], "check-migrate: too little memory there")
    lab.xen.ssh(2, "xl destroy pvh2")
    lab.rescan("xen2")
    ok(lab.get(lab.oid("xenHostMemoryFree", "xen2")) > 150, "the agent sees the memory free again")
    column = lab.oid("xenDomainMigrateTo", row)
    is_(lab.set(column, "s", "xen1"), "inconsistentValue", "it is on xen1 already")
    is_(lab.set(column, "s", "xen9"), "inconsistentValue", "there is no xen9")


def refused_by_xen():
    row = lab.find("tiny2")
    is_(lab.run("migrate", "tiny2", "xen2"), 3, "xenctl: failed")
    op = lab.op(lab.last_op())
    is_([op["result"], op["cause"]], [FAILED, NOT_SUPPORTED], "a PV guest: Xen's refusal has a clear cause")
    is_([where("tiny2"), lab.xen.xl(1)["tiny2"].flags[2]], [[1], "-"], "a PV guest: goes on where it was")
    is_(lab.read(row, "xenDomainHost", "xenDomainState"), ["xen1", RUNNING], "a PV guest: and its row says so")


# A poll takes an emulated host seconds of its processor, and what matters here is polled by itself.
with RealLab(agent={"duplicate_window": 0}, interval=60) as lab:
    check_first()
    there()
    back_without_worker()
    refused_by_xen()
done()
