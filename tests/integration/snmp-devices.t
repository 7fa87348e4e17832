#!/usr/bin/env python3
"""Tables below those of domains and hosts: rows, labels, counters that add up and never fall, what vanishes and what
stays."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, diag, done, is_, ok

RUNNING, SHUTDOWN, REBOOT, FINISHED = 4, 11, 4, 5
AT_WORK, IDLE = 1, 2
HOME, BOTH = 1, 3
# table -> {number of the row below its domain: name in the label}, {column: the domain's sum of it}
TABLES = {
    "xenVcpu": ({1: "vcpu0", 2: "vcpu1"}, {"Time": "xenDomainCpuTime"}),
    "xenVif": ({1: "vif0", 2: "vif1"},
               {"RxOctets": "xenDomainNetRxOctets", "TxOctets": "xenDomainNetTxOctets",
                "RxPackets": "xenDomainNetRxPackets", "TxPackets": "xenDomainNetTxPackets"}),
    "xenVbd": ({51712: "xvda", 51728: "xvdb"},
               {"ReadOctets": "xenDomainDiskReadOctets", "WriteOctets": "xenDomainDiskWriteOctets",
                "Reads": "xenDomainDiskReads", "Writes": "xenDomainDiskWrites"}),
}


def none(lines, name):
    if not ok(not lines, name):
        diag("\n".join(map(str, lines[:20])))


def counters(lab, table):
    """{(domain, number, column): value} of all counters of a table."""
    names = [name for name in lab.schema() if re.fullmatch(table + r"\w*(Octets|Packets|Errors|Drops|Reads|Writes|Time)", name)]
    return {(*row, name): value for name in names for row, value in lab.column(name).items()}


def falls(before, now):
    return [f"{cell}: {before[cell]}, then {now.get(cell)}" for cell in before if now.get(cell, -1) < before[cell]]


def sums(lab, table, domain):
    """What does not add up between a domain and its devices; one GET sees one poll."""
    rows, columns = TABLES[table]
    wrong = []
    for column, total in columns.items():
        values = lab.get(lab.oid(total, domain), *(lab.oid(table + column, domain, row) for row in rows))
        if None in values or values[0] != sum(values[1:]) or not values[0]:
            wrong.append(f"{column} of domain {domain}: {values}")
    return wrong


def life(lab, domain, what, change):
    """Changes a domain's life and waits until its counters run again: none of them may have fallen."""
    before = {table: {cell: value for cell, value in counters(lab, table).items() if cell[0] == domain}
              for table in TABLES}
    place = [lab.oid("xenDomainHost", domain), lab.oid("xenDomainDomid", domain)]
    old = lab.get(*place)
    change()
    lab.wait(lambda: None not in lab.get(*place) and lab.get(*place) != old
             and lab.get(lab.oid("xenDomainState", domain)) == RUNNING
             and all(before[table].keys() <= counters(lab, table).keys() for table in TABLES), what)
    lab.wait(lambda: set(lab.column("xenOperationState").values()) == {FINISHED}, f"the operation ends: {what}")
    for table in TABLES:
        ok(before[table], f"{table} counted before")
        none(falls(before[table], counters(lab, table)), f"{what}: no counter of {table} fell")


def move_and_kill(lab, domain, host):
    is_(lab.set(lab.oid("xenDomainMigrateTo", domain), "s", host), "noError", "another migration is accepted")
    lab.kill("xensnmpd")
    lab.start("xensnmpd")


with Lab(hosts=2, domains=6, seed=7, speed=20, farm_options=["--vcpus", "2", "--vifs", "2", "--vbds", "2"],
         agent={"stale_after": 2}) as lab:
    lab.wait_rows()
    domains = lab.table("xenDomainTable")
    guests = [row for row, cells in domains.items() if cells["xenDomainKind"] == 1]
    running = [row for row in guests if domains[row]["xenDomainState"] == RUNNING]
    stopped = [row for row in guests if domains[row]["xenDomainState"] == SHUTDOWN]
    ok(running and stopped, "there are domains that run and others")

    for table, (numbers, columns) in TABLES.items():
        rows = lab.table(table + "Table")
        owners = running if table == "xenVcpu" else guests
        is_(sorted(rows), sorted((row, number) for row in owners for number in numbers),
            f"{table}: there are the rows of {'domains that run' if owners is running else 'all guests'}, and no others")
        is_({row: cells[table + "Label"] for row, cells in rows.items()},
            {(domain, number): f"{domains[domain]['xenDomainLabel']} {numbers[number]}" for domain, number in rows},
            f"{table}: labels name host, domain and device")
        is_(sorted({domain for domain, *_ in counters(lab, table)}), running, f"{table}: counters of domains that run alone")
        none([wrong for domain in running for wrong in sums(lab, table, domain)], f"{table}: devices add up to their domain")
        is_({cells[table + "Discontinuity"] for cells in rows.values()}, {0}, f"{table}: nothing was interrupted")

    # --- the domains of a host
    for host in lab.host_names():
        there = {row: cells for row, cells in domains.items() if cells["xenDomainHost"] == host}
        base = lab.oid("xenHostDomainName", host)
        is_({int(oid.rpartition(".")[2]): name for oid, name in lab.bulkwalk(base)},
            {row: cells["xenDomainName"] for row, cells in there.items()}, f"one walk lists the domains of {host}, and no others")
        rows = {row: cells for (key, row), cells in lab.table("xenHostDomainTable").items() if key == host}
        is_({row: [cells["xenHostDomainLabel"], cells["xenHostDomainState"]] for row, cells in rows.items()},
            {row: [cells["xenDomainLabel"], cells["xenDomainState"]] for row, cells in there.items()},
            f"{host}: labels and states are those of the domains")
        is_({row: rows[row]["xenHostDomainRole"] for row in rows if row in guests},
            {row: HOME if row in stopped else BOTH for row in there if row in guests}, f"{host}: what lives there and what only lies there")

    # --- what a device is
    is_(lab.column("xenVcpuState"), {(row, number): AT_WORK if number == 1 else IDLE for row in running for number in (1, 2)},
        "processors tell what they do")
    is_(set(lab.column("xenVcpuAffinity").values()), {"all"}, "and where they may do it")
    cpus = lab.column("xenHostCpus")
    ok(all(0 <= cpu < cpus[domains[row]["xenDomainHost"]] for (row, _), cpu in lab.column("xenVcpuCpu").items()), "and where they are")
    vif = lab.table("xenVifTable")[running[0], 2]
    domid = domains[running[0]]["xenDomainDomid"]
    is_([vif[f"xenVif{name}"] for name in ("Device", "Bridge", "Backend", "RxErrors")], [1, "xenbr1", f"vif{domid}.1", 0],
        "an interface tells its number, bridge and backend, and an error count of 0 that is known")
    ok(vif["xenVifMac"].startswith("00:16:3e:"), "and its hardware address")
    ok("xenVifBackend" not in lab.table("xenVifTable")[stopped[0], 2], "no backend while the domain does not run")
    vbd = lab.table("xenVbdTable")[running[0], 51728]
    is_([vbd[f"xenVbd{name}"] for name in ("Device", "ReadOnly")], ["xvdb", 2], "a disk tells its name and that it can be written")
    ok(re.fullmatch(r"/dev/vg0/\w+-disk1", vbd["xenVbdTarget"]), "and what stands behind it")

    # --- counters never fall
    guest = next(row for row in running if domains[row]["xenDomainHost"] == "host1")
    life(lab, guest, "reboot",
         lambda: is_(lab.set(lab.oid("xenDomainPower", guest), "i", REBOOT), "noError", "a reboot is accepted"))
    life(lab, guest, "migration",
         lambda: is_(lab.set(lab.oid("xenDomainMigrateTo", guest), "s", "host2"), "noError", "a migration is accepted"))
    ok(all(label.startswith("host2/") for (domain, _), label in lab.column("xenVifLabel").items() if domain == guest),
       "the labels have moved with the domain")
    is_([key for key, row in lab.column("xenHostDomainName") if row == guest], ["host2"], "so has its row below a host")
    life(lab, guest, "migration while the agent is killed", lambda: move_and_kill(lab, guest, "host1"))
    life(lab, guest, "migration back",
         lambda: is_(lab.set(lab.oid("xenDomainMigrateTo", guest), "s", "host2"), "noError", "a third migration is accepted"))
    before = {table: counters(lab, table) for table in TABLES}
    lab.restart("xensnmpd")
    lab.wait_rows()
    for table in TABLES:
        lab.wait(lambda table=table: len(counters(lab, table)) >= len(before[table]), "counters are there again")
        none(falls(before[table], counters(lab, table)), f"restart of the agent: no counter of {table} fell")

    # --- a host that does not answer
    inventory = lab.column("xenVifMac")
    lab.farm_ctl("host", "host2", "down")
    there = [row for row in guests if lab.get(lab.oid("xenDomainHost", row)) == "host2"]
    lab.wait(lambda: not any(domain in there for table in TABLES for domain, *_ in counters(lab, table)),
             "counters of a host that is silent vanish")
    is_(lab.column("xenVifMac"), inventory, "what the devices are stays")
    roles = {row for key, row in lab.column("xenHostDomainRole")}
    ok(roles and not roles & set(there), "who lives there is not known")
    ok(set(there) <= {row for key, row in lab.column("xenHostDomainLabel") if key == "host2"}, "who was there last is")
    ok(not any(domain in there for domain, _ in lab.column("xenVifBackend")), "the backend, which is of this life, does not")
done()
