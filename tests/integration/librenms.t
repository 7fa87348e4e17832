#!/usr/bin/env python3
"""The table that LibreNMS reads from XCP-ng: types and values of the script that serves it there, and rows that stay."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import ALL_CONTEXTS, Lab, diag, done, is_, ok

ROOT = "1.3.6.1.4.1.60652.100"
ENTRY = f"{ROOT}.1.1"
# Columns: the types on the wire, which the poller goes by.
NAME, CONFIG, OS, MEMORY, STATE, VMID, GUEST_STATE, ADDRESS, CPUS, UUID = range(2, 12)
NUMBERS = {MEMORY, STATE, CPUS}
RUNNING, HALTED, PAUSED, OTHER = 1, 2, 3, 5
# What our own table says of a guest, and what the script would make of it.
STATES = {4: RUNNING, 8: PAUSED, 11: HALTED, 12: OTHER}
GUEST, CONTROL = 1, 2


def none(lines, name):
    if not ok(not lines, name):
        diag("\n".join(map(str, lines[:20])))


def rows(client):
    """{row: {column: value}}"""
    found = {}
    for oid, value in client.bulkwalk(ROOT, 50):
        column, row = map(int, oid.removeprefix(ENTRY + ".").split("."))
        found.setdefault(row, {})[column] = value
    return found


def expected(cell, addresses):
    """A guest's row as the script's rules have it."""
    return {NAME: cell["xenDomainName"], CONFIG: cell["xenDomainConfig"], OS: cell.get("xenDomainOs", ""),
            MEMORY: cell.get("xenDomainMemory", 0), STATE: STATES[cell["xenDomainState"]],
            VMID: cell["xenDomainUuid"], UUID: cell["xenDomainUuid"], CPUS: cell["xenDomainVcpus"],
            ADDRESS: addresses, GUEST_STATE: "running" if cell.get("xenDomainTools") in (3, 4) else "not installed"}


def check(lab, name):
    found, ours = rows(lab.client), lab.table("xenDomainTable")
    is_(sorted(found), sorted(ours), f"{name}: a row for each domain, by the number that it has in our own table")
    wrong = []
    for row, cell in ours.items():
        if cell["xenDomainKind"] == GUEST:
            want = expected(cell, cell.get("xenDomainAddresses", "").split(" ")[0])
            wrong += [f"{column}.{row}: {found[row].get(column)!r}, not {value!r}"
                      for column, value in want.items() if found[row].get(column) != value]
    none(wrong, f"{name}: its values")
    none([row for row, cells in found.items() if sorted(cells) != list(range(2, 12))], f"{name}: every row has all columns")
    none([f"{column}.{row}" for row, cells in found.items() for column, value in cells.items()
          if isinstance(value, int) != (column in NUMBERS)], f"{name}: numbers and texts are where they belong")
    return found


with Lab(hosts=2, domains=8, seed=5, agent={"librenms": "yes"}, snmpd=ALL_CONTEXTS) as lab:
    lab.wait(lambda: not set(lab.column("xenDomainState").values()) - set(STATES), "no domain is on its way")
    before = check(lab, "all run")
    ours = lab.table("xenDomainTable")
    controls = {row for row, cell in ours.items() if cell["xenDomainKind"] == CONTROL}
    is_(sorted(before[row][NAME] for row in controls), [f"Control domain on host: {host}" for host in ("host1", "host2")],
        "control domains are called as the poller knows them")
    is_({before[row][UUID] for row in controls}, {""}, "and plain Xen gives them no uuid")
    is_(lab.getnext(ROOT)[0][0], f"{ENTRY}.2.{min(before)}", "the first object is the first row's name")
    is_(lab.get(f"{ENTRY}.1.{min(before)}", f"{ENTRY}.2.65535", f"{ENTRY}.12.1"), [None] * 3, "index and absent rows are not served")
    is_(lab.set(f"{ENTRY}.2.{min(before)}", "s", "x"), "notWritable", "nothing can be written to, and nothing seems to be")
    is_([oid for oid, _ in lab.walk(ROOT)], [oid for oid, _ in lab.bulkwalk(ROOT, 50)], "GETNEXT and GETBULK walk the same way")

    guests = [row for row in before if row not in controls and ours[row]["xenDomainState"] == 4]
    lab.farm_ctl("pause", ours[guests[0]]["xenDomainUuid"])
    lab.farm_ctl("poweroff", ours[guests[1]]["xenDomainUuid"])
    lab.farm_ctl("crash", ours[guests[2]]["xenDomainUuid"])

    def states():
        return lab.get(*(f"{ENTRY}.{STATE}.{row}" for row in guests[:3]))

    lab.wait(lambda: states()[:2] == [PAUSED, HALTED] and states()[2] in (OTHER, HALTED), "one is paused, one halted, one crashed")
    check(lab, "some do not")

    host = lab.user("monitor", context="host1")
    lab.wait(lambda: rows(host), "a host has its table in its context")
    homes = lab.column("xenDomainHost")
    is_(sorted(rows(host)), sorted(row for row, key in homes.items() if key == "host1"), "with its own domains")

    lab.sources.pop("host2")
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), 1)
    left = {row: cells[UUID] for row, cells in before.items() if homes[row] == "host1"}
    lab.wait(lambda: {row: cells[UUID] for row, cells in rows(lab.client).items()} == left,
             "rows go with their host, and no other row changes its number")

with Lab(hosts=1, domains=2) as lab:
    is_(lab.bulkwalk(ROOT), [], "it is not there unless it is asked for")
done()
