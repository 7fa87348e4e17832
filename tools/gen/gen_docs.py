#!/usr/bin/env python3
"""Writes docs/columns.md from the MIB text and from what xensnmpd says of itself.

usage: gen_docs.py XENSNMPD > docs/columns.md
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
        elif thing.kind != "scalar":
            lines.append(_row(thing, schema))
    lines += ["", "## Textual conventions", "", "| Name | Values | Meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {labels.replace(',', ', ')} | {_cell(text)} |"
              for name, labels, text in mib.typedefs()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.stdout.write(columns_md(sys.argv[1]))
    except mib.GenError as error:
        sys.exit(f"gen_docs.py: {error}")
