"""What a monitoring plugin printed, read by the Monitoring Plugins guidelines alone; knows nothing of the plugins' code.

    result = nagios.parse(stdout)       # raises NagiosError for what a monitoring system could not read
    result.state, result.text           # "CRITICAL", what stands behind "XEN HOST CRITICAL: "
    result.perf["host1 cpu"].value      # None: U
"""

import math
import re
from dataclasses import dataclass

STATES = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
OUTPUT_MAX = 4096
UOMS = {"", "s", "us", "ms", "%", "B", "KB", "MB", "GB", "TB", "c"}
# What Nagios takes out of text (illegal_macro_output_chars), and what separates or begins perfdata.
HARMFUL = set('`$&|"<>\\;')
_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")


class NagiosError(Exception):
    """Not what the guidelines allow."""


@dataclass
class Range:
    start: float
    end: float
    inside: bool

    def alerts(self, value):
        return (self.start <= value <= self.end) == self.inside


@dataclass
class Datum:
    value: object  # None: U
    raw: str
    uom: str
    warn: object
    crit: object
    minimum: object
    maximum: object


@dataclass
class Result:
    service: str
    state: str
    text: str
    perf: dict
    lines: list


def need(condition, what):
    if not condition:
        raise NagiosError(what)


def number(text):
    need(_NUMBER.fullmatch(text), f"{text!r} is no number of [-0-9.]")
    return float(text)


def parse_range(text):
    inside = text.startswith("@")
    body = text[1:] if inside else text
    start, colon, end = body.rpartition(":")
    need(body and body != "~", f"{text!r} is no range")
    low = -math.inf if start == "~" else number(start) if start else 0.0
    high = number(end) if end else math.inf
    need(colon or end, f"{text!r} is no range")
    need(low <= high, f"{text!r} ends before it starts")
    return Range(low, high, inside)


def _label(text, at):
    """(label, place behind its '=') of the perfdata that begins at."""
    if text[at] != "'":
        end = text.find("=", at)
        need(end > at, f"no label in {text[at:]!r}")
        need(not set(" '") & set(text[at:end]), f"label {text[at:end]!r} would need quotes")
        return text[at:end], end + 1
    label = ""
    at += 1
    while True:
        need(at < len(text), "a quote is not closed")
        if text.startswith("''", at):
            label += "'"
            at += 2
        elif text[at] == "'":
            break
        else:
            label += text[at]
            at += 1
    need(text.startswith("'=", at), f"no '=' behind {label!r}")
    need("=" not in label, f"an '=' in {label!r}")
    return label, at + 2


def _datum(text):
    value, *rest = text.split(";")
    need(len(rest) <= 4, f"too many fields in {text!r}")
    need(not rest or rest[-1], f"a useless ';' at the end of {text!r}")
    warn, crit, minimum, maximum = rest + [""] * (4 - len(rest))
    match = _NUMBER.match(value)
    need(value == "U" or match, f"{value!r} is no value")
    uom = "" if value == "U" else value[match.end():]
    need(uom in UOMS, f"{uom!r} is no unit of measurement")
    return Datum(None if value == "U" else float(match.group()), match.group() if match else value, uom,
                 parse_range(warn) if warn else None, parse_range(crit) if crit else None,
                 number(minimum) if minimum else None, number(maximum) if maximum else None)


def parse_perfdata(text):
    found = {}
    at = 0
    while at < len(text):
        label, at = _label(text, at)
        end = text.find(" ", at)
        end = len(text) if end < 0 else end
        need(label not in found, f"label {label!r} twice")
        found[label] = _datum(text[at:end])
        at = end + 1
        need(at != len(text), "a blank at the end")
    return found


def parse(output):
    need(len(output.encode()) < OUTPUT_MAX, f"{len(output.encode())} octets are too many")
    need(output.endswith("\n"), "the last line is not ended")
    need(all(c == "\n" or c.isprintable() for c in output), "a control character")
    need(output.count("|") <= 1, "more than one pipe")
    first, *lines = output[:-1].split("\n")
    head, pipe, perf = first.partition("|")
    need(not pipe or (head.endswith(" ") and perf.startswith(" ") and perf.strip()), "no blanks around the pipe")
    match = re.fullmatch(rf"([A-Z ]+) ({'|'.join(STATES)}): (.+?) ?", head)
    need(match, f"{head!r} is not SERVICE STATE: text")
    need(not any("|" in line for line in lines), "a pipe in a further line")
    texts = [match.group(3), *lines]
    need(not HARMFUL & set("".join(texts)), f"harmful characters: {sorted(HARMFUL & set(''.join(texts)))}")
    return Result(match.group(1), match.group(2), match.group(3), parse_perfdata(perf[1:]), lines)
