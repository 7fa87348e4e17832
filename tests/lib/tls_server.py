#!/usr/bin/env python3
"""HTTPS servers for tests, good ones and every kind of bad one: tls_server.py FOLDER

Makes keys and certificates in FOLDER with the command openssl (NAME.pem, and NAME.sha256 with its fingerprint; ca.pem is the authority
that signed them), listens on loopback, prints "NAME PORT" for each server and "ready", and ends when its standard input does.
What a server does is decided by its name up to the end of the handshake, then by the path of the request; /stats tells of each
server how many connections it had, how many octets of requests came in them and how many it has closed itself, and then
how often /once was asked for.
"""

import contextlib
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import warnings

HERE = "IP:127.0.0.1,IP:::1,DNS:localhost"
# server: (certificate, address)
SERVERS = {"good": ("good", "127.0.0.1"), "v6": ("good", "::1"), "name": ("name", "127.0.0.1"), "expired": ("expired", "127.0.0.1"),
           "self": ("self", "127.0.0.1"), "old": ("good", "127.0.0.1"), "mute": (None, "127.0.0.1"), "plain": (None, "127.0.0.1"),
           "reset": (None, "127.0.0.1")}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
LOCK = threading.Lock()
STATS = {name: [0, 0, 0] for name in SERVERS}
ONCE = [0]


# --- certificates

def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def make(folder, name, subject, signer, extension, days=30):
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-subj", subject,
           "-utf8", "-config", "openssl.cnf", "-addext", extension]
    signed = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key"] if signer else []
    openssl(folder, "req", "-x509", *new, *signed, "-days", str(days), "-out", f"{name}.pem")


def make_expired(folder):
    """Only `openssl ca` takes a date that is over."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "expired.key",
            "-subj", "/CN=expired", "-config", "openssl.cnf", "-out", "expired.csr")
    open(os.path.join(folder, "index"), "w").close()
    openssl(folder, "ca", "-batch", "-config", "openssl.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "expired.csr",
            "-out", "expired.pem", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-notext")


def make_all(folder):
    with open(os.path.join(folder, "openssl.cnf"), "w") as out:
        out.write("[req]\ndistinguished_name = dn\n[dn]\n[ca]\ndefault_ca = test\n[test]\ndatabase = index\nnew_certs_dir = .\n"
                  "rand_serial = yes\ndefault_md = sha256\npolicy = any\nx509_extensions = here\nunique_subject = no\n"
                  f"[any]\ncommonName = supplied\n[here]\nsubjectAltName = {HERE}\n")
    make(folder, "ca", "/CN=Authority of this test", None, "basicConstraints=critical,CA:TRUE")
    make(folder, "good", "/CN=dom0 & co/O=Büro", "ca", f"subjectAltName={HERE}")
    make(folder, "name", "/CN=elsewhere", "ca", "subjectAltName=DNS:elsewhere.example")
    make(folder, "self", "/CN=itself", None, f"subjectAltName={HERE}")
    make_expired(folder)
    for name in ("good", "name", "self", "expired"):
        with open(os.path.join(folder, f"{name}.pem")) as pem, open(os.path.join(folder, f"{name}.sha256"), "w") as out:
            out.write(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).hexdigest())


# --- answers: (connection, server's name, number of the request on it, request) -> may another request follow?

def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang(connection):
    """Until the other end goes."""
    while connection.recv(4096):
        pass


def forever(connection, piece, pause=0.0):
    while True:
        connection.sendall(piece)
        time.sleep(pause)


def answer(connection, text):
    connection.sendall(ANSWER % (len(text), text))
    return True


def stats(connection):
    with LOCK:
        lines = [f"{name} connections {had} octets {octets} closed {closed}\n" for name, (had, octets, closed) in STATS.items()]
    return answer(connection, ("".join(lines) + f"once {ONCE[0]}\n").encode())


def once(connection, number):
    """The first request of a connection is answered; the next one is taken, and then the connection ends."""
    with LOCK:
        ONCE[0] += 1
    return number == 1 and answer(connection, b"hello")


def start(connection, text):
    connection.sendall(text)


def leave(connection):
    """As TLS wants it: with a word, and without waiting for the other's."""
    connection.settimeout(0)
    with contextlib.suppress(OSError):
        connection.unwrap()
    connection.close()


def close(connection, name):
    """Answers, and goes unasked, as servers do with connections that are idle."""
    answer(connection, b"hello")
    leave(connection)
    with LOCK:
        STATS[name][2] += 1


def respond(connection, name, number, path, request):
    paths = {
        "/good": lambda: answer(connection, b"hello"),
        "/echo": lambda: answer(connection, request),
        "/stats": lambda: stats(connection),
        "/once": lambda: once(connection, number),
        "/close": lambda: close(connection, name),
        "/big": lambda: answer(connection, b"x" * 100000),
        "/silent": lambda: hang(connection),
        "/trickle": lambda: start(connection, b"HTTP/1.1 200 OK\r\n\r\n") or forever(connection, b"x", 0.02),
        "/endless": lambda: start(connection, b"HTTP/1.1 200 OK\r\n\r\n") or forever(connection, b"x" * 16384),
        "/headers": lambda: start(connection, b"HTTP/1.1 200 OK\r\n") or forever(connection, b"X-Y: " + b"z" * 1000 + b"\r\n"),
        "/header": lambda: start(connection, b"HTTP/1.1 200 OK\r\nX-Y: ") or forever(connection, b"z" * 16384),
        "/interim": lambda: forever(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        "/cut": lambda: start(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello"),
        "/chunk": lambda: start(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        "/until-cut": lambda: start(connection, b"HTTP/1.1 200 OK\r\n\r\nhello"),
        "/until-end": lambda: start(connection, b"HTTP/1.1 200 OK\r\n\r\nhello") or leave(connection),
        "/302": lambda: start(connection, b"HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n") or True,
        "/500": lambda: start(connection, b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops") or True,
        "/204": lambda: start(connection, b"HTTP/1.1 204 No Content\r\n\r\n") or True,
        "/reset": lambda: reset(connection),
        "/nothing": lambda: None,
        "/garbage": lambda: start(connection, b"SSH-2.0-something else\r\n"),
    }
    return paths[path]()


# --- connections

def receive(connection, count, wanted, have):
    """More of a request: until wanted(have) is true. None: there is no more. count: is told of all octets."""
    while not wanted(have):
        piece = connection.recv(65536)
        if not piece:
            return None
        have += piece
        count(len(piece))
    return have


def receive_request(connection, count):
    """The next one, whole. None: there is no more."""
    request = receive(connection, count, lambda have: b"\r\n\r\n" in have, b"")
    if request is None:
        return None
    head = request.partition(b"\r\n\r\n")[0].decode().lower()
    length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    return receive(connection, count, lambda have: len(have.partition(b"\r\n\r\n")[2]) >= length, request)


def converse(connection, name):
    def count(octets):
        with LOCK:
            STATS[name][1] += octets

    number = 0
    while True:
        request = receive_request(connection, count)
        number += 1
        if request is None:
            return
        path = request.split(b" ")[1].decode().lower().partition("?")[0]
        if not respond(connection, name, number, path, request):
            return


def context(folder, certificate, name):
    """The server called old speaks TLS 1.1 only, which takes level 0 of OpenSSL's ciphers."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.path.join(folder, certificate + ".pem"), os.path.join(folder, certificate + ".key"))
    if name == "old":
        made.set_ciphers("DEFAULT@SECLEVEL=0")
        warnings.simplefilter("ignore", DeprecationWarning)  # old is what it is to be
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


def serve(connection, name, tls):
    with LOCK:
        STATS[name][0] += 1
    with contextlib.suppress(OSError), connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if name == "reset":
            reset(connection)
        elif name == "mute":
            hang(connection)
        elif name == "plain":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            hang(connection)
        else:
            with tls.wrap_socket(connection, server_side=True) as secret:
                converse(secret, name)


def listen(folder, name):
    certificate, address = SERVERS[name]
    tls = context(folder, certificate, name) if certificate else None
    listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, name, tls), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main(folder):
    make_all(folder)
    for name, (_, address) in SERVERS.items():
        try:
            print(name, listen(folder, name), flush=True)
        except OSError:
            if ":" not in address:  # a machine may be without IPv6
                raise
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
