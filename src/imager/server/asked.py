"""What a request asks for: the query that every list takes, as text or as JSON, and whoever asks it.

These are dependencies of routes. They are coroutines, though they await nothing: FastAPI would run plain functions in
another thread each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request
from fastapi import Query as Parameter
from pydantic.config import JsonDict

from imager.errors import UsageError
from imager.query import codec
from imager.query.model import Query
from imager.server import state
from imager.server.asking import Asker, need
from imager.server.desks import Desks

LONGEST_TEXT: Final = 4_000
"""Characters of a search that is typed."""

LONGEST_JSON: Final = 20_000
"""Characters of one as JSON in an address."""

LONGEST_CURSOR: Final = 16_384

EXAMPLE: Final = 'camera:fuji last summer -blurry "red door"'
EXAMPLE_JSON: Final[JsonDict] = {
    "version": 1,
    "where": {"all": [{"camera": "fuji"}, {"text": "red door", "match": "phrase"}]},
}


async def _desks(request: Request) -> Desks:
    return state.of(request).desks


Reader = Annotated[Asker, need("read")]
AtDesks = Annotated[Desks, Depends(_desks)]
AssetId = Annotated[
    str, Path(alias="id", description="Id of a picture.", examples=["6f1ed002-ab55-8591-9014-709e51c0d2c7"])
]


async def _asked(
    q: Annotated[
        str,
        Parameter(
            max_length=LONGEST_TEXT,
            description="Which pictures, as people type it; nothing: all that are present.",
            examples=[EXAMPLE],
        ),
    ] = "",
    query: Annotated[
        str | None,
        Parameter(
            max_length=LONGEST_JSON,
            description="The same as a JSON object, in place of `q`; see 'Searching' in the documentation.",
            examples=[json.dumps(EXAMPLE_JSON)],
        ),
    ] = None,
) -> Query | str:
    if query is None:
        return text(q)
    if q:
        raise UsageError("Say which pictures either as 'q' or as 'query', not both.")
    try:
        value = json.loads(query)
    except (ValueError, RecursionError):
        raise UsageError("'query' is no JSON.") from None
    return understood(value)


Asked = Annotated[Query | str, Depends(_asked)]
"""The query of a request."""


def text(typed: str) -> str:
    """A text as it came; UsageError for half of a character, which is in none."""
    whole(typed)
    return typed


def understood(value: Mapping[str, Any]) -> Query:
    """The query that a JSON value is; UsageError says where it is none."""
    whole(value)
    return codec.from_json(value)


def whole(value: Any) -> None:
    """Refuse, with a UsageError, a value of JSON that has half of a character somewhere: it could be kept nowhere."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UsageError("Texts are made of whole characters; this one has half of one.") from None
    except RecursionError:
        raise UsageError("This is nested too deep.") from None
