#!/usr/bin/env python3
"""Sources registered, changed and removed by SET; what is registered survives a restart."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, done, is_, ok

CREATE, DESTROY, ACTIVE, TRUE, FALSE = 4, 6, 1, 1, 2


class Estate(Lab):
    def source(self, key):
        return self.table("xenSourceTable").get(key)

    def status(self, key, value):
        return (self.oid("xenSourceRowStatus", key), "i", value)

    def column(self, column, key, kind, value):
        return (self.oid(column, key), kind, value)

    def rows(self):
        return {(cells["xenDomainHost"], cells["xenDomainName"]): index
                for index, cells in self.table("xenDomainTable").items()}


# The file registers host1 alone; host2 is there for SETs.
with Estate(hosts=2, domains=8, start=False, control=True) as lab:
    second = lab.sources.pop("host2")["uri"]
    lab.write_config()
    for program in ("snmpd", "xen-farm", "xensnmpd"):
        lab.start(program)
    lab.wait(lambda: (lab.source("host1") or {}).get("xenSourceState") == 2, "the source of the file is up")
    is_(lab.source("host1")["xenSourceOrigin"], 1, "it is from the configuration")
    lab.wait(lambda: lab.rows(), "its domains have rows")
    alone = lab.rows()

    is_(lab.set(lab.status("host2", CREATE), lab.column("xenSourceUri", "host2", "s", second)), "noError",
        "one SET registers a source")
    row = lab.source("host2")
    is_((row["xenSourceUri"], row["xenSourceOrigin"], row["xenSourceRowStatus"], row["xenSourceEnabled"],
         row["xenSourceDriver"], row["xenSourceCredential"], row["xenSourceInterval"]),
        (second, 2, ACTIVE, TRUE, 6, "", 1), "the row shows it, with defaults")
    lab.wait(lambda: lab.source("host2")["xenSourceState"] == 2, "it is up")
    lab.wait(lambda: len(lab.rows()) > len(alone), "its domains have rows")
    lab.wait(lambda: lab.source("host2").get("xenSourceHosts"), "it has answered")
    both = lab.rows()
    ok(alone.items() <= both.items(), "the others kept their indexes")
    is_(lab.get(lab.oid("xenHostState", "host2"), lab.oid("xenSourceHosts", "host2")), [2, 1], "so has its host")
    is_(lab.set(lab.status("host2", ACTIVE)), "noError", "active is accepted for a row that is")
    is_(lab.set(lab.status("none", DESTROY)), "noError", "destroy of a row that is none is accepted")

    # --- changes
    is_(lab.set(lab.column("xenSourceInterval", "host2", "u", 7), lab.column("xenSourceAddress", "host2", "s", "10.0.0.2")),
        "noError", "columns of an active row change")
    row = lab.source("host2")
    is_((row["xenSourceInterval"], row["xenSourceAddress"], row["xenSourceUri"]), (7, "10.0.0.2", second),
        "those and no others")
    is_(lab.set(lab.column("xenSourceInterval", "host2", "u", 0)), "noError", "interval 0")
    is_(lab.source("host2")["xenSourceInterval"], 1, "is that of the agent")
    is_(lab.set(lab.column("xenSourceUri", "host2", "s", second), lab.column("xenSourceSaveDir", "host1", "s", "/x")),
        "notWritable", "a row of the file refuses")
    is_(lab.writer.failed, lab.oid("xenSourceSaveDir", "host1"), "and is what is named")
    is_(lab.set(lab.column("xenSourceEnabled", "host2", "i", FALSE)), "noError", "a source is disabled")
    lab.wait(lambda: lab.source("host2")["xenSourceState"] == 7, "it is disabled")
    polls = lab.source("host2")["xenSourcePollsOk"]
    lab.wait(lambda: lab.source("host1")["xenSourcePollsOk"] > polls + 3, "the other goes on")
    is_(lab.source("host2")["xenSourcePollsOk"], polls, "and this one is not polled")
    is_(lab.rows().keys(), both.keys(), "its rows stay")
    is_(lab.set(lab.column("xenSourceEnabled", "host2", "i", TRUE)), "noError", "it is enabled again")
    lab.wait(lambda: lab.source("host2")["xenSourceState"] == 2, "and comes up")

    # --- two at once, one of them wrong
    is_(lab.set(lab.status("third", CREATE), lab.column("xenSourceUri", "third", "s", "sim:///nowhere/x"),
                lab.status("fourth", CREATE)), "inconsistentValue", "a good and a bad row are refused together")
    is_((lab.source("third"), lab.source("fourth")), (None, None), "and neither is made")
    is_(lab.set(lab.status("third", CREATE), lab.column("xenSourceUri", "third", "s", "sim:///nowhere/x"),
                lab.status("fourth", CREATE), lab.column("xenSourceUri", "fourth", "s", "sim:///nowhere/y"),
                lab.column("xenSourceEnabled", "fourth", "i", FALSE)), "noError", "two good rows are made together")
    lab.wait(lambda: lab.source("third")["xenSourceStateText"], "one that does not answer says why")
    is_(lab.source("fourth")["xenSourceState"], 7, "one is made disabled")

    # --- a restart
    before = lab.rows()
    lab.restart("xensnmpd")
    lab.wait(lambda: (lab.source("host2") or {}).get("xenSourceState") == 2, "the source is there after a restart")
    lab.wait(lambda: lab.rows() == before, "and all domains have the indexes they had")
    is_((lab.source("host2")["xenSourceAddress"], lab.source("fourth")["xenSourceEnabled"]), ("10.0.0.2", FALSE),
        "with all settings")

    # --- the end
    is_(lab.set(lab.status("host2", DESTROY), lab.column("xenSourceAddress", "host2", "s", "x")), "inconsistentValue",
        "destroy and a change in one PDU are refused")
    is_(lab.set(lab.status("host2", DESTROY), lab.status("third", DESTROY)), "noError", "two sources are removed")
    is_((lab.source("host2"), lab.source("third")), (None, None), "their rows are gone")
    lab.wait(lambda: "host2" not in lab.table("xenHostTable"), "the host too")
    is_(lab.set(lab.status("host2", CREATE), lab.column("xenSourceUri", "host2", "s", second)), "noError",
        "it can be registered again")
    lab.wait(lambda: lab.rows() == both, "and its domains have the indexes they had")
done()
