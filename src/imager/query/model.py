"""The one `Query`: whatever lists pictures (search, timeline, album, smart album, export, API) takes one.

A query is a condition and an order. Conditions are small immutable values; this module says what each means, and
nothing else: `codec` writes them as JSON, `text` reads and prints what people type, `imager.search` finds the
pictures. Texts are compared without case and without diacritics, word by word, as full text is (`imager.search.words`):
a *word* is a run of letters and digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from imager import facts

VERSION: Final = 1
"""Of the JSON. A later version reads all earlier ones."""

TextField = Literal["name", "folder", "title", "caption", "tags", "people", "place", "camera", "creator"]
"""Where words stand; the columns of the full text, in this order."""

TEXT_FIELDS: Final[tuple[TextField, ...]] = (
    "name",
    "folder",
    "title",
    "caption",
    "tags",
    "people",
    "place",
    "camera",
    "creator",
)


@dataclass(frozen=True, slots=True)
class Text:
    """Words to be found in the text of a picture.

    `word`: the words stand side by side in this order, in one field (one word: it stands there); `prefix`: the same,
    the last one only by its beginning; `inside`: `text` stands somewhere inside one word (`*ccl*`, and scripts that are
    written without spaces); `phrase`: as `word`, and it ranks as exact: people put it in quotes.
    """

    text: str
    match: Literal["word", "prefix", "inside", "phrase"] = "word"
    field: TextField | None = None  # None: in any


@dataclass(frozen=True, slots=True)
class Date:
    """Taken from `start` up to, not including, `end`: milliseconds since 1970 by the clock on the wall. None: open."""

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class OnDay:
    """Taken on that day of any year; day None: in that month of any year."""

    month: int  # 1 to 12
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """By the name of something that the picture has.

    `camera` ("make model"), `lens` and `creator`: the words of `name` stand side by side in it, the last one by its
    beginning (fuji finds FUJIFILM). `place`: the words stand side by side, whole, in the place's name, city, region or
    country, or it is the country's code. `person`: the whole name of a person. `kind`: exactly.
    """

    what: Literal["camera", "lens", "place", "person", "kind", "creator"]
    name: str


@dataclass(frozen=True, slots=True)
class Tag:
    """Has the tag (its full name, levels joined by '|', or the name of any level's last part), or one below it."""

    name: str
    children: bool = True


@dataclass(frozen=True, slots=True)
class Album:
    """In the album (its id as hex, or its name; several may have it) or in one nested in it."""

    album: str


@dataclass(frozen=True, slots=True)
class Near:
    """At most so far from a position (degrees, WGS 84; great circle on a sphere of 6,371.0088 km)."""

    latitude: float
    longitude: float
    km: float
    name: str | None = None  # what people called it, for showing


@dataclass(frozen=True, slots=True)
class Box:
    """Within a box of degrees, edges included; `west` > `east` crosses the 180th meridian."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class Colour:
    """Has at least that share (0 to 1) of a colour: one of the thirteen names, or '#rrggbb' and what looks like it.

    By name: the shares of all its dominant colours of that name, added. By value: of those within `NEARBY` in OKLab.
    """

    colour: str
    share: float = 0.15


NEARBY: Final = 0.12
"""Distance in OKLab within which colours look alike to people who pick one."""


COLOURS: Final = facts.COLOURS

Measure = Literal[
    "rating",
    "iso",
    "f_number",
    "exposure_time",
    "focal_length",
    "width",
    "height",
    "megapixels",
    "bytes",
    "duration",
]


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`, both included; None: open. Pictures without that number are not found.

    Seconds, millimetres, pixels, millions of pixels, bytes; a rating is 0 to 5 stars.
    """

    measure: Measure
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Held upright, across, square (sides within a twentieth), or twice as wide as high and more."""

    shape: Literal["portrait", "landscape", "square", "panorama"]


@dataclass(frozen=True, slots=True)
class File:
    """A file of it has that name: `*` any run of characters, `?` one; without them, the name or the name's stem."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A file of it lies in a folder whose path ends with, or goes through, these names ('Holiday/2021')."""

    path: str


@dataclass(frozen=True, slots=True)
class State:
    """Only pictures in that state; a query that says none means `present`."""

    state: Literal["present", "missing", "trashed"]


@dataclass(frozen=True, slots=True)
class Has:
    """Has one at all. `edits`: people said something about it."""

    what: Literal["place", "position", "title", "caption", "tag", "person", "rating", "album", "favourite", "edits"]


@dataclass(frozen=True, slots=True)
class All:
    """All of these; of none: every picture."""

    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these; of none: no picture."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Every picture but these."""

    part: Condition


Condition = (
    Text
    | Date
    | OnDay
    | Named
    | Tag
    | Album
    | Near
    | Box
    | Colour
    | Range
    | Shape
    | File
    | Folder
    | State
    | Has
    | All
    | AnyOf
    | Not
)

Sort = Literal["relevance", "newest", "oldest", "added", "rating", "size"]
SORTS: Final[tuple[Sort, ...]] = ("relevance", "newest", "oldest", "added", "rating", "size")
"""By relevance (without words that say something: newest first), by time, by arrival (latest first), by stars, by
number of pixels. Equals are in the order of time, newest first, then of arrival, latest first."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, and in which order."""

    where: Condition = field(default_factory=All)
    sort: Sort = "relevance"


@dataclass(frozen=True, slots=True)
class Chip:
    """One part of what was understood, to be shown and removed by itself.

    `start` and `end` are where it stands in the text that was typed: text without that piece is the query without it.
    """

    kind: str  # 'word', 'phrase', 'date', 'camera', 'place', 'colour', …
    text: str  # for people: 'August 2021', 'not blurry', '★ 4 and more'
    condition: Condition
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as read from text, with the chips that say what was understood."""

    query: Query
    chips: tuple[Chip, ...]
