"""What a poll costs dom0 on real Xen, where Xen itself is emulated: its CPU time there, divided by how much slower the same
start of a program is there than here. Of several programs the least slowed one counts, so the cost is not made too small."""

import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../real"))
from kit import INTERVAL, note  # noqa: E402
from real import RealLab  # noqa: E402

POLLS = 6
# Small, and with as many libraries as xl; all are on both machines.
PROGRAMS = ("/bin/true", "snmpget -V", "ssh -V")
# Seconds of all that the daemon's connection has started, of sshd for it, and of xenstored. Our own login is not counted.
SPENT = """for pid in $(pgrep sshd) $(pgrep -f xenstored); do
    [ "$pid" = $PPID ] || cut -d')' -f2- "/proc/$pid/stat"
done | awk '{ ticks += $12 + $13 + $14 + $15 } END { print ticks / 100 }'"""


def starting(program, times):
    """A shell's words for: start it so often, and tell what that took."""
    return f"i=0; while [ $i -lt {times} ]; do {program} >/dev/null 2>&1; i=$((i + 1)); done; times"


def seconds(times):
    """The second line of `times`: what the children took, user and system."""
    minutes = (word.rstrip("s").split("m") for word in times.splitlines()[1].split())
    return sum(60 * float(m) + float(s) for m, s in minutes)


def slowdown(lab, program):
    here = subprocess.run(["sh", "-c", starting(program, 200)], check=True, capture_output=True, text=True).stdout
    return seconds(lab.xen.ssh(1, starting(program, 20))) / 20 / (seconds(here) / 200)


def measure(figures):
    with contextlib.redirect_stdout(sys.stderr), RealLab(hosts=1, interval=INTERVAL) as lab:
        lab.polled("xen1", polls=3)
        polls = lab.oid("xenSourcePollsOk", "xen1")
        before, spent = lab.get(polls), float(lab.xen.ssh(1, SPENT))
        lab.polled("xen1", polls=POLLS, seconds=30 * POLLS)
        after, spent = lab.get(polls), float(lab.xen.ssh(1, SPENT)) - spent
        slower = {program: slowdown(lab, program) for program in PROGRAMS}
    each = spent / (after - before)
    note(f"dom0: {each:.2f} s of emulated CPU per poll; starting programs is slower by "
         + ", ".join(f"{factor:.0f} ({program})" for program, factor in slower.items()))
    percent = 100 * each / min(slower.values()) / INTERVAL
    figures.add("poll-of-dom0", percent, "%", "<0.5", percent < 0.5)
