"""Whether new bytes at a known path are an edit of the picture that was there."""

from __future__ import annotations

from typing import Any

import pytest

from imager.catalog.contents import Content
from imager.facts import Derived, Facts, TakenAt
from imager.ingest.same import NEARLY, same_picture

PHASH = bytes.fromhex("0123456789abcdef")


def _at(at: int | None, source: str = "exif:DateTimeOriginal", confidence: float = 0.9) -> tuple[TakenAt, ...]:
    return () if at is None else (TakenAt(at=at, source=source, confidence=confidence),)


def _facts(at: int | None = None, make: str | None = "Acme", model: str | None = "One", **more: Any) -> Facts:
    return Facts(dates=_at(at, **more), make=make, model=model)


def _content(facts: Facts, phash: bytes = PHASH) -> Content:
    derived = Derived(revision=1, thumbhash=b"", phash=phash, sharpness=0, brightness=0, clipped=0)
    return Content(
        sha256=bytes(32), bytes=1, mime="image/jpeg", kind="image", facts=facts, raw="{}", problems=(), reader=1,
        derived=derived, preview=(1, 1, 1), thumbnail=(1, 1, 1),
    )  # fmt: skip


def _far(bits: int) -> bytes:
    return (int.from_bytes(PHASH) ^ ((1 << bits) - 1)).to_bytes(8)


def test_the_same_moment_by_the_same_camera_is_the_same_picture_whatever_it_looks_like() -> None:
    assert same_picture(_facts(1000), _far(0), _content(_facts(1000), _far(40)))
    assert same_picture(_facts(1000), None, _content(_facts(1000), _far(40)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_facts(1000), _facts(2000)),  # a burst: alike, and not the same
        (_facts(1000), _facts(1001)),
    ],
)
def test_another_moment_is_another_picture_however_alike(old: Facts, new: Facts) -> None:
    assert not same_picture(old, PHASH, _content(new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_facts(None), _facts(None)),
        (_facts(1000), _facts(None)),  # the editor dropped the metadata
        (_facts(1000), _facts(1000, make="Editor")),
        (_facts(1000, source="name", confidence=0.4), _facts(2000, source="name", confidence=0.4)),
        (_facts(1000, source="gps", confidence=0.8), _facts(9000, source="gps", confidence=0.8)),
    ],
)
def test_where_dates_do_not_decide_looks_do(old: Facts, new: Facts) -> None:
    assert same_picture(old, PHASH, _content(new, _far(NEARLY)))
    assert not same_picture(old, PHASH, _content(new, _far(NEARLY + 1)))
    assert not same_picture(old, None, _content(new))
