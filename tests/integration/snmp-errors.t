#!/usr/bin/env python3
"""Every bad input to every writable column has its error, its varbind and its explanation, and changes nothing."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, diag, done, is_, ok

RUNNING, GUEST, PAUSE = 4, 1, 5
LONG = {"text32": "x" * 33, "text64": "x" * 65, "text255": "x" * 256, "uri": "x" * 256, "hosts": "x" * 256,
        "create": "/" + "x" * 255, "pin": "x" * 33}
# Right by length and type.
WRONG = {"hosts": ("a,b", "a a", "* a", "a/b", "x" * 33), "create": ("x", "/", "library:", "library:a/b", "template:", "C:x"),
         "pin": ("a b", "a/b", "-a", "*")}
# Texts that fit by length and type and that no column may take: the hex form goes out as octets.
HOSTILE = {"control characters": "61 0a 62", "a NUL": "61 00 62", "DEL": "61 7f", "no UTF-8": "ff fe"}

# column -> (kind, a value it takes syntactically). Kinds say which inputs are wrong.
DOMAIN = {"xenDomainLock": ("lock", 1), "xenDomainPower": ("enum", 5), "xenDomainForce": ("enum", 9),
          "xenDomainMigrateTo": ("text32", "host2"), "xenDomainStartOn": ("text32", "host2"),
          "xenDomainTimeout": ("seconds", 60), "xenDomainProtected": ("truth", 1), "xenDomainNote": ("text64", "x"),
          "xenDomainCheckMigrateTo": ("text32", "host2")}
NAME = {"xenNamePower": ("enum", 5), "xenNameForce": ("enum", 9), "xenNameMigrateTo": ("text32", "host2"),
        "xenNameCheckMigrateTo": ("text32", "host2")}
HOST = {"xenHostNote": ("text64", "x"), "xenHostTimeout": ("seconds", 60), "xenHostStartFile": ("text255", "/etc/xen/x"),
        "xenHostCreate": ("text255", "x")}
SOURCE = {"xenSourceUri": ("uri", "sim:///a/b"), "xenSourceCredential": ("text32", "x"),
          "xenSourceEnabled": ("truth", 1), "xenSourceInterval": ("interval", 5), "xenSourceAddress": ("text255", "x"),
          "xenSourceConfigDirs": ("text255", "/x"), "xenSourceSaveDir": ("text255", "/x"),
          "xenSourceRowStatus": ("status", 1)}
GROUP = {"xenGroupDescr": ("text255", "x"), "xenGroupHosts": ("hosts", "host1"), "xenGroupPolicy": ("enum", 2),
         "xenGroupOrder": ("enum", 2), "xenGroupMinRunning": ("thousand", 1), "xenGroupLock": ("lock", 0),
         "xenGroupPower": ("enum", 5), "xenGroupForce": ("enum", 9), "xenGroupMigrateTo": ("text32", "host2"),
         "xenGroupRowStatus": ("status", 1), "xenGroupTimeout": ("seconds", 60), "xenGroupNote": ("text64", "x")}
MEMBER = {"xenMemberPriority": ("hundred", 5), "xenMemberPin": ("pin", "host1"), "xenMemberDelay": ("interval", 5),
          "xenMemberCreate": ("create", "/etc/xen/x"), "xenMemberDescr": ("text255", "x"), "xenMemberRowStatus": ("status", 1)}
GROUP_HOST = {"xenGroupHostWeight": ("hundred", 5), "xenGroupHostRowStatus": ("status", 1)}
OPERATION = {"xenOperationCancel": ("enum", 2)}


UNSIGNED = ("seconds", "interval", "thousand", "hundred")


def bad_values(kind):
    """[(snmpset type, value, error)] for a column of that kind."""
    numbers = {"lock": [-1], "enum": [0, -1, 99, 2147483647], "truth": [0, 3], "status": [0, 2, 3, 5, 7],
               "seconds": [86401, 4294967295], "interval": [3601, 4294967295], "thousand": [1001, 4294967295],
               "hundred": [0, 101, 4294967295]}
    if kind in ("lock", "enum", "truth", "status"):
        types = [("u", 1), ("s", "1"), ("o", "1.3"), ("a", "127.0.0.1"), ("t", 1)]
        values = [("i", value, "wrongValue") for value in numbers[kind]]
    elif kind in UNSIGNED:
        types = [("i", 1), ("s", "1"), ("o", "1.3"), ("t", 1)]
        values = [("u", value, "wrongValue") for value in numbers[kind]]
    else:
        types = [("i", 1), ("u", 1), ("o", "1.3"), ("a", "127.0.0.1")]
        values = [("s", LONG[kind], "wrongLength")] + [("x", octets, "wrongValue") for octets in HOSTILE.values()]
    values += [("s", text, "wrongValue") for text in WRONG.get(kind, ())]
    if kind == "uri":
        values += [("s", "", "wrongLength")] + [("s", uri, "wrongValue") for uri in
                   ("nonsense", "gopher://host", "ssh://user:secret@host", "ssh://", "ssh://host:99999", "sim://host?x=1")]
    return [(one, value, "wrongType") for one, value in types] + values


class Estate(Lab):
    """Remembers what must stand in xenSetErrorTable, and looks it up in batches smaller than that table."""

    BATCH = 40

    def __enter__(self):
        self.expected = []
        return super().__enter__()

    def refused(self, oid, kind, value, error, what, beside=None):
        """The SET is refused for that varbind with that error."""
        got = self.set(*([beside] if beside else []), (oid, kind, value))
        if not ok(got == error and self.writer.failed == oid, f"{what} {kind} {str(value)[:24]!r}: {error}"):
            diag(f"got {got} for {self.writer.failed}, not {error} for {oid}")
        self.expected.append((oid, error))
        if len(self.expected) == self.BATCH:
            self.explained()

    def explained(self):
        """Each refusal has a row with its object, error, a cause and words; the counter knows their number."""
        rows = [row for _, row in sorted(self.table("xenSetErrorTable").items())][-len(self.expected):]
        errors = self.labels("xenSetErrorStatus")
        is_([(row["xenSetErrorObject"], errors[row["xenSetErrorStatus"]]) for row in rows], self.expected,
            f"{len(self.expected)} refusals are on record, in order")
        wordless = [row for row in rows if len(row["xenSetErrorText"]) < 8 or row["xenSetErrorCause"] == 1]
        is_(wordless, [], "each with a cause and a text")
        self.counted = getattr(self, "counted", 0) + len(self.expected)
        is_(self.get(self.oid("xenSetsRefused", 0)), self.counted, "and counted once")
        self.expected = []


with Estate(hosts=2, domains=8) as lab:
    domains = lab.table("xenDomainTable")
    guests = [int(i) for i, cells in domains.items()
              if cells["xenDomainKind"] == GUEST and cells["xenDomainState"] == RUNNING]
    row, bystander = guests[0], guests[1]
    name = domains[row]["xenDomainName"]
    is_(lab.set(lab.oid("xenDomainPower", bystander), "i", PAUSE), "noError", "an operation to cancel")
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", 1)) == 5, "it ended")
    is_(lab.set((lab.oid("xenSourceUri", "made"), "s", f"sim://{lab.path('farm.sock')}/host1"),
                (lab.oid("xenSourceEnabled", "made"), "i", 2), (lab.oid("xenSourceRowStatus", "made"), "i", 4)),
        "noError", "a source to change")
    member = domains[guests[2]]["xenDomainName"]
    is_(lab.set((lab.oid("xenGroupRowStatus", "made"), "i", 4), (lab.oid("xenMemberRowStatus", "made", member), "i", 4),
                (lab.oid("xenGroupHostRowStatus", "made", "host1"), "i", 4)), "noError", "a group to change")
    beside = (lab.oid("xenDomainPower", guests[2]), "i", PAUSE)


    def settings():
        """What no refused SET may change."""
        group = lab.table("xenGroupTable")
        return (lab.table("xenOperationTable"), lab.table("xenSourceTable")["made"]["xenSourceUri"], list(group),
                [group["made"][column] for column in GROUP if column in group["made"]],
                {index: [cells[column] for column in MEMBER] for index, cells in lab.table("xenMemberTable").items()},
                {index: [cells[column] for column in GROUP_HOST] for index, cells in lab.table("xenGroupHostTable").items()})

    before = settings()

    for columns, index in ((DOMAIN, (row,)), (NAME, (name,)), (HOST, ("host1",)), (SOURCE, ("made",)), (OPERATION, (1,)),
                           (GROUP, ("made",)), (MEMBER, ("made", member)), (GROUP_HOST, ("made", "host1"))):
        for column, (kind, good) in columns.items():
            for one, value, error in bad_values(kind):
                lab.refused(lab.oid(column, *index), one, value, error, column, beside)

    # --- rows that are none: right by type and value
    TYPES = {"lock": "i", "enum": "i", "truth": "i", "status": "i", **dict.fromkeys(UNSIGNED, "u")}
    for columns, indexes in ((DOMAIN, ("999999", "0", "2147483648", f"{row}.1", "")), (OPERATION, ("99999", "0")),
                             (NAME, ("4.110.111.110.101", "1.300", "0", "3.97.98", "")),
                             (HOST, ("4.110.111.110.101", "5.104.111.115.116", "0"))):
        for column, (kind, good) in columns.items():
            for index in indexes:
                lab.refused(".".join(filter(None, [lab.oid(column), index])), TYPES.get(kind, "s"), good, "noCreation",
                            f"{column}.{index}", beside)
    for column, (kind, good) in {**SOURCE, **GROUP}.items():
        one = TYPES.get(kind, "s")
        lab.refused(lab.oid(column, "none"), one, good, "inconsistentValue" if kind == "status" else "inconsistentName",
                    f"{column} of a row that is none", beside)
        for bad in ("33." + ".".join(["97"] * 33), "3.97.32.98", "2.97.47", "1.300", "0", "2.97", "1.0", "1.46"):
            lab.refused(lab.oid(column) + "." + bad, one, good, "noCreation", f"{column}.{bad[:20]}", beside)

    for columns, none in ((MEMBER, "nobody"), (GROUP_HOST, "host9")):
        for column, (kind, good) in columns.items():
            one = TYPES.get(kind, "s")
            for parts in (("made", none), ("none", none)):
                lab.refused(lab.oid(column, *parts), one, good, "inconsistentValue" if kind == "status" else "inconsistentName",
                            f"{column} of a row that is none", beside)
            for bad in ("4.109.97.100.101", "4.109.97.100.101.0", "4.109.97.100.101.2.97", "4.109.97.100.101.1.97.97",
                        "4.109.97.100.101.1.0", "4.109.97.100.101.1.10", "1.47.1.97", "0.1.97", "1.300.1.97", ""):
                lab.refused(".".join(filter(None, [lab.oid(column), bad])), one, good, "noCreation", f"{column}.{bad}", beside)
    for column, none in (("xenMemberRowStatus", "nobody"), ("xenGroupHostRowStatus", "host9")):
        lab.refused(lab.oid(column, "none", none), "i", 4, "noCreation", f"{column} below a row that is none", beside)

    # --- objects that can't be written
    for column, index in (("xenDomainName", (row,)), ("xenAgentVersion", (0,)), ("xenHostLabel", ("host1",)),
                          ("xenSetErrorText", (1,)), ("xenOperationResult", (1,)), ("xenSourceState", ("made",)),
                          ("xenConfigPollInterval", (0,)), ("xenNameState", (name,)), ("xenGroupStatus", ("made",)),
                          ("xenMemberState", ("made", member)), ("xenGroupHostUsable", ("made", "host1"))):
        lab.refused(lab.oid(column, *index), "i", 1, "notWritable", column, beside)
    lab.refused(lab.oid("xenDomainName") + ".1.2.3", "s", "x", "notWritable", "a read-only column without such a row")
    lab.refused("1.3.6.1.4.1.8072.9999.9999.936.1.9.9.0", "i", 1, "notWritable", "no such object")

    # --- meaning
    lab.refused(lab.oid("xenDomainMigrateTo", row), "s", "nowhere", "inconsistentValue", "an unknown host", beside)
    here = domains[row]["xenDomainHost"]
    lab.refused(lab.oid("xenDomainMigrateTo", row), "s", here, "inconsistentValue", "the host it is on", beside)
    lab.refused(lab.oid("xenSourceCredential", "made"), "s", "none", "inconsistentValue", "an unknown credential", beside)
    lab.refused(lab.oid("xenSourceUri", "host1"), "s", "sim:///a/b", "notWritable", "a source of the file", beside)
    lab.refused(lab.oid("xenSourceRowStatus", "host1"), "i", 6, "notWritable", "removing a source of the file", beside)
    lab.refused(lab.oid("xenSourceRowStatus", "made"), "i", 4, "inconsistentValue", "createAndGo of a row that is", beside)
    lab.refused(lab.oid("xenSourceRowStatus", "fresh"), "i", 4, "inconsistentValue", "createAndGo without a URI", beside)

    # --- and nothing happened
    lab.explained()
    is_(settings(), before, "no refused SET did anything")
    is_(lab.get(lab.oid("xenDomainState", guests[2])), RUNNING, "nor its good half")
    is_(lab.get(lab.oid("xenDomainProtected", row)), 2, "nor changed a flag")
    rows = lab.table("xenSetErrorTable")
    ok(len(rows) == 50, f"the last 50 refusals are kept ({len(rows)})")
    is_(lab.get(lab.oid("xenSetLastError", 0)), rows[max(rows)]["xenSetErrorText"], "the scalar shows the newest")

    # --- a request sent again runs once
    old = len(lab.table("xenOperationTable"))
    for turn in range(3):
        is_(lab.set(*beside), "noError", f"the same action, time {turn + 1}")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", guests[2])) == 8, "paused")
    is_(lab.set(*beside), "noError", "and again when it has ended")
    is_(len(lab.table("xenOperationTable")), old + 1, "is one operation")
done()
