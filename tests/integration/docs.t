#!/usr/bin/env python3
"""Every block marked `sh` in the manuals runs as it stands, against a private estate instead of the reader's agent.

Addresses and system folders are exchanged for those of the estate; accounts and services are left alone. Of make's targets that other tests run (or that
run this one) only the existence is checked.
"""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, PATIENCE, TOP, Lab, diag, done, ok  # noqa: E402
from xapi import PoolLab  # noqa: E402

# What these have is to be typed while the demo runs: its estate is a pool.
OF_THE_DEMO = ("README.md", "docs/snmp-by-numbers.md")
# These set up an snmpd, which security.t has for them and runs.
OF_OTHERS = ("docs/security.md",)
MANUALS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", *sorted(glob.glob("docs/*.md", root_dir=TOP))]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
# make in a manual: demo, check and the like are only looked up; the rest runs.
PRELUDE = """
set -eu -o pipefail
make() {
    case "${1:-}" in
    demo | demo-stop | check | check-* | lint | bench) command make -n "$@" >/dev/null ;;
    install) command make "$@" DESTDIR="$BOX" >/dev/null ;;
    *) command make "$@" >/dev/null ;;
    esac
}
sudo() { "$@"; }
# The steps that change the machine itself are only looked up.
systemctl() { :; }
systemd-sysusers() { :; }
systemd-tmpfiles() { :; }
"""


def blocks(name):
    """(line number, text) of every block that is to be run."""
    with open(os.path.join(TOP, name)) as manual:
        text = manual.read()
    return [(text.count("\n", 0, found.start()) + 2, found.group(1)) for found in BLOCK.finditer(text)]


def at_home(block, lab):
    """The block with the reader's addresses and folders exchanged for the estate's."""
    agent = f"127.0.0.1:{lab.port}"
    block = re.sub(r"\b(?:127\.0\.0\.1|localhost)(?::(?:161|16161))?(?![\w:.])", agent, block)
    block = re.sub(r"(?<![\w./])build/", BUILD + "/", block)
    return re.sub(r"(?<![\w.])/(etc|var)/", lambda m: lab.path("root", m.group(1)) + "/", block)


def run(name, lab):
    env = dict(os.environ, BOX=lab.path("root"), PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"], HOME=lab.path("home"), MIBS="",
               SNMPCONFPATH=lab.path("snmp"), SNMP_PERSISTENT_DIR=lab.path("snmp"),
               XENSNMP_CLIENT_CONFIG=lab.path("client.conf"))
    for key in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(key, None)
    for line, block in blocks(name):
        script = PRELUDE + at_home(block, lab)
        result = subprocess.run(["bash", "-c", script], cwd=TOP, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                text=True, timeout=120 * PATIENCE, check=False)
        first = block.strip().splitlines()[0]
        if not ok(result.returncode == 0, f"{name}:{line}: {first}"):
            diag(f"status {result.returncode}\n{script[len(PRELUDE):]}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
        # A block may leave an operation behind; the reader of the next one has waited for it.
        lab.wait(lambda: all(row["xenOperationState"] == 5 for row in lab.table("xenOperationTable").values()),
                 "the operations of the block end")


def prepare(lab):
    """Folders that a block takes for those of the system."""
    for folder in ("home", "root/etc/snmp/snmpd.conf.d", "root/etc/xensnmp/credentials", "root/var/backups", "root/var/lib/elsewhere"):
        os.makedirs(lab.path(*folder.split("/")), mode=0o700, exist_ok=True)
    os.symlink(lab.path("state"), lab.path("root", "var", "lib", "xensnmp"))


ok(all(os.path.exists(os.path.join(TOP, name)) for name in MANUALS[:3]), "the manuals are there")
with Lab() as estate:
    prepare(estate)
    for manual_name in MANUALS:
        if manual_name not in OF_THE_DEMO + OF_OTHERS:
            run(manual_name, estate)
with PoolLab() as estate:
    estate.begin()
    prepare(estate)
    for manual_name in OF_THE_DEMO:
        run(manual_name, estate)

links = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
for manual_name in MANUALS:
    with open(os.path.join(TOP, manual_name)) as page:
        broken = [target for target in links.findall(page.read())
                  if not os.path.exists(os.path.join(TOP, os.path.dirname(manual_name), target))]
    ok(not broken, f"{manual_name}: links lead somewhere") or diag("\n".join(broken))
done()
