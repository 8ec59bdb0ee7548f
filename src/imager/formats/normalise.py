"""Turns what the readers found into `facts.Facts`: one value for each fact, whoever wrote it and however.

The order of preference among the standards is the same everywhere: XMP, then IPTC, then EXIF for what people
wrote (title, description, keywords), since editors write XMP and cameras fill EXIF; EXIF, then XMP for what
the camera measured. docs/formats.md shows the table. Values that say nothing (a camera's standing
description, coordinates of exactly 0, 0, a zero aperture) are treated as absent; the raw metadata keeps them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from imager.facts import Facts, Place, TakenAt
from imager.formats import dates
from imager.formats.exif import Exif, Rational, Value
from imager.formats.keywords import keywords_of
from imager.formats.regions import regions_of
from imager.formats.text import clean, clean_line, decode, decode_user_comment, decode_utf16

MAX_LINE: Final = 1_000
MAX_TEXT: Final = 100_000

#: Descriptions and comments that cameras and programs write by themselves, in lower case.
STANDING_TEXT: Final = re.compile(
    r"(?:olympus|minolta|konica minolta|sony|samsung|kodak|nikon|casio|sanyo|jenoptik|benq|hp|ricoh|kyocera)?"
    r"\s*(?:digital (?:still )?camera|dsc|dcim)|default|dcim\\\d+media|untitled|<?(?:kenoxs|digimax)[^>]*>?|"
    r"my picture|image description|exif_jpeg_picture|exif_jpeg|screenshot|user comments?|charset=\S*|"
    r"\d{0,2}(?:jpeg|jpg) (?:image|picture)|created with gimp|binary comment|oledigitalcamera|"
    r"binary data \d+ bytes.*|[\W_]*|\{.*\"?(?:photo_id|capture_mode|data)\"?.*\}",
    re.DOTALL,
)


@dataclass(slots=True)
class Sources:
    """Everything that the readers found in one file."""

    exif: Exif = field(default_factory=lambda: Exif({}))
    xmp: dict[str, Any] = field(default_factory=dict)
    iptc: dict[str, list[str]] = field(default_factory=dict)
    text: dict[str, list[str]] = field(default_factory=dict)  # PNG keywords
    png_time: str = ""
    size: tuple[int, int] | None = None  # stored width and height, where known
    orientation: int | None = None  # of the picture, for a sidecar that doesn't say


def facts_of(sources: Sources) -> Facts:
    """All facts but dimensions and duration, which the decoder knows."""
    exif, xmp = sources.exif, sources.xmp
    orientation = _orientation(sources)
    latitude, longitude, altitude = _position(sources)
    return Facts(
        orientation=orientation,
        make=_first(_exif_line(exif, "IFD0", 0x010F), _xmp_line(xmp, "tiff:Make")),
        model=_first(
            _exif_line(exif, "IFD0", 0x0110), _xmp_line(xmp, "tiff:Model"), _exif_line(exif, "IFD0", 0xC614)
        ),
        lens=_lens(sources),
        iso=_iso(sources),
        f_number=_f_number(sources),
        exposure_time=_exposure_time(sources),
        focal_length=_positive(exif, xmp, 0x920A, "exif:FocalLength", 100_000),
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        rating=_rating(sources),
        title=_title(sources),
        description=_description(sources),
        creator=_creator(sources),
        copyright=_copyright(sources),
        software=_first(
            _exif_line(exif, "IFD0", 0x0131),
            _xmp_line(xmp, "xmp:CreatorTool"),
            _png_line(sources, "Software"),
        ),
        keywords=keywords_of(xmp, sources.iptc, _windows(exif, 0x9C9E)),
        regions=regions_of(xmp, orientation or sources.orientation, sources.size),
        place=_place(sources),
        dates=_dates(sources),
    )


# --- reading single values ----------------------------------------------------------------------------------


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _exif_text(exif: Exif, directory: str, tag: int) -> str:
    value = exif.get(directory, tag)
    if isinstance(value, bytes):
        value = decode(value[:MAX_TEXT])
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _exif_line(exif: Exif, directory: str, tag: int) -> str | None:
    return clean_line(_exif_text(exif, directory, tag)[:MAX_LINE]) or None


def _windows(exif: Exif, tag: int) -> str:
    """One of the tags that Windows Explorer writes, in UTF-16."""
    value = exif.get("IFD0", tag)
    if isinstance(value, tuple) and all(isinstance(v, int) and 0 <= v < 256 for v in value):
        value = bytes(v for v in value if isinstance(v, int))
    return clean(decode_utf16(value[: 2 * MAX_TEXT])) if isinstance(value, bytes) else ""


def _plain(value: Any) -> str:
    """Text from an XMP value: the default language, the first of a list, or what a structure qualifies."""
    if isinstance(value, list):
        value = next((v for v in value if _plain(v)), "")
    if isinstance(value, dict):
        chosen = value.get("x-default") or value.get("rdf:value")
        return _plain(chosen or next((v for v in value.values() if isinstance(v, str) and v.strip()), ""))
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _xmp_line(xmp: dict[str, Any], name: str) -> str | None:
    return clean_line(_plain(xmp.get(name))[:MAX_LINE]) or None


def _iptc_line(sources: Sources, name: str) -> str | None:
    return clean_line(sources.iptc.get(name, [""])[0][:MAX_LINE]) or None


def _png_line(sources: Sources, name: str) -> str | None:
    return clean_line(sources.text.get(name, [""])[0][:MAX_LINE]) or None


def _listed(values: Iterable[str]) -> str | None:
    """Several names as one line, each once."""
    names = dict.fromkeys(name for value in values if (name := clean_line(value[:MAX_LINE])))
    return "; ".join(names)[:MAX_LINE] or None


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [_plain(value)]
    return [_plain(v) for v in value[:100]] if isinstance(value, list) else [_plain(value)]


def _number(value: Value | None) -> float | None:
    """A finite number from an EXIF value, the first of several; text is read too, as some writers use it."""
    if isinstance(value, Rational):
        return value.value
    if isinstance(value, tuple):
        return _number(value[0]) if value else None
    if isinstance(value, bytes):
        value = decode(value[:64])
    if isinstance(value, str):
        return _xmp_number(value)
    return float(value) if value is not None and math.isfinite(value) else None


def _numbers(value: Value | None) -> list[float | None]:
    if isinstance(value, tuple) and not isinstance(value, Rational):
        return [_number(v) for v in value]
    return [] if value is None else [_number(value)]


def _xmp_number(value: Any) -> float | None:
    """A finite number from XMP: '5.6', '56/10', or a list that begins with one."""
    text = _plain(value).strip()
    over, slash, under = text.partition("/")
    try:
        number = float(over) / float(under) if slash else float(over)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _positive(exif: Exif, xmp: dict[str, Any], tag: int, name: str, most: float) -> float | None:
    """A measurement: from the Exif directory, from IFD0 where editors misplace it, or from XMP."""
    for number in (
        _number(exif.get("Exif", tag)),
        _number(exif.get("IFD0", tag)),
        _xmp_number(xmp.get(name)),
    ):
        if number is not None and 0 < number <= most:
            return _rounded(number)
    return None


def _rounded(number: float) -> float:
    """Without the noise that division leaves: eight significant digits."""
    return float(f"{number:.8g}")


# --- the camera ---------------------------------------------------------------------------------------------


def _orientation(sources: Sources) -> int | None:
    for number in (
        _number(sources.exif.get("IFD0", 0x0112)),
        _xmp_number(sources.xmp.get("tiff:Orientation")),
    ):
        if number is not None and number in range(1, 9):
            return int(number)
    return None


def _f_number(sources: Sources) -> float | None:
    exif, xmp = sources.exif, sources.xmp
    number = _positive(exif, xmp, 0x829D, "exif:FNumber", 1000)
    if number is None:
        # APEX: the aperture value is twice the binary logarithm of the f-number.
        apex = _number(exif.get("Exif", 0x9202))
        if apex is None:
            apex = _xmp_number(xmp.get("exif:ApertureValue"))
        if apex is not None and 0 < apex < 20:
            number = round(2 ** (apex / 2), 1)
    return number


def _exposure_time(sources: Sources) -> float | None:
    exif, xmp = sources.exif, sources.xmp
    number = _positive(exif, xmp, 0x829A, "exif:ExposureTime", 1e6)
    if number is None:
        apex = _number(exif.get("Exif", 0x9201))
        if apex is None:
            apex = _xmp_number(xmp.get("exif:ShutterSpeedValue"))
        if apex is not None and apex != 0 and -20 < apex < 40:
            number = float(f"{2**-apex:.4g}")
    return number


def _iso(sources: Sources) -> int | None:
    exif, xmp = sources.exif, sources.xmp
    # 65535 in the old 16-bit tag means that the newer ones know better (Exif 2.3, annex G).
    for tag in (0x8827, 0x8832, 0x8831, 0x8833):
        for number in _numbers(exif.get("Exif", tag)) or _numbers(exif.get("IFD0", tag)):
            if number is not None and 1 <= number < 10_000_000 and not (tag == 0x8827 and number == 65535):
                return round(number)
    for name in ("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings", "exifEX:RecommendedExposureIndex"):
        number = _xmp_number(xmp.get(name))
        if number is not None and 1 <= number < 10_000_000:
            return round(number)
    return None


def _lens(sources: Sources) -> str | None:
    exif, xmp = sources.exif, sources.xmp
    named = _first(
        _known_lens(_exif_line(exif, "Exif", 0xA434)),
        _known_lens(_xmp_line(xmp, "aux:Lens")),
        _known_lens(_xmp_line(xmp, "exifEX:LensModel")),
    )
    if named:
        return named
    numbers = _numbers(exif.get("Exif", 0xA432)) or _numbers(exif.get("IFD0", 0xC630))
    if len(numbers) != 4:
        written = xmp.get("exifEX:LensSpecification") or xmp.get("aux:LensInfo")
        parts = written.split() if isinstance(written, str) else written if isinstance(written, list) else []
        numbers = [_xmp_number(part) for part in parts]
    return _specified_lens(numbers) if len(numbers) == 4 else None


def _known_lens(name: str | None) -> str | None:
    """None for what bodies write when no lens answers."""
    return None if name is None or re.fullmatch(r"[-\s.?0/]*|unknown.*|n/?a|none", name.lower()) else name


def _specified_lens(numbers: list[float | None]) -> str | None:
    """Focal lengths, then the widest apertures there: '24-70mm f/2.8', '18-55mm f/3.5-5.6'."""
    short, long_, wide, tele = numbers
    if not short or short <= 0:
        return None
    text = f"{short:g}mm" if not long_ or long_ == short else f"{short:g}-{long_:g}mm"
    if wide and wide > 0:
        text += f" f/{wide:.2g}" if not tele or tele == wide else f" f/{wide:.2g}-{tele:.2g}"
    return text


# --- the place ----------------------------------------------------------------------------------------------


def _position(sources: Sources) -> tuple[float | None, float | None, float | None]:
    """Latitude and longitude in degrees, south and west negative, and altitude in metres."""
    exif, xmp = sources.exif, sources.xmp
    latitude = _degrees(exif.get("GPS", 2), _exif_text(exif, "GPS", 1), "S", 90)
    longitude = _degrees(exif.get("GPS", 4), _exif_text(exif, "GPS", 3), "W", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        latitude = _xmp_degrees(xmp.get("exif:GPSLatitude"), 90)
        longitude = _xmp_degrees(xmp.get("exif:GPSLongitude"), 180)
    altitude = _number(exif.get("GPS", 6))
    below = _number(exif.get("GPS", 5))
    if altitude is None:
        altitude, below = (
            _xmp_number(xmp.get("exif:GPSAltitude")),
            _xmp_number(xmp.get("exif:GPSAltitudeRef")),
        )
    if altitude is not None:
        # 2 and 3 are Exif 3.0's, for heights above the ellipsoid; odd ones lie below the reference.
        altitude = -abs(altitude) if below in (1, 3) else altitude
        altitude = _rounded(altitude) if abs(altitude) < 100_000 else None
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None, altitude
    return latitude, longitude, altitude


def _degrees(value: Value | None, ref: str, negative: str, most: int) -> float | None:
    """Degrees, minutes and seconds as one number; missing minutes and seconds (0/0) count as nothing."""
    numbers = _numbers(value)
    if not numbers or numbers[0] is None:
        return None
    degrees = sum((number or 0.0) / 60**i for i, number in enumerate(numbers[:3]))
    if ref.strip()[:1].upper() == negative:
        degrees = -abs(degrees)
    return round(degrees, 8) if abs(degrees) <= most else None


def _xmp_degrees(value: Any, most: int) -> float | None:
    """XMP's 'DDD,MM,SSk' or 'DDD,MM.mmk', and plain decimals."""
    match = re.fullmatch(
        r"\s*([-+]?[\d.]{1,12})(?:,([\d.]{1,20}))?(?:,([\d.]{1,20}))?\s*([NSEWnsew])?\s*", _plain(value)
    )
    if not match:
        return None
    try:
        whole, minutes, seconds = (float(match[i] or 0) for i in (1, 2, 3))
    except ValueError:
        return None
    degrees = abs(whole) + minutes / 60 + seconds / 3600
    if match[1].startswith("-") or (match[4] or "").upper() in ("S", "W"):
        degrees = -degrees
    return round(degrees, 8) if abs(degrees) <= most else None


def _place(sources: Sources) -> Place | None:
    """What people wrote about where it was taken."""
    xmp = sources.xmp
    code = _first(
        _xmp_line(xmp, "Iptc4xmpCore:CountryCode"), _iptc_line(sources, "Country-PrimaryLocationCode")
    )
    place = Place(
        name=_first(_xmp_line(xmp, "Iptc4xmpCore:Location"), _iptc_line(sources, "Sub-location")),
        city=_first(_xmp_line(xmp, "photoshop:City"), _iptc_line(sources, "City")),
        region=_first(_xmp_line(xmp, "photoshop:State"), _iptc_line(sources, "Province-State")),
        country=_first(
            _xmp_line(xmp, "photoshop:Country"), _iptc_line(sources, "Country-PrimaryLocationName")
        ),
        country_code=code.upper() if code and re.fullmatch("[A-Za-z]{2}", code) else None,
    )
    return place if place != Place() else None


# --- what people wrote --------------------------------------------------------------------------------------


def _rating(sources: Sources) -> int | None:
    """-1 for rejected, 0 … 5; halves are rounded up, as half a star more than n is no longer n."""
    exif, xmp = sources.exif, sources.xmp
    stars = _xmp_number(xmp.get("xmp:Rating"))
    if stars is None:
        stars = _number(exif.get("IFD0", 0x4746))
    if stars is not None and -1 <= stars <= 5:
        return -1 if stars < 0 else math.floor(stars + 0.5)
    # Windows' percent: 1, 25, 50, 75 and 99 are one to five stars.
    for percent in (_xmp_number(xmp.get("MicrosoftPhoto:Rating")), _number(exif.get("IFD0", 0x4749))):
        if percent is not None and 0 <= percent <= 100:
            return 0 if percent == 0 else min(5, math.floor(percent / 25 + 0.5) + 1)
    return None


def _title(sources: Sources) -> str | None:
    exif = sources.exif
    return _first(
        _xmp_line(sources.xmp, "dc:title"),
        _iptc_line(sources, "ObjectName"),
        clean_line(_windows(exif, 0x9C9B)[:MAX_LINE]),
        _exif_line(exif, "Exif", 0xA436),
        _png_line(sources, "Title"),
    )


def _description(sources: Sources) -> str | None:
    exif, xmp = sources.exif, sources.xmp
    comment = exif.get("Exif", 0x9286)
    if isinstance(comment, bytes):
        comment = decode_user_comment(comment[:MAX_TEXT])
    candidates = (
        _plain(xmp.get("dc:description")),
        sources.iptc.get("Caption-Abstract", [""])[0],
        _exif_text(exif, "IFD0", 0x010E),
        _windows(exif, 0x9C9C),
        _windows(exif, 0x9C9F),
        _plain(xmp.get("exif:UserComment")),
        comment if isinstance(comment, str) else "",
        *sources.text.get("Description", ()),
        *sources.text.get("Comment", ()),
    )
    for text in candidates:
        text = clean(text[:MAX_TEXT])
        if text and not STANDING_TEXT.fullmatch(text.lower()[:2000]):
            return text
    return None


def _creator(sources: Sources) -> str | None:
    exif = sources.exif
    return _first(
        _listed(_strings(sources.xmp.get("dc:creator"))),
        _listed(sources.iptc.get("By-line", ())),
        _listed(_exif_text(exif, "IFD0", 0x013B).split(";")),
        _listed(_windows(exif, 0x9C9D).split(";")),
        _exif_line(exif, "Exif", 0xA437),
        _png_line(sources, "Author"),
    )


def _copyright(sources: Sources) -> str | None:
    # Exif has the photographer's and the editor's, which `text.decode` puts on two lines.
    exif = "; ".join(
        line.strip() for line in _exif_text(sources.exif, "IFD0", 0x8298).splitlines() if line.strip()
    )
    return _first(
        _xmp_line(sources.xmp, "dc:rights"),
        _iptc_line(sources, "CopyrightNotice"),
        clean_line(exif[:MAX_LINE]),
        _png_line(sources, "Copyright"),
    )


# --- when ---------------------------------------------------------------------------------------------------


def _dates(sources: Sources) -> tuple[TakenAt, ...]:
    """Every candidate, likeliest first; of equal confidence, in the order of `dates.CONFIDENCE`."""
    exif, xmp = sources.exif, sources.xmp
    found: list[TakenAt | None] = []
    offset_known: int | None = None
    for name, directory, tag, subsec, offset in (
        ("exif:DateTimeOriginal", "Exif", 0x9003, 0x9291, 0x9011),
        ("exif:DateTimeDigitized", "Exif", 0x9004, 0x9292, 0x9012),
        ("exif:DateTime", "IFD0", 0x0132, 0x9290, 0x9010),
    ):
        text = _exif_text(exif, directory, tag) or _exif_text(
            exif, "Exif" if directory == "IFD0" else "IFD0", tag
        )
        date = dates.parse_date(
            text, name, subsec=_exif_text(exif, "Exif", subsec), offset=_exif_text(exif, "Exif", offset)
        )
        if date is not None and offset_known is None and name != "exif:DateTime":
            offset_known = date.offset
        found.append(date)
    found += [
        dates.parse_date(_plain(xmp.get(source.removeprefix("xmp:"))), source)
        for source in dates.CONFIDENCE
        if source.startswith("xmp:")
    ]
    for source, date_name, time_name in (
        ("iptc:DateCreated", "DateCreated", "TimeCreated"),
        ("iptc:DigitalCreationDate", "DigitalCreationDate", "DigitalCreationTime"),
    ):
        found.append(_iptc_date(sources, source, date_name, time_name))
    found.append(_gps_date(exif, offset_known))
    found += [
        dates.parse_date(text, "png:Creation Time") for text in sources.text.get("Creation Time", ())[:4]
    ]
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
    time = re.fullmatch(
        r"(\d\d):?(\d\d):?(\d\d)([+-]\d\d:?\d\d)?", sources.iptc.get(time_name, [""])[0].strip()
    )
    if time and text.count("-") == 2:
        text += f"T{time[1]}:{time[2]}:{time[3]}{time[4] or ''}"
    return dates.parse_date(text, source)


def _gps_date(exif: Exif, offset: int | None) -> TakenAt | None:
    """The satellites' date and time, which are UTC: as a wall clock where the camera's offset is known."""
    day = re.fullmatch(r"\s*(\d{4})[:\-/.](\d\d)[:\-/.](\d\d).*", _exif_text(exif, "GPS", 0x1D))
    time = _numbers(exif.get("GPS", 7))
    if not day or len(time) != 3 or any(part is None or not 0 <= part < 62 for part in time):
        return None
    hour, minute, second = (part or 0.0 for part in time)
    milli = round(second * 1000)
    at = dates.milliseconds(
        int(day[1]), int(day[2]), int(day[3]), int(hour), int(minute), milli // 1000, milli % 1000
    )
    if at is None:
        return None
    if offset is None:
        return dates.candidate(at, "gps", offset=0, factor=dates.GPS_WITHOUT_OFFSET / dates.CONFIDENCE["gps"])
    return dates.candidate(at + offset * 60_000, "gps", offset=offset)
