-- state.db, version 4: groups that were made by SNMP; wanted: what an operation of the group last asked for.
CREATE TABLE grp (
    name TEXT PRIMARY KEY,
    descr TEXT NOT NULL, spread INTEGER NOT NULL, ord INTEGER NOT NULL, min_running INTEGER NOT NULL,
    all_hosts INTEGER NOT NULL, wanted INTEGER NOT NULL,
    owner TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE grp_member (
    grp TEXT NOT NULL REFERENCES grp(name) ON DELETE CASCADE, member TEXT NOT NULL,
    descr TEXT NOT NULL, origin TEXT NOT NULL, pin TEXT NOT NULL,
    priority INTEGER NOT NULL, delay_sec INTEGER NOT NULL,
    PRIMARY KEY (grp, member)
);
CREATE TABLE grp_host (
    grp TEXT NOT NULL REFERENCES grp(name) ON DELETE CASCADE, host TEXT NOT NULL,
    weight INTEGER NOT NULL,
    PRIMARY KEY (grp, host)
);
