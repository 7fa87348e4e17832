"""Figures of large estates: memory, walks of many rows, many sources, many of them silent."""

import time

from kit import Estate, INTERVAL, INTERVALS, ROUNDS, knob, middle, note, pair, pass_intervals, spent, whole

MANY = knob("MANY", 100000)
TENTH = MANY // 10
DOMAINS_PER_HOST = 1000
CHURN = knob("CHURN", 6000)
SOURCES = knob("SOURCES", 1000)
DOMAINS_PER_SOURCE = 50
# Shown whether a source answers or not, so that walks before and after are of the same cells.
COLUMNS = ("xenDomainName", "xenDomainState", "xenDomainUuid")
MB = 1000000


def hosts_for(domains):
    return max(1, domains // DOMAINS_PER_HOST)


def resident(pid):
    """Octets of memory that a process has now."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024


# --- memory, and walks of ten times the rows

def bench_memory(lab, figures):
    """The most it had after any of the intervals: guests change, all tables of domains are read, names too."""
    seen = []
    for _ in range(INTERVALS + 1):
        pass_intervals(1)
        whole(lab, COLUMNS + ("xenNameCount",))
        seen.append(resident(lab.pid("xensnmpd")))
    note(f"{lab.domains} domains, {CHURN} change in a minute; MB after each interval: "
         + " ".join(f"{octets / MB:.1f}" for octets in seen))
    most = max(seen)
    figures.add("memory-per-domain", most / lab.domains, "B", "<1500", most < 1500 * lab.domains)
    figures.add("memory-front", most / MB, "MB", "<150", most < 150 * MB)


def walks(lab, other):
    """(cells, median of seconds, median of a cell's time as a multiple of one of the other's)"""
    runs = [pair(lab, other, COLUMNS) for _ in range(ROUNDS)]
    return runs[0][0], middle([seconds for _, seconds, _ in runs]), middle([multiple for _, _, multiple in runs])


def bench_rows(figures):
    """A row of many against a row of a tenth as many. Guests of neither change: only their number differs."""
    with Estate(hosts_for(MANY), MANY) as many, Estate(hosts_for(TENTH), TENTH) as few:
        pass_intervals(1)
        cells, seconds, multiple = walks(many, few)
    over = 100 * (multiple - 1)
    note(f"a walk of {len(COLUMNS)} columns of {MANY} domains, median of {ROUNDS}: {1e6 * seconds / cells:.2f} us a cell, "
         f"{multiple:.3f} times one of {TENTH} domains")
    figures.add("walk-many-over-tenth", over, "%", "<=10", over <= 10)


def measure_many(figures):
    if figures.wanted & {"memory-per-domain", "memory-front"}:
        with Estate(hosts_for(MANY), MANY, ["--churn", str(CHURN)]) as lab:
            bench_memory(lab, figures)
    if "walk-many-over-tenth" in figures.wanted:
        bench_rows(figures)


# --- many sources

def bench_cpu(lab, figures):
    pass_intervals(1)
    front, all_of_it, began = lab.cpu("xensnmpd"), spent(lab), time.monotonic()
    pass_intervals(INTERVALS)
    took = time.monotonic() - began
    front, all_of_it = lab.cpu("xensnmpd") - front, spent(lab) - all_of_it
    percent = 100 * all_of_it / took
    note(f"{SOURCES} sources with {DOMAINS_PER_SOURCE} domains each, every {INTERVAL} s: front {100 * front / took:.1f} %, "
         f"{len(lab.workers())} workers {100 * (all_of_it - front) / took:.1f} % of a core, over {took:.0f} s")
    figures.add("cpu-many-sources", percent, "%", "<25", percent < 25)


def oldest(lab, sources):
    """The largest age that any of the sources had in an interval."""
    worst, end = 0, time.monotonic() + INTERVAL
    while time.monotonic() < end:
        ages = lab.column("xenSourceDataAge")
        worst = max(worst, max(ages[source] for source in sources))
        time.sleep(INTERVAL / 20)
    return worst


def bench_hung(lab, control, figures):
    hung, others = lab.host_names()[:SOURCES * 3 // 10], lab.host_names()[SOURCES * 3 // 10:]
    cells, before, multiple_before = walks(lab, control)
    age_before = oldest(lab, others)
    for host in hung:
        lab.farm_ctl("host", host, "hung")
    lab.wait(lambda: lab.get(lab.oid("xenSourceDownCount", 0)) == len(hung), "the hung sources are down", 240)
    cells_after, after, multiple_after = walks(lab, control)
    age_after = oldest(lab, others)
    if cells_after != cells:
        raise SystemExit(f"bench: a walk had {cells} cells before sources hung and {cells_after} after")
    over = 100 * (multiple_after / multiple_before - 1)
    note(f"{len(hung)} of {SOURCES} sources hung: a walk of {cells} cells takes {before:.3f} s before, {after:.3f} s after "
         f"(median of {ROUNDS}), a cell {multiple_before:.3f} and {multiple_after:.3f} times one of an estate where nothing hangs; "
         f"the oldest of the others {age_before} s before, {age_after} s after")
    figures.add("walk-hung-over-before", over, "%", "<=5", over <= 5)
    figures.add("age-hung-over-before", age_after - age_before, "s", "<=1", age_after - age_before <= 1)


def measure_sources(figures):
    with Estate(SOURCES, SOURCES * DOMAINS_PER_SOURCE) as lab:
        if "cpu-many-sources" in figures.wanted:
            bench_cpu(lab, figures)
        if figures.wanted & {"walk-hung-over-before", "age-hung-over-before"}:
            beside = max(1, SOURCES // 4)
            with Estate(beside, beside * DOMAINS_PER_SOURCE) as control:
                bench_hung(lab, control, figures)
