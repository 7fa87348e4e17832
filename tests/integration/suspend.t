#!/usr/bin/env python3
"""Suspend to disk and resume, at home and on another host: by SET and by xenctl, over restarts, and what is refused."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, diag, done, is_, ok

RUNNING, SUSPENDED, PAUSED, SHUTDOWN = 4, 6, 8, 11
START, PAUSE, SUSPEND, RESUME = 2, 5, 7, 8
FINISHED, OK, FAILED, CANCELLED = 5, 2, 4, 5
GUEST, NO_STORAGE, WANTED_SUSPENDED, REASON_SUSPEND = 1, 9, 2, 6


class Estate(Lab):
    """A lab with words for what this test does. host3 has no save_dir."""

    def read(self, column, row):
        return self.get(self.oid(column, row))

    def newest(self):
        return max(self.table("xenOperationTable"), default=0)

    def power(self, row, action, *more):
        return self.set((self.oid("xenDomainPower", row), "i", action), *more)

    def on(self, row, host):
        return (self.oid("xenDomainStartOn", row), "s", host)

    def end(self):
        """The newest operation, once it has ended."""
        index = self.newest()
        self.wait(lambda: self.table("xenOperationTable")[index]["xenOperationState"] == FINISHED, f"operation {index} ended")
        return self.table("xenOperationTable")[index]

    def acts(self, row, action, state, words, *more):
        is_(self.power(row, action, *more), "noError", f"{words}: accepted")
        op = self.end()
        is_((op["xenOperationResult"], op["xenOperationText"] if op["xenOperationResult"] != OK else ""), (OK, ""),
            f"{words}: ok")
        is_(self.read("xenDomainState", row), state, f"{words}: the row follows")

    def refused(self, row, action, error, why, words, *more):
        before = self.newest()
        is_(self.power(row, action, *more), error, f"{words}: {error}")
        text = self.read("xenSetLastError", 0)
        if not ok(why in text, f"{words}: and why"):
            diag(text)
        is_(self.newest(), before, f"{words}: no operation")

    def rows_of(self, name):
        return [row for row, cells in self.table("xenDomainTable").items() if cells["xenDomainName"] == name]


def guest_on(lab, host):
    return next(row for row, cells in lab.table("xenDomainTable").items()
                if cells["xenDomainKind"] == GUEST and cells["xenDomainState"] == RUNNING and cells["xenDomainHost"] == host)


def at_home(lab, row):
    uuid, name = lab.read("xenDomainUuid", row), lab.read("xenDomainName", row)
    lab.acts(row, SUSPEND, SUSPENDED, "suspend")
    is_((lab.read("xenDomainUuid", row), lab.read("xenDomainHost", row), lab.read("xenDomainReason", row),
         lab.read("xenDomainWanted", row)), (uuid, "host1", REASON_SUSPEND, WANTED_SUSPENDED), "suspended: what the row says")
    is_(lab.read("xenDomainDomid", row), None, "suspended: no domid")
    lab.wait(lambda: lab.read("xenSourcePollsOk", "host2") > 3, "host2 was asked, which sees the save file too")
    is_(lab.rows_of(name), [row], "one row, although two hosts see the save file")
    lab.refused(row, START, "inconsistentValue", "use resume", "start of a suspended domain")
    lab.refused(row, SUSPEND, "inconsistentValue", "while it is suspended", "suspend it again")
    lab.refused(row, PAUSE, "inconsistentValue", "while it is suspended", "pause it")
    for n in range(2):
        lab.restart("xensnmpd")
        lab.wait(lambda: lab.read("xenDomainState", row) == SUSPENDED, "the agent is back")
        lab.wait(lambda: (lab.read("xenSourcePollsOk", "host1") or 0) > 1 and (lab.read("xenSourcePollsOk", "host2") or 0) > 1,
                 "both hosts were asked")
        is_((lab.rows_of(name), lab.read("xenDomainHost", row)), ([row], "host1"), f"restart {n}: its row and its host")
    lab.acts(row, RESUME, RUNNING, "resume")
    is_((lab.read("xenDomainUuid", row), lab.read("xenDomainHost", row)), (uuid, "host1"), "resumed: what the row says")
    lab.refused(row, RESUME, "inconsistentValue", "while it is running", "resume what runs")


def elsewhere(lab, row):
    name = lab.read("xenDomainName", row)
    lab.acts(row, PAUSE, PAUSED, "pause")
    lab.acts(row, SUSPEND, SUSPENDED, "suspend a paused one")
    lab.refused(row, RESUME, "inconsistentValue", "save_dir", "resume where there is no save_dir", lab.on(row, "host3"))
    lab.refused(row, RESUME, "inconsistentValue", "no host that answers", "resume nowhere", lab.on(row, "none"))
    lab.wait(lambda: lab.power(row, RESUME, lab.on(row, "host2")) == "noError", "host2 sees the save file")
    is_(lab.end()["xenOperationResult"], OK, "resume on host2: ok")
    is_((lab.read("xenDomainState", row), lab.read("xenDomainHost", row)), (RUNNING, "host2"), "resume on host2: it runs there")
    is_(lab.rows_of(name), [row], "resume on host2: the same row, and no other")
    lab.refused(row, PAUSE, "inconsistentValue", "xenDomainStartOn", "StartOn with pause", lab.on(row, "host1"))


def failures(lab, row):
    lab.farm_ctl("fail", "suspend", "noStorage", "the disk is full")
    is_(lab.power(row, SUSPEND), "noError", "a suspend that fails: accepted")
    op = lab.end()
    is_((op["xenOperationResult"], op["xenOperationCause"]), (FAILED, NO_STORAGE), "a suspend that fails: why")
    ok(lab.wait(lambda: lab.read("xenDomainState", row) == RUNNING, "it runs on"), "a suspend that fails: it runs on")
    lab.farm_ctl("clear")
    lab.acts(row, SUSPEND, SUSPENDED, "suspend once more")
    lab.farm_ctl("hang", "resume")
    is_(lab.power(row, RESUME), "noError", "a resume that hangs: accepted")
    op = lab.newest()
    lab.wait(lambda: lab.table("xenOperationTable")[op].get("xenOperationPhase") == "restoring", "it is restored")
    is_(lab.set((lab.oid("xenOperationCancel", op), "i", 2)), "noError", "cancel it")
    is_(lab.end()["xenOperationResult"], CANCELLED, "a resume that hangs: cancelled")
    ok(lab.wait(lambda: lab.read("xenDomainState", row) == SUSPENDED, "it is suspended again"),
       "a resume that hangs: it is suspended as before")
    lab.farm_ctl("clear")
    lab.acts(row, RESUME, RUNNING, "and resumes in the end")


def killed(lab, row):
    """The daemon dies while it is saved, and finds the operation again."""
    lab.farm_ctl("hang", "suspend")
    is_(lab.power(row, SUSPEND), "noError", "killed: accepted")
    op = lab.newest()
    lab.wait(lambda: lab.table("xenOperationTable")[op].get("xenOperationPhase") == "saving", "it is saved")
    lab.kill("xensnmpd")
    lab.farm_ctl("clear")
    lab.start("xensnmpd")
    lab.wait(lambda: lab.table("xenOperationTable")[op]["xenOperationState"] == FINISHED, "it ended")
    is_((lab.table("xenOperationTable")[op]["xenOperationResult"], lab.newest()), (OK, op), "killed: ok, by the same operation")
    is_(lab.read("xenDomainState", row), SUSPENDED, "killed: it is suspended")
    lab.acts(row, RESUME, RUNNING, "killed: resume")


def refusals(lab, row):
    other = guest_on(lab, "host3")
    lab.refused(other, SUSPEND, "inconsistentValue", "source host3 has no save_dir", "suspend without save_dir")
    is_(lab.set((lab.oid("xenDomainProtected", row), "i", 1)), "noError", "protected")
    lab.refused(row, SUSPEND, "noAccess", "protected", "suspend of a protected domain")
    is_(lab.set((lab.oid("xenDomainProtected", row), "i", 2)), "noError", "no more protected")
    is_(lab.set((lab.oid("xenSourceRowStatus", "more"), "i", 4), (lab.oid("xenSourceUri", "more"), "s", "sim:///no.sock/x"),
                (lab.oid("xenSourceSaveDir", "more"), "s", "not/absolute")), "wrongValue", "a save_dir that is no absolute path")


def by_xenctl(lab, row):
    name = lab.read("xenDomainName", row)
    for words, status, host in ((("suspend", name), 0, "host2"), (("start", name), 2, "host2"),
                                (("resume", name, "host3"), 2, "host2"), (("rescan", "host1"), 0, "host2"),
                                (("resume", name, "host1"), 0, "host1"),
                                (("suspend", name), 0, "host1"), (("resume", name), 0, "host1")):
        result = lab.xenctl(*words)
        if not is_((result.returncode, lab.read("xenDomainHost", row)), (status, host), f"xenctl {' '.join(words)}"):
            diag(result.stdout + result.stderr)
        lab.wait(lambda: len(lab.rows_of(name)) == 1, "one row")
    is_(lab.read("xenDomainState", row), RUNNING, "xenctl: it runs in the end")


with Estate(hosts=3, domains=9, start=False, speed=5, agent={"duplicate_window": 0}) as lab:
    del lab.sources["host3"]["save_dir"]
    lab.write_config()
    for program in ("snmpd", "xen-farm", "xensnmpd"):
        lab.start(program)
    lab.wait_rows()
    target = guest_on(lab, "host1")
    at_home(lab, target)
    elsewhere(lab, target)
    failures(lab, target)
    killed(lab, target)
    refusals(lab, target)
    by_xenctl(lab, target)
    is_("duplicates=0" in lab.farm_ctl("stats"), True, "nothing was done twice")
done()
