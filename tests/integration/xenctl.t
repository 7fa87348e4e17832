#!/usr/bin/env python3
"""xenctl against a private estate: every command, every exit status, terminals, hostile names, doctor, trust."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, PATIENCE, TOP, Lab, diag, done, free_port, is_, ok  # noqa: E402

OK, WRONG, REFUSED, FAILED, CANCELLED, TIMED_OUT, UNREACHABLE, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 4, 6, 7, 8, 130
RUNNING, PAUSED, SHUTDOWN = 4, 8, 11


def environment(lab):
    return dict(os.environ, XENSNMP_CLIENT_CONFIG=lab.path("client.conf"), HOME=lab.folder)


def exits(lab, status, name, *words, says=None, stdin=None):
    """Runs xenctl; one test of its exit status, and of what stdout or stderr says. Returns the CompletedProcess."""
    result = lab.xenctl(*words, stdin=stdin)
    good = result.returncode == status and (says is None or re.search(says, result.stdout + result.stderr))
    if not ok(good, name):
        diag(f"xenctl {' '.join(words)}\nstatus {result.returncode}, wanted {status}; says {says}\n"
             f"{result.stdout}{result.stderr}")
    return result


def parsed(result, name):
    """One test: stdout is one JSON value. Returns it."""
    try:
        value = json.loads(result.stdout)
    except ValueError as error:
        ok(False, name)
        diag(f"{error}\n{result.stdout!r}")
        return None
    ok(True, name)
    return value


def on_terminal(lab, words, answers=b"", until=None):
    """Runs xenctl on a terminal of its own, types `answers` once `until` was printed; (status, all it printed)."""
    child, master = pty.fork()
    if child == 0:
        os.execve(lab.binary("xenctl"), ["xenctl", *words], environment(lab))
    seen = b""
    with contextlib.suppress(OSError):  # EIO: the child has closed its end
        while True:
            if answers and (until is None or until in seen):
                os.write(master, answers)
                answers = b""
            piece = os.read(master, 4096)
            if not piece:
                break
            seen += piece
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen


def domain(lab, name):
    """(index, row) of a domain by name."""
    return next((i, row) for i, row in lab.table("xenDomainTable").items() if row["xenDomainName"] == name)


def pick(lab, state, host=None):
    """Name of a guest in that state, not the control domain."""
    return next(row["xenDomainName"] for row in lab.table("xenDomainTable").values()
                if row["xenDomainState"] == state and row["xenDomainKind"] == 1
                and host in (None, row["xenDomainHost"]))


def is_state(lab, name, state):
    lab.wait(lambda: domain(lab, name)[1]["xenDomainState"] == state, f"{name} is in state {state}")
    return True


def running_op(lab):
    """A row may appear in the middle of a walk: its first columns are missed then."""
    def one():
        return next((i for i, r in lab.table("xenOperationTable").items() if r.get("xenOperationState") == 3), None)
    return lab.wait(one, "an operation runs")


# --- looking

def test_lists(lab):
    table = lab.table("xenDomainTable")
    rows = parsed(exits(lab, OK, "domains as JSON", "domains", "--json"), "domains prints valid JSON") or []
    is_({r["index"]: (r["name"], r["host"]) for r in rows},
        {i: (r["xenDomainName"], r["xenDomainHost"]) for i, r in table.items()}, "domains lists what the table has")
    text = exits(lab, OK, "domains of one host", "domains", "host1").stdout
    is_(len(text.splitlines()) - 1, sum(r["xenDomainHost"] == "host1" for r in table.values()), "those of host1 alone")
    hosts = parsed(exits(lab, OK, "hosts as JSON", "hosts", "--json"), "hosts prints valid JSON") or []
    is_([(h["label"], h["state"]) for h in hosts], [("host1", "up"), ("host2", "up"), ("host3", "up")], "all hosts are up")
    name = pick(lab, RUNNING)
    index, row = domain(lab, name)
    for way in (name, f"{row['xenDomainHost']}/{name}", f"#{index}", row["xenDomainUuid"], row["xenDomainUuid"].upper()):
        shown = parsed(exits(lab, OK, f"show {way}", "show", way, "--json"), "show prints valid JSON") or {}
        is_((shown.get("index"), shown.get("uuid")), (index, row["xenDomainUuid"]), f"{way} is domain {index}")
    exits(lab, OK, "show a host", "show", "host2", says=r"memoryTotal +\d+ mebibytes")
    for words in (["show", "nothing"], ["show", "#99999"], ["show", ""], ["op", "99999"], ["oid", "x" * 200],
                  ["show", "x" * 100], ["start", "00000000-1111-2222-3333-444444444444"]):
        exits(lab, NOT_FOUND, f"no such thing: {words[0]} {words[1][:20]}", *words)
    exits(lab, NOT_FOUND, "a name of several is refused with the choice", "pause", "Domain-0",
          says=r"several.*#\d+ host\d/Domain-0, #\d+ host\d/Domain-0")


def test_oids(lab):
    name = pick(lab, RUNNING)
    index, _ = domain(lab, name)
    oid = exits(lab, OK, "oid of one column", "oid", name, "state").stdout.strip()
    is_(oid, lab.oid("xenDomainState", index), "is that of the schema")
    is_(lab.get(oid), RUNNING, "and snmpget takes it")
    is_(exits(lab, OK, "a host's", "oid", "host1", "xenHostState").stdout.strip(), lab.oid("xenHostState", "host1"),
        "with the text index")
    lines = exits(lab, OK, "all of a domain", "oid", name).stdout.splitlines()
    wrong = [line for line in lines if lab.oid(line.split()[2], index) != line.split()[0]]
    ok(len(lines) > 40 and not wrong, "every line has the number of its name") or diag("\n".join(wrong))
    exits(lab, NOT_FOUND, "no such column", "oid", name, "colour")


# --- acting

def test_verbs(lab):
    name = pick(lab, SHUTDOWN)
    started = exits(lab, OK, "start", "start", name, "--note", "ticket 7", says="ok: ")
    is_(started.stdout.count("\n"), 1, "stdout has the result alone")
    op = int(re.search(r"operation (\d+)", started.stdout).group(1))
    is_(lab.table("xenOperationTable")[op]["xenOperationNote"], "ticket 7", "the note is kept")
    merged = exits(lab, OK, "the same at once again", "start", name, says="asked for before")
    ok(f"operation {op}," in merged.stdout, "is the same operation")
    for verb, state in (("pause", PAUSED), ("unpause", RUNNING), ("reboot", RUNNING), ("reset", RUNNING),
                        ("shutdown", SHUTDOWN), ("start", RUNNING), ("destroy", SHUTDOWN)):
        exits(lab, OK, verb, verb, name, says="ok: ")
        ok(is_state(lab, name, state), f"{name} is in the state that {verb} wants")
    home = domain(lab, name)[1]["xenDomainHost"]
    away = next(host for host in lab.host_names() if host != home)
    exits(lab, REFUSED, "start on a host that lacks its configuration", "start", name, "--on", away, says="noStorage")
    exits(lab, OK, "start on the host that has it", "start", name, "--on", home, says="ok: ")
    moving = pick(lab, RUNNING, "host1")
    index, row = domain(lab, moving)
    result = parsed(exits(lab, OK, "check-migrate", "check-migrate", moving, "host2", "--json"), "prints valid JSON") or {}
    is_((result.get("result"), result.get("exit")), ("ok", 0), "the check ended ok")
    exits(lab, OK, "migrate", "migrate", f"#{index}", "host2")
    after = lab.wait(lambda: domain(lab, moving)[1]["xenDomainHost"] == "host2" and domain(lab, moving), "it is there")
    is_((after[0], after[1]["xenDomainUuid"]), (index, row["xenDomainUuid"]), "index and uuid stay")
    status, seen = on_terminal(lab, ["migrate", moving, "host1"])
    is_(status, OK, "migrate on a terminal")
    ok(seen.count(b"\r\x1b[K") > 1 and seen.count(b"\n") == 1, "writes over one line") or diag(repr(seen))


def test_exits(lab):
    name = pick(lab, RUNNING, "host3")
    refused = exits(lab, REFUSED, "a start of what runs is refused", "start", name, says=r"badState.*Cure: ")
    is_(refused.stdout, "", "nothing on stdout")
    shown = parsed(exits(lab, REFUSED, "with --json", "start", name, "--json"), "prints valid JSON after an error too") or {}
    is_((shown.get("error"), shown.get("exit")), ("refused", REFUSED), "that says so")
    exits(lab, REFUSED, "no such destination", "migrate", name, "nowhere", says="noSuchHost")
    exits(lab, REFUSED, "dom0 takes no action", "reboot", "host1/Domain-0", says="noAccess")
    exits(lab, REFUSED, "a user who may read only", "--profile", "monitor", "pause", name, says="snmpd does not let")
    exits(lab, OK, "SNMPv3 with privacy", "--profile", "operator", "pause", name)
    exits(lab, OK, "and back", "--profile", "operator", "unpause", name)
    lab.farm_ctl("fail", "pause", "driverError", "the sky fell", "1")
    exits(lab, FAILED, "an operation that fails", "pause", name, says=r"failed \(driverError\): .*the sky fell")
    lab.farm_ctl("hang", "reboot", "2")
    exits(lab, TIMED_OUT, "an operation that takes too long", "reboot", name, "--timeout", "1", says="timedOut")
    # Another domain: an equal request right after the end of one counts as the same.
    other = pick(lab, RUNNING, "host1")
    waiting = subprocess.Popen([lab.binary("xenctl"), "reboot", other], env=environment(lab), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    op = running_op(lab)
    exits(lab, OK, "cancel", "cancel", str(op), says="cancelled")
    out, err = waiting.communicate(timeout=30 * PATIENCE)
    is_(waiting.returncode, CANCELLED, "who waited for it is told") or diag(out + err)
    exits(lab, REFUSED, "cancel of what has ended", "cancel", str(op))
    lab.farm_ctl("clear")
    other = pick(lab, RUNNING, "host2")
    exits(lab, OK, "--no-wait", "reboot", other, "--no-wait", says="accepted, operation")
    lab.wait(lambda: not any(r.get("xenOperationState") != 5 for r in lab.table("xenOperationTable").values()), "all ended")


def test_interrupt(lab):
    name = pick(lab, RUNNING, "host2")
    lab.farm_ctl("hang", "pause", "1")
    waiting = subprocess.Popen([lab.binary("xenctl"), "pause", name], env=environment(lab), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    op = running_op(lab)
    # Its first line of progress shows that it waits, and so listens to signals.
    first = waiting.stderr.readline()
    ok(re.fullmatch(rf"pause {name}: \w.*\n", first), "phases are lines where stderr is no terminal") or diag(first)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=30 * PATIENCE)
    is_(waiting.returncode, INTERRUPTED, "interrupted") or diag(first + err)
    ok(f"cancel {op}" in err, "it says how to stop the operation")
    is_(lab.table("xenOperationTable")[op]["xenOperationState"], 3, "which goes on")
    exits(lab, OK, "until cancelled", "cancel", str(op))
    lab.farm_ctl("clear")


def test_restart(lab):
    """The agent may be restarted while xenctl waits."""
    name = pick(lab, RUNNING, "host1")
    lab.farm_ctl("hang", "pause", "1")
    waiting = subprocess.Popen([lab.binary("xenctl"), "pause", name], env=environment(lab), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    op = running_op(lab)
    lab.restart("xensnmpd")
    lab.wait(lambda: op in lab.table("xenOperationTable"), "the operation is back")
    lab.farm_ctl("clear")
    out, err = waiting.communicate(timeout=90 * PATIENCE)
    is_(waiting.returncode, OK, "an operation is followed through a restart of the agent") or diag(out + err)
    exits(lab, OK, "and back", "unpause", name)


def executions(lab, name):
    return int(re.search(r"executions=(\d+)", lab.farm_ctl("domain", name)).group(1))


def test_once(lab):
    """Many at the same moment: one execution."""
    name = pick(lab, RUNNING, "host3")
    before = executions(lab, name)
    running = [subprocess.Popen([lab.binary("xenctl"), "reset", name], env=environment(lab), stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True) for _ in range(5)]
    texts = [p.communicate(timeout=60 * PATIENCE)[0] for p in running]
    is_([p.returncode for p in running], [OK] * 5, "five equal resets at once all end ok")
    is_(len({re.search(r"operation (\d+)", t).group(1) for t in texts}), 1, "they are one operation")
    is_(executions(lab, name) - before, 1, "executed once")


HOSTILE = ["--json", "$(id) `id` *", "'\"\\ %s", "x\x1b[31mred\x07\ttab", "ä€😀", "#7"]


def test_names(lab):
    name = pick(lab, RUNNING, "host3")
    index, row = domain(lab, name)
    for hostile in HOSTILE:
        try:
            lab.farm_ctl("rename", row["xenDomainUuid"], hostile)
        except Exception as error:  # the farm takes what Xen takes
            diag(f"not taken by the farm: {hostile!r}: {error}")
            continue
        shown = lab.wait(lambda old=row: lab.get(lab.oid("xenDomainName", index)) != old["xenDomainName"] and
                         lab.table("xenDomainTable")[index], "the new name is there")
        served, row = shown["xenDomainName"], shown
        listed = exits(lab, OK, f"listing with the name {hostile!r}", "domains")
        ok(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", listed.stdout), "no control character reaches the terminal")
        rows = parsed(exits(lab, OK, "as JSON", "domains", "--json"), "valid JSON") or []
        is_(next((r["name"] for r in rows if r["index"] == index), None), served, "the name itself is in it")
        way = [f"host3/{served}"] if served.startswith("#") else ["--", served]
        exits(lab, OK, "acting by that name", "pause", *way)
        exits(lab, OK, "and by number", "unpause", f"#{index}")
    lab.farm_ctl("rename", row["xenDomainUuid"], name)
    lab.wait(lambda: lab.get(lab.oid("xenDomainName", index)) == name, "the old name is back")


def test_create(lab):
    exits(lab, FAILED, "create from a file that is not there", "create", "host1", "/etc/xen/none.cfg", "--note", "n",
          says="create .*failed")
    exits(lab, REFUSED, "create from outside the allowed folders", "create", "host1", "/tmp/evil.cfg")
    exits(lab, REFUSED, "create on a host nobody knows", "create", "nowhere", "/etc/xen/a.cfg")
    exits(lab, NOT_FOUND, "create on what can't be a host", "create", "no host", "/etc/xen/a.cfg")


def test_watch(lab):
    name = pick(lab, RUNNING, "host1")
    watching = subprocess.Popen([lab.binary("xenctl"), "watch", "--interval", "1", "--json"], env=environment(lab),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = []
    end = time.monotonic() + 30 * PATIENCE
    while time.monotonic() < end and not seen:
        lab.farm_ctl("pause", domain(lab, name)[1]["xenDomainUuid"])
        lab.wait(lambda: domain(lab, name)[1]["xenDomainState"] == PAUSED, "paused by hand")
        line = json.loads(watching.stdout.readline())
        seen += [line] if line.get("domain") == name and line["after"] == "paused" else []
    ok(seen, "watch tells of a domain paused by hand")
    lab.farm_ctl("unpause", domain(lab, name)[1]["xenDomainUuid"])
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=30 * PATIENCE)
    is_(watching.returncode, OK, "Ctrl-C ends it")
    is_state(lab, name, RUNNING)


def test_events(lab):
    name = pick(lab, RUNNING, "host1")
    first, last = lab.get(lab.oid("xenEventFirstSerial", 0), lab.oid("xenEventLastSerial", 0))
    text = exits(lab, OK, "events", "events", "--last", "100000", says=r"^1 \S+ info agentStarted xensnmpd: started").stdout
    is_([int(line.split()[0]) for line in text.splitlines()][:last], list(range(first, last + 1)), "all events, a line each")
    rows = parsed(exits(lab, OK, "events as JSON", "events", "--json", "--last", "3"), "events prints valid JSON") or []
    end = rows[-1]["serial"]
    is_([r["serial"] for r in rows], list(range(end - 2, end + 1)), "the last three")
    table = lab.table("xenEventTable")
    is_([(r["object"], r["text"], r["host"]) for r in rows],
        [(table[r["serial"]]["xenEventObject"], table[r["serial"]]["xenEventText"], table[r["serial"]].get("xenEventHost"))
         for r in rows], "what the table has, and null for what is none")
    is_(exits(lab, OK, "no events", "events", "--json", "--last", "0").stdout.strip(), "[]", "an empty list")
    exits(lab, WRONG, "events with an option of others", "events", "--note", "x", says="does not go with events")

    following = subprocess.Popen([lab.binary("xenctl"), "events", "--follow", "--last", "1", "--interval", "1", "--json"],
                                 env=environment(lab), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = [json.loads(following.stdout.readline())]
    ok(seen[0]["serial"] >= end, "follow begins with the last one")
    index, row = domain(lab, name)

    def read_until(text):
        while (seen[-1]["domainIndex"], seen[-1]["text"]) != (index, text):
            seen.append(json.loads(following.stdout.readline()))
    lab.farm_ctl("pause", row["xenDomainUuid"])
    read_until("running -> paused")
    is_((seen[-1]["type"], seen[-1]["object"]), ("domainState", name), "it tells of a domain paused by hand")
    lab.restart("xensnmpd")
    lab.farm_ctl("unpause", row["xenDomainUuid"])
    read_until("paused -> running")
    is_([event["serial"] for event in seen], list(range(seen[0]["serial"], seen[-1]["serial"] + 1)),
        "it goes on through a restart of the agent, without a gap")
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=30 * PATIENCE)
    is_(following.returncode, OK, "Ctrl-C ends it")
    lab.wait_rows()
    is_state(lab, name, RUNNING)


# --- sources, credentials, trust

def test_sources(lab):
    uri = f"sim://{lab.path('farm.sock')}/host1"
    exits(lab, OK, "source list", "source", "list", says="host1 .*sim://")
    exits(lab, REFUSED, "one from the configuration file stays", "source", "remove", "host1", says="configuration file")
    exits(lab, OK, "source remove of the lot's own", "source", "add", "again", uri, "--interval", "5", says="again: up")
    is_(lab.table("xenSourceTable")["again"]["xenSourceInterval"], 5, "with its interval")
    exits(lab, REFUSED, "a key that is taken", "source", "add", "again", uri)
    exits(lab, OK, "source remove", "source", "remove", "again", says="removed")
    exits(lab, NOT_FOUND, "which is gone then", "source", "remove", "again")
    exits(lab, REFUSED, "a password in the URI", "source", "add", "bad", "ssh://root:secret@192.0.2.1")
    exits(lab, REFUSED, "a scheme nobody knows", "source", "add", "bad", "gopher://192.0.2.1")
    exits(lab, REFUSED, "an unknown credential", "source", "add", "bad", uri, "--credential", "none")
    exits(lab, FAILED, "one that can't be reached", "source", "add", "dead", f"sim://{lab.path('nothing')}/x", says="Cure: ")
    exits(lab, OK, "is registered all the same", "source", "remove", "dead")


def test_credentials(lab):
    folder = ["--credential-dir", lab.path("credentials")]
    exits(lab, OK, "credential add", "credential", "add", "key1", "--uri", "ssh://root@192.0.2.*", "--key", "/k/id", *folder)
    exits(lab, WRONG, "not twice", "credential", "add", "key1", "--uri", "ssh://x", "--key", "/k/id", *folder)
    exits(lab, OK, "but with --replace", "credential", "add", "key1", "--uri", "ssh://x", "--ssh-agent", "--replace", *folder)
    exits(lab, OK, "a password from stdin", "credential", "add", "pass1", "--uri", "https://pool/*", "--user", "root",
          "--password-stdin", *folder, stdin="sesame open\n")
    path = lab.path("credentials", "pass1")
    is_(os.stat(path).st_mode & 0o7777, 0o600, "mode 0600")
    ok("sesame open" in open(path).read(), "it is in the file")
    is_(exits(lab, OK, "credential list", "credential", "list", *folder).stdout, "key1\npass1\n", "names only")
    is_(json.loads(lab.xenctl("credential", "list", "--json", *folder).stdout), ["key1", "pass1"], "as JSON too")
    for words in (["x/y", "--ssh-agent", "--uri", "a"], ["ok", "--uri", "a"], ["ok", "--ssh-agent"],
                  ["ok", "--uri", "a", "--key", "relative"]):
        exits(lab, WRONG, f"wrong: {' '.join(words)}", "credential", "add", *words, *folder)


class Sshd:
    """An OpenSSH server that shows its key; nobody logs in."""

    def __init__(self, lab):
        import socket
        self.lab = lab
        self.port = free_port(socket.SOCK_STREAM)
        self.process = None

    def start(self):
        key = self.lab.path("ssh_host_key")
        with contextlib.suppress(FileNotFoundError):
            os.remove(key)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, input="y\n", text=True)
        config = self.lab.path("sshd_config")
        with open(config, "w") as out:
            out.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\nUsePAM no\n")
        os.makedirs("/run/sshd", exist_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fingerprint = subprocess.run(["ssh-keygen", "-lf", key + ".pub"], check=True, capture_output=True, text=True).stdout
        return fingerprint.split()[1]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def trusted(lab):
    with open(lab.path("trusted")) as text:
        return [line.split()[-1] for line in text if line.strip()]


def test_trust(lab):
    sshd = Sshd(lab)
    first = sshd.start()
    words = ["trust", f"ssh://root@127.0.0.1:{sshd.port}", "--known-hosts", lab.path("trusted")]
    open(lab.path("trusted"), "w").close()
    lab.wait(lambda: first in lab.xenctl(*words).stderr, "sshd shows its key")
    exits(lab, REFUSED, "without a terminal nothing is trusted", *words, says="--yes " + re.escape(first))
    exits(lab, REFUSED, "another fingerprint is refused", *words, "--yes", "SHA256:" + "A" * 43, says="nothing was changed")
    is_(trusted(lab), [], "nothing was written")
    status, seen = on_terminal(lab, words, b"no\n", b"Type yes")
    is_((status, first.encode() in seen, trusted(lab)), (REFUSED, True, []), "no means no")
    status, seen = on_terminal(lab, words, b"yes\n", b"Type yes")
    is_((status, len(trusted(lab))), (OK, 1), "yes adds it") or diag(repr(seen))
    exits(lab, OK, "a second time nothing changes", *words, says="trusted already")
    old = trusted(lab)
    sshd.stop()
    second = sshd.start()
    lab.wait(lambda: second in lab.xenctl(*words).stderr, "sshd shows another key")
    exits(lab, REFUSED, "a changed key is told as such", *words, says="ANOTHER KEY")
    exits(lab, REFUSED, "the old fingerprint does not help", *words, "--yes", first)
    is_(trusted(lab), old, "nothing was written")
    exits(lab, OK, "the new one does", *words, "--yes", second)
    ok(len(trusted(lab)) == 1 and trusted(lab) != old, "it takes the place of the old one")
    uri = f"ssh://root@127.0.0.1:{sshd.port}"
    lab.set((lab.oid("xenSourceUri", "box"), "s", uri), (lab.oid("xenSourceRowStatus", "box"), "i", 4))
    exits(lab, OK, "a source by its key", "trust", "box", "--known-hosts", lab.path("trusted"), says="trusted already")
    exits(lab, OK, "which goes again", "source", "remove", "box")
    sshd.stop()
    exits(lab, WRONG, "a host that does not answer", *words)
    exits(lab, NOT_FOUND, "a source nobody knows", "trust", "unknown")
    exits(lab, WRONG, "a source with neither", "trust", "host1", says="no SSH host key or certificate")


class Tls:
    """tests/lib/tls_server.py: HTTPS servers by name, ports[name]."""

    def __init__(self, lab):
        self.folder = lab.path("tls")
        os.makedirs(self.folder, exist_ok=True)
        self.process = subprocess.Popen([os.path.join(TOP, "tests/lib/tls_server.py"), self.folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        words = iter(self.process.stdout.readline, "ready\n")
        self.ports = dict(line.split() for line in words)

    def fingerprint(self, name):
        """As people see it on the host: with the command that xenctl tells them."""
        said = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", os.path.join(self.folder, name + ".pem")],
                              check=True, capture_output=True, text=True).stdout
        return said.strip().partition("=")[2]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def test_trust_certificate(lab):
    tls = Tls(lab)
    pins = lab.path("pins")
    port, shown, digits = tls.ports["self"], tls.fingerprint("self"), tls.fingerprint("self").replace(":", "").lower()
    words = ["trust", f"https://127.0.0.1:{port}", "--tls-pins", pins]
    said = exits(lab, REFUSED, "without a terminal no certificate is trusted", *words, says="--yes " + re.escape(shown)).stderr
    ok("CN = itself" in said and "ends     20" in said and "openssl x509" in said, "it is shown, and how to compare it") or diag(said)
    exits(lab, REFUSED, "another fingerprint is refused", *words, "--yes", tls.fingerprint("name"), says="nothing was changed")
    status, seen = on_terminal(lab, words, b"no\n", b"Type yes")
    is_((status, shown.encode() in seen, os.path.exists(pins)), (REFUSED, True, False), "no means no: nothing was written")
    status, seen = on_terminal(lab, words, b"yes\n", b"Type yes")
    is_((status, open(pins).read()), (OK, f"127.0.0.1:{port} {digits}\n"), "yes pins it") or diag(repr(seen))
    is_(os.stat(pins).st_mode & 0o7777, 0o644, "for the daemon to read")
    exits(lab, OK, "a second time nothing changes", *words, says="trusted already: certificate " + shown)
    with open(pins, "w") as out:
        out.write(f"# ours\nother:443 {digits}\n127.0.0.1:{port} {'0' * 64}\n")
    exits(lab, REFUSED, "a changed certificate is told as such", *words, says="ANOTHER CERTIFICATE")
    added = parsed(exits(lab, OK, "a script may say it without colons", *words, "--yes", digits, "--json"), "and hears JSON")
    is_(added, {"type": "certificate", "fingerprint": shown, "added": True}, "that says what was trusted")
    is_(open(pins).read(), f"# ours\nother:443 {digits}\n127.0.0.1:{port} {digits}\n", "it takes the place of the old one")
    with open(pins, "a") as out:
        out.write("nonsense\n")
    exits(lab, WRONG, "a file with nonsense in it", *words, says=r"pins:4: ")
    os.remove(pins)
    exits(lab, REFUSED, "the end of a certificate is told", "trust", f"https://127.0.0.1:{tls.ports['expired']}", "--tls-pins", pins,
          says="2020-02-01 00:00:00 UTC .over")
    exits(lab, WRONG, "a server that speaks no TLS", "trust", f"https://127.0.0.1:{tls.ports['plain']}", says="HTTPS")
    with open(lab.path("other.conf"), "w") as out:
        out.write(f"[agent]\ntls_pins = {pins}\n")
    exits(lab, OK, "the configuration says where pins are", *words[:2], "--config", lab.path("other.conf"), "--yes", shown)
    is_(open(pins).read(), f"127.0.0.1:{port} {digits}\n", "and there it is")
    tls.stop()
    exits(lab, WRONG, "a host that does not answer", *words)


# --- doctor

def doctor(lab, status, name, says, *more):
    return exits(lab, status, name, "doctor", "--snmpd-conf", lab.path("snmpd.conf"), "--config", lab.path("xensnmpd.conf"),
                 *more, says=says)


def test_doctor(lab):
    doctor(lab, FAILED, "doctor finds the socket that all may open", r"ILL agentx socket .*every user")
    os.chmod(lab.path("agentx"), 0o660)
    doctor(lab, OK, "doctor is content", r"all well")
    findings = parsed(doctor(lab, OK, "as JSON", None, "--json"), "doctor prints valid JSON") or []
    ok(findings and all(f["verdict"] == "ok" for f in findings), "all findings ok")
    with open(lab.path("poor.conf"), "w") as out:
        out.write("agentXTimeout 1\nmaxGetbulkResponses -1\n")
    poor = exits(lab, FAILED, "a poor snmpd.conf", "doctor", "--snmpd-conf", lab.path("poor.conf"), "--config",
                 lab.path("xensnmpd.conf"), "--agentx-socket", lab.path("none"))
    for cure in ("master agentx", "agentXTimeout 5", "maxGetbulkResponses 1000", "sendMessageMaxSize 65000"):
        ok(re.search("cure: .*" + cure, poor.stdout), f"cure: {cure}")
    ok(re.search("ILL agentx socket .*No such file", poor.stdout), "and a socket that is not there")
    lab.farm_ctl("host", "host2", "down")
    lab.wait(lambda: lab.table("xenSourceTable")["host2"]["xenSourceState"] != 2, "host2 is not up")
    doctor(lab, FAILED, "a source that is down", r"ILL sources +source host2 is \w+: .*\n +cure: \w+")
    exits(lab, OK, "the lists stay", "hosts", says=r"host2 +(degraded|down)")
    lab.farm_ctl("host", "host2", "normal")
    lab.wait(lambda: lab.table("xenSourceTable")["host2"]["xenSourceState"] == 2, "host2 is up again")
    doctor(lab, OK, "well again", "all well")


def test_away(lab):
    lab.kill("xensnmpd", signal.SIGTERM)
    lab.wait(lambda: lab.xenctl("hosts").returncode == UNREACHABLE, "snmpd has noticed")
    exits(lab, UNREACHABLE, "no xensnmpd", "domains", says="xensnmpd is not connected")
    doctor(lab, FAILED, "doctor says so", r"ILL xensnmpd +snmpd has nothing")
    lab.kill("snmpd", signal.SIGTERM)
    exits(lab, UNREACHABLE, "no snmpd", "hosts", says="nothing listens there")
    shown = parsed(exits(lab, UNREACHABLE, "with --json", "hosts", "--json"), "valid JSON") or {}
    is_(shown.get("error"), "unreachable", "that says so")
    doctor(lab, FAILED, "doctor says so", "nothing listens")


# --- alone

def test_use(lab):
    commands = re.findall(r"^  ([a-z][a-z-]*(?: (?:add|list|remove))?)(?: [A-Z\[].*)?  ", exits(lab, OK, "help", "help").stdout, re.M)
    ok(len(commands) > 25, f"help lists {len(commands)} commands")
    is_([c for c in commands if lab.xenctl("help", *c.split()).returncode], [], "help explains each")
    exits(lab, OK, "version", "version", says=r"^xenctl \d+\.\d+\.\d+$")
    rules = exits(lab, OK, "completion", "completion").stdout
    is_(subprocess.run(["bash", "-n"], input=rules, text=True, check=False).returncode, 0, "bash takes it")
    for words in ([], ["nothing"], ["start"], ["start", "a", "b"], ["hosts", "--note", "x"], ["op", "x"]):
        exits(lab, WRONG if words else OK, f"use: {' '.join(words) or 'nothing'}", *words)
    os.chmod(lab.path("client.conf"), 0o644)
    exits(lab, WRONG, "a client file that others may read", "hosts", says="chmod 600")
    os.chmod(lab.path("client.conf"), 0o600)
    exits(lab, UNREACHABLE, "a user the agent does not know", "--client-config", strangers_file(lab), "hosts", says="user")


def strangers_file(lab):
    path = lab.path("stranger.conf")
    with open(path, "w") as out:
        os.chmod(path, 0o600)
        out.write(f"[client]\nhost = 127.0.0.1:{lab.port}\nversion = 3\nuser = stranger\nauth_password = 12345678\n"
                  "priv_password = 12345678\n")
    return path


class Pool(Lab):
    """One source for the whole farm, as a pool of XAPI is: any host of it can start a halted domain."""

    def farm_sources(self):
        self.sources["pool"] = {"uri": f"sim://{self.path('farm.sock')}/@all"}


def test_pool(lab):
    name = pick(lab, SHUTDOWN)
    index, row = domain(lab, name)
    away = next(host for host in lab.table("xenHostTable") if host != row["xenDomainHost"])
    exits(lab, OK, "start on another host of the pool", "start", name, "--on", away, says="ok: ")
    after = lab.wait(lambda: domain(lab, name)[1]["xenDomainHost"] == away and domain(lab, name), f"it is on {away}")
    is_((after[0], after[1]["xenDomainUuid"]), (index, row["xenDomainUuid"]), "index and uuid stay")


def test_off(lab):
    name = pick(lab, RUNNING)
    exits(lab, REFUSED, "control is off: refused", "pause", name, says="notWritable")
    exits(lab, OK, "doctor mentions it", "doctor", "--snmpd-conf", lab.path("snmpd.conf"), "--config",
          lab.path("xensnmpd.conf"), says="control is off")


ok(os.access(os.path.join(BUILD, "bin", "xenctl"), os.X_OK), "xenctl is built")
with Lab(hosts=3, domains=12, speed=16) as estate:
    for test in (test_use, test_lists, test_oids, test_verbs, test_exits, test_interrupt, test_restart, test_once, test_names,
                 test_create, test_watch, test_events, test_sources, test_credentials, test_trust, test_trust_certificate,
                 test_doctor, test_away):
        test(estate)
with Pool(hosts=3, domains=12, speed=16) as estate:
    test_pool(estate)
with Lab(hosts=1, domains=2, control=False) as estate:
    os.chmod(estate.path("agentx"), 0o660)
    test_off(estate)
done()
