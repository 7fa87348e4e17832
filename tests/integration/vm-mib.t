#!/usr/bin/env python3
"""VM-MIB (RFC 7666): the fleet in the default context, each host in its own; contexts that come and go; the two switches."""

import csv
import os
import signal
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import ALL_CONTEXTS, Lab, SnmpError, TOP, diag, done, is_, ok

ROOT = "1.3.6.1.2.1.236"
CONTEXT_NAMES = "1.3.6.1.6.3.16.1.1.1.1"  # vacmContextName
TRUE, FALSE = 1, 2
GUEST, RUNNING, PAUSED, SHUTDOWN, UNKNOWN = 1, 4, 8, 11, 1
ADMIN_RUNNING, ADMIN_PAUSED, ADMIN_SHUTDOWN = 1, 3, 4
ENABLE, MIB = 1, 1048576
# Hosts tell neither, and vmCpuAffinityTable is off.
NEVER_SERVED = {"vmStorageReadLatency", "vmStorageWriteLatency", "vmCpuAffinity"}


def none(lines, name):
    if not ok(not lines, name):
        diag("\n".join(map(str, lines[:20])))


with open(os.path.join(TOP, "tests", "data", "vm-mib.tsv"), newline="") as text:
    FACTS = {row["name"]: row for row in csv.DictReader(text, delimiter="\t")}
NAMES = {row["oid"]: name for name, row in FACTS.items() if row["kind"] in ("scalar", "column")}


def oid(name, *index):
    return ".".join([ROOT, FACTS[name]["oid"], *map(str, index or (0,))])


def numbers(name):
    return [int(arc) for arc in name.split(".")]


def split(name):
    """("vmName", (7,)) of an OID below the root."""
    arcs = name.removeprefix(ROOT + ".").split(".")
    length = next(n for n in range(len(arcs), 0, -1) if ".".join(arcs[:n]) in NAMES)
    return NAMES[".".join(arcs[:length])], tuple(map(int, arcs[length:]))


def cells(client):
    """{object name: {index: value}} of everything, by GETBULK."""
    found = {}
    for name, value in client.bulkwalk(ROOT, 50):
        column, index = split(name)
        found.setdefault(column, {})[index] = value
    return found


def misfits(found):
    """Values that the RFC's syntax does not allow."""
    wrong = []
    for column, rows in found.items():
        fact = FACTS[column]
        low, _, high = fact["range"].rpartition("..")
        labels = {int(label.split("(")[1].rstrip(")")) for label in fact["labels"].split(",") if "(" in label}
        for index, value in rows.items():
            number = isinstance(value, int)
            if (labels and value not in labels) or (fact["type"] == "TruthValue" and value not in (TRUE, FALSE)):
                wrong.append(f"{column}.{index}: {value}")
            if fact["range"] != "-" and not int(low) <= (value if number else len(value)) <= int(high):
                wrong.append(f"{column}.{index}: {value!r} is not in {fact['range']}")
            if number != (fact["type"] not in ("SnmpAdminString", "OctetString", "ObjectIdentifier")):
                wrong.append(f"{column}.{index}: {value!r} is no {fact['type']}")
    return wrong


def octets(value):
    return value if isinstance(value, bytes) else value.encode()


def compare(found, ours):
    """What vmTable says otherwise than xenDomainTable. Guests: {index: {column: value}}."""
    wrong = []
    for row, cell in ours.items():
        want = {"vmName": cell["xenDomainName"], "vmUUID": uuid.UUID(cell["xenDomainUuid"]).bytes,
                "vmOperState": cell["xenDomainState"], "vmCurCpuNumber": cell["xenDomainVcpus"],
                "vmMaxCpuNumber": cell["xenDomainVcpusMax"], "vmMaxMem": cell["xenDomainMemoryMax"],
                "vmCurMem": cell.get("xenDomainMemory", 0), "vmOSType": cell.get("xenDomainOs"), "vmMemUnit": MIB}
        for column, value in want.items():
            got = found.get(column, {}).get((row,))
            got = octets(got) if column == "vmUUID" else got
            if got != value:
                wrong.append(f"{column}.{row}: {got!r}, not {value!r}")
    return wrong


def test_fleet(lab):
    found = cells(lab.client)
    ours = {row: cell for row, cell in lab.table("xenDomainTable").items() if cell["xenDomainKind"] == GUEST}
    is_(sorted(index[0] for index in found["vmName"]), sorted(ours), "vmTable has the guests of all hosts, and no Domain-0")
    is_(found["vmNumber"][0,], len(ours), "vmNumber counts them")
    none(compare(found, ours), "its values are those of our own table")
    none(sorted(set(NAMES.values()) - NEVER_SERVED - set(found)), "every object is served")
    none(misfits(found), "every value is one that its syntax allows")
    is_((found["vmHvSoftware"][0,], found["vmHvObjectID"][0,]), ("xensnmp", "0.0"), "of two hypervisors the agent is told")
    is_((found["vmPerVMNotificationsEnabled"][0,], found["vmBulkNotificationsEnabled"][0,]), (FALSE, FALSE),
        "the switches begin switched off")
    for table, column, theirs, from_ours in (
            ("vmCpuTable", "vmCpuCoreTime", "xenVcpuTime", lambda n: n),
            ("vmStorageTable", "vmStorageReadIOs", "xenVbdReads", lambda n: n),
            ("vmNetworkTable", "vmNetworkPhysAddress", "xenVifMac", lambda n: n)):
        rows = {row for row in lab.column(theirs) if row[0] in ours}
        is_(set(found[column]), {(row[0], from_ours(row[1])) for row in rows}, f"{table} has the rows of ours")
    macs = {row: bytes.fromhex(mac.replace(":", "")) for row, mac in lab.column("xenVifMac").items()}
    none([row for row, value in found["vmNetworkPhysAddress"].items() if octets(value) != macs[row]],
         "a hardware address is six octets")
    is_({found["vmStorageResourceID"][row] for row in found["vmStorageResourceID"]},
        {target for row, target in lab.column("xenVbdTarget").items() if row[0] in ours}, "a disk's resource is its target")


def test_order(lab):
    by_next = lab.walk(ROOT)
    by_bulk = lab.bulkwalk(ROOT, 7)
    is_([name for name, _ in by_next], [name for name, _ in by_bulk], "GETNEXT and GETBULK walk the same way")
    order = [numbers(name) for name, _ in by_next]
    ok(all(a < b for a, b in zip(order, order[1:])), "and names rise strictly")
    some = [name for name, _ in by_next][::17]
    ok(None not in lab.get(*some), "what is walked over can be asked for")
    is_(lab.getnext(by_next[-1][0])[0][0].startswith(ROOT), False, "GETNEXT of the last object leaves the tree")
    is_(lab.get(oid("vmName", 99999), oid("vmCpuCoreTime", 99999, 1), f"{ROOT}.1.4.1.1.1"), [None] * 3,
        "no row, no instance; an index can't be read")


def context(lab, host, who="monitor"):
    return lab.user(who, timeout=3, context=host)


def own_tables(lab, client, host, ours):
    """XENSNMP-MIB in a host's context: its row, its domains and what these have, to be read."""
    is_([value for _, value in client.bulkwalk(lab.oid("xenHostLabel"))], [host], f"{host}: its own row and no other")
    here = sorted(row for row, cell in ours.items() if cell["xenDomainHost"] == host)
    root = lab.oid("xenDomainTable").rsplit(".", 3)[0]
    whole = dict(client.bulkwalk(root, 50))
    for column in ("xenDomainName", "xenDomainUuid", "xenDomainCounterKind"):
        want = {f"{lab.oid(column)}.{row}": value for row, value in lab.column(column).items() if row in here}
        is_({name: whole.get(name) for name in want}, want, f"{host}: {column} of its domains, Domain-0 too")
    others = {str(row) for row in ours if row not in here}
    none([name for name in whole if name.startswith(lab.oid("xenDomainTable") + ".") and name.rsplit(".", 1)[1] in others],
         f"{host}: none of the others")
    for table in ("xenVcpuTable", "xenVifTable", "xenVbdTable"):
        base = lab.oid(table) + ".1."
        is_({int(name.removeprefix(base).split(".")[1]) for name in whole if name.startswith(base)} - set(here), set(),
            f"{host}: {table} is of its domains")
    is_(client.get(lab.oid("xenHostCount", 0), lab.oid("xenDomainPower", here[0])), [None, None],
        f"{host}: nothing of the agent, and nothing to write to")
    is_(context(lab, host, "operator").set(lab.oid("xenDomainPower", here[-1]), "i", 5), "notWritable",
        f"{host}: which is refused")


def test_hosts(lab):
    ours = lab.table("xenDomainTable")
    guests = {row: cell for row, cell in ours.items() if cell["xenDomainKind"] == GUEST}
    uptimes = lab.column("xenHostUptime")
    for host in lab.host_names():
        client = context(lab, host)
        lab.wait(lambda client=client: client.get(oid("vmNumber")), f"{host} has a context")
        found = cells(client)
        here = {row: cell for row, cell in guests.items() if cell["xenDomainHost"] == host}
        is_(sorted(index[0] for index in found["vmName"]), sorted(here), f"{host}: its guests and no others")
        is_(found["vmNumber"][0,], len(here), f"{host}: their number")
        none(compare(found, here), f"{host}: their values")
        none(sorted({index[0] for rows in found.values() for index in rows if len(index) > 1} - set(here)),
             f"{host}: devices of its guests alone")
        is_((found["vmHvSoftware"][0,], found["vmHvVersion"][0,]), ("Xen", "4.17.5"), f"{host}: its hypervisor")
        ok(abs(found["vmHvUpTime"][0,] / 100 - uptimes[host]) < 60, f"{host}: its hypervisor's uptime")
        ok(0 < found["vmTableLastChange"][0,] <= found["vmHvUpTime"][0,], f"{host}: the last change was before now")
        own_tables(lab, client, host, ours)
    names = {value for _, value in lab.bulkwalk(CONTEXT_NAMES)}
    ok(set(lab.host_names()) <= names, "snmpd lists the contexts")


def test_states(lab):
    ours = lab.table("xenDomainTable")
    running = [row for row, cell in ours.items() if cell["xenDomainKind"] == GUEST and cell["xenDomainState"] == RUNNING]
    one, two = running[:2]

    def states(row):
        return lab.get(oid("vmAdminState", row), oid("vmOperState", row))

    is_(states(one), [ADMIN_RUNNING, RUNNING], "a running guest")
    lab.farm_ctl("pause", ours[one]["xenDomainUuid"])
    lab.farm_ctl("poweroff", ours[two]["xenDomainUuid"])
    lab.wait(lambda: states(one) == [ADMIN_PAUSED, PAUSED], "the guest reads paused, as it was left by another hand")
    lab.wait(lambda: states(two) == [ADMIN_SHUTDOWN, SHUTDOWN], "the guest has shut itself down")
    is_(lab.get(oid("vmUpTime", two), oid("vmCurMem", two)), [None, 0], "it has no uptime then, and no memory")
    host = ours[one]["xenDomainHost"]
    lab.farm_ctl("host", host, "down")
    lab.wait(lambda: states(one)[1] == UNKNOWN, "its host is down")
    is_(states(one)[0], ADMIN_PAUSED, "what was wanted stays")
    is_(context(lab, host).get(oid("vmOperState", one)), UNKNOWN, "so does its row in the host's context")
    lab.farm_ctl("host", host, "normal")
    lab.farm_ctl("unpause", ours[one]["xenDomainUuid"])
    lab.farm_ctl("start", ours[two]["xenDomainUuid"])
    lab.wait(lambda: states(one) == states(two) == [ADMIN_RUNNING, RUNNING], "all are back")


def test_switches(lab):
    each, bulk = oid("vmPerVMNotificationsEnabled"), oid("vmBulkNotificationsEnabled")
    is_(lab.client.set(each, "i", TRUE), "noAccess", "who may read alone turns nothing on")
    is_(lab.set(each, "i", 3), "wrongValue", "true or false, nothing else")
    is_(lab.set(each, "s", "yes"), "wrongType", "no text")
    is_(lab.set(oid("vmName", 2), "s", "x"), "notWritable", "nothing else can be written to")
    is_(lab.set(each, "i", TRUE), "noError", "the operator turns one on")
    is_(lab.get(each, bulk), [TRUE, FALSE], "and it is on, the other is not")
    is_(context(lab, "host1").get(each), TRUE, "in the contexts of hosts too")
    is_(context(lab, "host1", "operator").set(bulk, "i", TRUE), "notWritable", "where they are read-only")
    guest = next(row for row, kind in lab.column("xenDomainKind").items() if kind == GUEST)
    is_(lab.set((bulk, "i", TRUE), (lab.oid("xenDomainPower", guest), "i", 99)), "wrongValue",
        "one request to two trees, of which one refuses")
    is_(lab.get(bulk), FALSE, "does nothing in the other")
    is_(lab.set((bulk, "i", TRUE), (lab.oid("xenDomainProtected", guest), "i", TRUE)), "noError", "one that both accept")
    is_(lab.get(bulk, lab.oid("xenDomainProtected", guest)), [TRUE, TRUE], "does both")
    is_(lab.set((each, "i", FALSE), (bulk, "i", FALSE)), "noError", "both are turned off in one request")
    is_(lab.set(each, "i", TRUE), "noError", "and one is turned on again")
    lab.kill("xensnmpd")
    lab.start("xensnmpd")
    lab.wait(lambda: lab.get(each) == FALSE, "the agent begins anew: the RFC forbids that a switch lasts")


def reload(lab):
    """The configuration as lab has it now, read again."""
    before = lab.log("xensnmpd").count("read again")
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.log("xensnmpd").count("read again") > before, "the configuration is read again")


def test_affinity(lab):
    is_(lab.bulkwalk(f"{ROOT}.1.6"), [], "vmCpuAffinityTable is empty")
    lab.agent["vm_cpu_affinity"] = "yes"
    reload(lab)
    found = cells(lab.client)["vmCpuAffinity"]
    vcpus = set(lab.column("xenVcpuTime"))
    cpus = lab.column("xenHostCpus")
    hosts = lab.column("xenDomainHost")
    kinds = lab.column("xenDomainKind")
    want = {(row, vcpu, cpu) for row, vcpu in vcpus if kinds[row] == GUEST for cpu in range(1, cpus[hosts[row]] + 1)}
    is_(set(found), want, "a row for each guest, virtual and real processor")
    is_(set(found.values()), {ENABLE}, "of guests that may run on all")
    order = [numbers(name) for name, _ in lab.walk(f"{ROOT}.1.6")]
    ok(order == sorted(order) and len(order) == len(want), "in order by GETNEXT")
    lab.agent["vm_cpu_affinity"] = "no"
    reload(lab)
    is_(lab.bulkwalk(f"{ROOT}.1.6"), [], "and it is empty again")


def is_gone(client):
    """Nothing answers in that context: snmpd remembers the name alone."""
    try:
        return client.get(oid("vmNumber")) is None
    except SnmpError as error:
        return error.status == "timeout"


def test_coming_and_going(lab):
    one, two = context(lab, "host1"), context(lab, "host2")
    before, change = lab.get(oid("vmNumber"), oid("vmTableLastChange"))
    there = one.get(oid("vmNumber"))
    is_(lab.get(oid("vmTableLastChange")), change, "nothing changes, and the last change stays where it was")
    source = lab.sources.pop("host2")
    reload(lab)
    lab.wait(lambda: is_gone(two), "the context of a host goes with its source", 30)
    lab.wait(lambda: lab.get(oid("vmNumber")) == there, "and its guests from the fleet, at once")
    is_(lab.get(oid("vmHvSoftware")), "Xen", "of one hypervisor the default context tells")
    ok(lab.client.bulkwalk(lab.oid("xenDomainPresence")), "our own tables keep rows of what is gone for a while")
    is_(one.get(oid("vmNumber")), there, "the other host's context is as it was")
    lab.sources["host2"] = source
    reload(lab)
    lab.wait(lambda: two.get(oid("vmNumber")) == before - there, "it returns with the source", 30)
    lab.wait(lambda: lab.get(oid("vmNumber")) == before, "and so do its guests")
    ok(lab.get(oid("vmTableLastChange")) > change, "the table has changed since")


def test_restarts(lab):
    clients = [context(lab, host) for host in lab.host_names()]
    for client in clients:
        lab.wait(lambda client=client: client.get(oid("vmNumber")), "all contexts are there")
    counts = [client.get(oid("vmNumber")) for client in clients]

    def back():
        return [client.get(oid("vmNumber")) for client in clients] == counts and lab.get(oid("vmNumber")) == sum(counts)

    for how in (signal.SIGTERM, signal.SIGKILL):
        lab.restart("snmpd", how)
        lab.wait(back, "snmpd is back, and all contexts with it")
    lab.restart("xensnmpd")
    lab.wait(back, "the agent is back, and all contexts with it")
    is_([client.get(oid("vmNumber")) for client in clients], counts, "every host's context shows its guests")
    none([line for line in lab.log("xensnmpd").splitlines() if "refuses" in line or "registering" in line],
         "the master agent refused nothing")


with Lab(hosts=2, domains=8, seed=11, farm_options=["--vcpus", "2", "--vifs", "2", "--vbds", "2"],
         snmpd=ALL_CONTEXTS) as lab:
    lab.wait(lambda: {host for _, host in lab.bulkwalk(lab.oid("xenDomainHost"))} == {"host1", "host2"}, "both hosts have domains")
    test_fleet(lab)
    test_order(lab)
    test_hosts(lab)
    test_states(lab)
    test_affinity(lab)
    test_coming_and_going(lab)
    test_switches(lab)
    test_restarts(lab)
done()
