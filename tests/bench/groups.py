"""The status of groups, and beside it a bare look at the row of each member."""

from kit import knob, note, tool

GROUPS = knob("GROUPS", 100)
MEMBERS = knob("GROUP_MEMBERS", 200)
HOSTS = 32
ROUNDS = 51


def measure(figures):
    status, names, rows = (float(msec) for msec in tool("group_status", GROUPS, MEMBERS, HOSTS, ROUNDS).split())
    note(f"{GROUPS} groups of {MEMBERS} members on {HOSTS} hosts: {status:.2f} ms per snapshot, {names:.2f} ms when names "
         f"changed too, {rows:.2f} ms to look at their rows")
    figures.add("group-status", status, "ms", "<=20", status <= 20)
    figures.add("group-status-over-rows", status / rows, "x", "<=4", status <= 4 * rows)
