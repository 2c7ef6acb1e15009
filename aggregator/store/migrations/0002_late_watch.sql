-- What a backlog has begun and not ended: a crash between two of its records must not forget an alarm.
CREATE TABLE late_watch (
  rule TEXT NOT NULL,
  site TEXT NOT NULL,
  agent TEXT NOT NULL,
  device TEXT NOT NULL,
  point TEXT NOT NULL,
  phase TEXT NOT NULL,             -- pending, raised, clearing
  since_ms INTEGER NOT NULL,       -- by the agent's clock, like the following
  seen_until_ms INTEGER NOT NULL,
  raised_ms INTEGER NOT NULL,
  value REAL,                      -- when it began
  state_zh TEXT NOT NULL,
  state_en TEXT NOT NULL,
  unit TEXT NOT NULL,
  PRIMARY KEY (rule, site, agent, device, point)
) WITHOUT ROWID;
