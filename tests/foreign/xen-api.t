#!/usr/bin/env python3
"""xapi-farm for xen-api, the library under Xen Orchestra, which `make check-foreign` gets from npm's registry: connect, all
objects, events, calls and tasks."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, PATIENCE, TOP, Lab, diag, done, is_, ok  # noqa: E402
from xapi import PASSWORD, USER, Pool  # noqa: E402
from xapi_contract import RELEASES  # noqa: E402

FOREIGN = os.path.join(BUILD, "foreign")
SCRIPT = os.path.join(TOP, "tests", "foreign", "xen-api.mjs")
SEEN = 16


def run(lab, release):
    pool = Pool(lab, dialect=release)
    env = dict(os.environ, NODE_EXTRA_CA_CERTS=pool.cert, FOREIGN=FOREIGN, POOL_URL=pool.url(), POOL_USER=USER, POOL_PASSWORD=PASSWORD)
    try:
        return subprocess.run(["node", SCRIPT], env=env, capture_output=True, text=True, timeout=120 * PATIENCE, check=False)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(late.cmd, -1, (late.stdout or b"").decode(), (late.stderr or b"").decode() + "no end in sight")


def session(release):
    with Lab(hosts=2, domains=4, speed=40, start=False) as lab:
        answer = run(lab, release)
        seen = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
        for test in seen:
            is_(test.get("got"), test.get("want"), f"{release}: {test['name']}")
        is_((answer.returncode, len(seen)), (0, SEEN), f"{release}: xen-api went through with it") or diag(answer.stderr[-2000:])


if ok(os.path.exists(os.path.join(FOREIGN, "node_modules", "xen-api")), "xen-api is installed: make check-foreign"):
    for known in RELEASES:
        session(known)
done()
