#!/usr/bin/env python3
"""Memory and descriptors of the daemon and its workers do not grow with polls and SETs.

GROWTH_ROUNDS: so many polls and so many SETs (500); CONTRIBUTING.md names the long run."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402

ROUNDS = int(os.environ.get("GROWTH_ROUNDS", 500))
HOSTS, GUESTS, AT_ONCE = 40, 160, 100
RUNNING, PAUSED, FINISHED, PAUSE, UNPAUSE = 4, 8, 5, 5, 6
# Heaps move about, and each thread has one; beside that 16 octets left behind by each poll or SET of the long run are too many.
MOST_KIB = 600 + ROUNDS * 16 // 1024
WINDOWS = 2
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


    def window(self):
        """{pid: (KiB, descriptors) by which it grew} over so many SETs and polls."""
        before, polls = self.sizes(), self.polls()
        accepted, refused = self.sets(ROUNDS)
        self.wait(lambda: self.polls() >= polls + ROUNDS, "the polls are done", ROUNDS)
        after = self.sizes()
        diag(f"{accepted} SETs accepted, {refused} refused, {self.polls() - polls} polls")
        is_(before.keys(), after.keys(), "by the same processes")
        for pid, (kib, descriptors) in before.items():
            diag(f"process {pid}: {kib} KiB, {descriptors} descriptors; {after[pid][0]} and {after[pid][1]} after")
        return {pid: (after[pid][0] - kib, after[pid][1] - descriptors) for pid, (kib, descriptors) in before.items()}

with Estate(hosts=HOSTS, domains=GUESTS, speed=1000, farm_options=["--running", "100"],
            agent={"duplicate_window": 0, "operation_rows": 50, "event_rows": 100, "max_operations": AT_ONCE,
                   "max_operations_per_host": 4}) as lab:
    lab.controls = {index for index, kind in lab.column("xenDomainKind").items() if kind != 1}
    # Tables, rings and heaps find their size first.
    lab.sets(max(320, ROUNDS // 10))
    lab.wait(lambda: lab.polls() > 10 * HOSTS, "everything is warm", 120)
    ok(lab.table_is_full(), "the table of operations is full before")
    # What is lost with each poll or SET is lost every time; a thread that needs its first memory is late, once or twice.
    for window in range(WINDOWS):
        grown = lab.window()
        if window == WINDOWS - 1 or all(kib <= MOST_KIB and descriptors <= 2 for kib, descriptors in grown.values()):
            break
    for pid, (kib, descriptors) in grown.items():
        who = "the front" if pid == lab.pid("xensnmpd") else "a worker"
        # The sanitizer keeps what was freed for a while; it has a look at leaks of its own.
        ok(SANITIZED or kib <= MOST_KIB, f"{who} did not grow")
        ok(descriptors <= 2, f"{who} has no more descriptors")
done()
