"""People and other things that metadata marks within a picture, as `facts.Region` of the upright picture.

Part of `normalise`. Two schemas are in use: the Metadata Working Group's (mwg-rs, by Picasa, Lightroom,
digiKam, Apple), whose areas are given by their centre, and Microsoft's (MP, by Windows Photo Gallery and
digiKam), by their left upper corner. The first is preferred; the other adds only names that the first lacks.

Both are taken as relative to the picture as it is stored, before EXIF's orientation is applied: so Lightroom,
today's digiKam and Immich read and write the regions of the MWG Guidelines 2.0 (section 5.9). Programs that turned
their areas first show it by AppliedToDimensions, whose width and height are then swapped against the stored ones;
such areas are taken as upright already.
"""

from __future__ import annotations

import math
from typing import Any, Final

from imager.facts import Region
from imager.formats.text import clean_line

MAX_REGIONS: Final = 1000
_MICROSOFT_NOBODY: Final = {"ffffffffffffffff", "ffffffffffffffffffffffffffffffff"}

Box = tuple[float, float, float, float]  # left, top, width, height; fractions


def regions_of(xmp: dict[str, Any], orientation: int | None, size: tuple[int, int] | None) -> tuple[Region, ...]:
    """Every region that XMP names. `size` is the stored width and height, where known."""
    found = _mwg(xmp, orientation or 1, size)
    names = {region.name for region in found}
    found += [region for region in _microsoft(xmp, orientation or 1) if region.name not in names or not region.name]
    return tuple(found[:MAX_REGIONS])


def upright(box: Box, orientation: int) -> Box:
    """Turn a box of the stored picture into the same box of the upright one (EXIF orientation 1 … 8)."""
    x, y, w, h = box
    right, bottom = 1 - x - w, 1 - y - h
    return {
        2: (right, y, w, h),
        3: (right, bottom, w, h),
        4: (x, bottom, w, h),
        5: (y, x, h, w),
        6: (bottom, x, h, w),
        7: (bottom, right, h, w),
        8: (y, right, h, w),
    }.get(orientation, box)


def _mwg(xmp: dict[str, Any], orientation: int, size: tuple[int, int] | None) -> list[Region]:
    info = _struct(xmp.get("mwg-rs:Regions"))
    applied = _struct(info.get("mwg-rs:AppliedToDimensions"))
    width, height = _number(applied.get("stDim:w")), _number(applied.get("stDim:h"))
    if orientation >= 5 and size and width and height and size[0] != size[1]:
        # Compared as shapes: the areas survive a resize of the picture.
        already = (width > height) != (size[0] > size[1]) and width != height
        orientation = 1 if already else orientation
    result: list[Region] = []
    for item in _structs(info.get("mwg-rs:RegionList")):
        area = _struct(item.get("mwg-rs:Area"))
        numbers = [_number(area.get(f"stArea:{key}")) for key in "xywh"]
        if numbers[2] is None and (diameter := _number(area.get("stArea:d"))) is not None and width and height:
            # A circle's diameter is a fraction of the smaller side.
            shorter = min(width, height)
            numbers[2:] = [diameter * shorter / width, diameter * shorter / height]
        x, y, w, h = numbers
        if x is None or y is None:
            continue
        w, h = w or 0.0, h or 0.0
        if area.get("stArea:unit") == "pixel" and width and height:
            x, y, w, h = x / width, y / height, w / width, h / height
        kind = clean_line(_plain(item.get("mwg-rs:Type"))).lower() or "face"
        _add(result, (x - w / 2, y - h / 2, w, h), _plain(item.get("mwg-rs:Name")), kind, orientation)
    return result


def _microsoft(xmp: dict[str, Any], orientation: int) -> list[Region]:
    result: list[Region] = []
    for item in _structs(_struct(xmp.get("MP:RegionInfo")).get("MPRI:Regions")):
        if item.get("MPReg:PersonSourceID") in _MICROSOFT_NOBODY:
            continue
        name = _plain(item.get("MPReg:PersonDisplayName"))
        numbers = [_number(part) for part in _plain(item.get("MPReg:Rectangle")).split(",")]
        x, y, w, h = numbers if len(numbers) == 4 else [None] * 4
        if name in _MICROSOFT_NOBODY or x is None or y is None or w is None or h is None:
            continue
        _add(result, (x, y, w, h), name, "face", orientation)
    return result


def _add(result: list[Region], box: Box, name: str, kind: str, orientation: int) -> None:
    """Add a region, cut to the picture; one that lies outside, or is nothing, is left out."""
    x, y, w, h = upright(box, orientation)
    left, top, right, bottom = max(x, 0.0), max(y, 0.0), min(x + w, 1.0), min(y + h, 1.0)
    if left > right or top > bottom or w < 0 or h < 0 or (right - left == 0) != (bottom - top == 0):
        return
    result.append(
        Region(
            name=clean_line(name) or None,
            kind=kind[:40],
            left=round(left, 6),
            top=round(top, 6),
            width=round(right - left, 6),
            height=round(bottom - top, 6),
        )
    )


def _struct(value: Any) -> dict[str, Any]:
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


def _structs(value: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [_struct(item) for item in items[:MAX_REGIONS] if isinstance(item, dict)]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """A finite number from text, or None."""
    if not isinstance(value, str):
        return None
    try:
        number = float(value.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e6 else None
