-- Albums, whose pictures are private, who may see what, and which assets are gone.

CREATE TABLE albums (
  album       INTEGER PRIMARY KEY,
  id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),   -- random
  name        TEXT,                         -- NULL: only memberships have arrived yet
  parent      INTEGER REFERENCES albums,    -- as said, but for an edge that would close a circle
  position    TEXT    NOT NULL DEFAULT '',  -- among its siblings; compared bytewise
  query       TEXT,                         -- JSON (imager.query): a smart album
  description TEXT,
  cover       BLOB,                         -- id of an asset
  created     INTEGER NOT NULL DEFAULT 0,   -- when it was first spoken of
  deleted     INTEGER NOT NULL DEFAULT 0,   -- what is nested in it is hidden with it
  changed     INTEGER NOT NULL DEFAULT 0,   -- the transaction that last touched it or what is in it
  cut         INTEGER NOT NULL DEFAULT 0    -- 1: its parent as said would close a circle, and was said last in it
) STRICT;
CREATE INDEX albums_of_parent ON albums (parent);
CREATE INDEX albums_cut       ON albums (album) WHERE cut;

CREATE TABLE album_assets (                 -- of manual albums
  album       INTEGER NOT NULL REFERENCES albums,
  position    TEXT    NOT NULL,             -- compared bytewise; then by asset
  asset       INTEGER NOT NULL REFERENCES assets,
  PRIMARY KEY (album, position, asset)
) STRICT, WITHOUT ROWID;
CREATE INDEX albums_of_asset ON album_assets (asset);

ALTER TABLE assets ADD COLUMN private TEXT;  -- author whose private picture it is; NULL: of all members
CREATE INDEX assets_private ON assets (private) WHERE private IS NOT NULL;

CREATE TABLE grants (                       -- roles of members
  member      TEXT    NOT NULL,             -- as edits name their author
  album       INTEGER NOT NULL DEFAULT 0,   -- 0: the library
  role        TEXT    NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
  PRIMARY KEY (member, album)
) STRICT, WITHOUT ROWID;
INSERT INTO grants VALUES ('owner', 0, 'owner');

CREATE TABLE departed (                     -- numbers of assets that are gone: nothing else would tell a follower
  asset       INTEGER PRIMARY KEY,
  changed     INTEGER NOT NULL              -- the transaction in which it went
) STRICT;
CREATE INDEX departed_by_change ON departed (changed);
CREATE TRIGGER asset_departs AFTER DELETE ON assets BEGIN
  INSERT INTO departed SELECT old.asset, changes + 1 FROM library; END;
