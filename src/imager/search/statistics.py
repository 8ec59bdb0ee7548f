"""What a library holds, in figures: counted from the index, so that a million pictures take a moment."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from imager.catalog import Catalog, albums
from imager.catalog.connection import fetch
from imager.catalog.effective import iso
from imager.search.columnar import Mask
from imager.search.facets import facets
from imager.search.index import Index

_FAILED = "SELECT count(*) FROM files INDEXED BY files_failed WHERE state = 'failed'"
_FACETS: Final = ("years", "cameras", "lenses", "countries", "places", "tags", "people", "kinds", "colours", "ratings")
_STATES: Final = {"pictures": 1, "missing": 2, "trashed": 3}


def statistics(index: Index, catalog: Catalog, visible: Mask | None = None) -> dict[str, Any]:
    """How many pictures, from when to when, how large, and how they divide (facets as of a search, without queries).

    Of those that are present, but for 'missing' and 'trashed'; 'bytes' is the size of the shown versions. `visible`:
    what the asker may see.
    """
    columns, size = index.columns, index.size
    state = columns.state[:size] if visible is None else np.where(visible, columns.state[:size], 0)
    present = state == 1
    picked = np.flatnonzero(present)
    taken = columns.taken[picked]
    divided = facets(index, present)
    return {
        **{name: int(np.count_nonzero(state == code)) for name, code in _STATES.items()},
        "failed": catalog.db.execute(_FAILED).get,
        "albums": len(fetch(catalog.db, albums.LIVE)),
        "bytes": int(columns.bytes[picked].sum()),
        "located": int(np.count_nonzero(~np.isnan(columns.latitude[picked]))),
        "favourites": int(np.count_nonzero(columns.favourite[picked])),
        "captioned": int(np.count_nonzero(columns.has_caption[picked])),
        "edited": int(np.count_nonzero(columns.edited[picked])),
        "first": iso(int(taken.min()), None) if len(taken) else None,
        "last": iso(int(taken.max()), None) if len(taken) else None,
        **{name: [{"value": v["value"], "count": v["count"]} for v in divided[name]] for name in _FACETS},
    }
