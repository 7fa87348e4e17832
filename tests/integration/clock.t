#!/usr/bin/env python3
"""The wall clock jumps by a day, forward and back, while polls, operations and events go on: nothing ends, ages or expires by it,
and stamps follow it."""

import calendar
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import PATIENCE, Lab, diag, done, is_, ok  # noqa: E402
from shim import Shim  # noqa: E402

DAY = 86400
RUNNING, UP, PROGRESS, FINISHED, OK = 4, 2, 3, 5, 2
PAUSE, UNPAUSE = 5, 6


class Estate(Lab):
    def stamp(self, name, *parts):
        """A DateAndTime as time.time() counts, of the value's octets."""
        hexadecimal = self.raw(self.oid(name, *parts))
        return calendar.timegm((hexadecimal[0] * 256 + hexadecimal[1], *hexadecimal[2:7], 0, 0, 0))

    def raw(self, oid):
        value = self.get(oid)
        return value if isinstance(value, bytes) else value.encode()

    def near(self, stamp, ahead, words):
        """Is it of this minute, by a clock that is ahead by so much?"""
        late = time.time() + ahead - stamp
        ok(-2 < late < 60 * PATIENCE, words) or diag(f"{late:.0f} s ago by that clock")

    def guests(self):
        return [index for index, row in sorted(self.table("xenDomainTable").items())
                if row["xenDomainKind"] == 1 and row["xenDomainState"] == RUNNING]

    def ops(self):
        return self.table("xenOperationTable")

    def goes_on(self, words):
        """Polls come at their pace: not at once for being a day late, and not only in a day."""
        polls = self.oid("xenPollsOk", 0)
        first, begin = self.get(polls), time.monotonic()
        self.wait(lambda: self.get(polls) >= first + 3 * self.hosts, f"{words}: polls go on")
        took = time.monotonic() - begin
        ok(took > 1, f"{words}: polls go on, and in their time ({took:.1f} s for three rounds)")
        is_(set(self.column("xenSourceState").values()), {UP}, f"{words}: the sources are up")
        ok(max(self.column("xenDomainDataAge").values()) < 30 * PATIENCE, f"{words}: no row is a day old")
        is_(self.get(self.oid("xenSourceReconnects", "host1")), 0, f"{words}: no connection was lost")
        is_(self.get(self.oid("xenMasterReconnects", 0)), 0, f"{words}: nor that to snmpd")
        is_(self.get(self.oid("xenWorkersLost", 0)), 0, f"{words}: nor a worker")


def jump(lab, shim, ahead, words):
    """An operation runs while the clock jumps, one has ended before, one is asked for after it."""
    old, running, late = lab.guests()[:3]
    before = max(lab.ops(), default=0)
    is_(lab.set(lab.oid("xenDomainPower", old), "i", PAUSE), "noError", f"{words}: an operation that ends before")
    lab.wait(lambda: lab.ops()[before + 1]["xenOperationState"] == FINISHED, "it ends")
    lab.farm_ctl("hang", "pause", "1")
    is_(lab.set((lab.oid("xenDomainPower", running), "i", PAUSE), (lab.oid("xenDomainTimeout", running), "u", 60)), "noError",
        f"{words}: an operation that takes a while")
    lab.wait(lambda: lab.ops()[before + 2]["xenOperationState"] == PROGRESS, "it runs")
    uptimes, events = lab.column("xenDomainUptime"), lab.get(lab.oid("xenEventLastSerial", 0))
    ticks = lab.get(lab.oid("xenDomainDiscontinuity", late))

    shim.clock(ahead)
    is_(lab.set(lab.oid("xenDomainPower", late), "i", PAUSE), "noError", f"{words}: an operation after it")
    lab.goes_on(words)
    is_(lab.ops()[before + 2]["xenOperationState"], PROGRESS, f"{words}: the time of an operation is not over")
    lab.farm_ctl("clear")
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in lab.ops().values()), f"{words}: all end")
    ops = lab.ops()
    is_(sorted(ops), list(range(1, before + 4)), f"{words}: no operation has gone from the table")
    is_({row["xenOperationResult"] for row in ops.values()}, {OK}, f"{words}: all ended well")
    longest = max(row["xenOperationElapsed"] for row in ops.values())
    ok(0 < longest < 60000 * PATIENCE, f"{words}: none took a day ({longest} ms)")
    now = lab.column("xenDomainUptime")
    ok(all(uptimes[index] <= now[index] < uptimes[index] + 60 * PATIENCE for index in uptimes if index in now),
       f"{words}: no domain is a day older or younger")
    is_(lab.get(lab.oid("xenDomainDiscontinuity", late)), ticks, f"{words}: counters go on")
    lab.wait(lambda: lab.get(lab.oid("xenEventLastSerial", 0)) >= events + 4, f"{words}: events come")
    last = lab.get(lab.oid("xenEventLastSerial", 0))
    serials = sorted(lab.column("xenEventTime"))
    is_(serials, list(range(1, last + 1)), f"{words}: no event is missing")
    lab.near(lab.stamp("xenEventTime", last), ahead, f"{words}: the newest has the new time")
    lab.near(lab.stamp("xenOperationCreated", before + 3), ahead, f"{words}: so has the newest operation")
    lab.near(lab.stamp("xenSourceLastOk", "host1"), ahead, f"{words}: and the last poll")
    for index in (old, running, late):
        is_(lab.set(lab.oid("xenDomainPower", index), "i", UNPAUSE), "noError", f"{words}: unpause")
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in lab.ops().values()), "all end")


with Estate(hosts=2, domains=12, speed=32, start=False, agent={"duplicate_window": 0}) as estate:
    for program in ("snmpd", "xen-farm"):
        estate.start(program)
    faults = Shim(estate, "clock")
    estate.start("xensnmpd", shim=faults)
    estate.wait_rows()
    jump(estate, faults, DAY, "a day forward")
    jump(estate, faults, 0, "back again")
    jump(estate, faults, -DAY, "a day back")
    rows = estate.ops()
    estate.restart("xensnmpd")
    estate.wait_rows()
    is_(sorted(estate.ops()), sorted(rows), "a restart by another clock keeps all operations")
    estate.goes_on("after a restart")
done()
