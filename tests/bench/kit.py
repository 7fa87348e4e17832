"""What the figures of `make bench` share: tools, walks, and how a figure is printed."""

import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, Lab  # noqa: E402


def knob(name, default):
    return int(os.environ.get("BENCH_" + name, default))


ROUNDS = knob("ROUNDS", 7)
INTERVAL = 10  # seconds between two polls of a source
INTERVALS = knob("INTERVALS", 3)  # to measure over


class Figures:
    """Prints a line for each figure that is wanted; short: one missed its goal."""

    def __init__(self, wanted):
        self.wanted = set(wanted)
        self.short = False

    def add(self, name, value, unit, goal, good):
        if name not in self.wanted:
            return
        self.short = self.short or not good
        print(f"{name:<28} {value:>9.2f} {unit:<4} {goal:<8} {'ok' if good else 'SHORT'}", flush=True)


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def tool(name, *arguments, stdin=None):
    result = subprocess.run([os.path.join(BUILD, "tests", "bench", name), *map(str, arguments)], input=stdin,
                            capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"bench: {name}: {result.stderr.strip()}")
    return result.stdout


def walk(lab, mode, repetitions, columns, dump=()):
    return tool("client", "walk", f"127.0.0.1:{lab.port}", "public", repetitions, mode, *dump, *columns)


def pieces(lab, mode, repetitions, columns):
    """[(cells, seconds)] of one walk."""
    return [(int(cells), float(seconds)) for cells, seconds in
            (line.split() for line in walk(lab, mode, repetitions, columns).splitlines())]


def whole(lab, names):
    """(cells, seconds) of one walk of these columns, one after the other."""
    parts = pieces(lab, "column", 50, [lab.oid(name) for name in names])
    return sum(cells for cells, _ in parts), sum(seconds for _, seconds in parts)


def pair(lab, other, names):
    """(cells, seconds, a cell's time as a multiple of one of the other's) of a walk of these columns: after each request
    to lab comes one to the other, so what else the machine does weighs on both alike."""
    addresses = [f"127.0.0.1:{who.port}" for who in (lab, other)]
    (cells, seconds), (others, beside) = [
        (int(cells), float(seconds)) for cells, seconds in
        (line.split() for line in tool("client", "pair", *addresses, "public", 50, *map(lab.oid, names)).splitlines())]
    return cells, seconds, (seconds / cells) / (beside / others)


def middle(values):
    return statistics.median(values)


def p99(values):
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)]


class Estate(Lab):
    """A lab of the usual interval that is up when every domain is counted; too large to read each row first. Guests
    have one virtual processor, interface and disk each, so that all are alike."""

    def __init__(self, hosts, domains, farm_options=()):
        super().__init__(hosts=hosts, domains=domains, agent={"interval": INTERVAL}, start=False,
                         farm_options=["--vcpus", "1", "--vifs", "1", "--vbds", "1", *farm_options])

    def __enter__(self):
        super().__enter__()
        for name in ("snmpd", "xen-farm", "xensnmpd"):
            self.start(name)
        self.wait(lambda: (self.get(self.oid("xenDomainCount", 0)) or 0) >= self.domains + self.hosts,
                  f"{self.domains} domains, and Domain-0 of {self.hosts} hosts, have rows", 120)
        return self


def spent(lab):
    """Processor seconds of the front and its workers so far."""
    return lab.cpu("xensnmpd") + sum(map(lab.cpu_of, lab.workers()))


def pass_intervals(n):
    """Lets so many polls of every source go by: the one thing that takes its time."""
    time.sleep(n * INTERVAL)
