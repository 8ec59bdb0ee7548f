"""Reads back what `imager export` says in its sidecars: what was effective, exactly as it was.

Part of `normalise`. Such a sidecar carries `imager:Complete`: whoever wrote it had seen the picture's own metadata and
what people said, so its tags, texts and date are taken as they stand, and what it does not say is not so. The standard
properties beside stay in force: where another program changed them since, they win.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from imager.facts import Facts, TakenAt
from imager.formats.dates import CONFIDENCE
from imager.formats.keywords import exported_keywords
from imager.formats.normalise import xmp_degrees
from imager.formats.sources import MAX_TEXT, plain, xmp_number
from imager.formats.text import clean

SOURCE: Final = "xmp:imager:TakenAt"
_KEPT: Final = frozenset((*CONFIDENCE, "file"))
_STANDARD: Final = ("xmp:exif:DateTimeOriginal", "xmp:photoshop:DateCreated")
_EPOCH: Final = datetime(1970, 1, 1)


def as_exported(facts: Facts, xmp: dict[str, Any]) -> Facts:
    """The facts of a sidecar; as they were written where Imager wrote it, else as they are given."""
    if plain(xmp.get("imager:Complete")).strip() != "True":
        return facts
    latitude = xmp_degrees(xmp.get("exif:GPSLatitude"), 90)
    longitude = xmp_degrees(xmp.get("exif:GPSLongitude"), 180)
    if latitude is not None and longitude is not None:  # 0, 0 as well: somebody meant it
        facts = replace(facts, latitude=latitude, longitude=longitude)
    taken = _taken(xmp)
    standard = [date for source in _STANDARD for date in facts.dates if date.source == source]
    if taken is not None and (not standard or standard[0].at == taken.at):
        facts = replace(facts, dates=(taken,))
    else:
        facts = replace(facts, dates=tuple(standard[:1]))
    return replace(
        facts,
        complete=True,
        description=clean(plain(xmp.get("dc:description"))[:MAX_TEXT]) or None,
        keywords=exported_keywords(xmp),
    )


def _taken(xmp: dict[str, Any]) -> TakenAt | None:
    """The effective date: any year from 1 to 9999, with where it was known from and how surely."""
    try:
        when = datetime.fromisoformat(plain(xmp.get("imager:TakenAt"))[:40].strip())
        offset = when.utcoffset()
        at = (when.replace(tzinfo=None) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None
    source = plain(xmp.get("imager:TakenAtSource"))
    confidence = xmp_number(xmp.get("imager:TakenAtConfidence"))
    return TakenAt(
        at=at,
        offset=None if offset is None else offset // timedelta(minutes=1),
        source=source if source in _KEPT else SOURCE,
        confidence=1.0 if confidence is None or not 0 <= confidence <= 1 else confidence,
    )
