#!/usr/bin/env python3
"""A group whose members do not exist yet: a start makes them of templates of a pool, spread over its hosts; once. Where no template has
that name a member fails alone. From configurations they are made on real Xen (tests/real/09-groups.t)."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import diag, done, is_, ok  # noqa: E402
from xapi import PoolLab  # noqa: E402

CREATE_AND_GO, START, FINISHED = 4, 2, 5
OK = 2
NO_TARGET = 3
TEMPLATE = "Debian Bookworm 12"
NAMES = ["web new 1", "web new 2"]


class Estate(PoolLab):
    def start_group(self, name):
        """The parent as it ended."""
        def parents():
            return {index: row for index, row in self.table("xenOperationTable").items()
                    if row.get("xenOperationGroupName") == name and "xenOperationParent" not in row}
        before = max(parents(), default=0)
        is_(self.set(self.oid("xenGroupPower", name), "i", START), "noError", "a start is accepted")
        return self.wait(lambda: next((row for index, row in parents().items() if index > before and row["xenOperationState"] == FINISHED),
                                      None), "it ends", 120)

    def vms(self, name):
        return [self.session.VM.get_record(vm) for vm in self.session.VM.get_by_name_label(name)]


def member(lab, group, name, create):
    return [(lab.oid("xenMemberRowStatus", group, name), "i", CREATE_AND_GO), (lab.oid("xenMemberCreate", group, name), "s", create)]


with Estate(hosts=2, domains=4, agent={"duplicate_window": 0}) as lab:
    lab.begin()
    is_(lab.set((lab.oid("xenGroupRowStatus", "web"), "i", CREATE_AND_GO),
                *[varbind for name in NAMES for varbind in member(lab, "web", name, f"template:{TEMPLATE}")]), "noError", "a group of two")
    is_([lab.get(lab.oid("xenMemberCause", "web", name)) for name in NAMES], [NO_TARGET] * 2, "that do not exist")
    plan = sorted(lab.get(lab.oid("xenMemberPlanStart", "web", name)) for name in NAMES)
    is_(plan, ["-> pool1.host1", "-> pool1.host2"], "the plan has one for each host")
    row = lab.start_group("web")
    is_((row["xenOperationResult"], row["xenOperationTotal"]), (OK, 2), f"both are made ({row['xenOperationText']})")
    is_([[vm["power_state"] for vm in lab.vms(name)] for name in NAMES], [["Running"]] * 2, "each once, and runs")
    hosts = {lab.vms(name)[0]["resident_on"] for name in NAMES}
    is_(len(hosts), 2, "on two hosts")
    lab.wait(lambda: all(lab.get(lab.oid("xenMemberDomainIndex", "web", name)) for name in NAMES), "members are domains now")

    is_(lab.set(*member(lab, "web", "web new 3", "template:no such")), "noError", "a third, of a template that is not there")
    row = lab.start_group("web")
    ok(row["xenOperationResult"] != OK and "1 failed" in row["xenOperationText"], f"it fails alone ({row['xenOperationText']})") or diag(row)
    is_([len(lab.vms(name)) for name in (*NAMES, "web new 3")], [1, 1, 0], "the others are not made again")
done()
