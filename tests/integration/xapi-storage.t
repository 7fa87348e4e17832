#!/usr/bin/env python3
"""Storage of a pool and network interfaces of its hosts, as SNMP shows them, and their changes between polls."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import done, is_, ok  # noqa: E402
from xapi import PoolLab  # noqa: E402

TRUE, FALSE = 1, 2
MIB = 1 << 20


class Estate(PoolLab):
    """With polls a minute apart, what changes is seen by its event."""

    def __init__(self):
        super().__init__(hosts=2, domains=4, agent={"interval": 60})

    def is_whole(self):
        return len(self.column("xenSrPathsUp")) == 3 and len(self.column("xenPifLink")) == 2


def expected(lab):
    """Rows of xenSrTable as the pool's own records say."""
    srs, pbds = lab.session.SR.get_all_records(), lab.session.PBD.get_all_records()
    rows = {}
    for ref, sr in srs.items():
        paths = [pbd["currently_attached"] for pbd in pbds.values() if pbd["SR"] == ref]
        row = {"xenSrLabel": f"pool1/{sr['name_label']}", "xenSrName": sr["name_label"], "xenSrType": sr["type"],
               "xenSrShared": TRUE if sr["shared"] else FALSE, "xenSrUsed": int(sr["physical_utilisation"]) // MIB,
               "xenSrAllocated": int(sr["virtual_allocation"]) // MIB, "xenSrPaths": len(paths), "xenSrPathsUp": sum(paths)}
        if int(sr["physical_size"]) > 0:
            row["xenSrSize"] = int(sr["physical_size"]) // MIB
        rows["pool1", sr["uuid"]] = row
    return rows


def storage(lab):
    is_(lab.table("xenSrTable"), expected(lab), "storage is shown as the pool has it")
    shared_ref, shared = next((r, sr) for r, sr in lab.session.SR.get_all_records().items() if sr["shared"])
    index = ("pool1", shared["uuid"])
    is_(lab.get(lab.oid("xenSrPathsUp", *index)), 2, "both hosts have the shared one")
    pbd = next(r for r, pbd in lab.session.PBD.get_all_records().items() if pbd["SR"] == shared_ref)
    lab.pool.control("set", "PBD", pbd, "currently_attached", "false")
    lab.turns("xenSrPathsUp", index, 1, "a host that loses it is counted out")
    is_(lab.get(lab.oid("xenSrPaths", *index)), 2, "of as many as before")
    lab.pool.control("set", "SR", shared_ref, "physical_utilisation", str(7 << 40))
    lab.turns("xenSrUsed", index, 7 << 20, "what is taken of it is shown")
    lab.pool.control("set", "SR", shared_ref, "name_label", "'Archive'")
    lab.turns("xenSrName", index, "Archive", "another name is seen, under the same index")
    lab.pool.control("set", "SR", shared_ref, "physical_size", "-1")
    lab.turns("xenSrSize", index, None, "what can't tell its size has none")
    is_(lab.table("xenSrTable"), expected(lab), "all that is as the pool has it")
    return index


def interfaces(lab):
    keys = {row["xenHostName"]: key for key, row in lab.table("xenHostTable").items()}
    hosts, pifs = lab.session.host.get_all_records(), lab.session.PIF.get_all_records()
    networks = lab.session.network.get_all_records()
    rows = {}
    for pif in pifs.values():
        key = keys[hosts[pif["host"]]["name_label"]]
        rows[key, pif["uuid"]] = {
            "xenPifLabel": f"{key} {pif['device']}", "xenPifDevice": pif["device"], "xenPifMac": pif["MAC"], "xenPifLink": TRUE,
            "xenPifSpeed": 10000, "xenPifNetwork": networks[pif["network"]]["name_label"], "xenPifManagement": TRUE}
    is_(lab.table("xenPifTable"), rows, "interfaces are shown as the pool has them, by host")
    ref, pif = sorted(pifs.items())[0]
    index = (keys[hosts[pif["host"]]["name_label"]], pif["uuid"])
    lab.pool.control("set", "PIF_metrics", pif["metrics"], "speed", "0")
    lab.pool.control("set", "PIF_metrics", pif["metrics"], "carrier", "false")
    lab.turns("xenPifLink", index, FALSE, "a link that goes down is seen")
    lab.turns("xenPifSpeed", index, None, "and has no speed")
    lab.pool.control("set", "PIF", ref, "VLAN", "42")
    lab.turns("xenPifVlan", index, 42, "a VLAN has its tag")
    is_(lab.get(lab.oid("xenPifLabel", *index)), f"{index[0]} eth0.42", "also in its label")


def messages(lab):
    """A VM that is stopped and started: XAPI makes a message of each."""
    start = lab.get(lab.oid("xenEventLastSerial", 0))
    ref, vm = next((r, v) for r, v in lab.session.VM.get_all_records().items()
                   if v["power_state"] == "Running" and not (v["is_control_domain"] or v["is_a_template"]))
    lab.session.VM.pause(ref)
    lab.wait(lambda: len(told(lab, start)) >= 1, "a message became an event")  # of one second nobody knows the order
    lab.session.VM.unpause(ref)
    wanted = ["VM_PAUSED", "VM_UNPAUSED"]
    lab.wait(lambda: len(told(lab, start)) >= 2, "so did the next one")
    rows = told(lab, start)
    is_([row["xenEventText"].split(":")[0] for row in rows], wanted, "messages of the pool are events, in their order")
    is_({(row["xenEventObject"], lab.labels("xenEventSeverity")[row["xenEventSeverity"]]) for row in rows},
        {(vm["name_label"], "info")}, "about the VM, for information")
    index = lab.get(lab.oid("xenEventDomainIndex", rows[0]["serial"]))
    is_(lab.get(lab.oid("xenDomainUuid", index)), vm["uuid"], "which is the domain of the event")
    is_(lab.get(lab.oid("xenEventHost", rows[0]["serial"])), lab.get(lab.oid("xenDomainHost", index)), "on its host")
    lab.pool.control("drop-sessions")
    lab.session = lab.pool.login()
    lab.session.VM.pause(ref)
    lab.wait(lambda: len(told(lab, start)) >= 3, "after another login messages go on")
    is_([row["xenEventText"].split(":")[0] for row in told(lab, start)], [*wanted, "VM_PAUSED"], "and none comes again")
    return start, len(told(lab, start)), ref


def told(lab, start):
    return [dict(row, serial=serial) for serial, row in sorted(lab.table("xenEventTable").items())
            if serial > start and lab.labels("xenEventType")[row["xenEventType"]] == "hypervisorMessage"]


def walks(lab):
    for name in ("xenSrTable", "xenPifTable"):
        walked = lab.walk(lab.schema()[name])
        is_([lab.bulkwalk(lab.schema()[name], n) for n in (1, 7, 50)], [walked] * 3, f"{name}: GETBULK reads what GETNEXT does")
        is_(lab.get(*[oid for oid, _ in walked]), [value for _, value in walked], f"{name}: so does GET")


for dialect in ("8.3", "8.2"):
    with Estate() as lab:
        lab.begin(dialect=dialect)
        shared = storage(lab)
        interfaces(lab)
        walks(lab)
        is_(told(lab, 0), [], f"{dialect}: what the pool told before is no event")
        start, n, vm = messages(lab)
        before = {name: set(lab.table(name)) for name in ("xenSrTable", "xenPifTable")}
        lab.kill("xensnmpd")
        lab.session.VM.unpause(vm)
        lab.start("xensnmpd")
        lab.wait(lambda: lab.get(lab.oid("xenSrPathsUp", *shared)) == 1, "the agent is back", 30)
        is_({name: set(lab.table(name)) for name in before}, before, f"{dialect}: after a restart the indexes are the same")
        lab.wait(lambda: len(told(lab, start)) > n, "what came meanwhile is told")
        is_([row["xenEventText"].split(":")[0] for row in told(lab, start)][n:], ["VM_UNPAUSED"],
            f"{dialect}: what the pool told while the agent was away is told once, and nothing again")
        serials = sorted(lab.table("xenEventTable"))
        is_(serials, list(range(serials[0], serials[0] + len(serials))), "serials have no gap")
done()
