#!/usr/bin/env python3
"""Every action by SNMP and by xenctl, each checked by hand with xl; nothing an operator names becomes shell."""

from real import *

ODD = "it's $(touch unquoted);&"
def by_index():
    row = lab.find("tiny1")
    uuid, first = lab.read(row, "xenDomainUuid"), lab.xen.xl(1)["tiny1"]
    lab.acts(row, "tiny1", "xenDomainPower", PAUSE, PAUSED, "paused", "pause")
    is_(lab.set(lab.oid("xenDomainPower", row), "i", REBOOT), "inconsistentValue", "a paused guest can't reboot")
    ok("tiny1" in lab.explained[-1], "and the refusal explains itself")
    lab.acts(row, "tiny1", "xenDomainPower", UNPAUSE, RUNNING, "runs", "unpause")
    counted(row, "reboot", lambda: lab.acts(row, "tiny1", "xenDomainPower", REBOOT, RUNNING, "runs", "reboot"))
    second = lab.xen.xl(1)["tiny1"]
    ok(second.domid > first.domid and second.uuid == first.uuid, "reboot: Xen made it anew")
    counted(row, "reset", lambda: lab.acts(row, "tiny1", "xenDomainForce", RESET, RUNNING, "runs", "reset"))
    third = lab.xen.xl(1)["tiny1"]
    ok(third.domid > second.domid, "reset: Xen made it anew")
    lab.wait(lambda: lab.read(row, "xenDomainDomid") == third.domid, "the row shows the new domid")
    lab.acts(row, "tiny1", "xenDomainForce", DESTROY, HALTED, "gone", "destroy")
    is_(lab.read(row, "xenDomainDomid"), GONE, "destroy: no domid any more")
    lab.acts(row, "tiny1", "xenDomainPower", START, RUNNING, "runs", "start")
    is_([lab.find("tiny1"), lab.read(row, "xenDomainUuid")], [row, uuid], "the same index and uuid throughout")
    row = lab.find("pvh1")
    op = lab.act(row, "xenDomainForce", NMI)
    is_(op["result"], OK, "nmi: result ok")
    ok("NMI" in lab.xen.ssh(1, "cat /var/log/xen/console/guest-pvh1.log"), "nmi: the guest speaks of it")
    lab.acts(row, "pvh1", "xenDomainPower", SHUTDOWN, HALTED, "gone", "shutdown")


def counted(row, words, act):
    """Counters never fall while something starts the guest anew."""
    lab.rescan("xen1")
    before = lab.read(row, *COUNTERS)
    act()
    lab.rescan("xen1")
    after = lab.read(row, *COUNTERS)
    if not ok(None not in before + after and all(a <= b for a, b in zip(before, after)) and before[0] < after[0],
              f"{words}: counters stay monotonic"):
        diag(f"{before}\n{after}")


def by_name():
    row = lab.find(ODD)
    lab.acts(row, ODD, "xenNamePower", START, RUNNING, "runs", "an odd name: start by name", ODD)
    lab.acts(row, ODD, "xenDomainForce", DESTROY, HALTED, "gone", "an odd name: destroy")
    is_(lab.xen.ssh(1, "find / -xdev -name unquoted"), "", "an odd name did not become a command")


def by_xenctl():
    """On the other host, at the same time."""
    for verb, name, want in (("shutdown", "tiny3", "gone"), ("start", "tiny3", "runs"), ("pause", "tiny3", "paused"),
                             ("unpause", "tiny3", "runs"), ("destroy", "tiny3", "gone")):
        is_([lab.run(verb, name), lab.xen.flags(name, 2)], [0, want], f"xenctl {verb}")
    is_(lab.run("pause", "tiny3"), 2, "xenctl: a refusal has a status of its own")


def without_uuid():
    """A configuration without uuid: Xen makes one up at each start, the index stays."""
    row, seen = lab.find("xen1/anon"), []
    for _ in range(2):
        lab.acts(row, "anon", "xenDomainPower", START, RUNNING, "runs", "no uuid: start")
        seen.append(lab.xen.xl(1)["anon"].uuid)
        lab.wait(lambda: lab.read(row, "xenDomainUuid") == seen[-1], "no uuid: the row shows today's")
        lab.xen.ssh(1, "xl destroy anon")
        lab.until(row, HALTED, "no uuid: it is gone")
    ok(seen[0] != seen[1], "no uuid: Xen gave another one")
    is_(lab.find("xen1/anon"), row, "no uuid: the same index")


def tune():
    """Reads back by hand what Xen then has. A PV guest of Debian's kernel takes and gives back all of this."""
    row = lab.find("tiny3")
    for column, value, kind, words, shown in (
            ("xenDomainSetMemory", 90, "u", "memory", lambda: abs(lab.xen.xl(2)["tiny3"].mem - 90) <= 4),
            ("xenDomainSetVcpus", 1, "u", "processors", lambda: lab.xen.xl(2)["tiny3"].vcpus == 1),
            ("xenDomainSetWeight", 512, "u", "weight", lambda: " 512 " in lab.xen.ssh(2, "xl sched-credit2 -d tiny3")),
            ("xenDomainSetCap", 50, "i", "cap", lambda: lab.xen.ssh(2, "xl sched-credit2 -d tiny3").split()[-1] == "50")):
        op = lab.act(row, column, value, kind)
        is_([op["result"], op["cause"], shown()], [OK, 1, True], f"{words}: ok, and xl agrees")
    op = lab.act(row, "xenDomainForce", DUMP_CORE)
    ok(op["result"] == OK and int(lab.xen.ssh(2, f"stat -c %s {op['text']}")) > 80 << 20, "core: it is there, whole")
    is_(lab.xen.flags("tiny3", 2), "runs", "core: and the guest goes on")


def create():
    lab.xen.ssh(2, f"cat >/etc/xen/fresh.cfg <<'E'\n{FRESH.format(name='fresh', n=21)}E")
    lab.xen.ssh(2, "cp /etc/xen/fresh.cfg /root/elsewhere.cfg")
    op = lab.act("xen2", "xenHostStartFile", "/etc/xen/fresh.cfg", "s")
    is_([op["result"], lab.xen.flags("fresh", 2)], [OK, "runs"], "create from a configuration file on the host")
    ok(lab.until(lab.find("fresh"), RUNNING, "create: the row is there", 15) is not None, "create: the row is there")
    column = lab.oid("xenHostStartFile", "xen2")
    for path in ("/root/elsewhere.cfg", "/etc/xen/../../root/elsewhere.cfg"):
        ok(lab.set(column, "s", path) != "noError", f"create: {path} is outside the allowed folders")
    with open(lab.path("library", "sent.cfg"), "w") as out:
        out.write(FRESH.format(name="sent", n=22))
    op = lab.act("xen2", "xenHostCreate", "sent.cfg", "s")
    is_([op["result"], lab.xen.flags("sent", 2)], [OK, "runs"], "create from the collector's library")
    row = lab.find("sent")
    op = lab.act(row, "xenDomainForce", DESTROY)
    is_([op["result"], lab.xen.flags("sent", 2)], [OK, "gone"], "library: destroy")


def refusals():
    dom0 = lab.find("xen1/Domain-0")
    is_(lab.set(lab.oid("xenDomainPower", dom0), "i", SHUTDOWN), "noAccess", "dom0 takes no action")
    is_(lab.set(lab.oid("xenDomainForce", dom0), "i", DESTROY), "noAccess", "not even a forced one")
    halted = lab.find("pvh2")
    is_(lab.set(lab.oid("xenDomainPower", halted), "i", PAUSE), "inconsistentValue", "what does not run can't be paused")
    lab.xen.ssh(1, "mv /var/lib/guests/vmlinux /var/lib/guests/away")
    op = lab.act(halted, "xenDomainPower", START)
    lab.xen.ssh(1, "mv /var/lib/guests/away /var/lib/guests/vmlinux")
    ok(op["result"] == FAILED and "vmlinux" in op["text"], "a start that Xen refuses brings Xen's words")


def xen1():
    by_index()
    by_name()
    without_uuid()


def xen2():
    tune()
    by_xenctl()
    create()


# A poll takes an emulated host seconds of its processor, and what matters here is polled by itself.
with RealLab(agent={"duplicate_window": 0}, interval=60, prepare={2: "xl destroy keep; xl destroy crash"}) as lab:
    together(xen1, xen2)
    refusals()
done()
