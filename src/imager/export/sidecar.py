"""Writes what is effective of a picture as an XMP sidecar that other programs read, and Imager reads back unchanged.

Standard properties wherever there is one (XMP specification part 2; IPTC Photo Metadata; MWG Guidelines 2.0 for
regions, hierarchies as Lightroom and digiKam write them). Imager's own namespace adds what no standard has: that
nothing was left out, the date as it is believed with where it was known from, and whether the picture is a favourite.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

TOOLKIT: Final = 'x:xmptk="Imager '
"""By which an export knows its own sidecars again, to bring them up to date; others are never written over."""

_NAMESPACES: Final = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "imager": "urn:imager:xmp:1.0/",
}
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS: Final = {"face": "Face", "pet": "Pet", "focus": "Focus", "barcode": "BarCode"}
_GUESSED: Final = "file"  # a date that was only guessed is not told to other programs

Box = Sequence[float]  # left, top, width, height: fractions of the upright picture


def sidecar(
    known: Mapping[str, Any],
    *,
    regions: Iterable[tuple[str | None, str, Box]] = (),
    orientation: int = 1,
    size: tuple[int, int] | None = None,
    name: str | None = None,
) -> tuple[bytes, int]:
    """The sidecar, and how many characters XML can't hold were left out of it.

    `known` is what `show` says. `regions` are name, kind and box; `orientation` (EXIF's) and `size` (stored width and
    height) are those of the file that the sidecar will lie beside. `name`: what the file was called at first.
    """
    out = _Writer()
    out.alternative("dc:title", known["title"])
    out.alternative("dc:description", known["caption"])
    out.alternative("dc:rights", known["copyright"])
    out.items("dc:creator", "Seq", (known["creator"] or "").split("; "))
    out.simple("xmp:Rating", known["rating"])
    _tags(out, [tag["name"] for tag in known["tags"]])
    _date(out, known)
    _position(out, known)
    place = known["place"] or {}
    out.simple("Iptc4xmpCore:Location", place.get("name"))
    out.simple("photoshop:City", place.get("city"))
    out.simple("photoshop:State", place.get("region"))
    out.simple("photoshop:Country", place.get("country"))
    out.simple("Iptc4xmpCore:CountryCode", place.get("country_code"))
    _regions(out, list(regions), orientation, size)
    out.simple("xmpMM:PreservedFileName", name)
    out.simple("imager:Favourite", "True" if known["favourite"] else None)
    out.simple("imager:Complete", "True")
    return out.packet(), out.dropped


class _Writer:
    """Collects properties of one description."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.dropped = 0

    def text(self, value: Any) -> str:
        """Text that XML can hold, escaped. A carriage return would come back as a newline: written as one."""
        legal, dropped = _ILLEGAL.subn("", str(value))
        self.dropped += dropped
        return escape(legal.replace("\r\n", "\n").replace("\r", "\n"), {'"': "&quot;"})

    def simple(self, name: str, value: Any) -> None:
        """A property, unless there is nothing to say."""
        if value is not None and (text := self.text(value)):
            self.lines.append(f"<{name}>{text}</{name}>")

    def alternative(self, name: str, value: str | None) -> None:
        """A text in the default language."""
        if value and (text := self.text(value)):
            self.lines.append(f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></{name}>')

    def items(self, name: str, kind: str, values: Iterable[str]) -> None:
        """A list: 'Bag' without order, 'Seq' with."""
        items = "".join(f"<rdf:li>{text}</rdf:li>" for value in values if (text := self.text(value)))
        if items:
            self.lines.append(f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>")

    def packet(self) -> bytes:
        """The whole sidecar, in UTF-8."""
        from imager import __version__

        used = "".join(
            f'\n    xmlns:{prefix}="{uri}"'
            for prefix, uri in _NAMESPACES.items()
            if any(f"{prefix}:" in line for line in self.lines)
        )
        body = "\n   ".join(self.lines)
        return (
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/" {TOOLKIT}{__version__}">\n'
            ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
            f'  <rdf:Description rdf:about=""{used}>\n   {body}\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n'
        ).encode()


def _tags(out: _Writer, names: Sequence[str]) -> None:
    paths = [name.split("|") for name in names]
    # Flat readers find every level; hierarchies stand as each family of programs writes them.
    out.items("dc:subject", "Bag", dict.fromkeys(level for path in paths for level in path))
    out.items("lr:hierarchicalSubject", "Bag", names)
    out.items("digiKam:TagsList", "Bag", ("/".join(path) for path in paths if not any("/" in level for level in path)))


def _date(out: _Writer, known: Mapping[str, Any]) -> None:
    if known["taken_at_source"] != _GUESSED:
        out.simple("exif:DateTimeOriginal", known["taken_at"])
        out.simple("photoshop:DateCreated", known["taken_at"])
    out.simple("imager:TakenAt", known["taken_at"])
    out.simple("imager:TakenAtSource", known["taken_at_source"])
    out.simple("imager:TakenAtConfidence", known["taken_at_confidence"])


def _position(out: _Writer, known: Mapping[str, Any]) -> None:
    latitude, longitude, altitude = known["latitude"], known["longitude"], known["altitude"]
    if latitude is not None and longitude is not None:
        out.simple("exif:GPSLatitude", _degrees(latitude, "NS"))
        out.simple("exif:GPSLongitude", _degrees(longitude, "EW"))
    if altitude is not None:
        out.simple("exif:GPSAltitude", f"{round(abs(altitude) * 1000)}/1000")
        out.simple("exif:GPSAltitudeRef", 1 if altitude < 0 else 0)


def _degrees(value: float, signs: str) -> str:
    """XMP's 'DDD,MM.mmk': exact to far less than the millimetre that is kept."""
    degrees, minutes = divmod(round(abs(value) * 60 * 10**9), 60 * 10**9)
    return f"{degrees},{minutes // 10**9}.{minutes % 10**9:09}{signs[value < 0]}"


def _regions(
    out: _Writer, regions: Sequence[tuple[str | None, str, Box]], orientation: int, size: tuple[int, int] | None
) -> None:
    """Areas are those of the stored picture, before it is turned, as programs that read regions take them."""
    if not regions:
        return
    items = []
    for name, kind, box in regions:
        left, top, width, height = as_stored(box, orientation)
        named = f"<mwg-rs:Name>{out.text(name)}</mwg-rs:Name>" if name else ""
        items.append(
            f'<rdf:li rdf:parseType="Resource">{named}<mwg-rs:Type>{out.text(_KINDS.get(kind, kind))}</mwg-rs:Type>'
            f'<mwg-rs:Area stArea:x="{left + width / 2:.9f}" stArea:y="{top + height / 2:.9f}" '
            f'stArea:w="{width:.9f}" stArea:h="{height:.9f}" stArea:unit="normalized"/></rdf:li>'
        )
    applied = (
        f'<mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}" stDim:unit="pixel"/>' if size else ""
    )
    out.lines.append(
        f'<mwg-rs:Regions rdf:parseType="Resource">{applied}<mwg-rs:RegionList><rdf:Bag>{"".join(items)}</rdf:Bag>'
        "</mwg-rs:RegionList></mwg-rs:Regions>"
    )


def as_stored(box: Box, orientation: int) -> Box:
    """Turn a box of the upright picture back into that of the stored one: what `regions.upright` takes."""
    x, y, w, h = box
    right, bottom = 1 - x - w, 1 - y - h
    return {
        2: (right, y, w, h),
        3: (right, bottom, w, h),
        4: (x, bottom, w, h),
        5: (y, x, h, w),
        6: (y, right, h, w),
        7: (bottom, right, h, w),
        8: (bottom, x, h, w),
    }.get(orientation, (x, y, w, h))
