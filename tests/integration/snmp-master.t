#!/usr/bin/env python3
"""The master agent absent, restarted, hung, and settings of the daemon itself."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import PATIENCE, Lab, Stopwatch, done, is_, ok


def rows_back(lab):
    """Seconds until rows are readable again."""
    watch = Stopwatch()
    lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)), "rows are back", seconds=10)
    return watch.seconds()


with Lab(hosts=1, domains=3, start=False) as lab:
    # --- no snmpd at the start
    lab.start("xen-farm")
    daemon = lab.start("xensnmpd")
    lab.wait(lambda: "ready" in lab.log("xensnmpd"), "the daemon is ready without snmpd")
    ok("no master agent at" in lab.log("xensnmpd"), "it says that the master agent is missing")
    lab.start("snmpd")
    took = rows_back(lab)
    ok(took < 2 * PATIENCE, f"rows within 2 s of its coming ({took:.2f} s)")
    is_(lab.get(lab.oid("xenMasterReconnects", 0)), 0, "the first connection is no reconnect")
    lab.wait_rows()

    # --- snmpd ends and comes back, thrice, once by force
    for turn, how in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM), 1):
        lab.kill("snmpd", how)
        lab.start("snmpd")
        took = rows_back(lab)
        ok(took < 2 * PATIENCE, f"restart {turn}: rows within 2 s ({took:.2f} s)")
        is_(lab.get(lab.oid("xenMasterReconnects", 0)), turn, f"restart {turn} is counted")
    is_(lab.log("xensnmpd").count("lost the master agent"), 3, "each loss is told once")

    # --- snmpd hangs: shortly, and the connection outlives it; for longer than we wait. The daemon goes on polling.
    reconnects = lab.get(lab.oid("xenMasterReconnects", 0))
    for seconds, lost in ((4, 0), (14, 1)):
        polls = lab.get(lab.oid("xenPollsOk", 0))
        os.kill(lab.pid("snmpd"), signal.SIGSTOP)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.2)
        is_(daemon.poll(), None, f"the daemon lives while snmpd hangs for {seconds} s")
        os.kill(lab.pid("snmpd"), signal.SIGCONT)
        took = rows_back(lab)
        ok(took < 2 * PATIENCE, f"rows return after a hang of {seconds} s ({took:.2f} s)")
        now = lab.get(lab.oid("xenPollsOk", 0))
        ok(now >= polls + seconds // 2, f"polls went on meanwhile ({now - polls})")
        is_(lab.get(lab.oid("xenMasterReconnects", 0)), reconnects + lost, f"the connection was lost so often: {lost}")
    is_(lab.set(lab.oid("xenDomainProtected", 2), "i", 1), "noError", "SETs work after all that")
    ok(lab.get(lab.oid("xenHandlerMaxTime", 0)) > 0, "handler calls are timed")

    # --- it ends cleanly
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "SIGTERM ends it with status 0")
    lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)) is None, "its rows are gone at once", seconds=2)
    lab.start("xensnmpd")
    rows_back(lab)
    lab.wait(lambda: lab.get(lab.oid("xenDomainProtected", 2)), "its domains are back")
    is_(lab.get(lab.oid("xenDomainProtected", 2)), 1, "protection survived")
    is_(lab.kill("xensnmpd", signal.SIGINT), 0, "SIGINT too")

    # --- options
    def run(*arguments):
        done_ = subprocess.run([lab.binary("xensnmpd"), *arguments], capture_output=True, text=True,
                               stdin=subprocess.DEVNULL)
        return done_.returncode, done_.stdout, done_.stderr

    status, out, err = run("--version")
    ok(status == 0 and out.startswith("xensnmpd "), "--version")
    status, out, err = run("--help")
    ok(status == 0 and "--dump-schema" in out, "--help")
    is_(run("--check-config", "-c", lab.path("xensnmpd.conf"))[0], 0, "--check-config of a good file")
    status, out, err = run("--sample-config")
    ok(status == 0 and "[agent]" in out, "--sample-config")
    with open(lab.path("sample.conf"), "w") as file:
        file.write(out)
    is_(run("--check-config", "-c", lab.path("sample.conf"))[0], 0, "the sample is a good file")
    with open(lab.path("bad.conf"), "w") as file:
        file.write("[agent]\ninterval = 10\nstale_after = 1\n")
    status, out, err = run("--check-config", "-c", lab.path("bad.conf"))
    ok(status == 1 and "bad.conf:3" in err and "stale_after" in err, f"a bad value is named with its place: {err.strip()}")
    for arguments in (["-c", lab.path("none.conf")], ["--nonsense"], ["surplus"], ["--worker"], ["--worker", "x", "y"]):
        status, out, err = run(*arguments)
        ok(status == 1 and err, f"{arguments[0]}...: refused: {err.strip()[:70]}")
done()
