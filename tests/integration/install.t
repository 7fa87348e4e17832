#!/usr/bin/env python3
"""`make install` into a folder: what lies where with which mode, the unit and its hardening, accounts, folders."""

import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from confine import directives  # noqa: E402
from lab import BUILD, TOP, diag, done, is_, ok  # noqa: E402

ROOT = os.geteuid() == 0
# threats.md of the design asks for 2.0; systemd-analyze counts in tenths.
EXPOSURE_MAX = 20
# systemd.exec(5): for an account without privileges each of these implies NoNewPrivileges=yes, which sudo can't bear.
NO_NEW_PRIVILEGES = """LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices ProtectClock ProtectHostname
    ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RestrictAddressFamilies RestrictNamespaces RestrictRealtime
    RestrictSUIDSGID SystemCallArchitectures SystemCallFilter""".split()
PLUGINS = sorted(name[:-2] for name in os.listdir(os.path.join(TOP, "plugins")) if name.startswith("check_xen_"))
# Folder below PREFIX -> {file: mode}
TREE = {"lib/nagios/plugins": {name: 0o755 for name in PLUGINS},
        "sbin": {"xensnmpd": 0o755}, "bin": {"xenctl": 0o755, "xen-farm": 0o755},
        "share/snmp/mibs": {"XENSNMP-MIB.txt": 0o644}, "lib/systemd/system": {"xensnmpd.service": 0o644},
        "share/man/man1": {"xenctl.1": 0o644, "xen-farm.1": 0o644, **{f"{name}.1": 0o644 for name in PLUGINS}},
        "share/man/man5": {"xensnmpd.conf.5": 0o644},
        "share/man/man7": {"xensnmp-mib.7": 0o644}, "share/man/man8": {"xensnmpd.8": 0o644},
        "share/bash-completion/completions": {"xenctl": 0o644}, "lib/sysusers.d": {"xensnmp.conf": 0o644}, "lib/tmpfiles.d": {"xensnmp.conf": 0o644},
        "share/doc/xensnmp/examples": {"xensnmpd.conf": 0o644, "snmpd.conf": 0o644, "dom0.conf": 0o644}}
ETC = {"etc/xensnmp/xensnmpd.conf": 0o640, "etc/snmp/snmpd.conf.d/xensnmp.conf": 0o644, "etc/logrotate.d/xensnmp": 0o644}


def run(*words, **env):
    return subprocess.run(words, cwd=TOP, env=dict(os.environ, **env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def succeeds(name, *words, quiet=False):
    """One test: the command ends well, and says nothing if it is to be quiet. Returns what it said."""
    result = run(*words)
    if not ok(result.returncode == 0 and not (quiet and result.stdout), name):
        diag(f"{' '.join(words)}: {result.returncode}\n{result.stdout}")
    return result.stdout


def install(box, prefix):
    """A umask that would shut others out must not show."""
    env = {key: "" for key in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    result = run("sh", "-c", 'umask 077; exec make install DESTDIR="$0" PREFIX="$1"', box, prefix, **env)
    if not ok(result.returncode == 0, f"make install PREFIX={prefix}"):
        diag(result.stdout)
    return result.stdout


def modes(folder):
    """{name: mode} of the files of a folder; {} without it."""
    if not os.path.isdir(folder):
        return {}
    return {name: stat.S_IMODE(os.lstat(os.path.join(folder, name)).st_mode) for name in os.listdir(folder)}


def test_tree(box, prefix, said):
    top = box + prefix
    for folder, files in TREE.items():
        is_(modes(os.path.join(top, folder)), files, f"{prefix}/{folder}")
    for path, mode in ETC.items():
        is_(modes(os.path.dirname(os.path.join(box, path))), {os.path.basename(path): mode}, f"/{path}")
    folders = [os.path.join(at, name) for at, names, _ in os.walk(box) for name in names]
    is_([f for f in folders if stat.S_IMODE(os.stat(f).st_mode) != 0o755], [], "all can enter the folders")
    files = sorted(os.path.join(at, name) for at, _, names in os.walk(box) for name in names)
    is_(sorted(said.split()), files, "it prints what it put there, and that is all")
    found = [path for path in files if path.startswith(box) and b"@PREFIX@" in open(path, "rb").read()]
    is_(found, [], "no place is left open")
    unit = directives(os.path.join(top, "lib/systemd/system/xensnmpd.service"))
    is_([line.split()[0] for line in unit["ExecStart"] + unit["ExecReload"]],
        [f"{prefix}/sbin/xensnmpd"] * 2 + ["/bin/kill"], "the unit runs what was installed")


def test_sample(box, prefix):
    sample = os.path.join(box, "etc/xensnmp/xensnmpd.conf")
    daemon = os.path.join(box + prefix, "sbin/xensnmpd")
    is_(open(sample).read(), run(daemon, "--sample-config").stdout, "the sample is what the daemon says")
    succeeds("which the daemon takes", daemon, "--check-config", "--config", sample)
    for path in ETC:
        with open(os.path.join(box, path), "a") as out:
            out.write("# mine\n")
    install(box, prefix)
    is_([open(os.path.join(box, path)).read().endswith("# mine\n") for path in ETC], [True] * len(ETC),
        "a second installation leaves the site's files alone")


def test_unit(box, prefix):
    path = os.path.join(box + prefix, "lib/systemd/system/xensnmpd.service")
    unit = directives(path)
    is_([unit[key] for key in ("Type", "User", "Group")], [["notify"], ["xensnmp"], ["xensnmp"]], "account, and word when ready")
    is_(unit["ExecReload"][-1], "/bin/kill -HUP $MAINPID", "reload is SIGHUP")
    ok("ProtectProc" not in unit, "the front can see the memory of its workers")
    # verify wants the programs to be there.
    here = os.path.join(box, "xensnmpd.service")
    with open(path) as text, open(here, "w") as out:
        out.write(text.read().replace(f"{prefix}/sbin/", f"{box}{prefix}/sbin/"))
    succeeds("systemd has nothing to say about the unit", "systemd-analyze", "verify", "--man=no", here, quiet=True)
    said = succeeds(f"its exposure is at most {EXPOSURE_MAX / 10}", "systemd-analyze", "security", "--offline=true",
                    "--no-pager", f"--threshold={EXPOSURE_MAX}", here)
    diag("".join(re.findall(r"Overall .*", said)))
    with open(here, "a") as out:
        out.write("[Service]\nSystemCallFilter=\nCapabilityBoundingSet=~\nNoNewPrivileges=no\n")
    is_(run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", here).returncode, 1,
        "without some of the directives it would be more")
    with open(here, "a") as out:
        out.write("NoSuchDirective=yes\n")
    ok("NoSuchDirective" in run("systemd-analyze", "verify", "--man=no", here).stdout, "a directive nobody knows would be told")


def test_dom0(box, prefix):
    """The drop-in for xl:///."""
    sandbox = directives(os.path.join(box + prefix, "lib/systemd/system/xensnmpd.service"))
    example = os.path.join(box + prefix, "share/doc/xensnmp/examples/dom0.conf")
    relaxed = directives(example)
    is_([name for name in NO_NEW_PRIVILEGES if name in sandbox and relaxed.get(name) not in (["no"], [""])], [],
        "nothing that implies NoNewPrivileges stays")
    is_([name for name in relaxed if name not in sandbox], [], "it relaxes what there is")
    both = os.path.join(box, "dom0", "xensnmpd.service")
    os.makedirs(os.path.dirname(both))
    with open(both, "w") as out:
        out.write("[Service]\nExecStart=/bin/true\n" + open(example).read())
    succeeds("systemd takes it", "systemd-analyze", "verify", "--man=no", both, quiet=True)


def test_accounts(box, prefix):
    if not ROOT:
        diag("accounts and owners of folders are not tried: that takes root")
        return
    succeeds("systemd-sysusers", "systemd-sysusers", f"--root={box}", "xensnmp.conf")
    accounts = {line.split(":")[0]: line.strip().split(":") for line in open(os.path.join(box, "etc/passwd"))}
    groups = {line.split(":")[0]: line.strip().split(":") for line in open(os.path.join(box, "etc/group"))}
    _, _, uid, gid, _, home, shell = accounts["xensnmp"]
    is_([home, shell, groups["xensnmp"][2]], ["/var/lib/xensnmp", "/usr/sbin/nologin", gid], "an account, and a group of its own")
    # That group is what opens the AgentX socket of snmpd.
    perms = next(line.split() for line in open(os.path.join(box, "etc/snmp/snmpd.conf.d/xensnmp.conf"))
                 if line.startswith("agentXPerms"))
    is_([perms[1], perms[4]], ["0660", "xensnmp"], "snmpd's socket is opened to that group")
    succeeds("systemd-tmpfiles", "systemd-tmpfiles", f"--root={box}", "--create", "xensnmp.conf", quiet=True)
    mine, roots = (int(uid), int(gid)), (0, int(gid))
    wanted = {"etc/xensnmp": (roots, 0o750), "etc/xensnmp/xensnmpd.conf": (roots, 0o640), "etc/xensnmp/known_hosts": ((0, 0), 0o644),
              "etc/xensnmp/tls_pins": ((0, 0), 0o644),
              "etc/xensnmp/library": (roots, 0o750), "etc/xensnmp/credentials": (mine, 0o700),
              "var/lib/xensnmp": (mine, 0o700), "var/log/xensnmp": (mine, 0o750)}
    for path, want in wanted.items():
        found = os.stat(os.path.join(box, path))
        is_(((found.st_uid, found.st_gid), stat.S_IMODE(found.st_mode)), want, f"/{path}: owner, group, mode")


def test_paths(box):
    """The folders that are made are those that the daemon looks into by default."""
    sample = configparser.ConfigParser(comment_prefixes=("# ", "#["), interpolation=None, allow_no_value=True, strict=False)
    sample.read_string(re.sub(r"^#([a-z_]+ =)", r"\1", open(os.path.join(box, "etc/xensnmp/xensnmpd.conf")).read(), flags=re.M))
    made = {line.split()[1] for line in open(os.path.join(TOP, "packaging/tmpfiles.conf")) if line[0] in "dfz"}
    for key in ("state_dir", "credential_dir", "known_hosts", "tls_pins", "library_dir"):
        ok(sample["agent"][key] in made, f"{key}: {sample['agent'][key]} is made")


ok(os.access(os.path.join(BUILD, "bin", "xensnmpd"), os.X_OK), "the programs are built")
for place in ("/usr/local", "/usr", "/opt/xensnmp"):
    folder = tempfile.mkdtemp(prefix="xensnmp-install.")
    os.chmod(folder, 0o755)
    try:
        root = os.path.join(folder, "root")
        test_tree(root, place, install(root, place))
        test_sample(root, place)
        test_unit(root, place)
        test_dom0(root, place)
        test_paths(root)
        if place.startswith("/usr"):  # systemd looks nowhere else
            test_accounts(root, place)
    finally:
        shutil.rmtree(folder)
done()
