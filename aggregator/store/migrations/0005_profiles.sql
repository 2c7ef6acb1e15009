-- What a point's profile asks to be alarmed by, JSON as announced: it counts from the start, before the next birth.
ALTER TABLE point ADD COLUMN alarms TEXT NOT NULL DEFAULT '';
-- What the agent's own settings say, and how often it asks the device (NULL: never told).
ALTER TABLE device ADD COLUMN class_configured TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN poll_interval_ms INTEGER;
