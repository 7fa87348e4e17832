#!/usr/bin/env python3
"""The daemon is killed in the middle of a live migration: it finds the operation again, and its counters go on."""

import signal

from real import *

with RealLab(agent={"duplicate_window": 0}, interval=60) as lab:
    row = lab.find("pvh1")
    uuid, before = lab.read(row, "xenDomainUuid"), lab.read(row, *COUNTERS)
    migration = Migration(lab, 2)
    ok(migration.under_way(), "the migration is under way")
    is_(lab.kill("xensnmpd", signal.SIGKILL), -signal.SIGKILL, "the daemon is killed with signal 9")
    lab.start("xensnmpd")
    is_(lab.wait(lambda: lab.read(row, "xenDomainUuid"), "the rows are back", 60), uuid, "the same row is back")
    migration.arrived()
    lab.rescan()
    after = lab.read(row, *COUNTERS)
    if not ok(None not in before + after and all(a <= b for a, b in zip(before, after)),
              "counters stay monotonic over the daemon's restart"):
        diag(f"{before}\n{after}")
done()
