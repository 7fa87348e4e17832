#!/usr/bin/env python3
"""The front is linked with nothing that talks to hypervisors or reads their answers: that is the workers' part, and so are the
libraries for it, with their memory and their holes."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from tap import done, is_, ok

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
FOLDER = os.path.join(TOP, os.environ.get("BUILD", "build"), "bin")
# Those of compilers and sanitizers aside.
FRONT = {"netsnmpagent", "netsnmp", "glib-2.0", "sqlite3"}
ANY = {"c", "m", "gcc_s", "pthread", "asan", "ubsan"}
TALKING = {"curl", "ssh2", "xml2", "xmlrpc", "ssl"}


def linked(program):
    """Names of the libraries that a program itself asks for."""
    text = subprocess.run(["readelf", "-d", os.path.join(FOLDER, program)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"NEEDED.*\[lib(.*?)\.so", text)) - ANY


is_(sorted(linked("xensnmpd") - FRONT), [], "the front is linked with net-snmp, GLib and SQLite alone")
ok(TALKING <= linked("xensnmpd-worker"), "the libraries of the drivers are the worker's")
done()
