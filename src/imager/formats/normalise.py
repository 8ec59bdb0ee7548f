"""Turns what the readers found into `facts.Facts`: one value for each fact, whoever wrote it and however.

The order of preference among the standards is the same everywhere: XMP, then IPTC, then EXIF for what people
wrote (title, description, keywords), since editors write XMP and cameras fill EXIF; EXIF, then XMP for what
the camera measured. docs/formats.md shows the table. Values that say nothing (a camera's standing
description, coordinates of exactly 0, 0, a zero aperture) are treated as absent; the raw metadata keeps them.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from imager.facts import Facts, Place
from imager.formats.date_candidates import dates_of
from imager.formats.exif import Value
from imager.formats.keywords import keywords_of
from imager.formats.regions import regions_of
from imager.formats.sources import (
    MAX_LINE,
    MAX_TEXT,
    Sources,
    as_number,
    as_numbers,
    exif_line,
    exif_text,
    first,
    iptc_line,
    listed,
    plain,
    png_line,
    positive,
    rounded,
    strings,
    windows,
    xmp_line,
    xmp_number,
)
from imager.formats.text import clean, clean_line, decode_user_comment

#: Descriptions and comments that cameras and programs write by themselves, in lower case.
STANDING_TEXT: Final = re.compile(
    r"(?:olympus|minolta|konica minolta|sony|samsung|kodak|nikon|casio|sanyo|jenoptik|benq|hp|ricoh|kyocera)?"
    r"\s*(?:digital (?:still )?camera|dsc|dcim)|default|dcim\\\d+media|untitled|<?(?:kenoxs|digimax)[^>]*>?|"
    r"my picture|image description|exif_jpeg_picture|exif_jpeg|screenshot|user comments?|charset=\S*|"
    r"\d{0,2}(?:jpeg|jpg) (?:image|picture)|created with gimp|binary comment|oledigitalcamera|"
    r"binary data \d+ bytes.*|[\s\-_.,:;?*#0]*|\{.*(?:photo_id|capture_mode).*\}",
    re.DOTALL,
)


def facts_of(sources: Sources) -> Facts:
    """All facts but dimensions and duration, which the decoder knows."""
    exif, xmp = sources.exif, sources.xmp
    orientation = _orientation(sources)
    latitude, longitude, altitude = _position(sources)
    return Facts(
        orientation=orientation,
        make=first(exif_line(exif, "IFD0", 0x010F), xmp_line(xmp, "tiff:Make")),
        model=first(exif_line(exif, "IFD0", 0x0110), xmp_line(xmp, "tiff:Model"), exif_line(exif, "IFD0", 0xC614)),
        lens=_lens(sources),
        iso=_iso(sources),
        f_number=_f_number(sources),
        exposure_time=_exposure_time(sources),
        focal_length=positive(exif, xmp, 0x920A, "exif:FocalLength", 100_000),
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        rating=_rating(sources),
        title=_title(sources),
        description=_description(sources),
        creator=_creator(sources),
        copyright=_copyright(sources),
        software=first(
            exif_line(exif, "IFD0", 0x0131),
            xmp_line(xmp, "xmp:CreatorTool"),
            png_line(sources, "Software"),
        ),
        keywords=keywords_of(xmp, sources.iptc, windows(exif, 0x9C9E)),
        regions=regions_of(xmp, orientation or sources.orientation, sources.size),
        place=_place(sources),
        dates=dates_of(sources),
    )


# --- the camera ---------------------------------------------------------------------------------------------


def _orientation(sources: Sources) -> int | None:
    for number in (
        as_number(sources.exif.get("IFD0", 0x0112)),
        xmp_number(sources.xmp.get("tiff:Orientation")),
    ):
        if number is not None and number in range(1, 9):
            return int(number)
    return None


def _f_number(sources: Sources) -> float | None:
    exif, xmp = sources.exif, sources.xmp
    number = positive(exif, xmp, 0x829D, "exif:FNumber", 1000)
    if number is None:
        # APEX: the aperture value is twice the binary logarithm of the f-number.
        apex = as_number(exif.get("Exif", 0x9202))
        if apex is None:
            apex = xmp_number(xmp.get("exif:ApertureValue"))
        if apex is not None and 0 < apex < 20:
            number = round(2 ** (apex / 2), 1)
    return number


def _exposure_time(sources: Sources) -> float | None:
    exif, xmp = sources.exif, sources.xmp
    number = positive(exif, xmp, 0x829A, "exif:ExposureTime", 1e6)
    if number is None:
        apex = as_number(exif.get("Exif", 0x9201))
        if apex is None:
            apex = xmp_number(xmp.get("exif:ShutterSpeedValue"))
        if apex is not None and apex != 0 and -20 < apex < 40:
            number = float(f"{2**-apex:.4g}")
    return number


def _iso(sources: Sources) -> int | None:
    exif, xmp = sources.exif, sources.xmp
    # 65535 in the old 16-bit tag means that the newer ones know better (Exif 2.3, annex G).
    for tag in (0x8827, 0x8832, 0x8831, 0x8833):
        for number in as_numbers(exif.get("Exif", tag)) or as_numbers(exif.get("IFD0", tag)):
            if number is not None and 1 <= number < 10_000_000 and not (tag == 0x8827 and number == 65535):
                return round(number)
    for name in ("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings", "exifEX:RecommendedExposureIndex"):
        number = xmp_number(xmp.get(name))
        if number is not None and 1 <= number < 10_000_000:
            return round(number)
    return None


def _lens(sources: Sources) -> str | None:
    exif, xmp = sources.exif, sources.xmp
    named = first(
        _known_lens(exif_line(exif, "Exif", 0xA434)),
        _known_lens(xmp_line(xmp, "aux:Lens")),
        _known_lens(xmp_line(xmp, "exifEX:LensModel")),
    )
    if named:
        return named
    numbers = as_numbers(exif.get("Exif", 0xA432)) or as_numbers(exif.get("IFD0", 0xC630))
    if len(numbers) != 4:
        written = xmp.get("exifEX:LensSpecification") or xmp.get("aux:LensInfo")
        parts = written.split() if isinstance(written, str) else written if isinstance(written, list) else []
        numbers = [xmp_number(part) for part in parts]
    return _specified_lens(numbers) if len(numbers) == 4 else None


def _known_lens(name: str | None) -> str | None:
    """None for what bodies write when no lens answers."""
    return (
        None
        if name is None or re.fullmatch(r"[-\s.?0/]*|0(?:\.0)? ?mm f/0(?:\.0)?|unknown.*|n/?a|none", name.lower())
        else name
    )


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
    latitude = _degrees(exif.get("GPS", 2), exif_text(exif, "GPS", 1), "S", 90)
    longitude = _degrees(exif.get("GPS", 4), exif_text(exif, "GPS", 3), "W", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        latitude = xmp_degrees(xmp.get("exif:GPSLatitude"), 90)
        longitude = xmp_degrees(xmp.get("exif:GPSLongitude"), 180)
    altitude = as_number(exif.get("GPS", 6))
    below = as_number(exif.get("GPS", 5))
    if altitude is None:
        altitude, below = (
            xmp_number(xmp.get("exif:GPSAltitude")),
            xmp_number(xmp.get("exif:GPSAltitudeRef")),
        )
    if altitude is not None:
        # 2 and 3 are Exif 3.0's, for heights above the ellipsoid; odd ones lie below the reference.
        altitude = -abs(altitude) if below in (1, 3) else altitude
        altitude = rounded(altitude) if abs(altitude) < 100_000 else None
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None, altitude
    return latitude, longitude, altitude


def _degrees(value: Value | None, ref: str, negative: str, most: int) -> float | None:
    """Degrees, minutes and seconds as one number; missing minutes and seconds (0/0) count as nothing."""
    numbers = as_numbers(value)
    if not numbers or numbers[0] is None:
        return None
    degrees = sum((number or 0.0) / 60**i for i, number in enumerate(numbers[:3]))
    if ref.strip()[:1].upper() == negative:
        degrees = -abs(degrees)
    return round(degrees, 8) if abs(degrees) <= most else None


def xmp_degrees(value: Any, most: int) -> float | None:
    """XMP's 'DDD,MM,SSk' or 'DDD,MM.mmk', and plain decimals."""
    match = re.fullmatch(
        r"\s*([-+]?[\d.]{1,12})(?:,([\d.]{1,20}))?(?:,([\d.]{1,20}))?\s*([NSEWnsew])?\s*", plain(value)
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
    code = first(xmp_line(xmp, "Iptc4xmpCore:CountryCode"), iptc_line(sources, "Country-PrimaryLocationCode"))
    place = Place(
        name=first(xmp_line(xmp, "Iptc4xmpCore:Location"), iptc_line(sources, "Sub-location")),
        city=first(xmp_line(xmp, "photoshop:City"), iptc_line(sources, "City")),
        region=first(xmp_line(xmp, "photoshop:State"), iptc_line(sources, "Province-State")),
        country=first(xmp_line(xmp, "photoshop:Country"), iptc_line(sources, "Country-PrimaryLocationName")),
        country_code=code.upper() if code and re.fullmatch("[A-Za-z]{2}", code) else None,
    )
    return place if place != Place() else None


# --- what people wrote --------------------------------------------------------------------------------------


def _rating(sources: Sources) -> int | None:
    """-1 for rejected, 0 … 5; halves are rounded up, as half a star more than n is no longer n."""
    exif, xmp = sources.exif, sources.xmp
    stars = xmp_number(xmp.get("xmp:Rating"))
    if stars is None:
        stars = as_number(exif.get("IFD0", 0x4746))
    if stars is not None and -1 <= stars <= 5:
        return -1 if stars < 0 else math.floor(stars + 0.5)
    # Windows' percent: 1, 25, 50, 75 and 99 are one to five stars.
    for percent in (xmp_number(xmp.get("MicrosoftPhoto:Rating")), as_number(exif.get("IFD0", 0x4749))):
        if percent is not None and 0 <= percent <= 100:
            return 0 if percent == 0 else min(5, math.floor(percent / 25 + 0.5) + 1)
    return None


def _title(sources: Sources) -> str | None:
    exif = sources.exif
    return first(
        xmp_line(sources.xmp, "dc:title"),
        iptc_line(sources, "ObjectName"),
        clean_line(windows(exif, 0x9C9B)[:MAX_LINE]),
        exif_line(exif, "Exif", 0xA436),
        png_line(sources, "Title"),
    )


def _description(sources: Sources) -> str | None:
    exif, xmp = sources.exif, sources.xmp
    comment = exif.get("Exif", 0x9286)
    if isinstance(comment, bytes):
        comment = decode_user_comment(comment[:MAX_TEXT])
    candidates = (
        plain(xmp.get("dc:description")),
        sources.iptc.get("Caption-Abstract", [""])[0],
        exif_text(exif, "IFD0", 0x010E),
        windows(exif, 0x9C9C),
        windows(exif, 0x9C9F),
        plain(xmp.get("exif:UserComment")),
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
    return first(
        listed(strings(sources.xmp.get("dc:creator"))),
        listed(sources.iptc.get("By-line", ())),
        listed(exif_text(exif, "IFD0", 0x013B).split(";")),
        listed(windows(exif, 0x9C9D).split(";")),
        exif_line(exif, "Exif", 0xA437),
        png_line(sources, "Author"),
    )


def _copyright(sources: Sources) -> str | None:
    # Exif has the photographer's and the editor's, which `text.decode` puts on two lines.
    exif = "; ".join(line.strip() for line in exif_text(sources.exif, "IFD0", 0x8298).splitlines() if line.strip())
    return first(
        xmp_line(sources.xmp, "dc:rights"),
        iptc_line(sources, "CopyrightNotice"),
        clean_line(exif[:MAX_LINE]),
        png_line(sources, "Copyright"),
    )
