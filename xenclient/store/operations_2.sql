-- operations.db, version 2: operations of groups. A parent has the name of its group, and a row for each member that is
-- concerned: its child, written in the same commit.
ALTER TABLE op ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;  -- 0: none
ALTER TABLE op ADD COLUMN group_name TEXT NOT NULL DEFAULT '';
ALTER TABLE op ADD COLUMN member TEXT NOT NULL DEFAULT '';
ALTER TABLE op ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE op ADD COLUMN delay_sec INTEGER NOT NULL DEFAULT 0;
ALTER TABLE op ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;
