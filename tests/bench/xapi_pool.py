"""Figures of a large pool of XCP-ng: decoding what it tells, its first sync, what it costs while little changes, and how soon a
change is seen. The pool is xapi-farm's, whose own processor time does not count."""

import http.client
import os
import shutil
import time
import xmlrpc.client
from xml.sax.saxutils import escape

from kit import INTERVAL, INTERVALS, ROUNDS, knob, middle, note, p99, pass_intervals, spent, tool
from xapi import PoolLab, fields_of, shape

VMS = knob("VMS", 10000)
MEMBERS = knob("MEMBERS", 64)
VMS_PER_MEMBER = 100
CHANGES = knob("CHANGES", 120)
DIALECT = "8.3"
PATIENCE = 120  # seconds, for what is awaited at all
GUEST = 1

# --- an event of a VM as XAPI writes it

MARK = "@@@@@@@@"  # where bench/decode puts the number of the VM


def ref(number):
    return f"OpaqueRef:{MARK}-{number:04d}-4000-8000-000000000000"


# Of these fields what a usual VM has; the others have what XAPI gives a new one.
USUAL = {
    "HVM_boot_params": {"order": "cdn", "firmware": "uefi"},
    "HVM_boot_policy": "BIOS order",
    "HVM_shadow_multiplier": "1",
    "VBDs": [ref(1), ref(2)],
    "VIFs": [ref(3)],
    "VCPUs_at_startup": "2",
    "VCPUs_max": "4",
    "VCPUs_params": {"weight": "256"},
    "actions_after_crash": "restart",
    "actions_after_reboot": "restart",
    "actions_after_shutdown": "destroy",
    "allowed_operations": ["changing_dynamic_range", "migrate_send", "pool_migrate", "suspend", "hard_reboot", "hard_shutdown",
                           "clean_reboot", "clean_shutdown", "pause", "checkpoint", "snapshot"],
    "bios_strings": {"bios-vendor": "Xen", "bios-version": "", "system-manufacturer": "Xen", "system-product-name": "HVM domU",
                     "system-version": "", "system-serial-number": "", "hp-rombios": "", "oem-1": "Xen", "oem-2": "MS_VM_CERT"},
    "blocked_operations": {"destroy": "true", "hard_shutdown": "VM_IS_PROTECTED", "hard_reboot": "VM_IS_PROTECTED"},
    "consoles": [ref(4)],
    "domain_type": "hvm",
    "domid": "17",
    "generation_id": "8230146120316408323:1408143223150232408",
    "guest_metrics": ref(5),
    "hardware_platform_version": "2",
    "last_boot_CPU_flags": {"vendor": "GenuineIntel", "features": "1fc9cbf5-f6f83203-2991cbf5-00000123-00000001-001c0fbb-00000000"},
    "memory_dynamic_max": "4294967296",
    "memory_dynamic_min": "4294967296",
    "memory_overhead": "38797312",
    "memory_static_max": "8589934592",
    "memory_static_min": "1073741824",
    "memory_target": "4294967296",
    "metrics": ref(6),
    "name_description": "A shop: web server, behind the balancer & the cache",
    "name_label": f"web {MARK} <shop>",
    "other_config": {"auto_poweron": "true", "base_template_name": "Debian Bookworm 12", "import_task": ref(7),
                     "install-methods": "cdrom,nfs,http,ftp", "linux_template": "true", "mac_seed": f"{MARK}-7aee-4ab8-b0cd-2f6c79df2f17"},
    "platform": {"vga": "std", "videoram": "8", "acpi": "1", "apic": "true", "pae": "true", "nx": "true", "viridian": "false",
                 "timeoffset": "0", "cores-per-socket": "2", "exp-nested-hvm": "false", "usb": "true",
                 "usb_tablet": "true", "device-model": "qemu-upstream-compat", "hpet": "true", "secureboot": "false"},
    "power_state": "Running",
    "recommendations": '<restrictions><restriction field="memory-static-max" max="1649267441664"/><restriction field="vcpus-max" '
                       'max="32"/><restriction field="has-vendor-device" value="false"/><restriction max="255" '
                       'property="number-of-vbds"/><restriction max="7" property="number-of-vifs"/></restrictions>',
    "reference_label": "debian-12",
    "resident_on": "OpaqueRef:00000001-0000-4000-8000-000000000001",
    "tags": ["production", "web"],
    "user_version": "1",
    "uuid": f"{MARK}-0000-4000-8000-000000000013",
    "snapshot_info": {"power-state-at-snapshot": "Running", "disk-snapshot-type": "crash_consistent"},
    "snapshots": [ref(8), ref(9)],
    "suspend_SR": "OpaqueRef:00000002-0000-4000-8000-000000000002",
    "xenstore_data": {"vm-data": "", "vm-data/mmio-hole-size": "268435456", "vm-data/role": "web"},
}
# What the others have, by their tag on the wire.
NEW = {"boolean": "0", "double": "0", "dateTime.iso8601": "19700101T00:00:00Z", "struct": {}, "array": []}


def spell(value, tag, inside):
    """A value without its <value>: of a type as shape() says it."""
    if tag == "struct":
        return "<struct>" + "".join(member(key, item, inside) for key, item in value.items()) + "</struct>"
    if tag == "array":
        return "<array><data>" + "".join(f"<value>{spell(item, *inside)}</value>" for item in value) + "</data></array>"
    return f"<{tag}>{value}</{tag}>" if tag else escape(value)


def member(name, value, kind=("", None)):
    return f"<member><name>{escape(name)}</name><value>{spell(value, *kind)}</value></member>"


def field(name, kind):
    tag, inside = shape(kind)
    new = "OpaqueRef:NULL" if kind.endswith(" ref") else ""
    return member(name, USUAL.get(name, NEW.get(tag, new)), (tag, inside))


def event():
    fields = sorted(fields_of("VM", DIALECT).items())
    record = "".join(field(name, kind) for name, kind in fields)
    known = {"id": "123456", "timestamp": "0.0", "class": "vm", "operation": "add", "ref": ref(0)}
    note(f"a record has {len(fields)} fields and {record.count('<member>')} members, {len(record.encode())} octets")
    return ("<value><struct>" + "".join(member(name, value) for name, value in known.items())
            + f"<member><name>snapshot</name><value><struct>{record}</struct></value></member></struct></value>")


def measure_decoding(figures):
    """Each in a process of its own, in turn, so that what else the machine does meets both."""
    text, runs = event(), []
    for turn in range(ROUNDS):
        taken = {}
        for who in ("ours", "xmlrpc-c")[::1 if turn % 2 == 0 else -1]:
            octets, seconds, memory = tool("decode", who, VMS, stdin=text).split()
            taken[who] = float(seconds), int(memory)
        runs.append((taken["ours"], taken["xmlrpc-c"]))
    (ours, mine), (theirs, their) = ((middle([run[who][0] for run in runs]), middle([run[who][1] for run in runs]))
                                     for who in (0, 1))
    note(f"{VMS} VMs in {int(octets) / 1e6:.0f} MB, median of {ROUNDS}: {ours:.3f} s and {mine / 1e6:.1f} MB, "
         f"xmlrpc-c {theirs:.3f} s and {their / 1e6:.0f} MB")
    faster = middle([run[1][0] / run[0][0] for run in runs])
    leaner = middle([run[1][1] / max(run[0][1], 1) for run in runs])
    figures.add("xapi-decode-over-xmlrpc", faster, "x", ">=5", faster >= 5)
    figures.add("xapi-decode-memory", leaner, "x", ">=100", leaner >= 100)


# --- a pool

def until(condition, began, what):
    """Seconds since then when it comes true; looks more often than Lab.wait(), which must not make figures coarse."""
    while not condition():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"bench: waited {PATIENCE} s in vain until {what}")
        time.sleep(0.01)
    return time.monotonic() - began


class Estate(PoolLab):
    """A pool whose VMs are alike but for their state, of which one in a hundred changes within 30 s."""

    def __init__(self):
        vms = MEMBERS * VMS_PER_MEMBER
        super().__init__(hosts=MEMBERS, domains=vms, agent={"interval": INTERVAL},
                         farm_options=["--vcpus", "1", "--vifs", "1", "--vbds", "1", "--churn", str(max(1, vms // 50))])

    def __enter__(self):
        super().__enter__()
        self.serve(dialect=DIALECT)
        self.start("snmpd")
        return self

    def is_whole(self):
        return (self.get(self.oid("xenDomainCount", 0)) or 0) >= self.domains + self.hosts

    def sync(self):
        """Seconds from the start of a daemon that knows nothing to the last row."""
        self.kill("xensnmpd")
        shutil.rmtree(self.path("state"))
        os.mkdir(self.path("state"), 0o700)
        began = time.monotonic()
        self.start("xensnmpd")
        return until(self.is_whole, began, "all VMs have rows")

    def first_octet(self):
        """Seconds from asking for all there is until XAPI begins to answer."""
        body = xmlrpc.client.dumps((self.session.ref, ["*"], "", 30.0), "event.from")
        link = http.client.HTTPSConnection(self.pool.addresses[0], self.pool.port, context=self.pool.context)
        began = time.monotonic()
        link.request("POST", "/", body, {"Content-Type": "text/xml"})
        answer = link.getresponse()
        took = time.monotonic() - began
        size = len(answer.read())
        link.close()
        return took, size


def bench_sync(lab, figures):
    """What XAPI takes to write all of it is measured right beside, by a client that throws it away."""
    seen = []
    for _ in range(max(1, ROUNDS // 2)):
        writing, size = lab.first_octet()
        seen.append((lab.sync(), writing))
    without = middle([took - writing for took, writing in seen])
    note(f"{lab.hosts} hosts with {lab.domains} VMs, {size / 1e6:.0f} MB: all rows after "
         + ", ".join(f"{took:.2f}" for took, _ in seen) + " s, of which XAPI thought for "
         + ", ".join(f"{writing:.2f}" for _, writing in seen) + " s")
    figures.add("xapi-first-sync", without, "s", "<3", without < 3)


def bench_steady(lab, figures):
    pass_intervals(1)
    polls = lab.get(lab.oid("xenSourcePollsOk", "pool1"))
    front, all_of_it, began = lab.cpu("xensnmpd"), spent(lab), time.monotonic()
    pass_intervals(INTERVALS)
    took = time.monotonic() - began
    front, all_of_it = lab.cpu("xensnmpd") - front, spent(lab) - all_of_it
    polls = lab.get(lab.oid("xenSourcePollsOk", "pool1")) - polls
    percent = 100 * all_of_it / took
    note(f"front {100 * front / took:.1f} %, worker {100 * (all_of_it - front) / took:.1f} % of a core over {took:.0f} s, {polls} polls")
    figures.add("xapi-steady-cpu", percent, "%", "<3", percent < 3)


def bench_events(lab, figures):
    """A tag is put on one VM after the other. Each waits a while of its own for the next, so that they meet every moment
    between two polls."""
    kinds, uuids = lab.column("xenDomainKind"), lab.column("xenDomainUuid")
    guests = [index for index in sorted(uuids) if kinds.get(index) == GUEST]
    seconds = []
    for turn, index in enumerate(guests[::max(1, len(guests) // CHANGES)][:CHANGES]):
        vm, shown = lab.session.VM.get_by_uuid(uuids[index]), lab.oid("xenDomainTags", index)
        time.sleep(turn * 0.37 % 1)
        began = time.monotonic()
        lab.pool.control("set", "VM", vm, "tags", f"['b{turn}']")
        seconds.append(until(lambda: lab.get(shown) == f"b{turn}", began, f"the tag of {uuids[index]} is shown"))
    late = p99(seconds)
    note(f"{len(seconds)} changes are seen after {middle(seconds):.2f} s (median), the slowest after {max(seconds):.2f} s")
    figures.add("xapi-event-p99", late, "s", "<1", late < 1)


def measure_pool(figures):
    with Estate() as lab:
        if "xapi-first-sync" in figures.wanted:
            bench_sync(lab, figures)
        else:
            lab.sync()
        if "xapi-steady-cpu" in figures.wanted:
            bench_steady(lab, figures)
        if "xapi-event-p99" in figures.wanted:
            bench_events(lab, figures)
