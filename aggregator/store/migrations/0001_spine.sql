-- What the aggregator knows, in one file. Times are UTC milliseconds. Written by one thread, one transaction a batch.
CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  site TEXT NOT NULL,              -- Sparkplug group
  agent TEXT NOT NULL,             -- Sparkplug edge node
  name TEXT NOT NULL DEFAULT '',
  software_version TEXT NOT NULL DEFAULT '',
  UNIQUE (site, agent)
);
CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  node_id INTEGER NOT NULL REFERENCES node (id),
  device TEXT NOT NULL,            -- '' is the node itself
  name TEXT NOT NULL DEFAULT '',
  maker TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL DEFAULT '',
  class TEXT NOT NULL DEFAULT '',
  max_silence_s INTEGER,
  UNIQUE (node_id, device)
);
CREATE TABLE point (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES device (id),
  name TEXT NOT NULL,
  unit TEXT NOT NULL DEFAULT '',   -- engUnit as announced
  states TEXT NOT NULL DEFAULT '', -- JSON as announced
  UNIQUE (device_id, name)
);
-- How far each agent's journal is on this disk. A new generation begins when numbers went back (a restored image).
CREATE TABLE journal (
  node_id INTEGER NOT NULL REFERENCES node (id),
  journal_id BLOB NOT NULL,
  generation INTEGER NOT NULL,
  cumulative INTEGER NOT NULL,     -- every record up to here is stored, or was counted as missing
  ranges TEXT NOT NULL,            -- stored above that: 'a-b c-d'
  missing INTEGER NOT NULL,        -- records that the agent had dropped before they came
  changed_ms INTEGER NOT NULL,
  PRIMARY KEY (node_id, journal_id, generation)
);
-- Every DATA payload as it came.
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  node_id INTEGER NOT NULL,
  device TEXT NOT NULL,
  journal_id BLOB,                 -- NULL: the node keeps no journal
  generation INTEGER,
  record INTEGER,
  received_ms INTEGER NOT NULL,
  committed_ms INTEGER NOT NULL,   -- when the batch it belongs to was closed
  payload BLOB NOT NULL
);
CREATE UNIQUE INDEX inbox_record ON inbox (node_id, journal_id, generation, record) WHERE record IS NOT NULL;
-- The same readings, readable; kept for store.recent_hours.
CREATE TABLE sample (
  point_id INTEGER NOT NULL,
  taken_ms INTEGER NOT NULL,
  inbox_id INTEGER NOT NULL,
  position INTEGER NOT NULL,       -- of the metric in its payload
  value ANY,                       -- NULL unless quality is good
  quality TEXT NOT NULL,
  PRIMARY KEY (point_id, taken_ms, inbox_id, position)
) WITHOUT ROWID;
CREATE TABLE alarm (
  id INTEGER PRIMARY KEY,
  rule TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,             -- ISA-18.2: normal, unacknowledged, acknowledged, returned_unacknowledged
  is_active INTEGER NOT NULL,
  occurrence INTEGER NOT NULL,
  title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL,
  text_zh TEXT NOT NULL,
  text_en TEXT NOT NULL,
  site TEXT NOT NULL,
  agent TEXT NOT NULL,
  device TEXT NOT NULL,
  device_name TEXT NOT NULL,
  point TEXT NOT NULL,
  point_label_zh TEXT NOT NULL,
  point_label_en TEXT NOT NULL,
  value REAL,
  unit TEXT NOT NULL,
  limit_value REAL,
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  acknowledged_ms INTEGER,
  acknowledged_by TEXT NOT NULL,
  comment TEXT NOT NULL
);
CREATE INDEX alarm_open ON alarm (id) WHERE state <> 'normal';
-- Written in the transaction that changes the alarm; sent afterwards.
CREATE TABLE mail (
  id INTEGER PRIMARY KEY,
  alarm_id INTEGER NOT NULL,
  event TEXT NOT NULL,             -- raised-1, cleared-1, raised-2 …
  recipient TEXT NOT NULL,
  message_id TEXT NOT NULL UNIQUE,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,             -- waiting, sent, failed
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  finished_ms INTEGER,
  last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX mail_waiting ON mail (next_ms) WHERE state = 'waiting';
CREATE INDEX mail_alarm ON mail (alarm_id);
