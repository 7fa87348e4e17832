#!/usr/bin/env python3
"""A source that does not answer as it should: the right state and cause for each way, in words that help; the others stay fresh,
and it is up again when it behaves."""

import os
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, free_port, is_, ok  # noqa: E402

UP = 2
# A mode of the farm's host: the causes that fit, and a word of the text.
MODES = (("down", {"hostDown", "transport"}, ""),
         ("refuse", {"transport"}, "refuse"),
         ("auth", {"authFailed"}, ""),
         ("hostkey", {"hostKey"}, ""),
         ("hung", {"timedOut"}, ""),
         ("slow 60000", {"timedOut"}, ""),
         ("garbage", {"transport"}, ""),
         ("truncated", {"transport"}, ""),
         ("huge", {"transport"}, ""),
         ("endless", {"driverError"}, ""),
         ("other host1", {"wrongHost"}, "host host1 "))
# What a host says to SSH: nothing, nonsense, half a greeting; None: nobody listens.
TALKERS = {"half-open": (b"", {"timedOut"}), "nonsense": (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20, {"transport"}),
           "cut": (b"SSH-2.0-", {"timedOut", "transport"}), "closed": (None, {"transport", "hostDown"})}


class Talker(threading.Thread):
    """Accepts, says its words to each, and never anything more."""

    def __init__(self, words):
        super().__init__(daemon=True)
        self.words, self.held = words, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            peer = self.socket.accept()[0]
            self.held.append(peer)
            peer.sendall(self.words)


class Estate(Lab):
    def cause(self, key):
        return self.labels("xenSourceCause")[self.get(self.oid("xenSourceCause", key))]

    def state(self, key):
        return self.labels("xenSourceState")[self.get(self.oid("xenSourceState", key))]

    def polls(self, key):
        return self.get(self.oid("xenSourcePollsOk", key))

    def tried(self):
        """How often somebody named a user to the sshd that runs now."""
        return self.log("sshd").rsplit("Server listening", 1)[-1].count("authenticating user")

    def others_are_fresh(self, words):
        before = self.polls("host1")
        self.wait(lambda: self.polls("host1") >= before + 2, f"{words}: another source is polled")
        is_(self.state("host1"), "up", f"{words}: another source is polled, and up")


def test_modes(lab):
    names = sorted(lab.column("xenDomainName"))
    for mode, causes, word in MODES:
        lab.farm_ctl("host", "host2", *mode.split())
        lab.wait(lambda: lab.state("host2") != "up", f"{mode}: it is not up")
        text = lab.get(lab.oid("xenSourceStateText", "host2"))
        ok(lab.cause("host2") in causes and word in text, f"{mode}: {lab.cause('host2')}, in words too") or diag(text)
        lab.others_are_fresh(mode)
        is_(sorted(lab.column("xenDomainName")), names, f"{mode}: every row is there")
        lab.farm_ctl("host", "host2", "normal")
        lab.wait(lambda: lab.get(lab.oid("xenHostAction", "host2")), "the row of the host is there")
        lab.set(lab.oid("xenHostAction", "host2"), "i", 25)  # a rescan: not after the pause that failures have earned
        lab.wait(lambda: lab.state("host2") == "up", f"{mode}: it is up again", 40)
        is_((lab.cause("host2"), lab.get(lab.oid("xenSourceStateText", "host2"))), ("none", ""), f"{mode}: and says nothing")


def test_talkers(lab):
    for key, (_, causes) in TALKERS.items():
        lab.wait(lambda: lab.state(key) not in ("connecting", "up"), f"{key} is not up")
        ok(lab.cause(key) in causes, f"ssh, {key}: {lab.cause(key)}") or diag(lab.get(lab.oid("xenSourceStateText", key)))
        ok(lab.get(lab.oid("xenSourceStateText", key)), f"ssh, {key}: it says why")


def key_pair(lab, name):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", lab.path(name)], check=True)
    with open(lab.path(name + ".pub")) as public:
        return " ".join(public.read().split()[:2])


def serve(lab, port, key):
    with open(lab.path("sshd_config"), "w") as out:
        out.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {lab.path(key)}\nPidFile none\nUsePAM no\nLogLevel VERBOSE\n"
                  f"PasswordAuthentication no\nStrictModes no\nAuthorizedKeysFile {lab.path('authorized')}\n")
    lab.start("sshd", [shutil.which("sshd", path="/usr/sbin:/sbin"), "-D", "-e", "-f", lab.path("sshd_config")])


def test_host_key(lab, port):
    """Not known, then known, then another: a host that may not be what it was gets no credential."""
    lab.wait(lambda: lab.state("box") == "untrusted", "ssh: a key that nobody trusts")
    is_(lab.cause("box"), "hostKey", "ssh, unknown key: hostKey")
    with open(lab.path("known_hosts"), "a") as out:
        out.write(f"[127.0.0.1]:{port} {lab.first_key}\n")
    lab.wait(lambda: lab.cause("box") == "authFailed", "ssh: trusted, and our key is refused", 60)
    ok(lab.tried() > 0, "ssh, known key: our key was offered")
    is_(lab.state("box"), "unauthorised", "ssh, known key, a credential that is refused: unauthorised")
    lab.kill("sshd")
    serve(lab, port, "second")
    lab.wait(lambda: lab.cause("box") == "hostKey", "ssh: another key", 60)
    text = lab.get(lab.oid("xenSourceStateText", "box"))
    ok(lab.state("box") == "untrusted" and "CHANGED" in text, "ssh, changed key: untrusted, and the text says so") or diag(text)
    is_(lab.tried(), 0, "ssh, changed key: no credential was offered")


with Estate(hosts=2, domains=8, start=False, agent={"poll_timeout": 2}) as estate:
    for name, (said, _) in TALKERS.items():
        talker = Talker(said) if said is not None else None
        if talker:
            talker.start()
        estate.sources[name] = {"uri": f"ssh://root@127.0.0.1:{talker.port if talker else free_port(socket.SOCK_STREAM)}",
                                "credential": "key"}
    estate.sources["box"] = {"uri": f"ssh://root@127.0.0.1:{free_port(socket.SOCK_STREAM)}", "credential": "key"}
    estate.farm_sources()
    for program in ("snmpd", "xen-farm"):
        estate.start(program)
    estate.write_config()
    box = int(estate.sources["box"]["uri"].rpartition(":")[2])
    estate.first_key = key_pair(estate, "first")
    key_pair(estate, "second")
    key_pair(estate, "user")
    open(estate.path("authorized"), "w").close()
    os.makedirs("/run/sshd", exist_ok=True)
    serve(estate, box, "first")
    uris = [word for key, source in estate.sources.items() if source["uri"].startswith("ssh") for word in ("--uri", source["uri"])]
    added = estate.xenctl("credential", "add", "key", *uris, "--key", estate.path("user"), "--credential-dir",
                          estate.path("credentials"))
    ok(added.returncode == 0, "a credential for the hosts behind SSH") or diag(added.stderr)
    estate.start("xensnmpd")
    estate.wait(lambda: [estate.get(estate.oid("xenSourceState", f"host{n}")) for n in (1, 2)] == [UP] * 2, "the farm is up")
    test_talkers(estate)
    test_host_key(estate, box)
    test_modes(estate)
done()
