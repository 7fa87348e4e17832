#!/usr/bin/env python3
"""A thousand SETs while the daemon, its workers, snmpd and the farm are killed with -9, and somebody walks.

Each SET carries a note, so its operation can be told; the farm's journal tells what was executed. KILLS_SEED repeats a
run, KILLS_SETS and KILLS make it another size."""

import os
import random
import signal
import sqlite3
import sys
import threading
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, SnmpError, diag, done, is_, ok  # noqa: E402

SETS, KILLS = int(os.environ.get("KILLS_SETS", 1000)), int(os.environ.get("KILLS", 20))
SEED = int(os.environ.get("KILLS_SEED", random.randrange(1 << 30)))
RUNNING, PAUSED, SHUTDOWN, FINISHED = 4, 8, 11, 5
START, STOP, REBOOT, PAUSE, UNPAUSE, DESTROY, RESET = 2, 3, 4, 5, 6, 9, 10
OK, LOST = 2, 7
POSSIBLE = {RUNNING: [("Power", PAUSE), ("Power", REBOOT), ("Force", RESET), ("Force", DESTROY), ("MigrateTo", None)],
            PAUSED: [("Power", UNPAUSE)], SHUTDOWN: [("Power", START)]}
random.seed(SEED)
diag(f"KILLS_SEED={SEED}")


def ask(index, note):
    """One SET that fits the domain's state, guarded by its lock so that it is never taken for another: was it accepted?"""
    try:
        state, lock = lab.get(lab.oid("xenDomainState", index), lab.oid("xenDomainLock", index))
        if state not in POSSIBLE:
            return False
        column, value = random.choice(POSSIBLE[state])
        asked = ("s", random.choice(hosts)) if value is None else ("i", value)
        return lab.set((lab.oid("xenDomainLock", index), "i", lock), (lab.oid(f"xenDomain{column}", index), *asked),
                       (lab.oid("xenDomainNote", index), "s", note)) == "noError"
    except (SnmpError, TypeError):  # nobody answers, or no such row as yet
        return False


def kill(number):
    """One after the other, all four in every four."""
    what = ("xensnmpd", "worker", "snmpd", "xen-farm")[number % 4]
    if what == "worker":
        for pid in sorted(lab.workers())[:1]:
            os.kill(pid, signal.SIGKILL)
        return
    lab.kill(what)
    lab.start(what)


class Walker(threading.Thread):
    """Reads the domains again and again. Where somebody answers, indexes are ascending and complete."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stop, self.walks, self.bad = threading.Event(), 0, []

    def run(self):
        reader = lab.user("public")
        while not self.stop.wait(0.05):
            try:
                rows = [int(oid.rsplit(".", 1)[1]) for oid, _ in reader.bulkwalk(lab.oid("xenDomainName"))]
            except SnmpError:
                continue
            self.walks += 1
            if rows != sorted(set(rows)):
                self.bad.append(rows)


def executions():
    """{uuid: [result of each execution that ended]} of the farm's journal; one that never ended has none."""
    ran, twice = {}, []
    with open(journal) as text:
        for line in text:
            words = line.split()
            if not line.endswith("\n") or len(words) < 3:
                continue
            if words[0] == "begin":
                if words[1] in ran:
                    twice.append(words[1])
                ran[words[1]] = None
            elif words[0] == "end" and words[1] in ran:
                ran[words[1]] = words[2]
    return ran, twice


def rows_of_journal():
    """What the operations' own database says: (uuid, note, state, result) of each."""
    database = sqlite3.connect(f"file:{lab.path('state', 'operations.db')}?mode=ro", uri=True)
    with database:
        return [(str(uuid.UUID(bytes=raw)), note, state, result)
                for raw, note, state, result in database.execute("SELECT uuid, note, state, result FROM op")]


def all_ended():
    table = lab.table("xenOperationTable").values()
    return table and all(row.get("xenOperationState") == FINISHED for row in table)


with Lab(hosts=4, domains=160, speed=50, start=False,
         agent={"operation_rows": 100000, "max_operations": 40, "max_operations_per_host": 10}) as lab:
    journal = lab.path("journal")
    lab.farm_options = ["--journal", journal]
    for program in ("snmpd", "xen-farm", "xensnmpd"):
        lab.start(program)
    lab.wait_rows()
    guests = [index for index, row in lab.table("xenDomainTable").items() if row["xenDomainKind"] == 1]
    hosts = list(lab.table("xenHostTable"))
    walker = Walker()
    walker.start()
    accepted, kills = [], 0
    for turn in range(SETS * 20):
        if len(accepted) >= SETS:
            break
        if ask(random.choice(guests), f"n{turn}"):
            accepted.append(f"n{turn}")
        if len(accepted) >= (kills + 1) * SETS // (KILLS + 1):
            kill(kills)
            kills += 1
    is_(len(accepted), SETS, "so many SETs were accepted")
    ok(kills >= KILLS, f"{kills} times something was killed")
    lab.wait(all_ended, "every operation ends", 120)
    walker.stop.set()
    walker.join()
    ok(walker.walks > 10 and not walker.bad, f"{walker.walks} walks meanwhile, each in order")
    rows = rows_of_journal()
    ran, twice = executions()
    notes = [note for _, note, _, _ in rows]
    is_([note for note in accepted if notes.count(note) != 1], [], "each accepted SET has one operation")
    is_([row for row in rows if row[2] != FINISHED or not OK <= row[3] <= LOST], [], "each has its final result")
    is_(twice, [], "none was executed twice")
    is_([row for row in rows if row[3] == OK and ran.get(row[0]) != "ok"], [], "what says ok was executed, and ended ok")
    is_([row for row in rows if row[3] not in (OK, LOST) and ran.get(row[0]) == "ok"], [],
        "what ended ok does not say that it failed")
    is_(set(ran) - {row[0] for row in rows}, set(), "nothing ran that nobody asked for")
    results = [row[3] for row in rows]
    diag(f"{len(rows)} operations: " + ", ".join(f"{results.count(n)} with result {n}" for n in sorted(set(results))))
done()
