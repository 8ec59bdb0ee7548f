"""How GraphQL reads the library: each field asks a desk, as the one who sent the request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar, cast

import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader
from strawberry.printer import print_schema
from strawberry.scalars import JSON
from strawberry.types import ExecutionContext
from strawberry.types.nodes import SelectedField

from imager.catalog.identity import parse_id
from imager.errors import ImagerError, NotFoundError, UsageError
from imager.library import Library
from imager.query.model import Query as Condition
from imager.server import asked, problems
from imager.server.asking import Asker
from imager.server.desks import Desks
from imager.server.graphql import limits, types
from imager.server.graphql.limits import Budget
from imager.server.problems import ProblemError
from imager.server.routes import search as searching
from imager.server.routes import timeline as browsing

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

MOST: Final = 200
"""Pictures of one list."""

_FACETS: Final = 50  # what things cost that look at all that was found
_SEARCH: Final = 20
_PAGE: Final = 10

_log = logging.getLogger("imager.server")


class Context:
    """One request: who asks, the desks, and what it may still cost."""

    def __init__(self, asker: Asker, desks: Desks) -> None:
        self.asker, self.desks, self.budget = asker, desks, Budget()
        self.assets: DataLoader[str, types.Asset | None] = DataLoader(load_fn=self._load)

    async def read(self, function: Callable[[Library], T]) -> T:
        """Run a function at the desk for reading."""
        return await self.desks.read(self.asker, function)

    async def search(self, function: Callable[[Library], T]) -> T:
        """Run a function at the desk for searches."""
        return await self.desks.search(self.asker, function)

    async def _load(self, ids: list[str]) -> Sequence[types.Asset | None]:
        return await self.read(lambda library: [_shown(library, i) for i in ids])


Info = strawberry.Info[Context, None]


def _shown(library: Library, asset: str) -> types.Asset | None:
    """A picture; None where there is none, or none that the asker sees: nobody can tell which."""
    if parse_id(asset) is None:
        return None
    try:
        return types.Asset.shown(library.show(asset))
    except NotFoundError:
        return None


def _some(limit: int) -> int:
    if not 1 <= limit <= MOST:
        raise UsageError(f"A list has 1 to {MOST} pictures at a time.")
    return limit


def _condition(q: str, query: Any) -> Condition | str:
    if query is None:
        if len(q) > asked.LONGEST_TEXT:
            raise UsageError(f"A search has at most {asked.LONGEST_TEXT} characters.")
        return asked.text(q)
    if q:
        raise UsageError("Say which pictures either as 'q' or as 'query', not both.")
    return asked.understood(query)


def _field(description: str) -> Callable[[F], F]:
    """A field whose value is looked up when it is asked for."""
    return cast(Callable[[F], F], strawberry.field(description=description))


Text = Annotated[str, strawberry.argument(description="Which pictures, as people type it; nothing: all.")]
Query_ = Annotated[JSON | None, strawberry.argument(description="The same as JSON, in place of 'q'.")]
After = Annotated[str | None, strawberry.argument(description="The 'next' of the page before.")]


@strawberry.type(description="A picture that was found.")
class Hit:
    """A hit of a search."""

    id: strawberry.ID
    v: str | None
    path: str | None
    score: float
    why: list[types.Why]
    taken_at: str
    width: int | None
    height: int | None
    kind: str
    rating: int | None
    favourite: bool
    title: str | None
    thumbhash: str | None

    @_field("All that is known of it; null if it is gone just now.")
    async def asset(self, info: Info) -> types.Asset | None:
        """The picture."""
        return await _asset(info, self.id)


@strawberry.type(description="Some of the hits of a search, best first.")
class SearchPage:
    """A page of hits."""

    total: int
    chips: list[types.Chip]
    facets: list[types.Facet]
    hits: list[Hit]
    next: str | None


@strawberry.type(description="What a timeline shows of a picture.")
class TimelineRow:
    """A row of a timeline."""

    id: strawberry.ID
    v: str | None
    taken_at: str
    width: int | None
    height: int | None
    thumbhash: str | None
    kind: str
    rating: int | None
    favourite: bool

    @_field("All that is known of it; null if it is gone just now.")
    async def asset(self, info: Info) -> types.Asset | None:
        """The picture."""
        return await _asset(info, self.id)


@strawberry.type(description="Pictures, newest first; 'older' goes to 'after', 'newer' to 'before'.")
class TimelinePage:
    """A page of a timeline."""

    rows: list[TimelineRow]
    older: str | None
    newer: str | None


@strawberry.type(description="A picture in an album.")
class AlbumPicture:
    """A picture in an album."""

    id: strawberry.ID

    @_field("All that is known of it; null if it is gone just now.")
    async def asset(self, info: Info) -> types.Asset | None:
        """The picture."""
        return await _asset(info, self.id)


@strawberry.type(description="Pictures of an album, in its order.")
class AlbumPage:
    """A page of an album."""

    pictures: list[AlbumPicture]
    next: str | None


@strawberry.type(description="An album.")
class Album:
    """An album."""

    id: strawberry.ID
    name: str
    path: list[str]
    description: str | None
    smart: bool
    query: str | None
    count: int | None
    cover: strawberry.ID | None

    @_field("Its pictures.")
    async def pictures(self, info: Info, limit: int = 50, after: After = None) -> AlbumPage:
        """A page of its pictures."""
        info.context.budget.spend(_PAGE, rows=_some(limit), fields=len(_selected(info)))
        beside = None if after is None else asked.text(after)
        page = await info.context.search(lambda library: library.album(self.id, limit=limit, after=beside))
        return AlbumPage(pictures=[AlbumPicture(id=one["id"]) for one in page["pictures"]], next=page["next"])


@strawberry.type(description="What can be read.")
class Query:
    """The fields at the top."""

    @_field("A picture by its id; null where there is none that you see.")
    async def asset(self, info: Info, id: strawberry.ID) -> types.Asset | None:  # noqa: A002 - as GraphQL calls it
        """A picture."""
        return await _asset(info, id)

    @_field("The pictures that meet a query, best first.")
    async def search(
        self, info: Info, q: Text = "", query: Query_ = None, limit: int = 50, after: After = None
    ) -> SearchPage:
        """A page of hits."""
        condition, selected = _condition(q, query), _selected(info)
        beside, facets = None if after is None else asked.text(after), "facets" in selected
        info.context.budget.spend(_SEARCH + _FACETS * facets, rows=_some(limit), fields=len(selected))
        page = await info.context.search(
            lambda library: searching.found(library, condition, limit, beside, facets=facets)
        )
        return SearchPage(
            total=page["total"],
            chips=[types.of(types.Chip, chip) for chip in page["chips"]],
            facets=[
                types.Facet(name=name, values=[types.of(types.FacetValue, value) for value in values])
                for name, values in page["facets"].items()
            ],
            hits=[
                types.of(Hit, {**hit, "why": [types.of(types.Why, why) for why in hit["why"]]}) for hit in page["hits"]
            ],
            next=page["next"],
        )

    @_field("A page of a query's pictures, newest first: the newest, or those beside a place.")
    async def timeline(
        self,
        info: Info,
        q: Text = "",
        query: Query_ = None,
        after: str | None = None,
        before: str | None = None,
        at: str | None = None,
        limit: int = 50,
    ) -> TimelinePage:
        """A page of a timeline."""
        condition = _condition(q, query)
        places = {"after": after, "before": before, "at": at}
        for place in places.values():
            asked.text(place or "")
        info.context.budget.spend(_PAGE, rows=_some(limit), fields=len(_selected(info)))
        page = await info.context.read(lambda library: browsing.page_of(library, condition, limit=limit, **places))
        rows = [types.of(TimelineRow, row) for row in page["rows"]]
        return TimelinePage(rows=rows, older=page["older"], newer=page["newer"])

    @_field("How many pictures were taken in each month, newest first.")
    async def months(self, info: Info, q: Text = "", query: Query_ = None) -> list[types.Count]:
        """Counts by month."""
        condition = _condition(q, query)
        return await _counts(info, lambda library: [(c.month, c.count) for c in library.months(condition)])

    @_field("How many pictures were taken on each day, newest first.")
    async def days(self, info: Info, q: Text = "", query: Query_ = None) -> list[types.Count]:
        """Counts by day."""
        condition = _condition(q, query)
        return await _counts(info, lambda library: [(c.day, c.count) for c in library.days(condition)])

    @_field("How many pictures were taken in each year, newest first.")
    async def years(self, info: Info, q: Text = "", query: Query_ = None) -> list[types.Count]:
        """Counts by year."""
        condition = _condition(q, query)
        return await _counts(info, lambda library: [(c.year, c.count) for c in library.years(condition)])

    @_field("All albums that you see, each followed by what is nested in it.")
    async def albums(self, info: Info) -> list[Album]:
        """All albums."""
        info.context.budget.spend(_FACETS)
        found = await info.context.search(lambda library: library.albums())
        info.context.budget.spend(0, rows=len(found), fields=len(_selected(info)))
        return [types.of(Album, album) for album in found]

    @_field("An album by its id; null where there is none that you see.")
    async def album(self, info: Info, id: strawberry.ID) -> Album | None:  # noqa: A002 - as GraphQL calls it
        """An album."""
        info.context.budget.spend(_PAGE)
        if parse_id(id) is None:
            return None
        try:
            return types.of(Album, await info.context.search(lambda library: library.album(id, limit=1)))
        except NotFoundError:
            return None

    @_field("What you see of the library, in figures.")
    async def stats(self, info: Info) -> types.Stats:
        """Figures."""
        info.context.budget.spend(_FACETS)
        return types.Stats.counted(await info.context.search(lambda library: library.stats()))


async def _asset(info: Info, asset: str) -> types.Asset | None:
    info.context.budget.spend(1)
    return await info.context.assets.load(asset)


async def _counts(info: Info, function: Callable[[Library], list[tuple[str, int]]]) -> list[types.Count]:
    info.context.budget.spend(_PAGE)
    found = await info.context.read(function)
    info.context.budget.spend(0, rows=len(found), fields=len(_selected(info)))
    return [types.Count(value=value, count=count) for value, count in found]


def _selected(info: Info) -> list[str]:
    """The names of all fields that are asked for below this one, each as often as it is; fragments are looked into."""
    names: list[str] = []
    waiting = [selection for chosen in info.selected_fields for selection in chosen.selections]
    while waiting:
        selection = waiting.pop()
        if isinstance(selection, SelectedField):
            names.append(selection.name)
        waiting += selection.selections
    return names


# ── the schema, and what it answers ─────────────────────────────────────────────────────────────────────────────


class _Schema(strawberry.Schema):
    def process_errors(
        self,
        errors: list[GraphQLError],
        execution_context: ExecutionContext | None = None,  # noqa: ARG002 - it has the document
    ) -> None:
        """Log what is our fault and nothing else: what people ask for does not belong into logs."""
        for error in errors:
            if error.original_error is not None and _problem(error).status == 500:
                _log.error("a GraphQL field failed", exc_info=error.original_error)


_SCHEMA: Final = _Schema(query=Query, config=types.CONFIG)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gave: its data, None where there is none, and what went wrong."""

    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)


async def execute(
    asker: Asker, desks: Desks, document: str, *, variables: dict[str, Any] | None = None, operation: str | None = None
) -> Answer:
    """What a document asks for, as the asker sees it. What goes wrong is told within the answer."""
    try:
        asked.text(document)
        asked.whole([variables, operation])
        limits.measured(document)
    except UsageError as error:
        return Answer(errors=[{"message": str(error)}])
    except GraphQLError as error:
        return Answer(errors=[_told(error)])
    result = await _SCHEMA.execute(
        document, variable_values=variables, context_value=Context(asker, desks), operation_name=operation
    )
    return Answer(result.data, [_told(error) for error in result.errors or ()])


def printed() -> str:
    """The schema in GraphQL's own language."""
    return print_schema(_SCHEMA)


def _told(error: GraphQLError) -> dict[str, Any]:
    """An error as its answer tells it: what is wrong with the request, or the problem that a field met."""
    told: dict[str, Any] = {"message": error.message}
    if error.original_error is not None:
        problem = _problem(error)
        known = {"type": f"/problems/{problem.kind}", "status": problem.status}
        told = {"message": problem.detail, "extensions": known | problem.more}
    if error.locations:
        told["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        told["path"] = error.path
    return told


def _problem(error: GraphQLError) -> ProblemError:
    cause = error.original_error
    if isinstance(cause, ImagerError | ProblemError):
        return problems.of(cause)
    return problems.of_status(500)
