#!/usr/bin/env python3
"""Discovery over SNMP: what is found and what is not, registering, limits, cancel, restart; on loopback alone."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from discovery import BOMB, Server, endless, greets, http, libvirt, silent, xend
from lab import Lab, done, is_, ok
from xapi import PASSWORD, USER, Pool

FINISHED, OK, FAILED, CANCELLED = 5, 2, 4, 5
XEN, POSSIBLE = 1, 2
PARAMETERS = {"subnets": ("xenDiscoveryStartSubnets", "s"), "probes": ("xenDiscoveryStartProbes", "s"),
              "rate": ("xenDiscoveryStartRate", "u"), "credential": ("xenDiscoveryStartCredential", "s"),
              "note": ("xenDiscoveryStartNote", "s")}


class Estate(Lab):
    def discover(self, name, **parameters):
        binds = [(self.oid("xenDiscoveryStart", 0), "s", name)] if name else []
        for key, value in parameters.items():
            column, kind = PARAMETERS[key]
            binds.append((self.oid(column, 0), kind, value))
        return self.set(*binds)

    def row(self, name):
        rows = [dict(cells, index=index) for index, cells in self.table("xenDiscoveryTable").items()
                if cells.get("xenDiscoveryLabel") == name]
        return rows[-1] if rows else {}

    def finish(self, name):
        self.wait(lambda: self.row(name).get("xenDiscoveryState") == FINISHED, f"discovery {name} is over")
        return self.row(name)

    def found(self):
        return self.table("xenFoundTable")

    def why(self):
        return list(self.table("xenSetErrorTable").values())[-1]["xenSetErrorText"]

    def refused(self, status, words, what, name="lab", **parameters):
        before = len(self.table("xenDiscoveryTable"))
        is_(self.discover(name, **parameters), status, f"{what}: {status}")
        text = self.why()
        ok(words in text, f"{what}: the refusal says so ({text})")
        is_(len(self.table("xenDiscoveryTable")), before, f"{what}: nothing is begun")


with Estate(hosts=2, domains=4, start=False, agent={"discovery_allow": "127.0.0.0/17; ::1",
                                                     "discovery_rate": 2000, "discovery_credentials": "key"}) as lab:
    lab.sources.clear()
    lab.with_farm = False
    lab.write_config()
    pool = Pool(lab)
    with open(lab.path("credentials", "pool"), "w") as credential:
        os.chmod(lab.path("credentials", "pool"), 0o600)
        credential.write(f"[credential]\nuris = https://*\nuser = {USER}\npassword = {PASSWORD}\n")
    with open(lab.path("tls_pins"), "w") as pins:
        pins.write(f"127.0.0.1:{pool.port} {pool.fingerprint()}\n127.0.0.2:{pool.port} {pool.fingerprint()}\n")
    lab.start("snmpd")
    lab.start("xensnmpd")
    lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)), "the agent answers")

    # --- wrong requests
    is_(lab.get(lab.oid("xenDiscoveryAllowed", 0)), "127.0.0.0/17,::1", "what is allowed can be read")
    lab.refused("noAccess", "10.9.0.0/24 may not be looked into", "another's subnet", subnets="10.9.0.0/24")
    lab.refused("noAccess", "127.0.0.0/16 may not", "more than is allowed", subnets="127.0.0.0/16")
    lab.refused("wrongValue", "no subnet", "a name", subnets="host.example")
    lab.refused("wrongValue", "write 127.0.1.0/24", "bits behind the prefix", subnets="127.0.1.7/24")
    lab.refused("wrongValue", "65537 addresses", "too many addresses", subnets="127.0.0.0/16,127.0.0.9")
    lab.refused("wrongValue", "name addresses", "a subnet of IPv6", subnets="::/64")
    lab.refused("wrongValue", "no host has such an address", "multicast", subnets="224.0.0.1")
    lab.refused("wrongValue", "there are the probes", "an unknown probe", subnets="127.0.0.1", probes="vnc")
    lab.refused("wrongValue", "1 to 65535", "port 0", subnets="127.0.0.1", probes="ssh:0")
    lab.refused("wrongValue", "allows 2000", "above the rate", subnets="127.0.0.1", rate=2001)
    lab.refused("noAccess", "does not name it", "a credential nobody allowed", subnets="127.0.0.1", credential="pool")
    lab.refused("inconsistentValue", "no credential key", "a credential that is not there", subnets="127.0.0.1",
                credential="key")
    lab.refused("wrongValue", "discovery's name", "a bad name", name="a b", subnets="127.0.0.1")
    lab.refused("inconsistentValue", "belongs into the same request", "parameters alone", name=None, subnets="127.0.0.1")
    is_(lab.discover("", subnets="", rate=0), "noError", "what it reads may be written: nothing happens")
    is_(len(lab.table("xenDiscoveryTable")), 0, "no discovery was begun")

    # --- everything that there is
    servers = {name: Server(address, 0, serve) for name, address, serve in [
        ("xend", "127.0.0.11", xend()), ("not xend", "127.0.0.12", http("<html>no</html>")),
        ("libvirt", "127.0.0.13", libvirt()), ("libvirt of others", "127.0.0.14", libvirt(xen=False)),
        ("locked libvirt", "127.0.0.15", libvirt(auth=(1, 2))), ("ssh", "127.0.0.16", greets(b"SSH-2.0-Fake_1\x1b[2J\r\n")),
        ("mail", "127.0.0.17", greets(b"220 mail ESMTP\r\n")), ("silent", "127.0.0.18", silent),
        ("ssh of IPv6", "::1", greets(b"SSH-2.0-Six\r\n"))]}
    port = {name: server.port for name, server in servers.items()}
    probes = ",".join([f"xapi:{pool.port}", f"ssh:{port['ssh']}", f"ssh:{port['mail']}", f"xend:{port['xend']}",
                       f"xend:{port['not xend']}", f"libvirt:{port['libvirt']}", f"libvirt:{port['libvirt of others']}",
                       f"libvirt:{port['locked libvirt']}", f"xend:{port['silent']}", f"ssh:{port['ssh of IPv6']}"])
    is_(lab.discover("all", subnets="127.0.0.0/27,::1", probes=probes, note="first look"), "noError", "one SET starts it")
    row = lab.finish("all")
    is_((row["xenDiscoveryResult"], row["xenDiscoveryAddresses"], row["xenDiscoveryProgress"], row["xenDiscoveryRate"]),
        (OK, 31, 100, 2000), "it looked everywhere")
    is_((row["xenDiscoverySubnets"], row["xenDiscoveryProbes"]), ("127.0.0.0/27,::1", probes), "its row says where and for what")
    operation = lab.table("xenOperationTable")[row["index"]]
    is_((lab.labels("xenOperationAction")[operation["xenOperationAction"]], operation["xenOperationTarget"],
         operation["xenOperationNote"], operation.get("xenOperationSource")), ("discover", "all", "first look", None),
        "it is an operation like others, of no source")
    found = lab.found()
    uris = {"pool": f"https://127.0.0.1:{pool.port}", "member": f"https://127.0.0.2:{pool.port}",
            "xend": f"xend://127.0.0.11:{port['xend']}", "libvirt": f"libvirt://127.0.0.13:{port['libvirt']}",
            "locked": f"libvirt://127.0.0.15:{port['locked libvirt']}", "ssh": f"ssh://root@127.0.0.16:{port['ssh']}",
            "six": f"ssh://root@[::1]:{port['ssh of IPv6']}"}
    is_(sorted(found), sorted(uris.values()), "Xen is found, and what may be; other open ports are not")
    is_((row["xenDiscoveryFound"], row["xenDiscoveryNew"]), (7, 7), "the row counts them")

    def cells(name, *columns):
        return tuple(found[uris[name]].get(column) for column in columns)

    is_(cells("pool", "xenFoundVerdict", "xenFoundFingerprint", "xenFoundName", "xenFoundRegisterAs"),
        (XEN, pool.fingerprint(), "xapi-farm", ""), "a pool shows its certificate")
    is_(cells("xend", "xenFoundVerdict", "xenFoundProduct", "xenFoundName", "xenFoundAddress", "xenFoundPort"),
        (XEN, "xend of Xen 4.1.0", "xen3-host", "127.0.0.11", port["xend"]), "xend says its version")
    is_(cells("libvirt", "xenFoundVerdict"), (XEN,), "libvirt opens xen:///system")
    is_(cells("locked", "xenFoundVerdict", "xenFoundRemark"),
        (POSSIBLE, "it wants a login before it tells what it runs"), "one with a login is only possible")
    is_(cells("ssh", "xenFoundVerdict", "xenFoundProduct", "xenFoundFingerprint"), (POSSIBLE, "SSH-2.0-Fake_1?[2J", None),
        "so is an SSH server; its words are cleaned")

    # --- those that lie, stall or never end
    hostile = [Server("127.0.0.30", 0, serve) for serve in (
        endless(b"HTTP/1.1 200 OK\r\n\r\n<value>"), http(BOMB), http("<methodResponse>" * 2000), http(""), endless(b"x"),
        endless(b"\x7f\xff\xff\xff\x20\x00\x80\x86"), endless(b"\0\0\0\4"), endless(b"\0\0\0\x1c\x20\x00\x80\x86"),
        greets(b"SSH-2.0-" + b"x" * 70000), greets(b"HTTP/1.1 200 OK\r\n\r\n"), greets(b""), silent)]
    for kind in ("xend", "libvirt", "ssh", "xapi"):
        is_(lab.discover(f"bad-{kind}", subnets="127.0.0.30", probes=",".join(f"{kind}:{server.port}" for server in hostile)),
            "noError", f"hostile servers, asked as {kind}")
        row = lab.finish(f"bad-{kind}")
        is_((row["xenDiscoveryResult"], row["xenDiscoveryText"]), (OK, f"{len(hostile)} open ports, 0 finds"), "none is believed")
    is_(lab.get(lab.oid("xenWorkersLost", 0)), 0, "and no worker died")
    for server in hostile:
        server.close()

    # --- registering
    def register(name, key, credential=None):
        binds = [(lab.oid("xenFoundRegisterAs", uris[name]), "s", key)]
        if credential is not None:
            binds.append((lab.oid("xenFoundRegisterCredential", uris[name]), "s", credential))
        return lab.set(*binds)

    def told(status, words, what):
        ok(status != "noError" and words in lab.why(), f"{what}: {status} ({lab.why()})")

    is_(register("xend", "old"), "wrongValue", "what no driver serves is not registered")
    told("wrongValue", "no driver for xend", "that is said")
    is_(register("pool", "a b"), "wrongValue", "a bad key is refused")
    is_(register("pool", "pool", "nobody"), "inconsistentValue", "an unknown credential is refused")
    told("inconsistentValue", "no credential nobody", "that is said")
    is_(lab.set((lab.oid("xenFoundRegisterCredential", uris["pool"]), "s", "pool")), "inconsistentValue",
        "a credential alone is refused")
    is_(lab.set((lab.oid("xenFoundRegisterAs", "https://127.0.0.99"), "s", "x")), "noCreation", "what was not found is refused")
    is_(register("pool", "pool", "pool"), "noError", "one SET registers one")
    lab.wait(lambda: lab.table("xenSourceTable")["pool"]["xenSourceState"] == 2, "the new source is up")
    is_(lab.table("xenSourceTable")["pool"]["xenSourceUri"], uris["pool"], "it has the URI")
    found = lab.found()
    is_(cells("pool", "xenFoundRegisterAs"), ("pool",), "the find shows its source")
    lab.wait(lambda: lab.found()[uris["member"]]["xenFoundRegisterAs"] == "pool", "its pool's member is known too")
    is_(register("pool", "pool"), "noError", "what it reads may be written")
    is_(register("pool", "again"), "inconsistentValue", "another key is refused")
    told("inconsistentValue", "is source pool already", "that is said")
    is_(register("ssh", "pool"), "inconsistentValue", "a key that is taken is refused")
    is_(lab.row("all")["xenDiscoveryNew"], 5, "fewer are new")

    # --- again, and only one at a time
    before = {uri: cells_["xenFoundFirstSeen"] for uri, cells_ in lab.found().items()}
    servers["mail"].close()
    is_(lab.discover("again", subnets="127.0.0.11,127.0.0.16", probes=f"xend:{port['xend']},ssh:{port['ssh']}"), "noError",
        "a second one")
    lab.finish("again")
    after = lab.found()
    is_(before, {uri: cells_["xenFoundFirstSeen"] for uri, cells_ in after.items()}, "no row came twice, none went")
    is_((lab.row("again")["xenDiscoveryFound"], lab.row("all")["xenDiscoveryFound"]), (2, 5), "each counts what it saw last")
    # 20 connections a second: this one would take an hour.
    is_(lab.discover("slow", subnets="127.0.0.0/17", probes="ssh", rate=20), "noError", "a slow one")
    is_(lab.discover("slow", subnets="127.0.0.0/17", probes="ssh", rate=20), "noError", "asked again it is the same")
    is_([cells_["xenDiscoveryLabel"] for cells_ in lab.table("xenDiscoveryTable").values()].count("slow"), 1, "and no second")
    is_(lab.discover("other", subnets="127.0.0.1"), "resourceUnavailable", "another waits for its turn")
    told("resourceUnavailable", "discovery slow is in progress", "that is said")
    slow = lab.wait(lambda: lab.row("slow").get("xenDiscoveryProgress") is not None and lab.row("slow"), "it makes progress")
    lab.wait(lambda: lab.get(lab.oid("xenSourcePollsOk", "pool")) > 2, "polls go on meanwhile")
    is_(lab.set((lab.oid("xenOperationCancel", slow["index"]), "i", 2)), "noError", "it can be cancelled")
    is_(lab.finish("slow")["xenDiscoveryResult"], CANCELLED, "it ends so")

    # --- a worker dies, the agent dies
    is_(lab.discover("long", subnets="127.0.0.0/22", probes=f"xend:{port['xend']},ssh", rate=400), "noError", "a longer one")
    lab.wait(lambda: lab.row("long").get("xenDiscoveryState") == 3, "it runs")
    for worker in lab.workers():
        os.kill(worker, signal.SIGKILL)
    is_((lab.finish("long")["xenDiscoveryResult"], lab.found()[uris["xend"]]["xenFoundDiscovery"]), (OK, lab.row("long")["index"]),
        "the death of a worker does not end it")
    is_(lab.discover("cut", subnets="127.0.0.0/21", probes=f"xend:{port['xend']}", rate=400), "noError", "one more")
    lab.restart("xensnmpd", signal.SIGKILL)
    row = lab.finish("cut")
    is_((row["xenDiscoveryResult"], list(lab.found())), (OK, [uris["xend"]]), "nor that of the agent: it is begun again")

    # --- what is allowed when it begins counts
    lab.agent["discovery_allow"] = "10.9.0.0/16"
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.get(lab.oid("xenDiscoveryAllowed", 0)) == "10.9.0.0/16", "the file is read again")
    lab.refused("noAccess", "discovery_allow of the configuration", "loopback, from now on", subnets="127.0.0.1")
    lab.agent["control"] = "no"
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.get(lab.oid("xenControlEnabled", 0)) == 2, "control is off")
    is_(lab.discover("off", subnets="10.9.0.1"), "notWritable", "without control there is no discovery")
    secrets = [lab.log(name) for name in ("xensnmpd", "xapi-farm")]
    ok(not any(PASSWORD in text for text in secrets), "no password in any log")
    for server in servers.values():
        server.close()
done()
