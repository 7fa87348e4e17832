"""Two views of the MIB as Python data: the module text, read by smidump, and what the daemon says of itself.

Both come as {name: Object} with the same members, so that they can be compared, and the
documentation be made from them.
"""

import dataclasses
import os
import subprocess
import xml.etree.ElementTree as ET

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULE = os.path.join(TOP, "mibs", "XENSNMP-MIB.txt")
BASE = os.path.join(TOP, "mibs", "base")

_ACCESS = {"noaccess": "not-accessible", "readonly": "read-only", "readwrite": "read-write"}
# Syntaxes whose labels and sizes are their own affair.
_KNOWN = {"TruthValue", "RowStatus", "TestAndIncr", "TimeStamp", "DateAndTime", "XenPercent"}


class GenError(Exception):
    """A tool is missing, or does not understand its input."""


@dataclasses.dataclass
class Object:
    name: str
    oid: str  # below the root, "" for the root itself
    kind: str  # table, index, column, scalar
    type: str = "-"
    access: str = "-"
    range: str = "-"
    units: str = "-"
    index: str = "-"
    labels: str = "-"
    source: str = "-"
    description: str = ""

    def facts(self):
        """What both views must agree on."""
        return {name: getattr(self, name) for name in
                ("oid", "kind", "type", "access", "range", "units", "index", "labels")}


def run(command, **env):
    try:
        done = subprocess.run(command, env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
    except FileNotFoundError as error:
        raise GenError(f"{command[0]} is not installed: packaging/install-packages check") from error
    if done.returncode:
        raise GenError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def read_schema(binary, of="xensnmp"):
    """(root, {name: Object}) of `xensnmpd --schema-of`, in its order."""
    lines = run([binary, "--schema-of", of]).splitlines()
    fields = lines[0].split("\t")
    root, objects = None, {}
    for line in lines[1:]:
        row = dict(zip(fields, line.split("\t"), strict=True))
        if row["kind"] == "root":
            root = row["oid"]
        elif row["name"] in objects:
            raise GenError(f"the schema has {row['name']} twice")
        else:
            objects[row["name"]] = Object(**row)
    return root, objects


class _Module:
    """What smidump -f xml says of the module."""

    def __init__(self, path):
        text = run(["smidump", "-q", "-f", "xml", path], SMIPATH=BASE)
        self.tree = ET.fromstring(text)
        identity = self.tree.find("module/identity").get("node")
        self.root = self.tree.find(f"nodes/node[@name='{identity}']").get("oid")
        self.typedefs = {t.get("name"): t for t in self.tree.iterfind("typedefs/typedef")}

    @staticmethod
    def text(element):
        """A description as one line per paragraph."""
        raw = element.findtext("description") or ""
        return "\n\n".join(" ".join(part.split()) for part in raw.strip().split("\n\n"))

    @staticmethod
    def labels(element):
        names = [f"{n.get('name')}({n.get('number')})" for n in element.iterfind("namednumber")]
        return ",".join(names) or "-"

    @staticmethod
    def range(element):
        ranges = [(r.get("min"), r.get("max")) for r in element.iterfind("range")]
        if not ranges:
            return "-"
        return ",".join(f"{low}..{high}" for low, high in ranges)

    def syntax(self, element):
        """(type, range, labels)"""
        named = element.find("syntax/type")
        if named is not None:
            return self._named(named.get("name"))
        inline = element.find("syntax/typedef")
        parent = inline.find("parent")
        kind = inline.get("basetype") if parent is None else parent.get("name")
        labels = self.labels(inline)
        if labels != "-":
            kind = inline.get("basetype")
        return kind, self.range(inline), labels

    def _named(self, name):
        if name == "SnmpAdminString":
            return name, "0..255", "-"
        if name in self.typedefs and name not in _KNOWN:
            typedef = self.typedefs[name]
            return typedef.get("basetype"), self.range(typedef), self.labels(typedef)
        return name, "-", "-"


def read_module(path=MODULE):
    """(root, {name: Object}) of the MIB text."""
    module = _Module(path)
    objects = {}

    def add(element, kind, index="-"):
        syntax = ("-", "-", "-") if kind == "table" else module.syntax(element)
        access = "not-accessible" if kind == "table" else _ACCESS[element.findtext("access")]
        objects[element.get("name")] = Object(
            name=element.get("name"), oid=element.get("oid").removeprefix(module.root + "."), kind=kind,
            type=syntax[0], range=syntax[1], labels=syntax[2], access=access, index=index,
            units=element.findtext("units") or "-", description=module.text(element))

    for element in module.tree.iterfind("nodes/scalar"):
        add(element, "scalar")
    for element in module.tree.iterfind("nodes/table"):
        row = element.find("row")
        augments = row.find("linkage/augments")
        if augments is not None:
            index = "AUGMENTS " + augments.get("name").removesuffix("Entry") + "Table"
        else:
            index = ",".join(part.get("name") for part in row.iterfind("linkage/index"))
        add(element, "table", index)
        creates = row.get("create") == "true"
        for column in row.iterfind("column"):
            hidden = column.findtext("access") == "noaccess"
            add(column, "index" if hidden else "column")
            # smidump knows creation by the row; the module says it on each column.
            if creates and column.findtext("access") == "readwrite":
                objects[column.get("name")].access = "read-create"
    return module.root, objects


def typedefs(path=MODULE):
    """[(name, labels, description)] of the module's textual conventions."""
    module = _Module(path)
    return [(name, module.labels(t), module.text(t)) for name, t in module.typedefs.items()]


def differences(module, schema):
    """One line for each thing the two views do not agree on."""
    lines = [f"{name}: only in the MIB text" for name in module if name not in schema]
    lines += [f"{name}: only in xensnmpd" for name in schema if name not in module]
    for name in module:
        if name not in schema:
            continue
        said = schema[name].facts()
        for fact, value in module[name].facts().items():
            if said[fact] != value:
                lines.append(f"{name}: {fact} is {value} in the MIB text, {said[fact]} in xensnmpd")
    return lines
