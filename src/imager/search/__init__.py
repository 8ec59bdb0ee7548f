"""Search: from what people ask for to pictures, in order, counted, and with the reason for every hit.

`index` holds what a search needs of every picture; `evaluate` turns a condition into a mask over it, `rank` puts hits
in order, `facets` counts them, `service` does all of it. `timeline`, `skeleton`, `chunks` and `maps` show masks in time
and space. Modules are imported when they are used: they need numpy, which most commands should not wait for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imager.search.hits import Hit, Page
    from imager.search.service import histogram, resolve, search

__all__ = ["Hit", "Page", "histogram", "resolve", "search"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from imager.search import hits, service

    return getattr(hits if name in ("Hit", "Page") else service, name)
