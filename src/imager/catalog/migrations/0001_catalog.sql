-- The catalog of one Imager library.
--
-- Numbers join, ids travel: `asset`, `content`, `tag` … are integers of this file, `id` is the same on every
-- device. Times are milliseconds (of files: nanoseconds), positions degrees (WGS 84), file names bytes.

-- What holds for the library as a whole. `changes` counts the transactions that touched assets; an asset
-- carries the number of the last one, and `indexed` says up to which of them full text is written.
CREATE TABLE library (
  id          BLOB    NOT NULL CHECK (length(id) = 16),
  created     INTEGER NOT NULL,
  changes     INTEGER NOT NULL DEFAULT 0,
  indexed     INTEGER NOT NULL DEFAULT 0,
  assets      INTEGER NOT NULL DEFAULT 0    -- the highest number an asset ever had: none is given twice
) STRICT;

-- ── Facts: what the bytes say ───────────────────────────────────────────────────────────────────────────
CREATE TABLE contents (
  content     INTEGER PRIMARY KEY,
  sha256      BLOB    NOT NULL CHECK (length(sha256) = 32),   -- `versions` finds it: an id is its beginning
  bytes       INTEGER NOT NULL,
  erased      INTEGER NOT NULL DEFAULT 0,   -- 1: only the hash is left, so that a scan passes it over
  mime        TEXT,
  kind        TEXT,
  facts       TEXT,                         -- JSON: what was read, normalised (imager.facts.Facts)
  reader      INTEGER NOT NULL DEFAULT 0    -- revision of the code that read it
) STRICT;

CREATE TABLE metadata (                     -- everything that was read, as it was read; nobody lists it
  content     INTEGER PRIMARY KEY REFERENCES contents,
  raw         TEXT    NOT NULL,             -- JSON
  problems    TEXT                          -- JSON list: what could not be read, in people's words
) STRICT;

-- ── Findings of the rules that look at pixels. Made again when their revision rises. ────────────────────
CREATE TABLE derivatives (
  content     INTEGER PRIMARY KEY REFERENCES contents,
  revision    INTEGER NOT NULL,
  thumbhash   BLOB    NOT NULL,
  phash       BLOB    NOT NULL CHECK (length(phash) = 8),
  sharpness   REAL    NOT NULL,
  brightness  REAL    NOT NULL,
  clipped     REAL    NOT NULL,
  colours     TEXT    NOT NULL,             -- JSON: [name, L, a, b, share] of each
  preview     TEXT    NOT NULL,             -- JSON: [width, height, bytes] of the file in the store
  thumbnail   TEXT    NOT NULL
) STRICT;

-- ── Files: where contents were seen ─────────────────────────────────────────────────────────────────────
CREATE TABLE devices (                      -- numbers are drawn at random, 48 bits; see catalog/device.py
  device      INTEGER PRIMARY KEY,
  name        TEXT    NOT NULL
) STRICT;

CREATE TABLE roots (                        -- what people named
  root        INTEGER PRIMARY KEY,
  device      INTEGER NOT NULL REFERENCES devices,
  path        BLOB    NOT NULL,
  volume      TEXT,
  scanned     INTEGER,                      -- when it was first walked to its end, on that volume
  UNIQUE (device, path)
) STRICT;

CREATE TABLE folders (
  folder      INTEGER PRIMARY KEY,
  device      INTEGER NOT NULL REFERENCES devices,
  path        BLOB    NOT NULL,
  label       TEXT    NOT NULL,             -- from the root's own name down, for people and full text
  volume      TEXT,                         -- the file system it lay on when it was last seen
  listing     BLOB,                         -- digest of its files while all are present (catalog/listing.py)
  offline     INTEGER NOT NULL DEFAULT 0,   -- 1: its volume is not there; nothing is known of its files
  UNIQUE (device, path)
) STRICT;

CREATE TABLE files (
  folder      INTEGER NOT NULL REFERENCES folders,
  name        BLOB    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('present', 'missing', 'offline', 'failed', 'skipped', 'sidecar')),
  content     INTEGER REFERENCES contents,
  bytes       INTEGER NOT NULL,
  modified    INTEGER NOT NULL,             -- ns
  changed     INTEGER NOT NULL,             -- ns; of the inode
  inode       INTEGER NOT NULL,
  reader      INTEGER NOT NULL,             -- revision of the code that looked at it
  stage       TEXT,                         -- where it failed
  reason      TEXT,                         -- why, in people's words
  PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_of_content ON files (content) WHERE content IS NOT NULL;
CREATE INDEX files_failed     ON files (folder)  WHERE state = 'failed';
CREATE INDEX files_missing    ON files (folder)  WHERE state = 'missing';

-- A listing is only true until one of its files changes, whoever changes it.
CREATE TRIGGER file_arrives AFTER INSERT ON files BEGIN
  UPDATE folders SET listing = NULL WHERE folder = new.folder AND listing IS NOT NULL; END;
CREATE TRIGGER file_changes AFTER UPDATE ON files BEGIN
  UPDATE folders SET listing = NULL WHERE folder = new.folder AND listing IS NOT NULL; END;
CREATE TRIGGER file_goes AFTER DELETE ON files BEGIN
  UPDATE folders SET listing = NULL WHERE folder = old.folder AND listing IS NOT NULL; END;

CREATE TABLE sidecars (                     -- the latest reading of an .xmp beside pictures
  folder      INTEGER NOT NULL REFERENCES folders,
  name        BLOB    NOT NULL,
  belongs     BLOB    NOT NULL,             -- name of what it speaks of, in lower case, with or without its ending
  facts       TEXT    NOT NULL,
  raw         TEXT    NOT NULL,
  PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX sidecars_belonging ON sidecars (folder, belongs);

-- ── Edits: what people say. Append-only; a clock names an edit everywhere. ──────────────────────────────
CREATE TABLE edits (
  device      INTEGER NOT NULL,
  clock       TEXT    NOT NULL,             -- <milliseconds, 13 hex>-<counter, 4 hex>-<device, 12 hex>
  target      BLOB    NOT NULL CHECK (length(target) = 16),
  field       TEXT    NOT NULL,
  element     TEXT    NOT NULL DEFAULT '',  -- of a set: the member; of a vote: its author
  value       TEXT,                         -- canonical JSON; null: as found. SQL NULL: erased
  author      TEXT    NOT NULL,
  batch       TEXT    NOT NULL,             -- clock of the first edit said together with this one
  PRIMARY KEY (device, clock)
) STRICT, WITHOUT ROWID;
CREATE INDEX edits_of_target ON edits (target, field, element, clock);
CREATE INDEX edits_joining   ON edits (element) WHERE field = 'same_as';
CREATE INDEX edits_of_batch  ON edits (batch)   WHERE batch <> clock;

CREATE TABLE cancelled (                    -- names of the edits that an undo or a withdrawal took back;
  clock       TEXT    PRIMARY KEY           -- follows from the log alone
) STRICT, WITHOUT ROWID;

-- ── Assets: the picture as people mean it, with effective values: edit, else fact, else finding ─────────
CREATE TABLE places (
  place       INTEGER PRIMARY KEY,
  name        TEXT    NOT NULL DEFAULT '',
  city        TEXT    NOT NULL DEFAULT '',
  region      TEXT    NOT NULL DEFAULT '',
  country     TEXT    NOT NULL DEFAULT '',
  country_code TEXT   NOT NULL DEFAULT '',
  UNIQUE (country_code, region, city, name, country)
) STRICT;

CREATE TABLE assets (
  asset       INTEGER PRIMARY KEY,
  id          BLOB    NOT NULL CHECK (length(id) = 16),   -- the smallest of its ids; `versions` finds it by any
  content     INTEGER NOT NULL REFERENCES contents,       -- the version that is shown
  changed     INTEGER NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('present', 'missing', 'trashed')),
  kind        TEXT    NOT NULL,
  name        TEXT    NOT NULL,                           -- of a file; '' when none is known
  width       INTEGER, height INTEGER, orientation INTEGER, duration REAL,
  taken_at    INTEGER NOT NULL,                           -- by the clock on the wall
  taken_offset INTEGER,                                   -- minutes east of UTC
  taken_source TEXT   NOT NULL,
  taken_confidence REAL NOT NULL,
  time_zone   TEXT,
  latitude    REAL, longitude REAL, altitude REAL,
  place       INTEGER REFERENCES places,
  make        TEXT, model TEXT, lens TEXT,
  iso         INTEGER, f_number REAL, exposure_time REAL, focal_length REAL,
  rating      INTEGER,
  favourite   INTEGER NOT NULL DEFAULT 0,
  title       TEXT, caption TEXT, creator TEXT, copyright TEXT,
  thumbhash   BLOB,
  said        TEXT                                        -- JSON list of the fields whose value is an edit
) STRICT;
CREATE INDEX assets_by_time   ON assets (taken_at DESC, asset DESC) WHERE state = 'present';
CREATE INDEX assets_aside     ON assets (state, taken_at DESC) WHERE state <> 'present';
CREATE INDEX assets_by_change ON assets (changed);

CREATE TABLE versions (                     -- the contents of an asset
  id          BLOB    PRIMARY KEY,          -- the id that this content alone would have: it keeps resolving
  content     INTEGER NOT NULL REFERENCES contents,
  asset       INTEGER REFERENCES assets     -- NULL: erased
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_of_content ON versions (content);
CREATE INDEX versions_of_asset   ON versions (asset) WHERE asset IS NOT NULL;

CREATE TABLE tags (
  tag         INTEGER PRIMARY KEY,
  id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  name        TEXT    NOT NULL,             -- full name; levels are joined by '|'
  said        INTEGER NOT NULL DEFAULT 0    -- 1: by an edit, which wins over how files spell it
) STRICT;

-- Without the other direction: kept here it would halve the rate of arrival (each asset writes to eight places that
-- lie far apart). Words find pictures by tag; bitmaps beside the catalog will count them.
CREATE TABLE asset_tags (
  asset       INTEGER NOT NULL REFERENCES assets,
  tag         INTEGER NOT NULL REFERENCES tags,
  source      TEXT    NOT NULL CHECK (source IN ('edit', 'file', 'sidecar')),
  PRIMARY KEY (asset, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE regions (                      -- parts of the shown picture that its metadata names
  asset       INTEGER NOT NULL REFERENCES assets,
  region      INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  name        TEXT,
  left_edge   REAL    NOT NULL, top_edge REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL,
  source      TEXT    NOT NULL CHECK (source IN ('file', 'sidecar')),
  PRIMARY KEY (asset, region)
) STRICT, WITHOUT ROWID;

-- ── Full text, written from one function at ingest, on edit and on rebuild. Merging happens in small steps
-- between transactions, never inside one: automatic merging would hold the write lock for long. ──────────
CREATE VIRTUAL TABLE words USING fts5(
  name, folder, title, caption, tags, people, place, camera, creator,
  content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2");
INSERT INTO words(words, rank) VALUES ('automerge', 0), ('crisismerge', 1000), ('usermerge', 16);
