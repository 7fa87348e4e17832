#!/usr/bin/env python3
"""The installed daemon works under the restrictions of its unit: polls, operations, SSH, replaced workers; it tells the service
manager when it is ready. What systemd would do is done by tests/lib/confine.py. Started as root without it, it gives up root."""

import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import TOP, Lab, diag, done, free_port, is_, ok  # noqa: E402

import confine  # noqa: E402

RUNNING, PAUSED, PAUSE = 4, 8, 5
UP, UNTRUSTED = 2, "untrusted"
FINISHED = 5
TRY = """
import ctypes, mmap, socket, tempfile
def deny():
    raise PermissionError
try:
    {}
    print("possible")
except OSError:
    print("forbidden")
"""


def install(lab):
    box = lab.path("root")
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    subprocess.run(["make", "install", f"DESTDIR={box}", "PREFIX=/usr"], cwd=TOP, env=env, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(box, "usr")


def status(pid):
    """{key: value} of /proc/PID/status"""
    with open(f"/proc/{pid}/status") as text:
        return dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)


class Manager:
    """The end of NOTIFY_SOCKET that systemd holds."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        if address.startswith("/"):
            os.chmod(address, 0o777)
        self.socket.setblocking(False)

    def heard(self):
        try:
            return self.socket.recv(4096).decode()
        except BlockingIOError:
            return None


def start(lab, prefix, manager):
    """xensnmpd as its unit would start it. LeakSanitizer traces its process, which no unit allows."""
    unit = os.path.join(prefix, "lib/systemd/system/xensnmpd.service")
    os.environ["NOTIFY_SOCKET"] = manager.address
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    lab.start("xensnmpd", [sys.executable, os.path.join(TOP, "tests/lib/confine.py"), unit, lab.path("state"),
                           os.path.join(prefix, "sbin/xensnmpd"), "-c", lab.path("xensnmpd.conf")])
    del os.environ["NOTIFY_SOCKET"]
    is_(lab.wait(manager.heard, "it tells the manager"), "READY=1", "it tells the service manager that it is ready")
    lab.wait_rows()


def open_to_nobody(lab):
    """What belongs to the account of the daemon in a real installation."""
    if os.geteuid() == 0:
        for name in ("state", "credentials", "credentials/box", "library"):
            if os.path.exists(lab.path(name)):
                os.chown(lab.path(name), confine.NOBODY, confine.NOBODY)
    os.chmod(lab.path("farm.sock"), 0o777)


def sshd(lab):
    """An OpenSSH server whose key nobody trusts yet; its port."""
    port = free_port(socket.SOCK_STREAM)
    key = lab.path("ssh_host_key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with open(lab.path("sshd_config"), "w") as out:
        out.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\nUsePAM no\n")
    os.makedirs("/run/sshd", exist_ok=True)
    lab.start("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", lab.path("sshd_config")])
    return port


def test_privileges(lab):
    for who, pid in [("the front", lab.pid("xensnmpd")), *(("a worker", pid) for pid in lab.workers())]:
        facts = status(pid)
        is_([facts[key] for key in ("NoNewPrivs", "Seccomp")], ["1", "2"], f"{who} can gain nothing and is filtered")
        is_([int(facts[key], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")], [0] * 4, f"{who} has no capability")
        ok("0" not in facts["Uid"].split(), f"{who} is not root") or diag(facts["Uid"])


def test_filter(prefix, lab):
    """What the unit forbids is forbidden: else the rest of this test proves nothing."""
    unit = os.path.join(prefix, "lib/systemd/system/xensnmpd.service")
    tries = {"a socket of the kernel's": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
             "tracing": "ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 or deny()",
             "memory to write and run": "mmap.mmap(-1, 4096, prot=7)"}
    if confine.can_protect_files():
        os.mkdir(lab.path("elsewhere"))
        os.chmod(lab.path("elsewhere"), 0o777)  # its owner must not be the one who forbids it
        tries["a file elsewhere"] = f"tempfile.mkstemp(dir={lab.path('elsewhere')!r})"
    for what, code in tries.items():
        for confined in (False, True):
            words = [sys.executable, os.path.join(TOP, "tests/lib/confine.py"), unit, lab.path("state")] if confined else []
            result = subprocess.run([*words, "/usr/bin/python3", "-c", TRY.format(code)], capture_output=True, text=True,
                                    check=False)
            is_(result.stdout, "forbidden\n" if confined else "possible\n",
                f"{what} is {'forbidden' if confined else 'possible without the unit'}") or diag(result.stderr)


def test_work(lab):
    guest = next(index for index, row in lab.table("xenDomainTable").items()
                 if row["xenDomainState"] == RUNNING and row["xenDomainKind"] == 1)
    is_(lab.set(lab.oid("xenDomainPower", guest), "i", PAUSE), "noError", "an action is accepted")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", guest)) == PAUSED, "it is done")
    before = lab.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    lab.wait(lambda: lab.workers() - before, "killed workers are replaced")
    lab.wait(lambda: set(lab.column("xenSourceState").values()) == {UP}, "sources are up again")
    ok(lab.get(lab.oid("xenWorkersLost", 0)) >= 1, "a killed worker is replaced")


def test_ssh(lab, port):
    """Workers read the credential, reach the server and agree on keys with it: then they know that they don't know its own."""
    uri = f"ssh://root@127.0.0.1:{port}"
    lab.xenctl("credential", "add", "box", "--uri", uri, "--key", lab.path("ssh_host_key"), "--credential-dir", lab.path("credentials"))
    open_to_nobody(lab)
    lab.sources["box"] = {"uri": uri, "credential": "box"}
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    untrusted = next(number for number, label in lab.labels("xenSourceState").items() if label == UNTRUSTED)
    lab.wait(lambda: lab.get(lab.oid("xenSourceState", "box")) == untrusted, "SSH shows a key that is not trusted")
    ok("SHA256:" in lab.get(lab.oid("xenSourceStateText", "box")), "SSH gets as far as the host's key, which is not trusted")


def test_discovery(lab, port):
    """The interfaces can be read, subnets be swept and keys be fetched."""
    ok(lab.get(lab.oid("xenDiscoveryAllowed", 0)) is not None, "the subnets of this machine are known")
    lab.agent["discovery_allow"] = "127.0.0.1"
    lab.write_config()
    os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
    lab.wait(lambda: lab.get(lab.oid("xenDiscoveryAllowed", 0)) == "127.0.0.1", "the file is read again")
    is_(lab.set((lab.oid("xenDiscoveryStart", 0), "s", "here"), (lab.oid("xenDiscoveryStartSubnets", 0), "s", "127.0.0.1"),
                (lab.oid("xenDiscoveryStartProbes", 0), "s", f"ssh:{port},xapi:{port}")), "noError", "a discovery is accepted")
    lab.wait(lambda: FINISHED in lab.column("xenDiscoveryState").values(), "it is over")
    found = lab.table("xenFoundTable").get(f"ssh://root@127.0.0.1:{port}", {})
    ok(found.get("xenFoundFingerprint", "").startswith("SHA256:"), "SSH is found, with its key")


def test_root(lab, prefix):
    """Started by hand as root: the account is the configured one, and no way leads back."""
    if os.geteuid() != 0:
        diag("giving up root is not tried: that takes root")
        return
    lab.agent["user"] = "nobody"
    lab.write_config()
    lab.start("xensnmpd", [os.path.join(prefix, "sbin/xensnmpd"), "-c", lab.path("xensnmpd.conf")])
    lab.wait_rows()
    for who, pid in [("the front", lab.pid("xensnmpd")), *(("a worker", pid) for pid in lab.workers())]:
        facts = status(pid)
        is_(set(facts["Uid"].split()) | set(facts["Gid"].split()), {str(confine.NOBODY)}, f"{who} gives up root")
        is_([int(facts[key], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")], [0] * 4, f"{who} has no capability")
        is_(facts["Groups"].split(), [str(confine.NOBODY)], f"{who} is in no other group")


with Lab(hosts=2, domains=8, start=False) as estate:
    installed = install(estate)
    test_filter(installed, estate)
    ssh_port = sshd(estate)
    for program in ("snmpd", "xen-farm"):
        estate.start(program)
    open_to_nobody(estate)
    listener = Manager(estate.path("notify"))
    start(estate, installed, listener)
    test_privileges(estate)
    test_work(estate)
    test_discovery(estate, ssh_port)
    test_ssh(estate, ssh_port)
    is_(estate.kill("xensnmpd", signal.SIGTERM), 0, "it ends when told to")
    is_(listener.heard(), "STOPPING=1", "and says so before")
    abstract = Manager(f"@xensnmp-test-{os.getpid()}")
    start(estate, installed, abstract)
    is_(estate.kill("xensnmpd", signal.SIGTERM), 0, "it ends when told to")
    test_root(estate, installed)
done()
