#!/usr/bin/env python3
"""An agent moves: xenctl export there, xenctl import here, and no index, key or setting is another. What is not a whole
export file of this version is refused, with its line, and changes nothing."""

import os
import re
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import Lab, diag, done, is_, ok  # noqa: E402

TRUE, FALSE, CREATE, DESTROY, UP, FINISHED, PAUSE = 1, 2, 4, 6, 2, 5, 5
SECRET = "correct horse battery staple"
DOMAIN = ("xenDomainName", "xenDomainUuid", "xenDomainHost", "xenDomainHome", "xenDomainKind", "xenDomainState",
          "xenDomainIdentityKind", "xenDomainWanted")
SOURCE = ("xenSourceUri", "xenSourceCredential", "xenSourceEnabled", "xenSourceInterval", "xenSourceAddress",
          "xenSourceConfigDirs", "xenSourceSaveDir", "xenSourceOrigin", "xenSourceRowStatus", "xenSourceHosts")
HOST = ("xenHostSource", "xenHostUuid", "xenHostName", "xenHostState")


def says(result, status, text, name):
    if not ok(result.returncode == status and text in result.stdout + result.stderr, name):
        diag(f"status {result.returncode}, wanted {status}; says {text}\n{result.stdout}{result.stderr}")


def part(lab, table, columns):
    return {index: {column: row.get(column) for column in columns} for index, row in lab.table(table).items()}


def shown(lab):
    return {"domains": part(lab, "xenDomainTable", DOMAIN), "sources": part(lab, "xenSourceTable", SOURCE),
            "hosts": part(lab, "xenHostTable", HOST), "protected": lab.column("xenDomainProtected")}


def settled(lab):
    """shown(), once all that is on has answered and no operation runs."""
    # Rows follow a moment after the first answer of a source; then its hosts are counted.
    lab.wait(lambda: all(row["xenSourceState"] == UP and row["xenSourceHosts"] for row in lab.table("xenSourceTable").values()
                         if row["xenSourceEnabled"] == TRUE), "all sources are up, with their rows")
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in lab.table("xenOperationTable").values()),
             "all operations have ended")
    lab.wait(lambda: all(row["xenDomainState"] != 1 for row in lab.table("xenDomainTable").values()) and lab.table("xenDomainTable"),
             "every domain has a state")
    return shown(lab)


def add(lab, key, uri, *more):
    return lab.set((lab.oid("xenSourceRowStatus", key), "i", CREATE), (lab.oid("xenSourceUri", key), "s", uri), *more)


def names_on(lab, host):
    return {row["xenDomainName"]: index for index, row in lab.table("xenDomainTable").items() if row["xenDomainHost"] == host}


def uri_of(lab, host):
    return f"sim://{lab.path('farm.sock')}/{host}"


def export(lab, *arguments):
    return lab.xenctl("export", *arguments, "--state-dir", lab.path("state"))


def load(lab, name, *options, **more):
    return lab.xenctl("import", name, *options, "--state-dir", lab.path("state"), **more)


def body(text):
    """Without what differs each time."""
    return re.sub(r"(?m)^(written|sha256|next_event) = .*\n", "", text)


# --- the old machine

def furnish(lab):
    """host1 is in the configuration; host2 is registered, host3 was and is no more, host4 will be."""
    made = lab.xenctl("credential", "add", "lab", "--uri", "ssh://*", "--user", "admin", "--password-stdin",
                      "--credential-dir", lab.path("credentials"), stdin=SECRET + "\n")
    says(made, 0, "credential lab", "a credential is stored")
    is_(add(lab, "host2", uri_of(lab, "host2"), (lab.oid("xenSourceInterval", "host2"), "u", 2),
            (lab.oid("xenSourceAddress", "host2"), "s", "ä\\b = [c] "), (lab.oid("xenSourceSaveDir", "host2"), "s", "/save")),
        "noError", "a source is registered")
    is_(add(lab, "off", "ssh://root@127.0.0.1:1", (lab.oid("xenSourceCredential", "off"), "s", "lab"),
            (lab.oid("xenSourceEnabled", "off"), "i", FALSE)), "noError", "one that is off, with the credential")
    is_(add(lab, "host3", uri_of(lab, "host3")), "noError", "one that will go")
    lab.wait(lambda: names_on(lab, "host3"), "its domains have indexes")
    gone = names_on(lab, "host3")
    lab.set((lab.oid("xenSourceRowStatus", "host3"), "i", DESTROY))
    lab.wait(lambda: not names_on(lab, "host3"), "its domains have gone")
    guest = next(index for index, row in lab.table("xenDomainTable").items()
                 if row["xenDomainHost"] == "host2" and row["xenDomainKind"] == 1 and row["xenDomainState"] == 4)
    is_(lab.set((lab.oid("xenDomainPower", guest), "i", PAUSE)), "noError", "a domain is paused")
    lab.wait(lambda: lab.table("xenDomainTable")[guest].get("xenDomainWanted") == 3, "it is wanted so")
    is_(lab.set((lab.oid("xenDomainProtected", guest), "i", TRUE)), "noError", "and protected")
    return gone


def test_export(lab):
    first = export(lab)
    says(first, 0, "[xensnmp-export]\nversion = 2\n", "an export is printed while the agent runs")
    ok(SECRET not in first.stdout and "PRIVATE" not in first.stdout, "there is no secret in it")
    ok("\n[source host2]\nuri = sim://" in first.stdout and "\n[source host1]\n" not in first.stdout,
       "it has what was registered, not what the configuration has")
    says(export(lab, lab.path("moving")), 0, "", "an export is written to a file")
    is_(stat.S_IMODE(os.stat(lab.path("moving")).st_mode), 0o600, "that only its owner can read")
    with open(lab.path("moving")) as written:
        is_(body(written.read()), body(first.stdout), "the same")
    says(export(lab, lab.path("moving")), 1, "is there already", "a file that exists is not written to")
    says(export(lab, lab.path("none", "moving")), 1, "none/moving", "nor one where there is no folder")
    says(lab.xenctl("export", "--state-dir", lab.path("library")), 1, "is this the state_dir", "no databases, no export")
    return first.stdout


def test_stopped(lab, text):
    lab.kill("xensnmpd")
    is_(body(export(lab).stdout), body(text), "after kill -9 the export is the same, from the databases as they lie there")
    lab.start("xensnmpd")
    lab.wait(lambda: lab.table("xenDomainTable"), "the agent is back")
    lab.kill("xensnmpd", 15)
    is_(body(export(lab).stdout), body(text), "and after its end")
    is_(sorted(os.listdir(lab.path("state"))), ["operations.db", "state.db"], "nothing is left beside them")


# --- the new machine

def test_refusals(lab, text):
    changed = text.replace("protect = yes", "protect = no", 1)
    newer = text.replace("version = 2", "version = 3", 1)
    lines = text.splitlines()
    cases = [("cut off", text[:len(text) // 2], r":\d+: "), ("without its end", text[:text.index("[end]")], "is cut off here"),
             ("changed", changed, f":{lines.index('[end]') + 1}: the file was changed"),
             ("newer", newer, ":5: made by a newer xensnmp"), ("empty", "", "is cut off here"),
             ("foreign", open(lab.path("xensnmpd.conf")).read(), ":1: not a file that `xenctl export` wrote"),
             ("damaged", text.replace("\n[domain ", "\n[domain x", 1), r":\d+: index: \"x")]
    for name, content, wanted in cases:
        with open(lab.path("bad"), "w") as bad:
            bad.write(content)
        result = load(lab, lab.path("bad"))
        good = result.returncode == 1 and (wanted in result.stderr or re.search(wanted, result.stderr))
        ok(good and lab.path("bad") in result.stderr, f"a file that is {name} is refused") or diag(result)
    with open(lab.path("bad"), "w") as bad:
        bad.truncate(65 * 1024 * 1024)
    says(load(lab, lab.path("bad")), 1, "longer than", "and one that is huge")
    says(load(lab, lab.path("none")), 1, "none: No such file", "and one that is not there")
    is_(os.listdir(lab.path("state")), [], "nothing was made of any of them")
    result = lab.xenctl("import", lab.path("bad"), "--state-dir", lab.path("nowhere"))
    ok(result.returncode == 1, "nor without a state folder")


def test_import(lab, text):
    if os.geteuid() == 0:  # as on a real machine: root imports for the daemon's account
        os.chown(lab.path("state"), 65534, 65534)
    says(load(lab, "-", stdin=text), 0, "imported 2 sources", "an export is imported")
    is_(sorted(os.listdir(lab.path("state"))), ["operations.db", "state.db"], "the databases are made, and nothing else")
    folder = os.stat(lab.path("state"))
    files = [os.stat(lab.path("state", name)) for name in ("operations.db", "state.db")]
    is_([(stat.S_IMODE(f.st_mode), f.st_uid, f.st_gid) for f in files], [(0o600, folder.st_uid, folder.st_gid)] * 2,
        "for the owner of the folder alone")
    os.chown(lab.path("state"), os.geteuid(), os.getegid())
    for name in ("operations.db", "state.db"):
        os.chown(lab.path("state", name), os.geteuid(), os.getegid())
    says(load(lab, "-", "--json", stdin=text), 0, '"imported": false', "a second time it says that all is there already")
    is_(body(export(lab).stdout), body(text), "exported from there it is the same again")


def test_moved(lab, before, text, gone, farm):
    lab.start("snmpd")
    lab.start("xensnmpd")
    after = settled(lab)
    for what in before:
        is_(after[what], before[what], f"{what} are as they were on the old machine")
    known = set(before["domains"]) | set(gone.values())
    is_(add(lab, "host3", uri_of(farm, "host3")), "noError", "a source that was removed comes back")
    lab.wait(lambda: len(names_on(lab, "host3")) == len(gone), "its domains have rows")
    is_(names_on(lab, "host3"), gone, "with the indexes that were kept for them")
    is_(add(lab, "host4", uri_of(farm, "host4")), "noError", "a source that is new is registered")
    lab.wait(lambda: names_on(lab, "host4"), "its domains have rows")
    new = sorted(names_on(lab, "host4").values())
    is_(new[0], int(re.search(r"next_domain = (\d+)", text).group(1)), "new domains begin at the next index")
    ok(new[0] > max(known), "and no index is given twice")
    return after


def test_counts_go_on(lab, text, before):
    guest = next(index for index, row in lab.table("xenDomainTable").items()
                 if row["xenDomainKind"] == 1 and row["xenDomainState"] == 4 and row["xenDomainHost"] == "host1")
    lab.set((lab.oid("xenDomainPower", guest), "i", PAUSE))
    operations = lab.wait(lambda: lab.table("xenOperationTable"), "an operation is there")
    is_(min(operations), int(re.search(r"next_operation = (\d+)", text).group(1)), "operations are numbered on")
    events = lab.wait(lambda: lab.table("xenEventTable"), "events are there")
    is_(min(events), int(re.search(r"next_event = (\d+)", text).group(1)), "so are events")
    since = lab.column("xenDomainDiscontinuity")
    counted = set(lab.column("xenDomainCpuTime")) & set(before["domains"])
    is_((len(counted) > 1, [index for index in counted if not since.get(index)]), (True, []), "counters say that they began anew")


def test_not_again(lab, text):
    result = load(lab, "-", stdin=text)
    says(result, 1, "a running xensnmpd has it", "no import under a living agent")
    lab.kill("xensnmpd", 15)
    kept = export(lab).stdout
    says(load(lab, "-", stdin=text), 1, "an import goes into an empty folder", "none over another's domains")
    is_(body(export(lab).stdout), body(kept), "which stay as they are")


with Lab(hosts=4, domains=16, start=False) as old:
    for host in ("host2", "host3", "host4"):
        old.sources.pop(host)
    old.write_config()
    for program in ("snmpd", "xen-farm", "xensnmpd"):
        old.start(program)
    settled(old)
    retired = furnish(old)
    state = settled(old)
    exported = test_export(old)
    test_stopped(old, exported)
    with Lab(farm=False, start=False, sources={"host1": dict(old.sources["host1"])}) as new_lab:
        test_refusals(new_lab, exported)
        test_import(new_lab, exported)
        test_moved(new_lab, state, exported, retired, old)
        test_counts_go_on(new_lab, exported, state)
        test_not_again(new_lab, exported)
done()
