#!/usr/bin/env python3
"""The daemon inside dom0: xl:/// needs neither ssh nor credential. snmpd, xensnmpd and xenctl run there."""

import os

from real import *

SETUP = """mkdir -p /root/state
cat >/root/snmpd.conf <<'E'
agentAddress udp:127.0.0.1:1161
master agentx
agentXSocket /run/agentx
rwcommunity private 127.0.0.1
E
cat >/root/client.conf <<'E'
[client]
host = 127.0.0.1:1161
version = 2c
community = private
E
chmod 600 /root/client.conf
cat >/root/xensnmpd.conf <<'E'
[agent]
control = yes
user =
state_dir = /root/state
agentx_socket = /run/agentx
interval = 5
[source here]
uri = xl:///
E
export MIBS= SNMP_PERSISTENT_DIR=/root/state
setsid snmpd -f -C -c /root/snmpd.conf -Lo -I -smux </dev/null >/root/snmpd.log 2>&1 &
until [ -S /run/agentx ]; do sleep 0.2; done
setsid /root/xensnmpd -c /root/xensnmpd.conf </dev/null >/root/xensnmpd.log 2>&1 &"""


def run(*words):
    """Status and output of xenctl in dom0."""
    text = xen.ssh(1, f"MIBS= timeout 300 /root/xenctl --client-config /root/client.conf {' '.join(words)} 2>&1"
                      "; echo \" status $?\"", check=False)
    text, _, status = text.rpartition(" status ")
    return int(status), text


def acts(*words):
    status, text = run(*words)
    if not is_(status, 0, f"xenctl {words[0]}"):
        diag(text)
        diag(xen.ssh(1, "for dir in /run/xensnmp/*; do tail -n 5 $dir/* /dev/null; done; date; uptime", check=False))


def prove():
    for program in ("xensnmpd", "xensnmpd-worker", "xenctl"):
        xen.put(1, os.path.join(BUILD, "bin", program), f"/root/{program}")
    xen.ssh(1, SETUP)
    wait(lambda: "running" in run("domains")[1], "the daemon in dom0 knows its guests", 60)
    status, text = run("domains")
    diag(text)
    is_(status, 0, "xenctl domains, in dom0")
    for name in xen.xl(1):
        ok(f" {name} " in f" {text} ".replace("\n", " "), f"{name} is there")
    acts("pause", "tiny1")
    is_(xen.xl(1)["tiny1"].flags[2], "p", "xl agrees")
    acts("destroy", "tiny1")
    ok("tiny1" not in xen.xl(1), "xl agrees")


xen = Hosts(1)
try:
    xen.up()
    prove()
except (LabError, ValueError) as error:
    ok(False, f"everything ran: {error}")
finally:
    if failed():
        diag(xen.trouble())
        diag(xen.ssh(1, "tail -n 20 /root/*.log", check=False))
    xen.down()
done()
