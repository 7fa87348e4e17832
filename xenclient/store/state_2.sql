-- state.db, version 2: events. A ring: the oldest rows go. AUTOINCREMENT: a serial is given once, also when all rows are gone.
CREATE TABLE event (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,  -- microseconds UTC
    type INTEGER NOT NULL, severity INTEGER NOT NULL,
    domain INTEGER NOT NULL, op INTEGER NOT NULL,  -- 0 none
    host TEXT NOT NULL, object TEXT NOT NULL, text TEXT NOT NULL
);
-- What the last event said of a domain or a source, written with it: a change is told once, also one that nobody saw.
CREATE TABLE told_domain (
    idx INTEGER PRIMARY KEY REFERENCES domain(idx) ON DELETE CASCADE,
    state INTEGER NOT NULL, host TEXT NOT NULL
);
CREATE TABLE told_source (
    key TEXT PRIMARY KEY,
    state INTEGER NOT NULL
);
