#!/usr/bin/env python3
"""xenctl discover, finds, register: from nothing to a source that is up; and what goes wrong on the way."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from discovery import Server, greets, xend
from lab import Lab, diag, done, is_, ok
from xapi import PASSWORD, USER, Pool

OK, WRONG, REFUSED, FAILED = 0, 1, 2, 3

with Lab(hosts=1, domains=2, start=False, agent={"discovery_allow": "127.0.0.0/24", "discovery_rate": 2000}) as lab:
    lab.sources.clear()
    lab.with_farm = False
    lab.write_config()
    pool = Pool(lab)
    old, box = Server("127.0.0.11", 0, xend()), Server("127.0.0.16", 0, greets(b"SSH-2.0-Box\r\n"))
    with open(lab.path("credentials", "pool"), "w") as credential:
        os.chmod(lab.path("credentials", "pool"), 0o600)
        credential.write(f"[credential]\nuris = https://*\nuser = {USER}\npassword = {PASSWORD}\n")
    lab.start("snmpd")
    lab.start("xensnmpd")
    lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)), "the agent answers")
    probes = f"xapi:{pool.port},xend:{old.port},ssh:{box.port}"
    find = f"https://127.0.0.1:{pool.port}"

    def exits(code, what, *arguments, says=""):
        result = lab.xenctl(*arguments)
        text = result.stdout + result.stderr
        if not ok(result.returncode == code and says in text, f"{what}: exit {code}" + (f", says {says}" if says else "")):
            diag(f"exit {result.returncode}\n{text}")
        return result

    exits(OK, "finds before any discovery", "finds")
    exits(REFUSED, "a subnet that is not allowed", "discover", "10.0.0.0/24", says="discovery_allow of the configuration")
    exits(REFUSED, "what is no subnet", "discover", "everything", says="no subnet")
    exits(REFUSED, "an unknown probe", "discover", "127.0.0.1", "--probes", "vnc", says="there are the probes")
    exits(WRONG, "an impossible rate", "discover", "127.0.0.1", "--rate", "20000", says="--rate")
    exits(REFUSED, "a rate above the limit", "discover", "127.0.0.1", "--rate", "5000", says="allows 2000")
    exits(REFUSED, "a credential nobody allowed", "discover", "127.0.0.1", "--credential", "pool", says="discovery_credentials")
    exits(WRONG, "two lists", "discover", "127.0.0.1", "127.0.0.2")

    seen = exits(OK, "a discovery", "discover", "127.0.0.0/24", "--probes", probes, "--name", "first", "--note", "alice")
    ok("discover first: ok: 3 open ports, 3 finds" in seen.stdout, "it says how it went")
    for word in (find, "xen", "possible", pool.fingerprint(), "SSH-2.0-Box", "xen3-host", "xend of Xen 4.1.0"):
        ok(word in seen.stdout, f"it shows {word}")
    ok("xenctl register FIND KEY" in seen.stderr, "and what to do next")
    rows = json.loads(exits(OK, "in JSON", "discover", "127.0.0.1", "--probes", f"xapi:{pool.port}", "--json").stdout)
    is_([(row["label"], row["verdict"], row["fingerprint"]) for row in rows], [(find, "xen", pool.fingerprint())],
        "only its own finds")

    exits(WRONG, "a bad key", "register", find, "a b")
    exits(REFUSED, "what was not found", "register", "https://127.0.0.99", "x")
    exits(WRONG, "what can't be one", "register", "x" * 65, "x")
    exits(REFUSED, "what no driver serves", "register", f"xend://127.0.0.11:{old.port}", "old", says="no driver for xend")
    exits(REFUSED, "an unknown credential", "register", find, "pool", "--credential", "none", says="no credential none")
    exits(FAILED, "a pool whose certificate nobody trusts", "register", find, "pool", "--credential", "pool",
          says="xenctl trust")
    exits(OK, "which can be trusted then", "trust", "pool", "--tls-pins", lab.path("tls_pins"), "--yes", pool.fingerprint())
    lab.wait(lambda: lab.table("xenSourceTable")["pool"]["xenSourceState"] == 2, "the new source is up")
    exits(REFUSED, "twice", "register", find, "again", says="is source pool already")
    left = exits(OK, "what is new", "finds")
    ok(find not in left.stdout and "SSH-2.0-Box" in left.stdout, "a source is no news any more")
    ok(find in exits(OK, "all", "finds", "--all").stdout, "but can be shown")
    exits(OK, "without waiting", "discover", "127.0.0.1", "--no-wait", "--probes", "ssh:1", says="operation")
    for server in (old, box):
        server.close()
done()
