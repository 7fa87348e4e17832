"""TAP for tests written in Python: ok(), is_(), diag(), done(). prove counts what is printed here."""

import sys

_count = 0
_failed = 0


def ok(condition, name):
    """One test. Returns the condition's truth, so that a caller can explain a failure."""
    global _count, _failed
    _count += 1
    if not condition:
        _failed += 1
    print(f"{'ok' if condition else 'not ok'} {_count} - {name}", flush=True)
    return bool(condition)


def is_(got, want, name):
    if not ok(got == want, name):
        diag(f"got:  {got!r}\nwant: {want!r}")
        return False
    return True


def diag(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def failed():
    """How many tests have failed so far."""
    return _failed


def done():
    """The plan; ends the test with status 1 if one of its tests failed."""
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed or not _count else 0)
