#!/usr/bin/env python3
"""Too few descriptors and no memory: who can't be served says why, the others are fresh, nothing spins or ends, and all is well
again when there is room."""

import os
import resource
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import PATIENCE, Lab, diag, done, is_, ok  # noqa: E402
from shim import Shim  # noqa: E402

UP, PAUSE, RUNNING, FINISHED = 2, 5, 4, 5
LIMIT, WORKER = 29, 28
FEW, MANY = 64, 40
HOSTS, PIECE = 8, 256 << 10


class Estate(Lab):
    def states(self):
        return self.column("xenSourceState")

    def polls(self, key):
        return self.get(self.oid("xenSourcePollsOk", key))

    def seconds_used(self):
        """Processor time of the daemon, and of its oldest worker."""
        self.processes["worker"] = type("Process", (), {"pid": min(self.workers())})
        used = self.cpu("xensnmpd"), self.cpu("worker")
        del self.processes["worker"]
        return used

    def all_up(self, words):
        self.wait(lambda: set(self.states().values()) == {UP}, f"{words}: all sources are up", 60)
        ok(True, f"{words}: all sources are up")


def test_few_descriptors(lab):
    lab.start("xensnmpd", [shutil.which("prlimit"), f"--nofile={FEW}", lab.binary("xensnmpd"), "-c", lab.path("xensnmpd.conf")])
    lab.wait(lambda: len(lab.states()) == MANY, "it serves with 64 descriptors")
    lab.wait(lambda: all(lab.get(lab.oid("xenSourceLastTry", key)) for key in lab.sources), "each source was tried")
    lab.wait(lambda: LIMIT in lab.column("xenSourceCause").values(), "those without a descriptor have the cause limit")
    lab.wait(lambda: list(lab.states().values()).count(UP) >= 10, "some are up")
    causes, texts, states = (lab.column(name) for name in ("xenSourceCause", "xenSourceStateText", "xenSourceState"))
    up = [key for key in states if states[key] == UP]
    ok(len(up) >= 10, f"{len(up)} of {MANY} sources are up with {FEW} descriptors")
    is_({causes[key] for key in states if key not in up}, {LIMIT}, "all others have the cause limit")
    ok(all("descriptor" in text or "open files" in text for key, text in texts.items() if key not in up),
       "and a text that says what is short") or diag(set(texts.values()))
    before, begin = lab.seconds_used(), time.monotonic()
    first = lab.polls(up[0])
    lab.wait(lambda: lab.polls(up[0]) >= first + 4, "those that are up are polled")
    took = time.monotonic() - begin
    used = [now - then for now, then in zip(lab.seconds_used(), before)]
    ok(max(used) < took / 2, f"nobody spins ({used[0]:.2f} and {used[1]:.2f} s of {took:.1f} s)")
    is_(lab.get(lab.oid("xenWorkersLost", 0)), 0, "no worker ends by it")
    guest = next(index for index, row in lab.table("xenDomainTable").items() if row.get("xenDomainKind") == 1
                 and row.get("xenDomainState") == RUNNING and row.get("xenDomainHost") == up[0])
    is_(lab.set(lab.oid("xenDomainPower", guest), "i", PAUSE), "noError", "a SET is accepted")
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", 1)) == FINISHED, "it ends")
    is_(lab.kill("xensnmpd", signal.SIGTERM), 0, "it ends when told to")
    lab.start("xensnmpd")
    lab.all_up("without the limit")


def test_fewer_at_run_time(lab):
    """The front has used up what it may: it can't start a worker in the place of one that died."""
    pid = lab.pid("xensnmpd")
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    lab.wait(lambda: len(lab.column("xenDomainName")) == MANY * 4, "all domains have rows")
    names = sorted(lab.column("xenDomainName"))
    highest = max(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))
    # Whatever is free below the highest stays free: the limit is on numbers.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(highest, 8), usual[1]))
    for worker in lab.workers():
        os.kill(worker, signal.SIGKILL)
    lab.wait(lambda: "Too many open files" in lab.log("xensnmpd"), "the log says that there is no descriptor")
    lab.wait(lambda: UP not in lab.states().values(), "the sources are not up")
    before, begin = lab.cpu("xensnmpd"), time.monotonic()
    lab.wait(lambda: time.monotonic() > begin + 2 and lab.get(lab.oid("xenAgentVersion", 0)), "reads go on")
    is_(sorted(lab.column("xenDomainName")), names, "reads go on with every row")
    ok(lab.cpu("xensnmpd") - before < (time.monotonic() - begin) / 2, "the front does not spin")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    lab.all_up("with descriptors again")


def test_no_memory(lab, shim):
    """A worker that gets no memory ends: the source whose answer is large is alone with that."""
    lab.start("xensnmpd", shim=shim)
    lab.all_up("with memory")
    shim.memory(PIECE)
    lab.wait(lambda: lab.column("xenSourceCause")["pool"] == WORKER, "the large source has the cause worker")
    lab.wait(lambda: [lab.states()[key] for key in ("host1", "host2")] == [UP] * 2, "the small ones are up")
    # Alone in a process of its own, it takes nobody with it any more.
    lab.wait(lambda: lab.states()["pool"] not in (UP, 1) and len(lab.workers()) >= 1, "the large one is not")
    before = lab.polls("host1"), lab.polls("host2"), lab.polls("pool")
    lab.wait(lambda: lab.polls("host1") >= before[0] + 3 and lab.polls("host2") >= before[1] + 3, "the small ones are polled")
    is_([lab.states()[key] for key in ("host1", "host2")], [UP] * 2, "the small sources are polled and up")
    is_((lab.polls("pool"), lab.states()["pool"] == UP), (before[2], False), "the large one is not")
    ok(max(lab.get(lab.oid("xenSourcePollsFailed", key)) or 0 for key in ("host1", "host2")) < 10, "few polls of theirs failed")
    ok("was ended by signal" in lab.log("xensnmpd"), "the log says how the worker ended")
    is_(lab.get(lab.oid("xenMasterReconnects", 0)), 0, "the front did not notice")
    shim.memory(0)
    lab.all_up("with memory again")


with Estate(hosts=MANY, domains=MANY * 3, start=False) as estate:
    for program in ("snmpd", "xen-farm"):
        estate.start(program)
    test_few_descriptors(estate)
    test_fewer_at_run_time(estate)
if os.environ.get("ASAN_OPTIONS"):
    diag("memory that is refused is not tried: the sanitizer has a heap of its own")
else:
    with Estate(hosts=HOSTS, domains=1600, start=False) as estate:
        for other in range(3, HOSTS + 1):
            del estate.sources[f"host{other}"]
        estate.sources["pool"] = {"uri": f"sim://{estate.path('farm.sock')}/@all"}
        estate.write_config()
        for program in ("snmpd", "xen-farm"):
            estate.start(program)
        test_no_memory(estate, Shim(estate, "memory"))
done()
