"""Searching: pages of hits, what may be meant by what is typed, and queries as text and as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from imager.errors import UsageError
from imager.library import Library
from imager.query import codec
from imager.query.error import QueryError
from imager.query.model import Query
from imager.query.printer import print_query
from imager.server import asked
from imager.server.answers import SAME, as_json, followed, json_answer
from imager.server.asked import LONGEST_CURSOR, LONGEST_TEXT, Asked, AtDesks, Reader
from imager.server.derivatives import versions_of
from imager.server.problems import documented
from imager.server.schemas.search import (
    Completions,
    Parsed,
    ParseRequest,
    Printed,
    PrintRequest,
    SearchPage,
    SearchRequest,
)

router = APIRouter(prefix="/api/v1", tags=["Search"])

MOST_HITS: Final = 500

_READ: Final = documented(401, 403, 422)


@router.get("/search", response_model=SearchPage, responses=_READ | SAME)
async def find(
    request: Request,
    query: Asked,
    asker: Reader,
    desks: AtDesks,
    limit: Annotated[int, Parameter(ge=1, le=MOST_HITS)] = 50,
    after: Annotated[
        str | None, Parameter(max_length=LONGEST_CURSOR, description="The `next` of the page before.")
    ] = None,
    facets: Annotated[bool, Parameter(description="Whether to count how all hits divide.")] = True,
) -> Response:
    """The pictures that meet a query, best first; without one all, newest first.

    A page's `next` is the `after` of what follows. Pages fit together exactly, even while pictures are added.
    """
    return await followed(
        request,
        desks.search,
        asker,
        ("search", query, limit, after, facets),
        lambda library: as_json(found(library, query, limit, after, facets=facets)),
    )


@router.post("/search", response_model=SearchPage, responses=_READ)
async def find_query(body: SearchRequest, asker: Reader, desks: AtDesks) -> Response:
    """The same for a query as JSON, or one that is too long for an address."""
    if body.query is not None and body.q:
        raise UsageError("Say which pictures either as 'q' or as 'query', not both.")
    query = asked.text(body.q) if body.query is None else asked.understood(body.query)
    after = None if body.after is None else asked.text(body.after)
    page = await desks.search(
        asker, lambda library: as_json(found(library, query, body.limit, after, facets=body.facets))
    )
    return Response(page, 200, {"Cache-Control": "no-store"}, "application/json")


def found(library: Library, query: Query | str, limit: int, after: str | None, *, facets: bool) -> dict[str, Any]:
    """A page of hits as the API shows it; GraphQL shows it, too."""
    try:
        page = library.search(query, limit=limit, after=after, facets=facets)
    except QueryError:
        raise
    except UsageError as error:  # which names it as the command line does
        raise UsageError(str(error).replace("--after", "'after'", 1)) from None
    versions = versions_of(library, [hit.id for hit in page.hits])
    hits = [{name: getattr(hit, name) for name in hit.__slots__} | {"v": versions.get(hit.id)} for hit in page.hits]
    return {"total": page.total, "chips": page.chips, "facets": page.facets, "hits": hits, "next": page.next}


@router.get("/search/complete", response_model=Completions, responses=_READ)
async def complete(
    asker: Reader,
    desks: AtDesks,
    q: Annotated[str, Parameter(max_length=LONGEST_TEXT, description="What is typed so far.", examples=["beach cam"])],
    cursor: Annotated[
        int | None, Parameter(ge=0, description="Where the cursor stands, in Unicode characters; else at the end.")
    ] = None,
    limit: Annotated[int, Parameter(ge=1, le=50)] = 10,
) -> Response:
    """What may be meant by a search that is still being typed: keys, values, names and words of the library."""
    typed = asked.text(q)
    offers = await desks.search(asker, lambda library: library.complete(typed, cursor, limit=limit))
    return json_answer({"completions": offers})


@router.post("/query/parse", response_model=Parsed, responses=_READ)
async def parse(body: ParseRequest, asker: Reader, desks: AtDesks) -> Response:
    """How a search that was typed is understood: as JSON, with a chip for each piece."""
    typed = asked.text(body.q)
    read = await desks.search(asker, lambda library: library.understood(typed))
    chips = [{"kind": chip.kind, "text": chip.text, "start": chip.start, "end": chip.end} for chip in read.chips]
    return json_answer({"query": codec.to_json(read.query), "chips": chips})


@router.post("/query/print", name="print", response_model=Printed, responses=_READ)
async def print_query_text(body: PrintRequest, asker: Reader) -> Response:  # noqa: ARG001 - somebody must ask
    """A query as people would type it."""
    return json_answer({"q": print_query(asked.understood(body.query))})
