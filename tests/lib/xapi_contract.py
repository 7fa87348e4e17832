"""What XAPI's contract says of a call or a field in a release; tests/data/xapi/xapi-contract.json, its "reading" says how to read it.

A call's parameters are letters: s text, r reference, i whole number in a text, b boolean, d double, t date, a array, m map.
"""

import re

from xapi import CONTRACT

__all__ = ["RELEASES", "call_problems", "field_problems", "letter", "message_of"]

# Those that the driver is for.
RELEASES = ("8.2", "8.3")
ASYNC = "Async."

SCALARS = {"int": "i", "bool": "b", "float": "d", "datetime": "t"}


def letter(kind):
    """How a contract's type is sent."""
    if kind.endswith(" map"):
        return "m"
    if kind.endswith(" set"):
        return "a"
    if kind.endswith(" ref"):
        return "r"
    return SCALARS.get(kind, "s")


def is_in(item, release):
    return item is not None and release in item.get("in", release)


def message_of(method, release):
    """The contract's message; None: that release has none."""
    name, _, verb = method.removeprefix(ASYNC).partition(".")
    classes = CONTRACT["classes"]
    if not is_in(classes.get(name), release):
        return None
    message = classes[name]["messages"].get(verb)
    return message if is_in(message, release) else None


def parameters(message, release):
    """([(name, type)] without the session, how many of them must be there, is there a session)."""
    params = message.get("params_8_2", message["params"]) if release == "8.2" else message["params"]
    session = bool(params) and params[0][0] == "session_id"
    params = params[1:] if session else params
    optional = message.get("optional", [])
    return params, sum(name not in optional for name, _ in params), session


def fits(sent, wanted):
    """A text may be what it likes; a reference may be called a text where nobody looks into it."""
    return sent == wanted or (wanted == "s" and sent in "si") or (wanted == "r" and sent == "s")


def call_problems(method, sent, release, exact=False):
    """Why a release would not understand the call with those letters, behind the session; exact: a reference is told from a text."""
    message = message_of(method, release)
    if message is None:
        return [f"{method} is not in {release}"]
    problems = []
    if method.startswith(ASYNC) and not message["async"]:
        problems.append(f"{method}: {release} has it without Async. only")
    params, least, _ = parameters(message, release)
    if not least <= len(sent) <= len(params):
        problems.append(f"{method}: {len(sent)} parameters, {release} takes {least} to {len(params)}")
    for (name, kind), one in zip(params, sent):
        if (name, kind, one) == ("ref", "string", "r"):
            continue  # of any class, hence of no type
        if not fits(one, letter(kind)) or (exact and letter(kind) == "r" and one != "r"):
            problems.append(f"{method}: {name} is sent as {one}, {release} takes {letter(kind)} ({kind})")
    return problems


# What the driver makes of a field, and the types it can be made of.
KINDS = {"text": r"string|enum .*|\(string -> string\) map", "uuid": "string", "ref": ".* ref",
         "number": r"int|string|\(string -> string\) map", "double": "float", "flag": "bool", "time": "datetime",
         "operations": r"\(string -> enum vm_operations\) map", "set": ".* set", "map": r"\(string -> string\) map", "texts": "(string|enum .*) set"}


def field_problems(name, field, kind, member, release):
    """Why a release would not tell what is read."""
    item = CONTRACT["classes"].get(name)
    if not is_in(item, release):
        return [f"{name} is not in {release}"]
    found = item["fields"].get(field)
    if not is_in(found, release):
        return [f"{name}.{field} is not in {release}"]
    whole = kind in ("operations", "set", "map")
    if not re.fullmatch(KINDS[kind], found["type"]) or (bool(member) != found["type"].endswith(" map") and not whole):
        return [f"{name}.{field} is read as {kind}{' of a member' if member else ''}, {release} has {found['type']}"]
    return []
