#!/usr/bin/env python3
"""Writes docs/columns.md and docs/notifications.md from the MIB text and from what xensnmpd says of itself.

usage: gen_docs.py XENSNMPD > docs/columns.md
       gen_docs.py XENSNMPD notifications > docs/notifications.md
"""

import sys

sys.dont_write_bytecode = True
import mib  # noqa: E402

_HEAD = """\
# Objects of XENSNMP-MIB

Made by `tools/gen/gen_docs.py` from `mibs/XENSNMP-MIB.txt` and `xensnmpd --dump-schema`; do not edit.

All numbers stand below the root `{root}` (see [oid-root.md](oid-root.md)): the object
`xenAgentVersion` with number `{first}` is read as `{root}.{first}.0`, a column as root, number and
index. A text as index is its length followed by its octets: `web1` is `4.119.101.98.49`.

An object without an instance is not known or does not apply; nothing ever reads 0, -1 or empty instead. `rw`: may be set;
`rc`: may be set, also to make a row. *From* names the fact of the model behind an object; `xensnmpd` computes
the others.
"""
# The types of the model whose facts are named.
_OBJECTS = ("host", "domain", "vif", "vbd", "vcpu", "snapshot", "sr", "pif")
_ACCESS = {"read-only": "ro", "read-write": "rw", "read-create": "rc", "not-accessible": "index"}


def _cell(text):
    return text.replace("|", "\\|").replace("\n\n", "<br>")


def _syntax(thing):
    if thing.labels != "-":
        return f"{thing.type}: {thing.labels.replace(',', ', ')}"
    if thing.range not in ("-", "0..255"):
        return f"{thing.type} ({thing.range})"
    return thing.type


def _row(thing, schema):
    units = f" Unit: {thing.units}." if thing.units != "-" else ""
    source = schema[thing.name].source
    fact = f"`{source}`" if source.partition(".")[0] in _OBJECTS else ""
    return (f"| {thing.oid} | `{thing.name}` | {_ACCESS[thing.access]} | {_cell(_syntax(thing))} "
            f"| {fact} | {_cell(thing.description)}{units} |")


_TABLE = ["| Number | Object | | Syntax | From | Meaning |", "|---|---|---|---|---|---|"]


def columns_md(binary):
    """The whole text of docs/columns.md."""
    root, module = mib.read_module()
    _, schema = mib.read_schema(binary)
    scalars = [o for o in module.values() if o.kind == "scalar"]
    lines = [_HEAD.format(root=root, first=scalars[0].oid)]
    lines += ["## Scalars", "", "Their index is 0.", "", *_TABLE]
    lines += [_row(o, schema) for o in scalars]
    for thing in module.values():
        if thing.kind == "table":
            lines += ["", f"## {thing.name} ({thing.oid})", "", thing.description, "",
                      f"Index: {thing.index.replace('AUGMENTS', 'that of')}.", "", *_TABLE]
        elif thing.kind not in ("scalar", "notification"):
            lines.append(_row(thing, schema))
    lines += ["", "## Textual conventions", "", "| Name | Values | Meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {labels.replace(',', ', ')} | {_cell(text)} |"
              for name, labels, text in mib.typedefs()]
    return "\n".join(lines) + "\n"


_NOTIFICATIONS = """\
# Notifications

Made by `tools/gen/gen_docs.py` from `mibs/XENSNMP-MIB.txt` and `xensnmpd --dump-schema`; do not edit.

Every event in `xenEventTable` can be sent as a notification (a trap or an inform, as `snmpd` is told to). Receivers see
`snmpd`'s address only, so each notification names source, host and domain in its objects, and each has the event's serial.

## To receive them

`snmpd` sends them; who gets them stands in its configuration:

```
trap2sink 192.0.2.9 public
trapsess -Ci -v3 -l authPriv -u trapper -a SHA-256 -A AUTHPHRASE -x AES -X PRIVPHRASE 192.0.2.9
```

The first line is an SNMPv2c trap. The second is an SNMPv3 inform: the receiver acknowledges it, and `snmpd` sends it again
until it does, but not for ever and not over a restart of its own. `snmptrapd` understands both with these lines in its
configuration:

```
authCommunity log public
createUser trapper SHA-256 AUTHPHRASE AES PRIVPHRASE
authUser log trapper authPriv
```

## Which are sent

`xenNotifyEnable` has a bit for each class; the first six are on at first. It is set by SNMP and survives restarts, or by `notify`
in section `[agent]` of the configuration, and then SNMP can't:

```
snmpset ... xenNotifyEnable.0 b '0 1 2 3 4 5 6'
```

| Bit | Class |
|---|---|
{classes}

## How many are sent

`notify_burst` at once after a quiet time, `notify_rate` a second in the long run. What is more is collected for a second and
told by one `xenNotifyBulk`: how many, of which kinds, from which serial to which, and the worst in words. Ten thousand domains
that change in the same second are so told by `notify_burst` notifications and a few of many, and the counts add up:
`xenNotifySent` + `xenNotifyBulked` + `xenNotifyMuted` = `xenNotifyLastSerial`, always.

## What a receiver can rely on

- Serials have no gaps. A serial that did not come is muted (its class is off), is in the range of an `xenNotifyBulk`, or was
  lost between `snmpd` and the receiver; `xenEventTable` still has it, as long as it is among the last `event_rows`.
- `xenNotifyLastSerial` moves on when `snmpd` has the notification, not before. While `snmpd` is away, or the agent is, nothing
  is forgotten: what is behind that serial is sent afterwards, in bulk as far as it is too much or gone.
- After the agent was killed or the machine lost power the last few may come twice, those that were sent while the serial was
  being written to the disk. They have the same serial, so a receiver can tell.
- Objects without a value are not there, as everywhere; those that a notification lists always are.

## Thresholds

A figure that comes to its threshold is an event of its own, and another one when it is back. `threshold_host_cpu` and the
others in section `[agent]` are for all objects; rows of `xenThresholdTable` are for some and go first. This one is for the domains whose names begin
with `db`, and survives restarts:

```
snmpset ... 'xenThresholdKind."db-cpu"' i domainCpu 'xenThresholdTarget."db-cpu"' s 'db*' \\
    'xenThresholdSet."db-cpu"' u 90 'xenThresholdClear."db-cpu"' u 70 'xenThresholdRowStatus."db-cpu"' i createAndGo
```

## All notifications

All have, in this order: {common}.

| Number | Notification | Also | Meaning |
|---|---|---|---|
"""


def notifications_md(binary):
    """The whole text of docs/notifications.md."""
    _, module = mib.read_module()
    _, schema = mib.read_schema(binary)
    sent = [o for o in module.values() if o.kind == "notification"]
    common = sent[0].index.split(",")[:-1]
    bits = schema["xenNotifyEnable"].labels.replace(")", "").split(",")
    lines = [_NOTIFICATIONS.format(
        common=", ".join(f"`{name}`" for name in common),
        classes="\n".join(f"| {bit} | {name} |" for name, bit in (word.split("(") for word in bits))).rstrip("\n")]
    for thing in sent:
        names = thing.index.split(",")
        own = [name for name in names if name not in common]
        if names[:len(common)] != common:
            own = ["instead: " + ", ".join(f"`{name}`" for name in names)]
        else:
            own = [f"`{name}`" for name in own]
        lines.append(f"| {thing.oid} | `{thing.name}` | {', '.join(own)} | {_cell(thing.description)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["notifications"]):
        sys.exit(__doc__)
    try:
        sys.stdout.write((notifications_md if sys.argv[2:] else columns_md)(sys.argv[1]))
    except mib.GenError as error:
        sys.exit(f"gen_docs.py: {error}")
