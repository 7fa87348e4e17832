"""snmptrapd as a receiver of notifications, on a loopback port of its own.

    with Lab(...) as lab: the receivers are made before snmpd starts:
    receiver = Trapd(lab, "traps"); lab.snmpd_lines += receiver.traps()     # SNMPv2c
    receiver = Trapd(lab, "informs"); lab.snmpd_lines += receiver.informs() # SNMPv3
    receiver.start(); ...; receiver.all() -> [Notification]
"""

import os
import re
import shutil
import signal

from lab import LabError, free_port
from snmp import parse

_USER = ("trapper", "trapper-auth-phrase", "trapper-priv-phrase")
_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
_BEGIN, _END = "NOTIFICATION", "END-OF-NOTIFICATION"


class Notification:
    """names: the objects in their order; values: {name: value}; instances: {name: what stands behind the column's number}."""

    def __init__(self, rows, lab):
        names = {oid: name for name, oid in lab.schema().items()}
        root = lab.oid("xenEventTable").removesuffix(".1.9.1")
        self.number = None
        self.names, self.values, self.instances = [], {}, {}
        for oid, value in rows:
            if oid == _TRAP_OID:
                self.ours = value.startswith(root + ".0.")
                self.number = int(value.rpartition(".")[2])
                continue
            place = oid
            while place and place not in names:
                place = place.rpartition(".")[0]
            name = names.get(place, oid)
            self.names.append(name)
            self.values[name] = value
            self.instances[name] = oid[len(place) + 1:]

    @property
    def serial(self):
        return self.values["xenNotifyLastSerial"]


class Trapd:
    def __init__(self, lab, name):
        self.lab, self.name, self.port = lab, f"snmptrapd-{name}", free_port()

    def traps(self):
        return [f"trap2sink 127.0.0.1:{self.port} public"]

    def informs(self):
        user, auth, priv = _USER
        return [f"trapsess -Ci -v3 -l authPriv -u {user} -a SHA-256 -A {auth} -x AES -X {priv} 127.0.0.1:{self.port}"]

    def start(self):
        lab = self.lab
        found = shutil.which("snmptrapd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not found:
            raise LabError("snmptrapd is not installed: packaging/install-packages check")
        user, auth, priv = _USER
        folder = lab.path(self.name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "snmptrapd.conf"), "w") as out:
            out.write(f'authCommunity log public\ncreateUser {user} SHA-256 "{auth}" AES "{priv}"\nauthUser log {user} authPriv\n')
        lab.start(self.name, ["/usr/bin/env", f"SNMP_PERSISTENT_DIR={folder}", f"SNMPCONFPATH={folder}", "MIBS=", found,
                              "-f", "-n", "-C", "-c", os.path.join(folder, "snmptrapd.conf"), "-On", "-Oe", "-Ot", "-Lo",
                              "-F", f"{_BEGIN}\\n%V\\n%v\\n{_END}\\n", f"udp:127.0.0.1:{self.port}"])
        lab.wait(lambda: "NET-SNMP version" in lab.log(self.name), "snmptrapd is there", alive=self.name)

    def stop(self):
        self.lab.kill(self.name, signal.SIGTERM)

    def all(self):
        """The notifications of xensnmpd so far, in the order they came."""
        found = re.findall(rf"^{_BEGIN}\n(.*?)^{_END}$", self.lab.log(self.name), re.M | re.S)
        return [n for n in (Notification(parse(text), self.lab) for text in found) if n.number is not None and n.ours]
