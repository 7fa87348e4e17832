-- state.db: everything that must outlive the daemon but operations. Written by the store thread.
CREATE TABLE source (
    key TEXT PRIMARY KEY,
    uri TEXT NOT NULL, credential TEXT NOT NULL, address TEXT NOT NULL,
    config_dirs TEXT NOT NULL, save_dir TEXT NOT NULL,
    enabled INTEGER NOT NULL, interval_sec INTEGER NOT NULL,
    owner TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0
);
-- A domain's index, for ever. AUTOINCREMENT: never used twice.
CREATE TABLE domain (
    idx INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL, home TEXT NOT NULL,
    wanted INTEGER NOT NULL, protect INTEGER NOT NULL
);
-- What a domain is known by; several keys may lead to one index.
CREATE TABLE identity (
    key TEXT PRIMARY KEY,
    idx INTEGER NOT NULL REFERENCES domain(idx) ON DELETE CASCADE
);
CREATE INDEX identity_idx ON identity(idx);
-- Host keys of pool members, by host uuid.
CREATE TABLE host (
    uuid TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
);
-- Counter continuity over restarts: see counters.h for the blob.
CREATE TABLE counters (
    idx INTEGER PRIMARY KEY REFERENCES domain(idx) ON DELETE CASCADE,
    data BLOB NOT NULL
);
