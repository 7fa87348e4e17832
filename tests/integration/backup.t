#!/usr/bin/env python3
"""xenctl backup while the agent is busy, and what comes back from the copies; who may, and what a failure leaves."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402

TRUE, FALSE, CREATE, FINISHED, LOST, CAUSE_LOST = 1, 2, 4, 5, 7, 31
START, PAUSE, UNPAUSE, RUNNING, PAUSED = 2, 5, 6, 4, 8
FILES = ["operations.db", "state.db"]


def says(result, status, text, name):
    if not ok(result.returncode == status and text in result.stdout + result.stderr, name):
        diag(f"status {result.returncode}, wanted {status}; says {text}\n{result.stdout}{result.stderr}")


def backup(lab, name, *options):
    return lab.xenctl("backup", lab.path(name), "--state-dir", lab.path("state"), *options)


def query(lab, folder, database, sql):
    connection = sqlite3.connect(f"file:{lab.path(folder, database)}?mode=ro&immutable=1", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def guests(lab):
    return [index for index, row in lab.table("xenDomainTable").items() if row["xenDomainKind"] == 1]


def rows(lab):
    return {index: (row["xenDomainName"], row.get("xenDomainUuid"), row["xenDomainHost"])
            for index, row in lab.table("xenDomainTable").items()}


def operations(lab):
    return {index: (row.get("xenOperationText"), row.get("xenOperationNote"), row["xenOperationResult"]) for index, row in lab.table("xenOperationTable").items()}


class Stream(threading.Thread):
    """SETs one after another, operations and settings in turn; keeps what was answered, and how long it took at most."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab, self.ids, self.halt = lab, guests(lab), threading.Event()
        self.answers, self.notes = {}, []
        self.failure = None

    def run(self):
        n = 0
        try:
            while not self.halt.is_set():
                index = self.ids[n % len(self.ids)]
                even = n // len(self.ids) % 2 == 0
                note = f"set {n}"
                answer = self.lab.set((self.lab.oid("xenDomainPower", index), "i", PAUSE if even else UNPAUSE),
                                      (self.lab.oid("xenDomainNote", index), "s", note))
                self.answers[answer] = self.answers.get(answer, 0) + 1
                if answer == "noError":
                    self.notes.append(note)
                self.answers[self.lab.set((self.lab.oid("xenDomainProtected", index), "i", TRUE if even else FALSE))] = 1
                n += 1
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error


def test_busy(lab):
    stream = Stream(lab)
    stream.start()
    lab.wait(lambda: stream.failure or len(stream.notes) > 5, "SETs are accepted")
    early = list(stream.notes)
    says(backup(lab, "copy"), 0, lab.path("copy"), "a backup is made while SETs come in")
    between = len(stream.notes)
    says(backup(lab, "second", "--json"), 0, '"backup": "', "and another, told in JSON")
    lab.wait(lambda: stream.failure or len(stream.notes) > between + 5, "SETs are accepted after it")
    stream.halt.set()
    stream.join()
    is_(stream.failure, None, "every SET had its answer")
    ok("commitFailed" not in stream.answers and "genErr" not in stream.answers,
       "and none failed for the backup's sake") or diag(stream.answers)
    is_(sorted(os.listdir(lab.path("copy"))), FILES, "the databases are there, and nothing else")
    is_([stat.S_IMODE(os.stat(lab.path("copy", name)).st_mode) for name in ["", *FILES]], [0o700, 0o600, 0o600],
        "none but the owner can open them")
    is_([query(lab, "copy", name, "PRAGMA integrity_check") for name in FILES], [[("ok",)]] * 2, "and they are sound")
    kept = {note for (note,) in query(lab, "copy", "operations.db", "SELECT note FROM op")}
    is_([note for note in early if note not in kept], [], "what was accepted before the backup is in it")


def restore(lab, copy):
    """What the manual says: the old databases away, with all that belongs to them; the copies in their place."""
    lab.kill("xensnmpd", 15)
    os.rename(lab.path("state"), lab.path(f"state.before-{copy}"))
    os.mkdir(lab.path("state"), 0o700)
    for name in FILES:
        shutil.copy(lab.path(copy, name), lab.path("state", name))
    lab.start("xensnmpd")
    lab.wait_rows()


def test_restore(lab):
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in lab.table("xenOperationTable").values()),
             "all operations have ended")
    uri = lab.get(lab.oid("xenSourceUri", "host1"))
    is_(lab.set((lab.oid("xenSourceRowStatus", "later"), "i", CREATE), (lab.oid("xenSourceUri", "later"), "s", uri + "x"),
                (lab.oid("xenSourceEnabled", "later"), "i", FALSE)), "noError", "a source is registered")
    for index in guests(lab)[:2]:
        lab.set((lab.oid("xenDomainProtected", index), "i", TRUE))
    lab.wait(lambda: lab.column("xenSourceUri").get("later"), "it is there")
    before = (rows(lab), operations(lab), lab.column("xenDomainProtected"), lab.column("xenSourceUri"))
    says(backup(lab, "good"), 0, "copied", "a backup of the quiet agent")
    lab.set((lab.oid("xenSourceRowStatus", "later"), "i", 6))
    lab.set(*[(lab.oid("xenDomainProtected", index), "i", FALSE) for index in guests(lab)[:2]])
    answers = {lab.set((lab.oid("xenDomainPower", index), "i", action)) for index in guests(lab) for action in (PAUSE, UNPAUSE)}
    ok("noError" in answers, "after it settings change, and operations run") or diag(answers)
    restore(lab, "good")
    is_((rows(lab), operations(lab), lab.column("xenDomainProtected"), lab.column("xenSourceUri")), before,
        "domains, operations, protection and sources are as they were at the backup")


def executions(lab):
    """How often the farm did anything, and what it does now."""
    return [line for line in lab.farm_ctl("stats").split() if line.startswith("executions=")], lab.farm_ctl("ops")


def test_open_operation(lab):
    """One that was open at the backup ended long ago when someone comes back to it: it must not run again."""
    lab.farm_ctl("hang", "any", "1")
    index = guests(lab)[0]
    name = rows(lab)[index][0]
    state = lab.column("xenDomainState")[index]
    is_(lab.set((lab.oid("xenDomainPower", index), "i", {RUNNING: PAUSE, PAUSED: UNPAUSE}.get(state, START))),
        "noError", f"an operation on {name} is accepted")
    lab.wait(lambda: lab.farm_ctl("ops").strip(), "it runs, and does not end")
    says(backup(lab, "open"), 0, "copied", "a backup is made meanwhile")
    last = max(operations(lab))
    lab.farm_ctl("clear")
    lab.wait(lambda: lab.table("xenOperationTable")[last]["xenOperationState"] == FINISHED, "it ends")
    restore(lab, "open")
    row = lab.table("xenOperationTable")[last]
    is_((row["xenOperationState"], row["xenOperationResult"], row["xenOperationCause"]), (FINISHED, LOST, CAUSE_LOST),
        "after going back it is lost") or diag(row)
    ok("look at the domain" in row["xenOperationText"], "its text says why, and the cure")
    before = executions(lab)
    is_(lab.set((lab.oid("xenDomainPower", guests(lab)[1]), "i", 0x7f)) != "noError", True, "the agent answers SETs")
    is_(executions(lab), before, "and nothing was run again")


def test_refusals(lab):
    says(backup(lab, "copy"), 1, "is there already", "a folder that exists is not written to")
    says(lab.xenctl("backup", lab.path("none", "deep"), "--state-dir", lab.path("state")), 1, "none/deep",
         "nor one in a folder that is not there")
    says(lab.xenctl("backup", lab.path("n"), "--state-dir", lab.path("library")), 1, "is this the state_dir",
         "a folder without databases is told")
    says(lab.xenctl("backup", lab.path("n"), "--config", "/none/such.conf"), 1, "/none/such.conf",
         "a configuration that is not there is told")
    config = lab.xenctl("backup", lab.path("by-config"), "--config", lab.path("xensnmpd.conf"))
    says(config, 0, lab.path("by-config"), "the configuration tells where they are")
    os.symlink(lab.path("state"), lab.path("link"))
    says(lab.xenctl("backup", lab.path("by-link"), "--state-dir", lab.path("link")), 0, "by-link", "the folder may be a link")
    os.makedirs(lab.path("broken"), mode=0o700)
    for name in FILES:
        shutil.copy(lab.path("good", name), lab.path("broken", name))
    with open(lab.path("broken", "state.db"), "r+b") as database:
        database.seek(4096)
        database.write(b"\xff" * 4096)
    says(lab.xenctl("backup", lab.path("n"), "--state-dir", lab.path("broken")), 1, "state.db",
         "a damaged database is told")
    ok(not os.path.exists(lab.path("n")), "what failed leaves nothing behind")


def test_rights(lab):
    """As an account that may not read the state folder."""
    shutil.copy(lab.binary("xenctl"), lab.path("xenctl"))
    os.makedirs(lab.path("theirs"))
    os.chmod(lab.path("theirs"), 0o777)
    user = {"user": 65534} if os.geteuid() == 0 else {}
    if not user:
        os.chmod(lab.path("state"), 0)
    result = subprocess.run([lab.path("xenctl"), "backup", lab.path("theirs", "x"), "--state-dir", lab.path("state")],
                            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, cwd="/", **user)
    os.chmod(lab.path("state"), 0o700)
    says(result, 1, "do this as root or as the account of xensnmpd", "who may not read them is told the cure")
    ok(not os.path.exists(lab.path("theirs", "x")), "and nothing is made")


def test_lock(lab):
    second = subprocess.run([lab.binary("xensnmpd"), "-c", lab.path("xensnmpd.conf")], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, check=False, timeout=60)
    says(second, 1, "a running xensnmpd has it", "a second xensnmpd on the same folder is refused")
    ok(rows(lab), "the first goes on")


with Lab(hosts=2, domains=10, agent={"duplicate_window": 0}) as estate:
    test_busy(estate)
    test_restore(estate)
    test_open_operation(estate)
    test_refusals(estate)
    test_rights(estate)
    test_lock(estate)
done()
