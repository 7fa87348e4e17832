#!/usr/bin/env python3
"""Notifications as a real snmptrapd gets them, by SNMPv2c traps and SNMPv3 informs: with all that the MIB says they carry, of the kinds
that are wanted, none untold whoever is killed, and few in a storm."""

import os
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
sys.path.insert(0, os.path.join(HERE, "../../tools/gen"))
import mib  # noqa: E402
from lab import Lab, done, is_, ok  # noqa: E402
from trapd import Trapd  # noqa: E402

RUNNING, PAUSE, UNPAUSE, DESTROY, CREATE, FINISHED = 4, 5, 6, 6, 4, 5
BULK, STATE, CRASHED, DOWN, UP, ENDED, FAILED, THRESHOLD, STARTED = 19, 1, 5, 7, 8, 11, 12, 18, 24
USUAL, ALL = "fc 00", "ff e0"
RATE, BURST = 20, 30


class Estate(Lab):
    """With two receivers, and what the MIB says of each notification."""

    def __init__(self, **options):
        super().__init__(**options, start=False)
        _, self.module = mib.read_module()

    def __enter__(self):
        super().__enter__()
        self.traps, self.informs = Trapd(self, "traps"), Trapd(self, "informs")
        self.snmpd_lines += self.traps.traps() + self.informs.informs()
        self.write_snmpd_conf()
        self.traps.start()
        self.informs.start()
        for name in ("snmpd", "xen-farm", "xensnmpd"):
            self.start(name)
        return self

    def counts(self):
        """(last, sent, bulked, muted)"""
        return tuple(n or 0 for n in self.get(*[self.oid(f"xenNotify{name}", 0) for name in
                                                ("LastSerial", "Sent", "Bulked", "Muted")]))

    def settled(self):
        """All events are told, and the receivers had time."""
        last = self.get(self.oid("xenEventLastSerial", 0))
        return last and self.counts()[0] == last

    def settle(self):
        self.wait(self.settled, "all events are told", 60)

    def bits(self):
        value = self.get(self.oid("xenNotifyEnable", 0))
        return value.encode() if isinstance(value, str) else value

    def enable(self, bits):
        return self.set(self.oid("xenNotifyEnable", 0), "x", bits)

    def guests(self):
        return {row["xenDomainName"]: (index, row) for index, row in self.table("xenDomainTable").items()
                if row.get("xenDomainKind") == 1 and {"xenDomainName", "xenDomainState", "xenDomainHost"} <= row.keys()}

    def one(self, number, begins="", **values):
        """Waits for a notification of that number with these values, whose text begins so; it came by trap and by inform."""
        def find(receiver):
            return [n for n in receiver.all() if n.number == number and
                    n.values.get("xenEventText", "").startswith(begins) and
                    all(n.values.get(name) == value for name, value in values.items())]
        words = f"{number} {begins} {values}"
        self.wait(lambda: find(self.traps) and find(self.informs), f"notification {words} comes")
        trap, inform = find(self.traps)[-1], find(self.informs)[-1]
        is_((inform.names, inform.values), (trap.names, trap.values), f"{words}: trap and inform have the same")
        self.check(trap, words)
        return trap

    def check(self, found, words):
        name = next(o.name for o in self.module.values() if o.kind == "notification" and o.oid == f"0.{found.number}")
        listed = self.module[name].index.split(",")
        is_(found.names[1:][:len(listed)], listed, f"{words}: it is {name}, with the objects that the MIB lists, in their order")


def test_varbinds(lab):
    first = lab.one(STARTED, xenEventText="started")
    is_((first.serial, first.values["xenEventObject"], first.instances["xenEventText"]), (1, "xensnmpd", "1"),
        "the first event is the agent itself, its serial the instance")
    up = lab.one(UP, xenEventObject="host2")
    is_((up.values["xenHostLabel"], up.values["xenSourceLabel"], up.instances["xenHostLabel"]),
        ("host2", "host2", lab.oid("xenHostLabel", "host2").removeprefix(lab.oid("xenHostLabel") + ".")),
        "that of a host names it and its source, by value and by instance")
    running = [name for name, (_, row) in sorted(lab.guests().items())
               if row["xenDomainState"] == RUNNING and row["xenDomainHost"] == "host1"]
    name, other = running[:2]
    index, row = lab.guests()[other]
    lab.farm_ctl("crash", f"host1/{other}")
    crash = lab.one(CRASHED, xenDomainName=other)
    is_({key: crash.values.get(key) for key in ("xenDomainUuid", "xenHostLabel", "xenSourceLabel", "xenDomainState", "xenEventText")},
        {"xenDomainUuid": row["xenDomainUuid"], "xenHostLabel": "host1", "xenSourceLabel": "host1", "xenDomainState": 12,
         "xenEventText": "running -> crashed"}, "that of a domain names it, its uuid, its host and its source")
    is_(crash.instances["xenDomainName"], str(index), "and its row")
    lab.farm_ctl("host", "host2", "down")
    down = lab.one(DOWN, xenHostLabel="host2")
    is_(down.values["xenSourceCause"], lab.get(lab.oid("xenSourceCause", "host2")), "that of a host that is down has the cause")
    lab.farm_ctl("host", "host2", "normal")
    lab.one(UP, xenEventText="answers again")
    return name


def test_classes(lab, name):
    """Which are sent is set by bits; the others are counted."""
    index = lab.guests()[name][0]
    enable = lab.oid("xenNotifyEnable", 0)
    is_(lab.bits(), bytes.fromhex(USUAL), "at first the classes that somebody should know of at night are on")
    is_(lab.set(lab.oid("xenDomainPower", index), "i", PAUSE), "noError", "a pause")
    lab.wait(lambda: any(row["xenEventType"] == ENDED for row in lab.table("xenEventTable").values()), "its end is an event")
    lab.settle()
    is_([n.number for n in lab.traps.all() if n.number in (STATE, ENDED)], [], "which is not sent")
    is_(lab.set(enable, "x", "00 10"), "wrongValue", "a bit that is no class")
    is_(lab.set(enable, "x", "ff ff ff ff ff ff"), "wrongValue", "all bits there may be")
    is_(lab.set(enable, "i", 1), "wrongType", "no bits")
    is_(lab.set(enable, "x", ALL + " 00"), "noError", "all classes, with an octet too many")
    is_(lab.bits(), bytes.fromhex(ALL), "are on at once")
    is_(lab.set(lab.oid("xenDomainPower", index), "i", UNPAUSE), "noError", "an unpause")
    ended = lab.one(ENDED, xenEventObject=name)
    is_((ended.values["xenOperationAction"], ended.values["xenOperationResult"], ended.values["xenOperationCause"],
         ended.instances["xenOperationResult"], ended.values["xenDomainName"]), (UNPAUSE, 2, 1, "2", name),
        "the end of an operation names it, its result and cause, and the domain")
    lab.one(STATE, xenDomainName=name)
    is_(lab.set(enable, "x", "01"), "noError", "one class, in fewer octets than there are bits")
    is_(lab.bits(), b"\x01\x00", "that is taken as a whole")
    for how in (signal.SIGTERM, signal.SIGKILL):
        lab.restart("xensnmpd", how)
        lab.wait_rows()
        is_(lab.bits(), b"\x01\x00", f"and stays over a restart by {how.name}")
    lab.agent["notify"] = "crash; threshold"
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.bits() == b"\x84\x00", "the configuration file wins")
    is_(lab.enable(ALL), "notWritable", "and then SNMP can't set it")
    lab.agent["notify"] = ""
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.bits() == b"\x01\x00", "without it what SNMP set is there again")
    lab.agent.pop("notify")
    is_(lab.enable(ALL), "noError", "all on again")


def coverage(lab, receiver, since):
    """Serials behind `since` up to the last one told that no notification told of."""
    last, told = lab.counts()[0], set()
    for found in receiver.all():
        if found.number == BULK:
            told.update(range(found.values["xenNotifyBulkFirst"], found.values["xenNotifyBulkLast"] + 1))
        else:
            told.add(found.serial)
    return [serial for serial in range(since + 1, last + 1) if serial not in told]


def check_counts(lab, words):
    last, sent, bulked, muted = lab.counts()
    is_(sent + bulked + muted, last, f"{words}: the counts add up to the serial ({sent} + {bulked} + {muted})")


def test_kills(lab):
    """No gap is untold: the agent is killed, snmpd is, the agent is started before snmpd."""
    lab.settle()
    since = lab.counts()[0]
    for turn in range(3):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            lab.farm_ctl("flap", "4")
        lab.kill("xensnmpd")
        lab.farm_ctl("flap", "3")
        if turn == 1:
            lab.kill("snmpd")
        lab.start("xensnmpd")
        if turn == 1:
            lab.start("snmpd")
        lab.wait(lambda: lab.counts()[0] > since, "it goes on")
    lab.kill("snmpd")
    lab.farm_ctl("flap", "8")
    time.sleep(2)  # the agent sees it while nobody listens
    lab.start("snmpd")
    lab.wait(lambda: lab.counts()[0] > since, "the agent is connected again")
    lab.settle()
    lab.wait(lambda: not coverage(lab, lab.traps, since), "all arrived")
    is_(coverage(lab, lab.traps, since), [], f"each of {lab.counts()[0] - since} serials was told by trap")
    singles = [n.serial for n in lab.traps.all() if n.number != BULK and n.serial > since]
    ok(len(singles) - len(set(singles)) <= 3 * BURST, f"few came twice ({len(singles) - len(set(singles))})")
    check_counts(lab, "after five kills")


def test_thresholds(lab):
    """By rows, by the configuration, and over a restart."""
    name = "low"
    columns = [(lab.oid("xenThresholdKind", name), "i", 4), (lab.oid("xenThresholdTarget", name), "s", "nothing*"),
               (lab.oid("xenThresholdSet", name), "u", 50), (lab.oid("xenThresholdClear", name), "u", 40)]
    status = (lab.oid("xenThresholdRowStatus", name), "i", CREATE)
    is_(lab.set(*columns), "inconsistentName", "columns of a row that is not there")
    is_(lab.set(status), "inconsistentValue", "a new row without its kind")
    is_(lab.set(columns[0], (lab.oid("xenThresholdSet", name), "u", 50), (lab.oid("xenThresholdClear", name), "u", 60), status),
        "inconsistentValue", "one that is over above where it is raised")
    is_(lab.set(columns[0], (lab.oid("xenThresholdSet", name), "u", 101), status), "inconsistentValue", "101 percent")
    is_(lab.set(*columns, status), "noError", "a row")
    is_(lab.table("xenThresholdTable"), {name: {"xenThresholdLabel": name, "xenThresholdKind": 4, "xenThresholdTarget": "nothing*",
                                                "xenThresholdSet": 50, "xenThresholdClear": 40, "xenThresholdRowStatus": 1}},
        "is as it was made")
    guest, (index, _) = next((n, g) for n, g in sorted(lab.guests().items()) if g[1]["xenDomainState"] == RUNNING)
    is_(lab.set(lab.oid("xenThresholdTarget", name), "s", guest), "noError", "for one guest")
    raised = lab.one(THRESHOLD, xenEventObject=guest, xenEventSeverity=2)
    is_((raised.values["xenDomainName"], raised.instances["xenDomainName"], raised.values["xenEventText"]),
        (guest, str(index), "memory at 100 %, threshold 50 %"), "its memory is above, and that is told of it")
    lab.restart("xensnmpd", signal.SIGKILL)
    lab.wait_rows()
    is_(lab.get(lab.oid("xenThresholdTarget", name)), guest, "the row is there after a kill")
    polls = lab.get(lab.oid("xenPollsOk", 0))
    lab.wait(lambda: lab.get(lab.oid("xenPollsOk", 0)) > polls + 6 * lab.hosts, "more polls")
    lab.settle()
    is_(len({n.serial for n in lab.traps.all() if n.number == THRESHOLD}), 1, "what was told is not told again")
    is_(lab.set(lab.oid("xenThresholdRowStatus", name), "i", DESTROY), "noError", "the row goes")
    lab.one(THRESHOLD, xenEventObject=guest, xenEventSeverity=6)
    is_(lab.table("xenThresholdTable"), {}, "there is none any more")
    lab.agent["threshold_data_age"] = "3/1"
    lab.agent["threshold_host_memory"] = "1/0"
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    memory = lab.one(THRESHOLD, xenEventObject="host1", xenEventSeverity=2)
    is_((memory.values["xenHostLabel"], memory.values["xenSourceLabel"]), ("host1", "host1"), "a host by the configuration's threshold")
    lab.farm_ctl("host", "host2", "down")
    age = lab.one(THRESHOLD, "age of the data at ", xenEventObject="host2", xenEventSeverity=2)
    is_((age.values["xenSourceLabel"], "xenHostLabel" in age.names), ("host2", False), "old data are those of a source")
    lab.farm_ctl("host", "host2", "normal")
    lab.one(THRESHOLD, "age of the data at ", xenEventObject="host2", xenEventSeverity=6)


def test_storm(domains):
    """All domains change in the same second: a bounded number is sent, and the sums are right."""
    with Estate(hosts=10, domains=domains, agent={"notify": "domainState", "notify_rate": RATE, "notify_burst": BURST,
                                                  "event_rows": 2000}) as lab:
        lab.wait(lambda: (lab.get(lab.oid("xenDomainCount", 0)) or 0) >= domains + lab.hosts, "all are there", 120)
        lab.settle()
        since, before = lab.counts()[0], len(lab.traps.all())
        began = time.monotonic()
        changed = int(lab.farm_ctl("flap", str(domains)).strip().removeprefix("changed="))
        ok(changed > domains // 2, f"{changed} of {domains} domains change at once")
        lab.wait(lambda: lab.counts()[0] >= since + changed and lab.settled(), "the storm is over", 60)
        took = time.monotonic() - began
        lab.wait(lambda: not coverage(lab, lab.traps, since), "all arrived")
        storm = lab.traps.all()[before:]
        bulks = [n for n in storm if n.number == BULK]
        most = BURST + RATE * took + 1
        ok(len(storm) <= most, f"{lab.counts()[0] - since} events: {len(storm)} notifications in {took:.1f} s, at most {most:.0f}")
        is_(len(storm) - len(bulks) + sum(n.values["xenNotifyBulkCount"] for n in bulks), changed,
            "the single ones and the counts of those of many are all that changed")
        worst = bulks[0].values
        lab.check(bulks[0], "a bulk")
        is_((worst["xenNotifyLastSerial"], "domainState" in worst["xenNotifyBulkText"]), (worst["xenNotifyBulkLast"], True),
            f"it says what: {worst['xenNotifyBulkText']}")
        is_([n.serial for n in storm], sorted(n.serial for n in storm), "they come in their order")
        check_counts(lab, "after the storm")


with Estate(hosts=2, domains=20, agent={"notify_rate": RATE, "notify_burst": BURST}) as estate:
    estate.wait_rows()
    test_classes(estate, test_varbinds(estate))
    test_kills(estate)
    test_thresholds(estate)
test_storm(int(os.environ.get("STORM", 10000)))
done()
