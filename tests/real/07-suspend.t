#!/usr/bin/env python3
"""Suspend to a file and resume: taken back in the middle, at home, and on the other host. The guest goes on where it was."""

from real import *

SAVED = "/srv/saved"
BOOTS = "grep -c 'guest: ready' /var/log/xen/console/guest-pvh1.log"


def saved(k):
    return lab.xen.ssh(k, f"cd {SAVED} && stat -c '%a %n' *", check=False).split()


def cancelled(row, first):
    number = lab.begin(row, "xenDomainPower", SUSPEND)
    lab.wait(lambda: lab.op(number)["phase"] == "saving", "it is saved")
    is_(lab.set(lab.oid("xenOperationCancel", number), "i", 2), "noError", "cancel it")
    op = lab.end(number)
    is_([op["result"], lab.xen.flags("pvh1"), saved(1)], [CANCELLED, "runs", []],
        f"cancelled: it runs on and there is no file ({op['text']})")
    ok(lab.until(row, RUNNING, "cancelled: the row follows", 15) is not None, "cancelled: the row follows")
    is_(lab.xen.xl(1)["pvh1"].domid, first.domid, "cancelled: it is the same domain")


def suspended(row, uuid):
    lab.acts(row, "pvh1", "xenDomainPower", SUSPEND, SUSPENDED, "gone", "suspend")
    is_([lab.find("pvh1"), lab.read(row, "xenDomainUuid", "xenDomainHost", "xenDomainDomid")], [row, [uuid, "xen1", GONE]],
        "suspend: the same row")
    is_(saved(1), ["600", f"{uuid}.pvh1.xensave"], "suspend: one file, for root alone")


def at_home(row, uuid, first):
    boots = lab.xen.ssh(1, BOOTS)
    suspended(row, uuid)
    is_(lab.set(lab.oid("xenDomainPower", row), "i", START), "inconsistentValue", "a suspended guest is not started")
    ok("use resume" in lab.explained[-1], "and the refusal tells the way")
    lab.acts(row, "pvh1", "xenDomainPower", RESUME, RUNNING, "runs", "resume")
    second = lab.xen.xl(1)["pvh1"]
    ok(second.domid > first.domid and second.uuid == first.uuid, "resume: Xen made it anew")
    is_([saved(1), lab.xen.ssh(1, BOOTS)], [[], boots], "resume: the file is gone, the guest did not boot")
    is_([lab.find("pvh1"), lab.read(row, "xenDomainUuid")], [row, uuid], "resume: the same row")


def elsewhere(row, uuid):
    suspended(row, uuid)
    lab.xen.move(f"{SAVED}/{uuid}.pvh1.xensave", 1, 2)
    lab.rescan()
    is_(lab.set((lab.oid("xenDomainPower", row), "i", RESUME), (lab.oid("xenDomainStartOn", row), "s", "xen2")), "noError",
        "resume on the other host is accepted")
    op = lab.end(lab.last_op())
    is_([op["result"], op["cause"]], [OK, 1], f"resume on the other host: result ok ({op['text']})")
    is_([lab.xen.flags("pvh1", 1), lab.xen.flags("pvh1", 2), saved(2)], ["gone", "runs", []],
        "it runs there, and the file is gone")
    lab.wait(lambda: lab.read(row, "xenDomainHost") == "xen2", "the row says xen2", 15)
    is_([lab.find("pvh1"), lab.state(row), lab.read(row, "xenDomainUuid")], [row, RUNNING, uuid], "the same row")
    is_(lab.xen.ssh(2, BOOTS, check=False).strip() or "0", "0", "and the guest did not boot")
    ok("bytes from" in lab.xen.ssh(2, "busybox ping -c 5 -W 2 10.99.0.111", check=False), "it answers")


with RealLab(agent={"duplicate_window": 0}, save_dir=SAVED, interval=60,
             prepare={1: f"mkdir -m 700 {SAVED}", 2: f"mkdir -m 700 {SAVED}; xl destroy keep; xl destroy crash"}) as lab:
    pvh1, living = lab.find("pvh1"), lab.xen.xl(1)["pvh1"]
    cancelled(pvh1, living)
    at_home(pvh1, living.uuid, living)
    elsewhere(pvh1, living.uuid)
done()
