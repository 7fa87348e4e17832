#!/usr/bin/env python3
"""What users of pools ask for first: the facts that XAPI tells of hosts and domains, and their changes between polls."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import done, is_, ok  # noqa: E402
from shim import Shim  # noqa: E402
from xapi import PoolLab  # noqa: E402

UP, DOWN, MAINTENANCE = 2, 4, 8
COORDINATOR, MEMBER = 2, 3
RUNNING, TOOLS_NONE, TOOLS_OK = 4, 2, 4
TRUE, FALSE = 1, 2


class Estate(PoolLab):
    """With polls a minute apart, what changes is seen by its event."""

    COLUMNS = PoolLab.COLUMNS | {"xenDomainSnapshots"}

    def __init__(self):
        super().__init__(hosts=2, domains=6, agent={"interval": 60})

    def begin(self, ahead=0, **options):
        """ahead: by how many seconds the agent's clock is."""
        shim = Shim(self, "clock")
        shim.clock(ahead)
        super().begin(shim=shim, **options)

    def host_rows(self):
        """{name: row with its key}"""
        return {row["xenHostName"]: dict(row, key=key) for key, row in self.table("xenHostTable").items()
                if "xenHostName" in row}


def hosts(lab, ahead=0):
    records = {r["name_label"]: dict(r, ref=ref) for ref, r in lab.session.host.get_all_records().items()}
    master = next(iter(lab.session.pool.get_all_records().values()))["master"]
    lab.wait(lambda: all("xenHostClockSkew" in row for row in lab.host_rows().values()), "clocks were read")
    rows = lab.host_rows()
    is_({n: row.get("xenHostPoolRole") for n, row in rows.items()},
        {n: COORDINATOR if r["ref"] == master else MEMBER for n, r in records.items()}, "one host is the coordinator")
    is_([row.get("xenHostPool") for row in rows.values()], ["farm", "farm"], "the pool has its name")
    is_([row["xenHostState"] for row in rows.values()], [UP, UP], "hosts are up")
    is_([row.get("xenHostRebootRequired") for row in rows.values()], [FALSE, FALSE], "no reboot is due")
    # Whole seconds are told, and to be asked takes its time.
    skews = [row["xenHostClockSkew"] for row in rows.values()]
    ok(all(abs(skew + ahead * 1000) < 10000 for skew in skews), f"clocks are compared, {ahead} s ahead: {skews}")
    name = sorted(records)[0]
    ref, key = records[name]["ref"], rows[name]["key"]
    lab.session.host.disable(ref)
    lab.turns("xenHostState", key, MAINTENANCE, "a host that is disabled is in maintenance")
    is_([row["xenHostState"] for n, row in lab.host_rows().items() if n != name], [UP], "and the other one is not")
    lab.session.host.enable(ref)
    lab.turns("xenHostState", key, UP, "and up when it is enabled")
    lab.pool.control("set", "host", ref, "updates_requiring_reboot", "['OpaqueRef:update']")
    lab.turns("xenHostRebootRequired", key, TRUE, "an update that waits for a reboot is told of")
    return key, ref


def updates(lab, key, ref):
    """Of the newer dialect."""
    lab.pool.control("set", "host", ref, "updates_requiring_reboot", "[]")
    lab.pool.control("set", "host", ref, "pending_guidances", "['restart_toolstack', 'reboot_host']")
    lab.pool.control("set", "host", ref, "latest_synced_updates_applied", "'no'")
    lab.turns("xenHostUpdatesPending", key, TRUE, "updates that the host lacks are told of")
    is_(lab.get(lab.oid("xenHostRebootRequired", key)), TRUE, "a reboot is due by what updates told to do")
    lab.pool.control("set", "host", ref, "pending_guidances", "['restart_toolstack']")
    lab.pool.control("set", "host", ref, "latest_synced_updates_applied", "'yes'")
    lab.turns("xenHostUpdatesPending", key, FALSE, "and none when it has them")
    is_(lab.get(lab.oid("xenHostRebootRequired", key)), FALSE, "nor a reboot")
    lab.pool.control("set", "host", ref, "latest_synced_updates_applied", "'unknown'")
    lab.turns("xenHostUpdatesPending", key, None, "what XAPI does not know has no instance")


def pools(lab):
    rows = lab.table("xenPoolTable")
    pool_ref, record = next(iter(lab.session.pool.get_all_records().items()))
    master = lab.session.host.get_record(record["master"])["name_label"]
    keys = {row["xenHostName"]: row["key"] for row in lab.host_rows().values()}
    is_(rows, {"pool1": {"xenPoolLabel": "pool1", "xenPoolName": "farm", "xenPoolCoordinator": keys[master],
                         "xenPoolHaEnabled": FALSE, "xenPoolMembers": 2, "xenPoolMembersUp": 2}}, "the pool has its row")
    lab.pool.control("set", "pool", pool_ref, "ha_plan_exists_for", "1")
    lab.pool.control("set", "pool", pool_ref, "ha_enabled", "true")
    lab.turns("xenPoolHaEnabled", "pool1", TRUE, "high availability is on")
    is_(lab.get(lab.oid("xenPoolHaTolerates", "pool1")), 1, "and bears the loss of a host")
    other = next(name for name in sorted(keys) if name != master)
    lab.farm_ctl("host", other, "down")
    lab.turns("xenPoolMembersUp", "pool1", 1, "a host that is not heard of is counted out")
    is_(lab.get(lab.oid("xenHostState", keys[other])), DOWN, "and shown as down")
    is_(lab.get(lab.oid("xenHostState", keys[master])), UP, "while the coordinator is up")


def guests(lab):
    rows, vms = lab.guests(), lab.vms()
    metrics = lab.session.VM_guest_metrics.get_all_records()
    running = {u: row for u, row in rows.items() if row["xenDomainState"] == RUNNING}
    is_({u: (row.get("xenDomainTools"), row.get("xenDomainOs"), row.get("xenDomainAddresses", "").split(", ")[0])
         for u, row in running.items()},
        {u: (TOOLS_OK, metrics[vms[u]["guest_metrics"]]["os_version"]["name"],
             metrics[vms[u]["guest_metrics"]]["networks"].get("0/ip", "")) for u in running},
        "running guests tell of tools, system and address")
    halted = [row for u, row in rows.items() if vms[u]["power_state"] == "Halted"]
    ok(halted and not any({"xenDomainTools", "xenDomainAddresses"} & row.keys() for row in halted),
       "those that do not run tell nothing of tools and addresses")
    is_({u: row["xenDomainSnapshots"] for u, row in rows.items()}, {u: len(vm["snapshots"]) for u, vm in vms.items()},
        "snapshots are counted")
    ok(all(("xenDomainSnapshotAge" in row) == (row["xenDomainSnapshots"] > 0) for row in rows.values()),
       "with an age where there are any")
    control = [row for row in lab.table("xenDomainTable").values() if row.get("xenDomainKind") == 2]
    ok(control and not any({"xenDomainTools", "xenDomainSnapshots"} & row.keys() for row in control),
       "control domains have none of that")

    uuid, row = sorted(running.items())[0]
    index, ref = row["index"], vms[uuid]["ref"]
    lab.session.VM.snapshot(ref, "now")
    lab.turns("xenDomainSnapshots", index, row["xenDomainSnapshots"] + 1, "a new snapshot is seen")
    age = lab.get(lab.oid("xenDomainSnapshotAge", index))
    ok(age is not None and age < 60, f"and is the newest one ({age} s)")
    lab.wait(lambda: (lab.get(lab.oid("xenDomainSnapshotAge", index)) or 0) > (age or 0), "it grows older")
    lab.pool.control("set", "VM", ref, "tags", "['prod', 'web shop']")
    lab.turns("xenDomainTags", index, "prod, web shop", "tags are shown")
    lab.pool.control("set", "VM", ref, "tags", "[]")
    lab.turns("xenDomainTags", index, None, "and gone when they are taken away")
    is_(lab.get(lab.oid("xenDomainTemplate", index)), None, "a guest of no known template")
    lab.session.VM.add_to_other_config(ref, "base_template_name", "Debian Bookworm 12")
    lab.turns("xenDomainTemplate", index, "Debian Bookworm 12", "or of a named one")
    lab.pool.control("set", "VM_guest_metrics", vms[uuid]["guest_metrics"], "PV_drivers_detected", "false")
    lab.turns("xenDomainTools", index, TOOLS_NONE, "tools that are not heard of are none")


with Estate() as lab:
    lab.begin()
    updates(lab, *hosts(lab))
    guests(lab)
    pools(lab)
with Estate() as lab:
    lab.begin(dialect="8.2", ahead=7200)
    key, ref = hosts(lab, 7200)
    is_(lab.get(lab.oid("xenHostUpdatesPending", key)), None, "8.2 does not tell of updates")
done()
