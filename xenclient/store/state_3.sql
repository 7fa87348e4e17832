-- state.db, version 3: messages of hypervisors that were told as events, each once. Of a source only the newest are
-- remembered; uuid '' has the time up to which nothing is told any more.
CREATE TABLE told_notice (
    source TEXT NOT NULL, uuid TEXT NOT NULL,
    time INTEGER NOT NULL,  -- microseconds UTC, by the hypervisor's clock
    PRIMARY KEY (source, uuid)
);
CREATE INDEX told_notice_time ON told_notice(source, time);
