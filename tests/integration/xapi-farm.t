#!/usr/bin/env python3
"""The program xapi-farm against the contract of XAPI: spelling, records, events, tasks, figures, faults; and with a foreign
client, fence_xenapi."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
import xmlrpc.client
from urllib.request import Request, urlopen

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, TOP, Lab, diag, done, is_, ok  # noqa: E402
from xapi import (CONTRACT, CONTRACT_FILE, NULL, PASSWORD, USER, Pool, XapiError, fails, follow, guests,  # noqa: E402
                  record_problems)

TOKEN = re.compile(r"\d{20},\d{20}")
SERVED = ["pool", "host", "host_metrics", "host_cpu", "VM", "VM_metrics", "VM_guest_metrics", "VIF", "VBD", "VDI", "SR", "PBD",
          "network", "PIF", "PIF_metrics", "VM_appliance", "task", "message"]
# There may be none of these.
SELDOM = {"VM_appliance", "task", "message"}


# --- spelling on the wire

def records_are_complete(pool, session):
    for name in SERVED:
        records, problems = record_problems(pool, session, name)
        ok(not problems and (records or name in SELDOM),
           f"{pool.dialect}: {records} records of {name} have all their fields, spelt right") or diag("\n".join(problems[:5]))


def methods_are_known(pool, session):
    """Every method is one of the contract's and wants as many parameters."""
    problems = []
    for name in pool.proxy().system.listMethods():
        asynchronous = name.startswith("Async.")
        class_name, _, verb = name.removeprefix("Async.").partition(".")
        message = CONTRACT["classes"].get(class_name, {"messages": {}})["messages"].get(verb)
        if name == "system.listMethods":
            continue
        if not message or pool.dialect not in message.get("in", pool.dialect) or (asynchronous and message["async"] is False):
            problems.append(f"{name} is not in the contract")
            continue
        needed = len(message["params"]) - len(message.get("optional", []))
        if asynchronous or verb.startswith("get_") or needed < 2 or message["params"][0][0] != "session_id":
            continue
        try:
            session.call(name)
            problems.append(f"{name} wants nothing")
        except XapiError as error:
            if error.code != "MESSAGE_PARAMETER_COUNT_MISMATCH" or error.params[1] != str(needed):
                problems.append(f"{name}: {error}, the contract has {needed}")
    ok(not problems, f"{pool.dialect}: every method is one of the contract's") or diag("\n".join(problems[:20]))


def spelling(pool, session):
    text = pool.raw("VM.get_all_records", session.ref)
    ok(text.startswith('<?xml version="1.0"?><methodResponse><params><param><value><struct><member><name>Status</name>'
                       "<value>Success</value></member><member><name>Value</name>"), "the envelope of a success")
    text = pool.raw("VM.get_record", session.ref, "OpaqueRef:nobody")
    is_(text, '<?xml version="1.0"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Failure</value>'
        "</member><member><name>ErrorDescription</name><value><array><data><value>HANDLE_INVALID</value><value>VM</value>"
        "<value>OpaqueRef:nobody</value></data></array></value></member></struct></value></param></params></methodResponse>",
        "... and of a failure")
    text = pool.raw("system.listMethods")
    ok("<params><param><value><array><data><value>" in text and "Async.VM.start" in text and "Status" not in text,
       "system.listMethods has no envelope")
    status, headers, body = pool.fetch("/", "this is no XML", {"Content-Type": "text/xml"})
    ok(status == 500 and b"<html>" in body and headers["Connection"] == "close", "what is no call: HTTP 500, text for people, the end")
    status, _, _ = pool.fetch("/", "<methodCall>" + " " * 400000, {"Content-Type": "text/xml"})
    is_(status, 500, "a request above 300 KiB: HTTP 500")
    long_header = {"Content-Type": "text/xml", "Cookie": "a" * 1024}
    is_(pool.fetch("/", xmlrpc.client.dumps((), "system.listMethods"), long_header)[0], 431, "headers above 1024 octets: HTTP 431")
    batch = pool.raw("event.from", session.ref, ["pool"], "", 0.0)
    ok(re.search(r"<name>vm</name><value><i4>\d+</i4></value>", batch), "valid_ref_counts alone has <i4>")
    tls = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{pool.port}", "-tls1_3"], input="", capture_output=True,
                         text=True, check=False)
    ok(tls.returncode != 0, "TLS 1.3 is refused")


# --- sessions

def sessions(pool, session):
    fails("SESSION_AUTHENTICATION_FAILED", lambda: pool.login(password="wrong"), name="a wrong password")
    is_(fails("HOST_IS_SLAVE", lambda: pool.login(host=2), name="a member sends to the coordinator"), ["127.0.0.1"],
        "... by its bare address")
    ok(pool.value(pool.proxy(2).session.slave_local_login_with_password(USER, PASSWORD)).startswith("OpaqueRef:"), "a local login at a member")
    fails("SESSION_INVALID", lambda: pool.value(pool.proxy().VM.get_all("OpaqueRef:none")), name="an unknown session")
    fails("MESSAGE_METHOD_UNKNOWN", session.VM.dance, name="an unknown method")
    is_(fails("MESSAGE_PARAMETER_COUNT_MISMATCH", session.VM.start, NULL, name="too few parameters"), ["VM.start", "4", "2"],
        "... and how many there should be")
    fails("FIELD_TYPE_ERROR", session.VM.start, NULL, "no", False, name="a parameter of another type")
    fails("Fault", lambda: session.call("Async.VM.get_all"), name="no asynchronous form of a getter")
    kept = pool.proxy()
    is_([pool.value(kept.VM.get_all(session.ref)) for _ in range(3)], [session.VM.get_all()] * 3, "several calls on one connection")
    other = pool.login()
    other.session.logout()
    fails("SESSION_INVALID", other.VM.get_all, name="after the end of a session")


# --- the database

def estate(pool, session, lab):
    vms = session.VM.get_all_records()
    guests = {ref: vm for ref, vm in vms.items() if not (vm["is_a_template"] or vm["is_control_domain"])}
    is_(len(guests), lab.domains, "every guest of the farm is a VM")
    zeros = [vm for vm in vms.values() if vm["is_control_domain"]]
    is_((len(zeros), {vm["domid"] for vm in zeros}), (lab.hosts, {"0"}), "every host has its control domain")
    ok(sum(vm["is_default_template"] for vm in vms.values()) >= 3, "there are templates")
    hosts = session.host.get_all_records()
    is_(sorted(host["address"] for host in hosts.values()), pool.addresses, "hosts have the addresses they serve at")
    states = dict(line.split("\t")[1:4:2] for line in lab.farm_ctl("domains").splitlines())
    is_({vm["name_label"]: vm["power_state"] for vm in guests.values()},
        {name: {"running": "Running", "shutdown": "Halted"}[state] for name, state in states.items()}, "power states are the farm's")
    ref, vm = next((ref, vm) for ref, vm in guests.items() if vm["power_state"] == "Running")
    is_(session.VM.get_by_uuid(vm["uuid"]), ref, "get_by_uuid")
    ok(ref in session.VM.get_by_name_label(vm["name_label"]), "get_by_name_label")
    is_(session.VM.get_power_state(ref), "Running", "a getter")
    ok(ref in hosts[vm["resident_on"]]["resident_VMs"], "host and VM name each other")
    vif = session.VIF.get_record(vm["VIFs"][0]) if vm["VIFs"] else {"VM": ref}
    is_(vif["VM"], ref, "VIF and VM name each other")
    is_(session.VM_metrics.get_memory_actual(vm["metrics"]), vm["memory_target"], "memory in octets")
    fails("UUID_INVALID", session.VM.get_by_uuid, "no-uuid", name="an unknown uuid")
    session.VM.add_to_other_config(ref, "k", "v <&>")
    is_(session.VM.get_other_config(ref)["k"], "v <&>", "add_to_other_config")
    fails("MAP_DUPLICATE_KEY", session.VM.add_to_other_config, ref, "k", "w", name="... not twice")
    session.VM.remove_from_other_config(ref, "k")
    ok("k" not in session.VM.get_other_config(ref), "remove_from_other_config")
    is_(session.host.get_servertime(next(iter(hosts))).value[-1], "Z", "the server's time")


# --- events

def events(session, lab):
    first = session.call("event.from", ["*"], "", 30.0)
    seen = {event["ref"]: event for event in first["events"]}
    counts = first["valid_ref_counts"]
    is_({event["operation"] for event in first["events"]}, {"add"}, "with an empty token, all there is comes as add")
    is_(sum(event["class"] == "vm" for event in seen.values()), counts["vm"], "... and is as much as valid_ref_counts says")
    ok(TOKEN.fullmatch(first["token"]), "a token is two numbers of 20 digits")
    ok(all(re.fullmatch(r"\d+", event["id"]) and event["timestamp"] == "0.0" for event in seen.values()), "id and timestamp are texts")
    before = time.monotonic()
    quiet = session.call("event.from", ["pool"], first["token"], 0.4)
    ok(not quiet["events"] and time.monotonic() - before >= 0.4, "nothing happened: an empty answer when the time is over")
    running = next(event for event in seen.values() if event["class"] == "vm" and event["snapshot"]["power_state"] == "Running"
                   and not event["snapshot"]["is_control_domain"])
    name = running["snapshot"]["name_label"]
    timer = threading.Timer(0.3, lambda: lab.farm_ctl("pause", name))
    timer.start()
    batch = session.call("event.from", ["VM", "task/" + NULL], first["token"], 60.0)
    timer.join()
    is_([(event["operation"], event["ref"], event["snapshot"]["power_state"]) for event in batch["events"]],
        [("mod", running["ref"], "Paused")], "a change in the farm ends the wait")
    lab.farm_ctl("unpause", name)
    fails("EVENT_FROM_TOKEN_PARSE_FAILURE", session.call, "event.from", ["*"], "yesterday", 1.0, name="a token that is none")
    fails("EVENT_SUBSCRIPTION_PARSE_FAILURE", session.call, "event.from", ["a/b/c"], "", 1.0, name="a subscription that is none")
    task = session.task.create("mine", "")
    token = session.call("event.from", ["task"], "", 1.0)["token"]
    session.task.destroy(task)
    ok(task in session.task.get_all(), "a client's own task stays until that has ended it")
    session.task.set_status(task, "success")
    batch = session.call("event.from", [f"task/{task}"], token, 30.0)
    is_([(event["operation"], event["ref"], "snapshot" in event) for event in batch["events"]], [("del", task, False)],
        "an object's end, by its own subscription, without a record")


# --- tasks

def tasks(pool, session, lab):
    halted = guests(session, "Halted")[0]
    before = int(dict(line.split("=") for line in lab.farm_ctl("stats").splitlines())["executions"])
    record = follow(session, session.Async.VM.start(halted, False, False))
    is_((record["status"], record["name_label"], record["progress"], record["error_info"], record["result"]),
        ("success", "Async.VM.start", 1.0, [], ""), "Async.VM.start becomes a task that succeeds")
    vm = session.VM.get_record(halted)
    is_((vm["power_state"], vm["current_operations"]), ("Running", {}), "... and the VM runs")
    ok(vm["resident_on"] in session.host.get_all(), "... on a host")
    after = int(dict(line.split("=") for line in lab.farm_ctl("stats").splitlines())["executions"])
    is_(after - before, 1, "... by one execution in the farm")
    record = follow(session, session.Async.VM.start(halted, False, False))
    is_((record["status"], record["error_info"]), ("failure", ["VM_BAD_POWER_STATE", halted, "halted", "running"]),
        "starting it again fails in the task, with the states in small letters")
    is_(fails("VM_BAD_POWER_STATE", session.VM.unpause, halted, name="... and a direct call in its answer"), [halted, "paused", "running"],
        "... with what was expected and what is")
    for method, state in (("pause", "Paused"), ("unpause", "Running"), ("suspend", "Suspended")):
        session.call(f"VM.{method}", halted)
        is_(session.VM.get_power_state(halted), state, f"VM.{method}")
    session.VM.resume(halted, False, False)
    is_(session.VM.get_power_state(halted), "Running", "VM.resume")
    here = session.VM.get_resident_on(halted)
    there = next(host for host in session.host.get_all() if host != here)
    session.VM.assert_can_migrate(halted, {"host": there}, True, {}, {}, {})
    record = follow(session, session.Async.VM.pool_migrate(halted, there, {"live": "true"}))
    is_((record["status"], session.VM.get_resident_on(halted)), ("success", there), "Async.VM.pool_migrate moves it")
    session.VM.set_VCPUs_number_live(halted, "1")
    is_(session.VM_metrics.get_VCPUs_number(session.VM.get_metrics(halted)), "1", "VM.set_VCPUs_number_live")
    session.VM.clean_shutdown(halted)
    is_((session.VM.get_power_state(halted), session.VM.get_resident_on(halted)), ("Halted", NULL), "VM.clean_shutdown")
    session.host.disable(here)
    fails("HOST_DISABLED", session.VM.assert_can_boot_here, halted, here, name="a disabled host boots nothing")
    session.VM.assert_can_boot_here(halted, there)
    session.VM.assert_operation_valid(halted, "start")
    fails("VM_BAD_POWER_STATE", session.VM.assert_operation_valid, halted, "pool_migrate", name="a halted VM can't migrate")
    fails("HOST_DISABLED", session.VM.start_on, halted, here, False, False, name="a disabled host starts nothing")
    session.host.enable(here)
    session.VM.add_to_blocked_operations(halted, "start", "NO_REASON")
    is_(fails("OPERATION_BLOCKED", session.VM.start, halted, False, False, name="a blocked operation"), [halted, "NO_REASON"], "... and why")
    session.VM.remove_from_blocked_operations(halted, "start")
    template = next(ref for ref, vm in session.VM.get_all_records().items() if vm["is_default_template"])
    fails("VM_IS_TEMPLATE", session.VM.start, template, False, False, name="a template does not start")
    zero = next(ref for ref, vm in session.VM.get_all_records().items() if vm["is_control_domain"])
    fails("OPERATION_NOT_ALLOWED", session.VM.pause, zero, name="nor is a control domain paused")
    copies(session, template)
    waiting(pool, session, lab)


def copies(session, template):
    made = session.VM.clone(template, "fresh")
    is_((session.VM.get_is_a_template(made), session.VM.get_VBDs(made)), (True, []), "a clone of a template is one, without disks")
    session.VM.provision(made)
    is_((session.VM.get_is_a_template(made), len(session.VM.get_VBDs(made)), "disks" in session.VM.get_other_config(made)), (False, 1, False),
        "provisioning makes a VM of it, with its disk")
    fails("PROVISION_ONLY_ALLOWED_ON_TEMPLATE", session.VM.provision, made, name="... once")
    poor = session.VM.clone(template, "poor")
    session.VM.remove_from_other_config(poor, "disks")
    session.VM.add_to_other_config(poor, "disks", '<provision><disk device="0" size="1" sr=""/><disk device="1" size="1" sr="none"/></provision>')
    fails("UUID_INVALID", session.VM.provision, poor, name="a disk that can't be made")
    is_((session.VM.get_is_a_template(poor), session.VM.get_VBDs(poor), "disks" in session.VM.get_other_config(poor)), (False, [], True),
        "... leaves no template, no disk, and what was to be made")
    session.VM.destroy(poor)
    record = follow(session, session.Async.VM.start(made, False, False))
    is_((record["status"], session.VM.get_power_state(made)), ("success", "Running"), "a clone of a template is provisioned and started")
    record = follow(session, session.Async.VM.snapshot(made, "as it is"))
    snapshot = re.fullmatch(r"<value>(OpaqueRef:.*)</value>", record["result"])
    ok(snapshot and session.VM.get_snapshot_of(snapshot[1]) == made, "a snapshot is the task's result")
    session.VM.destroy(snapshot[1])
    fails("HANDLE_INVALID", session.VM.get_record, snapshot[1], name="... and can be destroyed")


def farm_faults(session, lab):
    """A host or the whole farm that can't be reached."""
    host = next(ref for ref, one in session.host.get_all_records().items() if one["name_label"] == "host2")
    metrics = session.host.get_metrics(host)
    before = {ref: vm["power_state"] for ref, vm in session.VM.get_all_records().items()}
    lab.farm_ctl("host", "host2", "down")
    lab.wait(lambda: not session.host_metrics.get_live(metrics), "host2 is not alive")
    is_({ref: vm["power_state"] for ref, vm in session.VM.get_all_records().items()}, before, "VMs of a dead host are shown as they were")
    fails("HOST_NOT_LIVE", session.VM.start_on, guests(session, "Halted")[0], host, False, False, name="... and nothing starts there")
    lab.farm_ctl("host", "host2", "normal")
    lab.wait(lambda: session.host_metrics.get_live(metrics), "host2 is alive again")
    lab.kill("xen-farm")
    lab.wait(lambda: not session.host_metrics.get_live(metrics), "a farm that is gone has no living host")
    lab.start("xen-farm")
    lab.wait(lambda: session.host_metrics.get_live(metrics), "the farm is back")
    ok(session.host.get_record(host)["enabled"], "a farm that comes back has its hosts")


FARM_CAUSES = {"noMemory": "HOST_NOT_ENOUGH_FREE_MEMORY", "guestIgnored": "VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT",
               "noGuestDriver": "VM_LACKS_FEATURE", "timedOut": "VM_SHUTDOWN_TIMEOUT", "hostDown": "HOST_OFFLINE",
               "incompatibleCpu": "VM_INCOMPATIBLE_WITH_THIS_HOST", "noStorage": "SR_FULL", "busy": "OTHER_OPERATION_IN_PROGRESS",
               "notSupported": "OPERATION_NOT_ALLOWED", "badValue": "INVALID_VALUE", "driverError": "INTERNAL_ERROR"}


def causes(session, lab):
    """What the farm says, in XAPI's words, with as many parameters as the contract has."""
    running = guests(session, "Running")[0]
    for cause, code in FARM_CAUSES.items():
        lab.farm_ctl("fail", "shutdown", cause, "so it is", "1")
        params = fails(code, session.VM.clean_shutdown, running, name=f"the farm's {cause} is {code}")
        wanted = CONTRACT["errors"][code]
        ok(len(params) == len(wanted) and all(params), f"... with {', '.join(wanted)}") or diag(params)


def alerts(session, lab):
    messages = session.message.get_since(xmlrpc.client.DateTime("20200101T00:00:00Z"))
    ok(any(message["name"] == "VM_STARTED" and message["cls"] == "VM" for message in messages.values()), "there are alerts")
    is_(session.message.get_since(xmlrpc.client.DateTime("20990101T00:00:00Z")), {}, "... none of the future")
    crashed = guests(session, "Running")[0]
    lab.farm_ctl("crash", session.VM.get_name_label(crashed))
    lab.wait(lambda: session.VM.get_power_state(crashed) == "Paused", "a crashed VM is shown as paused")
    uuid = session.VM.get_uuid(crashed)
    ok(any(message["name"] == "VM_CRASHED" and message["obj_uuid"] == uuid for message in session.message.get_all_records().values()),
       "a crash is an alert")
    session.VM.hard_reboot(crashed)
    is_(session.VM.get_power_state(crashed), "Running", "... and mended by hard_reboot")
    ref = next(iter(messages))
    session.message.destroy(ref)
    ok(ref not in session.message.get_all(), "... and they can be destroyed")


def waiting(pool, session, lab):
    """What goes on for long, with others in between."""
    running = guests(session, "Running")[0]
    lab.farm_ctl("hang", "shutdown")
    task = session.Async.VM.clean_shutdown(running)
    lab.wait(lambda: task in session.VM.get_current_operations(running), "the operation goes on")
    is_(session.VM.get_current_operations(running), {task: "clean_shutdown"}, "what goes on is in current_operations")
    is_(fails("OTHER_OPERATION_IN_PROGRESS", session.VM.pause, running, name="something else has to wait"),
        ["VM", running, "clean_shutdown", task], "... for what goes on")
    is_(session.task.get_status(task), "pending", "the task waits")
    session.task.cancel(task)
    record = follow(session, task)
    is_((record["status"], record["error_info"]), ("cancelled", ["TASK_CANCELLED", task]), "task.cancel ends it")
    task = session.Async.VM.clean_shutdown(running)
    lab.wait(lambda: task in session.VM.get_current_operations(running), "the second one goes on")
    session.VM.hard_shutdown(running)
    is_((session.VM.get_power_state(running), follow(session, task)["status"]), ("Halted", "cancelled"), "hard_shutdown does not wait")
    lab.farm_ctl("clear")


# --- figures

def figures(pool, session, lab):
    host = session.host.get_all_records()[session.session.get_this_host(session.ref)]
    path = f"/rrd_updates?start={int(time.time()) - 60}&interval=5&cf=AVERAGE&host=true"
    is_(pool.fetch(path)[0], 401, "figures are for those who have a session")
    cookie = {"Cookie": f"session_id={session.ref}", "Accept": "text/xml"}
    is_(pool.fetch("/rrd_updates?host=true", headers=cookie)[0], 400, "... and say since when")

    def table():
        status, _, body = pool.fetch(path, headers=cookie)
        tree = ElementTree.fromstring(body)
        return status == 200 and len(tree.findall("data/row")) > 0 and tree
    tree = lab.wait(table, "there are figures")
    legends = [entry.text for entry in tree.findall("meta/legend/entry")]
    names = {legend.split(":", 3)[3] for legend in legends}
    ok({"cpu_avg", "memory_total_kib", "memory_free_kib", "loadavg", "pif_eth0_rx", "cpu0", "memory", "vif_0_rx", "vbd_xvda_read"} <= names,
       "hosts and VMs have their figures") or diag(names)
    ok(all(legend.startswith(("AVERAGE:host:" + host["uuid"], "AVERAGE:vm:")) for legend in legends), "... each with its kind and uuid")
    rows = tree.findall("data/row")
    is_({len(row.findall("v")) for row in rows}, {len(legends)}, "every row has a value for each column")
    times = [int(row.findtext("t")) for row in rows]
    ok(times == sorted(times, reverse=True) and all(at % 5 == 0 for at in times), "the newest row is first, each ends a step")
    values = dict(zip(legends, (float(v.text) for v in rows[0].findall("v"))))
    ok(0 <= values[f"AVERAGE:host:{host['uuid']}:cpu_avg"] <= 1, "cpu_avg is a part of the whole")
    is_(values[f"AVERAGE:host:{host['uuid']}:memory_total_kib"] * 1024,
        float(session.host_metrics.get_memory_total(host["metrics"])), "memory is what the database says")
    ok(any(value > 0 for legend, value in values.items() if legend.endswith(":cpu0")), "somebody works")
    by_query = pool.fetch(f"{path}&session_id={session.ref}&json=true", headers={"Accept": "application/json"})[2].decode()
    if lab.hosts > 1:
        far = ElementTree.fromstring(pool.fetch(path, headers=cookie, host=2)[2]).findall("meta/legend/entry")
        ok(far and not any(host["uuid"] in entry.text for entry in far), "a member has its own figures, for the same session")
    if pool.dialect == "8.2":
        ok(re.match(r"\{meta: \{start:\d+,step:5,end:\d+,rows:\d+,columns:\d+,legend:\[\"AVERAGE:", by_query), "8.2 has no valid JSON")
    else:
        answer = json.loads(by_query)
        is_((answer["meta"]["step"], len(answer["meta"]["legend"])), ("5", len(answer["data"][0]["values"])), "8.3 has JSON whose numbers are texts")
    any_form = pool.fetch(path, headers={**cookie, "Accept": "*/*"})[2]
    is_(any_form[:1], b"<" if pool.dialect == "8.2" else b"{", "who takes anything gets XML of 8.2, JSON of 8.3")


# --- what goes wrong on purpose

def faults(pool, session):
    pool.control("mode", "1", "http500")
    is_(pool.fetch("/", "x")[0], 500, "mode http500")
    pool.control("mode", "1", "garbage")
    ok(b"methodResponse" not in pool.fetch("/", xmlrpc.client.dumps((session.ref,), "VM.get_all"))[2], "mode garbage")
    for mode in ("truncate", "refuse"):
        pool.control("mode", "1", mode)
        try:
            pool.fetch("/", xmlrpc.client.dumps((session.ref,), "VM.get_all"))
            ok(False, f"mode {mode}")
        except OSError as error:
            ok(True, f"mode {mode}: {type(error).__name__}")
        except Exception as error:  # http.client's own: IncompleteRead
            ok(mode == "truncate", f"mode {mode}: {type(error).__name__}")
    pool.control("mode", "1", "endless")
    with urlopen(Request(pool.url(), xmlrpc.client.dumps((session.ref,), "VM.get_all").encode()), context=pool.context, timeout=30) as answer:
        is_(len(answer.read(1000000)), 1000000, "mode endless")
    pool.control("mode", "1", "cut", "task.create")
    ok(session.VM.get_all(), "mode cut lets other calls pass")
    try:
        pool.raw("task.create", session.ref, "unheard", "")  # xmlrpc.client would ask again by itself
        ok(False, "... the one it names has no answer")
    except OSError as error:
        ok(True, f"... the one it names has no answer: {type(error).__name__}")
    unheard = session.task.get_by_name_label("unheard")
    is_(len(unheard), 1, "... and is carried out, once")
    session.task.set_status(unheard[0], "success")
    session.task.destroy(unheard[0])
    pool.control("mode", "1", "slow", "400")
    before = time.monotonic()
    session.VM.get_all()
    ok(time.monotonic() - before >= 0.4, "mode slow")
    pool.control("mode", "1", "slave", "192.0.2.7")
    is_(fails("HOST_IS_SLAVE", session.VM.get_all, name="mode slave"), ["192.0.2.7"], "... with the address given")
    pool.control("mode", "1", "auth")
    fails("SESSION_AUTHENTICATION_FAILED", pool.login, name="mode auth")
    pool.control("mode", "1", "bad-token")
    fails("EVENT_FROM_TOKEN_PARSE_FAILURE", session.call, "event.from", ["*"], f"{0:020},{0:020}", 1.0, name="mode bad-token")
    pool.control("mode", "1", "session-invalid")
    fails("SESSION_INVALID", session.VM.get_all, name="mode session-invalid")
    pool.control("mode", "1", "hang")
    waiter = threading.Thread(target=lambda: swallow(session.VM.get_all))
    waiter.start()
    waiter.join(0.3)
    ok(waiter.is_alive(), "mode hang gives no answer")
    pool.control("mode", "1", "normal")
    waiter.join(30)
    ok(not waiter.is_alive(), "... and ends with the mode")


def swallow(call):
    """Whatever comes of it: the connection is closed without an answer."""
    try:
        call()
    except Exception as error:
        diag(f"the call that hung: {type(error).__name__}")


def changes_of_state(pool):
    session = pool.login()
    token = session.call("event.from", ["task"], "", 0.0)["token"]
    pool.control("lose-events", "on")
    short = session.task.create("short", "")
    session.task.set_status(short, "success")
    session.task.destroy(short)
    batch = session.call("event.from", ["task"], token, 0.2)
    is_((batch["events"], batch["valid_ref_counts"]["task"]), ([], 0), "lost deletions show themselves in valid_ref_counts alone")
    pool.control("lose-events", "off")
    pool.control("coordinator", "2")
    is_(fails("HOST_IS_SLAVE", pool.login, name="after a change of coordinator the old one sends away"), ["127.0.0.2"], "... to the new one")
    pool.coordinator = 2
    session = pool.login()
    master = next(iter(session.call("pool.get_all_records").values()))["master"]
    is_(session.host.get_address(master), "127.0.0.2", "... which is the pool's master")
    session.task.create("forgotten", "")
    pool.control("toolstack-restart", "1")
    gone = refused = False
    deadline = time.monotonic() + 30
    while not gone and time.monotonic() < deadline:
        try:
            session.VM.get_all()
        except XapiError as error:
            gone = error.code == "SESSION_INVALID"
        except OSError:
            refused = True
            time.sleep(0.05)
    ok(refused and gone, "a restart of the toolstack: nobody answers, then nobody is known")
    is_(pool.login().task.get_all(), [], "... and no task is remembered")


# --- a foreign client

def foreign(pool, session):
    agent = "/usr/sbin/fence_xenapi"
    if not os.path.exists(agent):
        ok(False, "fence_xenapi is installed: packaging/install-packages check")
        return
    running = session.VM.get_record(guests(session, "Running")[0])

    def fence(action, *more):
        return subprocess.run([agent, "--action", action, "--session-url", pool.url(), "--username", USER, "--password", PASSWORD, *more],
                              capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ, SSL_CERT_FILE=pool.cert))
    sys.path.insert(0, "/usr/share/fence")
    os.environ["SSL_CERT_FILE"] = pool.cert
    import XenAPI  # pylint: disable=import-outside-toplevel
    theirs = XenAPI.Session(pool.url())
    theirs.xenapi.login_with_password(USER, PASSWORD)
    is_(theirs.xenapi.VM.get_all_records().keys(), session.VM.get_all_records().keys(), "XenAPI.py sees the same VMs")
    pool.control("drop-sessions")
    ok(theirs.xenapi.host.get_all(), "... and logs in again when its session is gone")
    session.ref = pool.login().ref
    plug = ("--plug", running["uuid"])
    listed = fence("list")
    ok(listed.returncode == 0 and running["uuid"] in listed.stdout, "fence_xenapi lists the VMs") or diag(listed.stderr)
    is_(fence("status", *plug).returncode, 0, "... sees that one runs")
    off = fence("off", *plug)
    ok(off.returncode == 0, "... takes its power") or diag(off.stderr)
    is_(session.VM.get_power_state(session.VM.get_by_uuid(running["uuid"])), "Halted", "... which it has not any more")
    is_(fence("status", *plug).returncode, 2, "... sees that it is off")
    on = fence("on", *plug)
    ok(on.returncode == 0, "... and starts it") or diag(on.stderr)
    is_(session.VM.get_power_state(session.VM.get_by_uuid(running["uuid"])), "Running", "... which runs again")


# --- options and the rest

def options():
    program = os.path.join(BUILD, "bin", "xapi-farm")

    def run(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    text = run("--help")
    ok(text.returncode == 0 and "--listen ADDRESS:PORT" in text.stdout and "lose-events" in text.stdout, "--help is complete")
    for arguments, says in (((), "are needed"), (("--hop",), "no option"), (("--farm",), "needs SOCKET"),
                            (("--coordinator", "0"), "number from 1"),
                            (("--farm", "f", "--password-file", "p", "--listen", "127.0.0.1:0", "--dialect", "7"), "neither 8.2 nor 8.3")):
        answer = run(*arguments)
        ok(answer.returncode == 2 and says in answer.stderr, f"{' '.join(arguments) or 'nothing'}: exit 2, says \"{says}\"") or diag(answer.stderr)
    made = subprocess.run([os.path.join(TOP, "tools/gen/gen_xapi.py"), CONTRACT_FILE], capture_output=True, text=True, check=False).stdout
    with open(os.path.join(BUILD, "gen/xapi_classes.h")) as table:
        is_(table.read() == made, True, "the table of classes is the one that the contract makes")


def plain(pool, lab):
    """Without a certificate, at a port of its own choice; and what it says when it can't serve."""
    command = [lab.binary("xapi-farm"), "--farm", lab.path("farm.sock"), "--password-file", pool.password_file]
    server = subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    ready = re.fullmatch(r"ready 127\.0\.0\.1:(\d+)\n", server.stdout.readline())
    ok(ready and int(ready[1]) > 0, "with port 0 it says which one it got") and \
        ok("VM.start" in xmlrpc.client.ServerProxy(f"http://127.0.0.1:{ready[1]}").system.listMethods(), "... and serves plain HTTP there")
    server.send_signal(signal.SIGTERM)
    is_(server.wait(30), 0, "... until it is told to end")
    for more, says in ((["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0"], "the pool has 1 hosts and --listen was given 2 times"),
                       (["--listen", f"127.0.0.1:{pool.port}"], "is the port free"), (["--listen", "localhost:0"], "no ADDRESS:PORT")):
        answer = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60, check=False)
        ok(answer.returncode == 1 and says in answer.stderr, f"exit 1: {says}") or diag(answer.stderr)


def ends(lab):
    is_(lab.kill("xapi-farm", signal.SIGTERM), 0, "SIGTERM ends it with status 0")
    reports = re.findall(r"ERROR: \w+Sanitizer: .*|.*: runtime error: .*", lab.log("xapi-farm"))
    ok(not reports, "no sanitizer speaks") or diag("\n".join(reports[:3]))


def crowd(pool, session, lab):
    """Many at once, while the farm changes; then the end, with clients that wait and work that hangs."""
    problems = []
    everybody = guests(session, "Running") + guests(session, "Halted")

    def work(number):
        try:
            mine = pool.login()
            token = ""
            for turn in range(6):
                token = mine.call("event.from", ["*"], token, 0.05)["token"]
                ref = everybody[(number + turn) % len(everybody)]
                try:
                    mine.call("VM.hard_reboot", ref) if turn % 2 else mine.call("Async.VM.pause", ref)
                except XapiError:
                    pass  # somebody else was there first
            mine.session.logout()
        except Exception as error:
            problems.append(repr(error))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        lab.farm_ctl("flap", "2")
    for thread in threads:
        thread.join(60)
    is_(problems, [], "six clients at once, while the farm changes")
    lab.farm_ctl("hang", "any")
    session.Async.VM.start(guests(session, "Halted")[0], False, False)
    kept = pool.proxy()  # connected before it has to wait
    token = pool.value(getattr(kept, "event.from")(session.ref, ["pool"], "", 0.0))["token"]
    waiter = threading.Thread(target=lambda: swallow(lambda: getattr(kept, "event.from")(session.ref, ["pool"], token, 60.0)))
    waiter.start()
    waiter.join(0.2)
    ok(waiter.is_alive(), "a client waits for events")
    ends(lab)
    waiter.join(30)
    ok(not waiter.is_alive(), "... and nobody is left waiting")


options()
with Lab(hosts=2, domains=6, speed=40, start=False) as lab_83:
    farm = Pool(lab_83)
    login = farm.login()
    sessions(farm, login)
    methods_are_known(farm, login)
    spelling(farm, login)
    estate(farm, login, lab_83)
    events(login, lab_83)
    tasks(farm, login, lab_83)
    records_are_complete(farm, login)
    causes(login, lab_83)
    alerts(login, lab_83)
    figures(farm, login, lab_83)
    foreign(farm, login)
    faults(farm, login)
    changes_of_state(farm)
    farm_faults(farm.login(), lab_83)
    crowd(farm, farm.login(), lab_83)
with Lab(hosts=1, domains=3, speed=40, start=False) as lab_82:
    farm = Pool(lab_82, dialect="8.2", role="read-only")
    login = farm.login()
    methods_are_known(farm, login)
    records_are_complete(farm, login)
    is_(fails("MESSAGE_PARAMETER_COUNT_MISMATCH", login.VM.snapshot, NULL, "name", [], name="8.2 does not know later parameters"),
        ["VM.snapshot", "3", "4"], "... and says how many it knows")
    fails("RBAC_PERMISSION_DENIED", login.VM.start, NULL, False, False, name="the role read-only reads only")
    figures(farm, login, lab_82)
    plain(farm, lab_82)
    ends(lab_82)
done()
