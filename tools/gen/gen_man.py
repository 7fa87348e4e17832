#!/usr/bin/env python3
"""Writes a manual page from what the programs say of themselves.

usage: gen_man.py FOLDER-OF-PROGRAMS PAGE > PAGE        (PAGE: xenctl.1, xensnmpd.conf.5, ...)
"""

import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLUMNS = os.path.join(TOP, "docs", "columns.md")
# Page -> what it is in one line; "see also" of each page is all the others.
PAGES = {"xensnmpd.8": "SNMP agent for Xen hosts and domains",
         "xensnmpd.conf.5": "configuration of the SNMP agent for Xen",
         "xenctl.1": "command line of an estate of Xen hosts",
         "xen-farm.1": "simulate a fleet of Xen hosts",
         "xensnmp-mib.7": "objects of XENSNMP-MIB",
         "check_xen_agent.1": "check the SNMP agent for Xen",
         "check_xen_host.1": "check Xen hosts",
         "check_xen_domain.1": "check Xen domains",
         "check_xen_pool.1": "check pools of Xen hosts",
         "check_xen_sr.1": "check storage repositories of Xen hosts",
         "check_xen_operations.1": "check operations on Xen domains and hosts",
         "check_xen_snapshots.1": "check snapshots of Xen domains",
         "check_xen_events.1": "check what happened to Xen domains and hosts"}


def escape(text):
    """Any text as roff sees it: backslashes, hyphens to copy and paste, no line that is taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.M)


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def italic(text):
    return f"\\fI{escape(text)}\\fR"


def argument(text):
    """Arguments as help writes them: capitals stand for something."""
    return re.sub(r"[A-Z]{1,}(?![a-z])", r"\\fI\g<0>\\fR", escape(text))


class Page:
    """Lines of roff."""

    def __init__(self, page, version):
        name, _, section = page.rpartition(".")
        self.page = page
        self.lines = [".\\\" Made by tools/gen/gen_man.py; do not edit.",
                      f'.TH "{name.upper()}" "{section}" "" "xensnmp {version}" "xensnmp"',
                      ".SH NAME", f"{escape(name)} \\- {escape(PAGES[page])}"]

    def section(self, title):
        self.lines.append(f".SH {escape(title)}")

    def text(self, *paragraphs):
        """Plain texts; `words` in backquotes become bold."""
        for paragraph in paragraphs:
            marked = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escape(paragraph))
            self.lines += [".PP", marked]

    def item(self, label, *texts):
        """label is roff already; each text begins a line."""
        self.lines += [".TP", label, "\n.br\n".join(escape(text) for text in texts)]

    def synopsis(self, *lines):
        self.section("SYNOPSIS")
        for line in lines:
            self.lines += [line, ".br"]
        self.lines.pop()

    def example(self, text):
        self.lines += [".PP", ".nf", ".RS", escape(text.rstrip("\n")), ".RE", ".fi"]

    def finish(self):
        others = [page for page in PAGES if page != self.page]
        self.section("SEE ALSO")
        self.lines.append(".nh")
        for page in others:
            name, _, section = page.rpartition(".")
            self.lines.append(f".BR {escape(name)} ({section})" + ("," if page != others[-1] else ""))
        return "\n".join(self.lines) + "\n"


def ask(programs, program, *words):
    command = [os.path.join(programs, program), *words]
    return subprocess.run(command, env=dict(os.environ, LC_ALL="C.UTF-8"), stdin=subprocess.DEVNULL, check=True,
                          capture_output=True, text=True).stdout


def options_of_help(page, text):
    """Lines "  -x, --option=VALUE  what it does" of a help text."""
    for short, name, value, what in re.findall(r"^  (?:(-\w), )?(--[\w-]+)(?:[= ]([A-Z]+))? +(\S.*)$", text, re.M):
        label = ", ".join(bold(word) for word in (short, name) if word)
        page.item(label + (f" {italic(value)}" if value else ""), what)


# --- the pages

def xensnmpd(page, programs):
    page.synopsis(f"{bold('xensnmpd')} [{italic('OPTION')}...]")
    page.section("DESCRIPTION")
    page.text("xensnmpd watches Xen hosts and shows them, their domains and the operations on them as SNMP tables, to read and "
              "to control. It is an AgentX subagent: it joins snmpd over a Unix socket, and snmpd decides who may do what. "
              "It stays in the foreground and runs as an account without privileges.")
    page.section("OPTIONS")
    options_of_help(page, ask(programs, "xensnmpd", "--help"))
    page.section("SIGNALS")
    page.item(bold("SIGHUP"), "read the configuration again: all of it takes effect, or nothing, and the log says why.")
    page.item(f"{bold('SIGTERM')}, {bold('SIGINT')}", "end. Operations under way go on at the hosts, and are taken up again "
              "at the next start.")
    page.section("FILES")
    page.item(italic("/etc/xensnmp/xensnmpd.conf"), "the configuration, which names all other files.")
    page.item(italic("/var/lib/xensnmp"), "indexes, sources and operations, which survive restarts.")
    page.item(italic("/etc/snmp/snmpd.conf.d/xensnmp.conf"), "what snmpd must know.")
    page.section("EXIT STATUS")
    page.text("0 when it was told to end; 1 when it could not start, with the cause and the cure in the log.")


def xensnmpd_conf(page, programs):
    rows = [line.split("\t") for line in ask(programs, "xensnmpd", "--dump-options").splitlines()]
    options = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    page.synopsis(italic("/etc/xensnmp/xensnmpd.conf"))
    page.section("DESCRIPTION")
    page.text("A UTF-8 text of sections, lines `key = value`, and comments that begin with `#`. Without a line an option has its "
              "default; `xensnmpd --sample-config` prints all of them. `xensnmpd --check-config` names the file, the line, "
              "the section and the key of what is wrong.",
              "SIGHUP reads the file again. Options marked as needing a restart must not have changed then.")
    for section in dict.fromkeys(option["section"] for option in options):
        page.section(f"SECTION [{section}]")
        for option in (o for o in options if o["section"] == section):
            facts = option["allowed"][0].upper() + option["allowed"][1:]
            facts += f"; default {option['default']}." if option["default"] else "."
            facts += " Needs a restart." if option["when"] == "restart" else ""
            page.item(bold(option["name"]), option["help"], facts)
    page.section("EXAMPLE")
    page.example("[agent]\ncontrol = yes\nprotected = db-*; mail\n\n[source dom0-a]\nuri = ssh://xensnmp@dom0-a.example.org\n"
                 "credential = lab\n")


def xenctl(page, programs):
    told = json.loads(ask(programs, "xenctl", "help", "--json"))
    options = {option["name"]: option for option in told["options"]}
    page.synopsis(f"{bold('xenctl')} {italic('COMMAND')} [{italic('ARGUMENT')}...] [{bold('--')}{italic('OPTION')}...]")
    page.section("DESCRIPTION")
    page.text("xenctl speaks SNMP to the agent of an estate: it lists hosts, domains, operations and sources, and changes them. "
              "A verb is one SET; xenctl then follows the operation to its end.",
              "A domain is named by its name, by `HOST/NAME`, by `#INDEX` or by its UUID.")
    page.section("COMMANDS")
    for command in told["commands"]:
        page.item(f"{bold(command['name'])} {argument(command['arguments'])}".strip(), command["summary"])
        own = [name for name in command["options"] if name != "json" and not options[name]["agent"]]
        if own:
            page.lines += [".br", "Options: " + ", ".join(bold("--" + name) for name in own)]
    page.section("OPTIONS")
    page.text("Each command takes those that help it; `xenctl help COMMAND` lists them.")
    for option in told["options"]:
        page.item(f"{bold('--' + option['name'])} {argument(option['argument'] or '')}".strip(), option["help"])
    page.section("EXIT STATUS")
    for row in told["exits"]:
        page.item(bold(str(row["exit"])), row["meaning"])
    page.section("FILES")
    page.item(italic("~/.config/xensnmp/client.conf"), "the agent and the user; mode 0600. Without it: 127.0.0.1, community "
              "public. XENSNMP_CLIENT_CONFIG names another.")


def xen_farm(page, programs):
    text = ask(programs, "xen-farm", "--help")
    commands = text.partition("Commands of ctl:\n\n")[2].partition("\nExit status")[0]
    page.synopsis(f"{bold('xen-farm --socket')} {italic('PATH')} [{italic('OPTION')}...]",
                  f"{bold('xen-farm ctl')} {italic('PATH')} {italic('COMMAND')} [{italic('ARGUMENT')}...]")
    page.section("DESCRIPTION")
    page.text("xen-farm simulates hosts with domains, load, lifecycle, live migration and scripted faults, and counts each "
              "execution. Sources of xensnmpd reach it as `sim://PATH/HOST`, or all hosts as one pool as `sim://PATH/@all`. "
              "It prints `ready` once it serves; SIGTERM ends it.")
    page.section("OPTIONS")
    options_of_help(page, text)
    page.section("COMMANDS")
    for name, usage, what in re.findall(r"^(\S+) (.*)\n    (.*)$", commands, re.M):
        page.item(f"{bold(name)} {argument(usage)}".strip(), what)
    page.text(commands.splitlines()[-1] + ".")
    page.section("EXIT STATUS")
    page.text(re.search(r"Exit status: (.*)", text).group(1))


def xensnmp_mib(page, _programs):
    """From docs/columns.md, which the contract tests hold true."""
    page.section("DESCRIPTION")
    with open(COLUMNS) as manual:
        head, *sections = manual.read().split("\n## ")
    # Links lead nowhere here, and the column From is left out.
    head = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub(r"\*From\*[^.]*\.", "", head))
    page.text(*(" ".join(part.split()) for part in head.split("\n\n")[2:]))
    for section in sections:
        title, _, body = section.partition("\n")
        page.section(title)
        for line in body.splitlines():
            cells = [cell.strip().replace("\\|", "|").replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not cells and line:
                page.text(line)
            elif cells and len(cells) == 6 and cells[0] != "Number" and set(cells[0]) != {"-"}:
                number, name, access, syntax, _, meaning = cells
                page.item(f"{bold(name)} ({number}, {access})", f"{syntax}. {meaning.replace('<br>', ' ')}")
            elif cells and len(cells) == 3 and cells[0] != "Name" and set(cells[0]) != {"-"}:
                name, values, meaning = cells
                page.item(bold(name), ("" if values == "-" else f"{values}. ") + meaning.replace("<br>", " "))


def plugin(page, programs):
    """From --help, whose parts are a title and items: a line with what is explained, and a further one."""
    name = page.page.rpartition(".")[0]
    text = subprocess.run([os.path.join(programs, name), "--help"], env=dict(os.environ, LC_ALL="C.UTF-8"),
                          stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True).stdout
    head, *parts = text.split("\n\n")
    page.synopsis(f"{bold(name)} [{italic('OPTION')}...]")
    page.section("DESCRIPTION")
    page.text(head.splitlines()[1], "It asks the running agent by SNMP, and prints one line with perfdata for a monitoring system. "
              "Without a selection it checks everything there is; the worst state wins: CRITICAL, WARNING, UNKNOWN, OK.",
              "A `--name` or `--uuid` may be repeated, as the other options that select may: an object that one of them means is "
              "checked. A range is `[@]START:END`: alarm outside of it, or with `@` inside.")
    for part in parts:
        title, *lines = part.splitlines()
        if not title.endswith(":"):
            continue
        page.section(title.rstrip(":").upper())
        for label, what in zip(lines[::2], lines[1::2], strict=True):
            page.item(bold(label.strip()), what.strip())
    page.section("EXIT STATUS")
    for status, state in enumerate(("OK", "WARNING", "CRITICAL", "UNKNOWN; also wrong use, --help and --version")):
        page.item(bold(str(status)), state)
    page.section("FILES")
    page.item(italic("~/.config/xensnmp/client.conf"), "the agent and the user; mode 0600.")


WRITERS = {"xensnmpd.8": xensnmpd, "xensnmpd.conf.5": xensnmpd_conf, "xenctl.1": xenctl, "xen-farm.1": xen_farm,
           "xensnmp-mib.7": xensnmp_mib, **{page: plugin for page in PAGES if page.startswith("check_xen_")}}


def page_text(programs, name):
    page = Page(name, ask(programs, "xenctl", "version").split()[1])
    WRITERS[name](page, programs)
    return page.finish()


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in PAGES:
        sys.exit(__doc__)
    sys.stdout.write(page_text(sys.argv[1], sys.argv[2]))
