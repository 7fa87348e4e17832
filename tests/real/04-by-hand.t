#!/usr/bin/env python3
"""What is done by hand on a host shows up: start, stop and crash within 3 s although polls are a minute
apart, because the host is watched; a pause, of which Xen tells nobody, at the next poll."""

from real import *

LIMIT = 3.0


def seen(k, row, command, state, words):
    """Runs a command by hand; its effect must show within the limit after it is there. On real hardware a poll takes
    some hundredths of a second; on an emulated host it takes seconds, and the one that ends too early and the one
    after it come on top."""
    lab.xen.ssh(k, command)
    took = lab.until(row, state, words, 20)
    polls = 2 * lab.get(lab.oid("xenSourcePollTime", f"xen{k}")) / 1000
    ok(took is not None and took <= LIMIT + polls,
       f"{words}: seen after {took if took is None else round(took, 1)} s; two polls take {polls:.1f} s")


def in_polls(k):
    return lab.get(lab.oid("xenSourcePollsOk", f"xen{k}"))


with RealLab(interval=60) as lab:
    tiny, keep, crash, pvh = (lab.find(name) for name in ("tiny2", "keep", "crash", "pvh2"))
    is_([lab.get(lab.oid("xenSourceInterval", f"xen{k}")) for k in (1, 2)], [60, 60], "polls are a minute apart")
    is_([lab.state(row) for row in (tiny, keep, crash, pvh)], [RUNNING] * 3 + [HALTED], "three run, one does not")
    seen(1, tiny, "xl shutdown -w tiny2; while xl domid tiny2; do :; done 2>&1", HALTED, "a shutdown by hand")
    seen(1, tiny, "xl create -q /etc/xen/tiny2.cfg", RUNNING, "a start by hand")
    is_(lab.read(tiny, "xenDomainDomid"), lab.xen.xl(1)["tiny2"].domid, "and its domid")
    seen(1, tiny, "xl destroy tiny2", HALTED, "a stop by hand")
    seen(1, pvh, "xl create -q /etc/xen/pvh2.cfg", RUNNING, "the start of a PVH guest")
    seen(1, pvh, "xl destroy pvh2", HALTED, "and its stop")
    seen(2, keep, "xl shutdown -w keep", SHUTTING_DOWN, "a guest that shuts down and stays listed")
    seen(2, crash, "xl sysrq crash c; until xl list crash | grep -q ' ---sc- '; do :; done", CRASHED, "a crash")
    is_(lab.read(crash, "xenDomainReason"), 4, "and the reason is crash")
    seen(2, crash, "xl destroy crash", HALTED, "its removal")

    is_(lab.set(lab.oid("xenSourceInterval", "xen2"), "u", 4), "noError", "xen2 is polled every 4 s from now on")
    lab.polled("xen2", seconds=90)
    three = lab.find("tiny3")
    for command, state in (("pause", PAUSED), ("unpause", RUNNING)):
        lab.xen.ssh(2, f"xl {command} tiny3")
        number = in_polls(2)
        took = lab.until(three, state, command, 20)
        # A poll under way when xl ended may have looked before; the one after it can't have.
        ok(took is not None and in_polls(2) <= number + 2, f"{command} by hand: seen at the next poll, after {took} s")
done()
