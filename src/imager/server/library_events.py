"""What happened to pictures and albums, found out from the catalog: whoever changed it, in whichever process.

The catalog counts its transactions, and pictures and albums carry the number of the last one that touched them. While
somebody listens, that number is looked at twice a second; where it moved, what carries a later one is told, and how far
was told is written down (`told`). So nothing is told twice on purpose, and nothing is left out because nobody listened,
the server was not running, or another program made the change. More than a few hundred at once are told as one event,
`library.changed`: whoever shows pictures asks for the months that changed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from imager.catalog.connection import fetch
from imager.catalog.identity import format_id
from imager.errors import ImagerError
from imager.library import Library
from imager.server.problems import ProblemError

if TYPE_CHECKING:
    from imager.server.desks import Desks
    from imager.server.events import Events

PAUSE: Final = 0.5
"""Seconds between two looks."""

MANY: Final = 500
"""More pictures than that, changed between two looks, are told as one event."""

_NOW: Final = "SELECT changes, assets FROM library"
_TOLD: Final = "SELECT changes, assets FROM told"
_BEGIN: Final = "INSERT INTO told (changes, assets) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM told)"
_TELL: Final = "UPDATE told SET changes = ?, assets = ?"
_CHANGED: Final = """SELECT a.id, a.asset > ?2, a.state FROM assets AS a WHERE a.changed > ?1
ORDER BY a.changed, a.asset LIMIT ?3"""
_HIDDEN: Final = """SELECT a.id, a.private FROM hidden AS h CROSS JOIN assets AS a ON a.asset = h.asset
WHERE h.changed > ?1 AND h.asset <= ?2 AND a.private IS NOT NULL"""
_DEPARTED: Final = """SELECT d.id, d.private FROM departed AS d
WHERE d.changed > ?1 AND d.asset <= ?2 AND d.id IS NOT NULL LIMIT ?3"""
_ALBUMS: Final = "SELECT b.id, b.deleted FROM albums AS b WHERE b.changed > ? AND b.name IS NOT NULL"
_FORGET: Final = (
    "UPDATE departed SET id = NULL, private = NULL WHERE changed <= ? AND id IS NOT NULL",
    "DELETE FROM hidden WHERE changed <= ?",
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that is to be told; `to` alone, where that is not None."""

    kind: str
    data: dict[str, Any]
    asset: bytes | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What happened since it was last told, and up to where that is."""

    happened: list[Happened]
    changes: int
    assets: int


class Follower:
    """Looks at the catalog while somebody listens. Used on the event loop."""

    def __init__(self, desks: Desks, events: Events, *, pause: float = PAUSE) -> None:
        """`pause`: seconds between two looks."""
        self._desks = desks
        self._events = events
        self._pause = pause
        self._listening = 0
        self._somebody = asyncio.Event()
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """From now on."""
        await self._desks.owner("write", _begin)
        self._task = asyncio.create_task(self._follow(), name="library-events")

    async def stop(self) -> None:
        """No more."""
        if self._task is not None:
            async with self._looking:  # what was told is noted
                self._task.cancel()
            await asyncio.wait([self._task])

    async def arrive(self) -> None:
        """Somebody listens from now on; what happened while nobody did has been told when this returns."""
        self._listening += 1
        self._somebody.set()
        await self.look()

    def leave(self) -> None:
        """Somebody does not listen any more."""
        self._listening -= 1
        if not self._listening:
            self._somebody.clear()

    async def look(self) -> None:
        """Tell what happened since the last look."""
        async with self._looking:
            if not await self._desks.owner("read", _moved):
                return
            news = await self._desks.owner("write", _news)
            for one in news.happened:
                self._events.publish(one.kind, one.data, asset=one.asset, member=one.to)
            # Before it is noted that they were told: cut off in between, they are told twice rather than never.
            await self._events.write()
            await self._desks.owner("write", lambda library: _told(library, news))

    async def _follow(self) -> None:
        while True:
            await self._somebody.wait()
            try:
                await self.look()
            except (ImagerError, ProblemError) as error:
                _log.warning("what happened could not be looked up: %s", error)
            except Exception:  # noqa: BLE001 - the next look may go well
                _log.exception("what happened could not be looked up")
            await asyncio.sleep(self._pause)


def _begin(library: Library) -> None:
    """What happened before anybody ever served this library is told to nobody."""
    with library.catalog.transaction(durable=True) as db:
        db.execute(_BEGIN, db.execute(_NOW).fetchone())


def _moved(library: Library) -> bool:
    db = library.catalog.db
    moved: bool = fetch(db, _NOW)[0][0] != fetch(db, _TOLD)[0][0]
    return moved


def _news(library: Library) -> News:
    """What happened since. At the desk for writing, so that no number is given meanwhile that is not seen."""
    with library.catalog.transaction(durable=False) as db:
        ((changes, assets),), ((told, highest),) = fetch(db, _NOW), fetch(db, _TOLD)
        if changes < told:  # a backup was put in its place
            told, highest = changes, assets
        changed = fetch(db, _CHANGED, (told, highest, MANY + 1))
        gone = fetch(db, _DEPARTED, (told, highest, MANY + 1))
        hidden = fetch(db, _HIDDEN, (told, highest))
        albums = fetch(db, _ALBUMS, (told,))
    happened: list[Happened] = []
    if len(changed) + len(gone) + len(hidden) > MANY:
        happened.append(Happened("library.changed", {}))
    else:
        # Hidden first: who may still see it learns by the change that follows that it is there.
        happened += [Happened("asset.removed", {"id": format_id(own), "private": whose}) for own, whose in hidden]
        happened += [Happened("asset.removed", {"id": format_id(own)}, to=whose) for own, whose in gone]
        for own, new, state in changed:
            kind = "asset.added" if new else "asset.changed"
            happened.append(Happened(kind, {"id": format_id(own), "state": state}, asset=own))
    happened += [Happened("album.changed", {"id": format_id(own), "deleted": bool(deleted)}) for own, deleted in albums]
    return News(happened, changes, assets)


def _told(library: Library, news: News) -> None:
    with library.catalog.transaction(durable=True) as db:
        db.execute(_TELL, (news.changes, news.assets))
        for statement in _FORGET:
            db.execute(statement, (news.changes,))
