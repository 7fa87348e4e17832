#!/usr/bin/env python3
"""docs/security.md from its first command to its last, against an snmpd that reads its files as Debian's does; then who may do
what: communities, SNMPv3 without signature or encryption, the reader, the operator, the owner of one domain."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, PATIENCE, TOP, Client, Lab, SnmpError, diag, done, free_port, is_, ok  # noqa: E402

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
# What a reader types goes to the folders of this estate; what starts and stops snmpd is done by this test.
PRELUDE = """
set -eu -o pipefail
sudo() { "$@"; }
xenctl() {
    case "$1 ${2:-} $#" in
    "snmpd-config --check 2") command xenctl "$@" "$BOX/etc/snmp/snmpd.conf" --users "$BOX/var/lib/snmp/snmpd.conf" ;;
    "snmpd-config --check"*) command xenctl "$@" --users "$BOX/var/lib/snmp/snmpd.conf" ;;
    snmpd-config*) command xenctl "$@" --agentx-socket "$AGENTX" ;;
    snmpd-user*) command xenctl "$@" --users "$BOX/var/lib/snmp/snmpd.conf" ;;
    *) command xenctl "$@" ;;
    esac
}
"""
# /etc/snmp/snmpd.conf as Debian ships it, with a port of this test's.
DEBIAN = """\
sysServices 72
master agentx
agentaddress udp:127.0.0.1:{port}
view systemonly included .1.3.6.1.2.1.1
view systemonly included .1.3.6.1.2.1.25.1
rocommunity public default -V systemonly
rouser authPrivUser authpriv -V systemonly
dontLogTCPWrappersConnects yes
agentXSocket {agentx}
includeDir {parts}
"""
PAUSE, UNPAUSE, DESTROY = 5, 6, 9


class SecureLab(Lab):
    """snmpd reads /etc/snmp and /var/lib/snmp of the box; nobody has a way in but by them."""

    def write_snmpd_conf(self):
        for folder in ("etc/snmp/snmpd.conf.d", "var/lib/snmp", "home"):
            os.makedirs(self.path(folder), mode=0o755, exist_ok=True)
        with open(self.path("etc/snmp/snmpd.conf"), "w") as out:
            out.write(DEBIAN.format(port=self.port, agentx=self.path("agentx"), parts=self.path("etc/snmp/snmpd.conf.d")))
        # make install puts the sample there, which grants nothing; its account need not exist here.
        with open(os.path.join(TOP, "packaging", "snmpd.conf")) as sample, open(self.path("etc/snmp/snmpd.conf.d/xensnmp.conf"), "w") as out:
            out.writelines(line for line in sample if not line.startswith("agentXPerms"))
        self.traps = free_port()

    def _arguments(self, name):
        if name != "snmpd":
            return super()._arguments(name)
        own, snmpd = self.path("var/lib/snmp"), super()._arguments(name)[0]
        return ["/usr/bin/env", f"SNMPCONFPATH={self.path('etc/snmp')}:{own}", f"SNMP_PERSISTENT_DIR={own}", snmpd, "-f", "-Lo", "-I",
                "-smux,-mteTrigger,-mteTriggerConf"]

    def phrases(self, user):
        with open(self.path(f"home/.config/xensnmp/{user}.phrases")) as text:
            return text.read().split()

    def client_of(self, user, level="authPriv"):
        auth, priv = self.phrases(user)
        options = ["-v3", "-u", user, "-l", level]
        options += ["-a", "SHA-256", "-A", auth] if level != "noAuthNoPriv" else []
        options += ["-x", "AES", "-X", priv] if level == "authPriv" else []
        return Client(f"127.0.0.1:{self.port}", options, self.path("snmp"), 5 * PATIENCE)


def reads(client, oid):
    """Does the client see a value there?"""
    try:
        return client.get(oid) is not None
    except SnmpError:
        return False


def shell(lab, script, stdin=subprocess.DEVNULL):
    env = dict(os.environ, BOX=lab.folder, AGENTX=lab.path("agentx"), PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"],
               HOME=lab.path("home"), SNMPCONFPATH=lab.path("snmp"), SNMP_PERSISTENT_DIR=lab.path("snmp"))
    env.pop("XENSNMP_CLIENT_CONFIG", None)
    return subprocess.run(["bash", "-c", PRELUDE + script], env=env, stdin=stdin, capture_output=True, text=True,
                          timeout=120 * PATIENCE, check=False)


def at_home(lab, block):
    block = block.replace("127.0.0.1:161", f"127.0.0.1:{lab.port}").replace("192.0.2.9", f"127.0.0.1:{lab.traps}")
    return re.sub(r"(?<![\w.])/(etc|var)/", lambda m: lab.path(m.group(1)) + "/", block)


def serve(lab, what):
    """systemctl WHAT snmpd; xensnmpd joins again by itself."""
    if what in ("stop", "restart"):
        is_(lab.kill("snmpd", 15), 0, "snmpd stops")
    if what in ("start", "restart"):
        lab.start("snmpd")
        reader = lab.client_of("monitor")
        lab.wait(lambda: not os.path.exists(lab.path("home/xensnmp.conf")) or reads(reader, lab.oid("xenAgentVersion", 0)),
                 "xensnmpd is back")


def run_page(lab):
    """Every block, in order; what each said."""
    said = []
    with open(os.path.join(TOP, "docs", "security.md")) as page:
        text = page.read()
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        for part in re.split(r"^(sudo systemctl \w+ snmpd)\n", found.group(1), flags=re.M):
            if part.startswith("sudo systemctl"):
                serve(lab, part.split()[2])
                continue
            if not part:
                continue
            result = shell(lab, at_home(lab, part))
            if not ok(result.returncode == 0, f"security.md:{line}: {part.splitlines()[0]}"):
                diag(f"status {result.returncode}\n{part}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
            said.append(result.stdout)
    return said


def test_page(lab):
    said = run_page(lab)
    is_(sum(text.count("refused\n") for text in said), 5, "the page's five refusals are refused")
    checks = [text for text in said if "all well" in text]
    is_(len(checks), 2, "--check is content, twice")
    ok("operator has the rights power, migrate, cancel\n" in checks[0], "it tells what the operator may")
    ok(re.search(r"tenant has the rights power of some rows, force of some rows", checks[1]), "and the owner of a domain")
    for name in os.listdir(lab.path("home/.config/xensnmp")):
        is_(os.stat(lab.path("home/.config/xensnmp", name)).st_mode & 0o777, 0o600, f"{name} is its owner's alone")
    own = open(lab.path("var/lib/snmp/snmpd.conf")).read()
    is_(sorted(re.findall(r"^(?:usmUser|createUser) ", own, re.M)), ["usmUser "] * 3, "snmpd has keys of three users, no pass phrase")
    is_(os.stat(lab.path("var/lib/snmp/snmpd.conf")).st_mode & 0o077, 0, "in a file of its own")


def snmpd_config(*words):
    return subprocess.run([os.path.join(BUILD, "bin", "xenctl"), "snmpd-config", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)


def test_rights_table():
    """The page's table and xenctl's are one; each column that can be written belongs to a right, and nothing else does."""
    listed = snmpd_config("--operator", "x:all").stdout
    page = open(os.path.join(TOP, "docs", "security.md")).read()
    is_(dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.M)), dict(re.findall(r"^# --- (\w+): (.*)$", listed, re.M)),
        "the page has all rights")
    schema = [line.split("\t") for line in subprocess.run([os.path.join(BUILD, "bin", "xensnmpd"), "--dump-schema"], capture_output=True,
                                                          text=True, check=True).stdout.splitlines()]
    writable = [f"{schema[1][1]}.{row[1]}" for row in schema[2:] if row[2] in ("scalar", "column") and row[4] in ("read-write", "read-create")]
    is_(sorted(re.findall(r"^view   xenWrite-x included \.([\d.]+)$", listed, re.M)), sorted(writable),
        "every column that can be written belongs to a right")
    sample = [line.rstrip() for line in open(os.path.join(TOP, "packaging", "snmpd.conf")) if line[0] not in "#\n"]
    is_([line for line in sample if line not in listed.splitlines()], [], "packaging/snmpd.conf has the same settings")


def test_wrong_use():
    for words, says in ((("--operator", "a b"), "a user has"), (("--operator", "x:fly"), "a right is one of all, power"),
                        (("--operator", "x:cancel:3"), "can't be granted for single domains"), (("--operator", "x:power:web"), "its index"),
                        (("--operator", "x", "--operator", "x:force"), "named once"), (("--monitor", "operator"), "named once"),
                        (("--trap", "nms"), "USER@HOST|a user has"), (("--trap", "m@nms\nrwcommunity x"), "USER@HOST"),
                        (("--listen", "udp:161\nrwcommunity x"), "no address"), (("--socket-group", "a b"), "can't stand"),
                        (("snmpd.conf",), "goes with --check"), (("--check", "/nonexistent"), "No such file")):
        result = snmpd_config(*words)
        ok(result.returncode == 1 and re.search(says, result.stderr) and not result.stdout, f"refused: {words}") or diag(result)


def operations(lab):
    return len(lab.client_of("monitor").bulkwalk(lab.oid("xenOperationState")))


def refused(lab, client, varbinds, name, how):
    """The SET fails, in one of these ways, and nothing comes of it."""
    before = operations(lab)
    status = client.set(*varbinds)
    ok(status in how and operations(lab) == before, f"{name}: {status}") or diag(f"{how}, {before} operations")


def ends(lab, client, oid, value, name):
    """The SET is accepted, and its operation ends."""
    before = operations(lab)
    is_(client.set(oid, "i", value), "noError", name)
    reader = lab.client_of("monitor")
    lab.wait(lambda: operations(lab) == before + 1 and all(state == 5 for _, state in reader.bulkwalk(lab.oid("xenOperationState"))), name)


def test_strangers(lab, mine):
    power = lab.oid("xenDomainPower", mine)
    for version in ("-v1", "-v2c"):
        for community in ("public", "private"):
            client = Client(f"127.0.0.1:{lab.port}", [version, "-c", community], lab.path("snmp"), 0.5 * PATIENCE)
            refused(lab, client, [(power, "i", PAUSE)], f"SET by community {community}, {version}", ("noAccess", "noSuchName", "timeout"))
            ok(not reads(client, lab.oid("xenAgentVersion", 0)), "which does not read either")
    for user in ("operator", "monitor", "tenant"):
        for level in ("noAuthNoPriv", "authNoPriv"):
            refused(lab, lab.client_of(user, level), [(power, "i", PAUSE)], f"SET by {user}, {level}", ("authorizationError", "unreachable"))
            ok(not reads(lab.client_of(user, level), lab.oid("xenAgentVersion", 0)), "which does not read either")
    refused(lab, lab.client_of("monitor"), [(power, "i", PAUSE)], "SET by monitor", ("noAccess",))


def test_operator(lab, mine):
    operator = lab.client_of("operator")
    ends(lab, operator, lab.oid("xenDomainPower", mine), PAUSE, "the operator pauses")
    ends(lab, operator, lab.oid("xenDomainPower", mine), UNPAUSE, "and unpauses")
    for name, index, kind, value in (("xenDomainForce", mine, "i", DESTROY), ("xenDomainProtected", mine, "i", 1), ("xenDomainSetMemory", mine, "u", 64),
                                     ("xenHostAction", "host1", "i", 25), ("xenSourceInterval", "host1", "u", 9)):
        refused(lab, operator, [(lab.oid(name, index), kind, value)], f"{name} is not granted", ("noAccess",))
    refused(lab, operator, [(lab.oid("xenDomainPower", mine), "i", PAUSE), (lab.oid("xenDomainForce", mine), "i", DESTROY)],
            "one of two is not granted: neither is done", ("noAccess",))


def test_tenant(lab, mine, other):
    tenant = lab.client_of("tenant")
    ends(lab, tenant, lab.oid("xenDomainPower", mine), PAUSE, "the owner of a domain pauses it")
    ends(lab, tenant, lab.oid("xenDomainPower", mine), UNPAUSE, "and unpauses it")
    for value in (1, 2):
        is_(tenant.set(lab.oid("xenDomainProtected", mine), "i", value), "noError", "every column of the row")
    for name, kind, value in (("xenDomainPower", "i", PAUSE), ("xenDomainForce", "i", DESTROY), ("xenDomainProtected", "i", 1)):
        refused(lab, tenant, [(lab.oid(name, other), kind, value)], f"{name} of another domain", ("noAccess",))
    refused(lab, tenant, [(lab.oid("xenDomainPower", mine), "i", PAUSE), (lab.oid("xenDomainPower", other), "i", PAUSE)],
            "both at once: neither is done", ("noAccess",))
    for column in ("xenDomainName", "xenDomainLabel", "xenVcpuState", "xenDomainLock"):
        rows = [oid[len(lab.oid(column)) + 1:].split(".")[0] for oid, _ in tenant.walk(lab.oid(column))]
        is_(set(rows), {str(mine)}, f"{column}: one domain is all there is")
    for column in ("xenHostState", "xenSourceUri", "xenNameDomainIndex", "xenEventText"):
        is_(tenant.walk(lab.oid(column)), [], f"{column}: nothing")


def test_apart(lab, mine):
    """The three that matter most, each without the others."""
    columns = {"power": ("xenDomainPower", "i", 1), "force": ("xenDomainForce", "i", 1), "migrate": ("xenDomainMigrateTo", "s", "")}
    for granted in columns:
        with open(lab.path("etc/snmp/snmpd.conf.d/xensnmp.conf"), "w") as out:
            out.write(shell(lab, f"xenctl snmpd-config --operator operator:{granted}").stdout)
        serve(lab, "restart")
        got = {right: lab.client_of("operator").set(lab.oid(column, mine), kind, value) for right, (column, kind, value) in columns.items()}
        is_(got, {right: "noError" if right == granted else "noAccess" for right in columns}, f"{granted} alone")


def test_trap(lab):
    """A real snmptrapd that knows monitor under this snmpd's engine ID reads what it is sent; the first trap says that snmpd starts."""
    engine = re.search(r"^oldEngineID (\S+)", open(lab.path("var/lib/snmp/snmpd.conf")).read(), re.M).group(1)
    auth, priv = lab.phrases("monitor")
    os.makedirs(lab.path("trapd"), exist_ok=True)
    with open(lab.path("trapd", "snmptrapd.conf"), "w") as out:
        out.write(f'createUser -e {engine} monitor SHA-256 "{auth}" AES "{priv}"\nauthUser log monitor authPriv\n')
    lab.start("snmptrapd", ["/usr/bin/env", f"SNMPCONFPATH={lab.path('trapd')}", f"SNMP_PERSISTENT_DIR={lab.path('trapd')}", "/usr/sbin/snmptrapd",
                            "-f", "-Lo", "-On", "-C", "-c", lab.path("trapd", "snmptrapd.conf"), f"udp:127.0.0.1:{lab.traps}"])
    lab.wait(lambda: "NET-SNMP version" in lab.log("snmptrapd"), "snmptrapd runs")
    with open(lab.path("etc/snmp/snmpd.conf.d/xensnmp.conf"), "w") as out:
        out.write(shell(lab, f"xenctl snmpd-config --trap monitor@127.0.0.1:{lab.traps}").stdout)
    serve(lab, "restart")
    lab.wait(lambda: ".1.3.6.1.6.3.1.1.5.1" in lab.log("snmptrapd"), "the trap coldStart arrives")
    ok(True, "a notification arrives, signed and encrypted")
    lab.kill("snmptrapd", 15)


# Lines put behind a good file, what --check says of them, and the cure.
ILL = (("rwcommunity secret", r":{n}: a community may change domains", "take the line out"),
       ("rocommunity secret", r":{n}: a community may read XENSNMP-MIB", "take the line out"),
       ("rocommunity6 secret default .1.3.6.1.4.1.8072.9999.9999.936.1.4", r":{n}: a community may read XENSNMP-MIB", "take the line out"),
       ("rwuser operator auth", r":{n}: operator may change domains without encryption", "authPriv"),
       ("rwuser monitor noauth .1.3.6.1.4.1.8072", r":{n}: monitor may change domains without any pass phrase", "authPriv"),
       ("rouser ghost authPriv", r":{n}: there is no user ghost", "xenctl snmpd-user ghost"),
       ('access xenMonitors "host1" usm authPriv exact xenRead none none', r":{n}: access: its context is in quotes", "quotes away"),
       ('access xenMonitors "" usm authPriv exact noSuch none none', r":{n}: access: there is no view noSuch", "view NAME"),
       ('access xenMonitors "" usm authPriv', r":{n}: access: words are missing", "access GROUP"),
       ("agentXPerms 0777 0755", r":{n}: agentXPerms: every user of this machine", "agentXPerms 0660"),
       ("agentXSocket tcp:localhost:705", r":{n}: AgentX over the network", "Unix socket"),
       ("agentXTimeout 1", r":{n}: agentXTimeout is 1 s", "agentXTimeout 5"),
       ("maxGetbulkResponses 0", r":{n}: maxGetbulkResponses 0", "maxGetbulkResponses 1000"),
       ("[snmp] sendMessageMaxSize 99999", r":{n}: sendMessageMaxSize is too large", "sendMessageMaxSize 65000"),
       ('createUser loose SHA-256 "a pass phrase" AES "another one"', r":{n}: createUser: its pass phrases stand where others", "snmpd-user"),
       ("trap2sink 192.0.2.9 public", r":{n}: notifications travel in the clear", "trapsess -v3"),
       ("trapsess -v2c -c public 192.0.2.9", r":{n}: trapsess: notifications travel in the clear", "trapsess -v3"),
       ("trapsess -v3 -l authPriv -u monitor -A phrases -X phrases 192.0.2.9", r":{n}: trapsess: its pass phrases stand", "keys of its users"),
       ("includeFile nothing.conf", r"nothing.conf.*No such file", "take the include out"))


def test_check(lab):
    path, users = lab.path("judged.conf"), ("--users", lab.path("var/lib/snmp/snmpd.conf"))
    good = snmpd_config().stdout
    for line, says, cure in (("", "", ""), *ILL):
        with open(path, "w") as out:
            out.write(good + line + "\n")
        os.chmod(path, 0o644)
        result = snmpd_config("--check", path, *users)
        if not line:
            ok(result.returncode == 0 and "all well\n" in result.stdout, "what xenctl prints is found well") or diag(result.stdout)
            continue
        says = re.escape(path) + says.format(n=good.count("\n") + 1) if says[0] == ":" else says
        ok(result.returncode == 3 and re.search(rf"^ILL .*{says}.*\n +cure: .*{re.escape(cure)}", result.stdout, re.M), f"--check: {line}") or diag(result.stdout)
        ok("secret" not in result.stdout, "no community is told")
    os.chmod(path, 0o666)
    ok("others than its owner may write it" in snmpd_config("--check", path, *users).stdout, "--check: a file that all may write")
    with open(path, "w") as out:
        out.write(good)
    found = json.loads(snmpd_config("--check", path, *users, "--json").stdout)
    ok({"check", "verdict", "text", "cure"} == set(found[0]), "--check --json")
    with open(lab.path("weak.conf"), "w") as out:
        out.write('createUser monitor MD5 "a pass phrase" DES\n')
    result = snmpd_config("--check", path, "--users", lab.path("weak.conf"))
    ok(re.search(r"ILL users .*weak.conf:1: the user monitor has MD5", result.stdout), "--check: weak protocols") or diag(result.stdout)


def test_user(lab):
    """snmpd-user: what it refuses leaves the file as it was."""
    path = lab.path("users.conf")
    with open(path, "w") as out:
        out.write("engineBoots 7")
    os.chmod(path, 0o600)
    for stdin, user, says in (("", "x", "no authentication pass phrase"), ("short\nshort\n", "x", "8 to 200"), ("long enough\n", "x", "no encryption"),
                              ('quote"quote"\nlong enough\n', "x", "a quote"), ("long enough\nback\\slash\\\n", "x", "a quote"),
                              ("long enough\nlong enough\n", "a b", "a user has")):
        result = lab.xenctl("snmpd-user", user, "--users", path, stdin=stdin)
        ok(result.returncode == 1 and says in result.stderr and open(path).read() == "engineBoots 7", f"refused: {says}") or diag(result)
    result = lab.xenctl("snmpd-user", "new", "--users", path, "--json", stdin="long # enough\nother phrase\n")
    is_((result.returncode, json.loads(result.stdout)), (0, {"user": "new"}), "a user")
    is_(open(path).read(), 'engineBoots 7\ncreateUser new SHA-256 "long # enough" AES "other phrase"\n', "is a line behind the others")
    is_(os.stat(path).st_mode & 0o777, 0o600, "of a file that is its owner's alone")
    result = lab.xenctl("snmpd-user", "new", "--users", path, stdin="long enough\nlong enough\n")
    ok(result.returncode == 1 and f"{path}:2: there is a user new" in result.stderr, "not twice") or diag(result)
    result = lab.xenctl("snmpd-user", "new")
    ok(result.returncode == 1 and "snmpd runs" in result.stderr, "nor in the file of an snmpd that runs") or diag(result)


def main():
    test_rights_table()
    test_wrong_use()
    with SecureLab(start=False) as lab:
        lab.start("snmpd")
        lab.start("xen-farm")
        lab.start("xensnmpd")
        test_page(lab)
        rows = {value: int(oid.rpartition(".")[2]) for oid, value in lab.client_of("monitor").bulkwalk(lab.oid("xenDomainName"))}
        mine, other = rows["cache-04"], rows["db-05"]
        test_strangers(lab, mine)
        test_operator(lab, mine)
        test_tenant(lab, mine, other)
        test_check(lab)
        test_user(lab)
        test_apart(lab, mine)
        test_trap(lab)


main()
done()
