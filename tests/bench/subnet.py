"""How long a discovery of a subnet takes, hosts among its silent addresses that answer with TLS."""

import time

from kit import ROUNDS, knob, middle, note
from lab import Lab
from xapi import Pool

ANSWERING = knob("ANSWERING", 20)
FINISHED, OK = 5, 2


def row(lab, name):
    return next((cells for cells in lab.table("xenDiscoveryTable").values() if cells.get("xenDiscoveryLabel") == name), {})


def discover(lab, pool, name):
    """Seconds from the request to the end that is shown."""
    begin = time.monotonic()
    status = lab.set((lab.oid("xenDiscoveryStart", 0), "s", name), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "127.0.0.0/24"),
                     (lab.oid("xenDiscoveryStartProbes", 0), "s", f"xapi:{pool.port},ssh:1,xend:2,libvirt:3"))
    if status != "noError":
        raise SystemExit(f"bench: the discovery is refused: {status}")
    lab.wait(lambda: row(lab, name).get("xenDiscoveryState") == FINISHED, f"discovery {name} is over")
    seconds, end = time.monotonic() - begin, row(lab, name)
    if (end["xenDiscoveryResult"], end["xenDiscoveryFound"]) != (OK, ANSWERING):
        raise SystemExit(f"bench: the discovery found {end['xenDiscoveryFound']} of {ANSWERING}: {end['xenDiscoveryText']}")
    return seconds


def measure(figures):
    with Lab(hosts=ANSWERING, domains=ANSWERING, start=False,
             agent={"discovery_allow": "127.0.0.0/24", "duplicate_window": 0}) as lab:
        lab.sources.clear()
        lab.write_config()
        pool = Pool(lab)
        lab.start("snmpd")
        lab.start("xensnmpd")
        lab.wait(lambda: lab.get(lab.oid("xenAgentVersion", 0)), "the agent answers")
        runs = [discover(lab, pool, f"run{n}") for n in range(ROUNDS)]
    note(f"a discovery of 254 addresses with {ANSWERING} that answer, 4 ports each, at 500 connections in a second: "
         + " ".join(f"{seconds:.2f}" for seconds in sorted(runs)) + " s")
    figures.add("discovery-of-subnet", middle(runs), "s", "<3", middle(runs) < 3)
