#!/usr/bin/env python3
"""The program xen-farm: options, names, control commands, sockets, signals and size."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from tap import diag, done, is_, ok  # noqa: E402

FARM = os.path.join(os.environ.get("BUILD", "build"), "bin", "xen-farm")
FOLDER = tempfile.mkdtemp(prefix="xen-farm.")
SOCKET = os.path.join(FOLDER, "f.sock")


def run(*arguments):
    return subprocess.run([FARM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=60, check=False)


def start(*arguments):
    """A farm that serves; ends the test when it does not come up."""
    farm = subprocess.Popen([FARM, "--socket", SOCKET, *arguments], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True)
    line = farm.stdout.readline()
    if line != "ready\n":
        diag(f"xen-farm said {line!r} instead of ready")
        sys.exit(1)
    return farm


def ctl(*command):
    return run("ctl", SOCKET, *command)


def stats():
    return dict(line.split("=", 1) for line in ctl("stats").stdout.splitlines())


def refused(name, *arguments, says):
    result = run(*arguments)
    ok(result.returncode == 2 and says in result.stderr, f"{name}: exit 2, says \"{says}\"") or \
        diag(f"{result.returncode}: {result.stderr}")


def options():
    text = run("--help")
    ok(text.returncode == 0 and "--journal FILE" in text.stdout and "@all" in text.stdout, "--help is complete")
    ok(run("--version").stdout.startswith("xen-farm "), "--version")
    refused("no socket", says="--socket PATH is needed")
    refused("unknown option", "--sockets", "x", says="no option --sockets")
    refused("too many hosts", "--socket", SOCKET, "--hosts", "1025", says="1 to 1024")
    refused("no number", "--socket", SOCKET, "--domains", "many", says="\"many\" is not a number from 0 to")
    refused("no value", "--socket", SOCKET, "--seed", says="--seed needs N")
    refused("speed zero", "--socket", SOCKET, "--speed", "0", says="above 0")
    refused("flag with a value", "--same-names=yes", says="takes no value")
    refused("a bare word", "farm", says="\"farm\" is no option")
    refused("ctl without command", "ctl", SOCKET, says="usage: xen-farm ctl")
    result = run("--socket", SOCKET, "--names", os.path.join(FOLDER, "none"))
    ok(result.returncode == 1 and "none" in result.stderr, "a file of names that is not there: exit 1")
    result = ctl("stats")
    ok(result.returncode == 1 and "no farm serves" in result.stderr, "ctl without a farm: exit 1")


def names():
    odd = [b"plain", b"with space", b"$(touch canary)", b"\xff\xfe\x01", b"0", b"a" * 61, b"tab\there"]
    path = os.path.join(FOLDER, "names")
    with open(path, "wb") as out:
        out.write(b"\n".join(odd) + b"\n")
    farm = start("--names", path, "--domains", "7", "--hosts", "1", "--seed", "5")
    rows = [line.split("\t") for line in ctl("domains").stdout.splitlines()]
    is_([row[1] for row in rows],
        ["plain", "with space", "$(touch canary)", "\\xff\\xfe\\x01", "0", "a" * 61, "tab\\x09here"],
        "names of any octets, shown escaped")
    is_(ctl("domain", "with space").stdout.split("\t")[0], "host1", "found by a name with a space")
    first = ctl("domains").stdout
    stop(farm)
    farm = start("--names", path, "--domains", "7", "--hosts", "1", "--seed", "5")
    is_(ctl("domains").stdout, first, "the same seed makes the same fleet")
    stop(farm)


def stop(farm, how=signal.SIGTERM):
    farm.send_signal(how)
    return farm.wait(timeout=20)


def sockets():
    farm = start()
    modes = [stat.S_IMODE(os.stat(SOCKET + suffix).st_mode) for suffix in ("", ".ctl")]
    is_(modes, [0o600, 0o600], "sockets have mode 0600")
    second = run("--socket", SOCKET)
    ok(second.returncode == 1 and "another farm serves" in second.stderr, "a living socket is not taken over")
    ok(ctl("hosts").returncode == 0, "... and its farm goes on")
    is_(stop(farm), 0, "SIGTERM ends it with status 0")
    ok(not os.path.exists(SOCKET) and not os.path.exists(SOCKET + ".ctl"), "... and the sockets are gone")
    farm = start()
    stop(farm, signal.SIGKILL)
    ok(os.path.exists(SOCKET), "kill -9 leaves the sockets")
    farm = start()
    ok(ctl("hosts").returncode == 0, "... and the next farm replaces them")
    stop(farm)


def wrong(*command, says):
    result = ctl(*command)
    ok(result.returncode == 1 and says in result.stderr, f"ctl {' '.join(command)}: says \"{says}\"") or \
        diag(f"{result.returncode}: {result.stdout}{result.stderr}")


def commands():
    farm = start("--running", "100")
    wrong("hop", says="no command \"hop\"")
    wrong("host", "host9", "down", says="no host \"host9\"")
    wrong("host", "host1", "dawn", says="there are normal, down, refuse")
    wrong("host", "host1", "slow", says="slow needs milliseconds")
    wrong("host", "host1", "down", "now", says="down takes nothing more")
    wrong("fail", "jump", "busy", "text", says="no action \"jump\": there are noop, start")
    wrong("fail", "start", "sad", "text", says="no cause \"sad\"")
    wrong("fail", "start", "busy", "text", "0", says="COUNT \"0\"")
    wrong("pause", "nobody", says="no domain \"nobody\"")
    wrong("flap", says="usage: flap N")
    wrong("it's", says="no command \"it's\"")
    listed = [line.split()[0] for line in ctl("help").stdout.splitlines() if not line.startswith(" ")]
    ok({"host", "fail", "hang", "stats", "flap"} <= set(listed), "help lists the commands")
    name = ctl("domains").stdout.split("\t")[1]
    for command, state in (("pause", "paused"), ("unpause", "running"), ("crash", "crashed"),
                           ("poweroff", "shutdown"), ("start", "running")):
        ctl(command, name)
        is_(ctl("domain", name).stdout.split("\t")[3], state, f"{command} by hand")
    ctl("rename", name, "a new name")
    is_(ctl("domain", "host1/a new name").returncode, 0, "rename, and HOST/NAME finds it")
    is_(ctl("flap", "5").stdout, "changed=5\n", "flap")
    is_(stats()["state.paused"], "5", "... is seen in the statistics")
    before = ctl("hosts").stdout.splitlines()[0].split("boot=")[1]
    ctl("reboot-host", "host1")
    ok(ctl("hosts").stdout.splitlines()[0].split("boot=")[1] != before, "reboot-host gives a new boot id")
    is_(stats()["state.shutdown"], "4", "... and its guests are down")
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(SOCKET + ".ctl")
        raw.sendall(b"hosts\nspeed 9\nnonsense\n")
        raw.settimeout(20)
        text = b""
        while not text.endswith(b"see `help`\n"):
            piece = raw.recv(65536)
            if not piece:
                break
            text += piece
        ok(text.endswith(b"\nok\nok\nerror no command \"nonsense\": see `help`\n"), "several lines on one connection")
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(SOCKET + ".ctl")
        raw.settimeout(20)
        try:
            raw.sendall(b"x" * 1000000)
        except OSError:
            pass
    ok(ctl("hosts").returncode == 0, "an endless line is hung up on")
    stop(farm)


def churn_and_size():
    farm = start("--churn", "6000", "--running", "100")
    end = time.monotonic() + 20
    while stats().get("state.paused", "0") == "0" and time.monotonic() < end:
        time.sleep(0.02)
    ok(stats()["state.paused"] != "0", "--churn changes guests by itself")
    stop(farm)
    farm = start("--hosts", "1000", "--domains", "100000", "--vcpus", "1", "--vifs", "1", "--vbds", "1")
    with open(f"/proc/{farm.pid}/status", encoding="ascii") as status:
        resident = [int(line.split()[1]) for line in status if line.startswith("VmRSS")][0]
    asan = b"__asan_init" in open(FARM, "rb").read()
    ok(asan or resident < 100 * 1024, "100,000 domains take less than 100 MB") or diag(f"{resident} KiB")
    is_(stats()["domains"], "100000", "... and are there")
    stop(farm)


try:
    options()
    names()
    sockets()
    commands()
    churn_and_size()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
done()
