#!/usr/bin/env python3
"""Groups as operators use them, through snmpd: started over three hosts, rebalanced, moved, shut down, cancelled; and a start of forty
members with kill -9 amid it: none is lost, none runs twice. The farm counts."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, SnmpError, diag, done, is_, ok  # noqa: E402

CREATE_AND_GO = 4
START, SHUTDOWN, PAUSE, UNPAUSE, DESTROY = 2, 3, 5, 6, 9
RUNNING, PAUSED, SHUT = 4, 8, 11
FINISHED = 5
OK, PARTIAL, CANCELLED = 2, 3, 5
PROTECTED = 16
STARTED, STOPPED, MOVED, OPERATION = 1, 2, 3, 11


class Pool(Lab):
    """All hosts are one source, so that each domain may start on any of them."""

    def farm_sources(self):
        self.sources["all"] = {"uri": f"sim://{self.path('farm.sock')}/@all", "save_dir": "/srv/saved"}


def guests(lab):
    """{name: index}"""
    return {row["xenDomainName"]: index for index, row in lab.table("xenDomainTable").items() if row["xenDomainKind"] == 1}


def make_group(lab, name, members, **parameters):
    """In as few SETs as snmpd takes."""
    is_(lab.set((lab.oid("xenGroupRowStatus", name), "i", CREATE_AND_GO),
                *((lab.oid(f"xenGroup{key}", name), *value) for key, value in parameters.items())), "noError", f"{name} is made")
    answers = {lab.set((lab.oid("xenMemberRowStatus", name, member), "i", CREATE_AND_GO)) for member in members}
    is_(answers, {"noError"}, f"{name} has {len(members)} members")


def parent_of(lab, name):
    """(index, row) of the newest operation on the group itself."""
    rows = {index: row for index, row in lab.table("xenOperationTable").items()
            if row.get("xenOperationGroupName") == name and "xenOperationParent" not in row}
    return max(rows.items()) if rows else (0, {})


def ended(lab, name, after=0):
    def newest():
        index, row = parent_of(lab, name)
        return row if index > after and row.get("xenOperationState") == FINISHED else None
    return lab.wait(newest, f"the operation of {name} ends", 60)


def children(lab, index):
    return {n: row for n, row in lab.table("xenOperationTable").items() if row.get("xenOperationParent") == index}


def ask(lab, name, column, kind, value):
    """One SET; the parent as it ended."""
    before, _ = parent_of(lab, name)
    is_(lab.set(lab.oid(f"xenGroup{column}", name), kind, value), "noError", f"{name}: {column} {value} is accepted")
    return ended(lab, name, before)


def hosts_of(lab, names):
    """{host: how many of these run there}"""
    where = {}
    for row in lab.table("xenDomainTable").values():
        if row["xenDomainName"] in names and row["xenDomainState"] == RUNNING:
            where[row["xenDomainHost"]] = where.get(row["xenDomainHost"], 0) + 1
    return where


def states_of(lab, names):
    return {row["xenDomainState"] for row in lab.table("xenDomainTable").values() if row["xenDomainName"] in names}


def stats(lab):
    return dict(line.split("=") for line in lab.farm_ctl("stats").split() if "=" in line)


def test_life(lab):
    names = sorted(guests(lab))[:9]
    make_group(lab, "web", names)
    ran = int(stats(lab)["executions"])
    row = ask(lab, "web", "Power", "i", START)
    is_((row["xenOperationResult"], row["xenOperationTotal"], row["xenOperationDone"], row["xenOperationFailed"]), (OK, 9, 9, 0),
        "nine members are started")
    is_(sorted(hosts_of(lab, names).values()), [3, 3, 3], "equally over three hosts")
    is_(int(stats(lab)["executions"]) - ran, 9, "each once")
    row = ask(lab, "web", "Power", "i", PAUSE)
    is_((row["xenOperationResult"], states_of(lab, names)), (OK, {PAUSED}), "all are paused")
    row = ask(lab, "web", "Power", "i", UNPAUSE)
    is_((row["xenOperationResult"], states_of(lab, names)), (OK, {RUNNING}), "and go on")
    target = sorted(hosts_of(lab, names))[0]
    row = ask(lab, "web", "MigrateTo", "s", target)
    is_((row["xenOperationResult"], row["xenOperationTotal"]), (OK, 6), "those of two hosts move to the third")
    is_(hosts_of(lab, names), {target: 9}, "where all are now")
    row = ask(lab, "web", "MigrateTo", "s", "@spread")
    is_((row["xenOperationResult"], row["xenOperationTotal"]), (OK, 6), "six moves spread them again")
    is_(sorted(hosts_of(lab, names).values()), [3, 3, 3], "equally")
    is_(lab.set(lab.oid("xenDomainProtected", guests(lab)[names[0]]), "i", 1), "noError", "one is protected")
    row = ask(lab, "web", "Force", "i", DESTROY)
    is_((row["xenOperationResult"], row["xenOperationCause"], row["xenOperationFailed"]), (PARTIAL, PROTECTED, 1),
        "destroy leaves the protected one alone, and says so")
    is_(lab.set(lab.oid("xenDomainProtected", guests(lab)[names[0]]), "i", 2), "noError", "it is not protected any more")
    row = ask(lab, "web", "Power", "i", SHUTDOWN)
    is_((row["xenOperationResult"], row["xenOperationTotal"]), (OK, 1), "only the last one is left to be shut down")
    is_(states_of(lab, names), {SHUT}, "all are off")
    return names


def test_history(lab, names):
    rows = {index[1]: row for index, row in lab.table("xenGroupHistoryTable").items() if index[0] == "web"}
    mine = [row for _, row in sorted(rows.items()) if row["xenGroupHistoryMember"] == names[-1]]
    events = [row["xenGroupHistoryEvent"] for row in mine]
    ok(events[0] == STARTED and STOPPED in events and MOVED in events, "the history tells of start, moves and stop") or diag(events)
    done_by = [row for row in mine if row["xenGroupHistoryEvent"] == OPERATION]
    ok(len(done_by) >= 5 and all(row["xenGroupHistoryResult"] == OK and row["xenGroupHistoryOperation"] for row in done_by),
       "and of each operation, its number and its result")
    lab.restart("xensnmpd")
    lab.wait_rows()
    after = {index[1]: row for index, row in lab.table("xenGroupHistoryTable").items() if index[0] == "web"}
    ok(all(after.get(serial) == row for serial, row in rows.items()), "after a restart of the agent all of it is there")


def test_refusals(lab):
    is_(lab.set(lab.oid("xenGroupPower", "nothing"), "i", START), "inconsistentName", "no such group")
    is_(lab.set(lab.oid("xenGroupMigrateTo", "web"), "s", "nowhere"), "inconsistentValue", "no such host")
    is_(lab.set(lab.oid("xenGroupPower", "web"), "i", PAUSE), "inconsistentValue", "no member of a group that is off can pause")
    is_(lab.set(lab.oid("xenGroupRowStatus", "none"), "i", CREATE_AND_GO), "noError", "a group without members")
    is_(lab.set(lab.oid("xenGroupPower", "none"), "i", START), "inconsistentValue", "an empty group")


def test_cancel(lab):
    before, _ = parent_of(lab, "web")
    is_(lab.set(lab.oid("xenGroupPower", "web"), "i", START), "noError", "a start that will be cancelled")
    index, _ = parent_of(lab, "web")
    ok(index > before, "it has its row at once")
    is_(len(children(lab, index)), 9, "and so has each of its parts")
    is_(lab.set(lab.oid("xenOperationCancel", index), "i", 2), "noError", "cancelled")
    row = ended(lab, "web", before)
    is_(row["xenOperationResult"], CANCELLED, "it ends cancelled")
    ran = [part for part in children(lab, index).values() if part["xenOperationAttempts"]]
    ok(len(ran) < 9, f"{9 - len(ran)} of nine never began")
    lab.set(lab.oid("xenGroupForce", "web"), "i", DESTROY)
    ended(lab, "web", index)


def test_kill():
    """Forty members, ten kills."""
    with Pool(hosts=3, domains=45, speed=10, farm_options=["--running", "0"],
              agent={"operation_rows": 10000, "max_operations": 6, "max_operations_per_host": 6}) as lab:
        names = sorted(guests(lab))[:40]
        make_group(lab, "many", names)
        ran = int(stats(lab)["executions"])
        is_(lab.set(lab.oid("xenGroupPower", "many"), "i", START), "noError", "forty are to start")
        amid = 0
        for _ in range(10):
            amid += parent_of(lab, "many")[1].get("xenOperationState") != FINISHED
            lab.kill("xensnmpd")
            lab.start("xensnmpd")
            done_before = lab.wait(lambda: parent_of(lab, "many")[1].get("xenOperationTotal") == 40 and
                                   parent_of(lab, "many")[1], "the operation is back")["xenOperationDone"]
            try:
                lab.wait(lambda: parent_of(lab, "many")[1]["xenOperationDone"] > min(done_before + 1, 39), "it goes on", 20)
            except SnmpError:
                continue
        row = ended(lab, "many")
        ok(amid >= 3, f"{amid} times the agent was killed amid it")
        counted = stats(lab)
        is_((row["xenOperationResult"], row["xenOperationTotal"], row["xenOperationFailed"]), (OK, 40, 0), "all forty were started")
        is_(int(counted["executions"]) - ran, 40, "forty executions")
        is_(int(counted["duplicates"]), 0, "none twice")
        lab.wait(lambda: sum(hosts_of(lab, names).values()) == 40, "the rows of all forty are back")
        spread = sorted(hosts_of(lab, names).values())
        ok(sum(spread) == 40 and spread[-1] - spread[0] <= 1, f"as planned before the first kill: {spread}")


with Pool(hosts=3, domains=12, speed=20, farm_options=["--running", "0"], agent={"duplicate_window": 0}) as estate:
    members = test_life(estate)
    test_history(estate, members)
    test_refusals(estate)
    test_cancel(estate)
test_kill()
done()
