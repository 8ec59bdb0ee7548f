"""What people see of an asset: edit, else fact, else finding. A pure function of its parts.

`inputs.py` gathers the parts from the catalog, `materialise.py` writes the result back; nothing else decides, but for
what a picture is in (`albums.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from imager.catalog.edits import SUPERSEDES
from imager.catalog.identity import id_of, tag_id, tag_name
from imager.facts import Facts, Place, Region, TakenAt

FILE_TIME_CONFIDENCE = 0.1
_confidence = attrgetter("confidence")
MOST_OF_A_NAME = 0.9
"""What a file is called is never believed more than this, so it is not asked where better evidence is."""

_EPOCH = datetime(1970, 1, 1)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
_EMPTY = Facts()


class Rules(Protocol):
    """Imager's own rules that effective values need; the library hands them in (see library.py)."""

    def locate(self, latitude: float, longitude: float) -> tuple[Place | None, str | None]:
        """The place and the IANA time zone of a position."""

    def utc_offset(self, time_zone: str, wall: int) -> int | None:
        """Minutes east of UTC of that zone when its clocks show `wall` (milliseconds)."""

    def date_from_name(self, name: str) -> TakenAt | None:
        """When a picture was taken, by what its file is called."""


class FilePlace(NamedTuple):
    """A place where a content was seen, on this device."""

    folder: bytes
    name: bytes
    state: str
    modified: int  # ns
    sidecar: Facts | None


class Version(NamedTuple):
    """One content of an asset, with what is known of it."""

    id: bytes
    content: int
    sha256: bytes
    kind: str
    facts: Facts
    thumbhash: bytes | None
    files: list[FilePlace]


class Said(NamedTuple):
    """An edit that stands: its value, and its clock."""

    value: Any
    clock: str


Standing = Mapping[tuple[str, str], Said]
"""Of one asset: (field, element) → the latest edit that is not cancelled."""


@dataclass(slots=True)
class Row:
    """The effective values of an asset, in the words of the table `assets`, and what hangs on it."""

    id: bytes
    content: int
    state: str
    kind: str
    name: str
    width: int | None
    height: int | None
    orientation: int | None
    duration: float | None
    taken_at: int
    taken_offset: int | None
    taken_source: str
    taken_confidence: float
    time_zone: str | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    place: Place | None
    make: str | None
    model: str | None
    lens: str | None
    iso: int | None
    f_number: float | None
    exposure_time: float | None
    focal_length: float | None
    rating: int | None
    favourite: int
    title: str | None
    caption: str | None
    creator: str | None
    copyright: str | None
    thumbhash: bytes | None
    private: str | None
    said: str | None
    tags: dict[bytes, tuple[str | None, str]]  # by id: the name that a file gives it, and the source
    regions: list[tuple[Region, str]]


def effective(ids: Sequence[bytes], versions: Sequence[Version], said: Standing, rules: Rules) -> Row | None:
    """The asset that is joined from `ids` (in order), or None where nothing of it is to be shown."""
    ordered = _by_precedence(versions, said)
    places = [place for version in ordered for place in version.files]
    if not ordered:
        return None
    shown = ordered[0]
    facts, keywords, regions = _facts(ordered)

    position = _position(_value(said, "position"))
    latitude, longitude = position or (facts.latitude, facts.longitude)
    place, zone = rules.locate(latitude, longitude) if latitude is not None and longitude is not None else (None, None)
    if position is None and facts.place is not None:
        place = _completed(facts.place, place)
    taken = _taken_at(_value(said, "taken_at"), facts, places, zone, rules)
    return Row(
        id=ids[0],
        content=shown.content,
        state=_state(said, places),
        kind=shown.kind,
        name=_name(places),
        width=facts.width,
        height=facts.height,
        orientation=facts.orientation,
        duration=facts.duration,
        taken_at=taken.at,
        taken_offset=taken.offset,
        taken_source=taken.source,
        taken_confidence=taken.confidence,
        time_zone=zone,
        latitude=latitude,
        longitude=longitude,
        altitude=None if position else facts.altitude,
        place=place,
        make=facts.make,
        model=facts.model,
        lens=facts.lens,
        iso=facts.iso,
        f_number=facts.f_number,
        exposure_time=facts.exposure_time,
        focal_length=facts.focal_length,
        rating=_rating(said, facts.rating),
        favourite=int(_value(said, "favourite") is True),
        title=_text(said, "title", facts.title),
        caption=_text(said, "caption", facts.description),
        creator=_text(said, "creator", facts.creator),
        copyright=_text(said, "copyright", facts.copyright),
        thumbhash=shown.thumbhash,
        private=_text(said, "private", None),
        said=_by_people(said),
        tags=_tags(said, keywords),
        regions=regions,
    )


def said_alone(said: Standing, edited: Iterable[tuple[str, str]]) -> Alone | None:
    """What the fields that were `edited` (with their elements) decide without looking at facts or files.

    None where they don't: a value was taken back, or it is of a kind that other values follow from. It comes to the
    same as `effective` where everything else of the asset stays as it was.
    """
    columns: dict[str, Any] = {"said": _by_people(said)}
    tags: dict[bytes, bool] = {}
    for field, element in edited:
        if field in ("title", "caption", "creator", "copyright") and element == "":
            if not isinstance(_value(said, field), str):
                return None
            columns[field] = _text(said, field, None)
        elif field == "rating":
            columns[field] = _rating(said, None)
            if columns[field] is None:
                return None
        elif field == "favourite" and element == "":
            columns[field] = int(_value(said, field) is True)
        elif field == "tag" and (tag := id_of(element)) is not None:
            standing = said.get((field, element))
            if standing is None or standing.value is None:
                return None
            tags[tag] = standing.value == 1
        else:
            return None
    return Alone(columns, tags)


class Alone(NamedTuple):
    """Columns of an asset that edits alone decide, and tags that are put on it (True) or taken off."""

    columns: dict[str, Any]
    tags: dict[bytes, bool]


def _by_people(said: Standing) -> str | None:
    by_people = sorted({field for (field, _element), s in said.items() if s.value is not None and field in _PLAIN})
    return json.dumps(by_people) if by_people else None


_PLAIN = frozenset(
    ("title", "caption", "creator", "copyright", "taken_at", "position", "favourite", "rating", "trashed", "tag")
)


def _value(said: Standing, field: str) -> Any:
    if not said:
        return None  # of most pictures nothing was ever said
    found = said.get((field, ""))
    return None if found is None else found.value


def _by_precedence(versions: Sequence[Version], said: Standing) -> list[Version]:
    """The shown version first: the one that last took the place of another, else the one with most pixels."""
    if len(versions) == 1:
        return list(versions)
    newest = {version.id: "" for version in versions}
    for (field, element), s in said.items():
        # The element is '<new id>/<old id>': both ends are named, since the log of an asset is that of all its ids.
        if field == SUPERSEDES and s.value == 1:
            new = id_of(element[:32])
            if new is not None and new in newest:
                newest[new] = max(newest[new], s.clock)
    return sorted(
        sorted(versions, key=lambda v: (-(v.facts.width or 0) * (v.facts.height or 0), v.id)),
        key=lambda v: newest[v.id],
        reverse=True,
    )


def _facts(ordered: Sequence[Version]) -> tuple[Facts, list[tuple[str, str]], list[tuple[Region, str]]]:
    """Facts of the shown version, what it lacks from the others; keywords and regions with their sources."""
    exported = next((p.sidecar for v in ordered for p in v.files if p.sidecar is not None and p.sidecar.complete), None)
    if exported is not None:
        measured, _, _ = _facts([v._replace(files=[]) for v in ordered])
        facts = replace(measured, complete=True, **{name: getattr(exported, name) for name in _WRITTEN})
        keywords = [(name, "sidecar") for name in exported.keywords]
        return facts, keywords, [(region, "sidecar") for region in exported.regions]
    facts = _EMPTY
    keywords = []
    regions: list[tuple[Region, str]] = []
    for version in ordered:
        for place in version.files:
            if place.sidecar is not None:
                facts = _filled(facts, place.sidecar)
        facts = _filled(facts, version.facts)
    for version in ordered:
        keywords += [(name, "file") for name in version.facts.keywords]
        regions = regions or [(r, "file") for r in version.facts.regions]
    for version in ordered:
        for place in version.files:
            if place.sidecar is not None:
                keywords += [(name, "sidecar") for name in place.sidecar.keywords]
                if place.sidecar.regions:
                    regions = [(r, "sidecar") for r in place.sidecar.regions]
    return facts, keywords, regions


def _filled(facts: Facts, more: Facts) -> Facts:
    """`facts`, with what it lacks from `more`. A position is one thing; candidates for dates add up."""
    if facts is _EMPTY:
        return more
    add: dict[str, Any] = {}
    for name in _SINGLE:
        if getattr(facts, name) is None and (value := getattr(more, name)) is not None:
            add[name] = value
    if facts.latitude is None and more.latitude is not None:
        add |= {"latitude": more.latitude, "longitude": more.longitude, "altitude": more.altitude}
    if more.dates:
        add["dates"] = facts.dates + more.dates
    return replace(facts, **add) if add else facts


_POSITION = ("latitude", "longitude", "altitude")
_SINGLE = tuple(f.name for f in fields(Facts) if f.name not in (*_POSITION, "keywords", "regions", "dates", "complete"))
_WRITTEN = ("rating", "title", "description", "creator", "copyright", "place", "dates", *_POSITION)
"""What an exported sidecar decides alone, beside keywords and regions; the rest was measured."""


def _completed(place: Place, located: Place | None) -> Place:
    """What the file names of its place, with what it lacks from the position, where the two agree."""
    if located is None:
        return place
    agrees = place.country_code is None or place.country_code == located.country_code
    if not agrees:
        return place
    return Place(
        name=place.name,
        city=place.city or (located.city if place.region is None else None),
        region=place.region or located.region,
        country=place.country or located.country,
        country_code=place.country_code or located.country_code,
    )


def _taken_at(edit: Any, facts: Facts, places: Sequence[FilePlace], zone: str | None, rules: Rules) -> TakenAt:
    """When the picture was taken: said, else the likeliest evidence, in the time of its place where known."""
    said = _moment(edit)
    if said is not None:
        return said if said.offset is not None or zone is None else _with_offset(said, zone, rules)
    best = max(facts.dates, key=_confidence, default=None)
    if best is None or (best.confidence < MOST_OF_A_NAME and not facts.complete):
        named = [n for p in places if (n := rules.date_from_name(p.name.decode("utf-8", "replace"))) is not None]
        best = max(facts.dates + tuple(named), key=_confidence, default=None)
    if best is None:
        oldest = min((place.modified for place in places), default=0)
        best = TakenAt(at=oldest // 1_000_000, offset=0, source="file", confidence=FILE_TIME_CONFIDENCE)
    if zone is None:
        return best
    if best.offset is None:
        return _with_offset(best, zone, rules)
    if best.offset == 0 and best.source in ("gps", "name", "file"):
        # Such evidence is in UTC because nothing better was known; people think in the time of the place.
        offset = rules.utc_offset(zone, best.at)
        if offset is not None:
            offset = rules.utc_offset(zone, best.at + offset * 60_000)
        return best if offset is None else replace(best, at=best.at + offset * 60_000, offset=offset)
    return best


def _with_offset(taken: TakenAt, zone: str, rules: Rules) -> TakenAt:
    return replace(taken, offset=rules.utc_offset(zone, taken.at))


def _moment(value: Any) -> TakenAt | None:
    """An edit's ISO 8601 date, or None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
        offset = when.utcoffset()
        at = round((when.replace(tzinfo=None) - _EPOCH).total_seconds() * 1000)
    except (ValueError, OverflowError):
        return None
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    return TakenAt(at=at, offset=minutes, source="edit", confidence=1.0)


def iso(at: int, offset: int | None) -> str:
    """ISO 8601 of a local time in milliseconds; with its offset where that is known, sub-seconds where there are.

    Times outside the years 1 … 9999, which ISO 8601 can't write without agreement, become the nearest inside.
    """
    at = min(max(at, _FIRST), _LAST)
    text = (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds" if at % 1000 else "seconds")
    if offset is not None:
        sign, size = ("-" if offset < 0 else "+"), abs(offset)
        text += f"{sign}{size // 60:02}:{size % 60:02}"
    return text


def _position(value: Any) -> tuple[float, float] | None:
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        and -90 <= value[0] <= 90
        and -180 <= value[1] <= 180
    ):
        return float(value[0]), float(value[1])
    return None


def _state(said: Standing, places: Sequence[FilePlace]) -> str:
    if _value(said, "trashed") is True:
        return "trashed"
    return "present" if any(p.state in ("present", "offline") for p in places) else "missing"


def _name(places: Sequence[FilePlace]) -> str:
    best = min(places, key=lambda p: (p.state != "present", p.folder, p.name), default=None)
    return "" if best is None else best.name.decode("utf-8", "replace")


def _rating(said: Standing, fact: int | None) -> int | None:
    votes = [s for (field, _author), s in said.items() if field == "rating" and _is_rating(s.value)]
    return max(votes, key=lambda s: s.clock).value if votes else fact


def _is_rating(value: Any) -> bool:
    return type(value) is int and -1 <= value <= 5


def _text(said: Standing, field: str, fact: str | None) -> str | None:
    value = _value(said, field)
    if isinstance(value, str):
        # JSON can hold halves of characters, SQLite can't. Said to be empty: hidden, not replaced by the file's.
        return value.encode("utf-8", "replace").decode() or None
    return fact


def _tags(said: Standing, keywords: Sequence[tuple[str, str]]) -> dict[bytes, tuple[str | None, str]]:
    tags: dict[bytes, tuple[str | None, str]] = {}
    for keyword, source in keywords:
        own, name = tag_of_keyword(keyword)
        if own not in tags:
            tags[own] = (name, source)
    tags.pop(b"", None)
    for (field, element), s in said.items():
        tag = id_of(element) if field == "tag" else None
        if tag is None or s.value is None:
            continue
        if s.value == 1:
            tags[tag] = (tags.get(tag, (None, ""))[0], "edit")
        else:
            tags.pop(tag, None)
    return tags


@lru_cache(maxsize=65_536)
def tag_of_keyword(keyword: str) -> tuple[bytes, str]:
    """Id and full name of the tag that a keyword of a file means; empty for one that has no name left when cleaned."""
    try:
        return tag_id(keyword), tag_name(keyword)
    except ValueError:
        return b"", ""
