-- What an agent last told of records it had to drop: only growth is news. NULL: never told.
ALTER TABLE node ADD COLUMN journal_lost INTEGER;
