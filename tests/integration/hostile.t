#!/usr/bin/env python3
"""Hosts that answer with anything but what was asked, over a real sshd: each is degraded with a cause, in bounded time and
memory, while the good ones beside them stay fresh. And names of guests that are commands for any shell that sees them."""

import base64
import getpass
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import PATIENCE, TOP, Lab, Stopwatch, diag, done, is_, ok  # noqa: E402

UP, DEGRADED, DOWN = 2, 3, 4
RUNNING, PAUSED, FINISHED, OK = 4, 8, 5, 2
PAUSE, RESET = 5, 10
POLL_TIMEOUT = 60  # enough for a good host on a machine that hardly gets on
WATCHED = 20  # seconds
# What each host's login runs instead of a shell; $SSH_ORIGINAL_COMMAND is what was asked.
SANE = 'exec sh -c "$SSH_ORIGINAL_COMMAND"'
HOSTS = {
    "good": SANE,
    "names": SANE,
    "nothing": "exit 0",
    "refuses": "echo 'no such thing here' >&2; exit 1",
    "half": 'sh -c "$SSH_ORIGINAL_COMMAND" | head -c 300',
    "garbage": "head -c 300000 /dev/urandom | base64",
    "binary": "head -c 3000000 /dev/urandom",
    "gigabyte": "head -c 1073741824 /dev/zero",
    "endless": "exec yes '#0 list 0'",
    "complains": "exec yes 'this goes to stderr' >&2",
    "silent": "exec sleep 3600",
    "slow": "while :; do printf x; sleep 0.3; done",
    "silly": "echo 'Name ID Mem VCPUs State Time(s)'; seq -f 'Domain-%.0f 1 -1 999999999999 r----- 1e99' 100000",
    "killed": "kill -9 $$",
}


def names(canary):
    """Names of up to 61 octets: what a shell, a format, a number, a terminal and a CSV reader would take for something."""
    return [name.encode("latin-1")[:61] for name in
            (f"$(touch {canary})", f"`touch {canary}`", f"';touch {canary};'", f'";touch {canary};"', f"|touch {canary}&",
             "%s%n%s%n", "-rf", "--help", "12345", "0", "'", '"', "\\", "a b  c ", "*", "~root", "!!", "#no comment", "a,b;c=d",
             "x" * 61, "\x01\x02\x1b[31mred", "\xff\xfe\x80", "caf\xc3\xa9", "\t\ttabs", "{1..9}", "<b>&amp;", "Domain-0x",
             "../../etc/passwd", "$IFS$9", "".join(chr(n) for n in range(1, 62) if n not in (9, 10, 13, 32)),
             "".join(chr(n) for n in range(128, 189)))]


def serve(lab, name, ports, words=()):
    """One sshd with a port for each of these hosts."""
    config = lab.path(f"{name}_config")
    with open(config, "w") as out:
        out.write(f"HostKey {lab.path('host_key')}\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n"
                  f"AuthorizedKeysFile {lab.path('user_key.pub')}\nMaxStartups 200\nMaxSessions 100\nPrintMotd no\n")
        out.writelines(f"ListenAddress 127.0.0.1:{port}\n" for port in ports.values())
        for host, port in ports.items():
            script = lab.path(f"login-{host}")
            with open(script, "w") as login:
                login.write(f"export PATH={TOP}/tests/integration/xl/bin:/usr/bin:/bin XL_STATE={lab.path('xl-' + host)} "
                            f"XENSNMP_RUN={lab.path('run-' + host)}\ncd {lab.path('far')}\n{HOSTS[host]}\n")
            out.write(f"Match LocalPort {port}\n ForceCommand sh {script}\n")
    lab.start(name, [*words, "/usr/sbin/sshd", "-D", "-e", "-f", config])


def listen(lab):
    """{host: port}. They are all on this one machine: the bad ones must not take what the good ones would have of their own."""
    ports, held = {}, []
    for host in HOSTS:
        held.append(socket.socket())
        held[-1].bind(("127.0.0.1", 0))
        ports[host] = held[-1].getsockname()[1]
    for taken in held:
        taken.close()
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", lab.path(name)], check=True)
    os.makedirs("/run/sshd", exist_ok=True)
    os.makedirs(lab.path("far"))
    serve(lab, "sshd-good", {host: port for host, port in ports.items() if HOSTS[host] == SANE})
    serve(lab, "sshd-bad", {host: port for host, port in ports.items() if HOSTS[host] != SANE}, ("/usr/bin/nice", "-n", "19"))
    with open(lab.path("host_key.pub")) as public, open(lab.path("known_hosts"), "a") as known:
        key = " ".join(public.read().split()[:2])
        known.writelines(f"[127.0.0.1]:{port} {key}\n" for port in ports.values())
    with open(lab.path("credentials", "lab"), "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as out:
        out.write(f"[credential]\nuris = ssh://*\nkey = {lab.path('user_key')}\n")
    return ports


def settle(lab, host, guests):
    """Domains that run on a simulated host."""
    os.makedirs(lab.path(f"xl-{host}", "dom"))
    for number, name in enumerate(guests, 1):
        with open(lab.path(f"xl-{host}", "dom", str(number)), "w") as out:
            uuid = f"00000000-0000-4000-8000-{len(host):06d}{number:06d}"
            out.write(f"{base64.b64encode(name).decode()}\n{uuid}\nr-----\n")


def rss(pid):
    """MiB."""
    with open(f"/proc/{pid}/status") as status:
        return int(status.read().split("VmRSS:")[1].split()[0]) >> 10


def test_states(lab):
    bad = [host for host, command in HOSTS.items() if command != SANE]
    is_(lab.wait(lambda: [lab.get(lab.oid("xenSourceState", host)) for host in ("good", "names")] == [UP, UP],
                 "the good hosts are up", 4 * POLL_TIMEOUT), True, "the good hosts are up")
    for host in bad:
        state, cause, text = lab.wait(lambda: (lambda row: row if row[0] in (DEGRADED, DOWN) else None)(
            lab.get(*[lab.oid(f"xenSource{column}", host) for column in ("State", "Cause", "StateText")])),
            f"{host} is degraded", 4 * POLL_TIMEOUT)
        ok(cause > 1 and len(text) > 10, f"{host}: {text}")


def test_bounds(lab):
    """For some rounds of polls: memory, the age of the good ones, the time of a walk."""
    worst = {"front": 0, "worker": 0, "age": 0, "walk": 0.0}
    end = time.monotonic() + WATCHED
    while time.monotonic() < end:
        watch = Stopwatch()
        list(lab.bulkwalk(lab.oid("xenDomainName")))
        worst["walk"] = max(worst["walk"], watch.seconds())
        worst["front"] = max(worst["front"], rss(lab.pid("xensnmpd")))
        worst["worker"] = max([worst["worker"], *map(rss, lab.workers())])
        worst["age"] = max(worst["age"], *[lab.get(lab.oid("xenSourceDataAge", host)) for host in ("good", "names")])
        time.sleep(0.2)
    diag(worst)
    sanitized = "asan" in os.environ.get("BUILD", "") or "SANITIZER" in os.environ
    ok(worst["front"] < (1000 if sanitized else 100), f"the front stays small: {worst['front']} MiB")
    ok(worst["worker"] < (2000 if sanitized else 300), f"workers stay small: {worst['worker']} MiB")
    ok(worst["age"] <= POLL_TIMEOUT * PATIENCE, f"the good ones stay fresh: {worst['age']} s")
    ok(worst["walk"] < 10 * PATIENCE, f"a walk takes {worst['walk']:.2f} s")
    is_(lab.get(lab.oid("xenWorkersLost", 0)), 0, "no worker ended")
    expected = 2 + 2 + len(names(""))
    # Where snmpd hardly gets on, the daemon may be between two connections to it in the very last walk.
    is_(lab.wait(lambda: len(list(lab.bulkwalk(lab.oid("xenDomainName")))), "rows are there"), expected,
        "rows of the good ones only: guests and their two dom0s")


def test_names(lab, canary):
    guests = [index for index, row in lab.table("xenDomainTable").items()
              if row["xenDomainKind"] == 1 and row["xenDomainHost"] == "names"]
    is_(len(guests), len(names("")), "each of the odd names has a row")
    texts = [lab.get(lab.oid("xenDomainName", index)) for index in guests]
    is_(len(set(texts)), len(guests), "and they differ")
    ok("x" * 61 in texts and "12345" in texts and "café" in texts, "what is text is shown as it is")
    for index in guests:
        is_(lab.set((lab.oid("xenDomainPower", index), "i", PAUSE), (lab.oid("xenDomainTimeout", index), "u", 600)), "noError",
            f"domain {index}: pause is accepted")
    lab.wait(lambda: all(row.get("xenOperationState") == FINISHED for row in lab.table("xenOperationTable").values()),
             "all are paused", 300)
    rows = lab.table("xenOperationTable").values()
    is_([row["xenOperationText"] for row in rows if row["xenOperationResult"] != OK], [], "each can be paused")
    is_(len(rows), len(guests), "by an operation of its own")
    is_({lab.get(lab.oid("xenDomainState", index)) for index in guests}, {PAUSED}, "and shows it")
    found = subprocess.run(["find", lab.folder, os.path.expanduser("~"), "-maxdepth", "3", "-name", os.path.basename(canary)],
                           capture_output=True, text=True).stdout
    is_(found, "", "no name became a command")
    is_(os.listdir(lab.path("far")), [], "nor left a file where the logins begin")


with Lab(farm=False, start=False, agent={"interval": 4, "poll_timeout": POLL_TIMEOUT, "max_operations_per_host": 8}) as estate:
    victim = os.path.join(estate.folder, "canary")
    where = listen(estate)
    settle(estate, "good", [b"one", b"two"])
    settle(estate, "names", names(victim))
    for name, port in where.items():
        estate.sources[name] = {"uri": f"ssh://{getpass.getuser()}@127.0.0.1:{port}", "credential": "lab"}
    estate.write_config()
    for program in ("snmpd", "xensnmpd"):
        estate.start(program)
    test_states(estate)
    test_bounds(estate)
    test_names(estate, victim)
done()
