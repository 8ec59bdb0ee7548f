"""The door: turns the token of a session or key into who asks, for every request.

An answer is kept for a second, so that a page of two hundred thumbnails asks once; what is changed through this server
is forgotten at once, what is changed by a command on the same computer within that second. Every few minutes it notes
that a session or key is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from imager.catalog import Catalog
from imager.server.auth import keys, sessions, tokens
from imager.server.desks import Desks

if TYPE_CHECKING:
    from imager.server.asking import Asker

KEPT: Final = 1.0  # seconds
_MOST: Final = 10_000
_LONGEST: Final = 200  # characters of a token
_NOTED: Final = 5 * 60_000  # milliseconds


class Door:
    """Who asks. Used on the event loop alone."""

    def __init__(self, desks: Desks, *, days: int) -> None:
        self._desks = desks
        self._days = days
        self._known: dict[bytes, tuple[float, Asker]] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self._age = 0

    async def session(self, token: str) -> Asker | None:
        """Who has the session of that token."""
        return await self._asker(token, sessions.asker, lambda c, i: sessions.note(c, i, days=self._days))

    async def key(self, token: str) -> Asker | None:
        """On whose behalf that API key asks."""
        return await self._asker(token, keys.asker, keys.note) if token.startswith(tokens.KEY_PREFIX) else None

    def forget(self) -> None:
        """Forget all answers, since accounts, roles, sessions or keys have changed."""
        self._known.clear()
        self._age += 1

    async def _asker(
        self,
        token: str,
        look: Callable[[Catalog, str], tuple[Asker, int] | None],
        note: Callable[[Catalog, str], None],
    ) -> Asker | None:
        if len(token) > _LONGEST:
            return None
        kept = tokens.digest(token)
        now = time.monotonic()
        known = self._known.get(kept)
        if known is not None and known[0] > now:
            return known[1]
        age = self._age
        found, wall = await self._desks.owner(
            "door", lambda library: (look(library.catalog, token), library.catalog.now())
        )
        if found is None:
            self._known.pop(kept, None)
            return None
        asker, seen = found
        if age == self._age:  # nothing changed while we looked
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[kept] = (now + KEPT, asker)
        if wall - seen >= _NOTED:
            self._note(lambda catalog: note(catalog, asker.id))
        return asker

    def _note(self, note: Callable[[Catalog], None]) -> None:
        task = asyncio.ensure_future(self._desks.owner("write", lambda library: note(library.catalog)))
        self._noting.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._noting.discard(task)
        if not task.cancelled():
            task.exception()  # a note that could not be made is made the next time
