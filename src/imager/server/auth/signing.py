"""Signing in with a password: slow on purpose, seldom, and the same to look at whether or not there is such a member.

Who guesses is held up twice: by address (`limits`), and by account, which after five wrong passwords takes none for a
while that doubles, a quarter of an hour at most. What is open stays open meanwhile.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from imager.catalog import Catalog
from imager.server import problems
from imager.server.auth import passwords, sessions

if TYPE_CHECKING:
    from imager.library import Library
    from imager.server.state import State

log = logging.getLogger("imager.server.signing")

BURST, PER_MINUTE = 10, 5.0
"""Tries that an address has at once, and then each minute."""

_FREE: Final = 5  # wrong passwords until none is taken for a while
_LONGEST: Final = 15 * 60  # seconds
_WAITING: Final = 20  # passwords that may wait to be looked at
_UNKNOWN: Final = 10_000  # names that are no members', of which failures are counted


class Signing:
    """Takes passwords, one at a time. Used on the event loop alone."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._waiting = 0
        self._unknown: OrderedDict[str, tuple[int, int]] = OrderedDict()

    async def sign_in(self, state: State, member: str, password: str, *, address: str, agent: str) -> str:
        """The token of a new session, or the problem why there is none: 401, 429, 503."""
        await self.check(state, member, password, address=address)
        days = state.settings.session_days
        return await state.desks.owner("write", lambda lib: sessions.begin(lib.catalog, member, days=days, agent=agent))

    async def check(self, state: State, member: str, password: str, *, address: str) -> None:
        """Return if that is the member's password; raise the problem otherwise."""
        who = network(address)
        state.limits.take("sign-in", who, burst=BURST, per_minute=PER_MINUTE)
        if self._waiting >= _WAITING:
            raise problems.of_status(503, "Too many are signing in just now.", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._one:  # so that many tries at once are counted one by one
                await self._check(state, member, password, who)
        finally:
            self._waiting -= 1
        state.limits.give_back("sign-in", who, burst=BURST)

    async def _check(self, state: State, member: str, password: str, who: str) -> None:
        encoded, disabled, failures, locked, now, known = await state.desks.owner(
            "door", lambda lib: _look_up(lib.catalog, member)
        )
        if not known:
            failures, locked = self._unknown.get(member, (0, 0))
        if locked > now:
            seconds = math.ceil((locked - now) / 1_000)
            raise problems.of_status(
                429, f"Too many wrong passwords. Try again in {seconds} s.", headers={"Retry-After": str(seconds)}
            )
        right = await asyncio.to_thread(passwords.right, encoded, password)
        if right and not disabled:
            anew = await asyncio.to_thread(passwords.hashed, password) if passwords.outdated(encoded or "") else None
            if failures or anew:
                await state.desks.owner("write", lambda lib: _succeeded(lib.catalog, member, encoded or "", anew))
            return
        failures += 1
        until = now + 1_000 * min(_LONGEST, 2 ** min(failures - _FREE + 1, 20)) if failures >= _FREE else 0
        if known:
            await state.desks.owner("write", lambda lib: _failed(lib, member, failures, until))
        else:
            self._unknown.pop(member, None)
            self._unknown[member] = (failures, until)
            if len(self._unknown) > _UNKNOWN:
                self._unknown.popitem(last=False)
        state.metrics.counts["imager_sign_in_failures_total"] += 1
        log.warning("sign-in failed", extra={"imager": {"address": who}})
        raise problems.ProblemError(401, "Not signed in", "The name or the password is wrong.", kind="wrong-password")


def network(address: str) -> str:
    """Whom an address stands for when tries are counted: of IPv6, the network, since each has very many of them."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def _look_up(catalog: Catalog, member: str) -> tuple[str | None, bool, int, int, int, bool]:
    row = catalog.db.execute(
        "SELECT password, disabled, failures, locked FROM accounts WHERE member = ?", (member,)
    ).fetchone()
    now = catalog.now()
    return (None, False, 0, 0, now, False) if row is None else (row[0], bool(row[1]), row[2], row[3], now, True)


def _failed(library: Library, member: str, failures: int, until: int) -> None:
    with library.catalog.transaction(durable=True) as db:
        db.execute("UPDATE accounts SET failures = ?, locked = ? WHERE member = ?", (failures, until, member))


def _succeeded(catalog: Catalog, member: str, encoded: str, anew: str | None) -> None:
    with catalog.transaction(durable=True) as db:
        db.execute("UPDATE accounts SET failures = 0, locked = 0 WHERE member = ?", (member,))
        if anew is not None:  # unless another password was set meanwhile
            db.execute("UPDATE accounts SET password = ? WHERE member = ? AND password = ?", (anew, member, encoded))
