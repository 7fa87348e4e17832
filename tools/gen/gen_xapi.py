#!/usr/bin/env python3
"""Writes the table that tools/xapi-farm/classes.c includes: the fields of every XAPI class in both dialects, from the contract.

usage: gen_xapi.py tests/data/xapi/xapi-contract.json > build/gen/xapi_classes.h
"""

import json
import re
import sys

# A release of the contract and the bit that stands for it in the table.
DIALECTS = {"8.2": "XF_82", "8.3": "XF_83"}
# Classes that are no objects of the database.
NO_OBJECTS = {"session", "event", "data_source", "sr_stat"}

# XAPI's types as GVariant's. A date is its own kind on the wire and the only unsigned number.
SCALARS = {"string": "s", "int": "x", "float": "d", "bool": "b", "datetime": "t"}
ZERO = {"s": "''", "x": "0", "d": "0.0", "b": "false", "t": "0"}


def scalar(kind):
    return SCALARS.get(kind) or "s"  # enumerations and references are texts


def variant_type(kind):
    pair = re.fullmatch(r"\((.+) -> (.+)\) map", kind)
    if pair:
        return "a{" + scalar(pair[1]) + variant_type(pair[2]) + "}"
    if kind.endswith(" set"):
        return "a" + scalar(kind[:-4])
    return scalar(kind)


def standard(kind, field, enums):
    """What a fresh object has there, in GVariant's text form."""
    if kind.startswith("a"):
        return "{}" if kind.startswith("a{") else "[]"
    given = field.get("default")
    xapi = field["type"]
    if xapi.endswith(" ref"):
        return "'OpaqueRef:NULL'"
    if xapi.startswith("enum ") and given is None:
        given = enums[xapi[5:]][0]
    if kind == "t" or given is None:
        return ZERO[kind]
    if kind == "s":
        return "'" + given.strip('"') + "'"
    return given + "0" if given.endswith(".") else given


def known_to(item):
    return [bit for release, bit in DIALECTS.items() if release in item.get("in", DIALECTS)]


def table(name, fields):
    lines = [f"static const struct xf_field {name.lower()}_fields[] = {{"]
    for row in fields:
        lines.append("    {" + ", ".join(row) + "},")
    return lines + ["};"]


def rows(definition):
    for name, field in sorted(definition["fields"].items()):
        bits = known_to(field)
        if bits:
            kind = variant_type(field["type"])
            text = standard(kind, field, definition["enums"]).replace('"', '\\"')
            yield (f'"{name}"', f'"{kind}"', f'"{text}"', " | ".join(bits))


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        classes = json.load(source)["classes"]
    print("/* Made by tools/gen/gen_xapi.py from tests/data/xapi/xapi-contract.json; do not edit. */")
    listed = []
    for name, definition in sorted(classes.items()):
        bits = known_to(definition)
        if name in NO_OBJECTS or not bits:
            continue
        print("\n".join(table(name, rows(definition))) + "\n")
        listed.append(f'    {{"{name}", {name.lower()}_fields, G_N_ELEMENTS({name.lower()}_fields), {" | ".join(bits)}}},')
    print("const struct xf_class xf_classes[] = {\n" + "\n".join(listed) + "\n};")
    print("const unsigned xf_n_classes = G_N_ELEMENTS(xf_classes);")


main()
