#!/usr/bin/env python3
"""xenctl group: made, changed, looked at and acted on from the command line, with the exit statuses scripts rely on."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402

OK, WRONG, REFUSED, FAILED, CANCELLED, NOT_FOUND = 0, 1, 2, 3, 4, 8


class Pool(Lab):
    """All hosts are one source, so that each domain may start on any of them."""

    def farm_sources(self):
        self.sources["all"] = {"uri": f"sim://{self.path('farm.sock')}/@all", "save_dir": "/srv/saved"}


def exits(lab, status, name, *words, says=None):
    """Runs `xenctl group`; one test of its exit status, and of what stdout or stderr says. Returns stdout."""
    result = lab.xenctl("group", *words)
    good = result.returncode == status and (says is None or re.search(says, result.stdout + result.stderr))
    if not ok(good, name):
        diag(f"xenctl group {' '.join(words)}\nstatus {result.returncode}, wanted {status}; says {says}\n"
             f"{result.stdout}{result.stderr}")
    return result.stdout


def told(lab, *words):
    """What it prints as JSON."""
    return json.loads(lab.xenctl("group", *words, "--json").stdout)


def test_making(lab, names):
    exits(lab, WRONG, "a name that no group can have", "create", "a b", says="1 to 32")
    exits(lab, WRONG, "no such policy", "create", "shop", "--policy", "best", says="there is no best")
    exits(lab, OK, "made", "create", "shop", "--descr", "the shop", "--policy", "byMemory", "--order", "sequential",
          "--min-running", "2", says="group shop: made")
    exits(lab, REFUSED, "a second one of that name", "create", "shop")
    exits(lab, NOT_FOUND, "no such group", "add-member", "none", names[0], says="xenctl group list")
    exits(lab, OK, "members", "add-member", "shop", *names[:3], "--priority", "10")
    exits(lab, REFUSED, "a member that is one already", "add-member", "shop", names[0])
    exits(lab, OK, "one that can be made", "add-member", "shop", "new one", "--create", "library:new.cfg", "--descr", "later")
    exits(lab, OK, "a pin", "set", "shop", names[0], "--pin", "all.host2", "--delay", "0")
    exits(lab, WRONG, "nothing to set", "set", "shop", says="nothing to set")
    exits(lab, OK, "another policy", "set", "shop", "--policy", "equal", "--hosts", "all.host1 all.host2")
    row = told(lab, "show", "shop")
    is_((row["label"], row["descr"], row["policy"], row["order"], row["minRunning"], row["hosts"], row["members"], row["status"]),
        ("shop", "the shop", "equal", "sequential", 2, "all.host1 all.host2", 4, row["status"]), "shown")
    rows = {member["label"]: member for member in told(lab, "members", "shop")}
    is_((rows[names[0]]["pin"], rows[names[0]]["priority"], rows["new one"]["create"], rows["new one"]["cause"]),
        ("all.host2", 10, "library:new.cfg", "noSuchTarget"), "so are its members")
    is_([host["host"] for host in told(lab, "hosts", "shop")], ["all.host1", "all.host2"], "and its hosts")
    exits(lab, OK, "the member that does not exist goes", "remove-member", "shop", "new one")
    is_([group["label"] for group in told(lab, "list")], ["shop"], "one group is listed")
    exits(lab, OK, "as text", "list", says=r"(?m)^GROUP +STATUS")


def test_acting(lab, names):
    plan = {member["label"]: member["planStart"] for member in told(lab, "plan", "shop")}
    is_((len(plan), plan[names[0]]), (3, "-> all.host2"), "the plan has all, and the pinned one on its host")
    exits(lab, OK, "started", "start", "shop", "--note", "alice", says=r"start shop: ok: 3 ok \(operation")
    is_({member["host"] for member in told(lab, "members", "shop")}, {"all.host1", "all.host2"}, "on its two hosts")
    exits(lab, OK, "there is nothing to plan", "plan", "shop", says=f"{names[0]} .* = all.host2")
    exits(lab, OK, "moved", "migrate", "shop", "all.host3", says="migrate shop: ok")
    is_({member["host"] for member in told(lab, "members", "shop")}, {"all.host3"}, "to one host")
    exits(lab, REFUSED, "to none", "migrate", "shop", "nowhere", says="no host has the key nowhere")
    exits(lab, OK, "paused", "pause", "shop")
    exits(lab, OK, "running again", "unpause", "shop")
    lab.farm_ctl("fail", "shutdown", "guestIgnored", "it does not want to", "1")
    exits(lab, FAILED, "one that fails makes it partial", "shutdown", "shop", says=r"partial \(guestIgnored\): 2 ok, 1 failed; ")
    exits(lab, OK, "accepted", "destroy", "shop", "--no-wait", says="accepted, operation")
    lab.wait(lambda: told(lab, "show", "shop")["lastOpResult"] == "ok", "the last one is ended")
    is_(told(lab, "show", "shop")["status"], "stopped", "a group that was shut down is stopped")
    history = told(lab, "history", "shop", names[0])
    is_({row["member"] for row in history}, {names[0]}, "the history of one member")
    ok({"started", "moved", "paused", "unpaused", "stopped", "operation"} <= {row["event"] for row in history}, "has all of it")
    exits(lab, OK, "removed", "delete", "shop")
    exits(lab, NOT_FOUND, "it is gone", "show", "shop")
    exits(lab, OK, "its history is not", "history", "shop", says=names[0])


with Pool(hosts=3, domains=9, speed=20, farm_options=["--running", "0"]) as estate:
    guests = sorted(row["xenDomainName"] for row in estate.table("xenDomainTable").values() if row["xenDomainKind"] == 1)
    test_making(estate, guests)
    test_acting(estate, guests)
done()
