#!/usr/bin/env python3
"""Databases that can't be written or read: a full disk, a lock, no right to write, damage, a newer version. SETs are refused
whole and say why, reads go on, all is well again by itself; at the start the message has the cure, and nothing begins anew."""

import contextlib
import errno
import glob
import os
import re
import shutil
import signal
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402
from shim import Shim  # noqa: E402

RUNNING, PAUSED, UP, DEGRADED = 4, 8, 2, 3
PAUSE, UNPAUSE, FINISHED, TRUE, FALSE, CREATE = 5, 6, 5, 1, 2, 4
STORE, OK, DEGRADED_AGENT = 26, 1, 2
BROKEN = "the database cannot be written"


class Estate(Lab):
    def agent_state(self):
        return self.get(self.oid("xenAgentState", 0), self.oid("xenAgentReason", 0))

    def guests(self, state=RUNNING):
        return [index for index, row in sorted(self.table("xenDomainTable").items())
                if row.get("xenDomainKind") == 1 and row.get("xenDomainState") == state]

    def polls(self):
        return self.get(self.oid("xenPollsOk", 0))

    def reads_go_on(self, rows, words):
        before = self.polls()
        self.wait(lambda: self.polls() > before + self.hosts, f"{words}: polls go on")
        is_(sorted(self.column("xenDomainName")), rows, f"{words}: polls go on, and every row is there")
        is_(set(self.column("xenSourceState").values()), {UP}, f"{words}: the sources are up")

    def refuses(self, words, why, *varbinds):
        """One SET that the journal can't take."""
        is_(self.set(*varbinds), "commitFailed", f"{words}: commitFailed")
        last = self.table("xenSetErrorTable")
        row = last[max(last)]
        ok(row["xenSetErrorCause"] == STORE and why in row["xenSetErrorText"], f"{words}: with cause and cure") or diag(row)

    def recovers(self, words):
        self.wait(lambda: self.agent_state() == [OK, ""], f"{words}: the agent is well again")
        ok(True, f"{words}: the agent is well again by itself")

    def all_end(self):
        self.wait(lambda: all(row["xenOperationState"] == FINISHED for row in self.table("xenOperationTable").values()),
                  "all operations end")

    def longest(self):
        return self.get(self.oid("xenHandlerMaxTime", 0)) / 1e6

    def open(self, file):
        return sqlite3.connect(self.path("state", file), isolation_level=None)


def test_full(lab, shim):
    """Also for what was accepted before: it ends, and its end is written later."""
    rows = sorted(lab.column("xenDomainName"))
    first, second, third = lab.guests()[:3]
    shim.disk(errno.EIO, lab.path("state"))
    lab.refuses("a broken disk", "see the kernel's log for that disk", (lab.oid("xenDomainPower", first), "i", PAUSE))
    shim.disk(0)
    lab.recovers("whole again")
    before = len(lab.log("xensnmpd"))
    lab.farm_ctl("speed", "0.5")
    is_(lab.set(lab.oid("xenDomainPower", third), "i", PAUSE), "noError", "an operation is accepted")
    operations = lab.table("xenOperationTable").keys()
    shim.disk(errno.ENOSPC, lab.path("state"))
    lab.refuses("full, an action", "free space there", (lab.oid("xenDomainPower", first), "i", PAUSE))
    lab.refuses("full, two actions", "free space there", (lab.oid("xenDomainPower", first), "i", PAUSE),
                (lab.oid("xenDomainPower", second), "i", PAUSE))
    lab.refuses("full, a setting", "free space there", (lab.oid("xenDomainProtected", first), "i", TRUE))
    lab.refuses("full, a source", "free space there", (lab.oid("xenSourceUri", "new"), "s", "sim:///x/y"),
                (lab.oid("xenSourceRowStatus", "new"), "i", CREATE))
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", third)) == PAUSED, "what was accepted before is done")
    is_(lab.table("xenOperationTable").keys(), operations, "full: no operation was added")
    is_(lab.get(lab.oid("xenDomainProtected", first)), FALSE, "full: no setting changed")
    is_(lab.column("xenSourceUri").get("new"), None, "full: no source was added")
    is_(lab.agent_state(), [DEGRADED_AGENT, BROKEN], "full: the agent says so")
    lab.reads_go_on(rows, "full")
    is_([lab.get(lab.oid("xenDomainState", index)) for index in (first, second)], [RUNNING] * 2, "full: nothing ran")

    host = lab.get(lab.oid("xenDomainHost", first))
    lab.farm_ctl("host", host, "down")
    lab.wait(lambda: lab.get(lab.oid("xenSourceState", host)) != UP, "full: a host that fails is seen")
    lab.farm_ctl("host", host, "normal")
    events = lab.get(lab.oid("xenEventLastSerial", 0))
    shim.disk(0)
    lab.recovers("full no more")
    lab.wait(lambda: lab.get(lab.oid("xenEventLastSerial", 0)) > events, "events of the time come after it")
    is_(lab.set(lab.oid("xenDomainPower", first), "i", PAUSE), "noError", "full no more: a SET is accepted")
    lab.farm_ctl("speed", "32")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", first)) == PAUSED, "it is done")
    text = lab.log("xensnmpd")[before:]
    # What finds it out first may be a SET, or a running operation's next step.
    for words in (r"operations\.db: [^:]+: database or disk is full: free space there \(SETs are refused meanwhile",
                  r"operations\.db can be written again", r"state\.db: [^:]+: database or disk is full: free space there",
                  r"state\.db can be written again"):
        is_(len(re.findall(words, text)), 1, f"the log says once: {words}")
    lab.all_end()
    is_(lab.set(lab.oid("xenDomainPower", first), "i", UNPAUSE), "noError", "unpause")
    lab.all_end()
    rows = lab.table("xenOperationTable")
    lab.restart("xensnmpd")
    lab.wait_rows()
    after = lab.table("xenOperationTable")
    is_({index: row["xenOperationResult"] for index, row in after.items()},
        {index: row["xenOperationResult"] for index, row in rows.items()}, "the ends of all operations are in the journal")


def test_new_domain(lab, shim):
    """A host that shows a domain never seen while its row can't be kept. host3 is new to the agent: all its domains are."""
    rows = sorted(lab.column("xenDomainName"))
    lab.kill("xensnmpd")
    third = lab.sources["host3"]
    del lab.sources["host3"]
    lab.write_config()
    for path in glob.glob(lab.path("state", "*")):
        os.unlink(path)
    lab.start("xensnmpd", shim=shim)
    lab.wait(lambda: set(lab.column("xenSourceState").values()) == {UP}, "two hosts are up")
    lab.wait(lambda: set(lab.column("xenDomainHost").values()) == {"host1", "host2"}, "their domains are there")
    two = lab.column("xenDomainName")
    shim.disk(errno.ENOSPC, lab.path("state"))
    lab.sources["host3"] = third
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.column("xenSourceState").get("host3") == DEGRADED, "the third host is degraded")
    text = lab.get(lab.oid("xenSourceStateText", "host3"))
    ok("new domains have no row yet: " in text and "free space there" in text, f"it says why: {text}")
    is_(lab.get(lab.oid("xenSourceCause", "host3")), STORE, "its cause is the store")
    before = lab.get(lab.oid("xenSourcePollsOk", "host3"))
    lab.wait(lambda: lab.get(lab.oid("xenSourcePollsOk", "host3")) > before + 3, "it is polled")
    is_([lab.get(lab.oid("xenSourceState", "host3")), lab.get(lab.oid("xenHostState", "host3"))], [DEGRADED, DEGRADED],
        "it stays degraded, and is not down")
    is_(lab.column("xenDomainName"), two, "no index is shown that is not on disk")
    shim.disk(0)
    lab.wait(lambda: lab.column("xenSourceState").get("host3") == UP, "the third host is up")
    lab.wait(lambda: sorted(lab.column("xenDomainName")) >= rows, "all have rows")
    names = lab.column("xenDomainName")
    lab.restart("xensnmpd")
    lab.wait(lambda: lab.column("xenDomainName") == names, "the same after a restart", 10)
    ok(True, "all have rows, and the same after a restart")


def test_locked(lab):
    """Another program's transaction that does not end: on the journal, then on the state."""
    rows = sorted(lab.column("xenDomainName"))
    first, second = lab.guests()[:2]
    other = lab.open("operations.db")
    other.execute("BEGIN EXCLUSIVE")
    lab.refuses("locked", "another program has locked it", (lab.oid("xenDomainPower", first), "i", PAUSE))
    is_(lab.agent_state(), [DEGRADED_AGENT, BROKEN], "locked: the agent says so")
    lab.reads_go_on(rows, "locked")
    ok(lab.longest() < 1, f"locked: nobody waits for long ({lab.longest():.2f} s)")
    other.execute("ROLLBACK")
    lab.recovers("unlocked")
    is_(lab.set(lab.oid("xenDomainPower", first), "i", PAUSE), "noError", "unlocked: a SET is accepted")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", first)) == PAUSED, "it is done")
    lab.all_end()
    other.close()

    other = lab.open("state.db")
    other.execute("BEGIN EXCLUSIVE")
    is_(lab.set(lab.oid("xenDomainProtected", second), "i", TRUE), "noError", "state.db locked: the journal takes a setting")
    is_(lab.get(lab.oid("xenDomainProtected", second)), TRUE, "state.db locked: and it counts")
    lab.wait(lambda: lab.agent_state() == [DEGRADED_AGENT, BROKEN], "state.db locked: the agent says so")
    lab.reads_go_on(rows, "state.db locked")
    other.execute("ROLLBACK")
    other.close()
    is_(lab.set(lab.oid("xenDomainProtected", second), "i", FALSE), "noError", "state.db unlocked: the opposite")
    lab.recovers("state.db unlocked")
    lab.restart("xensnmpd")
    lab.wait(lambda: lab.get(lab.oid("xenDomainProtected", second)), "the row is back after a restart")
    is_(lab.get(lab.oid("xenDomainProtected", second)), FALSE, "the younger setting is the one that is there after a restart")


def spoil_under(lab, file):
    """Makes the daemon read the file again, of which nothing but the first page is what it was."""
    with contextlib.closing(lab.open(file)) as other:
        other.execute("CREATE TABLE passer_by (x)")
        other.execute("DROP TABLE passer_by")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = lab.path("state", file)
    size = int.from_bytes(open(path, "rb").read(18)[16:18], "big")
    with open(path, "r+b") as out:
        out.seek(size)
        out.write(os.urandom(os.path.getsize(path) - size))


def test_damaged(lab):
    """Somebody writes over a database that the daemon has open."""
    lab.wait_rows()
    rows = sorted(lab.column("xenDomainName"))
    first, second = lab.guests()[:2]
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "it ends")
    shutil.copytree(lab.path("state"), lab.path("whole"))
    for file in ("operations.db", "state.db"):
        lab.start("xensnmpd")
        lab.wait(lambda: sorted(lab.column("xenDomainName")) == rows, "rows are back")
        before = len(lab.log("xensnmpd"))
        spoil_under(lab, file)
        if file == "operations.db":
            lab.refuses(f"{file} damaged", "it is damaged", (lab.oid("xenDomainPower", first), "i", PAUSE))
        else:
            is_(lab.set(lab.oid("xenDomainProtected", second), "i", TRUE), "noError", f"{file} damaged: the journal takes a setting")
            is_(lab.get(lab.oid("xenDomainProtected", second)), TRUE, f"{file} damaged: and it counts")
        lab.wait(lambda: lab.agent_state() == [DEGRADED_AGENT, BROKEN], f"{file} damaged: the agent says so")
        lab.reads_go_on(rows, f"{file} damaged")
        is_(lab.agent_state(), [DEGRADED_AGENT, BROKEN], f"{file} damaged: and goes on saying so")
        ok(f"{file} can be written again" not in lab.log("xensnmpd")[before:], f"{file} damaged: nobody claims that it is well")
        is_([lab.get(lab.oid("xenDomainState", index)) for index in (first, second)], [RUNNING] * 2, f"{file} damaged: nothing ran")
        ok(f"{file}: " in lab.log("xensnmpd") and "it is damaged: put a copy back" in lab.log("xensnmpd"),
           f"{file} damaged: the log has the cure")
        is_(lab.kill("xensnmpd", signal.SIGTERM), 0, f"{file} damaged: it ends when told to")
        ends(lab, f"{file} damaged", lab.path("state", file), "it is damaged")
        for name in os.listdir(lab.path("state")):
            os.unlink(lab.path("state", name))
        shutil.copytree(lab.path("whole"), lab.path("state"), dirs_exist_ok=True)
    lab.start("xensnmpd")
    lab.wait(lambda: sorted(lab.column("xenDomainName")) == rows, "rows are back")


# --- at the start

def ends(lab, words, *says):
    """xensnmpd does not start, and tells why."""
    before = len(lab.log("xensnmpd"))
    process = lab.start("xensnmpd")
    is_(process.wait(timeout=120), 1, f"{words}: it does not start")
    del lab.processes["xensnmpd"]
    text = lab.log("xensnmpd")[before:]
    ok(all(word in text for word in says), f"{words}: it says why, and the cure") or diag(text)


def spoil_header(path):
    with open(path, "r+b") as file:
        file.write(b"this is no database, whatever its name says")


def spoil_page(path):
    """The last page but one, with rows or without: the middle of a file is where damage is not seen at once."""
    size = int.from_bytes(open(path, "rb").read(18)[16:18], "big")
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // size // 2 * size)
        file.write(os.urandom(size))


def make_newer(path):
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()


def cut_short(path):
    os.truncate(path, 5000)


def test_start(lab):
    rows = lab.column("xenDomainName")
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "it ends")
    shutil.copytree(lab.path("state"), lab.path("good"))
    for spoil, says in ((spoil_header, "it is damaged: put a copy back, or move the file away"),
                        (spoil_page, "it is damaged: put a copy back, or move the file away"),
                        (cut_short, "it is damaged: put a copy back, or move the file away"),
                        (make_newer, "made by a newer version (99, this one knows")):
        for file in ("state.db", "operations.db"):
            path = lab.path("state", file)
            spoil(path)
            spoilt = open(path, "rb").read()
            ends(lab, f"{file}, {spoil.__name__}", path, says, "move the file away to begin anew")
            is_(open(path, "rb").read(), spoilt, f"{file}, {spoil.__name__}: the file is as it was")
            for name in os.listdir(lab.path("state")):
                os.unlink(lab.path("state", name))
            shutil.copytree(lab.path("good"), lab.path("state"), dirs_exist_ok=True)
    other = lab.open("state.db")
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("PRAGMA user_version = 2")
    ends(lab, "locked", lab.path("state", "state.db"), "another program has locked it: end that one")
    other.close()

    lab.agent["state_dir"] = "/proc/xensnmp"
    lab.write_config()
    ends(lab, "a folder that can't be made", "/proc/xensnmp: ", "state_dir")
    lab.agent["state_dir"] = lab.path("state")
    lab.write_config()
    test_rights(lab)
    lab.start("xensnmpd")
    lab.wait(lambda: lab.column("xenDomainName") == rows, "with a good copy every row is back under its index")
    ok(True, "with a good copy every row is back under its index")


def test_rights(lab):
    """Files that the account may read and not write; root may, so it becomes somebody else."""
    folder = lab.path("state")
    names = [folder] + [os.path.join(folder, name) for name in os.listdir(folder)]
    for name in names:
        os.chmod(name, 0o555 if name == folder else 0o444)
    if os.geteuid() == 0:
        lab.agent["user"] = "nobody"
        lab.write_config()
    ends(lab, "read-only", lab.path("state", "state.db"), "let the daemon's account write the file and its folder")
    lab.agent["user"] = ""
    lab.write_config()
    for name in names:
        os.chmod(name, 0o700 if name == folder else 0o600)


with Estate(hosts=3, domains=18, speed=32, start=False, agent={"duplicate_window": 0}) as estate:
    for program in ("snmpd", "xen-farm"):
        estate.start(program)
    faults = Shim(estate, "disk")
    estate.start("xensnmpd", shim=faults)
    estate.wait_rows()
    test_full(estate, faults)
    test_new_domain(estate, faults)
    test_locked(estate)
    test_damaged(estate)
    test_start(estate)
done()
