#!/usr/bin/env python3
"""The check plugins against a private estate and a pool: every state, every line read by a parser of its own."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import nagios  # noqa: E402
from lab import BUILD, Lab, Stopwatch, diag, done, free_port, is_, ok  # noqa: E402
from xapi import PoolLab  # noqa: E402

OK, WARNING, CRITICAL, UNKNOWN = range(4)
RUNNING, PAUSED, SHUTDOWN, GUEST = 4, 8, 11, 1
PLUGINS = ["agent", "domain", "events", "host", "operations", "pool", "snapshots", "sr"]
HOSTILE = ["$(touch ruined)|x=1;2", "a='b' c", "`id`", "<b>&amp;</b>", "new;line\\n", "caf\u00e9", "x" * 200, "-w", "same", "same"]


def environment(lab, **extra):
    return dict(os.environ, XENSNMP_CLIENT_CONFIG=lab.path("client.conf"), HOME=lab.folder, **extra)


def check(lab, status, name, plugin, *words, says=None, env=None):
    """Runs a plugin; one test that it ends so, that its line can be read and says what it should. Returns the parsed line."""
    done_ = subprocess.run([lab.binary(f"check_xen_{plugin}"), *words], env=environment(lab, **(env or {})), stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=False)
    try:
        result = nagios.parse(done_.stdout)
        wrong = None
        if done_.returncode != status or result.state != nagios.STATES[status]:
            wrong = f"status {done_.returncode}, wanted {status}"
        elif says and not re.search(says, result.text):
            wrong = f"it does not say {says}"
        elif done_.stderr:
            wrong = "it speaks on stderr"
        elif judged(result) not in (None, status) and not says:
            wrong = f"its perfdata stand for {nagios.STATES[judged(result)]}"
    except nagios.NagiosError as error:
        result, wrong = None, str(error)
    if not ok(not wrong, name):
        diag(f"check_xen_{plugin} {' '.join(words)}: {wrong}\n{done_.stdout}{done_.stderr}")
    return result


def judged(result):
    """CRITICAL where a value lies outside of its range: what the perfdata say must be in the state. Else None."""
    alerts = [datum for datum in result.perf.values() if datum.value is not None and datum.crit and datum.crit.alerts(datum.value)]
    return CRITICAL if alerts else None


def guests(lab, state=None):
    """{index: row} of guests, in that state."""
    return {index: row for index, row in lab.table("xenDomainTable").items()
            if row["xenDomainKind"] == GUEST and state in (None, row["xenDomainState"])}


# --- usage

def test_usage(lab):
    for plugin in PLUGINS:
        program = lab.binary(f"check_xen_{plugin}")
        text = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
        is_((text.returncode, text.stdout.splitlines()[0], text.stderr), (UNKNOWN, f"usage: check_xen_{plugin} [OPTION]...", ""),
            f"check_xen_{plugin} --help")
        is_(sorted(set(re.findall(r"^  -(\w), --", text.stdout, re.M)) & set("HVcChtvw")), sorted("HVchtvw"),
            "it has the reserved options, and none for a secret")
        version = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
        ok(version.returncode == UNKNOWN and re.fullmatch(rf"check_xen_{plugin} v[\d.]+ \(xensnmp\)\n", version.stdout), "-V")
        check(lab, UNKNOWN, "wrong use is UNKNOWN", plugin, "--nothing", says="no option")
        check(lab, UNKNOWN, "so is a wrong range", plugin, "-w", "2:1", says="ends before it starts")
        check(lab, UNKNOWN, "and a word", plugin, "web1", says="options alone")


# --- an estate that is well

def test_well(lab):
    lab.wait(lambda: len(lab.column("xenHostCpuPercent")) == lab.hosts, "the agent knows how busy processors are")
    for plugin in ("agent", "host", "operations", "events", "snapshots"):
        check(lab, OK, f"check_xen_{plugin} of an estate that is well", plugin)
    result = check(lab, OK, "domains that may be in any state", "domain", "--expect=any")
    is_(result.perf["domains"].value, len(guests(lab)), "it counts the guests alone")
    check(lab, UNKNOWN, "there are no pools here", "pool", says="no pools found")
    check(lab, OK, "which may be well", "pool", "--empty=ok", says="no pools found")
    result = check(lab, OK, "one host", "host", "--name=host1", says=r"^host1: up, ")
    is_({name: datum.uom for name, datum in result.perf.items() if name in ("cpu", "memory", "free", "uptime", "received", "load")},
        {"cpu": "%", "memory": "%", "free": "B", "uptime": "s", "received": "c", "load": ""}, "its metrics have their units")
    row = lab.table("xenHostTable")["host1"]
    perf = lab.table("xenHostPerfTable")["host1"]
    is_((row["xenHostState"], result.perf["free"].value, result.perf["memory"].value),
        (2, perf["xenHostMemoryFree"] * 2 ** 20, perf["xenHostMemoryUsedPercent"] / 100), "with the agent's values")
    lines = check(lab, OK, "-vv has a line for each", "host", "-vv").lines
    is_([line.split(":")[0] for line in lines], ["OK host1", "OK host2"], "in order")
    ok(re.match(r"read 2 hosts of \d+ facts in \d+ ms", check(lab, OK, "-vvv tells more", "host", "-vvv").lines[0]), "such as the time")


def test_thresholds(lab):
    one = ("host", "--name=host1", "-w", "cpu=~:", "-c", "cpu=~:")
    memory = check(lab, OK, "a host's memory", *one).perf["memory"].value
    check(lab, WARNING, "a range makes it WARNING", *one, "-w", f"memory={memory - 1}", says="memory")
    check(lab, CRITICAL, "another CRITICAL, which counts first", *one, "-w", f"memory={memory - 1}", "-c", f"memory={memory - 1}:",
          "-c", f"memory=@{memory - 1}:{memory + 1}", says="memory")
    check(lab, OK, "ends belong to a range", *one, "-w", "running=0:1000", "-c", "memory=0%:100%")
    result = check(lab, WARNING, "ranges are in the perfdata", *one, "-w", "running=@0:1000")
    is_(str(result.perf["running"].warn), str(nagios.Range(0.0, 1000.0, True)), "as they were given")


def test_extra_opts(lab):
    with open(lab.path("plugins.ini"), "w") as out:
        out.write("[check_xen_host]\nwarning = running=@0:1000\n[calm]\nname=host1\nv\n")
    file = lab.path("plugins.ini")
    check(lab, WARNING, "--extra-opts, the plugin's own section", "host", f"--extra-opts=@{file}", says="running")
    check(lab, OK, "a section by name", "host", f"--extra-opts=calm@{file}", says="^host1: up")
    check(lab, WARNING, "found in the folders of NAGIOS_CONFIG_PATH", "host", "--extra-opts", env={"NAGIOS_CONFIG_PATH": lab.folder},
          says="running")
    check(lab, OK, "the command line wins", "host", f"--extra-opts=@{file}", "-w", "running=~:")
    check(lab, UNKNOWN, "a section that is not there", "host", f"--extra-opts=none@{file}", says="no section")
    check(lab, UNKNOWN, "a file that is not there", "host", "--extra-opts=@/nowhere/x.ini", says="No such file")


# --- domains

def test_domains(lab):
    running, stopped = (sorted(row["xenDomainName"] for row in guests(lab, state).values()) for state in (RUNNING, SHUTDOWN))
    whole = check(lab, CRITICAL, "those that do not run are CRITICAL", "domain", "-v")
    is_((whole.perf["critical"].value, whole.perf["ok"].value), (len(stopped), len(running)), "and counted")
    first = re.findall(r"\((\w+)\)", whole.text)[:len(stopped)]
    is_(first, ["shutdown"] * len(stopped), "the sick come first")
    index, row = next(iter(guests(lab, SHUTDOWN).items()))
    uuid = f"--uuid={row['xenDomainUuid']}"
    check(lab, CRITICAL, "a stopped one that is to run", "domain", uuid, says="shutdown")
    check(lab, OK, "one that is to be stopped", "domain", uuid, "--expect=stopped", says="shutdown")
    check(lab, WARNING, "a condition means something else here", "domain", uuid, "--state=state.shutdown=warning", says="shutdown")
    check(lab, OK, "stopped ones are left out", "domain", *(f"--exclude-uuid={r['xenDomainUuid']}" for r in guests(lab, SHUTDOWN).values()))
    index, row = next(iter(guests(lab, RUNNING).items()))
    uuid = f"--uuid={row['xenDomainUuid'].upper()}"
    result = check(lab, OK, "a running one, by its UUID in capitals", "domain", uuid, says="running, ")
    is_(result.perf["memory"].value, row["xenDomainMemory"] * 2 ** 20, "with its memory in octets")
    octets = check(lab, OK, "counters", "domain", uuid).perf["received"]
    ok(octets.uom == "c" and int(octets.raw) <= lab.get(lab.oid("xenDomainNetRxOctets", index)), "are the agent's, to the last octet")
    check(lab, CRITICAL, "it is to be stopped", "domain", uuid, "--expect=stopped", says="running")
    lab.set(lab.oid("xenDomainPower", index), "i", 5)
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", index)) == PAUSED, "it is paused")
    check(lab, CRITICAL, "a paused one that is to run", "domain", uuid, says="paused")
    check(lab, OK, "which any state allows", "domain", uuid, "--expect=any", says="paused")
    lab.wait(lambda: lab.set(lab.oid("xenDomainPower", index), "i", 6) == "noError", "the pause has ended")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", index)) == RUNNING, "it runs again")
    host = check(lab, OK, "those of one host", "domain", "--host=host1", "--expect=any").perf["domains"].value
    is_(host, sum(r["xenDomainHost"] == "host1" for r in guests(lab).values()), "are as many as it has")
    check(lab, UNKNOWN, "nothing of that name", "domain", "--name=nothing", says="nothing: not found")
    check(lab, CRITICAL, "whose absence may be CRITICAL", "domain", "--name=nothing", "--empty=critical", says="not found")
    check(lab, UNKNOWN, "nor by a pattern", "domain", "--glob=nothing*", says="no domains found")
    check(lab, UNKNOWN, "a wrong expression", "domain", "--regex=(", says="--regex")
    check(lab, UNKNOWN, "the control domain is none", "domain", "--name=Domain-0", says="not found")


def test_by_name(lab):
    """What is asked for by name is read alone, and the rest as ever."""
    def count(*asked, plugin="domain", status=OK):
        result = check(lab, status, " ".join([plugin, *asked])[:60], plugin, "-vvv", *asked)
        return int(re.match(r"read (\d+) ", result.lines[0]).group(1))

    whole = count("--expect=any")
    names = [row["xenDomainName"] for row in guests(lab).values()]
    one, two = [name for name in names if re.fullmatch(r"[a-z]+-\d+", name)][:2]  # the farm's own
    is_(count("--expect=any", "--name=" + "x" * 200), whole, "a name too long for the agent's index needs the whole table")
    is_(count("--expect=any", f"--name={one}"), 1, "one row for one name")
    is_(count("--expect=any", f"--name={one}", f"--name={two}"), 2, "two for two")
    is_(count("--expect=any", f"--name={two}", f"--name={one}", f"--name={two}"), 2, "in any order, however often")
    is_(count("--name=host2", "--name=host1", "--name=host2", plugin="host"), 2, "also of hosts")
    is_(count("--expect=any", "--name=same"), whole, "a name of several needs the whole table")
    is_(count("--expect=any", f"--name={one}", "--glob=x*"), whole, "so does a pattern")
    is_(count("--expect=any", "--name=nothing", status=UNKNOWN), whole, "and what is not found")
    label = next(f"{row['xenDomainHost']}/{one}" for row in guests(lab).values() if row["xenDomainName"] == one)
    check(lab, UNKNOWN, "HOST/NAME is no name", "domain", "--expect=any", f"--name={label}", says="not found")
    result = check(lab, UNKNOWN, "also beside the name", "domain", "--expect=any", f"--name={label}", f"--name={one}", says="1 unknown, 1 ok")
    is_(result.perf["domains"].value, 2, "which is there once")
    is_(count("--name=host2", plugin="host"), 1, "one host")
    is_(count("--name=host9", plugin="host", status=UNKNOWN), 2, "none of that name")


def test_hostile(lab):
    everything = check(lab, OK, "hostile names, all of them", "domain", "--expect=any", "-vvv")
    ok(sum("#" in label for label in everything.perf if label.endswith(" cpu")) == 2, "those of the same name keep apart")
    for name in sorted(set(HOSTILE)):
        result = check(lab, OK, f"by its name: {name[:24]}", "domain", f"--name={name}", "--expect=any", "-vv")
        ok(result and "not found" not in result.text, "is found")
    ok(not os.path.exists(lab.path("ruined")), "nothing was carried out")
    check(lab, UNKNOWN, "a hostile name that is not there", "domain", "--name=$(x)|`y`;\n<z>", says="not found")
    check(lab, UNKNOWN, "a hostile option", "domain", "--|$(x)\n", says="no option")


# --- what goes wrong

def test_operations(lab):
    index = next(iter(guests(lab, RUNNING)))
    lab.farm_ctl("fail", "pause", "driverError", "no | such `luck`; <b>")
    lab.set(lab.oid("xenDomainPower", index), "i", 5)
    lab.wait(lambda: any(row.get("xenOperationResult") == 4 for row in lab.table("xenOperationTable").values()), "it failed")
    result = check(lab, WARNING, "an operation that failed", "operations", says="failed 1.*failed: ")
    is_((result.perf["failed"].value, result.perf["lost"].value), (1, 0), "is counted")
    check(lab, OK, "failures of which some are allowed", "operations", "--state=result.failed=ok", "-c", "failed=1")
    check(lab, CRITICAL, "or none", "operations", "-c", "failed=0")
    time.sleep(2)
    check(lab, OK, "it is forgotten in time", "operations", "--since=1")
    check(lab, OK, "a domain's last operation", "domain", "--expect=any")
    check(lab, WARNING, "counts if it is to", "domain", "--expect=any", "--state=last.failed=warning", says="last operation failed")
    lab.farm_ctl("clear")
    lab.farm_ctl("hang", "pause")
    lab.set(lab.oid("xenDomainPower", sorted(guests(lab, RUNNING))[-1]), "i", 5)
    lab.wait(lambda: any(row.get("xenOperationState") == 3 and row.get("xenOperationElapsed", 0) > 1500
                         for row in lab.table("xenOperationTable").values()), "one runs on and on")
    check(lab, CRITICAL, "one that does not end", "operations", "-c", "runtime=1", says="running 1.*runtime")
    lab.farm_ctl("clear")


def test_events(lab):
    lab.farm_ctl("crash", guests(lab)[max(guests(lab, RUNNING))]["xenDomainUuid"])
    crashed = lab.wait(lambda: [row for row in lab.table("xenEventTable").values() if row["xenEventType"] == 5], "a domain crashed")[0]
    state = {2: WARNING, 3: WARNING, 4: CRITICAL, 5: CRITICAL}[crashed["xenEventSeverity"]]
    check(lab, state, "the crash of a domain", "events", "--type=domainCrashed", says="domainCrashed|crash")
    check(lab, CRITICAL, "it is in the state of domains, too", "domain", "--expect=any", says="crashed")
    label = lab.labels("xenEventSeverity")[crashed["xenEventSeverity"]]
    check(lab, OK, "severities can mean less", "events", "--type=domainCrashed", f"--state=severity.{label}=ok")
    check(lab, OK, "events of a type that were none", "events", "--type=hostUp")


def test_host_down(lab):
    lab.farm_ctl("host", "host2", "down")
    lab.wait(lambda: lab.get(lab.oid("xenHostState", "host2")) == 4, "host2 is down")
    check(lab, CRITICAL, "a host that is down", "host", says=r"1 critical, 1 ok - host2 \(down: ")
    check(lab, CRITICAL, "by its name", "host", "--name=host2", says="^host2: down: ")
    check(lab, OK, "the other is well", "host", "--exclude-name=host2")
    check(lab, WARNING, "the agent is not quite well", "agent", says="degraded: ")
    check(lab, UNKNOWN, "of its domains nothing is known", "domain", "--host=host2", "--expect=any", says="state unknown")
    check(lab, CRITICAL, "it is an event", "events", "--type=hostDown", says="hostDown|host2")
    lab.farm_ctl("host", "host2", "normal")
    lab.wait(lambda: lab.get(lab.oid("xenHostState", "host2")) == 2, "host2 is up")
    check(lab, OK, "and up again", "host")


def test_access(lab):
    check(lab, OK, "SNMPv3", "host", "--profile=monitor")
    check(lab, UNKNOWN, "a profile that is not there", "host", "--profile=nobody", says="no section")
    os.chmod(lab.path("client.conf"), 0o644)
    check(lab, UNKNOWN, "secrets that others can read", "host", says="chmod 600")
    os.chmod(lab.path("client.conf"), 0o600)
    with open(lab.path("wrong.conf"), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(open(lab.path("client.conf")).read().replace("monitor-auth-phrase", "another-auth-phrase"))
    check(lab, UNKNOWN, "a wrong pass phrase", "host", "--profile=monitor", f"--client-config={lab.path('wrong.conf')}", says="pass phrase")
    port = str(free_port())
    check(lab, CRITICAL, "nobody listens", "host", "-H", "127.0.0.1", "-p", port, says="nothing listens")
    check(lab, WARNING, "which may mean less", "host", "-H", f"127.0.0.1:{port}", "-t", "10:warning", says="nothing listens")
    check(lab, OK, "-H and -p", "host", "-H", "127.0.0.1", "-p", str(lab.port))


def test_silence(lab):
    """snmpd stands still: the plugin ends in its time, in the state that was chosen."""
    os.kill(lab.pid("snmpd"), 19)
    watch = Stopwatch()
    check(lab, CRITICAL, "no answer", "agent", "-t", "2", says="no answer within 2 s")
    ok(watch.seconds() < 6, "in its time")
    check(lab, UNKNOWN, "in the state that was chosen", "domain", "-t", "1:unknown", says="no answer within 1 s")
    os.kill(lab.pid("snmpd"), 18)
    lab.kill("xensnmpd")
    for plugin in PLUGINS:
        lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)) is None, "snmpd has missed the agent")
        check(lab, CRITICAL, f"the agent is not there: check_xen_{plugin}", plugin, says="xensnmpd is not connected")


# --- a hypervisor itself

# What moves from one look to the next.
MOVING = {"cpu", "hostcpu", "uptime", "age", "received", "sent", "read", "written"}


def steady(result):
    """Labels with their units and ranges, and the values that stay."""
    return {label: (datum.uom, str(datum.warn), str(datum.crit), datum.value if label.split()[-1] not in MOVING else datum.value is None)
            for label, datum in result.perf.items()}


def words(result):
    """The text without what moves."""
    return re.sub(r"(cpu|uptime) [^,]*", r"\1", result.text)


def same(lab, plugin, status, name, by_agent, directly, shared):
    """One source or the other: the same output for the same facts."""
    agent = check(lab, status, f"{name}, by the agent", plugin, *shared, *by_agent)
    direct = check(lab, status, f"{name}, directly", plugin, *shared, *directly)
    if agent and direct:
        is_(words(direct), words(agent), "say the same")
        is_(steady(direct), steady(agent), "with the same perfdata")
    return direct


def test_direct(lab):
    uri = f"--uri=sim://{lab.path('farm.sock')}/host1"
    direct = same(lab, "host", OK, "a host", [], [uri], ["--name=host1"])
    ok(0 < direct.perf["cpu"].value <= 100, "two polls tell how busy it is")
    same(lab, "domain", OK, "its domains", [], [uri], ["--host=host1", "--expect=any"])
    same(lab, "domain", CRITICAL, "those that do not run", [], [uri], ["--host=host1", "-v"])
    check(lab, UNKNOWN, "a scheme that nobody knows", "host", "--uri=http://host1", says="no driver")
    check(lab, UNKNOWN, "a password in a URI", "host", "--uri=ssh://root:secret@host1", says="^(?!.*secret)")
    check(lab, UNKNOWN, "a credential that is not there", "host", "--uri=https://127.0.0.1", "--credential=none",
          f"--credential-dir={lab.path('credentials')}", says="none")
    check(lab, UNKNOWN, "a plugin that asks the agent alone", "pool", uri, says="no option")
    for mode, status in (("down", CRITICAL), ("refuse", CRITICAL), ("auth", UNKNOWN), ("hostkey", UNKNOWN), ("hung", CRITICAL)):
        lab.farm_ctl("host", "host1", mode)
        check(lab, status, f"a host in mode {mode}", "host", uri, "-t", "2")
    check(lab, WARNING, "in the state that was chosen", "domain", uri, "-t", "2:warning")
    lab.farm_ctl("host", "host1", "normal")
    lab.wait(lambda: lab.get(lab.oid("xenHostState", "host1")) == 2, "host1 is up again")


def test_direct_pool(lab):
    way = [f"--uri={lab.pool.url(1).rstrip('/')}", "--credential=pool", f"--credential-dir={lab.path('credentials')}",
           f"--tls-ca={lab.pool.cert}"]
    rows = lab.guests()
    result = check(lab, OK, "the domains of a pool, directly", "domain", "--expect=any", *way)
    is_(result.perf["domains"].value, len(rows), "are all there")
    uuid, row = next((u, r) for u, r in rows.items() if r["xenDomainState"] == RUNNING)
    result = check(lab, OK, "one of them", "domain", f"--uuid={uuid}", *way, says="running")
    is_((result.perf["memory"].value, result.perf["received"].value), (row["xenDomainMemory"] * 2 ** 20, None),
        "has its memory; what it received nobody has counted")
    check(lab, OK, "its hosts", "host", *way, says="2 hosts, 2 ok")
    calm = ["-w", "used=~:,pathsdown=~:", "-c", "used=~:"]
    is_(steady(check(lab, OK, "its storage, directly", "sr", *calm, *way)), steady(check(lab, OK, "by the agent", "sr", *calm)),
        "has the same perfdata")
    check(lab, UNKNOWN, "a certificate that nobody vouches for", "host", *way[:-1], says="certificate")


# --- a pool

class Estate(PoolLab):
    def is_whole(self):
        return super().is_whole() and len(self.column("xenSrPathsUp")) >= 3


def test_pool(lab):
    check(lab, OK, "a pool that is well", "pool", says="up, ")
    check(lab, OK, "whose HA may be wanted", "pool", "--state=ha.false=ok")
    check(lab, WARNING, "or must be on", "pool", "--state=ha.false=warning", says="HA is off")
    result = check(lab, OK, "storage, however full", "sr", "-w", "used=~:", "-c", "used=~:")
    is_(result.perf["repositories"].value, len(lab.table("xenSrTable")), "all repositories")
    ref, shared = next((r, sr) for r, sr in lab.session.SR.get_all_records().items() if sr["shared"])
    uuid = f"--uuid={shared['uuid']}"
    size = int(shared["physical_size"])
    for percent, status in ((70, OK), (85, WARNING), (95, CRITICAL)):
        lab.pool.control("set", "SR", ref, "physical_utilisation", str(size * percent // 100))
        used = size * percent // 100 >> 20
        lab.wait(lambda: lab.get(lab.oid("xenSrUsed", "pool1", shared["uuid"])) == used, f"{percent} % are taken")
        result = check(lab, status, f"{percent} % of a repository", "sr", uuid)
        is_(round(result.perf["used"].value), percent, "in the perfdata")
    check(lab, OK, "which may be full", "sr", uuid, "-c", "used=96%", "-w", "~:")
    check(lab, OK, "or left out", "sr", f"--exclude-uuid={shared['uuid']}", "--empty=ok", "-w", "~:", "-c", "~:")
    pbd = next(r for r, pbd in lab.session.PBD.get_all_records().items() if pbd["SR"] == ref)
    lab.pool.control("set", "PBD", pbd, "currently_attached", "false")
    lab.turns("xenSrPathsUp", ("pool1", shared["uuid"]), 1, "a host loses it")
    check(lab, WARNING, "a path that is down", "sr", uuid, "-w", "~:", "-c", "~:", says="pathsdown 1")
    check(lab, CRITICAL, "may be worse", "sr", uuid, "-c", "pathsdown=0", says="pathsdown 1")


def test_snapshots(lab):
    uuid, row = next(iter(lab.guests().items()))
    ref = lab.vms()[uuid]["ref"]
    before = row["xenDomainSnapshots"]
    lab.session.VM.snapshot(ref, "now")
    lab.turns("xenDomainSnapshots", row["index"], before + 1, "a snapshot is taken")
    calm = ("snapshots", f"--uuid={uuid}", "-w", "oldest=~:", "-c", "oldest=~:")
    result = check(lab, OK, "snapshots of a domain", *calm)
    is_(result.perf["count"].value, before + 1, "are counted")
    ok(result.perf["newest"].value <= result.perf["oldest"].value + 1, "the newest is not older than the oldest")
    check(lab, WARNING, "too many", *calm, "-w", f"count={before}", says="count")
    check(lab, CRITICAL, "too old ones", "snapshots", f"--uuid={uuid}", "-c", "oldest=@0:", says="oldest")
    check(lab, CRITICAL, "none that is new", *calm, "-c", "newest=@0:", says="newest")


def test_selection_by_tag(lab):
    uuid, row = next(iter(lab.guests().items()))
    ref = lab.vms()[uuid]["ref"]
    lab.pool.control("set", "VM", ref, "tags", "['prod', 'checked']")
    lab.turns("xenDomainTags", row["index"], "prod, checked", "a domain has tags")
    check(lab, OK, "the one with a tag", "domain", "--tag=checked", "--expect=any", says="^(?!\\d)")
    rest = check(lab, OK, "those without", "domain", "--exclude-tag=checked", "--expect=any")
    is_(rest.perf["domains"].value, len(lab.guests()) - 1, "are the others")
    check(lab, OK, "those of the pool", "domain", "--host=pool1", "--expect=any")


def main():
    names = os.path.join(BUILD, "plugins.names")
    with open(names, "w") as out:
        out.write("".join(name + "\n" for name in HOSTILE))
    with Lab(hosts=2, domains=14, names=names) as lab:
        os.unlink(names)
        for test in (test_usage, test_well, test_thresholds, test_extra_opts, test_domains, test_by_name, test_hostile, test_direct, test_operations, test_events,
                     test_host_down, test_access, test_silence):
            test(lab)
    with Estate(hosts=2, domains=4) as lab:
        lab.begin()
        for test in (test_direct_pool, test_pool, test_snapshots, test_selection_by_tag):
            test(lab)
    done()


main()
