#!/usr/bin/env python3
"""SIGHUP: the configuration is read again; all of it takes effect, or nothing, and what stays keeps its connection."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, done, is_, ok

UP, RUNNING, PAUSE, UNPAUSE = 2, 4, 5, 6


class Estate(Lab):
    def again(self, says):
        """Writes the configuration and sends SIGHUP; true when the log has a new line that says so."""
        before = self.log("xensnmpd").count(says)
        self.write_config()
        os.kill(self.pid("xensnmpd"), signal.SIGHUP)
        return self.wait(lambda: self.log("xensnmpd").count(says) > before, f"the log says: {says}")

    def states(self):
        return {key: row.get("xenSourceState") for key, row in self.table("xenSourceTable").items()}

    def guests(self):
        """{name: (index, presence)}; of a row that appears in the middle of a walk the first columns are missed."""
        return {row["xenDomainName"]: (index, row["xenDomainPresence"])
                for index, row in self.table("xenDomainTable").items()
                if row.get("xenDomainKind") == 1 and {"xenDomainName", "xenDomainPresence"} <= row.keys()}


with Estate(hosts=3, domains=12, start=False) as lab:
    third = lab.sources.pop("host3")
    lab.write_config()
    for program in ("snmpd", "xen-farm", "xensnmpd"):
        lab.start(program)
    lab.wait(lambda: lab.states() == {"host1": UP, "host2": UP} and len(lab.guests()) > 4, "two sources are up")
    first = lab.guests()
    worker = lab.get(lab.oid("xenWorkersLost", 0))

    lab.sources["host3"] = third
    ok(lab.again("read again"), "a third source in the file, and SIGHUP")
    lab.wait(lambda: lab.states().get("host3") == UP and len(lab.guests()) == 12, "the third source is up")
    ok(first.items() <= lab.guests().items(), "the others keep their rows")
    is_([lab.get(lab.oid("xenSourceReconnects", key)) for key in ("host1", "host2")], [0, 0], "and their connections")
    everything = lab.guests()

    # --- nothing of what is wrong takes effect
    lab.sources["host4"] = {"uri": "gopher://x"}
    lab.agent["interval"] = 7
    ok(lab.again("the configuration stays as it was"), "a file with an error is refused")
    ok("[source host4] uri: " in lab.log("xensnmpd"), "with file, line, section and key")
    is_(lab.get(lab.oid("xenConfigPollInterval", 0)), 1, "nothing else in it took effect")
    del lab.sources["host4"]
    lab.agent["max_workers"] = 3
    ok(lab.again("max_workers has changed: that needs a restart"), "so is one that needs a restart")
    is_(lab.get(lab.oid("xenConfigPollInterval", 0)), 1, "nothing else in it took effect, again")
    del lab.agent["max_workers"]

    # --- settings
    ok(lab.again("read again"), "without these it is taken")
    is_(lab.get(lab.oid("xenConfigPollInterval", 0)), 7, "the interval is the new one")
    is_([lab.get(lab.oid("xenSourceInterval", f"host{n}")) for n in (1, 2, 3)], [7] * 3, "and that of the sources")
    lab.sources["host2"] = dict(lab.sources["host2"], interval=2)
    lab.agent.update(interval=1, control="no")
    ok(lab.again("read again"), "one source gets its own interval, control is off")
    is_([lab.get(lab.oid("xenSourceInterval", f"host{n}")) for n in (1, 2, 3)], [1, 2, 1], "it has it")
    guest = next(index for index, row in lab.table("xenDomainTable").items()
                 if row["xenDomainKind"] == 1 and row["xenDomainState"] == RUNNING and row["xenDomainHost"] == "host3")
    power = lab.oid("xenDomainPower", guest)
    is_(lab.set(power, "i", PAUSE), "notWritable", "a SET is refused")
    lab.agent["control"] = "yes"
    ok(lab.again("read again"), "control is on again")
    is_(lab.set(power, "i", PAUSE), "noError", "a SET is accepted")
    last = max(lab.table("xenOperationTable"))
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", last)) == 5, "the operation ends")

    # --- sources that go, change, stand still
    lab.farm_ctl("hang", "unpause", "1")
    is_(lab.set((power, "i", UNPAUSE), (lab.oid("xenDomainTimeout", guest), "u", 3)), "noError",
        "an operation on the third host")
    del lab.sources["host3"]
    ok(lab.again("1 operations are in progress there"), "a source with an operation in progress can't go")
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", last + 1)) == 5, "the operation ends", 40)
    ok(lab.again("read again"), "it can when that has ended")
    lab.wait(lambda: "host3" not in lab.states(), "the source is gone")
    ok(first.items() <= lab.guests().items() and len(lab.guests()) == len(first), "and its rows with it, no other")
    lab.sources["host2"]["enabled"] = "no"
    lab.sources["host3"] = third
    ok(lab.again("read again"), "it returns, and another is disabled")
    lab.wait(lambda: lab.states().get("host3") == UP, "it is up")
    lab.wait(lambda: {n: i for n, (i, _) in lab.guests().items()} == {n: i for n, (i, _) in everything.items()}, "same rows")
    ok(lab.states()["host2"] not in (UP, None), "the other is not")
    is_(lab.get(lab.oid("xenWorkersLost", 0)), worker, "no worker ended by all that")
done()
