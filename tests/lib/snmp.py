"""The net-snmp command line tools as Python functions: numeric OIDs in, plain Python values out.

Integers of every kind come as int, strings as str (bytes where they are no UTF-8), OIDs as text without
a leading dot. An object that is not there is None.
"""

import os
import re
import subprocess

_LINE = re.compile(r"^\.([0-9.]+) = ?(.*)$")
_GONE = ("No Such Object", "No Such Instance", "No more variables")


class SnmpError(Exception):
    """The tool ended with an error: `status` is SNMP's name of it, or "timeout", "unreachable"."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text.strip()}")
        self.status = status
        self.text = text


def _number(oid):
    return "." + oid.lstrip(".")


def _value(kind, text):
    if kind in ("INTEGER", "Gauge32", "Counter32", "Counter64"):
        return int(text)
    if kind in ("Hex-STRING", "BITS"):
        raw = bytes.fromhex(text.replace("\n", " "))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw
    if kind == "STRING":
        return text.strip('"')
    if kind == "OID":
        return text.strip().lstrip(".")
    return text.strip()


def parse(output):
    """[(oid, value)] from what snmpget, snmpwalk and the others print with -On -Oe -Ot -Ox."""
    records = []
    for line in output.splitlines():
        match = _LINE.match(line)
        if match:
            records.append([match.group(1), match.group(2)])
        elif records:
            records[-1][1] += "\n" + line
    rows = []
    for oid, rest in records:
        if rest.startswith(_GONE):
            if not rest.startswith("No more"):
                rows.append((oid, None))
        elif rest.strip() in ('""', ""):
            rows.append((oid, ""))
        elif rest.strip().isdigit():  # TimeTicks, printed bare by -Ot
            rows.append((oid, int(rest)))
        else:
            kind, _, text = rest.partition(": ")
            rows.append((oid, _value(kind, text)))
    return rows


def string_index(text):
    """A string as SMIv2 puts it into an OID: its length, then its octets."""
    octets = text.encode()
    return ".".join(str(n) for n in (len(octets), *octets))


def index(*parts):
    """Numbers as they are, strings as string_index()."""
    return ".".join(string_index(p) if isinstance(p, str) else str(p) for p in parts)


class Client:
    """One agent and one identity. `auth` are options of the tools, for example ("-v2c", "-c", "public")."""

    def __init__(self, address, auth, home, timeout=2.0, retries=0):
        self.address = address
        self.auth = list(auth)
        self.timeout = timeout
        self.retries = retries
        # An empty configuration folder: what the user keeps in ~/.snmp must not change a test.
        self.env = dict(os.environ, MIBS="", SNMPCONFPATH=home, SNMP_PERSISTENT_DIR=home)

    def command(self, tool, *arguments):
        """The argument list, for whoever wants to show or run it himself."""
        return [tool, *self.auth, "-t", str(self.timeout), "-r", str(self.retries), *arguments]

    def _run(self, tool, options, arguments):
        output = ["-On", "-Oe", "-Ot", "-Ox", *options]
        done = subprocess.run(self.command(tool, *output, self.address, *arguments), env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        if done.returncode == 0:
            return done.stdout
        text = done.stderr[-2000:] + done.stdout[-500:]
        reason = re.search(r"^Reason: (?:\((\w+)\)|(\w+))", text, re.M)
        if reason:
            raise SnmpError(reason.group(1) or reason.group(2), text)
        raise SnmpError("timeout" if "imeout" in text else "unreachable", text)

    def get(self, *oids):
        """The value of one OID, or the list of values of several."""
        values = [value for _, value in parse(self._run("snmpget", [], map(_number, oids)))]
        return values[0] if len(oids) == 1 else values

    def getnext(self, *oids):
        """[(oid, value)]"""
        return parse(self._run("snmpgetnext", [], map(_number, oids)))

    def walk(self, oid):
        """[(oid, value)] by GETNEXT."""
        return [row for row in parse(self._run("snmpwalk", [], [_number(oid)])) if row[1] is not None]

    def bulkwalk(self, oid, repetitions=20):
        """[(oid, value)] by GETBULK."""
        rows = parse(self._run("snmpbulkwalk", [f"-Cr{repetitions}"], [_number(oid)]))
        return [row for row in rows if row[1] is not None]

    def set(self, *varbinds):
        """Sets (oid, type, value) triples in one PDU, or set(oid, type, value). Returns "noError" or SNMP's name
        of the error; `failed` is then the OID it names. Types are those of snmpset: i u s x o a."""
        if len(varbinds) == 3 and isinstance(varbinds[0], str):
            varbinds = [varbinds]
        arguments = []
        for oid, kind, value in varbinds:
            arguments += [_number(oid), kind, str(value)]
        self.failed = None
        try:
            self._run("snmpset", [], arguments)
        except SnmpError as error:
            named = re.search(r"^Failed object: \.?([0-9.]+)", error.text, re.M)
            self.failed = named.group(1) if named else None
            return error.status
        return "noError"
