"""A pool of XCP-ng that is none: xapi-farm over the farm of a lab, with a certificate of its own.

    with Lab(hosts=2, domains=4, start=False) as lab:
        pool = Pool(lab, dialect="8.2")             # starts xen-farm and xapi-farm
        session = pool.login()
        vms = session.VM.get_all_records()          # a failure is an XapiError: error.code, error.params
        pool.control("mode", "1", "hang")
"""

import hashlib
import os
import socket
import ssl
import subprocess
import xmlrpc.client
from urllib.request import HTTPError, Request, urlopen

from lab import LabError, free_port

__all__ = ["Pool", "XapiError", "NULL"]

NULL = "OpaqueRef:NULL"
USER, PASSWORD = "root", "a secret & <word>"


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
    """One endpoint for each host of the lab's farm: 127.0.0.1, 127.0.0.2, ... with one port. Host 1 is the first."""

    def __init__(self, lab, dialect="8.3", coordinator=1, role=None, start=True):
        self.lab, self.dialect, self.coordinator, self.role = lab, dialect, coordinator, role
        self.addresses = [f"127.0.0.{n}" for n in range(1, lab.hosts + 1)]
        self.cert, self.key = lab.path("xapi.crt"), lab.path("xapi.key")
        self.password_file, self.socket = lab.path("xapi.password"), lab.path("xapi.ctl")
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
        before = self.lab.log("xapi-farm").count("ready ")
        self.lab.start("xapi-farm", [self.lab.binary("xapi-farm"), *self.arguments()])
        self.lab.wait(lambda: self.lab.log("xapi-farm").count("ready ") > before, "xapi-farm is ready", alive="xapi-farm")
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
        return arguments + (["--role", self.role] if self.role else [])

    def _make_certificate(self):
        names = ",".join(f"IP:{address}" for address in self.addresses)
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
