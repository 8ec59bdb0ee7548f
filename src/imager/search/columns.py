"""Columns: one value of each kind for every asset, in arrays that the asset's number indexes.

`Columns` keeps the arrays, with spare rows behind the last asset; `rows_of` reads them from the catalog, the same way
for one asset and for a million.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

import apsw
import numpy as np
from numpy.typing import NDArray

from imager.query.model import COLOURS
from imager.search.colours import DOMINANT, colour_columns
from imager.search.look import appearance
from imager.search.profiles import Profiles
from imager.search.sidecar import Generation, Writer
from imager.search.tokens import tokens

Array = NDArray[Any]

STATES: Final = ("present", "missing", "trashed")
"""`state` is 1 for the first; 0: there is no such asset."""

CODED: Final = ("kind", "make_model", "lens", "creator", "private")
REJECTED: Final = -2
"""`rating` of a picture that its file rejects (-1 there); -1 is none."""

_SPEC: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "state": ("u1", ()),
    "kind": ("u2", ()),
    "make_model": ("u4", ()),
    "lens": ("u4", ()),
    "creator": ("u4", ()),
    "private": ("u4", ()),
    "profile": ("u4", ()),
    "place": ("u4", ()),
    "taken": ("i8", ()),
    "day": ("i4", ()),
    "month": ("i4", ()),
    "width": ("u4", ()),
    "height": ("u4", ()),
    "bytes": ("i8", ()),
    "duration": ("f4", ()),
    "rating": ("i1", ()),
    "favourite": ("u1", ()),
    "edited": ("u1", ()),
    "iso": ("i4", ()),
    "f_number": ("f8", ()),
    "exposure_time": ("f8", ()),
    "focal_length": ("f8", ()),
    "latitude": ("f8", ()),
    "longitude": ("f8", ()),
    "has_title": ("u1", ()),
    "has_caption": ("u1", ()),
    "colour_names": ("u1", (len(COLOURS),)),
    "colour_labs": ("i1", (DOMINANT, 3)),
    "colour_shares": ("u1", (DOMINANT,)),
    "ratio": ("u1", ()),
    "shade": ("u2", ()),
    "id": ("u8", (2,)),
    "thumbhash": ("u8", (4,)),
    "look": ("u8", ()),
}

ROWS = """SELECT a.asset,
  (a.state = 'present') + (a.state = 'missing') * 2 + (a.state = 'trashed') * 3 + (a.favourite <> 0) * 4
    + (a.said IS NOT NULL) * 8 + (coalesce(a.title, '') <> '') * 16 + (coalesce(a.caption, '') <> '') * 32,
  a.kind, a.make, a.model, a.lens, a.creator, a.private, coalesce(a.place, 0), a.taken_at,
  coalesce(a.width, 0), coalesce(a.height, 0), c.bytes,
  CASE WHEN a.rating IS NULL THEN -1 WHEN a.rating < 0 THEN -2 ELSE a.rating END, coalesce(a.iso, -1),
  coalesce(a.duration, 9e999), coalesce(a.f_number, 9e999), coalesce(a.exposure_time, 9e999),
  coalesce(a.focal_length, 9e999), coalesce(a.latitude, 9e999), coalesce(a.longitude, 9e999),
  coalesce(d.colours, '[]'), a.id, a.thumbhash
FROM {source} CROSS JOIN contents AS c ON c.content = a.content
LEFT JOIN derivatives AS d ON d.content = a.content"""
_FLAGS = ("favourite", "edited", "has_title", "has_caption")  # bits 2 to 5 of the second; the first two are the state
_WHOLE = ("place", "taken", "width", "height", "bytes", "rating", "iso")
_LIMITS = {name: np.iinfo(_SPEC[name][0]) for name in _WHOLE}
_REAL = ("duration", "f_number", "exposure_time", "focal_length", "latitude", "longitude")
_AT_ONCE = 10_000
_DAY = 86_400_000


class Columns:
    """The arrays, each as long as the highest asset number and one. What an asset that is not there has means nothing.

    Colours: `colour_names[i]` is the share (of 255) of the i-th of query.model's COLOURS; `colour_labs[k]` are
    L·127, a·254 and b·254 (OKLab, rounded and clipped to bytes) of the k-th dominant colour, `colour_shares[k]` its
    share (of 255), 0 where there is none. `ratio`: 128 + 64·ln(width/height), 1 to 255; 0 where a side is unknown.
    `profile`: see profiles.py. `shade`: the largest dominant colour in sRGB, RGB565; 0 where there is none. `id`,
    `thumbhash` and `look`: see look.py.
    """

    state: NDArray[np.uint8]
    kind: NDArray[np.uint16]
    make_model: NDArray[np.uint32]
    lens: NDArray[np.uint32]
    creator: NDArray[np.uint32]
    private: NDArray[np.uint32]
    profile: NDArray[np.uint32]
    place: NDArray[np.uint32]
    taken: NDArray[np.int64]
    day: NDArray[np.int32]
    month: NDArray[np.int32]
    width: NDArray[np.uint32]
    height: NDArray[np.uint32]
    bytes: NDArray[np.int64]
    duration: NDArray[np.float32]
    rating: NDArray[np.int8]
    favourite: NDArray[np.uint8]
    edited: NDArray[np.uint8]
    iso: NDArray[np.int32]
    f_number: NDArray[np.float64]
    exposure_time: NDArray[np.float64]
    focal_length: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    has_title: NDArray[np.uint8]
    has_caption: NDArray[np.uint8]
    colour_names: NDArray[np.uint8]
    colour_labs: NDArray[np.int8]
    colour_shares: NDArray[np.uint8]
    ratio: NDArray[np.uint8]
    shade: NDArray[np.uint16]
    id: NDArray[np.uint64]
    thumbhash: NDArray[np.uint64]
    look: NDArray[np.uint64]

    def __init__(self, arrays: dict[str, Array], size: int) -> None:
        """`arrays` may be longer than `size`: what follows is room for more assets."""
        self._arrays = arrays
        self.grow(size)

    @property
    def room(self) -> int:
        """For how many rows there is room."""
        return len(self._arrays["state"])

    @classmethod
    def empty(cls, size: int) -> Columns:
        """For so many rows, of which none is an asset yet."""
        return cls({name: np.zeros((*shape, size), dtype) for name, (dtype, shape) in _SPEC.items()}, size)

    @classmethod
    def read(cls, generation: Generation, size: int) -> Columns:
        """Those of a generation."""
        return cls({name: generation.array(f"columns.{name}") for name in _SPEC}, size)

    def write(self, writer: Writer, size: int, spare: int) -> None:
        """Write the first `size` rows, and room for `spare` more."""
        for name, array in self._arrays.items():
            if array.ndim == 1:
                writer.array(f"columns.{name}", array[:size], spare=spare)
            else:
                rows = np.zeros((*array.shape[:-1], size + spare), array.dtype)
                rows[..., :size] = array[..., :size]
                writer.array(f"columns.{name}", rows)

    def grow(self, size: int) -> None:
        """Have rows for assets below `size`."""
        room = self.room
        if size > room:
            for name, array in self._arrays.items():
                more = np.zeros((*array.shape[:-1], size + size // 8 - room), array.dtype)
                self._arrays[name] = np.concatenate([array, more], axis=-1)
        for name, array in self._arrays.items():
            view = array[..., :size]
            view.flags.writeable = False
            setattr(self, name, view)

    def put(self, assets: Array, values: dict[str, Array]) -> None:
        """Write the rows of these assets."""
        for name, of_name in values.items():
            self._arrays[name][..., assets] = of_name

    def remove(self, assets: Array) -> None:
        """These assets are no more."""
        self._arrays["state"][assets] = 0


class Names:
    """Codes of texts, by column: code 0 is none; and of what occurs together."""

    def __init__(self, names: dict[str, list[str]], profiles: Profiles | None = None) -> None:
        self.names = names
        self.profiles = profiles or Profiles()
        self._codes: dict[str, dict[str | None, int]] = {}
        for column, texts in names.items():
            self._codes[column] = {None: 0} | ({"": 0} if column != "private" else {})
            self._codes[column] |= {text: code for code, text in enumerate(texts) if code}
        self._cameras: dict[tuple[str | None, str | None], str] = {}

    def cameras(self, makes: Sequence[str | None], models: Sequence[str | None]) -> list[str]:
        """What people call each camera; see `camera`."""
        known = self._cameras
        while True:
            try:
                return [known[pair] for pair in zip(makes, models, strict=True)]
            except KeyError:
                for pair in set(zip(makes, models, strict=True)) - known.keys():
                    known[pair] = camera(*pair)

    @classmethod
    def empty(cls) -> Names:
        """No text yet but the empty one."""
        return cls({column: [""] for column in CODED})

    def codes(self, column: str, texts: Sequence[str | None]) -> list[int]:
        """The code of each text, new ones for new texts. None has 0; of `private`, nothing else has."""
        known, names = self._codes[column], self.names[column]
        while True:
            try:
                return [known[text] for text in texts]
            except KeyError:
                for text in sorted({text for text in texts if text is not None} - known.keys()):
                    known[text] = len(names)
                    names.append(text)


def camera(make: str | None, model: str | None) -> str:
    """What people call a camera: make and model, the make once ('Canon EOS 5D', not 'Canon Canon EOS 5D').

    It has the same words as the two.
    """
    make, model = (make or "").strip(), (model or "").strip()
    words = tokens(make)
    return model if words == tokens(model)[: len(words)] else f"{make} {model}".strip()


def rows_of(
    db: apsw.Connection, names: Names, sql: str, parameters: apsw.Bindings | None = None
) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Assets and their values, some thousands at a time; `sql` is ROWS with its source, and an order."""
    cursor = db.execute(sql, parameters)
    while rows := list(itertools.islice(cursor, _AT_ONCE)):
        assets, flags, kind, make, model, lens, creator, private, *rest = zip(*rows, strict=True)
        bits = np.fromiter(flags, np.uint8, len(rows))
        values: dict[str, Array] = {"state": bits & 3}
        values |= {name: bits >> place & 1 for place, name in enumerate(_FLAGS, 2)}
        coded = {"kind": kind, "make_model": names.cameras(make, model), "lens": lens, "creator": creator}
        for name, texts in (coded | {"private": private}).items():
            values[name] = np.array(names.codes(name, texts), _SPEC[name][0])
        for name, numbers in zip(_WHOLE, rest, strict=False):
            # A hostile file may say it is 2^40 pixels wide.
            limits = _LIMITS[name]
            values[name] = np.fromiter(numbers, np.int64, len(rows)).clip(limits.min, limits.max).astype(limits.dtype)
        values["profile"] = names.profiles.codes(values)
        *reals, colours, ids, thumbhashes = rest[len(_WHOLE) :]
        for name, numbers in zip(_REAL, reals, strict=True):
            real = np.fromiter(numbers, np.float64, len(rows))
            values[name] = np.where(np.isfinite(real), real, np.nan).astype(_SPEC[name][0])
        values |= _derived(values) | colour_columns(colours)
        numbered = np.array(assets, np.int64)
        values |= appearance(numbered, ids, thumbhashes, values)
        yield numbered, values


def _derived(values: dict[str, Array]) -> dict[str, Array]:
    taken = values["taken"]
    limits = np.iinfo(np.int32)
    months = (taken // 1_000).astype("M8[s]").astype("M8[M]").astype(np.int64) + 1970 * 12
    return {
        "day": (taken // _DAY).clip(limits.min, limits.max).astype(np.int32),
        "month": months.clip(limits.min, limits.max).astype(np.int32),
        "ratio": _ratio(values["width"], values["height"]),
    }


def _ratio(width: Array, height: Array) -> Array:
    known = (width > 0) & (height > 0)
    ratio = np.divide(width, height, out=np.ones(len(width)), where=known)
    return np.where(known, np.round(128 + 64 * np.log(ratio)).clip(1, 255), 0).astype(np.uint8)
