"""What a query means, written out as plainly as can be: one picture at a time, straight from the catalog's tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from imager.catalog import Catalog
from imager.catalog.connection import fetch
from imager.query import codec
from imager.query import model as q
from imager.search.words import tokens

CJK = "东京塔東"
THAI = "ที่รัก"
WEIGHTS = {
    "people": 5,
    "title": 4,
    "tags": 4,
    "name": 3,
    "caption": 3,
    "place": 2,
    "folder": 1,
    "camera": 1,
    "creator": 1,
}


@dataclass
class Picture:
    """All that is known of one asset."""

    row: dict[str, Any]
    files: list[str]
    folders: list[str]
    tags: list[str]
    people: list[str]
    place: tuple[str, str, str, str, str] | None
    bytes: int
    colours: list[list[Any]]
    albums: set[int]
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def asset(self) -> int:
        return int(self.row["asset"])

    @property
    def camera(self) -> str:
        make, model = self.row["make"] or "", self.row["model"] or ""
        return model if model.casefold().startswith(make.casefold()) else f"{make} {model}".strip()


def flat(name: str) -> str:
    """A name as it is compared."""
    return " ".join(tokens(name)) or name.casefold().strip()


def beside(asked: list[str], words: list[str], first: str = "exact", last: str = "exact") -> bool:
    """Whether the words stand side by side somewhere."""
    for start in range(len(words) - len(asked) + 1):
        piece = words[start : start + len(asked)]
        if len(asked) == 1:
            if last == "inside":
                good = asked[0] in piece[0]
            else:
                good = piece[0].startswith(asked[0]) if last == "prefix" else piece == asked
        else:
            good = piece[0].endswith(asked[0]) if first == "inside" else piece[0] == asked[0]
            good = good and piece[1:-1] == asked[1:-1]
            good = good and (piece[-1].startswith(asked[-1]) if last != "exact" else piece[-1] == asked[-1])
        if good:
            return True
    return False


class Oracle:
    """The pictures and albums of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        db = catalog.db
        self.albums = {row[0]: row for row in fetch(db, "SELECT album, id, name, parent, query, deleted FROM albums")}
        self.pictures: dict[int, Picture] = {}
        self._met: dict[tuple[q.Condition, frozenset[int]], set[int]] = {}
        cursor = db.execute("SELECT * FROM assets")
        rows = [dict(zip((d[0] for d in cursor.description), row, strict=True)) for row in cursor]
        for row in rows:
            asset = row["asset"]
            files = fetch(
                db,
                "SELECT f.name, o.label, f.folder FROM versions AS v JOIN files AS f ON f.content = v.content "
                "JOIN folders AS o ON o.folder = f.folder WHERE v.asset = ?",
                (asset,),
            )
            picture = Picture(
                row=row,
                files=[name.decode() for name, _, _ in files],
                folders=list(dict.fromkeys(label for _, label, _ in files)),
                tags=[
                    name
                    for (name,) in fetch(
                        db, "SELECT t.name FROM asset_tags AS x JOIN tags AS t USING (tag) WHERE x.asset = ?", (asset,)
                    )
                ],
                people=[
                    name for (name,) in fetch(db, "SELECT name FROM regions WHERE asset = ? AND name <> ''", (asset,))
                ],
                place=next(
                    iter(
                        fetch(
                            db,
                            "SELECT name, city, region, country, country_code FROM places WHERE place = ?",
                            (row["place"],),
                        )
                    ),
                    None,
                ),
                bytes=db.execute("SELECT bytes FROM contents WHERE content = ?", (row["content"],)).get,
                colours=json.loads(
                    db.execute("SELECT colours FROM derivatives WHERE content = ?", (row["content"],)).get or "[]"
                ),
                albums={a for (a,) in fetch(db, "SELECT album FROM album_assets WHERE asset = ?", (asset,))},
            )
            camera = " ".join(row[name] for name in ("make", "model", "lens") if row[name])
            picture.texts = {
                "name": " · ".join(picture.files),
                "folder": " · ".join(picture.folders),
                "title": row["title"] or "",
                "caption": row["caption"] or "",
                "tags": " · ".join(picture.tags),
                "people": " · ".join(picture.people),
                "place": " · ".join(picture.place[:4]) if picture.place else "",
                "camera": camera,
                "creator": row["creator"] or "",
            }
            self.pictures[asset] = picture

    # ── what is found ───────────────────────────────────────────────────────────────────────────────────────

    def matching(
        self, where: q.Condition, visible: Iterable[int] | None = None, within: frozenset[int] = frozenset()
    ) -> set[int]:
        """The pictures that meet a condition."""
        found = self._met.get((where, within))
        if found is None:
            found = {asset for asset, picture in self.pictures.items() if self.meets(picture, where, within)}
            self._met[where, within] = found
        if not self.says_state(where, True):
            found = {asset for asset in found if self.pictures[asset].row["state"] == "present"}
        return found if visible is None else found & set(visible)

    def says_state(self, where: q.Condition, positive: bool) -> bool:
        if isinstance(where, q.State):
            return positive
        if isinstance(where, q.Not):
            return self.says_state(where.part, not positive)
        return isinstance(where, q.All | q.AnyOf) and any(self.says_state(p, positive) for p in where.parts)

    def meets(self, p: Picture, where: q.Condition, within: frozenset[int] = frozenset()) -> bool:
        row = p.row
        match where:
            case q.All(parts):
                return all(self.meets(p, part, within) for part in parts)
            case q.AnyOf(parts):
                return any(self.meets(p, part, within) for part in parts)
            case q.Not(part):
                return not self.meets(p, part, within)
            case q.Text():
                return bool(self.fields(p, where))
            case q.Date(start, end):
                return (start is None or start <= row["taken_at"]) and (end is None or bool(row["taken_at"] < end))
            case q.OnDay(month, day):
                shown = _calendar(row["taken_at"])
                return shown[1] == month and day in (None, shown[2])
            case q.Named("camera", name):
                return _begun(name, p.camera)
            case q.Named("lens", name):
                return _begun(name, row["lens"] or "")
            case q.Named("creator", name):
                return _begun(name, row["creator"] or "")
            case q.Named("kind", name):
                return bool(row["kind"] == name)
            case q.Named("person", name):
                return any(flat(person) == flat(name) for person in p.people)
            case q.Named("place", name):
                return p.place is not None and (
                    p.place[4].upper() == name.strip().upper() != ""
                    or (tokens(name) != [] and any(beside(tokens(name), tokens(part)) for part in p.place[:4]))
                )
            case q.Tag(name, children):
                return any(_is_tag(tag, name, children) for tag in p.tags)
            case q.Album(album):
                return self.in_album(p, album, within)
            case q.Near():
                return row["latitude"] is not None and _km(where, row) <= where.km + 1e-9
            case q.Box(south, west, north, east):
                if row["latitude"] is None or not south <= row["latitude"] <= north:
                    return False
                across = row["longitude"]
                return bool(west <= across <= east if west <= east else across >= west or across <= east)
            case q.Colour(colour, share):
                return self.share(p, colour) >= max(1, math.ceil(share * 255 - 0.5))
            case q.Range(measure, low, high):
                value = _measure(p, measure)
                return value is not None and (low is None or value >= low) and (high is None or value <= high)
            case q.Shape(shape):
                return _shape(row["width"], row["height"]) is not None and shape in _shape(row["width"], row["height"])
            case q.File(pattern):
                return any(_named(pattern, name) for name in p.files)
            case q.Folder(path):
                steps = [flat(step) for step in path.replace("\\", "/").split("/") if step]
                paths = [[flat(step) for step in folder.split("/") if step] for folder in p.folders]
                return bool(steps) and any(
                    steps == path[n : n + len(steps)] for path in paths for n in range(len(path))
                )
            case q.State(state):
                return bool(row["state"] == state)
            case q.Has(what):
                return self.has(p, what)
        raise AssertionError(where)

    def fields(self, p: Picture, text: q.Text) -> list[str]:
        """The fields in which a text stands."""
        inside = text.match == "inside" or any(c in CJK + THAI for c in text.text)
        first = "inside" if inside else "exact"
        last = "inside" if inside else "prefix" if text.match == "prefix" else "exact"
        return [
            name
            for name, value in p.texts.items()
            if text.field in (None, name) and beside(tokens(text.text), tokens(value), first, last)
        ]

    def share(self, p: Picture, colour: str) -> int:
        """How much of a colour, in 255ths, as far as the index keeps it."""
        if colour in q.COLOURS:
            return round(255 * min(1.0, float(sum(c[4] for c in p.colours if c[0] == colour))))
        wanted = _oklab(colour)
        total = 0
        for _, *lab, share in p.colours[:6]:
            kept = [round(v * s) / s for v, s in zip(lab, (127, 254, 254), strict=True)]
            if math.dist(kept, wanted) <= q.NEARBY:
                total += round(255 * share)
        return min(255, total)

    def has(self, p: Picture, what: str) -> bool:
        row = p.row
        answers = {
            "place": p.place is not None,
            "position": row["latitude"] is not None,
            "title": bool(row["title"]),
            "caption": bool(row["caption"]),
            "tag": bool(p.tags),
            "person": bool(p.people),
            "rating": row["rating"] is not None and row["rating"] >= 0,
            "album": any(self.lives(a) for a in p.albums),
            "favourite": bool(row["favourite"]),
            "edits": row["said"] is not None,
        }
        return answers[what]

    def lives(self, album: int | None) -> bool:
        """Whether neither it nor anything that it is nested in was deleted."""
        while album is not None:
            _, _, name, parent, _, deleted = self.albums[album]
            if deleted or name is None:
                return False
            album = parent
        return True

    def in_album(self, p: Picture, asked: str, within: frozenset[int]) -> bool:
        for number, own, _, _, query, _ in self.albums.values():
            line: int | None = number
            named = False
            while line is not None:
                _, other, name, parent, _, _ = self.albums[line]
                named = named or other.hex() == asked.lower().replace("-", "") or flat(name or "") == flat(asked)
                line = parent
            if not named or not self.lives(number):
                continue
            assert own
            if number in p.albums:
                return True
            if query is not None and number not in within:
                try:
                    condition = codec.from_json(json.loads(query)).where
                except Exception:  # noqa: BLE001 - whatever is wrong with it
                    continue
                if p.asset in self.matching(condition, within=within | {number}):
                    return True
        return False

    # ── the order ───────────────────────────────────────────────────────────────────────────────────────────

    def order(self, where: q.Condition, sort: q.Sort, visible: Iterable[int] | None = None) -> list[int]:
        """The pictures that meet a condition, in order."""
        found = self.matching(where, visible)
        p = self.pictures

        def newest(asset: int) -> tuple[int, int]:
            return -p[asset].row["taken_at"], -asset

        if sort == "newest":
            return sorted(found, key=newest)
        if sort == "oldest":
            return sorted(found, key=lambda a: (p[a].row["taken_at"], -a))
        if sort == "added":
            return sorted(found, reverse=True)
        if sort == "rating":
            return sorted(
                found, key=lambda a: (-max(-1, -1 if p[a].row["rating"] is None else p[a].row["rating"]), newest(a))
            )
        if sort == "size":
            return sorted(found, key=lambda a: (-(p[a].row["width"] or 0) * (p[a].row["height"] or 0), newest(a)))

        parts = where.parts if isinstance(where, q.All) else (where,)
        leaves = [leaf for part in parts for leaf in (part.parts if isinstance(part, q.AnyOf) else (part,))]
        texts = list(dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, q.Text)))
        colours = [leaf for leaf in leaves if isinstance(leaf, q.Colour)]
        words = {a: sum(max((WEIGHTS[f] for f in self.fields(p[a], text)), default=0) for text in texts) for a in found}
        shades = {a: sum(self.share(p[a], colour.colour) for colour in colours) for a in found}
        relevance = dict.fromkeys(found, 0.0)
        for scores in (words, shades):
            listed = sorted((a for a in found if scores[a]), key=lambda a: (-scores[a], newest(a)))
            for place, asset in enumerate(listed, 1):
                relevance[asset] += 1 / (60 + place)
        said = []
        readings: list[q.Text] = []
        for part in parts:
            if isinstance(part, q.Text) and part.field is None and part.match in ("word", "phrase"):
                said.append(part.text)
            if isinstance(part, q.AnyOf):
                first = next((leaf for leaf in part.parts if isinstance(leaf, q.Text)), None)
                if first is not None:
                    said.append(first.text)
                    if any(not isinstance(leaf, q.Text) for leaf in part.parts):
                        readings.append(first)
        whole = " ".join(said)
        phrases = [text for text in texts if text.match == "phrase"]

        def tier(asset: int) -> int:
            if any(self.meets(p[asset], phrase) for phrase in phrases) or (whole and self.is_called(p[asset], whole)):
                return -1
            return sum(not self.meets(p[asset], text) for text in dict.fromkeys(readings))

        return sorted(found, key=lambda a: (tier(a), -relevance[a], newest(a)))

    def is_called(self, p: Picture, name: str) -> bool:
        """Whether a tag, a person, an album, the title or a file of it has that name."""
        stems = [stem for file in p.files for stem in (file, file.rpartition(".")[0])]
        return (
            any(_is_tag(tag, name, False) for tag in p.tags)
            or any(flat(other) == flat(name) for other in p.people)
            or self.in_album(p, name, frozenset())
            or (tokens(name) != [] and flat(p.row["title"] or "") == flat(name))
            or (tokens(name) != [] and any(flat(stem) == flat(name) for stem in stems))
        )


def _calendar(taken: int) -> tuple[int, int, int]:
    from datetime import datetime, timedelta

    shown = datetime(1970, 1, 1) + timedelta(milliseconds=taken)
    return shown.year, shown.month, shown.day


def _begun(name: str, text: str) -> bool:
    return tokens(name) != [] and beside(tokens(name), tokens(text), last="prefix")


def _is_tag(tag: str, name: str, children: bool) -> bool:
    levels = [flat(level) for level in tag.split("|")]
    asked = "|".join(flat(level) for level in name.split("|"))
    ends = range(1, len(levels) + 1) if children else (len(levels),)
    return any(asked in ("|".join(levels[:end]), levels[end - 1]) for end in ends)


def _km(near: q.Near, row: dict[str, Any]) -> float:
    one, other = math.radians(near.latitude), math.radians(row["latitude"])
    across = math.radians(row["longitude"] - near.longitude)
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(across / 2) ** 2
    return 2 * 6_371.0088 * math.asin(math.sqrt(min(1.0, half)))


def _measure(p: Picture, measure: str) -> float | None:
    if measure == "bytes":
        return p.bytes
    if measure == "megapixels":
        return p.row["width"] * p.row["height"] / 1e6 if p.row["width"] and p.row["height"] else None
    value = p.row[measure]
    return None if value is None or (measure == "rating" and value < 0) else value


def _shape(width: int | None, height: int | None) -> set[str]:
    if not width or not height:
        return set()
    shapes = {"panorama"} if width >= 2 * height else set()
    if abs(width - height) <= max(width, height) / 20:
        return shapes | {"square"}
    return shapes | {"portrait" if height > width else "landscape"}


def _named(pattern: str, name: str) -> bool:
    def plain(text: str) -> str:
        return text.lower().replace("á", "a")

    def fits(pattern: str, name: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(fits(pattern[1:], name[n:]) for n in range(len(name) + 1))
        return bool(name) and (pattern[0] in ("?", name[0])) and fits(pattern[1:], name[1:])

    if "*" in pattern or "?" in pattern:
        return fits(plain(pattern), plain(name))
    return plain(pattern) in (plain(name), plain(name.rpartition(".")[0]))


def _oklab(colour: str) -> tuple[float, float, float]:
    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(int(colour[n : n + 2], 16)) for n in (1, 3, 5))
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )
