#!/usr/bin/env python3
"""The demo does what it says, leaves nothing behind, and can be kept and ended."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import PATIENCE, TOP, USERS, diag, done, free_port, is_, ok  # noqa: E402
from snmp import Client, SnmpError  # noqa: E402

# A record of its own: the demo of a developer may be running from the same build folder.
HOME = tempfile.TemporaryDirectory(prefix="xensnmp-demo.")
RECORD = os.path.join(HOME.name, "demo.json")


def demo(*arguments, **settings):
    env = dict(os.environ, DEMO_RECORD=RECORD, TMPDIR=HOME.name, **settings)
    return subprocess.run([os.path.join(TOP, "tools/demo/run"), *arguments], env=env, cwd=TOP, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240 * PATIENCE, check=False)


def said(result, *words):
    missing = [word for word in words if word not in result.stdout + result.stderr]
    return ok(not missing, "it says: " + ", ".join(words)) or diag(f"missing {missing}\n{result.stdout}\n{result.stderr}")


def fits(result):
    is_([line for line in result.stdout.splitlines() if len(line) > 120], [], "it fits on 120 columns")


def try_this(result):
    """What a kept demo tells its user to try, in one shell of his."""
    commands = re.findall(r"^ {3}(\S(?:.*\\\n)?.*)\n {7}\S", result.stdout.partition("Try this:")[2], re.M)
    is_(commands[-1:], ["make demo-stop"], f"{len(commands)} commands to try, of which the last one ends it")
    done = subprocess.run(["bash", "-ec", "\n".join(commands[:-1])], env=dict(os.environ, HOME=HOME.name), cwd=TOP,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * PATIENCE, check=False)
    ok(done.returncode == 0 and "running(4)" in done.stdout and "reboot(4)" in done.stdout and "Usage" not in done.stderr,
       "they work") or diag(f"{commands}\n{done.stdout}\n{done.stderr}")


def processes():
    """Those that run in folders of this test."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                text = line.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if HOME.name in text:
            found.append(text)
    return found


result = demo(DEMO_PORT=str(free_port()))
ok(result.returncode == 0, "the demo succeeds") or diag(result.stdout + result.stderr)
said(result, "snmpbulkwalk", "snmpset", "https://127.0.0.1:", "hears of all 3 hosts", "coordinator", "Debian GNU/Linux", "10.0.",
     "Shared NFS", "is paused", "runs again", "inconsistentValue", "badState", "@before-move", "Migrate", "runs on pool1.host",
     "domainMoved", "migrate: ok")
fits(result)
is_(processes(), [], "nothing it started is left")
ok(not os.path.exists(RECORD), "no record of it is left")

names = os.path.join(HOME.name, "names")
with open(names, "w") as out:
    out.write("alpha\nbeta two\n\u00fcber\n")
port = free_port()
result = demo(DEMO_PORT=str(port), DEMO_HOSTS="2", DEMO_DOMAINS="3", DEMO_NAMES=names, KEEP="1")
ok(result.returncode == 0, "two hosts, three named domains, kept") or diag(result.stdout + result.stderr)
said(result, "alpha", "\u00fcber", "make demo-stop", *USERS["operator"])
fits(result)
try_this(result)
if os.path.exists(RECORD):
    with open(RECORD) as text:
        is_(json.load(text)["port"], port, "it is recorded")

auth, priv = USERS["operator"]
for who, options in {"community public": ["-v2c", "-c", "public"],
                     "the SNMPv3 operator": ["-v3", "-l", "authPriv", "-u", "operator", "-a", "SHA-256", "-A", auth, "-x",
                                             "AES", "-X", priv]}.items():
    try:
        rows = Client(f"127.0.0.1:{port}", options, HOME.name, 5 * PATIENCE).walk("1.3.6.1.4.1.8072.9999.9999.936.1.4.1.1.2")
    except SnmpError as error:
        rows = [str(error)]
    ok({"alpha", "beta two", "\u00fcber"} <= {row[1] for row in rows}, f"{who} reads the names") or diag(rows)

result = demo(DEMO_PORT=str(free_port()))
ok(result.returncode != 0, "a second demo is refused")
said(result, "running already", "make demo-stop")
result = demo("stop")
ok(result.returncode == 0, "demo-stop ends it") or diag(result.stderr)
is_(processes(), [], "nothing is left")
said(demo("stop"), "no demo is running")

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    result = demo(DEMO_PORT=str(port))
    ok(result.returncode != 0, "a taken port is refused")
    said(result, str(port), f"DEMO_PORT={port + 1}")
result = demo(DEMO_HOSTS="x")
ok(result.returncode != 0, "a wrong setting is refused")
said(result, "DEMO_HOSTS=x", "2 to 100")
done()
