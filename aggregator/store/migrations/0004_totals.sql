-- Counted once here and from now on with each batch: counting all samples takes minutes when there are many.
CREATE TABLE total (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  readings INTEGER NOT NULL
);
INSERT INTO total (id, readings) SELECT 1, count(*) FROM sample;
CREATE INDEX mail_failed ON mail (id) WHERE state = 'failed';
