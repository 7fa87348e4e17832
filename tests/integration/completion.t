#!/usr/bin/env python3
"""Completion of xenctl in a real bash: commands, options, arguments; names from the agent, also hostile ones; no agent, no harm."""

import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, PATIENCE, Lab, Stopwatch, diag, done, free_port, is_, ok  # noqa: E402

RULES = os.path.join(BUILD, "share", "xenctl.bash")
# What bash does for TAB: splits the line (at = and :, too), calls the function, takes COMPREPLY.
TAB = """
set -u
source "$RULES"
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMPREPLY=(left from before)
_xenctl xenctl "${{COMP_WORDS[COMP_CWORD]}}"
[ ${{#COMPREPLY[@]}} -eq 0 ] || printf '%s\\n' "${{COMPREPLY[@]}}"
"""
HOSTILE = ["$(touch ruined)", "`touch ruined`", "a b", "-rf", "semi;touch ruined", "it's", "caf\u00e9"]


def complete(lab, *words):
    """What bash offers for the last of these words, in order, each once."""
    env = dict(os.environ, RULES=RULES, PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"],
               XENSNMP_CLIENT_CONFIG=lab.path("client.conf"), SNMPCONFPATH=lab.path("snmp"), SNMP_PERSISTENT_DIR=lab.path("snmp"))
    script = TAB.format(words=" ".join(shlex.quote(word) for word in ("xenctl", *words)))
    result = subprocess.run(["bash", "--norc", "-c", script], cwd=lab.path("work"), env=env, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, check=False)
    if result.returncode or result.stderr:
        ok(False, f"bash is content with: {' '.join(words)}")
        diag(result.stderr)
    return sorted(set(result.stdout.splitlines()))


def typed(words):
    """As they would have to be typed."""
    line = subprocess.run(["bash", "-c", 'printf "%q\\n" "$@"', "bash", *words], check=True, capture_output=True, text=True)
    return sorted(line.stdout.splitlines())


def test_words(lab):
    commands = complete(lab, "")
    ok(len(commands) > 20 and {"hosts", "migrate", "source", "help"} <= set(commands), "the commands") or diag(commands)
    is_(complete(lab, "un"), ["unpause"], "of which one begins so")
    is_(complete(lab, "source", ""), ["add", "list", "remove"], "second words")
    is_(complete(lab, "--json", "credential", "a"), ["add"], "also behind an option")
    is_(complete(lab, "nonsense", ""), [], "nothing behind what is no command")
    help_ = {word for line in lab.xenctl("help", "start").stdout.splitlines() for word in line.split()[:1] if word.startswith("--")}
    is_(set(complete(lab, "start", "-")), help_, "options of a command: those that help tells")
    is_(complete(lab, "start", "--no"), ["--no-wait", "--note"], "of which some begin so")
    is_(complete(lab, "help", "mig"), ["migrate"], "help")
    is_(complete(lab, "names", ""), ["domains", "groups", "hosts", "ops", "snapshots", "sources"], "kinds of names")


def test_files(lab):
    os.makedirs(lab.path("work", "folder"))
    open(lab.path("work", "file"), "w").close()
    is_(complete(lab, "hosts", "--client-config", "f"), ["file", "folder"], "files")
    is_(complete(lab, "credential", "list", "--credential-dir", "f"), ["folder"], "folders")
    is_(complete(lab, "hosts", "--profile", ""), [], "nothing for what nobody can know")


def test_names(lab):
    guests = {row["xenDomainName"] for row in lab.table("xenDomainTable").values()}
    plain = {name for name in guests if name != "Domain-0"} | {f"{host}/Domain-0" for host in lab.host_names()}
    is_(sorted(lab.xenctl("names", "domains").stdout.splitlines()), sorted(plain), "names: each as it can be said")
    ok(set(HOSTILE) <= guests, "there are hostile names")
    is_(complete(lab, "pause", ""), typed(plain), "domains, quoted")
    ok(not os.path.exists(lab.path("work", "ruined")), "none was run")
    is_(complete(lab, "--no-wait", "pause", "\\$"), typed(["$(touch ruined)"]), "the beginning of a quoted one")
    is_(complete(lab, "show", "host"), typed(["host1", "host2", "host1/Domain-0", "host2/Domain-0"]), "domains or hosts")
    is_(complete(lab, "migrate", "x", ""), ["host1", "host2"], "the second argument: hosts")
    is_(complete(lab, "start", "x", "--on", ""), ["host1", "host2"], "an option's: hosts")
    is_(complete(lab, "start", "x", "--on", "="), ["host1", "host2"], "behind =")
    is_(complete(lab, "start", "x", "--on", "=", "host2"), ["host2"], "begun behind =")
    is_(complete(lab, "migrate", "x", "host1", ""), [], "nothing behind the last argument")
    is_(complete(lab, "source", "remove", ""), ["host1", "host2"], "sources")
    lab.xenctl("pause", "a b")
    is_(complete(lab, "op", ""), lab.xenctl("names", "ops").stdout.split(), "operations")
    ok("1" in complete(lab, "op", ""), "of which there is one")


def test_other_agents(lab):
    """The agent named on the line is the one that is asked."""
    words = ["--agent", "127.0.0.1", ":", str(free_port())]
    is_(complete(lab, *words, "show", ""), [], "another agent: no names")
    is_(complete(lab, "--agent", "127.0.0.1", ":", str(lab.port), "migrate", "x", ""), ["host1", "host2"], "this one")
    is_(complete(lab, "--client-config", "/nonexistent", "show", ""), [], "a client file that is not there")
    lab.kill("snmpd")
    watch = Stopwatch()
    is_(complete(lab, "show", ""), [], "no agent: nothing, silently")
    ok(watch.seconds() < 10 * PATIENCE, "and soon")


names = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"xensnmp-names.{os.getpid()}")
with open(names, "w") as out:
    out.write("\n".join(HOSTILE) + "\n")
try:
    with Lab(hosts=2, domains=8, speed=16, names=names) as estate:
        os.makedirs(estate.path("work"))
        for test in (test_words, test_files, test_names, test_other_agents):
            test(estate)
finally:
    os.remove(names)
done()
