-- What a server needs to know of those who use it. Secrets are kept as hashes only: a token is 32 random bytes, and
-- its SHA-256 stands here; a password is hashed slowly, with a salt of its own. Times are milliseconds since 1970.

CREATE TABLE accounts (
  member      TEXT    PRIMARY KEY,          -- as edits name their author and `grants` its roles
  name        TEXT    NOT NULL,             -- for people
  password    TEXT,                         -- Argon2id, encoded; NULL: can't sign in with one
  created     INTEGER NOT NULL,
  disabled    INTEGER NOT NULL DEFAULT 0,
  failures    INTEGER NOT NULL DEFAULT 0,   -- wrong passwords since the last right one
  locked      INTEGER NOT NULL DEFAULT 0    -- until when none is tried
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  token       BLOB    PRIMARY KEY CHECK (length(token) = 32),
  id          TEXT    NOT NULL UNIQUE,      -- by which it is listed and revoked
  member      TEXT    NOT NULL REFERENCES accounts ON DELETE CASCADE,
  created     INTEGER NOT NULL,
  seen        INTEGER NOT NULL,
  expires     INTEGER NOT NULL,
  agent       TEXT    NOT NULL DEFAULT ''   -- what the browser calls itself
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_member ON sessions (member);

CREATE TABLE openings (                     -- links that begin a session without a password: once, and soon
  token       BLOB    PRIMARY KEY CHECK (length(token) = 32),
  member      TEXT    NOT NULL REFERENCES accounts ON DELETE CASCADE,
  expires     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  token       BLOB    PRIMARY KEY CHECK (length(token) = 32),
  id          TEXT    NOT NULL UNIQUE,
  member      TEXT    NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose rights it never exceeds
  name        TEXT    NOT NULL,
  scopes      TEXT    NOT NULL,             -- JSON list
  created     INTEGER NOT NULL,
  expires     INTEGER,
  seen        INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_of_member ON api_keys (member);

CREATE TABLE shares (
  token       BLOB    PRIMARY KEY CHECK (length(token) = 32),
  id          TEXT    NOT NULL UNIQUE,
  member      TEXT    NOT NULL,             -- who shares: what they may no longer see, nobody sees by it
  name        TEXT    NOT NULL DEFAULT '',
  album       BLOB,                         -- id of the album; NULL: a selection
  password    TEXT,                         -- Argon2id, encoded
  download    INTEGER NOT NULL DEFAULT 0,   -- 1: originals too
  details     INTEGER NOT NULL DEFAULT 0,   -- 1: with places and other metadata
  created     INTEGER NOT NULL,
  expires     INTEGER,
  revoked     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_of_member ON shares (member);

CREATE TABLE share_assets (                 -- of a selection, by the ids of assets
  share       TEXT    NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
  id          BLOB    NOT NULL CHECK (length(id) = 16),
  PRIMARY KEY (share, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (                         -- what takes longer than a request
  id          TEXT    PRIMARY KEY,
  member      TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'stopped')),
  asked       TEXT    NOT NULL,             -- JSON
  total       INTEGER,
  done        INTEGER NOT NULL DEFAULT 0,
  batch       TEXT,                         -- of the edits it made, for undoing them
  result      TEXT,                         -- JSON
  problem     TEXT,
  created     INTEGER NOT NULL,
  finished    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_time ON jobs (created);

CREATE TABLE answers (                      -- given to requests with an idempotency key, for a day
  member      TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  request     BLOB    NOT NULL,             -- SHA-256 of method, path and body
  status      INTEGER NOT NULL,             -- 0: it was begun, and is not known to have ended
  headers     TEXT    NOT NULL,             -- JSON
  body        TEXT    NOT NULL,
  created     INTEGER NOT NULL,
  PRIMARY KEY (member, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (                      -- that have begun; their bytes lie in the library's folder `uploads`
  id          TEXT    PRIMARY KEY,
  member      TEXT    NOT NULL,
  bytes       INTEGER NOT NULL,
  received    INTEGER NOT NULL DEFAULT 0,   -- and safely on disk
  metadata    TEXT    NOT NULL,             -- JSON: name, type, what else the client says
  asset       BLOB,                         -- id of what it became
  problem     TEXT,
  created     INTEGER NOT NULL,
  expires     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (                       -- what happened, for who listens and for who comes back
  event       INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL,
  member      TEXT,                         -- only for this one; NULL: for all who see the asset
  asset       BLOB,
  data        TEXT    NOT NULL,             -- JSON
  created     INTEGER NOT NULL
) STRICT;

CREATE TABLE told (                         -- one row: up to where `events` tells what happened to pictures
  changes     INTEGER NOT NULL,             -- as `library` counts transactions
  assets      INTEGER NOT NULL              -- and the highest number that an asset had then
) STRICT;

-- Who saw a picture has to hear that it is gone, and which: its number is not known outside. Forgotten once told.
ALTER TABLE departed ADD COLUMN id BLOB;
ALTER TABLE departed ADD COLUMN private TEXT;
DROP TRIGGER asset_departs;
CREATE TRIGGER asset_departs AFTER DELETE ON assets BEGIN
  INSERT INTO departed (asset, changed, id, private) SELECT old.asset, changes + 1, old.id, old.private FROM library; END;

CREATE TABLE hidden (                       -- numbers of assets that all members saw, and then only one
  asset       INTEGER PRIMARY KEY,
  changed     INTEGER NOT NULL              -- the transaction in which that happened
) STRICT;
CREATE TRIGGER asset_hides AFTER UPDATE OF private ON assets WHEN new.private IS NOT NULL AND old.private IS NULL BEGIN
  INSERT OR REPLACE INTO hidden SELECT new.asset, changes + 1 FROM library; END;
