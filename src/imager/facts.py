"""The words in which the parts of Imager speak of a picture: what was read from its bytes.

`formats` makes these, `ingest` carries them between processes as JSON, `catalog` keeps them. They are plain
values without behaviour, so that none of the three needs to know another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenAt:
    """One piece of evidence for when a picture was taken.

    `at` is what a clock on the wall of that place showed, in milliseconds since 1970-01-01T00:00:00 on that
    same clock; `offset` is that clock's distance from UTC in minutes (east positive), or None where nothing says.
    """

    at: int
    offset: int | None = None
    source: str  # e.g. 'exif:DateTimeOriginal', 'xmp:photoshop:DateCreated', 'gps', 'name', 'file'
    confidence: float  # 0 … 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of the picture that metadata names, in fractions of the picture as it is shown (upright)."""

    name: str | None
    kind: str  # 'face', 'pet', 'focus', 'barcode' …, as in the MWG's list, in lower case
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where on earth, in words; any part may be unknown."""

    name: str | None = None  # a place within the city, as IPTC's Sublocation
    city: str | None = None
    region: str | None = None
    country: str | None = None
    country_code: str | None = None  # ISO 3166-1 alpha-2


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the bytes say, in normalised form. None, or an empty tuple, where they say nothing.

    Keywords are full names; the levels of a hierarchy are joined by '|' ('Animals|Dogs|Rex').
    """

    width: int | None = None  # pixels, upright
    height: int | None = None
    orientation: int | None = None  # EXIF's 1 … 8; how the stored pixels have to be turned
    duration: float | None = None  # seconds, of what moves
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    iso: int | None = None
    f_number: float | None = None
    exposure_time: float | None = None  # seconds
    focal_length: float | None = None  # millimetres
    latitude: float | None = None  # degrees, WGS 84
    longitude: float | None = None
    altitude: float | None = None  # metres above sea level
    rating: int | None = None  # 0 … 5, or -1 for rejected
    title: str | None = None
    description: str | None = None
    creator: str | None = None
    copyright: str | None = None
    software: str | None = None
    keywords: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    place: Place | None = None
    dates: tuple[TakenAt, ...] = ()  # every candidate, likeliest first
    complete: bool | None = None  # True of a sidecar that an export wrote: what people wrote elsewhere does not count

    def to_json(self) -> dict[str, Any]:
        """A JSON object with what is known; `from_json` reads it back."""
        known = {name: value for name in _FIELDS if (value := getattr(self, name)) is not None and value != ()}
        for name in _NESTED:
            if name in known:
                known[name] = [_plain(v) for v in known[name]]
        if self.place is not None:
            known["place"] = _plain(self.place)
        return known

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; fields of a newer Imager are passed over."""
        known = {name: value[name] for name in _FIELDS if name in value}
        known["keywords"] = tuple(known.get("keywords", ()))
        known["regions"] = tuple(Region(**{"name": None} | r) for r in known.get("regions", ()))
        known["dates"] = tuple(TakenAt(**d) for d in known.get("dates", ()))
        if known.get("place") is not None:
            known["place"] = Place(**known["place"])
        return cls(**known)


_FIELDS = tuple(f.name for f in fields(Facts))
_NESTED = ("regions", "dates")


def _plain(value: TakenAt | Region | Place | Colour) -> dict[str, Any]:
    """`dataclasses.asdict` copies deeply, which is most of the cost of writing a picture to the catalog."""
    return {name: part for name in value.__slots__ if (part := getattr(value, name)) is not None}


COLOURS: Final = (
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "teal",
    "blue",
    "purple",
    "pink",
    "brown",
    "beige",
)
"""The names of colours that people search for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """A dominant colour: its plain name, where it lies in OKLab, and its share of the picture."""

    name: str  # one of `COLOURS`: 'navy' is 'blue', …
    lab: tuple[float, float, float]  # OKLab: L 0 … 1, a and b about -0.4 … 0.4
    share: float  # 0 … 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What was computed from the pixels in one decode. Rebuildable from the original at any time."""

    revision: int  # of the code that made it; a higher one makes it anew
    thumbhash: bytes
    phash: bytes  # 8 bytes, a 64-bit DCT hash, most significant bit first
    sharpness: float  # variance of the Laplacian of the 8-bit luminance at preview size
    brightness: float  # mean of the luminance, 0 … 1
    clipped: float  # share of pixels that are black or white
    colours: tuple[Colour, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """A JSON object; the two hashes in hexadecimal."""
        known = {name: getattr(self, name) for name in self.__slots__}
        return known | {
            "thumbhash": self.thumbhash.hex(),
            "phash": self.phash.hex(),
            "colours": [_plain(colour) for colour in self.colours],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        colours = tuple(Colour(**{**c, "lab": tuple(c["lab"])}) for c in value["colours"])
        return cls(
            **value
            | {
                "thumbhash": bytes.fromhex(value["thumbhash"]),
                "phash": bytes.fromhex(value["phash"]),
                "colours": colours,
            }
        )
