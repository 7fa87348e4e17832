-- state.db, version 5: what happened to members of groups, written with the event it is made of. The oldest rows go, of
-- each member and in all. AUTOINCREMENT: a serial is given once.
CREATE TABLE group_history (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,  -- microseconds UTC
    group_name TEXT NOT NULL, member TEXT NOT NULL,
    domain INTEGER NOT NULL, op INTEGER NOT NULL,  -- 0 none
    event INTEGER NOT NULL, result INTEGER NOT NULL,
    host TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX group_history_member ON group_history(group_name, member, serial);
