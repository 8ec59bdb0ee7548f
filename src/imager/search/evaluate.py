"""From a condition to the pictures that meet it: a mask, one bool for each asset number.

Each kind of condition has its function here; what it means is said in `imager.query.model`. Everything is answered from
the index's arrays, but for what SQL holds: albums, file names, and words side by side. Those are asked last, and only
about pictures that meet the rest of the query (the *scope*).
"""

from __future__ import annotations

import fnmatch
import json
import math
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from imager.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.errors import UsageError
from imager.query import codec
from imager.query import model as q
from imager.search import phrases
from imager.search.index import Index
from imager.search.names import Names, known
from imager.search.words import Found

Mask = NDArray[np.bool_]
Numbers = NDArray[np.uint32]

STATES = {"present": 1, "missing": 2, "trashed": 3}
_DAY = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_EARTH = 6_371.0088  # km; mean radius (IUGG)
_SLICE = 250_000  # a range of time that holds fewer pictures is taken from the order by time
_FILES = 20_000  # so many pictures are asked for the names of their files; if more, all files are gone through
_NAME_FIELD = 1 << q.TEXT_FIELDS.index("name")

_FILES_OF = """SELECT v.asset, f.name FROM carray(?) AS wanted CROSS JOIN versions AS v ON v.asset = wanted.value
CROSS JOIN files AS f ON f.content = v.content"""
_ALL_FILES = """SELECT v.asset, f.name FROM files AS f CROSS JOIN versions AS v ON v.content = f.content
WHERE f.content IS NOT NULL AND v.asset IS NOT NULL"""
_ALBUMS = "SELECT album, lower(hex(id)), coalesce(name, ''), parent, query, deleted FROM albums"
_IN_ALBUMS = """SELECT DISTINCT x.asset FROM carray(?) AS wanted
CROSS JOIN album_assets AS x ON x.album = wanted.value"""


def matching(condition: q.Condition, index: Index, catalog: Catalog, *, visible: Mask | None = None) -> Mask:
    """The pictures that meet a condition: those that are present, unless it asks for a state; of the visible ones."""
    return Evaluation(index, catalog).results(condition, visible)


def asks_for_state(condition: q.Condition, positive: bool = True) -> bool:
    """Whether the condition says anywhere which state pictures should have (and not only which they shouldn't)."""
    match condition:
        case q.State():
            return positive
        case q.All(parts) | q.AnyOf(parts):
            return any(asks_for_state(part, positive) for part in parts)
        case q.Not(part):
            return asks_for_state(part, not positive)
        case _:
            return False


class Evaluation:
    """Answers conditions about one moment of one library, remembering what it found for as long as one search takes."""

    def __init__(self, index: Index, catalog: Catalog, *, within: frozenset[int] = frozenset()) -> None:
        """`within`: the albums whose queries led here, so that they can't go round in circles."""
        self.index = index
        self.catalog = catalog
        self.known = known(index)
        self.scope: Mask | None = None
        self._within = within
        self._masks: dict[q.Condition, Mask] = {}
        self._found: dict[q.Text, Found] = {}
        self._albums: list[tuple[int, str, str, int | None, str | None, int]] | None = None

    def results(self, condition: q.Condition, visible: Mask | None = None) -> Mask:
        """The pictures that meet the condition, of those that may be seen."""
        base = self.base(condition, visible)
        if not _is_costly(condition):
            return self.mask(condition) & base
        self.scope = self._bound(condition) & base
        return self.mask(condition) & self.scope

    def base(self, condition: q.Condition, visible: Mask | None) -> Mask:
        """The pictures among which is looked."""
        state = self.index.columns.state
        base = state != 0 if asks_for_state(condition) else state == STATES["present"]
        return base if visible is None else base & _fitting(visible, len(base))

    def found(self, text: q.Text) -> Found:
        """Where the words of a text stand: the pictures (right within the scope), and the fields of each."""
        if (found := self._found.get(text)) is None:
            found = self._found[text] = phrases.find(text, self.known.find, self.catalog, self.scope)
        return found

    def mask(self, condition: q.Condition) -> Mask:
        """The pictures of any state that meet the condition; right within the scope. Not to be written to."""
        if (mask := self._masks.get(condition)) is None:
            mask = self._masks[condition] = self._evaluate(condition)
        return mask

    def _bound(self, condition: q.Condition) -> Mask:
        """At least the pictures that meet the condition, found without what costs much."""
        match condition:
            case q.All(parts):
                return _all([self._bound(part) for part in parts], self.index.size)
            case q.AnyOf(parts):
                return _any([self._bound(part) for part in parts], self.index.size)
            case _ if not _is_costly(condition):
                return self.mask(condition)
            case q.Text():
                found = [self.known.find(*t, phrases.fields_of(condition)) for t in phrases.Pattern(condition).terms()]
                return self._of(phrases.together(found).assets)
            case q.File(pattern):
                return self._of(self._name_candidates(pattern))
            case _:
                return np.ones(self.index.size, bool)

    def _evaluate(self, condition: q.Condition) -> Mask:
        columns = self.index.columns
        match condition:
            case q.All(parts):
                return _all([self.mask(part) for part in parts], self.index.size)
            case q.AnyOf(parts):
                return _any([self.mask(part) for part in parts], self.index.size)
            case q.Not(part):
                return ~self.mask(part)
            case q.Text():
                # What has no word says nothing.
                return (
                    self._of(self.found(condition).assets) if phrases.Pattern(condition).words else self._everything()
                )
            case q.Date(start, end):
                return self._taken(start, end)
            case q.OnDay(month, day):
                return self._on_day(month, day)
            case q.Named():
                return self._named(condition)
            case q.Tag(name, children):
                return self._listed(
                    self.index.tags, self.known.tags.below(name) if children else self.known.tags.of(name)
                )
            case q.Album(album):
                return self._album(album)
            case q.Near():
                return self._near(condition)
            case q.Box(south, west, north, east):
                across = columns.longitude
                wide = (across >= west) & (across <= east) if west <= east else (across >= west) | (across <= east)
                return (columns.latitude >= south) & (columns.latitude <= north) & wide
            case q.Colour(colour, share):
                return self.shares(colour) >= least(share)
            case q.Range(measure, low, high):
                return self._range(measure, low, high)
            case q.Shape(shape):
                return self._shape(shape)
            case q.File(pattern):
                return self._file(pattern)
            case q.Folder(path):
                return self._listed(self.index.folders, self.known.folders(path))
            case q.State(state):
                return columns.state == STATES[state]
            case q.Has(what):
                return self._has(what)
            case _:
                assert_never(condition)

    def _everything(self) -> Mask:
        return np.ones(self.index.size, bool)

    def _of(self, numbers: Numbers | NDArray[np.int64]) -> Mask:
        mask = np.zeros(self.index.size, bool)
        mask[numbers] = True
        return mask

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def _taken(self, start: int | None, end: int | None) -> Mask:
        taken = self.index.order_taken  # newest first
        first = 0 if end is None else before(taken, end)
        last = len(taken) if start is None else before(taken, start)
        if last - first < _SLICE:
            return self._of(self.index.order[first : max(first, last)])
        column = self.index.columns.taken
        mask = self.index.columns.state != 0
        if start is not None:
            mask &= column >= start
        if end is not None:
            mask &= column < end
        return mask

    def _on_day(self, month: int, day: int | None) -> Mask:
        """A slice of time in each year; of years outside the calendar, none."""
        taken = self.index.order_taken
        mask = np.zeros(self.index.size, bool)
        if not len(taken):
            return mask
        first, last = (_year(int(taken[i])) for i in (-1, 0))
        for year in range(first, last + 1):
            start = date(year, month, 1).toordinal() - _EPOCH
            days = (date(year, month + 1, 1).toordinal() if month < 12 else date(year, 12, 31).toordinal() + 1) - _EPOCH
            if day is not None:
                start += day - 1
                if start >= days:
                    continue  # the 30th of February
                days = start + 1
            mask[self.index.order[before(taken, days * _DAY) : before(taken, start * _DAY)]] = True
        return mask

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def _named(self, named: q.Named) -> Mask:
        columns, names = self.index.columns, self.index.names
        match named.what:
            case "camera":
                return self._coded(columns.make_model, self.known.beginning("make_model", named.name))
            case "lens":
                return self._coded(columns.lens, self.known.beginning("lens", named.name))
            case "creator":
                return self._coded(columns.creator, self.known.beginning("creator", named.name))
            case "kind":
                return self._coded(
                    columns.kind, [n for n, kind in enumerate(names["kind"]) if n and kind == named.name]
                )
            case "place":
                return self._coded(columns.place, self.known.places(named.name))
            case "person":
                return self._listed(self.index.people, self.known.people.of(named.name))

    def _coded(self, column: NDArray[np.unsignedinteger], codes: Sequence[int]) -> Mask:
        if len(codes) == 1:
            return column == codes[0]
        if not codes:
            return np.zeros(self.index.size, bool)
        wanted = np.zeros(max(int(column.max(initial=0)), max(codes)) + 1, bool)
        wanted[list(codes)] = True
        return wanted[column]

    def _listed(self, lists: Names, numbers: Iterable[int]) -> Mask:
        mask = np.zeros(self.index.size, bool)
        for number in numbers:
            mask[lists.assets(number)] = True
        return mask

    # ── albums ──────────────────────────────────────────────────────────────────────────────────────────────

    def _album(self, album: str) -> Mask:
        albums = self._living_albums()
        asked, plain = phrases.whole(album), album.strip().lower().replace("-", "")
        wanted = {number for number, i, name, *_ in albums if i == plain or (name and phrases.whole(name) == asked)}
        grown = True
        while grown:
            inside = {number for number, _, _, parent, *_ in albums if parent in wanted} - wanted
            wanted |= inside
            grown = bool(inside)
        mask = self._members([number for number, *_ in albums if number in wanted])
        for number, _, _, _, query, _ in albums:
            if number in wanted and query is not None and number not in self._within:
                mask |= self._smart(number, query)
        return mask

    def _smart(self, number: int, query: str) -> Mask:
        try:
            condition = codec.from_json(json.loads(query)).where
        except (ValueError, UsageError):
            return np.zeros(self.index.size, bool)  # of a newer Imager, or no query at all
        return Evaluation(self.index, self.catalog, within=self._within | {number}).results(condition)

    def _members(self, albums: Sequence[int]) -> Mask:
        mask = np.zeros(self.index.size, bool)
        if albums:
            rows = fetch(self.catalog.db, _IN_ALBUMS, (many(albums),))
            numbers = np.fromiter((asset for (asset,) in rows), np.int64)
            mask[numbers[numbers < self.index.size]] = True  # others arrived just now
        return mask

    def _living_albums(self) -> list[tuple[int, str, str, int | None, str | None, int]]:
        """Albums that are not deleted, nor nested in one that is."""
        if self._albums is None:
            rows = {row[0]: row for row in fetch(self.catalog.db, _ALBUMS)}
            gone = {number for number, row in rows.items() if row[5]}
            grown = bool(gone)
            while grown:
                inside = {number for number, row in rows.items() if row[3] in gone} - gone
                gone |= inside
                grown = bool(inside)
            self._albums = [row for number, row in rows.items() if number not in gone]
        return self._albums

    # ── position ────────────────────────────────────────────────────────────────────────────────────────────

    def _near(self, near: q.Near) -> Mask:
        columns, mask = self.index.columns, np.zeros(self.index.size, bool)
        angle = near.km / _EARTH
        if near.km < 0 or math.isnan(angle):
            return mask
        at, reach = math.radians(near.latitude), math.degrees(angle) + 1e-9
        box = (columns.latitude >= near.latitude - reach) & (columns.latitude <= near.latitude + reach)
        if abs(near.latitude) + reach < 90:
            # Where the circle is widest: see 'Bounding coordinates', J. P. Matuschek, 2010.
            wide = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(at)))) + 1e-9
            west, east = near.longitude - wide, near.longitude + wide
            if west >= -180 and east <= 180:
                box &= (columns.longitude >= west) & (columns.longitude <= east)
        numbers = np.flatnonzero(box)
        latitude, longitude = np.radians(columns.latitude[numbers]), np.radians(columns.longitude[numbers])
        # The haversine of the angle between: exact enough for metres.
        half = np.sin((latitude - at) / 2) ** 2
        half += math.cos(at) * np.cos(latitude) * np.sin((longitude - math.radians(near.longitude)) / 2) ** 2
        mask[numbers[half <= (math.sin(angle / 2) ** 2 if angle < math.pi else 1.0)]] = True
        return mask

    # ── what pictures look like ─────────────────────────────────────────────────────────────────────────────

    def shares(self, colour: str) -> NDArray[np.uint8]:
        """How much each picture has of a colour, in 255ths."""
        columns = self.index.columns
        if colour in q.COLOURS:
            return columns.colour_names[q.COLOURS.index(colour)]
        key = q.Colour(colour, -1.0)
        if (cached := self.known.shares.get(colour)) is not None:
            return cached
        total = np.zeros(self.index.size, np.uint16)
        wanted = _lab(key.colour)
        scale = np.array([127.0, 254.0, 254.0])
        if wanted is not None:
            low, high = (np.clip((wanted + sign * q.NEARBY) * scale, -128, 127) for sign in (-1, 1))
            for lab, share in zip(columns.colour_labs, columns.colour_shares, strict=True):
                near = share != 0
                for axis, bottom, top in zip(lab, np.floor(low), np.ceil(high), strict=True):
                    near &= (axis >= np.int8(bottom)) & (axis <= np.int8(top))
                numbers = np.flatnonzero(near)
                distance = ((lab[:, numbers].T / scale - wanted) ** 2).sum(axis=1)
                numbers = numbers[distance <= q.NEARBY**2]
                total[numbers] += share[numbers]
        found = np.minimum(total, 255).astype(np.uint8)
        self.known.shares[colour] = found
        return found

    def _range(self, measure: q.Measure, low: float | None, high: float | None) -> Mask:
        columns = self.index.columns
        values: NDArray[np.generic]
        if measure == "megapixels":
            values = columns.width.astype(np.float64) * columns.height / 1e6
        else:
            values = getattr(columns, measure)
        if measure in ("rating", "iso"):
            mask = values >= 0  # type: ignore[operator]
        elif measure in ("width", "height", "megapixels", "bytes"):
            mask = values > 0  # type: ignore[operator]
        else:
            mask = ~np.isnan(values)  # type: ignore[call-overload]
        if low is not None:
            mask &= values >= low
        if high is not None:
            mask &= values <= high
        return np.asarray(mask)

    def _shape(self, shape: str) -> Mask:
        width, height = self.index.columns.width.astype(np.int64), self.index.columns.height.astype(np.int64)
        known = (width > 0) & (height > 0)
        if shape == "panorama":
            return known & (width >= 2 * height)
        square = 20 * np.abs(width - height) <= np.maximum(width, height)
        if shape == "square":
            return known & square
        return known & ~square & (height > width if shape == "portrait" else width > height)

    def _has(self, what: str) -> Mask:
        columns = self.index.columns
        match what:
            case "place":
                return columns.place != 0
            case "position":
                return ~np.isnan(columns.latitude)
            case "title":
                return columns.has_title != 0
            case "caption":
                return columns.has_caption != 0
            case "rating":
                return columns.rating >= 0
            case "favourite":
                return columns.favourite != 0
            case "edits":
                return columns.edited != 0
            case "tag":
                return self._listed(self.index.tags, range(len(self.index.tags.names)))
            case "person":
                return self._listed(self.index.people, range(len(self.index.people.names)))
            case _:
                return self._members([number for number, *_ in self._living_albums()])

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────

    def _name_candidates(self, pattern: str) -> Numbers:
        """Pictures in whose files' names each literal word of the pattern stands somewhere."""
        words = {word for piece in re.split(r"[*?]", pattern) for word in phrases.tokens(piece)}
        if not words:
            return np.flatnonzero(self.index.columns.state).astype(np.uint32)
        return phrases.together([self.known.find(word, "inside", _NAME_FIELD) for word in sorted(words)]).assets

    def _file(self, pattern: str) -> Mask:
        mask = np.zeros(self.index.size, bool)
        numbers = self._name_candidates(pattern)
        if self.scope is not None:
            numbers = numbers[self.scope[numbers]]
        if not len(numbers):
            return mask
        sql = (_FILES_OF, (many(numbers.tolist()),)) if len(numbers) <= _FILES else (_ALL_FILES, None)
        fits = named(pattern)
        found = {asset for asset, name in self.catalog.db.execute(*sql) if fits(os.fsdecode(name))}
        wanted = np.fromiter(found, np.int64, len(found))
        mask[wanted[wanted < self.index.size]] = True
        return mask


def before(taken: NDArray[np.int64], time: int) -> int:
    """How many of the times, which fall, are at or after that one."""
    low, high = 0, len(taken)
    while low < high:
        middle = (low + high) // 2
        if taken[middle] >= time:
            low = middle + 1
        else:
            high = middle
    return low


def least(share: float) -> int:
    """The fewest 255ths that count as that share of a picture: shares are kept rounded, and none is no share."""
    return max(1, math.ceil(min(share, 2.0) * 255 - 0.5))


def named(pattern: str) -> Callable[[str], bool]:
    """Whether a file has that name, without case and diacritics; without `*` and `?`, its stem is a name, too."""
    folded = fold(pattern)
    if not any(c in folded for c in "*?"):
        return lambda name: folded in ((whole := fold(name)), whole.rpartition(".")[0])
    fits = re.compile(fnmatch.translate(folded.replace("[", "[[]"))).match
    return lambda name: fits(fold(name)) is not None


def fold(name: str) -> str:
    """A name in lower case, without the diacritics that full text leaves out (U+0300 to U+036F)."""
    lower = name.lower()
    if lower.isascii():
        return lower
    parts = unicodedata.normalize("NFD", lower)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not "\u0300" <= c <= "\u036f"))


def _is_costly(condition: q.Condition) -> bool:
    match condition:
        case q.All(parts) | q.AnyOf(parts):
            return any(_is_costly(part) for part in parts)
        case q.Not(part):
            return _is_costly(part)
        case q.Text():
            return len(phrases.Pattern(condition).words) > 1
        case q.File():
            return True
        case _:
            return False


def _all(masks: Sequence[Mask], size: int) -> Mask:
    if not masks:
        return np.ones(size, bool)
    result = masks[0].copy()
    for mask in masks[1:]:
        result &= mask
    return result


def _any(masks: Sequence[Mask], size: int) -> Mask:
    result = np.zeros(size, bool)
    for mask in masks:
        result |= mask
    return result


def _fitting(mask: Mask, size: int) -> Mask:
    """A mask of that length: what arrived since it was made is not in it."""
    return mask if len(mask) == size else np.concatenate([mask[:size], np.zeros(max(0, size - len(mask)), bool)])


def _year(taken: int) -> int:
    return min(max(date.fromordinal(min(max(taken // _DAY + _EPOCH, 1), date.max.toordinal())).year, 1), 9998)


def _lab(colour: str) -> NDArray[np.float64] | None:
    """The OKLab of '#rrggbb'; None for what is no colour."""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) is None:
        return None
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear), np.float64)


# Björn Ottosson, 'A perceptual color space for image processing' (2020): linear sRGB → LMS, its cube root → OKLab.
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
