"""Whether new bytes at a known path are evidently the same picture (an edit in place), or another one.

`IMG_0001.JPG` of another card must inherit nothing, so the evidence has to be strong: taken at the same moment by the
same camera, or looking nearly alike.
"""

from __future__ import annotations

from imager.catalog.contents import Content
from imager.facts import Facts, TakenAt

NEARLY = 10
"""Bits of 64 in which the perceptual hashes of one picture before and after an edit may differ."""

_TRUSTED = 0.6


def same_picture(old: Facts, old_phash: bytes | None, new: Content) -> bool:
    """Whether `new` is a version of the picture with these facts and this perceptual hash."""
    before, after = _moment(old), _moment(new.facts)
    cameras = (old.make, old.model), (new.facts.make, new.facts.model)
    if before is not None and after is not None:
        if before.at != after.at:
            return False  # however alike: a burst, or a series from one spot
        if cameras[0] == cameras[1]:
            return True
    return old_phash is not None and _distance(old_phash, new.derived.phash) <= NEARLY


def _moment(facts: Facts) -> TakenAt | None:
    best = facts.dates[0] if facts.dates else None
    return best if best is not None and best.confidence >= _TRUSTED and best.source != "gps" else None


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
