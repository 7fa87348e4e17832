"""What a discovery may meet on loopback: servers that greet or answer as xend, libvirt, SSH or nobody would."""

import socket
import socketserver
import struct
import threading

NODE_INFO = {"system": "Linux", "host": "xen3-host", "nr_cpus": 4, "xen_major": 4, "xen_minor": 1, "xen_extra": ".0"}
LIBVIRT, AUTH_LIST, OPEN = 0x20008086, 66, 1


def _xend_body(facts):
    def scalar(value):
        kind = "int" if isinstance(value, int) else "string"
        return f"<value><{kind}>{value}</{kind}></value>"
    pairs = "".join(f"<value><array><data>{scalar(key)}{scalar(value)}</data></array></value>" for key, value in facts.items())
    return ("<?xml version='1.0'?><methodResponse><params><param><value><array><data>" + pairs +
            "</data></array></value></param></params></methodResponse>")


def http(body, status="200 OK"):
    """Answers any request with that body."""
    def serve(link):
        link.recv(65536)
        link.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    return serve


def xend(**facts):
    return http(_xend_body({**NODE_INFO, **facts}))


def greets(octets):
    def serve(link):
        link.sendall(octets)
        link.recv(4096)
    return serve


def endless(octets):
    """Those, and then the same again for ever."""
    def serve(link):
        link.recv(65536)
        while True:
            link.sendall(octets * 100)
    return serve


BOMB = ("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]><methodResponse><params><param><value>&a;</value></param>"
        "</params></methodResponse>")


def silent(link):
    """Takes the connection and says nothing until the other hangs up."""
    while link.recv(4096):
        pass


def _words(*numbers):
    return b"".join(struct.pack(">I", number) for number in numbers)


def libvirt(auth=(0,), xen=True):
    """auth: kinds of login that it offers, 0 none. xen: can it open xen:///system?"""
    def serve(link):
        while True:
            head = link.recv(28, socket.MSG_WAITALL)
            if len(head) < 28:
                return
            length, _, _, procedure, _, serial, _ = struct.unpack(">7I", head)
            asked = link.recv(length - 28, socket.MSG_WAITALL) if length > 28 else b""
            good = procedure == AUTH_LIST or (procedure == OPEN and xen and b"xen:///system" in asked)
            body = _words(len(auth), *auth) if procedure == AUTH_LIST else b""
            link.sendall(_words(28 + len(body), LIBVIRT, 1, procedure, 1, serial, 0 if good else 1) + body)
    return serve


class Server:
    """serve(link) in a thread for each connection; counts them and keeps what it was told first."""

    def __init__(self, address, port, serve):
        outer = self
        self.connections, self.address = 0, address

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                outer.connections += 1
                self.request.settimeout(30)
                try:
                    serve(self.request)
                except OSError:  # the other went
                    pass

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, request_queue_size = True, True, 128
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        self._listener = Listener((address, port), Handler)
        self.port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._listener.shutdown()
        self._listener.server_close()
