"""How long the plan of a large group takes, for the kind of fleet that takes longest, beside a sort in the same process."""

from kit import ROUNDS, knob, middle, note, tool

MEMBERS = knob("GROUP", 200)
HOSTS = 32


def measure(figures):
    kinds = {}
    for _ in range(ROUNDS):
        for line in tool("plan", MEMBERS, HOSTS).splitlines():
            kind, plan, sort = line.split()
            kinds.setdefault(kind, []).append((float(plan), float(sort)))
    plans = {kind: 1000 * middle([plan for plan, _ in runs]) for kind, runs in kinds.items()}
    ratios = {kind: middle([plan / sort for plan, sort in runs]) for kind, runs in kinds.items()}
    note(f"{MEMBERS} members and {HOSTS} hosts, median of {ROUNDS}: "
         + ", ".join(f"{kind} {plans[kind]:.2f} ms and {ratios[kind]:.2f} of a sort of all pairs" for kind in plans))
    worst, slowest = max(plans.values()), max(ratios.values())
    figures.add("plan-of-group", worst, "ms", "<50", worst < 50)
    figures.add("plan-over-sort", slowest, "x", "<=3", slowest <= 3)
