#!/usr/bin/env python3
"""A host that stands still and answers nothing: seen down, rows kept, walks and actions elsewhere as before."""

import time

from real import *

WALKS = 7


def walk_time():
    """Seconds of the fastest of several walks over hosts and domains: the machine's own noise stays out."""
    best = None
    for _ in range(WALKS):
        begin = time.monotonic()
        for table in ("xenHostTable", "xenDomainTable", "xenDomainPerfTable"):
            lab.bulkwalk(lab.oid(table))
        took = time.monotonic() - begin
        best = took if best is None else min(best, took)
    return best


def rows():
    return {row["xenDomainName"]: index for index, row in lab.table("xenDomainTable").items()
            if row.get("xenDomainHost") == "xen2"}


with RealLab(agent={"poll_timeout": 15}) as lab:
    one, three = lab.find("tiny1"), lab.find("tiny3")
    lab.polled()
    before, quick = rows(), walk_time()
    host = lab.oid("xenHostState", "xen2")
    is_([lab.state(three), lab.get(host)], [RUNNING, UP], "tiny3 runs on xen2")

    lab.xen.freeze(2)
    begin = time.monotonic()
    during = walk_time()
    if not ok(during <= 2 * quick + 0.02, "a walk is as fast while the polls hang"):
        diag(f"{quick:.4f} s before, {during:.4f} s now")
    lab.wait(lambda: lab.get(host) == DOWN, "xen2 is seen down", 60)
    took = time.monotonic() - begin
    ok(took < 90, f"seen down after {took:.0f} s")
    is_(rows(), before, "its rows are kept, with their indexes")
    is_(lab.state(three), UNKNOWN, "the state of its guests is unknown")
    ok(lab.get(lab.oid("xenSourceStateText", "xen2")), "and the source says why")
    diag(lab.get(lab.oid("xenSourceStateText", "xen2")))
    down = walk_time()
    if not ok(down <= 2 * quick + 0.02, "a walk is as fast while the host is down"):
        diag(f"{quick:.4f} s before, {down:.4f} s now")
    is_(lab.set(lab.oid("xenDomainPower", three), "i", PAUSE), "resourceUnavailable", "no action on what can't be reached")
    op = lab.act(one, "xenDomainPower", PAUSE, seconds=15)
    ok(op["result"] == OK and lab.until(one, PAUSED, "tiny1 is paused") is not None, "the other host goes on as ever")

    lab.xen.thaw(2)
    begin = time.monotonic()
    lab.wait(lambda: lab.get(host) == UP, "xen2 is back", 90)
    diag(f"back after {time.monotonic() - begin:.0f} s")
    lab.polled("xen2")
    is_([lab.state(three), lab.find("tiny3"), rows()], [RUNNING, three, before], "back: the same rows, alive")
    op = lab.act(three, "xenDomainPower", PAUSE)
    is_([op["result"], lab.xen.xl(2)["tiny3"].flags[2]], [OK, "p"], "back: its guests take actions")
done()
