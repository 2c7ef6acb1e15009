-- What the certificate authority has promised and signed. Times in milliseconds since 1970, UTC.
CREATE TABLE token (
  secret_sha256 TEXT PRIMARY KEY,  -- of the 32 random bytes, hex; the secret itself is nowhere
  site TEXT NOT NULL,
  agent TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER                  -- also: withdrawn
) STRICT;
CREATE INDEX token_agent ON token (site, agent);

CREATE TABLE certificate (
  serial TEXT PRIMARY KEY,         -- hex
  sha256 TEXT NOT NULL UNIQUE,     -- of its DER, hex
  kind TEXT NOT NULL CHECK (kind IN ('agent', 'host', 'server', 'client', 'signer')),
  common_name TEXT NOT NULL,
  site TEXT NOT NULL,              -- '' unless an agent's
  agent TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  issued_at INTEGER NOT NULL,
  revoked_at INTEGER,
  reason TEXT NOT NULL DEFAULT '',
  is_cut INTEGER NOT NULL DEFAULT 0,  -- its session was ended after the revocation
  replaces TEXT NOT NULL DEFAULT '',  -- serial of the one whose place it took
  is_listed INTEGER NOT NULL DEFAULT 0,         -- in a list of the revoked that the broker's folder has
  is_issue_audited INTEGER NOT NULL DEFAULT 0,  -- its making is in the audit log
  is_end_audited INTEGER NOT NULL DEFAULT 0     -- its revocation, too
) STRICT;
CREATE INDEX certificate_agent ON certificate (site, agent);

CREATE TABLE revocation_list (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL,
  made_at INTEGER NOT NULL,        -- thisUpdate of the newest
  is_start_audited INTEGER NOT NULL DEFAULT 0  -- the making of the authority is in the audit log
) STRICT;
INSERT INTO revocation_list VALUES (1, 0, 0, 0);
PRAGMA user_version = 2;
