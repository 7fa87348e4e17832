#!/usr/bin/env python3
"""vApps of a pool: what the driver tells of the VMs in them, as clients of the pool make, fill, rename and remove them; and
that xapi-farm serves vApps as XAPI does."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, LabError, done, is_, ok  # noqa: E402
from xapi import NULL, PoolLab, fails, guests, record_problems  # noqa: E402
from xapi_contract import RELEASES  # noqa: E402

FIELDS = ("appliance_uuid", "appliance_name", "start_order", "start_delay_sec")


class Estate(PoolLab):
    """Without an agent: the driver is asked by itself, for there is no column of a vApp."""

    def begin(self, **options):
        self.serve(**options)
        spec = self.sources["pool1"]
        self.driver = subprocess.Popen([os.path.join(BUILD, "tests", "contract", "facts_dump"), spec["uri"], self.path("credentials"),
                                        spec["credential"], self.pool.cert], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.known, self.kinds = {}, []

    def poll(self):
        """One more; {uuid: {field: value}} of all VMs that are in a vApp, as told so far."""
        self.driver.stdin.write("\n")
        self.driver.stdin.flush()
        told = {}
        for line in self.driver.stdout:
            uuid, *fact = line.rstrip("\n").split("\t")
            if not fact:
                break
            told.setdefault(uuid, {})[fact[0]] = fact[1]
        else:
            raise LabError("the driver has ended")
        self.kinds.append(uuid)
        self.known = {**self.known, **told} if uuid == "news" else told
        return {vm: {name: facts[name] for name in FIELDS if name in facts} for vm, facts in self.known.items() if FIELDS[0] in facts}

    def tells(self, wanted, name):
        """What it tells becomes that, soon."""
        try:
            self.wait(lambda: self.poll() == wanted, name)
        except LabError:
            pass
        is_(self.poll(), wanted, name)

    def end(self):
        self.driver.stdin.close()
        return self.driver.wait(30)


def server(lab, release):
    """That clients of the pool find what they know of XAPI; nothing is left."""
    session = lab.session
    first, second = guests(session, "Running")[:2]
    control = next(ref for ref, vm in session.VM.get_all_records().items() if vm["is_control_domain"])
    made = session.VM_appliance.create({"name_label": "shop", "name_description": "all of it"})
    record = session.VM_appliance.get_record(made)
    is_((record["name_label"], record["name_description"], record["VMs"]), ("shop", "all of it", []), f"{release}: a vApp is made, without VMs")
    is_(session.VM_appliance.get_by_name_label("shop"), [made], f"{release}: ... and found by its name")
    token = session.call("event.from", ["VM_appliance", "VM"], "", 0.0)["token"]
    session.VM.set_appliance(first, made)
    session.VM.set_appliance(second, made)
    session.VM.set_order(first, "2")
    session.VM.set_start_delay(first, "30")
    batch = session.call("event.from", ["VM_appliance", "VM"], token, 30.0)
    last = {event["ref"]: event["snapshot"] for event in batch["events"]}
    is_(sorted(last[made]["VMs"]), sorted((first, second)), f"{release}: VMs are put into it, and an event tells")
    is_([last[first][field] for field in ("appliance", "order", "start_delay")], [made, "2", "30"], f"{release}: ... of the VM as well")
    fails("HANDLE_INVALID", session.VM.set_appliance, first, "OpaqueRef:none", name=f"{release}: a vApp that there is not takes none")
    fails("OPERATION_NOT_ALLOWED", session.VM.set_appliance, control, made, name=f"{release}: nor is a control domain put into one")
    is_(fails("INVALID_VALUE", session.VM.set_order, first, "-1", name=f"{release}: an order is no negative number"),
        ["order", "-1"], f"{release}: ... and says so")
    session.VM.set_appliance(second, NULL)
    is_(session.VM_appliance.get_VMs(made), [first], f"{release}: a VM is taken out")
    other = session.VM_appliance.create({"name_label": "other", "name_description": ""})
    session.VM.set_appliance(second, other)
    session.VM_appliance.destroy(other)
    is_((session.VM.get_appliance(second), session.VM_appliance.get_all()), (NULL, [made]), f"{release}: a vApp goes, and its VM stays, in none")
    is_(record_problems(lab.pool, session, "VM_appliance"), (1, []), f"{release}: its record has all fields, spelt right")
    session.VM_appliance.destroy(made)


def vapps(lab, release):
    session = lab.session
    refs = {uuid: vm["ref"] for uuid, vm in sorted(lab.vms().items())}
    first, second = list(refs)[:2]
    lab.tells({}, f"{release}: no VM is in a vApp")
    made = session.VM_appliance.create({"name_label": "shop & <co> \u00e9", "name_description": ""})
    uuid = session.VM_appliance.get_uuid(made)
    session.VM.set_appliance(refs[first], made)
    session.VM.set_order(refs[first], "2")
    session.VM.set_start_delay(refs[first], "30")
    of_first = dict(zip(FIELDS, (uuid, "shop & <co> \u00e9", "2", "30")))
    lab.tells({first: of_first}, f"{release}: one is put into one, with its turn and delay")
    before = len(lab.kinds)
    session.VM.set_appliance(refs[second], made)
    of_second = dict(of_first, start_order="0", start_delay_sec="0")
    lab.tells({first: of_first, second: of_second}, f"{release}: and another one")
    ok("news" in lab.kinds[before:], f"{release}: which is told as news, without the rest of the pool")
    lab.pool.control("set", "VM_appliance", made, "name_label", "'store'")
    lab.tells({first: dict(of_first, appliance_name="store"), second: dict(of_second, appliance_name="store")},
              f"{release}: a new name is told of each VM in it")
    session.VM.set_appliance(refs[first], NULL)
    lab.tells({second: dict(of_second, appliance_name="store")}, f"{release}: a VM is taken out, and its turn means nothing")
    session.VM_appliance.destroy(made)
    lab.tells({}, f"{release}: and the vApp goes")


for known in RELEASES:
    with Estate(hosts=2, domains=6) as estate:
        estate.begin(dialect=known)
        try:
            server(estate, known)
            vapps(estate, known)
        finally:
            is_(estate.end(), 0, f"{known}: the driver ends")
done()
