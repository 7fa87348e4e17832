"""What the demo shows: a pool as an operator sees it, then what one SET does. Each step proves what it says."""

import time

import lab as estate
from show import DemoError, command, expect, paint, quote, say, table, title
from snmp import string_index

RUNNING, PAUSED, SHUTDOWN = 4, 8, 11
GUEST, TRUE = 1, 1
FINISHED, OK = 5, 2
DOMAINS = (("index", -5), ("name", 18), ("host", 13), ("state", 9), ("MiB", -6), ("vCPU", -4), ("system", 30), ("address", 15))
HOSTS = (("key", 13), ("name", 10), ("role", 11), ("state", 11), ("CPUs", -4), ("MiB", -7), ("free", -7), ("guests", -6),
         ("running", -7), ("product", 20))
LOAD = (("index", -5), ("name", 18), ("host", 13), ("CPU %", -6), ("CPU sec", -8), ("rx KiB", -9), ("tx KiB", -9), ("read KiB", -9),
        ("written", -9))
STORAGE = (("name", 24), ("type", 8), ("shared", 6), ("GiB", -8), ("used", -8), ("used %", -6), ("disks", -8), ("hosts", -5),
           ("attached", -8))
OPERATION = (("op", -4), ("action", 13), ("target", 16), ("from", 13), ("to", 13), ("state", 8), ("result", 6), ("msec", -6),
             ("text", 40))
EVENTS = (("serial", -6), ("UTC", 8), ("type", 17), ("severity", 8), ("object", 20), ("text", 50))


def hundredths(number):
    return None if number is None else f"{number / 100:.1f}"


def gib(mebibytes):
    return None if mebibytes is None else f"{mebibytes / 1024:.1f}"


def clock(moment):
    """The time in a DateAndTime."""
    octets = moment if isinstance(moment, bytes) else moment.encode()
    return "{:02}:{:02}:{:02}".format(*octets[4:7])


def by_name(column, name):
    """A column of xenNameTable: the name as a user types it, or as numbers, where the tools would not take it for what it is."""
    plain = name.isascii() and name.isprintable() and not set(name) & set("\"'\\")
    return f'{column}."{name}"' if plain else f"{column}.{string_index(name)}"


class Story:
    def __init__(self, lab):
        self.lab = lab

    # --- reading

    def of(self, index, *names):
        """The value of a column of xenDomainTable, or of several; their names stand behind xenDomain."""
        return self.lab.get(*[self.lab.oid("xenDomain" + name, index) for name in names])

    def label(self, name, value):
        return None if value is None else self.lab.labels(name).get(value, "?")

    def guests(self, state=None):
        """Indexes of all guests, or of those in a state."""
        states = self.lab.column("xenDomainState")
        return [index for index, kind in sorted(self.lab.column("xenDomainKind").items())
                if kind == GUEST and state in (None, states.get(index))]

    def pick(self, state, apart_from=()):
        """Index of a guest in that state; prefers one that the demo has not yet touched."""
        found = self.guests(state)
        return ([index for index in found if index not in apart_from] or found or [None])[0]

    def show_domains(self, indexes):
        rows = []
        for index in indexes:
            name, host, state, memory, target, vcpus, system, addresses = self.of(
                index, "Name", "Host", "State", "Memory", "MemoryTarget", "Vcpus", "Os", "Addresses")
            rows.append((index, name, host, self.label("xenDomainState", state), memory or target, vcpus, system,
                         (addresses or "").split(",")[0]))
        table(DOMAINS, rows)

    def busy(self):
        """{index: row of xenDomainPerfTable} of the guests that use processors."""
        guests = self.guests(RUNNING)
        return {index: row for index, row in self.lab.table("xenDomainPerfTable").items()
                if index in guests and row.get("xenDomainCpuPercent") and "xenDomainCpuTime" in row}

    # --- changing

    def set(self, what, kind, value):
        """One snmpset as a user types it; returns its exit status and words."""
        status, text = command(self.lab.writer, "snmpset", what, kind, value)
        quote(text)
        return status, text

    def why(self):
        return self.lab.get(self.lab.oid("xenSetLastError", 0))

    def follow(self, index, before):
        """The newest operation of a domain, which is not that one, to its end; its phases on the way. Returns its number."""
        number = self.lab.wait(lambda: (lambda last: last != before and last)(self.of(index, "LastOperation")), "there is an operation")
        columns = [self.lab.oid("xenOperation" + name, number) for name in ("State", "Phase", "Progress", "Result", "Text")]
        deadline, seen = estate.Deadline(60), None
        while not deadline.over():
            state, phase, progress, result, text = self.lab.get(*columns)
            step = (phase, (progress or 0) // 25)
            if phase and step != seen:
                say(paint("2", f"     operation {number}: {phase}" + ("" if progress is None else f" {progress} %")))
                seen = step
            if state == FINISHED and result != OK:
                raise DemoError(f"operation {number} ended with: {text}")
            if state == FINISHED:
                return number
            time.sleep(0.1)
        raise DemoError(f"operation {number} did not end within {deadline}")

    def show_operation(self, number):
        row = self.lab.table("xenOperationTable")[number]
        value = {name: row.get("xenOperation" + name) for name in ("Target", "HostFrom", "HostTo", "Elapsed", "Text")}
        labels = {name: self.label("xenOperation" + name, row.get("xenOperation" + name)) for name in ("Action", "State", "Result")}
        table(OPERATION, [(number, labels["Action"], value["Target"], value["HostFrom"], value["HostTo"], labels["State"],
                           labels["Result"], value["Elapsed"], value["Text"])])

    def act(self, index, what, kind, value):
        """A SET and its operation, which must end ok; the operation's number."""
        before = self.of(index, "LastOperation")
        if self.set(what, kind, value)[0]:
            raise DemoError(f"the agent refused: {self.why()}")
        return self.follow(index, before)

    def becomes(self, index, name, value, what):
        self.lab.wait(lambda: self.of(index, name) == value, what)
        expect(self.of(index, name) == value, what)

    # --- the steps

    def pool(self):
        title("The pool")
        status, text = command(self.lab.client, "snmpbulkwalk", "xenPoolTable")
        quote(text)
        members = self.lab.get(self.lab.oid("xenPoolMembersUp", "pool1"))
        expect(status == 0 and members == self.lab.hosts, f"the coordinator hears of all {members} hosts")

    def hosts(self):
        title("Its hosts: xenHostTable, xenHostPerfTable")
        self.lab.wait(lambda: len(self.lab.column("xenHostMemoryFree")) == self.lab.hosts, "each host told what it has free")
        rows, used = self.lab.table("xenHostTable"), self.lab.table("xenHostPerfTable")
        shown = []
        for key, row in rows.items():
            host = {**row, **used.get(key, {})}
            value = {name: host.get("xenHost" + name) for name in (
                "Name", "Cpus", "MemoryTotal", "MemoryFree", "DomainsTotal", "DomainsRunning", "Product")}
            shown.append((key, value["Name"], self.label("xenHostPoolRole", host.get("xenHostPoolRole")),
                          self.label("xenHostState", host.get("xenHostState")), value["Cpus"], value["MemoryTotal"],
                          value["MemoryFree"], value["DomainsTotal"], value["DomainsRunning"], value["Product"]))
        table(HOSTS, shown)

    def domains(self):
        title("Its guests: xenDomainTable")
        guests = self.guests()
        self.show_domains(guests[:15])
        if len(guests) > 15:
            say(paint("2", f"     ... {len(guests) - 15} more rows"))
        expect(len(guests) == self.lab.domains, f"{self.lab.domains} guests, each with a row; what is not told is absent, never 0")

    def storage(self):
        title("Its storage: xenSrTable")
        shown = []
        for row in self.lab.table("xenSrTable").values():
            name, kind, shared, size, used, allocated, paths, up = (row.get("xenSr" + column) for column in (
                "Name", "Type", "Shared", "Size", "Used", "Allocated", "Paths", "PathsUp"))
            percent = f"{100 * used / size:.0f}" if size and used is not None else None
            shown.append((name, kind, "yes" if shared == TRUE else "no", gib(size), gib(used), percent, gib(allocated), paths, up))
        table(STORAGE, sorted(shown))
        expect(any(row[2] == "yes" for row in shown), "the shared one is where guests can move between hosts")

    def start(self):
        index = self.pick(SHUTDOWN)
        title("Start a guest that is off")
        if index is None:
            index = self.pick(RUNNING)
            say(f"   All guests run; {self.of(index, 'Name')} is destroyed first.")
            self.act(index, f"xenDomainForce.{index}", "i", "destroy")
            self.becomes(index, "State", SHUTDOWN, "it is off")
        self.act(index, f"xenDomainPower.{index}", "i", "start")
        self.becomes(index, "State", RUNNING, f"{self.of(index, 'Name')} runs")
        return index

    def pause(self, used):
        title("Pause one by its name, and let it go on")
        index = self.pick(RUNNING, used)
        name = self.of(index, "Name")
        for word, state, end in (("pause", PAUSED, "is paused"), ("unpause", RUNNING, "runs again")):
            self.act(index, by_name("xenNamePower", name), "i", word)
            self.becomes(index, "State", state, f"{name} {end}")
            self.show_domains([index])
        return index

    def refuse(self, index):
        title("A SET that makes no sense is refused, and explained")
        before = self.lab.column("xenSetErrorCause")
        status, text = self.set(f"xenDomainPower.{index}", "i", "start")
        expect(status != 0 and "inconsistentValue" in text, f"{self.of(index, 'Name')} runs already: inconsistentValue")
        fresh = {serial: cause for serial, cause in self.lab.column("xenSetErrorCause").items() if serial not in before}
        if not fresh:
            raise DemoError("xenSetErrorTable has no row about it")
        serial = max(fresh)
        _, text = command(self.lab.client, "snmpget", f"xenSetErrorText.{serial}")
        quote(text)
        cause = self.label("xenSetErrorCause", fresh[serial])
        expect(cause == "badState" and "STRING" in text, f"xenSetErrorTable says why: {cause}")

    def snapshot(self, index):
        title("Snapshot of a guest that runs")
        self.act(index, f"xenDomainSnapshotNow.{index}", "s", "before-move")
        names = self.lab.oid("xenSnapshotName", index)
        self.lab.wait(lambda: "before-move" in [name for _, name in self.lab.bulkwalk(names)], "the snapshot is shown")
        _, text = command(self.lab.client, "snmpbulkwalk", f"xenSnapshotLabel.{index}")
        quote(text)
        expect("@before-move" in text, "it has a row; xenDomainRevertTo and xenDomainDeleteSnapshot take its number")

    def migrate(self, index):
        title("Migrate it live to another host")
        host, uuid = self.of(index, "Host", "Uuid")
        free = {key: mebibytes for key, mebibytes in self.lab.column("xenHostMemoryFree").items() if key != host}
        target = max(free, key=free.get)
        self.show_domains([index])
        number = self.act(index, f"xenDomainMigrateTo.{index}", "s", target)
        self.show_operation(number)
        self.becomes(index, "Host", target, f"it runs on {target} now")
        self.show_domains([index])
        expect(self.of(index, "Uuid") == uuid, f"and has kept index {index} and uuid {uuid}")
        return number

    def events(self, migration):
        title("What happened: xenEventTable")
        kinds = {label: number for number, label in self.lab.labels("xenEventType").items()}

        def told():
            return any(row["xenEventType"] == kinds["operationFinished"] and row.get("xenEventOperation") == migration
                       for row in self.lab.table("xenEventTable").values())
        self.lab.wait(told, "the end of the migration is an event")
        rows = sorted(self.lab.table("xenEventTable").items())
        names = {oid: name for name, oid in self.lab.schema().items()}

        def named(event):
            """Refused SETs are about an object, which is told as numbers."""
            base, _, index = event.get("xenEventObject", "").rpartition(".")
            return f"{names[base]}.{index}" if base in names else event.get("xenEventObject")
        table(EVENTS, [(serial, clock(row["xenEventTime"]), self.label("xenEventType", row["xenEventType"]),
                        self.label("xenEventSeverity", row["xenEventSeverity"]), named(row), row.get("xenEventText"))
                       for serial, row in rows[-15:]])
        expect([serial for serial, _ in rows] == list(range(rows[0][0], rows[-1][0] + 1)), "serials have no gap: nobody misses one")

    def load(self):
        title("What the busiest have done so far: xenDomainPerfTable")
        # XAPI averages over five seconds, and the pool of the demo has just been made.
        self.lab.wait(self.busy, "the hosts have averages")
        rows = []
        for index, row in self.busy().items():
            percent, seconds, *octets = (row.get("xenDomain" + name) for name in (
                "CpuPercent", "CpuTime", "NetRxOctets", "NetTxOctets", "DiskReadOctets", "DiskWriteOctets"))
            rows.append((percent, (index, *self.of(index, "Name", "Host"), hundredths(percent), f"{seconds / 1e6:.1f}",
                                   *[None if number is None else number // 1024 for number in octets])))
        table(LOAD, [row for _, row in sorted(rows, reverse=True)[:5]])

    def tell(self):
        self.pool()
        self.hosts()
        self.domains()
        self.storage()
        started = self.start()
        paused = self.pause([started])
        moved = self.pick(RUNNING, [started, paused])
        self.refuse(moved)
        self.snapshot(moved)
        migration = self.migrate(moved)
        self.load()
        self.events(migration)
