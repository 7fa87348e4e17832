#!/usr/bin/env python3
"""The ring of events: each change has its row, once; serials have no gaps, and no row changes, whoever is killed with -9."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, done, is_, ok  # noqa: E402

RUNNING, SHUTDOWN, PAUSE, FINISHED = 4, 11, 5, 5
ROWS, LESS, KILLS = 110, 100, 2
WHOLE = {"xenEventTime", "xenEventType", "xenEventSeverity", "xenEventObject", "xenEventText"}


class Estate(Lab):
    def __init__(self, **options):
        super().__init__(**options)
        self.seen = {}
        self.changed = []

    def look(self):
        """Adds what the ring has now to what was seen; of a row that comes or goes in the middle of a walk a part is missed."""
        rows = {s: row for s, row in self.table("xenEventTable").items() if WHOLE <= row.keys()}
        self.changed += [s for s, row in rows.items() if self.seen.setdefault(s, row) != row]
        return rows

    def label(self, row, column="xenEventType"):
        return self.labels(column)[row[column]]

    def told(self, since):
        """[type, severity, object, host, text] of the events behind a serial."""
        self.look()
        return [(self.label(row), self.label(row, "xenEventSeverity"), row["xenEventObject"], row.get("xenEventHost"),
                 row["xenEventText"]) for serial, row in sorted(self.seen.items()) if serial > since]

    def last(self):
        """0 while the agent is away."""
        return self.get(self.oid("xenEventLastSerial", 0)) or 0

    def guests(self):
        return {row["xenDomainName"]: (index, row) for index, row in self.table("xenDomainTable").items()
                if row.get("xenDomainKind") == 1 and {"xenDomainName", "xenDomainState", "xenDomainHost"} <= row.keys()}

    def tells(self, since, *expected):
        """Waits for as many events and compares; a serial to go on with."""
        self.wait(lambda: self.last() >= since + len(expected), f"serial {since} has {len(expected)} behind it")
        is_(self.told(since), list(expected), f"told: {', '.join(event[0] for event in expected)}")
        return self.last()

    def up(self):
        """All hosts are polled again."""
        self.wait(lambda: set(self.column("xenHostState").values()) == {2} and self.guests(), "all hosts are up")


def test_changes(lab):
    running = [name for name, (_, row) in sorted(lab.guests().items())
               if row["xenDomainState"] == RUNNING and row["xenDomainHost"] == "host1"]
    name, other = running[:2]
    index = lab.guests()[name][0]
    lab.wait(lambda: lab.last() >= 3, "the first events are there")
    is_(sorted(lab.told(0)), [("agentStarted", "info", "xensnmpd", None, "started"),
                              ("hostUp", "info", "host1", "host1", "answers for the first time"),
                              ("hostUp", "info", "host2", "host2", "answers for the first time")],
        "what is found at first is no event")
    mark = lab.last()

    is_(lab.set(lab.oid("xenDomainPower", index), "i", PAUSE), "noError", "a pause by SET")
    mark = lab.tells(mark, ("domainState", "info", name, "host1", "running -> paused"),
                     ("operationFinished", "info", name, "host1", f'pause: ok: "{name}" is paused on host1'))
    is_([(lab.seen[s]["xenEventDomainIndex"], lab.seen[s]["xenEventOperation"]) for s in (mark - 1, mark)], [(index, 1)] * 2,
        "both name domain and operation")
    lab.farm_ctl("unpause", f"host1/{name}")
    mark = lab.tells(mark, ("domainState", "info", name, "host1", "paused -> running"))
    ok("xenEventOperation" not in lab.seen[mark], "a change by hand names no operation")
    lab.farm_ctl("crash", f"host1/{other}")
    mark = lab.tells(mark, ("domainCrashed", "major", other, "host1", "running -> crashed"))

    is_(lab.set(lab.oid("xenDomainMigrateTo", index), "s", "host2"), "noError", "a migration by SET")
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", 2)) == FINISHED, "it ends")
    lab.wait(lambda: any(e[0] == "operationFinished" for e in lab.told(mark)), "that is an event")
    moves = [e for e in lab.told(mark) if e[0] == "domainMoved"]
    is_(moves, [("domainMoved", "info", name, "host2", "host1 -> host2")], "one move is told")
    mark = lab.last()

    is_(lab.set(lab.oid("xenDomainTimeout", index), "u", 90000), "wrongValue", "a SET that is refused")
    mark = lab.tells(mark, ("setRefused", "warning", lab.oid("xenDomainTimeout", index), None,
                            "xenDomainTimeout takes 0 to 86400"))


def test_hosts(lab):
    mark = lab.last()
    lab.farm_ctl("host", "host2", "down")
    lab.wait(lambda: lab.get(lab.oid("xenHostState", "host2")) == 4, "host2 is down")
    lab.wait(lambda: lab.last() > mark, "that is an event")
    mark = lab.tells(mark, ("hostDown", "critical", "host2", "host2", lab.get(lab.oid("xenHostStateText", "host2"))))
    lab.restart("xensnmpd")
    lab.wait(lambda: lab.get(lab.oid("xenHostState", "host2")) == 4, "it is after a restart too")
    mark = lab.tells(mark, ("agentStarted", "info", "xensnmpd", None, "started"))
    lab.farm_ctl("host", "host2", "normal")
    lab.tells(mark, ("hostUp", "clear", "host2", "host2", "answers again"))


def test_away(lab):
    """What happened while the daemon was away."""
    mark = lab.last()
    name = next(name for name, (_, row) in lab.guests().items() if row["xenDomainState"] == RUNNING)
    host = lab.guests()[name][1]["xenDomainHost"]
    lab.kill("xensnmpd")
    lab.farm_ctl("crash", f"{host}/{name}")
    lab.start("xensnmpd")
    mark = lab.tells(mark, ("agentStarted", "info", "xensnmpd", None, "started"),
                     ("domainCrashed", "major", name, host, "running -> crashed"))


def settled(lab):
    """Nothing new came while all were polled."""
    last, polls = lab.last(), lab.get(lab.oid("xenPollsOk", 0))
    lab.wait(lambda: lab.get(lab.oid("xenPollsOk", 0)) > polls + lab.hosts, "more polls")
    lab.look()
    return lab.last() == last


def test_killed(lab):
    for _ in range(KILLS):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            lab.farm_ctl("flap", "5")
            lab.look()
        lab.kill("xensnmpd")
        lab.farm_ctl("flap", "3")
        lab.start("xensnmpd")
        lab.up()
    lab.wait(lambda: settled(lab), "nothing happens any more", 40)
    is_(sum(row["xenEventType"] == 24 for row in lab.seen.values()), KILLS + 3, "every start is told")
    newest = {}
    for _, row in sorted(lab.seen.items()):
        if lab.label(row) in ("domainState", "domainCrashed"):
            newest[row["xenEventObject"]] = row["xenEventText"].partition(" -> ")[2]
    states = {name: lab.labels("xenDomainState")[row["xenDomainState"]] for name, (_, row) in lab.guests().items()}
    ok(len(newest) > 4, f"the flapping was seen ({len(newest)} domains)")
    is_(newest, {name: states[name] for name in newest}, "the last event of each domain is its state")


def test_ring(lab):
    while lab.last() < ROWS + 20:
        lab.farm_ctl("flap", "25")
        lab.look()
    lab.wait(lambda: settled(lab), "nothing happens any more", 40)
    first, last, lost, most = lab.get(*[lab.oid(name, 0) for name in (
        "xenEventFirstSerial", "xenEventLastSerial", "xenEventsLost", "xenEventMaxRows")])
    is_((first, lost, most), (last - ROWS + 1, 0, ROWS), f"the ring has its size at serial {last}")
    is_(sorted(lab.look()), list(range(first, last + 1)), "and all rows")
    lab.restart("xensnmpd")
    lab.wait(lambda: lab.last() == last + 1, "it is started again")
    is_(sorted(lab.look()), list(range(first + 1, last + 2)), "the rows are there, one more, one less")
    lab.agent["event_rows"] = LESS
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: sorted(lab.look()) == list(range(last + 2 - LESS, last + 2)), "a smaller ring has the newest rows at once")


def test_follower_left_behind(lab):
    """xenctl that was stopped while the ring went round, then meets another database."""
    env = dict(os.environ, XENSNMP_CLIENT_CONFIG=lab.path("client.conf"))
    with open(lab.path("follower.log"), "w") as log:
        follower = subprocess.Popen([lab.binary("xenctl"), "events", "--follow", "--last", "1", "--interval", "1"],
                                    env=env, stdout=log, stderr=log)
    lab.wait(lambda: " started" in lab.log("follower"), "xenctl follows")
    follower.send_signal(signal.SIGSTOP)
    goal = lab.last() + LESS + 20
    while lab.last() < goal:
        lab.farm_ctl("flap", "25")
        lab.look()
    follower.send_signal(signal.SIGCONT)
    lab.wait(lambda: " are gone\n" in lab.log("follower"), "it says that events are gone")
    lab.wait(lambda: f"\n{goal} " in lab.log("follower"), "it goes on behind them")
    is_(sorted(lab.seen), list(range(1, max(lab.seen) + 1)), "they were not lost, only too late for it")
    lab.kill("xensnmpd")
    for name in os.listdir(lab.path("state")):
        os.unlink(lab.path("state", name))
    lab.start("xensnmpd")
    lab.wait(lambda: "serials begin anew" in lab.log("follower"), "it says that serials begin anew")
    lab.wait(lambda: "\n1 " in lab.log("follower"), "it goes on from 1")
    follower.send_signal(signal.SIGINT)
    is_(follower.wait(timeout=30), 0, "Ctrl-C ends it")


with Estate(hosts=2, domains=30, speed=32, agent={"event_rows": ROWS}) as estate:
    for test in (test_changes, test_hosts, test_away, test_killed, test_ring):
        test(estate)
    is_(estate.changed, [], "no row ever changed")
    is_(sorted(estate.seen), list(range(1, estate.last() + 1)), "no serial is missing from 1 on")
    test_follower_left_behind(estate)
done()
