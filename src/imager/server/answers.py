"""Answers to those who look: JSON, and the entity tags by which a client learns that nothing has changed.

A tag comes from what an answer says (`tagged`), or, where making the answer is the work, from all that it follows from
(`followed`): the state of the library, who asks, what for, and on which day, since 'yesterday' moves.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any, Final, Protocol

from fastapi import Request, Response

from imager.library import Library
from imager.server.asking import Asker

FRESH: Final = "private, no-cache"
"""Kept by the asker's own browser only, and asked about before it is shown again."""

FOR_EVER: Final = "private, max-age=31536000, immutable"
"""What never changes under its address."""

SAME: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "The client has it already (`If-None-Match`)"}}
"""What routes say of that answer in their `responses=`."""

_RUN: Final = secrets.token_hex(6)
"""Tags of versions end with the process: another one may be of another Imager, or of a library taken from a backup."""


def as_json(value: Any) -> bytes:
    """A value as JSON in UTF-8: dataclasses as objects; what has no place in JSON (NaN, bytes of paths) replaced."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    return text.encode("utf-8", "replace")


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON that is kept nowhere unless the headers say so."""
    return Response(as_json(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def tagged(request: Request, value: Any) -> Response:
    """An answer in JSON with the tag of what it says, or 304 where the client has just that."""
    body = as_json(value)
    return matched(request, body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', "application/json")


class Desk(Protocol):
    """A desk of `Desks`, as one is asked: `desks.read`."""

    def __call__(
        self, asker: Asker, function: Callable[[Library], tuple[str, bytes | None]]
    ) -> Awaitable[tuple[str, bytes | None]]:
        """Run a function there."""


async def followed(
    request: Request,
    desk: Desk,
    asker: Asker,
    asked: tuple[object, ...],
    make: Callable[[Library], bytes],
    *,
    media_type: str = "application/json",
) -> Response:
    """An answer that follows from the library as it is and from what is asked; not made where the client has it."""

    def work(library: Library) -> tuple[str, bytes | None]:
        tag = version_tag(library, *asked)
        return tag, None if known(request, tag) else make(library)

    tag, body = await desk(asker, work)
    return matched(request, body, tag, media_type)


def matched(
    request: Request, body: bytes | None, etag: str, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The body under its tag; 304 where the client has it already, or there is no body since it has."""
    more = {"ETag": etag, "Cache-Control": FRESH, **(headers or {})}
    if body is None or known(request, etag):
        return Response(None, 304, more)
    return Response(body, 200, more, media_type)


def known(request: Request, etag: str) -> bool:
    """Whether the client says that it has this (`If-None-Match`, RFC 9110 section 13.1.2; compared weakly)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or any(_strong(tag) == _strong(etag) for tag in given.split(","))


def version_tag(library: Library, *asked: object) -> str:
    """The tag of an answer that follows from the library as it is now, who asks, today's date, and what is asked."""
    text = repr((library.principal, library.index.version, date.today(), asked))
    return f'"{_RUN}{hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()}"'


def _strong(tag: str) -> str:
    return tag.strip().removeprefix("W/")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _finite(value: Any) -> Any:
    """The value without numbers that JSON has no words for."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return _finite(_plain(value)) if is_dataclass(value) else value
