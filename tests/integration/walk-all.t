#!/usr/bin/env python3
"""Made for discovery: every table whole in one walk, a text for each row, indexes without gaps where they count, the same
indexes while the estate changes and after restarts of the agent and of snmpd."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, done, is_, ok  # noqa: E402
from xapi import PoolLab  # noqa: E402

PAUSE, UNPAUSE, ENDED, CREATE_AND_GO = 5, 6, 5, 4
# Their rows are numbered one by one.
COUNTED = ("xenOperationTable", "xenEventTable", "xenSetErrorTable", "xenDiscoveryTable")
# These grow with all that happens, and those begin anew with the agent: the rest must stay as it is.
GROWING = ("xenOperationTable", "xenEventTable", "xenGroupHistoryTable")
VOLATILE = ("xenSetErrorTable", "xenDiscoveryTable", "xenFoundTable")


class Schema:
    """Tables, and their columns, as the daemon itself tells them."""

    def __init__(self):
        said = subprocess.run([os.path.join(BUILD, "bin", "xensnmpd"), "--dump-schema"], capture_output=True, text=True, check=True).stdout
        rows = [line.split("\t") for line in said.splitlines()]
        self.root = rows[1][1]
        self.texts = {row[0] for row in rows if row[2] == "index" and row[3] == "SnmpAdminString"}
        self.tables = {row[0]: {"arc": row[1], "index": row[7]} for row in rows if row[2] == "table"}
        for row in rows:
            for table in self.tables.values():
                if row[2] == "column" and row[1].startswith(table["arc"] + "."):
                    table.setdefault("columns", {})[int(row[1].rpartition(".")[2])] = (row[0], row[3])

    def entry(self, name):
        return f"{self.root}.{self.tables[name]['arc']}.1"


def split(schema, name, walked):
    """{column number: {index: value}}, in the walk's order."""
    columns, entry = {}, schema.entry(name)
    for oid, value in walked:
        number, _, index = oid[len(entry) + 1:].partition(".")
        columns.setdefault(int(number), {})[index] = value
    return columns


def indexes(columns):
    return {index for cells in columns.values() for index in cells}


def fill(lab):
    """Something in every table."""
    guests = sorted(row["index"] for row in lab.guests().values() if row["xenDomainState"] == 4)
    is_(lab.set(lab.oid("xenDomainSnapshotNow", guests[0]), "s", "before"), "noError", "a snapshot")
    for guest in guests[:3]:
        is_(lab.set(lab.oid("xenDomainTimeout", guest), "u", 90000), "wrongValue", "a SET is refused")
    is_(lab.set((lab.oid("xenDiscoveryStart", 0), "s", "here"), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "127.0.0.1"),
                (lab.oid("xenDiscoveryStartProbes", 0), "s", f"xapi:{lab.pool.port}")), "noError", "a discovery")
    is_(lab.set(lab.oid("xenGroupRowStatus", "some"), "i", CREATE_AND_GO), "noError", "a group")
    for uuid in sorted(lab.guests())[:3]:
        is_(lab.set(lab.oid("xenMemberRowStatus", "some", uuid), "i", CREATE_AND_GO), "noError", "its member")
    lab.wait(lambda: lab.table("xenFoundTable") and lab.table("xenSnapshotTable") and len(lab.table("xenMemberTable")) == 3,
             "there are finds, snapshots, members")
    settle(lab)
    is_(lab.set(lab.oid("xenGroupPower", "some"), "i", PAUSE), "noError", "the group pauses")
    settle(lab)
    is_(lab.set(lab.oid("xenGroupPower", "some"), "i", UNPAUSE), "noError", "and goes on")
    settle(lab)
    return guests


def settle(lab):
    lab.wait(lambda: all(row["xenOperationState"] == ENDED for row in lab.table("xenOperationTable").values()), "all operations end")


def test_whole(lab, schema):
    """One walk of a table, by GETNEXT and by GETBULK, has what walks of its single columns have."""
    for name in schema.tables:
        entry = schema.entry(name)
        bulk = split(schema, name, lab.bulkwalk(entry, 50))
        rows = indexes(bulk)
        ok(rows, f"{name} has rows ({len(rows)})")
        single = {number: [oid for oid, _ in lab.walk(f"{entry}.{number}")] for number in bulk}
        is_({number: [f"{entry}.{number}.{index}" for index in cells] for number, cells in bulk.items()}, single,
            f"{name}: one walk has all of each column, in order")
        texts = [number for number, cells in bulk.items() if set(cells) == rows
                 and schema.tables[name]["columns"][number][1].startswith("SnmpAdminString") and all(isinstance(v, str) for v in cells.values())]
        if not schema.tables[name]["index"].startswith("AUGMENTS"):
            by_text = schema.texts & set(schema.tables[name]["index"].split(","))
            ok(texts or by_text, f"{name}: each row has a text, as a column or as its index")
            continue
        base = schema.tables[name]["index"].split()[1]
        is_(rows, indexes(split(schema, base, lab.bulkwalk(schema.entry(base), 50))), f"{name}: the rows of {base}")


def test_counted(lab, schema):
    for name in COUNTED:
        numbers = sorted(int(index) for index in indexes(split(schema, name, lab.bulkwalk(schema.entry(name), 50))))
        is_(numbers, list(range(numbers[0], numbers[0] + len(numbers))), f"{name}: no gaps in {numbers[0]} to {numbers[-1]}")


def rows_of(lab, schema, volatile=VOLATILE + GROWING):
    return {name: sorted(indexes(split(schema, name, lab.bulkwalk(schema.entry(name), 50)))) for name in schema.tables if name not in volatile}


def test_stable(lab, schema, guests):
    before = rows_of(lab, schema)
    for round_ in range(3):
        for guest in guests[:8]:
            lab.set(lab.oid("xenDomainPower", guest), "i", PAUSE if round_ % 2 == 0 else UNPAUSE)
        is_(rows_of(lab, schema), before, f"the indexes stay while domains change, round {round_ + 1}")
        settle(lab)
    kept = VOLATILE + ("xenEventTable", "xenGroupHistoryTable")
    before = rows_of(lab, schema, kept)
    labels = lab.column("xenDomainLabel")
    for name in ("xensnmpd", "snmpd"):
        lab.restart(name)
        lab.wait(lambda: lab.is_whole() and rows_of(lab, schema, kept) == before, f"the indexes are back after a restart of {name}", 60)
        is_(lab.column("xenDomainLabel"), labels, f"each is the same domain's after a restart of {name}")


with PoolLab(hosts=2, domains=40, speed=16, agent={"discovery_allow": "127.0.0.1/32"}) as estate:
    estate.begin()
    tables = Schema()
    running = fill(estate)
    test_whole(estate, tables)
    test_counted(estate, tables)
    test_stable(estate, tables, running)
done()
