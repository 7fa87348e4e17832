#!/usr/bin/env python3
"""Pools that lie, stall and attack (tests/lib/xapi_hostile.py), all at once beside a good one: each has the right cause, in
bounded time and memory, no password goes where it should not, and the good one stays fresh."""

import json
import math
import os
import re
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import PATIENCE, TOP, Deadline, done, is_, ok  # noqa: E402
from xapi import PASSWORD, USER, Pool, PoolLab  # noqa: E402
from xapi_hostile import STRANGER  # noqa: E402
from xapi_hostile import PASSWORD as EVIL_PASSWORD  # noqa: E402

AUTH, TLS, DRIVER, TRANSPORT, TIMED_OUT, LIMIT, WRONG_HOST = 6, 7, 17, 18, 25, 29, 32
CONNECTING, UP = 1, 2
SANITIZED = "asan" in os.environ.get("BUILD", "") or "SANITIZER" in os.environ
WORKER_MIB = 2000 if SANITIZED else 300
POLL_TIMEOUT = 6
WATCHED = 5  # seconds, after all have their cause
DEEP, DOCTYPE, NO_FORM, NO_END = "nested too deeply", "document type", "not of the form", "without end"
# source: (cause, words of its text)
FAILING = {
    "integer": (DRIVER, NO_FORM), "large-integer": (DRIVER, NO_FORM), "nested": (LIMIT, DEEP), "nested-login": (DRIVER, NO_FORM),
    "laughs-text": (DRIVER, DOCTYPE), "laughs-attribute": (DRIVER, DOCTYPE), "external": (DRIVER, DOCTYPE),
    "endless": (TIMED_OUT, "time allowed|answer of more than"), "endless-login": (LIMIT, "answer of more than"), "endless-tag": (LIMIT, NO_END),
    "endless-comment": (LIMIT, NO_END), "element-names": (DRIVER, "another name"), "attribute-names": (DRIVER, "an attribute"),
    "objects": (LIMIT, "MiB of objects|time allowed"), "trickle": (TIMED_OUT, "time allowed"),
    "silent": (TIMED_OUT, "time allowed"), "silent-later": (TIMED_OUT, "time allowed"), "gigabyte": (LIMIT, "answer of more than"),
    "silent-login": (TIMED_OUT, "time allowed"), "headers": (LIMIT, "KiB of headers"), "header": (LIMIT, "header"),
    "interim": (LIMIT, "KiB of headers"), "too-short": (TRANSPORT, "cut"), "too-long": (DRIVER, "no XML"),
    "gzip": (DRIVER, "no XML"), "500": (DRIVER, "status 500"), "302": (DRIVER, "302.*redirects are not followed"),
    "401": (DRIVER, "status 401"), "500-later": (DRIVER, "status 500"), "no-login": (AUTH, "SESSION_AUTHENTICATION_FAILED"),
    "no-session": (DRIVER, "without a session"), "log-lines": (DRIVER, "INTERNAL_ERROR"),
    "slave-stranger": (WRONG_HOST, STRANGER), "slave-first": (TLS, STRANGER), "slave-loop": (WRONG_HOST, "says that it is not"),
    "stranger-ca": (TLS, "self-signed"), "stranger-name": (TLS, "mismatch"), "expired": (TLS, "expired"),
    "stranger-pin": (TLS, "not the certificate that is trusted"), "old": (TLS, "1.2 or newer is needed")}
# On a machine that hardly gets on, and on one that reads a GiB in the time allowed.
OTHERS = {"objects": [TIMED_OUT], "endless": [LIMIT]}
# Those that are up, for what they get wrong is not all of the pool.
LIVING = ["bad-token", "events-lost", "odd-counts", "storm", "lies", "far-clock", "invalid-metrics", "metrics-garbage",
          "metrics-endless", "metrics-names", "metrics-tag", "metrics-hang"]
# All is well again with each new login or reading, and soon not any more.
RESTLESS = ["slave-later", "invalid", "more-garbage"]
RESTLESS_INTERVAL = 5
UNTRUSTED = ["stranger-ca", "stranger-name", "expired", "stranger-pin", "old"]


class Estate(PoolLab):
    def __init__(self):
        super().__init__(hosts=2, domains=4, agent={"interval": 1, "poll_timeout": POLL_TIMEOUT, "worker_memory": WORKER_MIB})

    def begin(self):
        self.pool = Pool(self)
        self.ports = self.serve_evil()
        self.add_credential("good", USER, PASSWORD)
        self.add_credential("evil", "root", EVIL_PASSWORD)
        with open(self.path("authorities"), "w") as out:
            for file in (self.pool.cert, self.path("evil", "ca.pem")):
                with open(file) as pem:
                    out.write(pem.read())
        with open(self.path("tls_pins"), "w") as out:
            os.chmod(self.path("tls_pins"), 0o644)
            out.write(f"127.0.0.1:{self.ports['stranger-pin']} {'0f' * 32}\n")
        self.agent["tls_ca"] = self.path("authorities")
        self.sources = {"good": {"uri": self.pool.url(1).rstrip("/"), "credential": "good"}}
        for name in (*FAILING, *LIVING, *RESTLESS):
            self.sources[name] = {"uri": f"https://127.0.0.1:{self.ports[name]}", "credential": "evil",
                                  "interval": RESTLESS_INTERVAL if name in RESTLESS else 1}
        self.write_config()
        self.start("snmpd")
        self.start("xensnmpd")
        self.begun = time.monotonic()

    def serve_evil(self):
        """{server: port}. All of this is one machine: the evil must not take what the good would have of their own."""
        os.makedirs(self.path("evil"))
        self.start("evil", ["/usr/bin/nice", "-n", "19", os.path.join(TOP, "tests/lib/xapi_hostile.py"), self.path("evil")])
        self.wait(lambda: "ready" in self.log("evil"), "the evil pools are there", 60, alive="evil")
        return {name: int(port) for name, port in (line.split() for line in self.log("evil").splitlines() if " " in line)}

    def stats(self):
        with socket.create_connection(("127.0.0.1", self.ports["stats"])) as link:
            return json.loads(b"".join(iter(lambda: link.recv(65536), b"")))

    def row(self, name):
        return self.get(*[self.oid(f"xenSource{column}", name) for column in ("State", "Cause", "StateText")])

    def seconds(self):
        return time.monotonic() - self.begun


def peak(pid):
    """MiB that a process once had."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(status.read().split("VmHWM:")[1].split()[0]) >> 10
    except (OSError, IndexError):  # ended meanwhile
        return 0


class Watch:
    """The worst that was seen."""

    def __init__(self, lab):
        self.lab, self.front, self.worker, self.age = lab, 0, 0, 0

    def look(self):
        self.front = max(self.front, peak(self.lab.pid("xensnmpd")))
        self.worker = max([self.worker, *map(peak, self.lab.workers())])
        self.age = max(self.age, self.lab.get(self.lab.oid("xenSourceDataAge", "good")) or 0)


def has_causes(lab, watch):
    """Each within the time of some polls, however long the others take."""
    seen, left, deadline = {}, list(FAILING), Deadline(40)
    while left and not deadline.over():
        for name in list(left):
            state, cause, text = seen[name] = lab.row(name)
            wanted, words = FAILING[name]
            if state not in (CONNECTING, UP) and cause in (wanted, *OTHERS.get(name, ())) and re.search(words, text):
                left.remove(name)
        watch.look()
        time.sleep(0.2)
    for name in FAILING:
        is_(seen[name] if name in left else None, None, f"{name}: {seen[name][2]}")


def stays_bounded(lab, watch):
    end = time.monotonic() + WATCHED
    while time.monotonic() < end:
        watch.look()
        time.sleep(0.2)
    ok(watch.front < (1000 if SANITIZED else 100), f"the front stays small: {watch.front} MiB at most")
    ok(watch.worker < WORKER_MIB, f"the worker stays small: {watch.worker} MiB at most")
    ok(watch.age <= 10 * PATIENCE, f"the good pool stays fresh: {watch.age} s at most")
    is_(lab.row("good")[0], UP, "and up")
    is_(lab.get(lab.oid("xenWorkersLost", 0)), 0, "no worker ended")
    for name in LIVING:
        is_(lab.wait(lambda: lab.row(name)[0] == UP, f"{name} is up"), True, f"{name} is up")  # noqa: B023


def is_quiet(lab):
    """How often who was asked: what fails is asked less and less, what does not last no more often than it is polled."""
    stats, seconds = lab.stats(), lab.seconds()
    rarely = 5 + math.log2(seconds)
    for name in FAILING:
        ok(len(stats[name]["connections"]) <= 2 * rarely, f"{name}: {len(stats[name]['connections'])} connections")
        ok(stats[name]["passwords"] <= rarely, f"{name}: {stats[name]['passwords']} passwords in {seconds:.0f} s")
    for name in RESTLESS:
        polls = 5 + 2 * seconds / RESTLESS_INTERVAL
        ok(stats[name]["passwords"] <= polls, f"{name}: {stats[name]['passwords']} passwords")
        ok(stats[name]["calls"]["event.from"] <= polls, f"{name}: read whole {stats[name]['calls']['event.from']} times")
    for name in ("bad-token", "events-lost", "odd-counts"):
        whole = stats[name]["calls"]["event.from"]
        ok(2 <= whole <= 12, f"{name}: read whole {whole} times")
    calls = stats["storm"]["calls"]
    ok(calls["event.more"] <= 5 + 5 * seconds, f"storm: events are asked for {calls['event.more']} times")
    ok(calls["pool.get_all"] <= 5 + 2.2 * seconds, f"storm: it is polled {calls['pool.get_all']} times")
    ok(calls["/rrd_updates"] <= 5 + 1.3 * seconds, f"storm: what it measured is asked for {calls['/rrd_updates']} times")
    for name in LIVING:
        ok(stats[name]["passwords"] <= 3 + seconds / 20, f"{name}: {stats[name]['passwords']} passwords")
    for name, one in stats.items():
        ok(len(one["sessions"]) <= 1, f"{name}: has {len(one['sessions'])} sessions")


def keeps_secrets(lab):
    stats = lab.stats()
    for name in UNTRUSTED:
        ok(stats[name]["connections"] and not stats[name]["octets"], f"{name}: gets connections and not an octet")
    for name in ("302", "slave-stranger"):
        ok(STRANGER not in stats[name]["connections"], f"{name}: the stranger gets no connection")
    ok(STRANGER in stats["slave-first"]["connections"] and STRANGER not in stats["slave-first"]["octets"],
       "slave-first: whom a host names before its pool is known gets no octet without a good certificate")
    log = lab.log("xensnmpd")
    ok(EVIL_PASSWORD not in log and PASSWORD not in log and "OpaqueRef:session" not in log, "the log has no secret")
    ok("[evil log line]" in log and "\n[evil" not in log, "nor lines of others")


def believes_little(lab):
    """What can't be is not known; the rest of the same row is."""
    hosts = {index: row for index, row in lab.table("xenHostTable").items() if row.get("xenHostSource") == "lies"}
    used = lab.table("xenHostPerfTable")
    is_(sorted(hosts), ["lies.dom0_1", "lies.late"], "a lying pool's hosts have rows")
    is_([column for column in ("MemoryTotal", "BootTime", "Cpus", "CpuSpeed") if f"xenHost{column}" in hosts["lies.late"]], [],
        "without what they can't have")
    is_([column for column in ("xenHostMemoryFree", "xenHostLoad1") if column in used["lies.dom0_1"]], [],
        "nor what they can't use")
    is_(used["far-clock"].get("xenHostUptime"), None, "by a clock of the year 9999 no time is known")
    hung = [used[f"metrics-hang.dom0_{n}"].get("xenHostLoad1") for n in (1, 2)]
    is_(hung, [50, None], "a member whose metrics hang has none; the other one has")
    guests = [row for row in lab.table("xenDomainTable").values() if row.get("xenDomainHost", "").startswith("lies.")]
    is_(len(guests), 8, "of nine lying guests two have one UUID, and one row")
    ok(all(row["xenDomainHost"] == "lies.dom0_1" for row in guests), "all are with the coordinator, though one is nowhere")
    named = {row.get("xenDomainName"): row for row in guests}
    is_([column for column in ("Vcpus", "VcpusMax", "Memory", "MemoryMax", "MemoryTarget", "Started")
         if f"xenDomain{column}" in named["guest1"]], [], "guest1 has no negative numbers and did not start in 9999")
    is_([column for column in ("Domid", "MemoryMax", "MemoryTarget", "VcpusMax") if f"xenDomain{column}" in named["guest2"]], [],
        "guest2 has no number that is too large")
    is_(named["guest8"]["xenDomainState"], 1, "a state that nobody knows is unknown")
    is_([name for name in named if name and re.search("[\\x00-\\x1f\\x7f-\\x9f]", name)], [], "no name has control characters")


def ends(lab):
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "the agent ends when told to")
    left = {name: one["sessions"] for name, one in lab.stats().items() if one["sessions"]}
    is_(left, {}, "no session is left behind")
    is_(lab.pool.control("drop-sessions"), "sessions=0\n", "nor at the good pool")


with Estate() as lab:
    lab.begin()
    watching = Watch(lab)
    lab.wait(lambda: lab.row("good")[0] == UP, "the good pool is up", 30)
    has_causes(lab, watching)
    stays_bounded(lab, watching)
    is_quiet(lab)
    keeps_secrets(lab)
    believes_little(lab)
    ends(lab)
done()
