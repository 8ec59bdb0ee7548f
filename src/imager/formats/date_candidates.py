"""Every date that a file's metadata states, as candidates for when its picture was taken.

Part of `normalise`: it knows where the standards keep dates; `dates` knows how to read and to weigh them.
"""

from __future__ import annotations

import re

from imager.facts import TakenAt
from imager.formats import dates
from imager.formats.exif import Exif
from imager.formats.sources import Sources, as_numbers, exif_text, plain


def dates_of(sources: Sources) -> tuple[TakenAt, ...]:
    """Every candidate, likeliest first; of equal confidence, in the order of `dates.CONFIDENCE`."""
    exif, xmp = sources.exif, sources.xmp
    found: list[TakenAt | None] = []
    offset_known: int | None = None
    for name, directory, tag, subsec, offset in (
        ("exif:DateTimeOriginal", "Exif", 0x9003, 0x9291, 0x9011),
        ("exif:DateTimeDigitized", "Exif", 0x9004, 0x9292, 0x9012),
        ("exif:DateTime", "IFD0", 0x0132, 0x9290, 0x9010),
    ):
        text = exif_text(exif, directory, tag) or exif_text(exif, "Exif" if directory == "IFD0" else "IFD0", tag)
        date = dates.parse_date(
            text, name, subsec=exif_text(exif, "Exif", subsec), offset=exif_text(exif, "Exif", offset)
        )
        if date is not None and offset_known is None and name != "exif:DateTime":
            offset_known = date.offset
        found.append(date)
    found += [
        dates.parse_date(plain(xmp.get(source.removeprefix("xmp:"))), source)
        for source in dates.CONFIDENCE
        if source.startswith("xmp:")
    ]
    for source, date_name, time_name in (
        ("iptc:DateCreated", "DateCreated", "TimeCreated"),
        ("iptc:DigitalCreationDate", "DigitalCreationDate", "DigitalCreationTime"),
    ):
        found.append(_iptc_date(sources, source, date_name, time_name))
    found.append(_gps_date(exif, offset_known))
    found += [dates.parse_date(text, "png:Creation Time") for text in sources.text.get("Creation Time", ())[:4]]
    found.append(dates.parse_date(sources.png_time, "png:tIME"))
    order = list(dates.CONFIDENCE)
    known = dict.fromkeys(date for date in found if date is not None)
    return tuple(sorted(known, key=lambda date: (-date.confidence, order.index(date.source))))


def _iptc_date(sources: Sources, source: str, date_name: str, time_name: str) -> TakenAt | None:
    """IPTC's CCYYMMDD and HHMMSS±HHMM; zeros for an unknown month or day."""
    date = re.fullmatch(r"(\d{4})[-:]?(\d\d)[-:]?(\d\d)", sources.iptc.get(date_name, [""])[0].strip())
    if not date:
        return None
    text = "-".join(part for part in date.groups() if part != "00")
    time = re.fullmatch(r"(\d\d):?(\d\d):?(\d\d)([+-]\d\d:?\d\d)?", sources.iptc.get(time_name, [""])[0].strip())
    if time and text.count("-") == 2:
        text += f"T{time[1]}:{time[2]}:{time[3]}{time[4] or ''}"
    return dates.parse_date(text, source)


def _gps_date(exif: Exif, offset: int | None) -> TakenAt | None:
    """The satellites' date and time, which are UTC: as a wall clock where the camera's offset is known."""
    day = re.fullmatch(r"\s*(\d{4})[:\-/.](\d\d)[:\-/.](\d\d).*", exif_text(exif, "GPS", 0x1D))
    time = as_numbers(exif.get("GPS", 7))
    if not day or len(time) != 3 or any(part is None or not 0 <= part < 62 for part in time):
        return None
    if int(day[1]) < 1995:
        return None  # before the system was complete: a receiver that counts from its epoch and has seen no satellite
    hour, minute, second = (part or 0.0 for part in time)
    milli = round(second * 1000)
    at = dates.milliseconds(int(day[1]), int(day[2]), int(day[3]), int(hour), int(minute), milli // 1000, milli % 1000)
    if at is None:
        return None
    if offset is None:
        return dates.candidate(at, "gps", offset=0, factor=dates.GPS_WITHOUT_OFFSET / dates.CONFIDENCE["gps"])
    return dates.candidate(at + offset * 60_000, "gps", offset=offset)
