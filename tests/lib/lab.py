"""A private estate for one test: snmpd, xen-farm and xensnmpd on loopback, in a folder of its own.

    import os, sys
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
    from lab import Lab, ok, is_, diag, done

    with Lab(hosts=3, domains=12) as lab:
        rows = lab.table("xenDomainTable")              # {index: {column name: value}}
        is_(lab.set(lab.oid("xenDomainPower", 1), "i", 5), "noError", "pause is accepted")
        lab.wait(lambda: lab.get(lab.oid("xenDomainState", 1)) == 8, "domain 1 is paused")
        lab.farm_ctl("host", "host1", "down")
        lab.kill("xensnmpd"); lab.start("xensnmpd")
    done()

BUILD names the build folder (default: build). LAB_PATIENCE multiplies every time limit: sanitized or
emulated programs are slow. LAB_KEEP=1 leaves the folder of a failed test behind and says where it is.
When a test fails, the ends of all logs are printed. Nothing outlives the test, whatever ends it.
"""

import atexit
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from snmp import Client, SnmpError, index
from tap import diag, done, failed, is_, ok

__all__ = ["ALL_CONTEXTS", "Client", "Deadline", "Lab", "LabError", "Stopwatch", "SnmpError", "ok", "is_", "diag", "done", "index", "free_port"]

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))

# SNMPv3 users of every lab: name -> pass phrase (authentication, privacy). Loopback only.
USERS = {"operator": ("operator-auth-phrase", "operator-priv-phrase"),
         "monitor": ("monitor-auth-phrase", "monitor-priv-phrase")}

# Lines of snmpd.conf that let these users into every SNMP context: Lab(snmpd=ALL_CONTEXTS).
ALL_CONTEXTS = ["view everything included .1", "rwuser operator authPriv -V everything *",
                "rouser monitor authPriv -V everything *"]

# Behind packaging/snmpd.conf, which has the settings that matter.
_SNMPD = """\
agentAddress udp:127.0.0.1:{port}
agentXSocket {agentx}
agentXPerms 0777 0755
dontLogTCPWrappersConnects yes
rocommunity public 127.0.0.1
rwcommunity private 127.0.0.1
createUser operator SHA-256 "{operator[0]}" AES "{operator[1]}"
createUser monitor SHA-256 "{monitor[0]}" AES "{monitor[1]}"
rwuser operator authPriv
rouser monitor authPriv
sysLocation xensnmp test estate
"""
_SANITIZER = re.compile(r"ERROR: \w+Sanitizer: .*|.*: runtime error: .*")


class LabError(Exception):
    """The estate could not be brought up, or something awaited did not happen."""


def free_port(kind=socket.SOCK_DGRAM):
    """A port of 127.0.0.1 that nobody had a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _processor_ticks():
    """(used, stolen) of all processors: stolen is what was wanted here and went to other machines on the same hardware."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return user + nice + system + irq + softirq, steal


class Stopwatch:
    """Seconds that this machine had: where neighbours take three quarters of its processors, four seconds count as one."""

    def __init__(self):
        self._seconds, self._at, self._ticks = 0.0, time.monotonic(), _processor_ticks()

    def seconds(self):
        passed = time.monotonic() - self._at
        if passed < 0.2:  # a few ticks tell nothing
            return self._seconds + passed
        ticks = _processor_ticks()
        used, stolen = (now - before for now, before in zip(ticks, self._ticks))
        self._seconds += passed * max(used, 1) / max(used + stolen, 1)
        self._at, self._ticks = self._at + passed, ticks
        return self._seconds


class Deadline(Stopwatch):
    """For what is awaited. Limits are there for what hangs, not for what is slow: it may take LENIENCY times as long."""

    LENIENCY = 3

    def __init__(self, seconds):
        super().__init__()
        self.limit = seconds * PATIENCE * self.LENIENCY

    def over(self):
        return self.seconds() > self.limit

    def __str__(self):
        return f"{self.limit:.0f} s"


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _has_ended(process):
    """Without taking the exit status, so that the process number stays its own until kill()."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


class Lab:
    """hosts, domains, seed, names, speed and farm_options shape the farm (farm=False: none). agent adds or overrides keys
    of section [agent], sources adds sections: {"key": {"uri": ...}}, sections any others: {"group web": {...}}. snmpd
    adds lines to snmpd.conf. leash=False: what is started outlives this process (the demo). start=False: only the folder
    and files; start() what you need. started: called with the lab whenever a program was started."""

    def __init__(self, hosts=3, domains=12, control=True, seed=1, names=None, speed=None, farm=True,
                 farm_options=(), agent=None, sources=None, sections=None, snmpd=None, port=None, folder=None, leash=True,
                 start=True, started=None):
        self.hosts, self.domains, self.seed, self.names, self.speed = hosts, domains, seed, names, speed
        self.with_farm = farm
        self.farm_options = list(farm_options)
        self.started = started
        self.kept = False
        self.agent = {"control": "yes" if control else "no", **(agent or {})}
        self.sources = dict(sources or {})
        self.sections = dict(sections or {})
        self.snmpd_lines = list(snmpd or [])
        self.port = port
        self.leash = leash
        self.autostart = start
        self.processes = {}
        self._own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="xensnmp-lab.")
        self._schema = None
        self._failed_before = 0

    # --- life

    def __enter__(self):
        self._failed_before = failed()
        if self.leash:
            atexit.register(self.close)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            self._prepare()
            if self.autostart:
                self.start("snmpd")
                if self.with_farm:
                    self.start("xen-farm")
                self.start("xensnmpd")
                if self.with_farm:
                    self.wait_rows()
        except BaseException:
            self.show_logs()
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._check_ends()
        bad = (kind is not None and not issubclass(kind, SystemExit)) or failed() > self._failed_before
        if bad:
            self.show_logs()
        self.close(keep=bad and os.environ.get("LAB_KEEP"))

    def _check_ends(self):
        """What we built must end when asked, with status 0, and no sanitizer may have spoken, not even in a worker."""
        for name in [n for n in ("xensnmpd", "xapi-farm", "xen-farm") if n in self.processes]:
            status = self.kill(name, signal.SIGTERM)
            if status != 0:
                ok(False, f"{name} ends with status 0 when told to (got {status})")
            reports = _SANITIZER.findall(self.log(name))
            if reports:
                ok(False, f"no sanitizer report from {name}: {reports[0]}")

    def close(self, keep=False):
        """Ends all processes and removes the folder. Safe to call twice."""
        for name in list(self.processes)[::-1]:
            self.kill(name, signal.SIGTERM)
        if keep:
            diag(f"the folder of this lab is kept: {self.folder}")
        elif self._own_folder and not self.kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self):
        """From here on programs and folder are the caller's: nothing is ended or removed."""
        self.kept = True
        self.processes.clear()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _prepare(self):
        for name in ("state", "credentials", "snmp", "library"):
            os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        os.chmod(self.folder, 0o755)
        open(self.path("known_hosts"), "a").close()
        if self.port is None:
            self.port = free_port()
        self.client = self.user("public")
        self.writer = self.user("private")
        self.write_snmpd_conf()
        self.write_client_conf()
        if self.with_farm:
            self.farm_sources()
        self.write_config()

    # --- configuration files

    def write_snmpd_conf(self):
        text = _SNMPD.format(port=self.port, agentx=self.path("agentx"), **USERS)
        with open(os.path.join(TOP, "packaging", "snmpd.conf")) as sample, open(self.path("snmpd.conf"), "w") as out:
            # The account of a real installation need not exist here.
            settings = [line for line in sample if not line.startswith("agentXPerms")]
            out.write("".join(settings) + text + "".join(line + "\n" for line in self.snmpd_lines))

    def farm_sources(self):
        """One source for each host that the farm makes; its keys are its host names. All share their save files."""
        for host in self.host_names():
            self.sources.setdefault(host, {"uri": f"sim://{self.path('farm.sock')}/{host}", "save_dir": "/srv/saved"})

    def host_names(self):
        return [f"host{n}" for n in range(1, self.hosts + 1)]

    def write_config(self):
        """Writes xensnmpd.conf from self.agent, self.sources and self.sections."""
        agent = {"state_dir": self.path("state"), "credential_dir": self.path("credentials"),
                 "known_hosts": self.path("known_hosts"), "tls_pins": self.path("tls_pins"), "library_dir": self.path("library"),
                 "agentx_socket": self.path("agentx"), "interval": 1, "user": "", "log_level": "info",
                 **self.agent}
        sections = {"agent": agent, **{f"source {key}": keys for key, keys in self.sources.items()}, **self.sections}
        with open(self.path("xensnmpd.conf"), "w") as out:
            for section, keys in sections.items():
                out.write(f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) + "\n")

    # --- processes: "snmpd", "xen-farm", "xensnmpd"

    def binary(self, name):
        return os.path.join(BUILD, "bin", name)

    def _arguments(self, name):
        if name == "snmpd":
            found = shutil.which("snmpd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
            if not found:
                raise LabError("snmpd is not installed: packaging/install-packages demo")
            return [found, "-f", "-C", "-c", self.path("snmpd.conf"), "-Lo", "-I",
                    "-smux,-mteTrigger,-mteTriggerConf"]
        if name == "xen-farm":
            command = [self.binary(name), "--socket", self.path("farm.sock"), "--seed", str(self.seed),
                       "--hosts", str(self.hosts), "--domains", str(self.domains)]
            command += ["--names", self.names] if self.names else []
            command += ["--speed", str(self.speed)] if self.speed else []
            return command + self.farm_options
        return [self.binary(name), "-c", self.path("xensnmpd.conf")]

    def start(self, name, arguments=None, shim=None):
        """Starts a program and waits until it serves. Its output goes to NAME.log in the folder. shim: faults put under
        it (tests/lib/shim.py)."""
        env = dict(os.environ, MIBS="", SNMPCONFPATH=self.path("snmp"), SNMP_PERSISTENT_DIR=self.path("snmp"),
                   G_DEBUG="fatal-criticals", **(shim.environment() if shim else {}))
        command = arguments or self._arguments(name)
        if not os.access(command[0], os.X_OK):
            raise LabError(f"{command[0]} is not there: make builds it")
        with open(self.path(name + ".log"), "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=env, cwd=self.folder, start_new_session=True,
                                       preexec_fn=_die_with_parent if self.leash else None)
        self.processes[name] = process
        if self.started:
            self.started(self)
        if name == "snmpd":
            self.wait(lambda: self._answers("1.3.6.1.2.1.1.3.0"), "snmpd answers", alive=name)
        elif name == "xen-farm":
            self.wait(lambda: "ready" in self.log(name), "xen-farm is ready", alive=name)
        return process

    def kill(self, name, how=signal.SIGKILL):
        """Ends a program and what it started; returns its exit status."""
        process = self.processes.pop(name, None)
        if process is None:
            return None
        if not _has_ended(process):
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
            deadline = Deadline(5)
            while not _has_ended(process) and not deadline.over():
                time.sleep(0.01)
            if not _has_ended(process):
                diag(f"{name} did not end within {deadline} of signal {how}: killed")
        # Not yet waited for, it still owns its number: the group can be no one else's.
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()

    def restart(self, name, how=signal.SIGTERM):
        status = self.kill(name, how)
        self.start(name)
        return status

    def pid(self, name):
        return self.processes[name].pid

    def workers(self):
        """Processes that run drivers: children of the daemon."""
        found = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline") as line:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                    if parent == self.pid("xensnmpd") and "--worker" in line.read():
                        found.add(int(pid))
            except OSError:  # ended meanwhile
                continue
        return found

    def cpu(self, name):
        """Seconds of processor time that a program has used."""
        return self.cpu_of(self.pid(name))

    @staticmethod
    def cpu_of(pid):
        """The same of any process."""
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log(self, name):
        try:
            with open(self.path(name + ".log"), errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    def show_logs(self, lines=30):
        for name in ("snmpd", "xen-farm", "xapi-farm", "xensnmpd"):
            text = self.log(name).splitlines()
            if text:
                diag(f"--- the end of {name}.log")
                diag("\n".join(text[-lines:]))

    def farm_ctl(self, *command):
        """`xen-farm ctl`: scripts faults, reads counts. Returns what it printed; raises if it failed."""
        result = subprocess.run([self.binary("xen-farm"), "ctl", self.path("farm.sock"), *command],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode:
            raise LabError(f"xen-farm ctl {' '.join(command)}: {result.stderr or result.stdout}")
        return result.stdout

    def xenctl(self, *arguments, stdin=None):
        """Runs xenctl against this estate; the CompletedProcess has returncode, stdout, stderr."""
        env = dict(os.environ, XENSNMP_CLIENT_CONFIG=self.path("client.conf"), SNMPCONFPATH=self.path("snmp"),
                   SNMP_PERSISTENT_DIR=self.path("snmp"))
        return subprocess.run([self.binary("xenctl"), *arguments], env=env, input=stdin or "",
                              capture_output=True, text=True)

    def write_client_conf(self):
        """What xenctl and the plugins read: version 2c by default, the SNMPv3 users as profiles."""
        with open(self.path("client.conf"), "w") as out:
            os.chmod(self.path("client.conf"), 0o600)
            out.write(f"[client]\nhost = 127.0.0.1:{self.port}\ntimeout = {max(2, int(2 * PATIENCE))}\n"
                      "version = 2c\ncommunity = public\nwrite_community = private\n")
            for name, (auth, priv) in USERS.items():
                out.write(f"[client {name}]\nversion = 3\nuser = {name}\nlevel = authPriv\n"
                          f"auth_protocol = SHA-256\nauth_password = {auth}\n"
                          f"priv_protocol = AES\npriv_password = {priv}\n")

    # --- waiting: polls, never sleeps for a fixed time

    def wait(self, condition, what, seconds=20, alive=None):
        """Until condition() is true; its value is returned. LabError names `what` when it stays false."""
        deadline = Deadline(seconds)
        pause = 0.02
        while True:
            try:
                value = condition()
            except (SnmpError, KeyError):  # a row that appears in the middle of a walk lacks its first columns
                value = None
            if value:
                return value
            for name in [alive] if alive else list(self.processes):
                if _has_ended(self.processes[name]):
                    raise LabError(f"{name} ended with status {self.kill(name)} while waiting until {what}")
            if deadline.over():
                raise LabError(f"waited {deadline} in vain until {what}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def wait_rows(self, seconds=30):
        """Until every domain of the farm has a row that knows its state."""
        def complete():
            states = [value for _, value in self.bulkwalk(self.oid("xenDomainState"), 50)]
            return len(states) >= self.domains + self.hosts and 1 not in states  # each host has its Domain-0
        self.wait(complete, f"{self.domains} domains have rows", seconds)

    def _answers(self, oid):
        return Client(self.client.address, self.client.auth, self.client.env["SNMPCONFPATH"],
                      timeout=0.3).get(oid) is not None

    # --- SNMP

    def user(self, who, timeout=None, context=None):
        """A client for a community, or for one of the SNMPv3 users `operator` and `monitor`; these may ask in an SNMP
        context, if snmpd lets them (ALL_CONTEXTS)."""
        if who in USERS:
            auth, priv = USERS[who]
            options = ["-v3", "-l", "authPriv", "-u", who, "-a", "SHA-256", "-A", auth, "-x", "AES", "-X", priv]
        else:
            options = ["-v2c", "-c", who]
        options += ["-n", context] if context else []
        return Client(f"127.0.0.1:{self.port}", options, self.path("snmp"), (timeout or 10) * PATIENCE)

    def get(self, *oids):
        return self.client.get(*oids)

    def getnext(self, *oids):
        return self.client.getnext(*oids)

    def walk(self, oid):
        return self.client.walk(oid)

    def bulkwalk(self, oid, repetitions=20):
        return self.client.bulkwalk(oid, repetitions)

    def set(self, *varbinds):
        """With the community that may write; "noError" or the name of the error."""
        return self.writer.set(*varbinds)

    # --- names

    def schema(self):
        """{object name: numeric OID}, from what the build made of the MIB."""
        if self._schema is None:
            self._schema, self._labels, self._indexes = read_objects(os.path.join(BUILD, "gen", "xen_mib.def"))
        return self._schema

    def labels(self, name):
        """{number: label} of an enumeration or BITS object."""
        self.schema()
        return self._labels.get(name, {})

    def oid(self, name, *parts):
        """The OID of an object by its name, with an index: oid("xenHostState", "host1"). Scalars: oid(name, 0)."""
        if len(parts) == 1 and isinstance(parts[0], tuple):
            parts = parts[0]
        return self.schema()[name] + ("." + index(*parts) if parts else "")

    def column(self, name):
        """{index: value} of one column; indexes as in table()."""
        base = self.schema()[name]
        kinds = self._indexes[base.rpartition(".")[0]]
        return {decode_index(oid[len(base) + 1:].split("."), kinds): value for oid, value in self.bulkwalk(base, 50)}

    def table(self, name):
        """{index: {column name: value}}; an index is an int or a str, or a tuple of them where there are several."""
        base = self.schema()[name]
        kinds = self._indexes[base + ".1"]
        columns = {oid: column for column, oid in self.schema().items() if oid.startswith(base + ".1.")}
        rows = {}
        for oid, value in self.bulkwalk(base):
            arcs = oid[len(base) + 1:].split(".")
            column = ".".join([base, *arcs[:2]])
            rows.setdefault(decode_index(arcs[2:], kinds), {})[columns.get(column, column)] = value
        return rows


def decode_index(arcs, kinds):
    """What the arcs behind a column stand for; kinds: a bool for each index object, is it a string."""
    arcs = [int(arc) for arc in arcs]
    parts = []
    for is_string in kinds:
        first = arcs.pop(0)
        parts.append(bytes(arcs[:first]).decode(errors="replace") if is_string else first)
        if is_string:
            del arcs[:first]
    return parts[0] if len(parts) == 1 else tuple(parts)


def read_objects(path):
    """({name: oid}, {name: {number: label}}, {entry's oid: [is the index a string]}) of the object list that the build
    made of the MIB."""
    oids, labels, strings, indexes = {}, {}, set(), {}
    with open(path) as text:
        for line in text:
            macro, _, rest = line.rstrip().rstrip(")").partition("(")
            name, _, rest = rest.partition(", ")
            if macro == "SN_OBJECT":
                oids[name] = re.search(r"[0-9, ]+$", rest).group(0).strip(", ").replace(", ", ".")
                if rest.split(", ")[1] == "STRING":
                    strings.add(name)
            elif macro == "SN_LABELS":
                labels[name] = {int(n): label for n, label in re.findall(r'\{([0-9]+), "([^"]*)"\}', rest)}
            elif macro == "SN_INDEX":
                indexes[name] = [word for word in rest.split(", ") if word != "SN_NONE"]
    return oids, labels, {oids[entry]: [name in strings for name in names] for entry, names in indexes.items() if names}
