"""Idempotency keys: a request that is sent again under the same key gets the answer of the first.

Clients that lost an answer can't know whether what they asked was done. With `Idempotency-Key` (of their own making,
after draft-ietf-httpapi-idempotency-key-header) they send it again and it is done once: the answer of what succeeded is
kept for a day, for each member apart. One that is still being answered is waited for. The same key with another request
is refused. What failed did nothing, and may be tried again.

Before a request is answered, its key is written down. Should the server die before the answer is, nobody knows whether
it was done: then the key is answered with 409, rather than done twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from fastapi import Request, Response
from fastapi.routing import APIRoute

from imager.catalog.connection import fetch
from imager.library import Library
from imager.server.asking import Need
from imager.server.desks import Desks
from imager.server.problems import ProblemError

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
"""In answers that were given before."""

KEPT: Final = 86_400_000
"""Milliseconds for which an answer is kept."""

_LONGEST: Final = 255
_PATIENCE: Final = 30.0  # seconds that a request waits for another one under its key
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_OF_ANSWER: Final = ("content-type", "location", "etag")
_FIND: Final = "SELECT request, status, headers, body FROM answers WHERE member = ? AND key = ?"
_BEGIN: Final = (
    "INSERT INTO answers (member, key, request, status, headers, body, created) VALUES (?, ?, ?, 0, '', '', ?)"
)
_END: Final = "UPDATE answers SET status = ?3, headers = ?4, body = ?5 WHERE member = ?1 AND key = ?2"
_FORGET: Final = "DELETE FROM answers WHERE member = ? AND key = ?"
_OLD: Final = "DELETE FROM answers WHERE created < ?"

PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A text of your own making, up to 255 characters; the same request under the same key is done once "
    "and answered alike for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST},
    "example": "4f7d9a52-8f0e-4d5c-a5a7-0e6c1d0f6f5b",
}
"""How the description of the interface speaks of the header."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _Known(NamedTuple):
    request: bytes
    status: int
    headers: str
    body: str


class Once:
    """The requests that are being answered under a key just now. One of a server, on its event loop."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    async def answer(self, desks: Desks, member: str, key: str, request: Request, handler: Handler) -> Response:
        """Answer a request, or give the answer that it was given before."""
        digest = hashlib.sha256(
            b"\0".join((request.method.encode(), str(request.url.path).encode(), request.url.query.encode()))
            + b"\0"
            + await request.body()
        ).digest()
        name = member, key
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = lock, users + 1
        try:
            try:
                await asyncio.wait_for(lock.acquire(), _PATIENCE)
            except TimeoutError:
                raise _conflict("The first request under this key is still being answered. Ask again later.") from None
            try:
                return await self._answer(desks, name, digest, request, handler)
            finally:
                lock.release()
        finally:
            lock, users = self._locks[name]
            if users == 1:
                del self._locks[name]
            else:
                self._locks[name] = lock, users - 1

    async def _answer(
        self, desks: Desks, name: tuple[str, str], digest: bytes, request: Request, handler: Handler
    ) -> Response:
        known = await desks.owner("write", lambda library: _begin(library, name, digest))
        if known is not None:
            return _again(known, digest)
        answered = False
        try:
            response = await handler(request)
            if response.status_code < 400:
                body = bytes(response.body).decode()
                headers = json.dumps({k: v for k in _OF_ANSWER if (v := response.headers.get(k)) is not None})
                said = (*name, response.status_code, headers, body)
                await desks.owner("write", lambda library: _note(library, _END, said))
                answered = True
            return response
        except asyncio.CancelledError:
            answered = True  # what was asked of a desk is done all the same: it is not known
            raise
        finally:
            if not answered:
                await desks.owner("write", lambda library: _note(library, _FORGET, name))


class OnceRoute(APIRoute):
    """A route whose unsafe methods may be asked under a key: `APIRouter(route_class=OnceRoute)`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if not _SAFE.intersection(self.methods or ()):
            extra = dict(self.openapi_extra or {})
            self.openapi_extra = {**extra, "parameters": [*extra.get("parameters", ()), PARAMETER]}

    def get_route_handler(self) -> Handler:
        """The handler, which first looks whether it has answered that already."""
        original: Handler = super().get_route_handler()
        needs = [d.call for d in self.dependant.dependencies if isinstance(d.call, Need)]

        async def handler(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method in _SAFE or not needs:
                return await original(request)
            asker = await needs[0](request)  # nobody else is told of a member's answers
            shared = request.app.state.imager
            once: Once = shared.once
            return await once.answer(shared.desks, asker.member, _checked(key), request, original)

        return handler


def forget_old(library: Library) -> None:
    """Forget answers that were given more than a day ago."""
    _note(library, _OLD, (library.catalog.now() - KEPT,))


def _checked(key: str) -> str:
    key = key.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':  # a string of structured fields (RFC 9651)
        key = key[1:-1]
    if not 1 <= len(key) <= _LONGEST or not all("!" <= c <= "~" for c in key):
        raise ProblemError(
            422, "No such key", f"{HEADER} takes up to {_LONGEST} visible ASCII characters.", kind="idempotency-key"
        )
    return key


def _begin(library: Library, name: tuple[str, str], digest: bytes) -> _Known | None:
    """What is known under the key; where nothing is, that it was begun."""
    with library.catalog.transaction(durable=True) as db:
        now = library.catalog.now()
        db.execute("DELETE FROM answers WHERE member = ? AND key = ? AND created < ?", (*name, now - KEPT))
        rows = fetch(db, _FIND, name)
        if not rows:
            db.execute(_BEGIN, (*name, digest, now))
        return _Known(*rows[0]) if rows else None


def _note(library: Library, sql: str, bindings: tuple[Any, ...]) -> None:
    with library.catalog.transaction(durable=True) as db:
        db.execute(sql, bindings)


def _again(known: _Known, digest: bytes) -> Response:
    if known.request != digest:
        raise ProblemError(
            422, "Another request", "Another request was sent under this key before.", kind="idempotency-reused"
        )
    if known.status == 0:
        raise _conflict("The server ended while it answered this. Look whether it was done, then use another key.")
    headers = {**json.loads(known.headers), REPLAYED: "true", "Cache-Control": "no-store"}
    body = known.body if known.status != 204 else None
    return Response(body, known.status, headers)


def _conflict(text: str) -> ProblemError:
    return ProblemError(409, "Not known whether it was done", text, kind="idempotency-conflict")
