"""Searches, what they find, and how they are understood."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from imager.server.asked import EXAMPLE, EXAMPLE_JSON, LONGEST_CURSOR, LONGEST_TEXT

QueryJson = dict[str, Any]

_QUERY: JsonDict = {"type": "object", "title": "Query", "examples": [EXAMPLE_JSON]}
_MEANS = 'A query as JSON, `{"version": 1, "where": CONDITION, "sort": "newest"}`: \'Searching\' explains it.'
_PLACE = "Counted in Unicode characters of the text (code points)."


class SearchRequest(BaseModel):
    """What to search for: `q` as people type it, or `query` as JSON; neither: all pictures, newest first."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"q": EXAMPLE, "limit": 50}, {"query": EXAMPLE_JSON, "facets": False}]},
    )

    q: str = Field(default="", max_length=LONGEST_TEXT)
    query: QueryJson | None = Field(default=None, description=_MEANS, json_schema_extra=_QUERY)
    limit: int = Field(default=50, ge=1, le=500)
    after: str | None = Field(
        default=None, max_length=LONGEST_CURSOR, description="The `next` of the page before, of the same query."
    )
    facets: bool = Field(default=True, description="Whether to count how all hits divide.")


class Chip(BaseModel):
    """A piece of what was typed, as it was understood."""

    kind: str = Field(description="A kind of condition, or `corrected`: a word in place of a misspelt one.")
    text: str
    start: int | None = Field(default=None, description=_PLACE)
    end: int | None = None
    instead_of: str | None = Field(default=None, description="Of `corrected`: the word that nothing has.")


class FacetValue(BaseModel):
    """One value, how many hits have it, and what to add to the search for just those."""

    value: str
    count: int
    query: str | None


class Why(BaseModel):
    """What a picture was found by."""

    channel: str = Field(description="`words`, `forgiving` (similar words) or `colour`.")
    field: str | None = None
    words: list[str] | None = None
    colour: str | None = None
    share: float | None = None


class Hit(BaseModel):
    """A picture that was found."""

    id: str
    v: str | None = Field(description="For addresses of its derivatives that never change: `?v=`.")
    path: str | None = Field(description="Of a file of it: told to owners of the library alone.")
    score: float
    why: list[Why]
    taken_at: str
    width: int | None
    height: int | None
    kind: str
    rating: int | None
    favourite: bool
    title: str | None
    thumbhash: str | None = Field(description="In base64.")


class SearchPage(BaseModel):
    """Some of the hits, best first. `next` asks for those after them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "total": 1,
                    "chips": [{"kind": "camera", "text": "fuji", "start": 0, "end": 11}],
                    "facets": {"years": [{"value": "2021", "count": 1, "query": "date:2021"}]},
                    "hits": [
                        {
                            "id": "6f1ed002-ab55-8591-9014-709e51c0d2c7",
                            "v": "6f1ed002ab559585",
                            "path": None,
                            "score": 1.0,
                            "why": [{"channel": "words", "field": "camera", "words": ["fuji"]}],
                            "taken_at": "2021-08-14T18:03:12+01:00",
                            "width": 6000,
                            "height": 4000,
                            "kind": "image",
                            "rating": 4,
                            "favourite": True,
                            "title": "Evening at the harbour",
                            "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    total: int = Field(description="How many pictures are found in all.")
    chips: list[Chip]
    facets: dict[str, list[FacetValue]] = Field(description="How all of them divide; empty if not asked for.")
    hits: list[Hit]
    next: str | None


class Completion(BaseModel):
    """What may be meant: `text` in place of what stands from `start` to `end`."""

    text: str
    start: int = Field(description=_PLACE)
    end: int
    label: str = Field(description="The same for people.")
    kind: str = Field(description="`key`, `value`, `word`, or what it names: `tag`, `person`, `place`, `album` …")
    count: int | None = Field(description="Pictures that have it, where that is known.")


class Completions(BaseModel):
    """What may be meant, likeliest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "completions": [
                        {"text": "camera:", "start": 6, "end": 9, "label": "camera:", "kind": "key", "count": None}
                    ]
                }
            ]
        }
    )

    completions: list[Completion]


class ParseRequest(BaseModel):
    """A search as people type it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"q": EXAMPLE}]})

    q: str = Field(max_length=LONGEST_TEXT)


class Parsed(BaseModel):
    """How a search is understood: as JSON, and piece by piece."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": {"version": 1, "where": {"camera": "fuji"}, "sort": "relevance"},
                    "chips": [{"kind": "camera", "text": "fuji", "start": 0, "end": 11}],
                }
            ]
        }
    )

    query: QueryJson = Field(description=_MEANS, json_schema_extra=_QUERY)
    chips: list[Chip]


class PrintRequest(BaseModel):
    """A query as JSON."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"query": EXAMPLE_JSON}]})

    query: QueryJson = Field(description=_MEANS, json_schema_extra=_QUERY)


class Printed(BaseModel):
    """A query as people would type it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"q": 'camera:fuji "red door"'}]})

    q: str
