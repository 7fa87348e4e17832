#!/usr/bin/env python3
"""VM-MIB as xensnmpd has it is VM-MIB as RFC 7666 has it: every object, against a table of the RFC's facts."""

import csv
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tools/gen"))
import mib
from tap import diag, done, is_, ok

BINARY = os.path.join(mib.TOP, os.environ.get("BUILD", "build"), "bin", "xensnmpd")
COMPARED = ("oid", "kind", "type", "access", "range", "index", "labels")
# The objects of each group that the RFC's two statements of compliance ask for.
GROUPS = {"vmHypervisorGroup": 8, "vmVirtualMachineGroup": 16, "vmCpuGroup": 1, "vmCpuAffinityGroup": 1,
          "vmStorageGroup": 16, "vmNetworkGroup": 4}


def none(lines, name):
    if not ok(not lines, name):
        diag("\n".join(lines[:20]))


def compare(facts, schema):
    """One line for each thing in which they differ. An index says nothing of its type, on the wire or in the schema."""
    lines = [f"{name}: only in the RFC" for name in facts if name not in schema]
    lines += [f"{name}: not in the RFC" for name in schema if name not in facts]
    for name in facts.keys() & schema.keys():
        for fact in COMPARED:
            said, want = getattr(schema[name], fact), facts[name][fact]
            if said != want and not (fact == "type" and facts[name]["kind"] == "index"):
                lines.append(f"{name}: {fact} is {said}, in the RFC {want}")
    return lines


with open(os.path.join(mib.TOP, "tests", "data", "vm-mib.tsv"), newline="") as text:
    facts = {row["name"]: row for row in csv.DictReader(text, delimiter="\t")}
root, schema = mib.read_schema(BINARY, "vm-mib")
is_(root, "1.3.6.1.2.1.236", "it stands where IANA has put it")
is_(sum(row["kind"] in ("scalar", "column") for row in facts.values()), sum(GROUPS.values()),
    "the facts have every object that the mandatory groups have")
none(compare(facts, schema), "every object is the RFC's")
is_([name for name, row in facts.items() if row["access"] == "read-write"],
    ["vmPerVMNotificationsEnabled", "vmBulkNotificationsEnabled"], "two scalars can be written to, and nothing else")

# The comparison itself finds what is wrong.
for fact, wrong in {"oid": "1.99", "type": "Opaque", "access": "read-create", "range": "7..9", "labels": "no(1)"}.items():
    lie = {name: dict(row) for name, row in facts.items()}
    lie["vmOperState"][fact] = wrong
    found = compare(lie, schema)
    ok(len(found) == 1 and found[0].startswith(f"vmOperState: {fact}"), f"a wrong {fact} is found")
lie = dict(facts)
del lie["vmCpuTime"]
is_(compare(lie, schema), ["vmCpuTime: not in the RFC"], "an object too many is found")
done()
