#!/usr/bin/env python3
"""xapi-farm for a client that knows nothing of it: XenAPI.py of Debian's fence-agents logs in, lists, reads records, waits for
events, and stops and starts a VM through tasks. (fence_xenapi itself is in xapi-farm.t, xen-api of npm in tests/foreign.)"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, done, is_, ok  # noqa: E402
from xapi import NULL, PASSWORD, USER, Pool  # noqa: E402
from xapi_contract import RELEASES  # noqa: E402

FENCE = "/usr/share/fence"
sys.path.insert(0, FENCE)


def guests(xapi):
    return {ref: vm for ref, vm in xapi.VM.get_all_records().items() if not (vm["is_a_template"] or vm["is_control_domain"])}


def listing(release, xapi, lab):
    names = {line.split("\t")[1] for line in lab.farm_ctl("domains").splitlines()}
    is_({vm["name_label"] for vm in guests(xapi).values()}, names, f"{release}: it lists the VMs")
    pool = xapi.pool.get_record(xapi.pool.get_all()[0])
    is_(xapi.host.get_record(pool["master"])["name_label"], "host1", f"{release}: it finds the coordinator")
    ref, record = next(iter(guests(xapi).items()))
    is_(xapi.VM.get_by_uuid(record["uuid"]), ref, f"{release}: it finds a VM by its uuid")
    once = xapi.VM.get_record(ref)
    is_((once.keys(), once["name_label"]), (record.keys(), record["name_label"]), f"{release}: a record by itself is one of all")
    ok(str(xapi.VM_metrics.get_start_time(record["metrics"])).startswith("20"), f"{release}: it reads dates")


def events_of(xapi, classes, token, seconds):
    return getattr(xapi.event, "from")(classes, token, float(seconds))


def events(release, xapi):
    batch = events_of(xapi, ["VM", "task"], "", 0)
    seen = {event["ref"] for event in batch["events"] if event["class"] == "vm"}
    is_(seen, set(xapi.VM.get_all()), f"{release}: its first event.from tells all VMs")
    is_(batch["valid_ref_counts"]["vm"], len(seen), f"{release}: ... and how many there are, as a number")
    is_(events_of(xapi, ["VM"], batch["token"], 0.1)["events"], [], f"{release}: ... the second nothing, for nothing happened")
    ref = next(ref for ref, vm in guests(xapi).items() if vm["power_state"] == "Running")
    xapi.VM.pause(ref)
    changes = events_of(xapi, ["VM"], batch["token"], 30)["events"]
    ok(any(event["ref"] == ref and event["operation"] == "mod" and event["snapshot"]["power_state"] == "Paused" for event in changes),
       f"{release}: ... the third a VM that was paused")
    xapi.VM.unpause(ref)


def follow(lab, xapi, task, what):
    """Polls, as scripts do; (status, VM's power state)."""
    lab.wait(lambda: xapi.task.get_status(task) != "pending", f"the task of {what} has ended")
    record = xapi.task.get_record(task)
    ok(0 <= record["progress"] <= 1 and str(record["finished"]).startswith("20"), f"{what}: the task's numbers are read")
    xapi.task.destroy(task)
    return record["status"]


def tasks(release, xapi, lab, failure):
    ref = next(ref for ref, vm in guests(xapi).items() if vm["power_state"] == "Running")
    is_(follow(lab, xapi, xapi.Async.VM.clean_shutdown(ref), f"{release}: Async.VM.clean_shutdown"), "success", f"{release}: a task stops a VM")
    is_((xapi.VM.get_power_state(ref), xapi.VM.get_resident_on(ref)), ("Halted", NULL), f"{release}: ... which is halted then")
    is_(follow(lab, xapi, xapi.Async.VM.start(ref, False, False), f"{release}: Async.VM.start"), "success", f"{release}: a task starts it")
    is_(xapi.VM.get_power_state(ref), "Running", f"{release}: ... which runs again")
    try:
        xapi.VM.start(ref, False, False)
        ok(False, f"{release}: a refusal is its Failure")
    except failure as refusal:
        is_(refusal.details, ["VM_BAD_POWER_STATE", ref, "halted", "running"], f"{release}: a refusal is its Failure")
    lab.farm_ctl("fail", "shutdown", "guestIgnored", "no", "1")
    task = xapi.Async.VM.clean_shutdown(ref)
    lab.wait(lambda: xapi.task.get_status(task) != "pending", "the task has failed")
    is_((xapi.task.get_status(task), xapi.task.get_error_info(task)), ("failure", ["VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT", ref]),
        f"{release}: a task that fails says why")


def session(release):
    import XenAPI  # pylint: disable=import-outside-toplevel
    with Lab(hosts=2, domains=4, speed=40, start=False) as lab:
        pool = Pool(lab, dialect=release)
        os.environ["SSL_CERT_FILE"] = pool.cert
        theirs = XenAPI.Session(pool.url())
        theirs.xenapi.login_with_password(USER, PASSWORD)
        listing(release, theirs.xenapi, lab)
        events(release, theirs.xenapi)
        tasks(release, theirs.xenapi, lab, XenAPI.Failure)
        member = XenAPI.Session(pool.url(2))
        try:
            member.xenapi.login_with_password(USER, PASSWORD)
            ok(False, f"{release}: a member names the coordinator")
        except XenAPI.Failure as refusal:
            is_(refusal.details, ["HOST_IS_SLAVE", "127.0.0.1"], f"{release}: a member names the coordinator")
        theirs.xenapi.session.logout()


if ok(os.path.exists(os.path.join(FENCE, "XenAPI.py")), "XenAPI.py is installed: packaging/install-packages check"):
    for known in RELEASES:
        session(known)
done()
