"""Compares the facts that Imager reads with ExifTool's, field by field, over whole folders.

    python -m benchmarks.compare_metadata FOLDER…

Needs `exiftool` on the PATH. Prints for each field in how many files both agree, how many differences are of the
classes that docs/formats.md explains, and every other difference; exits 0 in any case. The times are for the eye:
ExifTool's contains starting it once and reading the files.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from imager.facts import Facts, TakenAt
from imager.formats import dates
from imager.formats.metadata import read_metadata
from imager.formats.normalise import STANDING_TEXT
from imager.formats.recognise import recognise
from imager.formats.text import clean, clean_line

#: Imager's fields, and ExifTool's tags for the same in the same order of preference.
FIELDS: dict[str, tuple[str, ...]] = {
    "orientation": ("IFD0:Orientation", "XMP-tiff:Orientation"),
    "make": ("IFD0:Make", "XMP-tiff:Make"),
    "model": ("IFD0:Model", "XMP-tiff:Model"),
    "lens": ("ExifIFD:LensModel", "XMP-aux:Lens", "XMP-exifEX:LensModel"),
    "iso": ("ExifIFD:ISO", "IFD0:ISO", "ExifIFD:RecommendedExposureIndex", "XMP-exif:ISO"),
    "f_number": ("ExifIFD:FNumber", "IFD0:FNumber", "XMP-exif:FNumber", "ExifIFD:ApertureValue"),
    "exposure_time": (
        "ExifIFD:ExposureTime",
        "IFD0:ExposureTime",
        "XMP-exif:ExposureTime",
        "ExifIFD:ShutterSpeedValue",
    ),
    "focal_length": ("ExifIFD:FocalLength", "IFD0:FocalLength", "XMP-exif:FocalLength"),
    "latitude": ("Composite:GPSLatitude", "XMP-exif:GPSLatitude"),
    "longitude": ("Composite:GPSLongitude", "XMP-exif:GPSLongitude"),
    "altitude": ("Composite:GPSAltitude", "GPS:GPSAltitude"),
    "rating": ("XMP-xmp:Rating", "IFD0:Rating", "XMP-microsoft:RatingPercent"),
    "title": ("XMP-dc:Title", "IPTC:ObjectName", "IFD0:XPTitle", "PNG:Title"),
    "description": (
        "XMP-dc:Description",
        "IPTC:Caption-Abstract",
        "IFD0:ImageDescription",
        "IFD0:XPComment",
        "IFD0:XPSubject",
        "XMP-exif:UserComment",
        "ExifIFD:UserComment",
        "PNG:Description",
        "PNG:Comment",
    ),
    "creator": ("XMP-dc:Creator", "IPTC:By-line", "IFD0:Artist", "IFD0:XPAuthor", "PNG:Author"),
    "copyright": ("XMP-dc:Rights", "IPTC:CopyrightNotice", "IFD0:Copyright", "PNG:Copyright"),
    "software": ("IFD0:Software", "XMP-xmp:CreatorTool", "PNG:Software"),
    "keywords": (
        "XMP-dc:Subject",
        "IPTC:Keywords",
        "XMP-lr:HierarchicalSubject",
        "XMP-digiKam:TagsList",
        "IFD0:XPKeywords",
    ),
    "date": (
        "ExifIFD:DateTimeOriginal",
        "XMP-exif:DateTimeOriginal",
        "XMP-photoshop:DateCreated",
        "ExifIFD:CreateDate",
        "IPTC:DateCreated",
        "XMP-exif:DateTimeDigitized",
        "XMP-xmp:CreateDate",
        "PNG:CreationTime",
        "IFD0:ModifyDate",
        "XMP-xmp:ModifyDate",
        "PNG:ModifyDate",
    ),
}
TOLERANCE = {"latitude": 1e-6, "longitude": 1e-6, "altitude": 0.01}


def pictures(folders: list[str]) -> Iterator[str]:
    """Every file under the folders, in a fixed order."""
    for folder in folders:
        for root, names, files in os.walk(folder):
            names.sort()
            yield from (os.path.join(root, name) for name in sorted(files))


def ours(facts: Facts) -> dict[str, Any]:
    """Imager's facts under the names of `FIELDS`; the satellites' time is not among the dates compared."""
    result: dict[str, Any] = {name: getattr(facts, name) for name in FIELDS if name != "date"}
    result["date"] = next((written(d) for d in facts.dates if d.source != "gps"), None)
    return result


def written(date: TakenAt) -> str:
    """A date for people: wall clock to the millisecond, and offset in minutes."""
    return datetime.fromtimestamp(date.at / 1000, UTC).isoformat()[:-6] + f" {date.offset}"


def theirs(tags: dict[str, Any], field: str) -> Any:
    """ExifTool's value for a field: the first of its tags that says anything."""
    if field == "date":
        # By Imager's rules of plausibility, so that only the reading is compared.
        found = [_date(tags, tag) for tag in FIELDS["date"]]
        known = [date for date in found if date is not None]
        return written(max(known, key=lambda d: d.confidence)) if known else None
    if field == "keywords":
        return [k for tag in FIELDS[field] for k in _listed(tags.get(tag), tag)]
    for tag in FIELDS[field]:
        value = tags.get(tag)
        if value in (None, "", []) or (field not in ("rating", "altitude") and str(value).strip("0.") == ""):
            continue
        return value
    return None


def _listed(value: Any, tag: str) -> list[str]:
    """One tag's keywords; each level of a hierarchy by itself, as Imager names no level twice."""
    found = [] if value is None else value if isinstance(value, list) else [value]
    separator = {"IFD0:XPKeywords": ";", "XMP-digiKam:TagsList": "/"}.get(tag, "|")
    return [level for item in found for level in str(item).split(separator)]


def _date(tags: dict[str, Any], tag: str) -> Any:
    source = {
        "ExifIFD:DateTimeOriginal": "exif:DateTimeOriginal",
        "ExifIFD:CreateDate": "exif:DateTimeDigitized",
        "IFD0:ModifyDate": "exif:DateTime",
        "IPTC:DateCreated": "iptc:DateCreated",
        "PNG:CreationTime": "png:Creation Time",
        "PNG:ModifyDate": "png:tIME",
    }.get(tag) or "xmp:" + tag.removeprefix("XMP-")
    value = tags.get(tag)
    if tag == "IPTC:DateCreated" and value and "IPTC:TimeCreated" in tags:
        value = f"{value} {tags['IPTC:TimeCreated']}"
    suffix = {"ExifIFD:DateTimeOriginal": "Original", "ExifIFD:CreateDate": "Digitized", "IFD0:ModifyDate": ""}.get(tag)
    if not value or suffix is None:
        return dates.parse_date(str(value), source) if value else None
    subsec, offset = (str(tags.get(f"ExifIFD:{name}{suffix}", "")) for name in ("SubSecTime", "OffsetTime"))
    return dates.parse_date(str(value), source, subsec=subsec, offset=offset)


def explained(field: str, mine: Any, other: Any) -> bool:
    """Whether a difference is one of those that docs/formats.md explains: meant, and not a misreading."""
    if field == "description" and mine is None:
        return bool(STANDING_TEXT.fullmatch(clean(str(other)).lower()))
    if field in ("exposure_time", "f_number") and mine is not None and other is not None:
        return math.isclose(mine, float(other), rel_tol=0.02)  # from APEX, which is itself rounded
    return False


def agree(field: str, mine: Any, other: Any) -> bool:
    """Whether two values say the same."""
    if mine in (None, (), "") and other in (None, (), "", []):
        return True
    if mine is None or other is None:
        return False
    if field == "date":
        return bool(mine == other)
    if field == "keywords":
        levels = {clean_line(level).casefold() for keyword in mine for level in keyword.split("|")}
        return levels == {clean_line(str(k)).casefold() for k in other}
    if isinstance(mine, int | float):
        other = other[0] if isinstance(other, list) else other
        try:
            return math.isclose(mine, float(other), rel_tol=1e-6, abs_tol=TOLERANCE.get(field, 1e-9))
        except (TypeError, ValueError):
            return False
    text = "; ".join(map(str, other)) if isinstance(other, list) else str(other)
    return bool(clean_line(mine) == clean_line(clean(text)))


def main() -> int:
    """Compare, and print what was found."""
    folders = sys.argv[1:]
    if not folders or shutil.which("exiftool") is None:
        print(__doc__)
        return 0
    started = time.perf_counter()
    command = ["exiftool", "-r", "-j", "-G1", "-n", "-struct", "-charset", "filename=utf8", *folders]
    output = subprocess.run(command, capture_output=True, check=False).stdout
    tool_seconds = time.perf_counter() - started
    tool = {
        os.path.normpath(tags["SourceFile"]): tags
        for tags in json.loads(output or b"[]", parse_float=str, parse_int=str)
    }
    same: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    differences: list[str] = []
    seconds = 0.0
    count = 0
    for path in pictures(folders):
        with open(path, "rb") as file:
            data = file.read()
        kind = recognise(data[:4096])
        tags = tool.get(os.path.normpath(path))
        if kind is None or tags is None:
            continue
        count += 1
        started = time.perf_counter()
        metadata = read_metadata(data, kind.name)
        seconds += time.perf_counter() - started
        mine = ours(metadata.facts)
        for field in FIELDS:
            other = theirs(tags, field)
            if agree(field, mine[field], other):
                same[field] += 1
                silent[field] += mine[field] in (None, (), "")
            else:
                meant = explained(field, mine[field], other)
                expected[field] += meant
                if not meant:
                    differences.append(f"{field}: {path}: Imager {mine[field]!r:.120}, ExifTool {other!r:.120}")
    print(f"{'field':15} {'agree':>6} {'of which say nothing':>22} {'explained':>10} {'differ':>7}")
    for field in FIELDS:
        differ = count - same[field] - expected[field]
        print(f"{field:15} {same[field]:6} {silent[field]:22} {expected[field]:10} {differ:7}")
    print(*sorted(differences), sep="\n")
    if count:
        print(
            f"{count} files: Imager {1000 * seconds / count:.2f} ms each without reading the file, "
            f"ExifTool {1000 * tool_seconds / count:.1f} ms each with starting and reading"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
