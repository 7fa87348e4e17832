#!/usr/bin/env python3
"""Memory and descriptors of the daemon and its workers do not grow with polls and SETs.

GROWTH_ROUNDS: so many polls and so many SETs (1000); CONTRIBUTING.md names the long run."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402

ROUNDS = int(os.environ.get("GROWTH_ROUNDS", 1000))
HOSTS, GUESTS, AT_ONCE = 40, 160, 100
RUNNING, PAUSED, FINISHED, PAUSE, UNPAUSE = 4, 8, 5, 5, 6
# The heap moves about a little; beside that 16 octets left behind by each poll or SET of the long run are too many.
MOST_KIB = 300 + ROUNDS * 16 // 1024
SANITIZED = "ASAN_OPTIONS" in os.environ


def size(pid):
    """(KiB of memory of its own, descriptors) of a process."""
    with open(f"/proc/{pid}/smaps_rollup") as text:
        kib = next(int(line.split()[1]) for line in text if line.startswith("Private_Dirty"))
    return kib, len(os.listdir(f"/proc/{pid}/fd"))


class Estate(Lab):
    def sizes(self):
        return {pid: size(pid) for pid in (self.pid("xensnmpd"), *sorted(self.workers()))}

    def polls(self):
        return self.get(self.oid("xenPollsOk", 0))

    def all_ended(self):
        return self.get(self.oid("xenQueueDepth", 0)) == 0

    def sets(self, n):
        """So many SETs: guests that run are paused, those that are paused run again. Three in ten are refused. How many were
        accepted, and refused."""
        accepted = refused = 0
        states = self.column("xenDomainState")
        guests = [index for index in sorted(self.column("xenDomainName")) if states[index] in (RUNNING, PAUSED)
                  and index not in self.controls]
        while accepted + refused < n:
            for index in guests[:n - accepted - refused]:
                action = UNPAUSE if states[index] == PAUSED else PAUSE
                if random.random() < 0.3:
                    refused += self.set(self.oid("xenDomainPower", index), "i", 99) == "wrongValue"
                    continue
                accepted += self.set(self.oid("xenDomainPower", index), "i", action) == "noError"
            self.wait(self.all_ended, "the operations end", 60)
            states = self.column("xenDomainState")
        return accepted, refused

    def table_is_full(self):
        return len(self.column("xenOperationState")) >= self.agent["operation_rows"]


def growth(before, after):
    return {pid: (after[pid][0] - before[pid][0], after[pid][1] - before[pid][1]) for pid in before if pid in after}


with Estate(hosts=HOSTS, domains=GUESTS, speed=1000, farm_options=["--running", "100"],
            agent={"duplicate_window": 0, "operation_rows": 50, "event_rows": 100, "max_operations": AT_ONCE,
                   "max_operations_per_host": 4}) as lab:
    lab.controls = {index for index, kind in lab.column("xenDomainKind").items() if kind != 1}
    # Tables, rings and heaps find their size first.
    lab.sets(max(320, ROUNDS // 10))
    lab.wait(lambda: lab.polls() > 10 * HOSTS, "everything is warm", 120)
    ok(lab.table_is_full(), "the table of operations is full before")
    before, polls = lab.sizes(), lab.polls()

    accepted, refused = lab.sets(ROUNDS)
    lab.wait(lambda: lab.polls() >= polls + ROUNDS, "the polls are done", ROUNDS)
    after = lab.sizes()
    diag(f"{accepted} SETs accepted, {refused} refused, {lab.polls() - polls} polls")
    ok(accepted + refused >= ROUNDS and lab.polls() - polls >= ROUNDS, "so many SETs and polls were done")
    is_(before.keys(), after.keys(), "by the same processes")
    for pid, (kib, descriptors) in growth(before, after).items():
        who = "the front" if pid == lab.pid("xensnmpd") else "a worker"
        diag(f"{who}: {before[pid][0]} KiB and {before[pid][1]} descriptors before, {kib:+d} and {descriptors:+d} after")
        # The sanitizer keeps what was freed for a while; it has a look at leaks of its own.
        ok(SANITIZED or kib <= MOST_KIB, f"{who} did not grow")
        ok(descriptors <= 2, f"{who} has no more descriptors")
done()
