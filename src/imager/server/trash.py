"""The trash: what is in it, and its end. Emptying it erases from the library; files on the disk stay where they are.

How long a picture has been in the trash is how long ago the last edit said so that still stands. What is erased is gone
for good, so it is done by owners of the library, or by the server once the retention is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from imager import access, editing
from imager.catalog import Catalog
from imager.catalog.clock import parse
from imager.catalog.connection import fetch, many
from imager.catalog.identity import parse_id
from imager.errors import ForbiddenError, NotFoundError
from imager.library import Library
from imager.server.jobs import Job, Jobs, patiently

if TYPE_CHECKING:
    from imager.server.asking import Asker
    from imager.server.desks import Desks

DAY: Final = 86_400_000  # milliseconds

_AT_ONCE: Final = 10  # pictures that are erased before others get in between
_TRASHED: Final = "SELECT a.asset FROM assets AS a WHERE a.state = 'trashed' ORDER BY a.taken_at DESC"
_IS_TRASHED: Final = "SELECT 1 FROM assets AS a WHERE a.asset = ? AND a.state = 'trashed'"
_SAID: Final = """SELECT max(e.clock) FROM carray(?) AS wanted
CROSS JOIN edits AS e ON e.target = wanted.value AND e.field = 'trashed' AND e.value = 'true'
WHERE NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)"""


def since(catalog: Catalog, asset: int) -> int | None:
    """When a picture was put into the trash, in milliseconds since 1970; None where nobody says so."""
    clock = catalog.db.execute(_SAID, (many(catalog.joined(asset)),)).get
    return None if clock is None else parse(clock).milliseconds


def expired(library: Library, *, days: int) -> list[int]:
    """The pictures that have been in the trash for more than so many days, whoever's they are."""
    edge = library.catalog.now() - days * DAY
    in_trash = [asset for (asset,) in fetch(library.catalog.db, _TRASHED)]
    return [a for a in in_trash if (at := since(library.catalog, a)) is not None and at < edge]


async def empty(desks: Desks, *, days: int) -> int:
    """Erase what has been in the trash for more than so many days: the server's own work. How many pictures."""
    numbers = await desks.owner("read", lambda library: expired(library, days=days))
    erased = 0
    for start in range(0, len(numbers), _AT_ONCE):
        step = partial(_erase_expired, some=numbers[start : start + _AT_ONCE], days=days)
        erased += await patiently(partial(desks.owner, "ingest", step))
    if erased:
        await patiently(partial(desks.owner, "ingest", lambda library: editing.scrub(library.catalog)))
    return erased


async def purge(
    jobs: Jobs, desks: Desks, asker: Asker, *, ids: Sequence[str] | None, days: int | None
) -> dict[str, Any]:
    """Begin to erase pictures that are in the trash: these, or all that have been in it for so many days. The job."""
    numbers = await desks.read(asker, lambda library: _named(library, ids, days))

    async def work(job: Job) -> None:
        job.total, job.result = len(numbers), {"erased": 0, "skipped": 0}
        try:
            while job.done < len(numbers) and not job.stopping:
                some = numbers[job.done : job.done + _AT_ONCE]
                erased = await patiently(partial(desks.ingest, asker, partial(_erase, some=some)))
                job.done += len(some)
                job.result["erased"] += erased
                job.result["skipped"] += len(some) - erased
                await jobs.advance(job)
        finally:
            if job.result["erased"]:
                await patiently(partial(desks.owner, "ingest", lambda library: editing.scrub(library.catalog)))

    asked = {"pictures": len(ids)} if ids is not None else {"days": days}
    return await jobs.begin(asker, "purge", asked, work)


def _named(library: Library, ids: Sequence[str] | None, days: int | None) -> list[int]:
    """The pictures that are meant; the asker has to own the library, and see them. All of these are in the trash."""
    if not access.may(library.principal, "manage", library.catalog):
        raise ForbiddenError("Only an owner of the library may do that.")
    if ids is None:
        found = expired(library, days=days or 0)
        return [a for a in found if access.may(library.principal, "manage", library.catalog, asset=a)]
    numbers: dict[int, None] = {}
    for text in ids:
        asset = None if parse_id(text) is None else library.find(text)
        if asset is None or library.catalog.db.execute(_IS_TRASHED, (asset,)).get is None:
            raise NotFoundError(f"There is no picture {text[:60]} in the trash.")
        numbers[asset] = None
    return list(numbers)


def _erase(library: Library, *, some: Sequence[int]) -> int:
    """Erase those of these pictures that are still in the trash, and that the asker still may erase. How many."""
    erased = 0
    for asset in some:
        if library.catalog.db.execute(_IS_TRASHED, (asset,)).get is None:
            continue
        if access.may(library.principal, "manage", library.catalog, asset=asset):
            editing.bury(library.catalog, library.store, asset, author=library.principal.member)
            erased += 1
    return erased


def _erase_expired(library: Library, *, some: Sequence[int], days: int) -> int:
    """Erase those of these pictures that are still due. How many."""
    erased = 0
    for asset in some:
        at = since(library.catalog, asset)
        in_trash = library.catalog.db.execute(_IS_TRASHED, (asset,)).get is not None
        if in_trash and at is not None and at < library.catalog.now() - days * DAY:
            editing.bury(library.catalog, library.store, asset)
            erased += 1
    return erased
