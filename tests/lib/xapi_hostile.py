#!/usr/bin/env python3
"""Coordinators of pools that lie, stall and attack: xapi_hostile.py FOLDER

Makes keys and certificates in FOLDER (tls_server.py), listens on loopback, and prints "NAME PORT" for each server, then "ready".
Every server is a small pool that behaves, but for what its name in EVIL says. Whoever connects to the port "stats", without
TLS, is told what came so far, as JSON.
"""

import contextlib
import datetime
import gzip
import json
import os
import socket
import ssl
import sys
import threading
import time
import xmlrpc.client

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tls_server import context, make, make_all, receive_request  # noqa: E402

PASSWORD = "no & never <mind>"
LOCK = threading.Lock()
STRANGER, MEMBER = "127.0.0.9", "127.0.0.2"
HEAD = "<?xml version='1.0'?><methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value>" \
       "</member><member><name>Value</name><value>"
TAIL = "</value></member></struct></value></param></params></methodResponse>"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
PIECE = 65536


# --- the pool that behaves

def uuid(letter, number):
    return f"{number:08d}-0000-4000-8000-00000000000{letter}"


def vm(number, **fields):
    record = {"uuid": uuid("a", number), "name_label": f"guest{number}", "power_state": "Running", "resident_on": "OpaqueRef:h1",
              "is_a_template": False, "is_a_snapshot": False, "is_control_domain": False, "domid": str(number),
              "VCPUs_max": "2", "VCPUs_at_startup": "2", "memory_static_max": "1073741824",
              "memory_dynamic_max": "1073741824", "metrics": f"OpaqueRef:m{number}", "domain_type": "hvm"}
    return ("vm", f"OpaqueRef:v{number}", {**record, **fields})


def host(number, address):
    return [("host", f"OpaqueRef:h{number}", {"uuid": uuid("b", number), "name_label": f"dom0 {number}", "address": address,
                                              "metrics": f"OpaqueRef:hm{number}", "other_config": {"boot_time": "1700000000."}}),
            ("host_metrics", f"OpaqueRef:hm{number}", {"live": True, "memory_total": "17179869184"})]


def pool(members=("127.0.0.1",), guests=None):
    objects = [("pool", "OpaqueRef:p", {"master": "OpaqueRef:h1"})]
    for number, address in enumerate(members, 1):
        objects += host(number, address)
    return objects + (guests or [vm(1), vm(2)])


def events(objects, counts=None, token="1", operation="add"):
    if counts is None:
        counts = {}
        for kind, _, _ in objects:
            counts[kind] = counts.get(kind, 0) + 1
    told = [{"id": "1", "timestamp": "0.0", "class": kind, "operation": operation, "ref": ref, "snapshot": record}
            for kind, ref, record in objects]
    return {"events": told, "valid_ref_counts": {kind: str(n) for kind, n in counts.items()}, "token": token}


def success(value):
    return xmlrpc.client.dumps(({"Status": "Success", "Value": value},), methodresponse=True).encode()


def failure(*words):
    return xmlrpc.client.dumps(({"Status": "Failure", "ErrorDescription": list(words)},), methodresponse=True).encode()


def raw(value):
    return (HEAD + value + TAIL).encode()


def averages(number=1, at=None, values=("0.5", "4000000")):
    at = at or int(time.time()) - 5
    legend = "".join(f"<entry>AVERAGE:host:{uuid('b', number)}:{name}</entry>" for name in ("loadavg", "memory_free_kib"))
    legend += f"<entry>AVERAGE:vm:{uuid('a', 1)}:cpu0</entry>"
    row = "".join(f"<v>{value}</v>" for value in (*values, "0.25"))
    return (f"<xport><meta><start>{at - 5}</start><step>5</step><end>{at}</end><rows>1</rows><columns>3</columns><legend>{legend}"
            f"</legend></meta><data><row><t>{at}</t>{row}</row></data></xport>").encode()


def behave(call):
    """What a pool answers."""
    if call.what == "session.login_with_password":
        with LOCK:
            reference = f"OpaqueRef:session{len(call.stats['logins'])}"
            call.stats["sessions"].append(reference)
        return success(reference)
    if call.what == "event.from":
        return success(events(pool()))
    if call.what == "event.more":
        call.hold(2)
        return success(events([], {}, call.params[2]))
    if call.what == "host.get_servertime":
        return success(xmlrpc.client.DateTime(datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H:%M:%SZ")))
    if call.what == "/rrd_updates":
        return averages()
    return success([])


# --- what is evil: each takes a call and returns the body of its answer, or sends what it likes and returns None

def say(body):
    return lambda call: body


def send(text, then=None):
    def sending(call):
        call.connection.sendall(text)
        if then:
            then(call)
    return sending


def silent(call):
    while call.connection.recv(4096):
        pass


def flood(start, piece, pause=0.0):
    """start, then piece again and again."""
    def flooding(call):
        call.connection.sendall(start)
        while True:
            call.connection.sendall(piece)
            time.sleep(pause)
    return flooding


def body(start, piece, pause=0.0):
    """An answer of any length that begins well."""
    return flood(OK + b"\r\n" + start, piece, pause)


def distinct(form):
    """Names that no other has: whoever keeps them needs room."""
    def flooding(call):
        call.connection.sendall(OK + b"\r\n" + HEAD.encode() + b"<struct><member><name>unknown</name><value>")
        n = 0
        while True:
            call.connection.sendall("".join(form % k for k in range(n, n + 4096)).encode())
            n += 4096
    return flooding


def status(line, headers=b"", text=b"no"):
    return send(b"HTTP/1.1 " + line + b"\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(text) + text)


def bomb(call):
    packed = gzip.compress(raw("x" * (64 << 20)))
    call.connection.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def short(length):
    def answering(call):
        text = behave(call)
        call.connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % (len(text) + length) + text)
        call.connection.close()
    return answering


def laughs(where):
    entities = "<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    text = raw("&l9;" if where == "text" else "<string a='&l9;'/>").decode()
    return text.replace("<methodResponse>", f"<!DOCTYPE methodResponse [{entities}]><methodResponse>").encode()


def once_good(evil):
    """Only when the pool has been read."""
    def answering(call):
        with LOCK:
            begun = call.stats["calls"].get("event.more", 0) > 0
        return evil(call) if begun else behave(call)
    return answering


def storm(call):
    """All guests are told of anew, as fast as somebody listens."""
    number = call.stats["calls"]["event.more"]
    changed = [vm(n % 40 + 1, name_label=f"storm {number}") for n in range(2000)]
    return success(events(changed, {"vm": 40}, str(number), "mod"))


def odd_counts(call):
    number = call.stats["calls"].get("event.from", 0) + call.stats["calls"].get("event.more", 0)
    objects = pool() if call.what == "event.from" else []
    return success(events(objects, {"vm": 1000 + number, "host": 7 * number}, str(number)))


def ended_session(call):
    return failure("SESSION_INVALID", "OpaqueRef:session")


def hang_on_member(call):
    if call.address == MEMBER:
        silent(call)
        return None
    return averages()


LIES = [
    vm(1, memory_static_max="-4096", memory_dynamic_max="-1", VCPUs_max="-2", VCPUs_at_startup="nan"),
    vm(2, domid=str(2 ** 40), memory_static_max=1e308, memory_dynamic_max=float("inf"), VCPUs_max="1e308"),
    vm(3, name_label="n" * 61),
    vm(4, name_label="".join(chr(n) for n in (*range(9, 11), *range(32, 64), *range(127, 146)))),
    vm(5, uuid=uuid("a", 3), name_label="twin"),
    vm(6, uuid="no uuid at all", name_label=""),
    vm(7, resident_on="OpaqueRef:nowhere"),
    vm(8, power_state="Melted", domid="x", metrics="OpaqueRef:v8", domain_type="\u2603", VCPUs_max={"a": "b"}),
    vm(9, name_label=["a list"], power_state={}, is_a_template="perhaps", current_operations={"a": {"b": "c"}}),
    ("vm_metrics", "OpaqueRef:m1", {"start_time": xmlrpc.client.DateTime("99991231T23:59:59Z"), "VCPUs_number": "1000000000",
                                    "memory_actual": "-1"}),
    ("vm_metrics", "OpaqueRef:m2", {"start_time": xmlrpc.client.DateTime("00000000T99:99:99Z"), "VCPUs_number": "1e2",
                                    "memory_actual": "9223372036854775808"}),
    ("host", "OpaqueRef:h2", {"uuid": uuid("b", 2), "name_label": "late", "address": "", "metrics": "OpaqueRef:hm2",
                              "other_config": {"boot_time": "4611686018427."},
                              "cpu_info": {"cpu_count": "-1", "speed": "1e308", "socket_count": "nan", "modelname": "x" * 5000}}),
    ("host_metrics", "OpaqueRef:hm2", {"live": True, "memory_total": "-5"}),
    ("vif", "OpaqueRef:if1", {"VM": "OpaqueRef:v1", "MAC": "not one", "device": "-7", "network": "OpaqueRef:p"}),
    ("vbd", "OpaqueRef:bd1", {"VM": "OpaqueRef:v1", "VDI": "OpaqueRef:v1", "device": "../..", "userdevice": "1e9", "mode": "XX"}),
    ("no such class", "OpaqueRef:x", {"a": "b"}),
]


def far_clock(call):
    return success(xmlrpc.client.DateTime("99991231T23:59:59Z"))


def lying_averages(call):
    """Counters and clock that go backwards, and numbers that are none."""
    number = call.stats["calls"]["/rrd_updates"]
    return averages(at=(1 << 40) - 1 - number * 1000, values=("1e308", "NaN") if number % 2 else ("-5", "Infinity"))


LOGIN, WHOLE, MORE, METRICS = "session.login_with_password", "event.from", "event.more", "/rrd_updates"
ALL = "all"
# server: {what is asked: the evil answer}
EVIL = {
    "integer": {WHOLE: say(raw("<i8>abc</i8>"))},
    "large-integer": {WHOLE: say(raw("<i8>9223372036854775808</i8>"))},
    "nested": {WHOLE: say(raw("<struct><member><name>x</name>" + "<value><array><data>" * 100000 +
                              "</data></array></value>" * 100000 + "</member></struct>"))},
    "nested-login": {LOGIN: say(raw("<array><data><value>" * 20000 + "</value></data></array>" * 20000))},
    "laughs-text": {WHOLE: say(laughs("text"))},
    "laughs-attribute": {WHOLE: say(laughs("attribute"))},
    "external": {LOGIN: say(b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + raw("&x;"))},
    "endless": {WHOLE: body(HEAD.encode(), b"x" * PIECE)},
    "endless-login": {LOGIN: body(HEAD.encode(), b"x" * PIECE)},
    "endless-tag": {WHOLE: body(HEAD.encode() + b"<string a='", b"x" * PIECE)},
    "endless-comment": {WHOLE: body(HEAD.encode() + b"<!--", b"x" * PIECE)},
    "element-names": {WHOLE: distinct("<a%x/>")},
    "attribute-names": {WHOLE: distinct("<value a%x=''/>")},
    "objects": {WHOLE: body(HEAD.encode() + b"<struct><member><name>events</name><value><array><data>",
                            xmlrpc.client.dumps((events([vm(n) for n in range(100)])["events"],))
                            .partition("<data>")[2].rpartition("</data>")[0].encode())},
    "gigabyte": {LOGIN: flood(OK + b"Content-Length: 1073741824\r\n\r\n" + HEAD.encode(), b"x" * PIECE)},
    "trickle": {WHOLE: body(HEAD.encode(), b"x", 0.1)},
    "silent": {WHOLE: silent},
    "silent-later": {ALL: once_good(silent)},
    "silent-login": {LOGIN: silent},
    "headers": {LOGIN: flood(OK, b"X-Y: " + b"z" * 1000 + b"\r\n")},
    "header": {LOGIN: flood(OK + b"X-Y: ", b"z" * PIECE)},
    "interim": {LOGIN: flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)},
    "too-short": {WHOLE: short(1000)},
    "too-long": {WHOLE: short(-20)},
    "gzip": {WHOLE: bomb},
    "500": {LOGIN: status(b"500 Oops")},
    "302": {LOGIN: status(b"302 Found", b"Location: https://" + STRANGER.encode() + b"/\r\n")},
    "401": {LOGIN: status(b"401 Unauthorized", b"WWW-Authenticate: Basic realm=\"more\"\r\n")},
    "500-later": {WHOLE: status(b"500 Oops")},
    "no-login": {LOGIN: say(failure("SESSION_AUTHENTICATION_FAILED", "root", "no"))},
    "no-session": {LOGIN: say(success(""))},
    "log-lines": {LOGIN: say(failure("INTERNAL_ERROR", "\n[evil log line]", "%s%n"))},
    "slave-stranger": {ALL: once_good(say(failure("HOST_IS_SLAVE", STRANGER)))},
    "slave-first": {LOGIN: say(failure("HOST_IS_SLAVE", STRANGER))},
    "slave-loop": {LOGIN: say(failure("HOST_IS_SLAVE", "127.0.0.1"))},
    "slave-later": {MORE: say(failure("HOST_IS_SLAVE", "127.0.0.1")), "pool.get_all": say(failure("HOST_IS_SLAVE", "127.0.0.1"))},
    "invalid": {"pool.get_all": ended_session, MORE: ended_session, "host.get_servertime": ended_session},
    "invalid-metrics": {"host.get_servertime": ended_session},
    "stranger-ca": {}, "stranger-name": {}, "expired": {}, "stranger-pin": {}, "old": {},
    "more-garbage": {MORE: say(b"\x00\xff garbage")},
    "bad-token": {MORE: say(failure("EVENT_FROM_TOKEN_PARSE_FAILURE", "1"))},
    "events-lost": {MORE: say(failure("EVENTS_LOST"))},
    "odd-counts": {WHOLE: odd_counts, MORE: odd_counts},
    "storm": {WHOLE: lambda call: success(events(pool(guests=[vm(n) for n in range(1, 41)]))), MORE: storm},
    "lies": {WHOLE: lambda call: success(events(pool(guests=LIES), {})), METRICS: lying_averages},
    "far-clock": {"host.get_servertime": far_clock},
    "metrics-garbage": {METRICS: say(b"<xport><meta>\x00garbage")},
    "metrics-endless": {METRICS: body(b"<xport><meta>", b"<x>" + b"y" * PIECE + b"</x>")},
    "metrics-names": {METRICS: distinct("<b%x/>")},
    "metrics-tag": {METRICS: body(b"<xport a='", b"x" * PIECE)},
    "metrics-hang": {WHOLE: lambda call: success(events(pool(("127.0.0.1", MEMBER)))), METRICS: hang_on_member},
}
CERTIFICATES = {"stranger-ca": "self", "stranger-name": "name", "expired": "expired"}
# Further addresses with the same port. The stranger shows a certificate that is not for that address.
ALSO_AT = {"slave-stranger": STRANGER, "slave-first": STRANGER, "302": STRANGER, "metrics-hang": MEMBER}


# --- connections

class Call:
    def __init__(self, connection, name, address, request, stats):
        head, _, text = request.partition(b"\r\n\r\n")
        self.connection, self.name, self.address, self.stats, self.params = connection, name, address, stats, ()
        self.what = head.split(b" ")[1].decode().partition("?")[0]
        if text:
            self.params, self.what = xmlrpc.client.loads(text)
        if self.what == "event.from" and self.params[2]:
            self.what = "event.more"

    def hold(self, seconds):
        """Ends sooner when the other end goes."""
        self.connection.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            if not self.connection.recv(1):
                raise ConnectionResetError
        self.connection.settimeout(None)

    def note(self):
        with LOCK:
            calls = self.stats["calls"]
            calls[self.what] = calls.get(self.what, 0) + 1
            if self.what == "session.logout":
                self.stats["sessions"] = [one for one in self.stats["sessions"] if one != self.params[0]]
            if self.what == LOGIN:
                self.stats["logins"].append(time.monotonic())
                self.stats["passwords"] += self.params[1] == PASSWORD

    def answer(self):
        self.note()
        evil = EVIL[self.name].get(self.what, EVIL[self.name].get(ALL, behave))
        text = evil(self)
        if text is not None:
            text = text.replace(b"-0000-4000-", b"-%04d-4000-" % list(EVIL).index(self.name))  # each pool has UUIDs of its own
            self.connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        return text is not None


def serve(connection, name, address, tls, stats):
    def count(octets):
        with LOCK:
            stats["octets"][address] = stats["octets"].get(address, 0) + octets

    with LOCK:
        stats["connections"].append(address)
    with contextlib.suppress(OSError), connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with tls.wrap_socket(connection, server_side=True) as secret:
            while True:
                request = receive_request(secret, count)
                if request is None or not Call(secret, name, address, request, stats).answer():
                    return


def accept(listener, name, address, tls, stats):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, name, address, tls, stats), daemon=True).start()


def listen(folder, name, stats):
    first = socket.create_server(("127.0.0.1", 0), backlog=50)
    port = first.getsockname()[1]
    listeners = [("127.0.0.1", first)]
    if name in ALSO_AT:
        listeners.append((ALSO_AT[name], socket.create_server((ALSO_AT[name], port), backlog=50)))
    for address, listener in listeners:
        tls = context(folder, CERTIFICATES.get(name, "members"), name)
        threading.Thread(target=accept, args=(listener, name, address, tls, stats), daemon=True).start()
    return port


def tell(listener, stats):
    while True:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), connection:
            with LOCK:
                text = json.dumps(stats)
            connection.sendall(text.encode())


def main(folder):
    make_all(folder)
    make(folder, "members", "/CN=members", "ca", f"subjectAltName=IP:127.0.0.1,IP:{MEMBER}")
    everyone = {}
    for name in EVIL:
        everyone[name] = {"connections": [], "octets": {}, "passwords": 0, "logins": [], "sessions": [], "calls": {}}
        print(name, listen(folder, name, everyone[name]), flush=True)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=tell, args=(listener, everyone), daemon=True).start()
    print("stats", listener.getsockname()[1], flush=True)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
