#!/usr/bin/env python3
"""Groups by SNMP and by the configuration file: made, changed, removed; how they fare; every bad input has its error."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, diag, done, is_, ok

CREATE, DESTROY, ACTIVE, WAIT = 4, 6, 1, 5
RUNNING, SHUTDOWN, GUEST = 4, 11, 1
OK, DEGRADED, EMPTY, UNKNOWN = 1, 2, 5, 6
NONE, NO_TARGET, NO_HOST, AMBIGUOUS, CONFLICT = 1, 3, 4, 23, 24
START, PAUSE = 2, 5


class Estate(Lab):
    def group(self, name):
        return self.table("xenGroupTable").get(name)

    def member(self, group, name):
        return self.table("xenMemberTable").get((group, name))

    def places(self, group):
        return {key: row for (name, key), row in self.table("xenGroupHostTable").items() if name == group}

    def col(self, column, *rest):
        """(oid, type, value) of a column of a row: the last two of `rest` are type and value."""
        return (self.oid(column, *rest[:-2]), *rest[-2:])

    def make(self, group, *members, more=()):
        """One SET makes a group with members."""
        return self.set(*[self.col("xenMemberRowStatus", group, m, "i", CREATE) for m in members],
                        self.col("xenGroupRowStatus", group, "i", CREATE), *more)

    def drop(self, group):
        return self.set(self.col("xenGroupRowStatus", group, "i", DESTROY))

    def guests(self, host=None, state=None):
        """{name: index}, those whose names stand for one domain."""
        rows = {index: row for index, row in self.table("xenDomainTable").items() if row["xenDomainKind"] == GUEST}
        names = [row["xenDomainName"] for row in rows.values()]
        return {row["xenDomainName"]: index for index, row in rows.items()
                if names.count(row["xenDomainName"]) == 1 and host in (None, row.get("xenDomainHost"))
                and state in (None, row["xenDomainState"])}


FILE = {"group file": {"description": "of the file", "members": "nobody; somebody", "hosts": "host1; host3:50",
                       "spread": "pack", "order": "sequential", "min_running": 1},
        "member file/somebody": {"priority": 7, "delay": 9, "pin": "host3", "create": "library:some.cfg"},
        "member file/third": {"description": "by its section alone"}}

with Estate(hosts=3, domains=24, sections=FILE) as lab:
    running = lab.guests(state=RUNNING)
    first, second, third = sorted(running)[:3]

    # --- the file's
    row = lab.group("file")
    is_((row["xenGroupDescr"], row["xenGroupHosts"], row["xenGroupPolicy"], row["xenGroupOrder"], row["xenGroupMinRunning"],
         row["xenGroupOrigin"], row["xenGroupMembers"], row["xenGroupUnknown"], row["xenGroupStatus"]),
        ("of the file", "host1 host3", 3, 2, 1, 1, 3, 3, UNKNOWN), "a group of the configuration file")
    some = lab.member("file", "somebody")
    is_((some["xenMemberPriority"], some["xenMemberDelay"], some["xenMemberPin"], some["xenMemberCreate"],
         some["xenMemberCause"], some.get("xenMemberDomainIndex"), some.get("xenMemberState")),
        (7, 9, "host3", "library:some.cfg", NO_TARGET, None, None), "what is said of one member")
    is_(lab.member("file", "third")["xenMemberDescr"], "by its section alone", "a section makes a member")
    is_({key: place["xenGroupHostWeight"] for key, place in lab.places("file").items()}, {"host1": 100, "host3": 50},
        "its hosts with their weights")
    for what in (lab.col("xenGroupDescr", "file", "s", "x"), lab.col("xenGroupRowStatus", "file", "i", DESTROY),
                 lab.col("xenMemberPriority", "file", "somebody", "u", 3),
                 lab.col("xenMemberRowStatus", "file", "new", "i", CREATE),
                 lab.col("xenMemberRowStatus", "file", "third", "i", DESTROY),
                 lab.col("xenGroupHostWeight", "file", "host3", "u", 3),
                 lab.col("xenGroupHostRowStatus", "file", "host2", "i", CREATE)):
        is_((lab.set(what), lab.writer.failed), ("notWritable", what[0]), "what the file sets is not written by SNMP")

    # --- one SET makes a group, members and hosts, in whatever order
    is_(lab.set(lab.col("xenMemberPriority", "web", first, "u", 10),
                lab.col("xenGroupHostRowStatus", "web", "host2", "i", CREATE),
                lab.col("xenMemberRowStatus", "web", first, "i", CREATE),
                lab.col("xenMemberRowStatus", "web", second, "i", CREATE),
                lab.col("xenGroupHostWeight", "web", "host2", "u", 20),
                lab.col("xenGroupHostRowStatus", "web", "host1", "i", CREATE),
                lab.col("xenGroupDescr", "web", "s", "Web-Dienste für alle"),
                lab.col("xenGroupRowStatus", "web", "i", CREATE)), "noError", "one SET makes all of it")
    row = lab.group("web")
    is_((row["xenGroupDescr"], row["xenGroupHosts"], row["xenGroupPolicy"], row["xenGroupOrder"], row["xenGroupMinRunning"],
         row["xenGroupOrigin"], row["xenGroupMembers"], row["xenGroupRunning"], row["xenGroupStatus"],
         row.get("xenGroupWanted"), row["xenGroupRowStatus"]),
        ("Web-Dienste für alle", "host1 host2", 1, 1, 0, 2, 2, 2, OK, None, ACTIVE), "with defaults, and how it fares")
    domains = lab.table("xenDomainTable")
    there = lab.member("web", first)
    is_((there["xenMemberDomainIndex"], there["xenMemberState"], there["xenMemberHost"], there["xenMemberPriority"],
         there["xenMemberCause"], there["xenMemberGroups"]),
        (running[first], RUNNING, domains[running[first]]["xenDomainHost"], 10, NONE, 1), "a member is its domain")
    is_({key: (place["xenGroupHostUsable"], place["xenGroupHostWeight"]) for key, place in lab.places("web").items()},
        {"host1": (1, 100), "host2": (1, 20)}, "the selected hosts, and no others")
    is_(row["xenGroupMemory"], sum(domains[running[n]]["xenDomainMemory"] for n in (first, second)), "memory adds up")
    is_(row["xenGroupVcpus"], sum(domains[running[n]]["xenDomainVcpus"] for n in (first, second)), "virtual processors too")
    ok("xenGroupNetOctets" in row and "xenGroupDiskOctets" in row, "and traffic")

    # --- changes
    is_(lab.set(lab.col("xenGroupHosts", "web", "s", "*")), "noError", "hosts are rewritten in one go")
    is_((sorted(lab.places("web")), lab.places("web")["host2"]["xenGroupHostWeight"]),
        (["host1", "host2", "host3"], 20), "all there are, with the weights they had")
    spread = lab.group("web")["xenGroupSpread"]
    is_(sum(int(part.split("=")[1]) for part in spread.split()), 2, f"the spread has both ({spread})")
    is_(lab.set(lab.col("xenGroupHostRowStatus", "web", "host1", "i", DESTROY)), "inconsistentValue",
        "of all there are none can be taken out")
    is_(lab.set(lab.col("xenGroupHosts", "web", "s", "host9 host3")), "noError", "hosts by name, one not known yet")
    is_({key: (place["xenGroupHostUsable"], place["xenGroupHostCause"]) for key, place in lab.places("web").items()},
        {"host3": (1, NONE), "host9": (2, NO_HOST)}, "says so")
    is_(lab.set(lab.col("xenGroupHostRowStatus", "web", "host9", "i", DESTROY),
                lab.col("xenMemberDelay", "web", second, "u", 5), lab.col("xenMemberPin", "web", second, "s", "host3"),
                lab.col("xenGroupMinRunning", "web", "u", 1), lab.col("xenGroupPolicy", "web", "i", 2)),
        "noError", "several rows change together")
    is_((lab.group("web")["xenGroupHosts"], lab.group("web")["xenGroupPolicy"], lab.member("web", second)["xenMemberDelay"]),
        ("host3", 2, 5), "as they were told")
    is_(lab.set(lab.col("xenMemberRowStatus", "web", second, "i", DESTROY)), "noError", "a member goes")
    is_((lab.member("web", second), lab.group("web")["xenGroupMembers"]), (None, 1), "it is gone")
    stamps = {lab.group("web")["xenGroupDiscontinuity"] for _ in range(100)}
    ok(len(stamps) == 1 and 0 not in stamps, f"the sums begin anew, and their stamp is the same in each of 100 looks ({stamps})")
    is_(lab.set(lab.col("xenMemberRowStatus", "web", second, "i", DESTROY)), "noError", "once more is accepted")
    is_(lab.set(lab.col("xenGroupRowStatus", "web", "i", ACTIVE), lab.col("xenMemberRowStatus", "web", first, "i", ACTIVE)),
        "noError", "active of rows that are")
    is_(lab.set(lab.col("xenGroupLock", "web", "i", lab.group("web")["xenGroupLock"]),
                lab.col("xenGroupDescr", "web", "s", "locked")), "noError", "with its lock")
    is_(lab.set(lab.col("xenGroupLock", "web", "i", 0), lab.col("xenGroupDescr", "web", "s", "again")),
        "inconsistentValue", "a lock is good once")
    is_(lab.group("web")["xenGroupDescr"], "locked", "and the rest of that SET did not happen")

    # --- names: every legal character
    strange = "".join(chr(c) for c in range(33, 127) if chr(c) != "/")[:62]
    is_(lab.make("Az09._-", strange, "host1/" + first, "ä€ ü", "x" * 64), "noError", "every legal character in names")
    rows = {name: row for (group, name), row in lab.table("xenMemberTable").items() if group == "Az09._-"}
    is_(sorted(rows), sorted([strange, "host1/" + first, "ä€ ü", "x" * 64]), "they are rows")
    is_({row["xenMemberCause"] for name, row in rows.items() if not name.endswith(first)}, {NO_TARGET}, "of nobody")
    is_(lab.make("n" * 32), "noError", "a name of 32")
    is_(lab.set(*[lab.col("xenGroupRowStatus", name, "i", DESTROY) for name in ("n" * 32, "Az09._-")]), "noError", "both go")

    # --- bad input
    is_(lab.make("none"), "noError", "a group without members")
    is_((lab.group("none")["xenGroupStatus"], lab.group("none").get("xenGroupPlanStart")), (EMPTY, None), "is empty")
    for column, value in (("xenGroupPower", START), ("xenGroupForce", 9)):
        is_((lab.set(lab.col(column, "none", "i", value)), lab.writer.failed), ("inconsistentValue", lab.oid(column, "none")),
            "an action of it is refused")
    is_(lab.set(lab.col("xenGroupMigrateTo", "none", "s", "@spread")), "inconsistentValue", "a rebalance too")
    is_(lab.set(lab.col("xenMemberRowStatus", "web", "nobody", "i", CREATE)), "noError", "an unknown member is taken")
    is_((lab.member("web", "nobody")["xenMemberCause"], lab.member("web", "nobody").get("xenMemberDomainIndex")),
        (NO_TARGET, None), "and says so")
    is_(lab.set(lab.col("xenMemberRowStatus", "web", "nobody", "i", CREATE)), "inconsistentValue", "the same row twice")
    is_(lab.set(*[lab.col("xenMemberRowStatus", "web", "dup", "i", CREATE)] * 2), "inconsistentValue", "twice in one SET")
    is_(lab.member("web", "dup"), None, "it is not made")
    uuid = domains[running[first]].get("xenDomainUuid")
    if uuid:
        is_(lab.set(lab.col("xenMemberRowStatus", "web", uuid, "i", CREATE)), "noError", "the same domain by its uuid")
        causes = {lab.member("web", uuid)["xenMemberCause"], lab.member("web", first)["xenMemberCause"]}
        is_(causes, {NONE, CONFLICT}, "is a member once; the other row says so")
        is_(lab.set(lab.col("xenMemberRowStatus", "web", uuid, "i", DESTROY)), "noError", "it goes again")
    is_(lab.make("two", first, third), "noError", "a domain in two groups")
    is_((lab.member("two", first)["xenMemberGroups"], lab.member("web", first)["xenMemberGroups"],
         lab.member("two", third)["xenMemberGroups"]), (2, 2, 1), "is shown")
    is_((lab.set(lab.col("xenMemberRowStatus", "nogroup", "m", "i", CREATE)), lab.writer.failed),
        ("noCreation", lab.oid("xenMemberRowStatus", "nogroup", "m")), "a member of no group")
    is_(lab.set(lab.col("xenGroupHostRowStatus", "nogroup", "host1", "i", CREATE)), "noCreation", "a host of no group")
    is_(lab.set(lab.col("xenGroupDescr", "nogroup", "s", "x")), "inconsistentName", "a column of no group")
    is_(lab.set(lab.col("xenMemberDelay", "web", "stranger", "u", 1)), "inconsistentName", "a column of no member")
    is_(lab.set(lab.col("xenGroupRowStatus", "two", "i", DESTROY), lab.col("xenGroupDescr", "two", "s", "x")),
        "inconsistentValue", "destroy and a change")
    is_(lab.set(lab.col("xenGroupRowStatus", "two", "i", DESTROY), lab.col("xenMemberRowStatus", "two", "m", "i", CREATE)),
        "inconsistentValue", "a member of a group that goes")
    is_(lab.set(lab.col("xenMemberRowStatus", "two", third, "i", DESTROY), lab.col("xenMemberDelay", "two", third, "u", 1)),
        "inconsistentValue", "destroy and a change of a member")
    is_(lab.set(lab.col("xenGroupPower", "two", "i", PAUSE), lab.col("xenGroupDescr", "two", "s", "x")),
        "inconsistentValue", "an action and a change of its group")
    is_(lab.set(lab.col("xenGroupPower", "two", "i", PAUSE), lab.col("xenGroupForce", "two", "i", 9)),
        "inconsistentValue", "two actions")
    is_((lab.set(lab.col("xenGroupTimeout", "two", "u", 9)), lab.writer.failed),
        ("inconsistentValue", lab.oid("xenGroupTimeout", "two")), "a parameter without its action")
    is_(lab.set(lab.col("xenGroupNote", "two", "s", "x")), "inconsistentValue", "and the other")
    is_(lab.set(lab.col("xenGroupMigrateTo", "two", "s", "nowhere")), "inconsistentValue", "to a host that is none")
    is_(lab.set(lab.col("xenMemberCreate", "two", third, "s", "relative")), "wrongValue", "a create that is none")
    is_(lab.set(lab.col("xenGroupHosts", "two", "s", "host1 host1")), "wrongValue", "a host twice")
    is_(lab.set(lab.col("xenGroupHosts", "two", "s", "host1,host2")), "wrongValue", "hosts by commas")
    is_(lab.make("two"), "inconsistentValue", "a group that is there")
    is_(lab.table("xenOperationTable"), {}, "nothing was done by all that")

    # --- a host that is selected keeps its source; a file's source goes only when nobody selects it
    is_(lab.set(lab.col("xenSourceUri", "extra", "s", "sim:///nowhere/x"), lab.col("xenSourceEnabled", "extra", "i", 2),
                lab.col("xenSourceRowStatus", "extra", "i", CREATE)), "noError", "one more source")
    is_(lab.set(lab.col("xenGroupHosts", "two", "s", "extra host1")), "noError", "a group selects its host")
    is_((lab.set(lab.col("xenSourceRowStatus", "extra", "i", DESTROY)), lab.writer.failed),
        ("inconsistentValue", lab.oid("xenSourceRowStatus", "extra")), "the source stays")
    why = lab.get(lab.oid("xenSetLastError", 0))
    ok("two" in why and "extra" in why, f"and the reason is told ({why})")
    is_(lab.set(lab.col("xenSourceRowStatus", "extra", "i", DESTROY), lab.col("xenGroupHosts", "two", "s", "*")), "noError",
        "without it, in the same SET, it goes")

    # --- what is under way
    plan = lab.group("two")["xenGroupPlanStart"]
    ok(all(f"{name} = " in plan for name in (first, third)), f"the plan of a start: they run ({plan})")
    is_({name: lab.member("two", name)["xenMemberPlanStart"][:2] for name in (first, third)}, {first: "= ", third: "= "},
        "each member says its part of it")
    lab.farm_ctl("hang", "pause", "1")
    is_(lab.set(lab.col("xenGroupPower", "two", "i", PAUSE), lab.col("xenGroupTimeout", "two", "u", 60),
                lab.col("xenGroupNote", "two", "s", "by test")), "noError", "all members are asked for something")
    lab.wait(lambda: lab.group("two")["xenGroupStatus"] == 4, "it is in transition")
    is_((lab.drop("two"), lab.writer.failed), ("resourceUnavailable", lab.oid("xenGroupRowStatus", "two")),
        "it can't be removed while its operation runs")
    parent = lab.group("two")["xenGroupLastOpIndex"]
    is_(lab.set(lab.oid("xenOperationCancel", parent), "i", 2), "noError", "the operation is cancelled")
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", parent)) == 5, "it ends")
    is_(lab.get(lab.oid("xenOperationNote", parent)), "by test", "it had its note")
    ok(lab.group("two")["xenGroupLastOpResult"] > 1 and lab.group("two")["xenGroupLastOpText"], "the group shows its end")
    is_(lab.group("two")["xenGroupWanted"], 3, "and what was wanted")
    is_(lab.drop("two"), "noError", "now it goes")
    is_((lab.group("two"), lab.member("two", first), lab.places("two")), (None, None, {}), "with all its rows")

    # --- a restart, and a death
    before = {name: {c: v for c, v in row.items() if c in ("xenGroupDescr", "xenGroupHosts", "xenGroupPolicy", "xenGroupMinRunning")}
              for name, row in lab.table("xenGroupTable").items()}
    members = {key: (row["xenMemberPriority"], row["xenMemberDelay"]) for key, row in lab.table("xenMemberTable").items()}
    for how in (signal.SIGTERM, signal.SIGKILL):
        is_(lab.make(f"late{int(how)}", second), "noError", "a group just before the end")
        before[f"late{int(how)}"] = {"xenGroupDescr": "", "xenGroupHosts": "*", "xenGroupPolicy": 1, "xenGroupMinRunning": 0}
        members[(f"late{int(how)}", second)] = (50, 0)
        lab.restart("xensnmpd", how)
        lab.wait(lambda: "file" in lab.table("xenGroupTable"), "it serves again")
        lab.wait_rows()
        is_({name: {c: row[c] for c in before[name]} for name, row in lab.table("xenGroupTable").items()}, before,
            f"all groups are there after signal {int(how)}")
        is_({key: (row["xenMemberPriority"], row["xenMemberDelay"]) for key, row in lab.table("xenMemberTable").items()},
            members, "and all members")

    # --- the file, read again
    lab.sections["group more"] = {"members": second}
    del lab.sections["member file/third"]
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.group("more"), "a group more")
    is_((lab.member("file", "third"), lab.group("more")["xenGroupStatus"]), (None, OK), "and a member less")
    del lab.sections["group more"]
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: not lab.group("more"), "it goes as it came")
    is_(lab.set(lab.col("xenGroupHosts", "web", "s", "host1 host2")), "noError", "SNMP selects hosts")
    kept = dict(lab.sources)
    del lab.sources["host2"]
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: "group web selects its host host2" in lab.log("xensnmpd"), "a file without that source is not taken")
    ok("host2" in lab.table("xenSourceTable"), "it is still there")
    lab.sources = kept
    lab.write_config()

    # --- hosts that vanish
    names = lab.guests(host="host2", state=RUNNING)
    one = sorted(names)[0]
    is_(lab.make("far", one), "noError", "a group on one host")
    index = lab.member("far", one)["xenMemberDomainIndex"]
    lab.farm_ctl("host", "host2", "down")
    lab.wait(lambda: lab.group("far")["xenGroupStatus"] == UNKNOWN, "its host goes: nothing is known")
    is_(lab.member("far", one)["xenMemberDomainIndex"], index, "the member is still that domain")
    is_(lab.places("far")["host2"]["xenGroupHostCause"], 5, "the host is down")
    lab.farm_ctl("host", "host2", "normal")
    lab.wait(lambda: lab.group("far")["xenGroupStatus"] == OK, "it returns")

    # --- control off
    lab.agent["control"] = "no"
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.get(lab.oid("xenControlEnabled", 0)) == 2, "control is off")
    for what in (lab.col("xenGroupRowStatus", "new", "i", CREATE), lab.col("xenMemberDelay", "web", first, "u", 1),
                 lab.col("xenGroupHostWeight", "web", "host1", "u", 1), lab.col("xenGroupPower", "web", "i", START)):
        is_(lab.set(what), "notWritable", "nothing is written")
done()
