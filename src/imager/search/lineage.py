"""Whether a generation of the index was made from this catalog, in a state that is this catalog's past.

A catalog may be another one in the same place, or an older state of itself, from a snapshot, that has gone on
differently since. So a generation names what it saw last: the latest edit of every device, which nothing takes out of
the log, and the assets that had changed last. In a catalog with another past, some of that is not there.
"""

from __future__ import annotations

from typing import Any, Final

import apsw

from imager.catalog.connection import fetch
from imager.query.model import COLOURS

_SAMPLES: Final = 32
_LIBRARY = "SELECT lower(hex(id)), changes, assets FROM library"
_SAMPLE = """SELECT asset, lower(hex(id)), changed FROM assets WHERE changed <= ?
ORDER BY changed DESC, asset DESC LIMIT ?"""
_NOW = """SELECT lower(hex(id)), changed FROM assets WHERE asset = ?1
UNION ALL SELECT '', changed FROM departed WHERE asset = ?1"""
_CLOCKS = """WITH RECURSIVE spoken (device) AS (
  SELECT min(device) FROM edits UNION ALL
  SELECT (SELECT min(device) FROM edits WHERE edits.device > spoken.device) FROM spoken WHERE device IS NOT NULL)
SELECT device, (SELECT max(clock) FROM edits WHERE edits.device = spoken.device) FROM spoken WHERE device IS NOT NULL"""


def facts(db: apsw.Connection, reach: int, size: int) -> dict[str, Any]:
    """What a generation says of itself: it shows the catalog as of change `reach`, in `size` rows."""
    return {
        "catalog": db.execute(_LIBRARY).get[0],
        "colours": list(COLOURS),
        "reach": reach,
        "size": size,
        "clocks": fetch(db, _CLOCKS),
        "samples": fetch(db, _SAMPLE, (reach, _SAMPLES)),
    }


def fits(db: apsw.Connection, facts: dict[str, Any]) -> bool:
    """Whether a generation that says so of itself can be brought up to date with this catalog."""
    catalog, changes, highest = db.execute(_LIBRARY).get
    if facts["catalog"] != catalog or facts["colours"] != list(COLOURS):
        return False
    if facts["reach"] > changes or facts["size"] > highest + 1:
        return False
    for spoken in facts["clocks"]:
        if db.execute("SELECT 1 FROM edits WHERE device = ? AND clock = ?", tuple(spoken)).get is None:
            return False
    return all(_is_past(db, sample, facts["reach"]) for sample in facts["samples"])


def _is_past(db: apsw.Connection, sample: list[Any], reach: int) -> bool:
    """Whether an asset that stood so may have become what it is now, by changes after `reach`."""
    asset, own, changed = sample
    now = db.execute(_NOW, (asset,)).fetchone()
    return now is not None and (now[1] > reach or now == (own, changed))
