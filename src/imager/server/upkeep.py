"""What is due from time to time while a server runs: the trash is emptied, what is old is forgotten."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from imager.errors import ImagerError
from imager.server import trash
from imager.server.idempotency import forget_old
from imager.server.problems import ProblemError

if TYPE_CHECKING:
    from imager.server.state import State

EVERY: Final = 3_600.0
"""Seconds between two times."""

_FIRST: Final = 60.0  # seconds after the beginning: those who wait for the server come first

_log = logging.getLogger(__name__)


class Upkeep:
    """What is due. Used on the event loop."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work(), name="upkeep")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def once(self) -> None:
        """Do what is due now."""
        desks = self._state.desks
        await desks.owner("write", forget_old)
        if self._state.settings.trash_days > 0:
            erased = await trash.empty(desks, days=self._state.settings.trash_days)
            if erased:
                _log.info("erased %d pictures that were in the trash for long", erased)

    async def _work(self) -> None:
        await asyncio.sleep(_FIRST)
        while True:
            try:
                await self.once()
            except (ImagerError, ProblemError) as error:
                _log.warning("upkeep: %s", error)
            except Exception:  # noqa: BLE001 - what is due is due again later
                _log.exception("upkeep failed")
            await asyncio.sleep(EVERY)
