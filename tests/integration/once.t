#!/usr/bin/env python3
"""What a SET accepted runs once, whoever is killed with -9 meanwhile: the farm counts every execution."""

import os
import random
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, SnmpError, diag, done, is_, ok  # noqa: E402

ACCEPTED, KILLS = 80, 8
RUNNING, PAUSED, SHUTDOWN, FINISHED, RESULT_OK = 4, 8, 11, 5, 2
START, STOP, REBOOT, PAUSE, UNPAUSE = 2, 3, 4, 5, 6
SEED = int(os.environ.get("ONCE_SEED", random.randrange(1 << 30)))


def ask(lab, index, hosts):
    """One SET that fits the state of the domain: the name of the SNMP error, or None if the agent is away."""
    try:
        state = lab.get(lab.oid("xenDomainState", index))
        if state == RUNNING and random.random() < 0.3:
            return lab.set(lab.oid("xenDomainMigrateTo", index), "s", random.choice(hosts))
        actions = {RUNNING: (STOP, REBOOT, PAUSE), PAUSED: (UNPAUSE,), SHUTDOWN: (START,)}.get(state)
        return lab.set(lab.oid("xenDomainPower", index), "i", random.choice(actions)) if actions else None
    except SnmpError:
        return None


def kill_one(lab, n):
    victims = lab.workers()
    if n % 2 and victims:
        os.kill(random.choice(sorted(victims)), signal.SIGKILL)
        return
    lab.kill("xensnmpd")
    lab.start("xensnmpd")


def stats(lab):
    return dict(line.split("=") for line in lab.farm_ctl("stats").split() if "=" in line)


def all_ended(lab):
    """False too while the agent is away and shows nothing."""
    rows = lab.table("xenOperationTable").values()
    return rows and all(row.get("xenOperationState") == FINISHED for row in rows)


random.seed(SEED)
diag(f"ONCE_SEED={SEED}")
with Lab(hosts=3, domains=30, speed=20) as estate:
    guests = [index for index, row in estate.table("xenDomainTable").items() if row["xenDomainKind"] == 1]
    names = list(estate.table("xenHostTable"))
    accepted = kills = 0
    for turn in range(ACCEPTED * 20):
        if accepted >= ACCEPTED:
            break
        accepted += ask(estate, random.choice(guests), names) == "noError"
        if accepted >= (kills + 1) * ACCEPTED // (KILLS + 1):
            kill_one(estate, kills)
            kills += 1
    is_(accepted, ACCEPTED, "the SETs were accepted")
    ok(kills >= KILLS, "between them daemons and workers were killed")
    estate.wait(lambda: all_ended(estate), "every operation ends")
    rows = estate.table("xenOperationTable")
    counted = stats(estate)
    is_(int(counted["duplicates"]), 0, "no operation ran twice")
    is_(int(counted["executions"]), len(rows), "as many ran as were asked for")
    bad = [row for row in rows.values() if row["xenOperationResult"] != RESULT_OK]
    if not ok(not bad, "every result is ok"):
        diag(repr(bad[:3]))
done()
