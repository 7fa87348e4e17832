#!/usr/bin/env python3
"""What is done by hand on a host shows up: start, stop and crash within 3 s although polls are a minute
apart, because the host is watched; a pause, of which Xen tells nobody, at the next poll."""

import time

from real import *

LIMIT = 3.0


def seen(row, command, state, words):
    """Runs a command by hand; its effect must show within the limit after xl has ended."""
    lab.xen.ssh(1, command)
    took = lab.until(row, state, words, 20)
    ok(took is not None and took <= LIMIT, f"{words}: seen after {took if took is None else round(took, 1)} s")


with RealLab(interval=60, agent={"interval": 60}) as lab:
    tiny, crash, keep = (lab.find(name) for name in ("tiny1", "crash", "keep"))
    is_([lab.state(row) for row in (tiny, crash, keep)], [HALTED] * 3, "nothing runs yet")
    polls = lab.get(lab.oid("xenSourceInterval", "xen1"))
    is_(polls, 60, "polls are a minute apart")
    seen(tiny, "xl create -q /etc/xen/tiny1.cfg", RUNNING, "a start by hand")
    is_(lab.read(tiny, "xenDomainDomid"), lab.xen.xl(1)["tiny1"].domid, "and its domid")
    seen(keep, "xl create -q /etc/xen/keep.cfg", RUNNING, "another start by hand")
    seen(keep, "sleep 8; xl shutdown -w keep", HALTED, "a guest that shuts down and stays listed")
    seen(tiny, "xl reboot tiny1; while ! xl domid tiny1 >/dev/null 2>&1; do :; done", RUNNING, "a reboot by hand")
    seen(tiny, "xl destroy tiny1", HALTED, "a stop by hand")
    seen(crash, "xl create -q /etc/xen/crash.cfg; until xl list crash | grep -q ' ---sc- '; do :; done", CRASHED,
         "a crash")
    is_(lab.read(crash, "xenDomainReason"), 4, "and the reason is crash")
    lab.xen.ssh(1, "xl destroy crash")

    is_(lab.set(lab.oid("xenSourceInterval", "xen2"), "u", 4), "noError", "xen2 is polled every 4 s from now on")
    lab.polled("xen2", seconds=90)
    three = lab.find("tiny3")
    lab.xen.ssh(2, "xl create -q /etc/xen/tiny3.cfg")
    ok(lab.until(three, RUNNING, "tiny3 runs", 10) is not None, "a guest on xen2")
    for command, state in (("pause", PAUSED), ("unpause", RUNNING)):
        lab.xen.ssh(2, f"xl {command} tiny3")
        begin = time.monotonic()
        number = lab.get(lab.oid("xenSourcePollsOk", "xen2"))
        ok(lab.until(three, state, command, 15) is not None, f"{command} by hand is seen")
        # The poll under way when xl ended may have looked before; the one after it can't have.
        ok(lab.get(lab.oid("xenSourcePollsOk", "xen2")) <= number + 2,
           f"{command}: at the next poll, after {time.monotonic() - begin:.1f} s")
done()
