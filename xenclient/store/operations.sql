-- operations.db: the intent journal. Written before a SET is answered; nothing else writes here.
CREATE TABLE op (
    idx INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
    uuid BLOB NOT NULL UNIQUE,
    action INTEGER NOT NULL, state INTEGER NOT NULL, result INTEGER NOT NULL, cause INTEGER NOT NULL,
    text TEXT NOT NULL, domain INTEGER NOT NULL, target TEXT NOT NULL,
    target_uuid BLOB NOT NULL, target_domid INTEGER NOT NULL,
    source TEXT NOT NULL, host_from TEXT NOT NULL, host_to TEXT NOT NULL,
    argument TEXT NOT NULL, content TEXT NOT NULL, note TEXT NOT NULL, boot_id TEXT NOT NULL,
    attempts INTEGER NOT NULL, timeout_usec INTEGER NOT NULL,
    created INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,  -- microseconds UTC
    owner TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0
);
-- Settings accepted by SET and not yet in state.db; dropped once they are.
CREATE TABLE intent (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    payload BLOB NOT NULL
);
