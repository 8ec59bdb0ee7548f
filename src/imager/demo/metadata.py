"""What cameras and people write into picture files: EXIF (JEITA CP-3451) and XMP (ISO 16684-1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from imager.demo.trips import Shot
from imager.geo import utc_offset

_EPOCH = datetime(1970, 1, 1)


def exif(shot: Shot) -> Image.Exif:
    """The camera's part: when, where, with what; the date with its offset from UTC."""
    wall = (shot.taken - _EPOCH) // timedelta(milliseconds=1)
    minutes = utc_offset(shot.trip.zone, wall) or 0
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    date = shot.taken.strftime("%Y:%m:%d %H:%M:%S")
    turned = shot.orientation in (6, 8)
    data = Image.Exif()
    data.update(
        {
            Base.Make.value: shot.camera.make,
            Base.Model.value: shot.camera.model,
            Base.Orientation.value: shot.orientation,
            Base.DateTime.value: date,
        }
    )
    data.get_ifd(IFD.Exif).update(
        {
            Base.ExposureTime.value: IFDRational(*shot.exposure),
            Base.FNumber.value: IFDRational(round(shot.f_number * 100), 100),
            Base.ISOSpeedRatings.value: shot.iso,
            Base.ExifVersion.value: b"0232",
            Base.DateTimeOriginal.value: date,
            Base.DateTimeDigitized.value: date,
            Base.OffsetTime.value: offset,
            Base.OffsetTimeOriginal.value: offset,
            Base.OffsetTimeDigitized.value: offset,
            Base.SubsecTimeOriginal.value: f"{shot.taken.microsecond // 1000:03}",
            Base.FocalLength.value: IFDRational(round(shot.focal_length * 100), 100),
            Base.ExifImageWidth.value: shot.height if turned else shot.width,
            Base.ExifImageHeight.value: shot.width if turned else shot.height,
            Base.LensModel.value: shot.camera.lens,
        }
    )
    utc = shot.taken - timedelta(minutes=minutes)
    data.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSVersionID.value: b"\x02\x03\x00\x00",
            GPS.GPSLatitudeRef.value: "N" if shot.latitude >= 0 else "S",
            GPS.GPSLatitude.value: _degrees(shot.latitude),
            GPS.GPSLongitudeRef.value: "E" if shot.longitude >= 0 else "W",
            GPS.GPSLongitude.value: _degrees(shot.longitude),
            GPS.GPSTimeStamp.value: tuple(IFDRational(v) for v in (utc.hour, utc.minute, utc.second)),
            GPS.GPSMapDatum.value: "WGS-84",
            GPS.GPSDateStamp.value: utc.strftime("%Y:%m:%d"),
        }
    )
    return data


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and ten-thousandths of seconds."""
    total = round(abs(value) * 36_000_000)
    return (
        IFDRational(total // 36_000_000),
        IFDRational(total // 600_000 % 60),
        IFDRational(total % 600_000, 10_000),
    )


def xmp(shot: Shot) -> bytes | None:
    """The person's part: title, caption, keywords, rating; None if they wrote nothing."""
    parts = []
    if shot.caption:
        parts += [_localised("dc:title", shot.title), _localised("dc:description", shot.caption)]
    if shot.tags:
        plain = dict.fromkeys(tag.rpartition("|")[2] for tag in shot.tags)
        parts += [_bag("dc:subject", list(plain)), _bag("lr:hierarchicalSubject", list(shot.tags))]
    if not parts and shot.rating is None:
        return None
    rating = "" if shot.rating is None else f" xmp:Rating={quoteattr(str(shot.rating))}"
    body = "\n".join(parts)
    packet = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"{rating}>
{body}
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
    return packet.encode()


def _localised(name: str, text: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></{name}>'


def _bag(name: str, values: list[str]) -> str:
    items = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
    return f"<{name}><rdf:Bag>{items}</rdf:Bag></{name}>"
