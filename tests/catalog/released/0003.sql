
PRAGMA page_size=4096;

PRAGMA writable_schema=ON;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS accounts;
CREATE TABLE accounts (
  member      TEXT    PRIMARY KEY,          -- as edits name their author and `grants` its roles
  name        TEXT    NOT NULL,             -- for people
  password    TEXT,                         -- Argon2id, encoded; NULL: can't sign in with one
  created     INTEGER NOT NULL,
  disabled    INTEGER NOT NULL DEFAULT 0,
  failures    INTEGER NOT NULL DEFAULT 0,   -- wrong passwords since the last right one
  locked      INTEGER NOT NULL DEFAULT 0    -- until when none is tried
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS album_assets;
CREATE TABLE album_assets (                 -- of manual albums
  album       INTEGER NOT NULL REFERENCES albums,
  position    TEXT    NOT NULL,             -- compared bytewise; then by asset
  asset       INTEGER NOT NULL REFERENCES assets,
  PRIMARY KEY (album, position, asset)
) STRICT, WITHOUT ROWID;
INSERT INTO album_assets VALUES(2,'V.2dabd364',1);
INSERT INTO album_assets VALUES(2,'Hdvmhw1I000744f53bd7V',2);
CREATE INDEX albums_of_asset ON album_assets (asset);

DROP TABLE IF EXISTS albums;
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
INSERT INTO albums VALUES(1,X'00000000000000000000000000000001','Trips',NULL,'',NULL,NULL,NULL,4000,0,2,0);
INSERT INTO albums VALUES(2,X'00000000000000000000000000000002','Beaches',1,'',NULL,NULL,NULL,4001,0,3,0);
CREATE INDEX albums_cut       ON albums (album) WHERE cut;
CREATE INDEX albums_of_parent ON albums (parent);

DROP TABLE IF EXISTS answers;
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

DROP TABLE IF EXISTS api_keys;
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

DROP TABLE IF EXISTS asset_tags;
CREATE TABLE asset_tags (
  asset       INTEGER NOT NULL REFERENCES assets,
  tag         INTEGER NOT NULL REFERENCES tags,
  source      TEXT    NOT NULL CHECK (source IN ('edit', 'file', 'sidecar')),
  PRIMARY KEY (asset, tag)
) STRICT, WITHOUT ROWID;
INSERT INTO asset_tags VALUES(1,1,'file');
INSERT INTO asset_tags VALUES(1,3,'edit');

DROP TABLE IF EXISTS assets;
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
, private TEXT) STRICT;
INSERT INTO assets VALUES(1,X'2DABD364013887CC8CEB7B1526CFFB68',1,3,'present','image','2dabd364.jpg',40,30,NULL,NULL,7200000,120,'file',0.1,'Test/Plus2',-1.0,2.0,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,4,0,'Said by a person','From the file',NULL,NULL,X'68617368','["rating", "tag", "title"]',NULL);
INSERT INTO assets VALUES(2,X'44F53BD737578450878C9BE340F9BC77',2,3,'present','image','44f53bd7.jpg',40,30,NULL,NULL,0,0,'file',0.1,NULL,NULL,NULL,NULL,NULL,'Canon','Canon EOS R5',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,X'68617368',NULL,'anna');
CREATE TRIGGER asset_departs AFTER DELETE ON assets BEGIN
  INSERT INTO departed (asset, changed, id, private) SELECT old.asset, changes + 1, old.id, old.private FROM library; END;
CREATE TRIGGER asset_hides AFTER UPDATE OF private ON assets WHEN new.private IS NOT NULL AND old.private IS NULL BEGIN
  INSERT OR REPLACE INTO hidden SELECT new.asset, changes + 1 FROM library; END;
CREATE INDEX assets_aside     ON assets (state, taken_at DESC) WHERE state <> 'present';
CREATE INDEX assets_by_change ON assets (changed);
CREATE INDEX assets_by_time   ON assets (taken_at DESC, asset DESC) WHERE state = 'present';
CREATE INDEX assets_private ON assets (private) WHERE private IS NOT NULL;

DROP TABLE IF EXISTS cancelled;
CREATE TABLE cancelled (                    -- names of the edits that an undo or a withdrawal took back;
  clock       TEXT    PRIMARY KEY           -- follows from the log alone
) STRICT, WITHOUT ROWID;
INSERT INTO cancelled VALUES('0000000000bb8-0000-000000000001');

DROP TABLE IF EXISTS contents;
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
INSERT INTO contents VALUES(1,X'2DABD364013897CCCCEB7B1526CFFB689610F8202CFF6B4A8C387525982AD437',1000,0,'image/jpeg','image','{"width":40,"height":30,"latitude":-1.0,"longitude":2.0,"title":"Title of the file","description":"From the file","keywords":["Beach","Sea"]}',1);
INSERT INTO contents VALUES(2,X'44F53BD737577450478C9BE340F9BC77938F17C3DF08CCDAF99144425DCE9412',1000,0,'image/jpeg','image','{"width":40,"height":30}',1);
INSERT INTO contents VALUES(3,X'847AFBBAF422D2EB96C14579268CA37FE2AE83744EDDC31EAD995F0DD3D00974',1000,0,'image/jpeg','image','{"width":10,"height":30,"make":"Canon","model":"Canon EOS R5"}',1);

DROP TABLE IF EXISTS departed;
CREATE TABLE departed (                     -- numbers of assets that are gone: nothing else would tell a follower
  asset       INTEGER PRIMARY KEY,
  changed     INTEGER NOT NULL              -- the transaction in which it went
, id BLOB, private TEXT) STRICT;
INSERT INTO departed VALUES(3,3,X'847AFBBAF42282EB96C14579268CA37F',NULL);
CREATE INDEX departed_by_change ON departed (changed);

DROP TABLE IF EXISTS derivatives;
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
INSERT INTO derivatives VALUES(1,1,X'68617368',X'2DABD364013897CC',1.0,0.5,0.0,'[["red",0.5,0.1,0.1,0.5]]','[40,30,3]','[40,30,3]');
INSERT INTO derivatives VALUES(2,1,X'68617368',X'44F53BD737577450',1.0,0.5,0.0,'[["red",0.5,0.1,0.1,0.5]]','[40,30,3]','[40,30,3]');
INSERT INTO derivatives VALUES(3,1,X'68617368',X'847AFBBAF422D2EB',1.0,0.5,0.0,'[["red",0.5,0.1,0.1,0.5]]','[40,30,3]','[40,30,3]');

DROP TABLE IF EXISTS devices;
CREATE TABLE devices (                      -- numbers are drawn at random, 48 bits; see catalog/device.py
  device      INTEGER PRIMARY KEY,
  name        TEXT    NOT NULL
) STRICT;
INSERT INTO devices VALUES(7,'desk');

DROP TABLE IF EXISTS edits;
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
INSERT INTO edits VALUES(1,'00000000003e8-0000-000000000001',X'2DABD364013887CC8CEB7B1526CFFB68','title','','"Said by a person"','owner','00000000003e8-0000-000000000001');
INSERT INTO edits VALUES(1,'00000000003e9-0000-000000000001',X'2DABD364013887CC8CEB7B1526CFFB68','rating','owner','4','owner','00000000003e9-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000bb8-0000-000000000001',X'44F53BD737578450878C9BE340F9BC77','title','','"Said in error"','owner','0000000000bb8-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000bb9-0000-000000000001',X'00000000000000000000000000000000','cancel_batch','0000000000bb8-0000-000000000001','true','owner','0000000000bb9-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000fa0-0000-000000000001',X'00000000000000000000000000000001','album.name','','"Trips"','owner','0000000000fa0-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000fa1-0000-000000000001',X'00000000000000000000000000000002','album.name','','"Beaches"','owner','0000000000fa1-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000fa2-0000-000000000001',X'00000000000000000000000000000002','album.parent','','"00000000000000000000000000000001"','owner','0000000000fa2-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000fa3-0000-000000000001',X'2DABD364013887CC8CEB7B1526CFFB68','album','00000000000000000000000000000002','"V"','owner','0000000000fa3-0000-000000000001');
INSERT INTO edits VALUES(1,'0000000000fa4-0000-000000000001',X'44F53BD737578450878C9BE340F9BC77','album','00000000000000000000000000000002','1','owner','0000000000fa4-0000-000000000001');
INSERT INTO edits VALUES(2,'00000000007d0-0000-000000000002',X'F4CEC81EB3E48A8187FA71430147CB61','name','','"Anna"','owner','00000000007d0-0000-000000000002');
INSERT INTO edits VALUES(2,'00000000007d0-0001-000000000002',X'2DABD364013887CC8CEB7B1526CFFB68','tag','f4cec81eb3e48a8187fa71430147cb61','1','owner','00000000007d0-0001-000000000002');
INSERT INTO edits VALUES(2,'00000000007d1-0000-000000000002',X'2DABD364013887CC8CEB7B1526CFFB68','tag','711c1e414e9b8804876896a6d2686d38','0','owner','00000000007d1-0000-000000000002');
INSERT INTO edits VALUES(2,'0000000000fa5-0000-000000000002',X'44F53BD737578450878C9BE340F9BC77','private','','"anna"','anna','0000000000fa5-0000-000000000002');
INSERT INTO edits VALUES(3,'0000000000000-0001-000000000003',X'44F53BD737578450878C9BE340F9BC77','same_as','847afbbaf42282eb96c14579268ca37f','1','imager','0000000000000-0001-000000000003');
CREATE INDEX edits_joining   ON edits (element) WHERE field = 'same_as';
CREATE INDEX edits_of_batch  ON edits (batch)   WHERE batch <> clock;
CREATE INDEX edits_of_target ON edits (target, field, element, clock);

DROP TABLE IF EXISTS events;
CREATE TABLE events (                       -- what happened, for who listens and for who comes back
  event       INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL,
  member      TEXT,                         -- only for this one; NULL: for all who see the asset
  asset       BLOB,
  data        TEXT    NOT NULL,             -- JSON
  created     INTEGER NOT NULL
) STRICT;

DROP TABLE IF EXISTS files;
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
INSERT INTO files VALUES(1,X'32646162643336342E6A7067','present',1,1,1,1,1,1,NULL,NULL);
INSERT INTO files VALUES(1,X'34346635336264372E6A7067','present',2,1,1,1,1,1,NULL,NULL);
INSERT INTO files VALUES(1,X'38343761666262612E6A7067','present',3,1,1,1,1,1,NULL,NULL);
CREATE TRIGGER file_arrives AFTER INSERT ON files BEGIN
  UPDATE folders SET listing = NULL WHERE folder = new.folder AND listing IS NOT NULL; END;
CREATE TRIGGER file_changes AFTER UPDATE ON files BEGIN
  UPDATE folders SET listing = NULL WHERE folder = new.folder AND listing IS NOT NULL; END;
CREATE TRIGGER file_goes AFTER DELETE ON files BEGIN
  UPDATE folders SET listing = NULL WHERE folder = old.folder AND listing IS NOT NULL; END;
CREATE INDEX files_failed     ON files (folder)  WHERE state = 'failed';
CREATE INDEX files_missing    ON files (folder)  WHERE state = 'missing';
CREATE INDEX files_of_content ON files (content) WHERE content IS NOT NULL;

DROP TABLE IF EXISTS folders;
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
INSERT INTO folders VALUES(1,7,X'2F70686F746F73','photos','disk',NULL,0);

DROP TABLE IF EXISTS grants;
CREATE TABLE grants (                       -- roles of members
  member      TEXT    NOT NULL,             -- as edits name their author
  album       INTEGER NOT NULL DEFAULT 0,   -- 0: the library
  role        TEXT    NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
  PRIMARY KEY (member, album)
) STRICT, WITHOUT ROWID;
INSERT INTO grants VALUES('owner',0,'owner');

DROP TABLE IF EXISTS hidden;
CREATE TABLE hidden (                       -- numbers of assets that all members saw, and then only one
  asset       INTEGER PRIMARY KEY,
  changed     INTEGER NOT NULL              -- the transaction in which that happened
) STRICT;
INSERT INTO hidden VALUES(2,3);

DROP TABLE IF EXISTS jobs;
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

DROP TABLE IF EXISTS library;
CREATE TABLE library (
  id          BLOB    NOT NULL CHECK (length(id) = 16),
  created     INTEGER NOT NULL,
  changes     INTEGER NOT NULL DEFAULT 0,
  indexed     INTEGER NOT NULL DEFAULT 0,
  assets      INTEGER NOT NULL DEFAULT 0    -- the highest number an asset ever had: none is given twice
) STRICT;
INSERT INTO library VALUES(X'00000000000000000000000000000000',0,3,3,3);

DROP TABLE IF EXISTS metadata;
CREATE TABLE metadata (                     -- everything that was read, as it was read; nobody lists it
  content     INTEGER PRIMARY KEY REFERENCES contents,
  raw         TEXT    NOT NULL,             -- JSON
  problems    TEXT                          -- JSON list: what could not be read, in people's words
) STRICT;
INSERT INTO metadata VALUES(1,'{"exif": {"Number": "1"}}',NULL);
INSERT INTO metadata VALUES(2,'{"exif": {"Number": "2"}}',NULL);
INSERT INTO metadata VALUES(3,'{"exif": {"Number": "3"}}',NULL);

DROP TABLE IF EXISTS openings;
CREATE TABLE openings (                     -- links that begin a session without a password: once, and soon
  token       BLOB    PRIMARY KEY CHECK (length(token) = 32),
  member      TEXT    NOT NULL REFERENCES accounts ON DELETE CASCADE,
  expires     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS places;
CREATE TABLE places (
  place       INTEGER PRIMARY KEY,
  name        TEXT    NOT NULL DEFAULT '',
  city        TEXT    NOT NULL DEFAULT '',
  region      TEXT    NOT NULL DEFAULT '',
  country     TEXT    NOT NULL DEFAULT '',
  country_code TEXT   NOT NULL DEFAULT '',
  UNIQUE (country_code, region, city, name, country)
) STRICT;
INSERT INTO places VALUES(1,'','Testville','Testshire','Testland','TL');

DROP TABLE IF EXISTS regions;
CREATE TABLE regions (                      -- parts of the shown picture that its metadata names
  asset       INTEGER NOT NULL REFERENCES assets,
  region      INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  name        TEXT,
  left_edge   REAL    NOT NULL, top_edge REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL,
  source      TEXT    NOT NULL CHECK (source IN ('file', 'sidecar')),
  PRIMARY KEY (asset, region)
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS roots;
CREATE TABLE roots (                        -- what people named
  root        INTEGER PRIMARY KEY,
  device      INTEGER NOT NULL REFERENCES devices,
  path        BLOB    NOT NULL,
  volume      TEXT,
  scanned     INTEGER,                      -- when it was first walked to its end, on that volume
  UNIQUE (device, path)
) STRICT;

DROP TABLE IF EXISTS sessions;
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

DROP TABLE IF EXISTS share_assets;
CREATE TABLE share_assets (                 -- of a selection, by the ids of assets
  share       TEXT    NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
  id          BLOB    NOT NULL CHECK (length(id) = 16),
  PRIMARY KEY (share, id)
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS shares;
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

DROP TABLE IF EXISTS sidecars;
CREATE TABLE sidecars (                     -- the latest reading of an .xmp beside pictures
  folder      INTEGER NOT NULL REFERENCES folders,
  name        BLOB    NOT NULL,
  belongs     BLOB    NOT NULL,             -- name of what it speaks of, in lower case, with or without its ending
  facts       TEXT    NOT NULL,
  raw         TEXT    NOT NULL,
  PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX sidecars_belonging ON sidecars (folder, belongs);

DROP TABLE IF EXISTS tags;
CREATE TABLE tags (
  tag         INTEGER PRIMARY KEY,
  id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  name        TEXT    NOT NULL,             -- full name; levels are joined by '|'
  said        INTEGER NOT NULL DEFAULT 0    -- 1: by an edit, which wins over how files spell it
) STRICT;
INSERT INTO tags VALUES(1,X'FF31018DC8DB881B91F7491EBE062AC6','Beach',0);
INSERT INTO tags VALUES(2,X'711C1E414E9B8804876896A6D2686D38','Sea',0);
INSERT INTO tags VALUES(3,X'F4CEC81EB3E48A8187FA71430147CB61','Anna',1);

DROP TABLE IF EXISTS told;
CREATE TABLE told (                         -- one row: up to where `events` tells what happened to pictures
  changes     INTEGER NOT NULL,             -- as `library` counts transactions
  assets      INTEGER NOT NULL              -- and the highest number that an asset had then
) STRICT;

DROP TABLE IF EXISTS uploads;
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

DROP TABLE IF EXISTS versions;
CREATE TABLE versions (                     -- the contents of an asset
  id          BLOB    PRIMARY KEY,          -- the id that this content alone would have: it keeps resolving
  content     INTEGER NOT NULL REFERENCES contents,
  asset       INTEGER REFERENCES assets     -- NULL: erased
) STRICT, WITHOUT ROWID;
INSERT INTO versions VALUES(X'2DABD364013887CC8CEB7B1526CFFB68',1,1);
INSERT INTO versions VALUES(X'44F53BD737578450878C9BE340F9BC77',2,2);
INSERT INTO versions VALUES(X'847AFBBAF42282EB96C14579268CA37F',3,2);
CREATE INDEX versions_of_asset   ON versions (asset) WHERE asset IS NOT NULL;
CREATE INDEX versions_of_content ON versions (content);

DELETE FROM sqlite_schema WHERE name='words' AND type='table';
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table','words','words',0,'CREATE VIRTUAL TABLE words USING fts5(
  name, folder, title, caption, tags, people, place, camera, creator,
  content='''', contentless_delete=1, tokenize="unicode61 remove_diacritics 2")');

DROP TABLE IF EXISTS words_config;
CREATE TABLE 'words_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO words_config VALUES('automerge',0);
INSERT INTO words_config VALUES('crisismerge',1000);
INSERT INTO words_config VALUES('usermerge',16);
INSERT INTO words_config VALUES('version',4);

DROP TABLE IF EXISTS words_data;
CREATE TABLE 'words_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO words_data VALUES(1,X'02060204030200030400');
INSERT INTO words_data VALUES(10,X'00000003FF00000101010000010101010101000002');
INSERT INTO words_data VALUES(137438953473,X'000000EB093032646162643336340102020108343466353362643702020201083834376166626261020204010161010601020402036E6E6101060104030105626561636801060104020201790106010203010563616E6F6E0208010702030103656F730206010704010466696C6501060103040203726F6D010601030201036A7067010203010403040106706572736F6E01060102050205686F746F730106010102010601010201027235020601070501047361696401060102020108746573746C616E640106010604050573686972650106010603050576696C6C650106010602020268650106010303040D0D0D080A0C080D0A0B0A0C0D11090B0F0C0C');

DROP TABLE IF EXISTS words_docsize;
CREATE TABLE 'words_docsize'(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER);
INSERT INTO words_docsize VALUES(1,X'020104030200030000',1);
INSERT INTO words_docsize VALUES(2,X'040100000000000400',1);

DROP TABLE IF EXISTS words_idx;
CREATE TABLE 'words_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO words_idx VALUES(1,X'',2);

pragma user_version=3;
pragma application_id=1229801298;

COMMIT TRANSACTION;

PRAGMA writable_schema=OFF;

BEGIN;
CREATE TABLE no_such_table(x,y,z);
ROLLBACK;
