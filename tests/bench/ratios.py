"""Ratios to a baseline that runs beside: walks against a bare subagent, SETs against bare commits."""

import os

from kit import BUILD, INTERVAL, Lab, ROUNDS, knob, middle, note, p99, pieces, tool, walk

DOMAINS = knob("DOMAINS", 10000)
HOSTS = 10
RUNNING = 4
GUEST = 1
PAUSE = 5
# (name, repetitions): what snmpbulkwalk does, and what snmptable and good pollers do.
MODES = (("column", 50), ("row", 10))
SETS_PER_BLOCK = 100


def best_rate(walks):
    """Varbinds per second of a walk put together from the fastest run of each piece: what a machine does when nothing
    else wants it, for that is what both sides have in common."""
    fastest = [min(piece, key=lambda run: run[1] / run[0]) for piece in zip(*walks)]
    return sum(cells for cells, _ in fastest) / sum(seconds for _, seconds in fastest)


LIBRENMS = "1.3.6.1.4.1.60652.100"
# How figures begin -> the tables that are walked for them.
WALKED = {"walk": ("xenDomainTable", "xenDomainPerfTable"), "walk-librenms": (LIBRENMS,)}


def names_of(walked):
    return [f"{walked}-{mode}-of-bare" for mode, _ in MODES]


def bench_walk(lab, figures, walked):
    """Every column of tables that have a row per domain: the two of our own, or the one of LibreNMS."""
    tables = [lab.schema().get(name, name) for name in WALKED[walked]]
    root = tables[0] if walked != "walk" else tables[0].rsplit(".", 3)[0]
    columns = sorted({oid.rsplit(".", 1)[0] for table in tables for oid, _ in lab.bulkwalk(table, 100)},
                     key=lambda oid: [int(arc) for arc in oid.split(".")])
    with Lab(farm=False, start=False) as bare:
        with open(bare.path("cells"), "w") as out:
            out.write(walk(lab, "column", 50, columns, ["dump"]))
        bare.start("snmpd")
        bare.start("raw_agent", [os.path.join(BUILD, "tests/bench/raw_agent"), bare.path("agentx"), root,
                                 bare.path("cells")])
        bare.wait(lambda: bare.getnext(root)[0][0].startswith(root), "the bare subagent serves", 30)
        for mode, repetitions in MODES:
            ours, theirs = [], []
            began = lab.cpu("xensnmpd"), bare.cpu("raw_agent")
            for turn in range(ROUNDS):
                for who, walks in ((lab, ours), (bare, theirs))[::1 if turn % 2 == 0 else -1]:
                    walks.append(pieces(who, mode, repetitions, columns))
            mine, least = best_rate(ours), best_rate(theirs)
            cells = sum(cells for walked in ours for cells, _ in walked)
            spent = [1e6 * (now - then) / cells for now, then in
                     zip((lab.cpu("xensnmpd"), bare.cpu("raw_agent")), began)]
            note(f"{walked}, {mode} mode, {len(columns)} columns, {cells // ROUNDS} varbinds, {ROUNDS} walks each: "
                 f"xensnmpd {mine:,.0f}/s, bare subagent {least:,.0f}/s; processor per varbind {spent[0]:.2f} and "
                 f"{spent[1]:.2f} us")
            figures.add(f"{walked}-{mode}-of-bare", 100 * mine / least, "%", ">=90", mine >= 0.9 * least)


def bench_set(lab, figures):
    """A SET to a domain of its own each time, while no source answers; commits beside it in the same folder."""
    states = lab.bulkwalk(lab.oid("xenDomainState"), 100)
    running = [int(oid.rsplit(".", 1)[1]) for oid, state in states if state == RUNNING]
    kinds = dict(lab.bulkwalk(lab.oid("xenDomainKind"), 100))
    guests = [row for row in running if kinds[lab.oid("xenDomainKind", row)] == GUEST]
    for host in lab.host_names():
        lab.farm_ctl("host", host, "hung")
    power = lab.oid("xenDomainPower")
    ours, bare, refused = [], [], 0
    for turn in range(min(ROUNDS, len(guests) // SETS_PER_BLOCK)):
        block = guests[turn * SETS_PER_BLOCK:(turn + 1) * SETS_PER_BLOCK]
        answers = [line.split() for line in tool("client", "set", f"127.0.0.1:{lab.port}", "private", PAUSE,
                                                 stdin="".join(f"{power}.{row}\n" for row in block)).splitlines()]
        refused += sum(1 for _, status in answers if status != "0")
        ours.append(p99([int(usec) for usec, _ in answers]) / 1000)
        bare.append(p99([int(line) for line in tool("commit", lab.path("state"), SETS_PER_BLOCK).splitlines()]) / 1000)
    if refused or not ours:
        raise SystemExit(f"bench: {refused} of {len(ours) * SETS_PER_BLOCK} SETs were refused: {lab.get(lab.oid('xenSetLastError', 0))}")
    over = middle(ours) - middle(bare)
    note(f"p99 of {SETS_PER_BLOCK}, median of {len(ours)} blocks, every source hung: SET {middle(ours):.2f} ms, "
         f"bare commit {middle(bare):.2f} ms")
    figures.add("set-p99-over-commit", over, "ms", "<=5", over <= 5)


def measure(figures):
    with Lab(hosts=HOSTS, domains=DOMAINS, agent={"interval": INTERVAL, "librenms": "yes"}) as estate:
        for walked in WALKED:
            if figures.wanted & set(names_of(walked)):
                bench_walk(estate, figures, walked)
        if "set-p99-over-commit" in figures.wanted:
            bench_set(estate, figures)
