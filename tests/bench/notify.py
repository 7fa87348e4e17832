"""How soon a change is told by a notification, and what a storm of them costs those who read."""

import threading
import time

from kit import INTERVAL, ROUNDS, Estate, knob, middle, note, p99, pair
from trapd import Trapd

CHANGES = knob("CHANGES", 120)
FLAPPING = knob("FLAPPING", 2000)
STORM_SEC = knob("STORM_SEC", 10)
RUNNING, GUEST, CRASHED = 4, 1, 5
COLUMNS = ["xenDomainName", "xenDomainState", "xenDomainMemory"]


class TrapEstate(Estate):
    """With a receiver, and notifications of these classes."""

    def __init__(self, hosts, domains, notify, **agent):
        super().__init__(hosts, domains)
        self.agent.update(notify=notify, **agent)

    def start(self, name, *arguments, **options):
        if name == "snmpd":
            self.receiver = Trapd(self, "traps")
            self.snmpd_lines += self.receiver.traps()
            self.write_snmpd_conf()
            self.receiver.start()
        return super().start(name, *arguments, **options)


def bench_p99(figures):
    """One guest after the other crashes. Each waits a while of its own for the next, so that they meet every moment between
    two polls."""
    seconds = []
    with TrapEstate(4, CHANGES * 3, "crash", notify_rate=1000) as lab:
        names, hosts, states, kinds = map(lab.column, ("xenDomainName", "xenDomainHost", "xenDomainState", "xenDomainKind"))
        guests = [index for index in sorted(names) if kinds.get(index) == GUEST and states.get(index) == RUNNING][:CHANGES]
        with open(lab.path(lab.receiver.name + ".log")) as log:
            log.seek(0, 2)
            for turn, index in enumerate(guests):
                time.sleep(turn * 0.37 % 1)
                began, seen = time.monotonic(), ""
                lab.farm_ctl("crash", f"{hosts[index]}/{names[index]}")
                while f'"{names[index]}"' not in seen:
                    seen += log.read()
                    if time.monotonic() - began > 60:
                        raise SystemExit(f"bench: no notification tells of {names[index]}")
                    time.sleep(0.002)
                seconds.append(time.monotonic() - began)
        wrong = {found.number for found in lab.receiver.all()} - {CRASHED}
    if wrong:
        raise SystemExit(f"bench: there came notifications {wrong} too")
    late = p99(seconds)
    note(f"{len(seconds)} changes, polls every {INTERVAL} s: their traps come after {1000 * middle(seconds):.0f} ms (median), "
         f"the slowest after {1000 * max(seconds):.0f} ms")
    figures.add("trap-p99", late, "s", "<1", late < 1)


class Flapping(threading.Thread):
    """All guests of these estates change each second."""

    def __init__(self, *labs):
        super().__init__()
        self.labs, self.over = labs, threading.Event()

    def run(self):
        while True:
            for lab in self.labs:
                lab.farm_ctl("flap", str(FLAPPING))
            if self.over.wait(1):
                return

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.over.set()
        self.join()


def resident(lab):
    return lab.get(lab.oid("xenAgentMemory", 0))


def bench_storm(figures):
    """Beside an estate where the same happens and nothing is sent."""
    with TrapEstate(10, FLAPPING, "domainState") as lab, TrapEstate(10, FLAPPING, "none") as control:
        def walks():
            """A cell's time as a multiple of one of the agent beside, over a while."""
            seen, end = [], time.monotonic() + STORM_SEC
            while time.monotonic() < end or len(seen) < ROUNDS:
                seen.append(pair(lab, control, COLUMNS)[2])
            return middle(seen)

        def told():
            return lab.get(*[lab.oid(name, 0) for name in ("xenNotifySent", "xenNotifyBulked")])
        quiet, before = walks(), told()
        with Flapping(lab, control):
            lab.wait(lambda: sum(told()) > sum(before), "the storm has begun")
            storm = walks()
        sent, bulked = (now - then for now, then in zip(told(), before))
        memory = resident(lab) / resident(control)
    over = 100 * (storm / quiet - 1)
    note(f"{FLAPPING} guests change each second: {sent} events sent, {bulked} told in bulk; a cell takes {quiet:.3f} times "
         f"one of an agent that sends nothing before, {storm:.3f} times meanwhile; the agent has {memory:.3f} times its memory")
    figures.add("walk-storm-over-muted", over, "%", "<=5", over <= 5)
    figures.add("memory-storm-over-muted", 100 * (memory - 1), "%", "<=5", memory <= 1.05)


def measure(figures):
    if "trap-p99" in figures.wanted:
        bench_p99(figures)
    if figures.wanted & {"walk-storm-over-muted", "memory-storm-over-muted"}:
        bench_storm(figures)
