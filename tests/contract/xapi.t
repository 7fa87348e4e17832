#!/usr/bin/env python3
"""What the xapi driver asks, reads and knows by name is what XAPI's contract has, in both releases that it is for. The driver
makes no call that is not listed (test_xapi_call); that it makes them as listed is shown by xapi-calls.t."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, TOP  # noqa: E402
from tap import diag, done, is_, ok  # noqa: E402
from xapi import CONTRACT  # noqa: E402
from xapi_contract import RELEASES, call_problems, field_problems  # noqa: E402


def none(lines, name):
    if not ok(not lines, name):
        diag("\n".join(lines[:20]))


answer = subprocess.run([os.path.join(BUILD, "tests", "contract", "xapi_dump")], capture_output=True, text=True, check=False)
if not ok(answer.returncode == 0, "every action's call is listed"):
    diag(answer.stderr)
told = {}
for line in answer.stdout.splitlines():
    word, *rest = line.split("\t")
    told.setdefault(word, []).append(rest)
classes = CONTRACT["classes"]


def enum(name, kind):
    return set(classes[name]["enums"][kind])


def names(word):
    return {rest[0] for rest in told[word]}


# What a release does not tell is unknown there.
UNTOLD = {"8.2": ["host.latest_synced_updates_applied is not in 8.2", "host.pending_guidances is not in 8.2"], "8.3": []}
for release in RELEASES:
    none([problem for method, sent in told["call"] for problem in call_problems(method, sent, release)],
         f"{release} has all {len(told['call'])} calls, with as many parameters of those types")
    is_(sorted(problem for row in told["field"] for problem in field_problems(*row, release)), UNTOLD[release],
        f"{release} has {len(told['field']) - len(UNTOLD[release])} of {len(told['field'])} fields and members, of those types")
followed = {row[0] for row in told["field"]} - {"task"}
none([f"{name} has no events" for name in sorted(followed) if not classes[name]["events"]], "classes that are followed have events")
none(sorted(names("operation") - enum("VM", "vm_operations")), "operations of VMs that are known are XAPI's")
none(sorted(names("state") - enum("VM", "vm_power_state")), "so are power states")
is_(names("status"), enum("task", "task_status_type"), "so are states of tasks, all of them")
none(sorted(names("error") - set(CONTRACT["errors"]) - set(CONTRACT["errors_params_undocumented"])), "so are errors")
is_(len(told["error"]), len(names("error")), "each error is there once")
is_(len(told["call"]), len(names("call")), "each call is there once")
with open(os.path.join(TOP, "docs", "drivers.md"), encoding="utf-8") as manual:
    written = manual.read()
none([f"{name}: `{method}`" for name, method in told["action"] if f"`{method.removeprefix('Async.')}`" not in written],
     "docs/drivers.md says of every action's call who has confirmed it")

# --- the comparison itself: each planted error must be named
for sent, says in ((("VM.dance", "s"), "is not in"), (("VM.start", "sb"), "2 parameters"), (("VM.start", "sbbs"), "4 parameters"),
                   (("VM.start", "sbs"), "is sent as s"), (("VM.set_memory_dynamic_range", "sss"), "is sent as s"),
                   (("event.from", "ass"), "is sent as s"), (("event.from", "ssd"), "is sent as s"),
                   (("Async.VM.get_record", "s"), "without Async."), (("Async.task.destroy", "s"), "without Async.")):
    found = call_problems(*sent, "8.3")
    ok(found and says in found[0], f"{sent[0]} with \"{sent[1]}\" {says}") or diag(found)
later = [m for m, item in classes["VM"]["messages"].items() if "params_8_2" in item]
longer = next(m for m in later if len(classes["VM"]["messages"][m]["params"]) > len(classes["VM"]["messages"][m]["params_8_2"]))
ok(call_problems(f"VM.{longer}", "s" * (len(classes["VM"]["messages"][longer]["params"]) - 1), "8.2"),
   f"parameters of VM.{longer} that only 8.3 has are too many for 8.2")
young = next(f for f, item in classes["VM"]["fields"].items() if "8.3" in item.get("in", []) and "8.2" not in item["in"])
for row, says in ((("VM", "colour", "text", ""), "is not in"), (("VM", young, "text", ""), "is not in 8.2"),
                  (("VM", "metrics", "flag", ""), "is read as flag"), (("VM", "name_label", "text", "x"), "of a member"),
                  (("VM", "other_config", "text", ""), "is read as text"), (("Dance", "uuid", "uuid", ""), "Dance is not in")):
    found = field_problems(*row, "8.2")
    ok(len(found) == 1 and says in found[0], f"{row[0]}.{row[1]}: {says}") or diag(found)
done()
