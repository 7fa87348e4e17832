#!/usr/bin/env python3
"""Live migration of a real guest by one SET, watched all the way: undisturbed; with the worker killed in
the middle; with the whole daemon killed. Each is one migration with the right result. And what Xen refuses."""

import os
import signal
import threading

from real import *

NOT_SUPPORTED, NO_MEMORY = 14, 8  # XenCause
COUNTERS = ["xenDomainCpuTime", "xenDomainNetRxOctets", "xenDomainNetTxOctets", "xenDomainDiskReadOctets",
            "xenDomainDiskWriteOctets"]


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


def under_way(number, k):
    """Waits until host k receives the guest: the operation runs for many seconds more then."""
    lab.wait(lambda: "--incoming" in lab.xen.ssh(k, "xl list"), f"xen{k} receives the guest", 90)
    return lab.read(number, "xenOperationState") == 3


def arrived(number, row, k, domid):
    op = lab.end(number, 240)
    diag(op)
    is_([op["result"], op["cause"]], [OK, 1], f"to xen{k}: result ok")
    is_([n for n in (1, 2) if any(name.startswith("pvh1") for name in lab.xen.xl(n))], [k], f"to xen{k}: there only")
    is_(lab.xen.xl(k)["pvh1"].domid, domid, f"to xen{k}: one migration, not two")
    lab.wait(lambda: lab.read(row, "xenDomainHost") == f"xen{k}", f"the row says xen{k}", 30)
    is_([lab.find("pvh1"), lab.state(row)], [row, RUNNING], f"to xen{k}: the same index, running")
    is_(lab.last_op(), number, f"to xen{k}: and no other operation")


def next_domid(k):
    """Xen counts its domains, so an attempt that nobody saw would show: the number the next one gets."""
    return 1 + int(lab.xen.ssh(k, "xl create -q -p /etc/xen/pvh2.cfg; xl domid pvh2; xl destroy pvh2"))


def back_without_worker():
    row, domid = lab.find("pvh1"), next_domid(1)
    with Watch("pvh1") as watch:
        number = lab.begin(row, "xenDomainMigrateTo", "xen1", "s")
        ok(under_way(number, 1), "the migration back is under way")
        killed = lab.workers()
        ok(killed, f"workers killed with signal 9: {killed}")
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        lab.wait(lambda: lab.workers() - killed, "there is a new worker", 5)
        arrived(number, row, 1, domid)
        lab.rescan()
    watch.judge("back")
    ok(lab.get(lab.oid("xenWorkersLost", 0)) >= 1, "the agent says that it lost a worker")
    ok("bytes from" in lab.xen.ssh(1, "busybox ping -c 5 -W 2 10.99.0.111", check=False), "the guest still answers")


def there_without_daemon():
    row, domid = lab.find("pvh1"), next_domid(2)
    uuid = lab.read(row, "xenDomainUuid")
    before = lab.read(row, *COUNTERS)
    number = lab.begin(row, "xenDomainMigrateTo", "xen2", "s")
    ok(under_way(number, 2), "the migration is under way once more")
    is_(lab.kill("xensnmpd", signal.SIGKILL), -signal.SIGKILL, "the daemon is killed with signal 9")
    lab.start("xensnmpd")
    is_(lab.wait(lambda: lab.read(row, "xenDomainUuid"), "the rows are back", 60), uuid, "the same row is back")
    arrived(number, row, 2, domid)
    lab.rescan()
    after = lab.read(row, *COUNTERS)
    if not ok(all(a <= b for a, b in zip(before, after)), "counters stay monotonic over the daemon's restart"):
        diag(f"{before}\n{after}")


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
    there_without_daemon()
    refused_by_xen()
done()
