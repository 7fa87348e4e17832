#!/usr/bin/env python3
"""The log: marks for the journal, a file that front and workers share, and its rotation without a signal."""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "
DETAIL = STAMP + "xensnmpd-worker: debug: .*"


def lines(path):
    try:
        with open(path) as text:
            return text.read().splitlines()
    except FileNotFoundError:
        return []


def has(path, pattern):
    return any(re.fullmatch(pattern, line) for line in lines(path))


def test_journal(lab):
    """systemd tells a program which stream is the journal's; here it is the lab's file."""
    log = lab.path("xensnmpd.log")
    open(log, "a").close()
    stream = os.stat(log)
    os.environ["JOURNAL_STREAM"] = f"{stream.st_dev}:{stream.st_ino}"
    lab.start("xensnmpd")
    del os.environ["JOURNAL_STREAM"]
    lab.wait(lambda: has(log, "<6>xensnmpd: info: ready"), "it is ready")
    lab.wait_rows()
    lab.kill("xen-farm")
    lab.wait(lambda: has(log, "<7>xensnmpd-worker: debug: .*"), "a worker tells that its host is gone")
    lab.wait(lambda: has(log, "<4>xensnmpd: warning: source host1: .*"), "so does the front")
    is_([line for line in lines(log) if not re.match("<[3467]>xensnmpd", line)], [], "each line has its priority")
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "it ends")


def test_file(lab):
    log = lab.path("state", "log")
    lab.agent["log_file"] = log
    lab.write_config()
    before = lab.log("xensnmpd")
    lab.start("xen-farm")
    lab.start("xensnmpd")
    lab.wait(lambda: has(log, STAMP + "xensnmpd: info: ready"), "it is ready")
    is_(os.stat(log).st_mode & 0o777, 0o600, "nobody else reads it")
    lab.wait_rows()

    os.rename(log, log + ".1")
    lab.kill("xen-farm")
    lab.wait(lambda: has(log, STAMP + "xensnmpd-worker: debug: .*"), "a worker begins a new file")
    lab.wait(lambda: has(log, STAMP + "xensnmpd: warning: source host1: .*"), "and the front shares it")
    wrong = [line for path in (log, log + ".1") for line in lines(path)
             if not re.match(STAMP + r"xensnmpd(-worker)?: (error|warning|info|debug): ", line)]
    is_(wrong, [], "lines of front and workers are whole")
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "it ends")
    ok(has(log, STAMP + "xensnmpd: info: ending"), "with a last line there")
    is_([line for line in lab.log("xensnmpd")[len(before):].splitlines() if "running as root" not in line], [],
        "nothing of it went to stderr")


def lose_host(lab, reload):
    """From the start to the moment that the host is gone, which is a detail for a worker: the log's lines."""
    log = lab.agent["log_file"]
    os.rename(log, log + ".2")
    lab.agent["log_level"] = "info"
    lab.write_config()
    for program in ("xen-farm", "xensnmpd"):
        lab.start(program)
    lab.wait_rows()
    workers = lab.workers()
    if reload:
        lab.agent["log_level"] = "debug"
        lab.write_config()
        os.kill(lab.pid("xensnmpd"), signal.SIGHUP)
        lab.wait(lambda: has(log, STAMP + "xensnmpd: info: .*: read again"), "the file is read again")
    lab.kill("xen-farm")
    lab.wait(lambda: has(log, STAMP + "xensnmpd: warning: source host1: .*"), "the front tells of it")
    if reload:
        lab.wait(lambda: has(log, DETAIL), "the worker tells of it")
    is_(lab.workers(), workers, "the worker is the one from the beginning")
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "it ends")
    return lines(log)


def test_level(lab):
    ok(not any(re.fullmatch(DETAIL, line) for line in lose_host(lab, reload=False)), "at level info a worker tells no details")
    ok(any(re.fullmatch(DETAIL, line) for line in lose_host(lab, reload=True)), "it does after a SIGHUP that asks for them")


def test_refused(lab):
    lab.agent["log_file"] = lab.path("nowhere", "log")
    lab.write_config()
    lab.start("xensnmpd")
    is_(lab.processes["xensnmpd"].wait(), 1, "a file in a folder that is not there: no start")
    ok(f"log_file {lab.path('nowhere', 'log')}: " in lab.log("xensnmpd"), "the message names it") or diag(lab.log("xensnmpd"))
    del lab.processes["xensnmpd"]


with Lab(hosts=1, domains=3, start=False, agent={"log_level": "debug"}) as estate:
    for program in ("snmpd", "xen-farm"):
        estate.start(program)
    for test in (test_journal, test_file, test_level, test_refused):
        test(estate)
done()
