"""Batch operations: the same thing said of many pictures, as a job that one undo takes back.

The pictures are those that are named, or all that a query finds when it is asked. They are edited in transactions of
about a tenth of a second, so that what others say gets in between; whether the asker may edit a picture is asked in the
transaction that does it. How far the job is stands in the same transaction: killed at any moment, its row says what was
done and under which batch.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from imager import access
from imager.catalog.albums import MEMBER
from imager.catalog.connection import fetch, many
from imager.catalog.identity import parse_id
from imager.errors import UsageError
from imager.library import Library
from imager.query.model import Query
from imager.server import saying
from imager.server.jobs import Job, Jobs, Work, patiently
from imager.server.saying import Said

if TYPE_CHECKING:
    from imager.server.asking import Asker
    from imager.server.desks import Desks

Action = Literal["set", "tag", "untag", "trash", "restore", "album_add", "album_remove", "private"]

_SECONDS: Final = 0.08  # that a transaction should take
_FIRST: Final = 50  # pictures in the first one
_MOST: Final = 2_000
_INSIDE: Final = """SELECT x.asset FROM carray(?1) AS wanted CROSS JOIN albums AS b ON b.id = ?2
CROSS JOIN album_assets AS x ON x.asset = wanted.value AND x.album = b.album"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done, and with which pictures: by their ids, or all that a query finds."""

    action: Action
    ids: tuple[str, ...] | None = None
    query: Query | str | None = None
    field: str | None = None
    value: Any = None
    tags: tuple[str, ...] = ()
    album: str | None = None


def said(library: Library, asked: Asked) -> list[Said]:
    """What is said of each of the pictures; UsageError, NotFoundError and ForbiddenError as for one picture."""
    author = library.principal.member
    match asked.action:
        case "set":
            if asked.field is None:
                raise UsageError("Name the field that is to be set.")
            return [saying.of_field(asked.field, asked.value, author)]
        case "trash" | "restore":
            return [saying.of_field("trashed", True if asked.action == "trash" else None, author)]
        case "private":
            return [saying.of_field("private", True if asked.value is None else asked.value, author)]
        case "tag" | "untag":
            if not asked.tags:
                raise UsageError("Name at least one tag.")
            return [saying.of_tag(name, put=asked.action == "tag") for name in asked.tags]
        case "album_add" | "album_remove":
            if asked.album is None:
                raise UsageError("Name the album.")
            return [saying.of_album(library, asked.album, put=asked.action == "album_add")]


def chosen(library: Library, asked: Asked) -> list[int]:
    """The pictures (by number) that are meant, of those that the asker sees; each once. At the desk for searches."""
    if (asked.ids is None) == (asked.query is None):
        raise UsageError("Say either 'ids' or 'query'.")
    if asked.ids is None:
        return library._chosen(asked.query or "", None)
    wanted = [own for text in asked.ids if (own := parse_id(text)) is not None]
    numbers = dict.fromkeys(a for a in map(library.catalog.resolve, wanted) if a is not None)
    return [a for a in numbers if access.may(library.principal, "view", library.catalog, asset=a)]


async def begin(jobs: Jobs, desks: Desks, asker: Asker, asked: Asked, described: dict[str, Any]) -> dict[str, Any]:
    """Begin the job; it as JSON. What is wrong with what is asked is said before."""
    await desks.write(asker, lambda library: said(library, asked))
    numbers = await desks.search(asker, lambda library: chosen(library, asked))
    return await jobs.begin(asker, "batch", described, _work(desks, asked, numbers, jobs.advance))


def _work(desks: Desks, asked: Asked, numbers: Sequence[int], tell: Callable[[Job], Awaitable[None]]) -> Work:
    async def work(job: Job) -> None:
        job.total, at, size = len(numbers), 0, _FIRST
        job.result = {"changed": 0, "skipped": 0 if asked.ids is None else len(set(asked.ids)) - len(numbers)}
        while at < len(numbers) and not job.stopping:
            some = numbers[at : at + size]
            step = partial(_step, job=job, asked=asked, some=some)
            job.batch, job.result, seconds = await patiently(partial(desks.write, job.asker, step))
            job.done = at = at + len(some)
            size = max(1, min(_MOST, 2 * size, int(len(some) * _SECONDS / max(seconds, 0.001))))
            await tell(job)

    return work


def _step(library: Library, *, job: Job, asked: Asked, some: Sequence[int]) -> tuple[str | None, dict[str, Any], float]:
    """Say it of some of the pictures; the batch, the result, and how many seconds the transaction took."""
    catalog, started = library.catalog, time.monotonic()
    batch, result = job.batch, dict(job.result)
    with catalog.transaction(durable=True) as db:
        meant = said(library, asked)  # again: the album may be gone by now, or the asker's role
        statements = []
        settled = _settled(library, meant, some)
        for asset in some:
            if not all(saying.may_say(library, asset, one) for one in meant):
                result["skipped"] += 1
            elif asset not in settled and (made := saying.statements(library, asset, meant)):
                statements += made
                result["changed"] += 1
        if statements:
            statements = [*saying.naming(library, meant), *statements]
            names = catalog.name_and_say(statements, author=library.principal.member, batch=batch)
            batch = batch or names[0]
        job.note_within(db, job.done + len(some), batch, result)
    return batch, result, time.monotonic() - started


def _settled(library: Library, meant: Sequence[Said], some: Sequence[int]) -> set[int]:
    """Pictures of which nothing need be said, since they are in the album, or out of it, already."""
    if meant[0].field != MEMBER:
        return set()
    found = {a for (a,) in fetch(library.catalog.db, _INSIDE, (many(some), bytes.fromhex(meant[0].element)))}
    return found if meant[0].value else set(some) - found
