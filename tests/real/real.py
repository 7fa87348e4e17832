"""An estate over two real Xen hosts: each test gets hosts of its own, fresh, and a Lab around them.

    with RealLab(prepare={1: "xl pause tiny2"}) as lab:
        one = lab.find("tiny1")                     # its xenDomainIndex
        op = lab.act(one, "xenDomainPower", 5)      # a SET, then the operation's end
        is_(op["result"], OK, "paused")
        lab.hosts.xl(1)                             # what `xl list -v` says: {name: Guest}
    done()

xen1 comes from the configuration file with an ed25519 key and a hashed known_hosts entry, xen2 by one
snmpset with an ECDSA key and a plain entry. There is no skipping: without QEMU the test fails.
"""

import functools
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

# An emulated host on a busy machine is ten times slower than on an idle one. Limits only bound a failure.
os.environ.setdefault("LAB_PATIENCE", "4")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import tap
from lab import BUILD, Deadline, Lab, LabError, SnmpError, Stopwatch, done, failed, index

__all__ = ["RealLab", "Migration", "COUNTERS", "FRESH", "Hosts", "BUILD", "Lab", "wait", "LabError", "SnmpError", "diag", "done", "failed", "index", "is_", "ok", "together",
           "START", "SHUTDOWN", "REBOOT", "PAUSE", "UNPAUSE", "DESTROY", "RESET", "DUMP_CORE", "NMI", "RUNNING", "SUSPENDING", "PAUSED", "MIGRATING",
           "SHUTTING_DOWN", "HALTED", "CRASHED", "UNKNOWN", "SUSPEND", "RESUME", "SUSPENDED", "CANCELLED", "UP", "DOWN", "OK", "FAILED", "FINISHED", "GONE"]

XEN_HOST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "xen-host")

# Numbers of the MIB that these tests speak of.
START, SHUTDOWN, REBOOT, PAUSE, UNPAUSE, DESTROY, RESET = 2, 3, 4, 5, 6, 9, 10  # XenAction
DUMP_CORE, NMI, RESCAN = 19, 20, 25
SUSPEND, RESUME = 7, 8
UNKNOWN, RUNNING, SUSPENDING, SUSPENDED, PAUSED, MIGRATING, SHUTTING_DOWN, HALTED, CRASHED = 1, 4, 5, 6, 8, 9, 10, 11, 12  # XenPowerState
UP, DOWN = 2, 4  # XenContactState
OK, FAILED, CANCELLED = 2, 4, 5  # XenResult
FINISHED = 5  # XenOperationStage
GONE = None  # an object that is not there

Guest = namedtuple("Guest", "name domid mem vcpus flags cpu uuid")
_ROW = re.compile(r"^(.+?)\s+(\d+)\s+(\d+)\s+(\d+)\s+([-rbpscwS?d]{6})\s+([0-9.]+)\s+([0-9a-f-]{36})", re.M)


_tap = threading.RLock()


def ok(condition, name):
    with _tap:
        return tap.ok(condition, name)


def is_(got, want, name):
    with _tap:
        return tap.is_(got, want, name)


def diag(text):
    with _tap:
        tap.diag(text)


def wait(condition, what, seconds):
    """Lab.wait() for what is no Lab's."""
    deadline = Deadline(seconds)
    while not condition():
        if deadline.over():
            raise LabError(f"waited in vain until {what}")
        time.sleep(1)


def together(*functions):
    """Runs functions at the same time, for the hosts are slow and two; raises what one of them raised."""
    errors = []

    def run(function):
        try:
            function()
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class Hosts:
    """The hosts of one test, in emulation. They end with this process, whatever ends it."""

    def __init__(self, count=2):
        self.count = count
        self.folder = tempfile.mkdtemp(prefix="xen-host.", dir="/tmp")

    def _run(self, *arguments, **more):
        env = dict(os.environ, XEN_HOST_RUN=self.folder)
        return subprocess.run([XEN_HOST, *arguments], env=env, stdin=subprocess.DEVNULL, text=True, **more)

    def up(self):
        begin = time.monotonic()
        result = self._run("up", str(self.count), str(os.getpid()), stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE)
        if result.returncode:
            raise LabError(f"no real Xen hosts, so nothing can be proved here:\n{result.stderr}")
        diag(f"{self.count} Xen host(s) up after {time.monotonic() - begin:.0f} s")

    def down(self):
        self._run("down", stderr=subprocess.DEVNULL)

    def trouble(self):
        """What the hosts' consoles say, for a failed test."""
        texts = [self._run("status", stderr=subprocess.PIPE).stderr]
        for k in range(1, self.count + 1):
            console = self._run("console", str(k), stderr=subprocess.PIPE).stderr
            texts.append(f"--- console of xen{k}\n" + "\n".join(console.splitlines()[-8:]))
        return "\n".join(texts)

    def freeze(self, k):
        """The host stands still: neither answers nor closes anything."""
        self._run("freeze", str(k), check=True)

    def thaw(self, k):
        self._run("thaw", str(k), check=True)

    def put(self, k, path, to):
        """Copies a program to a host."""
        with open(path, "rb") as file:
            subprocess.run([XEN_HOST, "ssh", str(k), f"cat >{to} && chmod +x {to}"], stdin=file, check=True,
                           env=dict(os.environ, XEN_HOST_RUN=self.folder))

    def ssh(self, k, command, check=True):
        """Runs a shell command as root on a host, by hand so to say; returns what it printed."""
        result = self._run("ssh", str(k), command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and result.returncode:
            raise LabError(f"xen{k}: {command}: status {result.returncode}\n{result.stderr}")
        return result.stdout

    def xl(self, k):
        """What xl says of a host's domains: {name: Guest}; memory in MiB, CPU time in microseconds."""
        rows = _ROW.findall(self.ssh(k, "xl list -v"))
        return {r[0]: Guest(r[0], int(r[1]), int(r[2]), int(r[3]), r[4], round(float(r[5]) * 1e6), r[6])
                for r in rows}

    def flags(self, name, k=1):
        """The state letters xl shows, reduced to one word."""
        guest = self.xl(k).get(name)
        if guest is None:
            return "gone"
        return "paused" if "p" in guest.flags else "shut down" if "s" in guest.flags else "runs"

    def move(self, path, k, to):
        """A file from host k to another, which share none."""
        env = dict(os.environ, XEN_HOST_RUN=self.folder)
        with subprocess.Popen([XEN_HOST, "ssh", str(k), f"cat {path}"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              env=env) as source:
            subprocess.run([XEN_HOST, "ssh", str(to), f"umask 077; cat >{path}.part && mv {path}.part {path}"],
                           stdin=source.stdout, check=True, env=env)
        if source.returncode:
            raise LabError(f"xen{k}: {path}: status {source.returncode}")
        self.ssh(k, f"rm {path}")

    def info(self, k):
        """`xl info` as {key: value}."""
        pairs = (line.split(":", 1) for line in self.ssh(k, "xl info").splitlines() if ":" in line)
        return {key.strip(): value.strip() for key, value in pairs}

    def port(self, k):
        with open(f"{self.folder}/host{k}.port") as text:
            return int(text.read())

    def uri(self, k):
        return f"ssh://root@127.0.0.1:{self.port(k)}"

    def known_hosts(self, k):
        with open(f"{self.folder}/known_hosts") as text:
            return "".join(line for line in text if f":{self.port(k)} " in line)


class RealLab(Lab):
    """prepare: {host: shell command} run on the hosts before the daemon starts. interval, save_dir: of both sources.
    More arguments go to Lab."""

    def __init__(self, prepare=None, interval=10, save_dir="", hosts=2, **more):
        super().__init__(farm=False, **more)
        self.xen = Hosts(hosts)
        self.prepare = prepare or {}
        self.interval = interval
        self.save_dir = save_dir
        self.explained = []  # what the agent said of refused SETs

    def __enter__(self):
        try:
            self.xen.up()
            self._by_hand()
        except LabError as error:
            self.xen.down()
            ok(False, "real Xen hosts are up")
            diag(error)
            done()
        super().__enter__()
        try:
            for k in range(1, self.xen.count + 1):
                if k == 2:
                    is_(self.add_xen2(), "noError", "xen2 is registered by one snmpset")
                self.wait(lambda: self.get(self.oid("xenSourceState", f"xen{k}")) == UP, f"xen{k} is up", 60)
        except BaseException:
            self.show_logs()
            self.close()
            raise
        return self

    def close(self, keep=False):
        super().close(keep)
        self.xen.down()

    def show_logs(self, lines=30):
        super().show_logs(lines)
        diag(self.xen.trouble())

    def _by_hand(self):
        """Runs what the test wants prepared, on all hosts at once."""
        together(*[functools.partial(self.xen.ssh, k, "set -e; " + command) for k, command in self.prepare.items()])

    def _prepare(self):
        self.agent.setdefault("interval", self.interval)
        self.agent.setdefault("poll_timeout", 60)
        self.sources["xen1"] = {"uri": self.xen.uri(1), "credential": "by-ed25519", "address": "xen1",
                                "save_dir": self.save_dir}
        super()._prepare()
        with open(self.path("known_hosts"), "w") as out:
            out.write(self.xen.known_hosts(1))
        subprocess.run(["ssh-keygen", "-H", "-f", self.path("known_hosts")], check=True, capture_output=True)
        if self.xen.count > 1:
            with open(self.path("known_hosts"), "a") as out:
                out.write(self.xen.known_hosts(2))
        for kind in ("ed25519", "ecdsa"):
            self.write_credential(f"by-{kind}", f"{self.xen.folder}/id_{kind}")

    def write_credential(self, name, key):
        path = self.path("credentials", name)
        with open(path, "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as out:
            out.write(f"[credential]\nuris = ssh://root@127.0.0.1:*\nkey = {key}\n")

    def add_xen2(self):
        row = {"Uri": ("s", self.xen.uri(2)), "Credential": ("s", "by-ecdsa"), "Address": ("s", "xen2"),
               "SaveDir": ("s", self.save_dir), "RowStatus": ("i", 4)}  # createAndGo
        return self.set(*[(self.oid("xenSource" + column, "xen2"), *value) for column, value in row.items()])

    # --- reading

    def find(self, name, seconds=30):
        """The index of a domain by its name (`host/name` where one name is on both), as soon as there is a row."""
        return self.wait(lambda: self.get(self.oid("xenNameDomainIndex", name)), f"{name} has a row", seconds)

    def read(self, row, *columns):
        """Columns of one row: values in a list, or the value of a single one. GONE where there is none."""
        return self.get(*[self.oid(column, row) for column in columns])

    def state(self, row):
        return self.read(row, "xenDomainState")

    def until(self, row, state, what, seconds=30):
        """Waits until a domain shows a state; returns the seconds it took, or None when it never did."""
        begin = time.monotonic()
        try:
            self.wait(lambda: self.state(row) == state, what, seconds)
        except LabError as error:
            diag(error)
            diag(f"its state is {self.state(row)}")
            return None
        return time.monotonic() - begin

    def polled(self, *keys, polls=2, seconds=60):
        """Waits until each source (default: all) was polled anew from beginning to end."""
        keys = keys or tuple(f"xen{k}" for k in range(1, self.xen.count + 1))
        oids = [self.oid("xenSourcePollsOk", key) for key in keys]
        before = [self.get(oid) for oid in oids]
        self.wait(lambda: all(self.get(oid) >= n + polls for oid, n in zip(oids, before)), "a new poll", seconds)

    def rescan(self, *keys):
        """Has each source (default: all) polled anew at once: its rows are of now then."""
        numbers = [self.begin(key, "xenHostAction", RESCAN) for key in keys or map("xen{}".format, range(1, self.xen.count + 1))]
        results = [self.end(number)["result"] for number in numbers]
        if results != [OK] * len(results):
            raise LabError(f"rescan: {results}")

    # --- operations

    def set(self, *varbinds):
        status = super().set(*varbinds)
        if status != "noError":
            self.explained.append(self.get(self.oid("xenSetLastError", 0)))
            diag(f"{status} {self.writer.failed}: {self.explained[-1]}")
        return status

    def last_op(self):
        rows = self.bulkwalk(self.oid("xenOperationState"))
        return max((int(oid.rsplit(".", 1)[1]) for oid, _ in rows), default=0)

    def op(self, number):
        """One row of xenOperationTable: {"state", "result", "cause", "text", "phase", "to", "attempts", "elapsed"}"""
        names = {"state": "State", "result": "Result", "cause": "Cause", "text": "Text", "phase": "Phase",
                 "to": "HostTo", "attempts": "Attempts", "elapsed": "Elapsed"}
        values = self.read(number, *["xenOperation" + column for column in names.values()])
        return {"index": number, **dict(zip(names, values))}

    def begin(self, row, column, value, kind="i"):
        """A SET that must be accepted at once; the number of its operation."""
        with _tap:
            before = self.last_op()
            watch = Stopwatch()
            status = self.set(self.oid(column, row), kind, value)
            took = watch.seconds()
            number = self.last_op()
        if status != "noError" or number <= before or took > 3:
            raise LabError(f"SET {column}.{row} = {value}: {status} after {took:.2f} s, operation {number}")
        return number

    def end(self, number, seconds=120):
        self.wait(lambda: self.read(number, "xenOperationState") == FINISHED, f"operation {number} ends", seconds)
        return self.op(number)

    def act(self, row, column, value, kind="i", seconds=120):
        op = self.end(self.begin(row, column, value, kind), seconds)
        diag(f"{column} = {value}: result {op['result']}, cause {op['cause']}, {op['elapsed']} ms {op['text'] or ''}")
        return op

    def acts(self, row, name, column, value, state, xl, words, key=None):
        """An action on xen1 that must end well; xl and the row must say the same of the domain then."""
        op = self.act(key or row, column, value)
        is_([op["result"], op["cause"]], [OK, 1], f"{words}: result ok")
        is_(self.xen.flags(name), xl, f"{words}: xl agrees")
        ok(self.until(row, state, f"{words}: the row follows", 15) is not None, f"{words}: the row follows")

    def run(self, *arguments):
        """xenctl; says what it printed when it failed."""
        result = self.xenctl(*arguments)
        diag(f"xenctl {shlex.join(arguments)}: status {result.returncode}")
        if result.returncode:
            diag(result.stdout + result.stderr)
        return result.returncode


# The configuration of one more guest: name and last octet of its uuid.
FRESH = """name = "{name}"
type = "pv"
uuid = "00000000-0000-4000-8000-0000000000{n}"
kernel = "/var/lib/guests/vmlinux"
ramdisk = "/var/lib/guests/initrd.gz"
memory = 96
"""

COUNTERS = ["xenDomainCpuTime", "xenDomainNetRxOctets", "xenDomainNetTxOctets", "xenDomainDiskReadOctets",
            "xenDomainDiskWriteOctets"]


class Migration:
    """Moves pvh1 to a host, in steps between which a test breaks something; then it must be one migration, with the right
    result."""

    def __init__(self, lab, k):
        self.lab, self.k, self.row = lab, k, lab.find("pvh1")
        # Xen counts its domains, so an attempt that nobody saw would show: the number the next one gets.
        self.domid = 1 + int(lab.xen.ssh(k, "xl create -q -p /etc/xen/pvh2.cfg; xl domid pvh2; xl destroy pvh2"))

    def under_way(self):
        """Begins it, and waits until the host receives the guest: the operation runs for many seconds more then."""
        self.number = self.lab.begin(self.row, "xenDomainMigrateTo", f"xen{self.k}", "s")
        self.lab.wait(lambda: "--incoming" in self.lab.xen.ssh(self.k, "xl list"), f"xen{self.k} receives the guest", 90)
        return self.lab.read(self.number, "xenOperationState") == 3

    def arrived(self):
        lab, k = self.lab, self.k
        op = lab.end(self.number, 240)
        diag(op)
        is_([op["result"], op["cause"]], [OK, 1], f"to xen{k}: result ok")
        is_([n for n in (1, 2) if any(name.startswith("pvh1") for name in lab.xen.xl(n))], [k], f"to xen{k}: there only")
        is_(lab.xen.xl(k)["pvh1"].domid, self.domid, f"to xen{k}: one migration, not two")
        lab.wait(lambda: lab.read(self.row, "xenDomainHost") == f"xen{k}", f"the row says xen{k}", 30)
        is_([lab.find("pvh1"), lab.state(self.row)], [self.row, RUNNING], f"to xen{k}: the same index, running")
        is_(lab.last_op(), self.number, f"to xen{k}: and no other operation")
