"""How the demo prints: commands as a user would type them, rows as tables, at most WIDTH columns wide."""

import os
import shlex
import subprocess
import sys

import lab as estate

WIDTH = 120
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
STATE_COLOURS = {"running": "32", "up": "32", "paused": "33", "shutdown": "2", "suspended": "2"}
MIB = {"MIBDIRS": "mibs/base:mibs", "MIBS": "XENSNMP-MIB"}


class DemoError(Exception):
    pass


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text=""):
    print(text, flush=True)


def title(text):
    say("\n" + paint("1;36", f"== {text}"))


def good(text):
    say("   " + paint("32", "ok ") + text)


def expect(condition, what):
    if not condition:
        raise DemoError(what)
    good(what)


def quote(text, limit=8):
    lines = text.splitlines()
    for line in lines[:limit]:
        say("     " + line[:WIDTH - 5])
    more(len(lines) - limit, "lines")


def more(count, what):
    if count > 0:
        say(paint("2", f"     ... {count} more {what}"))


def table(columns, rows, limit=15):
    """columns: (heading, width), a negative width is for figures; the last one takes what is left. None is empty. A row is
    coloured by the state in it."""
    def line(cells):
        texts = [str("" if cell is None else cell).replace("\n", " ") for cell in cells]
        fields = [text[:abs(width)].rjust(-width) if width < 0 else text[:width].ljust(width)
                  for text, (_, width) in zip(texts, columns)]
        return ("   " + "  ".join(fields))[:WIDTH].rstrip()
    say(paint("2", line([heading for heading, _ in columns])))
    for row in rows[:limit]:
        say(paint(next((STATE_COLOURS[cell] for cell in row if cell in STATE_COLOURS), "0"), line(row)))
    more(len(rows) - limit, "rows")


def command(client, tool, *arguments):
    """Prints a net-snmp command with the names of the MIB, and runs exactly that; (exit status, output)."""
    words = [tool, *client.auth, "-Os", client.address, *arguments]
    say("   " + paint("1", "$ " + shlex.join(words)))
    done = subprocess.run(words, env={**client.env, **MIB}, cwd=estate.TOP, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace")
    return done.returncode, (done.stdout + done.stderr).strip()
