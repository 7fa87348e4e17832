-- state.db, version 6: settings made by SNMP, and where the sender of notifications is. See engine/settings.c.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
