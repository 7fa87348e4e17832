"""A pool of XCP-ng that is none: xapi-farm over the farm of a lab, with a certificate of its own.

    with Lab(hosts=2, domains=4, start=False) as lab:
        pool = Pool(lab, dialect="8.2")             # starts xen-farm and xapi-farm
        session = pool.login()
        vms = session.VM.get_all_records()          # a failure is an XapiError: error.code, error.params
        pool.control("mode", "1", "hang")

    with PoolLab(hosts=2, domains=4) as lab:        # the same with xensnmpd, which has the pool as its source pool1
        lab.begin(dialect="8.2")
        rows = lab.guests()
"""

import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import xml.etree.ElementTree as ElementTree
import xmlrpc.client
from urllib.request import HTTPError, Request, urlopen

from lab import TOP, Lab, LabError, diag, free_port, is_, ok

__all__ = ["Pool", "PoolLab", "TwoPools", "XapiError", "NULL", "CONTRACT", "follow", "guests", "fails", "misspelt", "fields_of",
           "record_problems"]

# What XAPI's classes, fields, methods and errors are in each release; its "reading" says how to read it.
CONTRACT_FILE = os.path.join(TOP, "tests", "data", "xapi", "xapi-contract.json")
with open(CONTRACT_FILE, encoding="utf-8") as _source:
    CONTRACT = json.load(_source)
NULL = "OpaqueRef:NULL"
USER, PASSWORD = "root", "a secret & <word>"
GUEST = 1  # of xenDomainKind


class XapiError(Exception):
    """Status Failure: its ErrorDescription."""

    def __init__(self, description):
        super().__init__(" ".join(description))
        self.code, self.params = description[0], description[1:]


class _Method:
    def __init__(self, session, name):
        self._session, self._name = session, name

    def __getattr__(self, name):
        return _Method(self._session, f"{self._name}.{name}")

    def __call__(self, *params):
        return self._session.call(self._name, *params)


class Session:
    """One login; session.VM.start(...) sends the reference itself."""

    def __init__(self, pool, host, user, password):
        self._pool, self._host = pool, host
        self.ref = pool.value(pool.proxy(host).session.login_with_password(user, password, "1.0", "xensnmp tests"))

    def call(self, name, *params):
        """On a connection of its own: the last one may have been spoilt on purpose."""
        return self._pool.value(getattr(self._pool.proxy(self._host), name)(self.ref, *params))

    def __getattr__(self, name):
        return _Method(self, name)


class Pool:
    """One endpoint for each host of the lab's farm: 127.0.0.1, 127.0.0.2, ... with one port. Host 1 is the first. record: a
    file that gets a line for each call (tools/xapi-farm/record.h). members: numbers of the farm's hosts that are in it; with
    more than one pool each needs a name, too."""

    def __init__(self, lab, dialect="8.3", coordinator=1, role=None, record=None, start=True, members=None, name="xapi-farm"):
        self.lab, self.dialect, self.coordinator, self.role, self.record = lab, dialect, coordinator, role, record
        self.members, self.name = members, name
        self.addresses = [f"127.0.0.{n}" for n in members or range(1, lab.hosts + 1)]
        self.cert, self.key = lab.path("xapi.crt"), lab.path("xapi.key")
        self.password_file, self.socket = lab.path("xapi.password"), lab.path(f"{name}.ctl")
        self.port = free_port(socket.SOCK_STREAM)
        if start:
            self.start()

    def start(self):
        if not os.path.exists(self.cert):
            self._make_certificate()
        with open(self.password_file, "w") as out:
            out.write(PASSWORD + "\n")
        if "xen-farm" not in self.lab.processes:
            self.lab.start("xen-farm")
        before = self.lab.log(self.name).count("ready ")
        self.lab.start(self.name, [self.lab.binary("xapi-farm"), *self.arguments()])
        self.lab.wait(lambda: self.lab.log(self.name).count("ready ") > before, f"{self.name} is ready", alive=self.name)
        self.context = ssl.create_default_context(cafile=self.cert)

    def fingerprint(self):
        """SHA-256 of the certificate (DER), 64 hex digits: what a pin holds."""
        with open(self.cert) as pem:
            return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).hexdigest()

    def arguments(self):
        arguments = ["--farm", self.lab.path("farm.sock"), "--cert", self.cert, "--key", self.key, "--password-file",
                     self.password_file, "--control", self.socket, "--dialect", self.dialect, "--coordinator",
                     str(self.coordinator)]
        for address in self.addresses:
            arguments += ["--listen", f"{address}:{self.port}"]
        arguments += ["--record", self.record] if self.record else []
        arguments += ["--hosts", ",".join(self.lab.host_names()[n - 1] for n in self.members)] if self.members else []
        return arguments + (["--role", self.role] if self.role else [])

    def _make_certificate(self):
        names = ",".join(f"IP:127.0.0.{n}" for n in range(1, self.lab.hosts + 1))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=xapi-farm",
                        "-addext", f"subjectAltName={names}", "-keyout", self.key, "-out", self.cert],
                       check=True, capture_output=True)

    # --- calls

    def url(self, host=None, path="/"):
        return f"https://{self.addresses[(host or self.coordinator) - 1]}:{self.port}{path}"

    def proxy(self, host=None):
        return xmlrpc.client.ServerProxy(self.url(host), context=self.context)

    def login(self, host=None, user=USER, password=PASSWORD):
        return Session(self, host or self.coordinator, user, password)

    @staticmethod
    def value(answer):
        if answer["Status"] == "Failure":
            raise XapiError(answer["ErrorDescription"])
        return answer["Value"]

    def fetch(self, path="/", body=None, headers=None, host=None):
        """(status, headers, body) of one request; a body makes it a POST."""
        data = body.encode() if isinstance(body, str) else body
        try:
            with urlopen(Request(self.url(host, path), data, headers or {}), context=self.context, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except HTTPError as error:
            return error.code, error.headers, error.read()

    def raw(self, method, *params, host=None):
        """The body of the answer to a call, as it came."""
        status, _, body = self.fetch("/", xmlrpc.client.dumps(params, method), {"Content-Type": "text/xml"}, host)
        if status != 200:
            raise LabError(f"{method}: HTTP {status}")
        return body.decode()

    def control(self, *command):
        """A command of the control socket; what it printed."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            link.connect(self.socket)
            link.sendall(" ".join(command).encode() + b"\n")
            text = b""
            while not text.endswith(b"ok\n") and not (b"error " in text and text.endswith(b"\n")):
                piece = link.recv(65536)
                if not piece:
                    break
                text += piece
        if not text.endswith(b"ok\n"):
            raise LabError(f"xapi-farm, {' '.join(command)}: {text.decode()}")
        return text.decode()[:-len("ok\n")]


class PoolLab(Lab):
    """A lab whose farm is seen through its pool only: source pool1, over HTTPS with a certificate that is checked."""

    COLUMNS = {"xenDomainUuid", "xenDomainState"}  # a guest's row is whole when it has these

    def __init__(self, **options):
        super().__init__(start=False, **options)

    def farm_sources(self):
        """None of the hosts by themselves."""

    def serve(self, **options):
        """The pool with its farm, and a client of its own; configures the source. options: as for Pool."""
        self.pool = Pool(self, **options)
        self.session = self.pool.login()
        self.add_credential("pool", USER, PASSWORD)
        self.sources["pool1"] = {"uri": self.pool.url(1).rstrip("/"), "credential": "pool"}
        self.agent["tls_ca"] = self.pool.cert
        self.write_config()

    def begin(self, shim=None, **options):
        """All of it, until the pool has its rows. shim: faults put under xensnmpd."""
        self.serve(**options)
        self.start("snmpd")
        self.start("xensnmpd", shim=shim)
        self.wait(self.is_whole, "the pool is up", 30)

    def add_credential(self, name, user, password):
        with open(self.path("credentials", name), "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as out:
            out.write(f"[credential]\nuris = https://127.0.0.*\nuser = {user}\npassword = {password}\n")

    def is_whole(self):
        return len(self.guests()) == self.domains

    def guests(self):
        """{uuid: row with its index}, of whole rows."""
        return {row["xenDomainUuid"]: dict(row, index=index) for index, row in self.table("xenDomainTable").items()
                if row.get("xenDomainKind") == GUEST and self.COLUMNS <= row.keys()}

    def vms(self):
        """{uuid: record with its reference} of the real VMs, as a client of the pool sees them."""
        return {vm["uuid"]: dict(vm, ref=ref) for ref, vm in self.session.VM.get_all_records().items()
                if not (vm["is_a_template"] or vm["is_a_snapshot"] or vm["is_control_domain"])}

    def turns(self, name, index, value, what):
        """Waits until the column reads so; None: until it has no instance."""
        ok(self.wait(lambda: self.get(self.oid(name, index)) == value, what), what)


class TwoPools(PoolLab):
    """The last host of the farm is a pool of its own, source pool2; the others are pool1."""

    def serve(self, record=None, **options):
        members = list(range(1, self.hosts + 1))
        super().serve(members=members[:-1], record=record, **options)
        self.other = Pool(self, members=members[-1:], name="xapi-other", record=record, **options)
        self.sessions = [self.session, self.other.login()]
        self.sources["pool2"] = {"uri": self.other.url(1).rstrip("/"), "credential": "pool"}
        self.write_config()

    def is_whole(self):
        return super().is_whole() and len(self.table("xenHostTable")) == self.hosts


def follow(session, task):
    """Until the task has ended; its last record. The task is destroyed."""
    token = ""
    while True:
        batch = session.call("event.from", [f"task/{task}"], token, 30.0)
        token = batch["token"]
        for event in batch["events"]:
            if event["snapshot"]["status"] in ("success", "failure", "cancelled"):
                session.task.destroy(task)
                return event["snapshot"]


def guests(session, state):
    """References of the VMs that the farm has, in that power state."""
    return [ref for ref, vm in session.VM.get_all_records().items()
            if vm["power_state"] == state and not (vm["is_a_template"] or vm["is_control_domain"])]


def fails(code, call, *arguments, name=None):
    """The call must fail with that code; its parameters."""
    try:
        got = call(*arguments)
    except XapiError as error:
        is_(error.code, code, name or f"fails with {code}")
        return error.params
    ok(False, name or f"fails with {code}")
    diag(f"succeeded with {str(got)[:200]}")
    return []


# --- spelling on the wire

SCALARS = {"float": "double", "bool": "boolean", "datetime": "dateTime.iso8601"}


def shape(kind):
    """What the contract's type is on the wire: (tag, shape of what is inside or None); "" is no tag at all."""
    pair = re.fullmatch(r"\((.+) -> (.+)\) map", kind)
    if pair:
        return "struct", shape(pair[2])
    if kind.endswith(" set"):
        return "array", shape(kind[:-4])
    return SCALARS.get(kind, ""), None


def inner_values(value, tag):
    return value.findall("array/data/value" if tag == "array" else "struct/member/value")


def misspelt(value, kind):
    """Why a <value> is not of that type; None: it is."""
    tag, inside = shape(kind)
    found = [child.tag for child in value]
    if found != ([tag] if tag else []):
        return f"{found} instead of <{tag}>"
    text = value.text or ""
    if kind == "int" and not re.fullmatch(r"-?\d+", text):
        return f"{text!r} is no whole number"
    if kind == "datetime" and not re.fullmatch(r"\d{8}T\d\d:\d\d:\d\dZ", value[0].text or ""):
        return f"{value[0].text!r} is no date"
    for item in inner_values(value, tag):
        if inside and [child.tag for child in item] != ([inside[0]] if inside[0] else []):
            return f"{tag} of {[child.tag for child in item]}"
    return None


def members(struct):
    return {member.findtext("name"): member.find("value") for member in struct.findall("struct/member")}


def result(text):
    """The Value of an answer."""
    return members(ElementTree.fromstring(text).find("params/param/value"))["Value"]


def fields_of(name, dialect):
    return {field: item["type"] for field, item in CONTRACT["classes"][name]["fields"].items() if dialect in item.get("in", dialect)}


def record_problems(pool, session, name):
    """(how many records of a class the pool shows, what is wrong with them)"""
    wanted = fields_of(name, pool.dialect)
    records = members(result(pool.raw(f"{name}.get_all_records", session.ref)))
    problems = []
    for ref, record in records.items():
        fields = members(record)
        if set(fields) != set(wanted):
            problems.append(f"{ref}: {sorted(set(fields) ^ set(wanted))}")
        problems += [f"{field}: {misspelt(value, wanted[field])}" for field, value in fields.items()
                     if field in wanted and misspelt(value, wanted[field])]
    return len(records), problems
