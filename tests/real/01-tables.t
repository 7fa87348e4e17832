#!/usr/bin/env python3
"""Tables equal what xl says, read by hand on both hosts; counters grow with the traffic that was made."""

from real import *

PREPARE = {1: "xl pause tiny2", 2: "xl shutdown -w keep; xl sysrq crash c"}
# keep has shut down but is preserved: it is still there, and stays on its way out.
STATES = {"tiny1": RUNNING, "tiny2": PAUSED, "tiny3": RUNNING, "pvh1": RUNNING, "keep": SHUTTING_DOWN, "crash": CRASHED}
CONFIGURED = ("pvh2", "anon")  # on both hosts, and running on none

COUNTERS = """cd /sys/class/net
for d in $(xl list | awk 'NR > 2 { print $2 }'); do
    cat vif$d.0/statistics/tx_bytes vif$d.0/statistics/rx_bytes vif$d.0/statistics/tx_packets \
        vif$d.0/statistics/rx_packets | paste -s -d ' ' | sed "s/^/$d net /"
done
for d in /sys/bus/xen-backend/devices/vbd-*; do
    id=${d#*/vbd-}; cat $d/statistics/rd_sect $d/statistics/wr_sect $d/statistics/rd_req $d/statistics/wr_req |
        paste -s -d ' ' | sed "s/^/${id%-*} disk /"
done"""
NET = ["xenDomainNetRxOctets", "xenDomainNetTxOctets", "xenDomainNetRxPackets", "xenDomainNetTxPackets"]
OCTETS = 8 * 1400 * 3 / 4  # of the pings, a quarter of which may get lost
DISK = ["xenDomainDiskReadOctets", "xenDomainDiskWriteOctets", "xenDomainDiskReads", "xenDomainDiskWrites"]


def counters(k):
    """{domid: {"net": [...], "disk": [...]}} from the control domain's own files, in the columns' order and unit."""
    found = {}
    for line in lab.xen.ssh(k, COUNTERS).splitlines():
        domid, kind, *numbers = line.split()
        numbers = [int(n) for n in numbers]
        if kind == "disk":
            numbers[:2] = [n * 512 for n in numbers[:2]]
        found.setdefault(int(domid), {})[kind] = numbers
    return found


def between(low, value, high, name):
    if not ok(value is not None and low <= value <= high, name):
        diag(f"want {low} <= {value} <= {high}")


def host_tables(k):
    info, key = lab.xen.info(k), f"xen{k}"
    facts = lab.xen.ssh(k, "cut -d. -f1 /proc/uptime; cut -d' ' -f1 /proc/loadavg").split()
    is_(lab.get(lab.oid("xenHostState", key)), UP, f"{key}: state up")
    for column, want in (("xenHostName", info["host"]), ("xenHostXenVersion", info["xen_version"]),
                         ("xenHostKernel", info["release"]), ("xenHostCpus", int(info["nr_cpus"])),
                         ("xenHostCoresPerSocket", int(info["cores_per_socket"])),
                         ("xenHostThreadsPerCore", int(info["threads_per_core"])),
                         ("xenHostMemoryTotal", int(info["total_memory"])),
                         ("xenHostMemoryFree", int(info["free_memory"])),
                         ("xenHostDomainsRunning", {1: 2, 2: 1}[k])):
        is_(lab.get(lab.oid(column, key)), want, f"{key}: {column}")
    uptime, age = lab.get(lab.oid("xenHostUptime", key), lab.oid("xenHostDataAge", key))
    # The age counts from the answer's arrival, which an emulated host is seconds late with.
    between(int(facts[0]) - 15, uptime + age, int(facts[0]) + 5, f"{key}: uptime")
    between(0.4 * float(facts[1]) * 100 - 50, lab.get(lab.oid("xenHostLoad1", key)),
            2.5 * float(facts[1]) * 100 + 50, f"{key}: load, which moves")


def domain_tables(k, rows, before, after):
    key = f"xen{k}"
    here = {row["xenDomainName"]: row for row in rows.values() if row.get("xenDomainHost") == key}
    living = {name: row["xenDomainDomid"] for name, row in here.items() if "xenDomainDomid" in row}
    is_(living, {name: guest.domid for name, guest in after.items()}, f"{key}: the same domains, the same domids")
    for name, guest in after.items():
        row = here.get(name, {})
        if name == "Domain-0":
            is_(row.get("xenDomainKind"), 2, f"{key}: Domain-0 is a control domain")
        else:
            is_(row.get("xenDomainUuid"), guest.uuid, f"{key}: {name}: uuid")
            is_(row.get("xenDomainState"), STATES[name], f"{key}: {name}: state")
            is_(row.get("xenDomainConfig"), f"/etc/xen/{name}.cfg", f"{key}: {name}: configuration")
        is_(row.get("xenDomainMemory"), guest.mem, f"{key}: {name}: memory")
        is_(row.get("xenDomainVcpus"), guest.vcpus, f"{key}: {name}: vCPUs")
        between(before[name].cpu, row.get("xenDomainCpuTime"), guest.cpu, f"{key}: {name}: CPU time, in between")


def tables():
    lab.rescan()
    before = {k: lab.xen.xl(k) for k in (1, 2)}
    lab.rescan()
    rows = lab.table("xenDomainTable")
    for index, columns in lab.table("xenDomainPerfTable").items():
        rows[index].update(columns)
    after = {k: lab.xen.xl(k) for k in (1, 2)}
    for k in (1, 2):
        domain_tables(k, rows, before[k], after[k])
        host_tables(k)
    for row in (r for r in rows.values() if r["xenDomainName"] in CONFIGURED):
        name = row["xenDomainName"]
        is_([row.get("xenDomainState"), row.get("xenDomainDomid")], [HALTED, GONE], f"{name}: only configured")
        is_(row.get("xenDomainMemoryMax"), 96, f"{name}: its configured memory")
    names = [row["xenDomainName"] for row in rows.values() if row["xenDomainName"] != "Domain-0"]
    is_(len(set(names)), 9, "all nine configurations have rows")
    is_([name for name in set(names) if names.count(name) > 1], ["anon"],
        "one each, although both hosts have them; without uuid nobody can tell that they are one")


def compare_counters(rows):
    """Counters of guests of xen1 lie between what the host says before and after."""
    domids = {name: guest.domid for name, guest in lab.xen.xl(1).items()}
    before = counters(1)
    lab.rescan("xen1")
    got = {name: {"net": lab.read(row, *NET), "disk": lab.read(row, *DISK)} for name, row in rows.items()}
    after = counters(1)
    for name in rows:
        for kind in ("net", "disk"):
            low, mine, high = before[domids[name]][kind], got[name][kind], after[domids[name]][kind]
            if not ok(all(a <= n <= b for a, n, b in zip(low, mine, high)), f"{name}: {kind} counters in between"):
                diag(f"{low} <= {mine} <= {high}")
    return got


def traffic():
    addresses = {"pvh1": "10.99.0.111", "tiny1": "10.99.0.101"}
    rows = {name: lab.find(name) for name in addresses}
    first = compare_counters(rows)

    def shows(name):
        """An emulated guest may miss some of it, or answer late; and uses its disk every few seconds."""
        lab.xen.ssh(1, f"busybox ping -c 8 -i 0.2 -s 1400 {addresses[name]}", check=False)
        lab.rescan("xen1")
        return (all(b - a >= OCTETS for a, b in zip(first[name]["net"][:2], lab.read(rows[name], *NET[:2])))
                and all(b > a for a, b in zip(first[name]["disk"], lab.read(rows[name], *DISK))))

    for name in rows:
        lab.wait(lambda: shows(name), f"{name}: the traffic shows", 60)
    second = compare_counters(rows)
    for name in rows:
        grown = {kind: [b - a for a, b in zip(first[name][kind], second[name][kind])] for kind in ("net", "disk")}
        diag(f"{name}: grown by {grown}")
        ok(all(n >= OCTETS for n in grown["net"][:2]), f"{name}: network counters grow with the traffic")
        ok(all(n > 0 for n in grown["disk"]), f"{name}: disk counters grow with the traffic")
        ok(grown["disk"][0] >= grown["disk"][2] * 4096, f"{name}: octets, not sectors or requests")


with RealLab(PREPARE, agent={"duplicate_window": 0}) as lab:
    is_([lab.get(lab.oid("xenSourceOrigin", f"xen{k}")) for k in (1, 2)], [1, 2],
        "xen1 is from the configuration file, xen2 from SNMP")
    is_(lab.set(lab.oid("xenSourceInterval", "xen1"), "u", 5), "notWritable", "what the file sets is not writable")
    lab.wait(lambda: lab.state(lab.find("crash")) == CRASHED, "the crash is over", 60)
    tables()
    traffic()
    is_(lab.run("hosts"), 0, "xenctl hosts")
    is_(lab.run("domains"), 0, "xenctl domains")
    is_(lab.run("show", "pvh1"), 0, "xenctl show")
done()
