#!/usr/bin/env python3
"""The manual pages: groff has nothing to say, and nothing that the tables have is missing; the manual in docs/ agrees."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, TOP, diag, done, is_, ok  # noqa: E402

FOLDER = os.path.join(BUILD, "share", "man")
PLUGINS = sorted(name[:-2] for name in os.listdir(os.path.join(TOP, "plugins")) if name.startswith("check_xen_"))
PAGES = [*(f"{name}.1" for name in PLUGINS), "xen-farm.1", "xenctl.1", "xensnmp-mib.7", "xensnmpd.8", "xensnmpd.conf.5"]
WIDTH = 200  # of a line: no fact is broken in two


def said(program, *words):
    return subprocess.run([os.path.join(BUILD, "bin", program), *words], stdin=subprocess.DEVNULL, check=True,
                          capture_output=True, text=True).stdout


def groff(source):
    """(what a reader sees, with one blank between words; what groff complains of)"""
    shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww", f"-rLL={WIDTH}n", "-P-cbou"], input=source, capture_output=True,
                           text=True, check=False)
    return re.sub(r"[ \n]+", " ", shown.stdout.replace("\u2010\n", "").replace("\u2010", "-").replace("\u2212", "-")), shown.stderr


def tells(page, name, facts):
    """One test: the page has each of these texts."""
    missing = [fact for fact in facts if re.sub(r"[ \n]+", " ", fact).strip() not in page]
    if not ok(facts and not missing, f"{name} ({len(facts)})"):
        diag("\n".join(missing[:10]))


is_(sorted(os.listdir(FOLDER)), PAGES, "there is a page for each program, and no other")
seen = {}
for page_name in PAGES:
    with open(os.path.join(FOLDER, page_name)) as text:
        seen[page_name], complaints = groff(text.read())
    is_(complaints, "", f"{page_name}: groff does not complain")
    tells(seen[page_name], f"{page_name}: has all parts", ["NAME", "DESCRIPTION", "SEE ALSO", *(
        f"{other.rpartition('.')[0]}({other[-1]})" for other in PAGES if other != page_name)])
ok(groff(".TH x 1\n.NoSuch request\n\\fBunknown\\[nothing]\n")[1], "it would of an error")

options = [line.split("\t") for line in said("xensnmpd", "--dump-options").splitlines()[1:]]
tells(seen["xensnmpd.conf.5"], "each option of the file: key, help, what it takes",
      [f"{name} {help_} {allowed[0].upper()}{allowed[1:]}" for _, name, allowed, _, _, help_ in options])
tells(seen["xensnmpd.conf.5"], "their defaults", [f"default {row[3]}." for row in options if row[3]])
is_(seen["xensnmpd.conf.5"].count("Needs a restart"), sum(row[4] == "restart" for row in options), "which need a restart")

xensnmpd_options = set(re.findall(r"--[\w-]+", said("xensnmpd", "--help")))
tells(seen["xensnmpd.8"], "each option of xensnmpd", sorted(xensnmpd_options))

told = json.loads(said("xenctl", "help", "--json"))
tells(seen["xenctl.1"], "each command of xenctl",
      [f"{c['name']} {c['arguments']} {c['summary']}" for c in told["commands"]])
tells(seen["xenctl.1"], "each of its options",
      [f"--{o['name']} {o['argument'] or ''} {o['help']}" for o in told["options"]])
tells(seen["xenctl.1"], "each exit status", [f"{row['exit']} {row['meaning']}" for row in told["exits"]])
listed = re.findall(r"^  (\S.*?)  +\S", said("xenctl", "help"), re.M)
is_([f"{c['name']} {c['arguments']}".strip() for c in told["commands"] if f"{c['name']} {c['arguments']}".strip() not in listed],
    [], "help tells people the same commands")
with open(os.path.join(TOP, "docs", "xenctl.md")) as manual:
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", manual.read(), re.M))
is_({int(number): meaning.replace("`", "") for number, meaning in table.items()},
    {row["exit"]: row["meaning"] for row in told["exits"]}, "docs/xenctl.md has the same exit statuses")

farm = said("xen-farm", "--help")
tells(seen["xen-farm.1"], "each option of xen-farm",
      [f"{option} {what}" for option, what in re.findall(r"^  (--\S+(?: [A-Z]+)?) +(\S.*)$", farm, re.M)])
tells(seen["xen-farm.1"], "each of its commands",
      [f"{usage} {what}" for usage, what in re.findall(r"^(\S+ .*)\n    (.*)$", farm.partition("Commands of ctl:\n\n")[2], re.M)])

with open(os.path.join(TOP, "docs", "plugins.md")) as manual:
    is_(sorted(re.findall(r"^\| `(check_xen_\w+)` \|", manual.read(), re.M)), PLUGINS, "docs/plugins.md has each plugin")
for plugin in PLUGINS:
    text = subprocess.run([os.path.join(BUILD, "bin", plugin), "--help"], capture_output=True, text=True, check=False).stdout
    tells(seen[f"{plugin}.1"], f"each option, metric and condition of {plugin}",
          [f"{label} {what}" for label, what in re.findall(r"^  (\S.*)\n      (.*)$", text, re.M)])

schema = [line.split("\t") for line in said("xensnmpd", "--dump-schema").splitlines()[2:]]
tells(seen["xensnmp-mib.7"], "each column and scalar of the MIB",
      [f"{row[0]} ({row[1]}, " for row in schema if row[2] in ("column", "scalar")])
done()
