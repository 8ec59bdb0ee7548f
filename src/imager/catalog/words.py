"""Full text: one document an asset, written behind the assets, in batches.

An asset carries the number of the transaction that last changed it; `library.indexed` says up to which number the
documents are written. So the work resumes wherever it was cut off, in whichever process has time for it.
"""

from __future__ import annotations

import apsw

from imager.catalog.connection import Connection

BATCH = 1_500

DOCUMENTS = """
INSERT INTO words (rowid, name, folder, title, caption, tags, people, place, camera, creator)
SELECT a.asset,
  (SELECT group_concat(CAST(f.name AS TEXT), ' · ') FROM versions AS v CROSS JOIN files AS f ON f.content = v.content
    WHERE v.asset = a.asset),
  (SELECT group_concat(DISTINCT o.label) FROM versions AS v CROSS JOIN files AS f ON f.content = v.content
    CROSS JOIN folders AS o ON o.folder = f.folder WHERE v.asset = a.asset),
  a.title, a.caption,
  (SELECT group_concat(t.name, ' · ') FROM asset_tags AS x CROSS JOIN tags AS t ON t.tag = x.tag
    WHERE x.asset = a.asset),
  (SELECT group_concat(r.name, ' · ') FROM regions AS r WHERE r.asset = a.asset),
  p.name || ' · ' || p.city || ' · ' || p.region || ' · ' || p.country,
  concat_ws(' ', a.make, a.model, a.lens),
  a.creator
FROM {source} LEFT JOIN places AS p ON p.place = a.place"""

_SINCE = DOCUMENTS.format(source="assets AS a") + " WHERE a.changed > ?1 AND a.changed <= ?2"
_FORGET_SINCE = """DELETE FROM words WHERE rowid IN (SELECT asset FROM assets
WHERE changed > ?1 AND changed <= ?2 AND asset <= (SELECT max(id) FROM words_docsize))"""
_REACH = """SELECT changed FROM assets WHERE changed > (SELECT indexed FROM library)
ORDER BY changed LIMIT 1 OFFSET ?"""


def behind(db: apsw.Connection) -> bool:
    """Whether some asset's document is not written yet."""
    return bool(db.execute("SELECT changes > indexed FROM library").get)


def index_some(connection: Connection, batch: int = BATCH) -> bool:
    """Write the documents of about `batch` assets, in one transaction. False when nothing was left to do."""
    if not behind(connection.db):
        return False
    with connection.transaction(durable=False) as db:
        since, top = db.execute("SELECT indexed, changes FROM library").get
        reach = db.execute(_REACH, (batch - 1,)).get
        until = top if reach is None else reach
        db.execute(_FORGET_SINCE, (since, until))
        db.execute(_SINCE, (since, until))
        db.execute("UPDATE library SET indexed = ?", (until,))
    return True


def merge_some(connection: Connection, pages: int = 200) -> bool:
    """Merge a little of the index, in a transaction of its own; False when there is nothing worth merging.

    See 'The merge command' in SQLite's FTS5 documentation: fewer than two changes mean that nothing was done.
    """
    with connection.transaction(durable=False) as db:
        before = db.total_changes()
        db.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
        return bool(db.total_changes() - before >= 2)


def rebuild(connection: Connection) -> None:
    """Write every document anew."""
    with connection.transaction(durable=False) as db:
        db.execute("INSERT INTO words (words) VALUES ('delete-all')")
        db.execute("UPDATE library SET indexed = 0")
    while index_some(connection, 20_000):
        pass


def forget_deleted(connection: Connection) -> None:
    """Rewrite the index so that words of deleted documents are gone from the file (for erasing)."""
    with connection.transaction(durable=False) as db:
        db.execute("INSERT INTO words (words) VALUES ('optimize')")
