"""The entry to reading metadata: bytes of a picture or sidecar in, raw metadata and `facts.Facts` out.

    containers, boxes   find the blocks within a file
    exif, iptc, xmp     read them
    normalise           makes facts of what was read (with dates, keywords, regions)

Whatever is damaged is left out and named in `problems`; nothing here raises. Raising `REVISION` makes a later
Imager read files anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from imager.facts import Facts
from imager.formats import boxes, containers, exif_tags, iptc
from imager.formats.exif import Exif, exif_to_json, read_exif, summary
from imager.formats.exported import as_exported
from imager.formats.normalise import facts_of
from imager.formats.sources import Sources
from imager.formats.xmp import MAX_PACKET, read_xmp

REVISION: Final = 1

_READERS: Final[dict[str, Callable[[bytes, containers.Blocks], None]]] = {
    **containers.READERS,
    "heif": boxes.read_heif,
    "avif": boxes.read_heif,
    "jxl": boxes.read_jxl,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a file says about its picture.

    `raw` is everything read, as JSON by standard ('exif', 'xmp', 'iptc', 'png' …); `facts` the useful part in
    normalised form, without dimensions and duration; `problems` what could not be read, in people's words.
    """

    raw: dict[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    problems: tuple[str, ...] = ()


def read_metadata(data: bytes, format_name: str) -> Metadata:
    """Read all metadata of a picture of a known format.

    `format_name` is one of 'jpeg', 'png', 'webp', 'gif', 'tiff', 'bmp', 'heif', 'avif', 'jxl'; a format
    without metadata gives none. Never raises for damaged metadata.
    """
    blocks = containers.Blocks()
    reader = _READERS.get(format_name)
    if reader is not None:
        reader(data, blocks)
    elif format_name == "tiff":
        blocks.exif.append(memoryview(data))
    sources = Sources(text=blocks.text, png_time=blocks.other.get("png:tIME", ""), size=blocks.size)
    raw: dict[str, Any] = {}
    resources = _read_photoshop(blocks)
    if blocks.exif:
        sources.exif = _read_exif(blocks)
        raw["exif"] = exif_to_json(sources.exif)
    if format_name == "tiff":
        resources |= _within_tiff(sources, blocks)
    _read_iptc(sources, blocks, raw)
    _read_xmp(sources, blocks, raw)
    if resources and (named := iptc.resources_to_json(resources)):
        raw["photoshop"] = named
    if blocks.icc:
        raw["icc"] = summary(blocks.icc)
    if blocks.text:
        raw["png"] = {name: texts[0] if len(texts) == 1 else texts for name, texts in blocks.text.items()}
    for name, value in blocks.other.items():
        if name.startswith("png:"):
            raw.setdefault("png", {}).setdefault(name.removeprefix("png:"), value)
        else:
            raw[name] = value
    if blocks.comments:
        raw["comment"] = blocks.comments[0] if len(blocks.comments) == 1 else blocks.comments[:100]
    return Metadata(raw=raw, facts=facts_of(sources), problems=tuple(dict.fromkeys(blocks.problems)))


def read_sidecar(data: bytes, *, orientation: int | None = None, size: tuple[int, int] | None = None) -> Metadata:
    """Read an XMP sidecar.

    `orientation` (EXIF's) and `size` (stored width and height) are those of the picture it belongs to:
    regions are written for the stored picture, and most sidecars don't repeat how that is turned.
    """
    problems: list[str] = []
    xmp = read_xmp(data, problems)
    sources = Sources(xmp=xmp, orientation=orientation, size=size)
    raw = {"xmp": xmp} if xmp else {}
    return Metadata(raw=raw, facts=as_exported(facts_of(sources), xmp), problems=tuple(dict.fromkeys(problems)))


def _read_exif(blocks: containers.Blocks) -> Exif:
    """Read the EXIF blocks; of two, the second adds directories and tags that the first lacks."""
    first = Exif({})
    for block in blocks.exif[:4]:
        exif = read_exif(block)
        blocks.problems += exif.problems
        for directory, values in exif.directories.items():
            known = first.directories.setdefault(directory, {})
            for tag, value in values.items():
                known.setdefault(tag, value)
    return first


def _read_photoshop(blocks: containers.Blocks) -> dict[int, bytes]:
    """Read Photoshop's resources and hand on the blocks of other standards among them."""
    resources: dict[int, bytes] = {}
    for block in blocks.photoshop[:4]:
        resources |= iptc.read_resources(block, blocks.problems)
    if iptc.IPTC_RESOURCE in resources:
        blocks.iptc.append(resources[iptc.IPTC_RESOURCE])
    if iptc.XMP_RESOURCE in resources and not blocks.xmp:
        blocks.xmp.append(resources[iptc.XMP_RESOURCE])
    if iptc.EXIF_RESOURCE in resources and not blocks.exif:
        blocks.exif.append(resources[iptc.EXIF_RESOURCE])
    return resources


def _within_tiff(sources: Sources, blocks: containers.Blocks) -> dict[int, bytes]:
    """Take the blocks of other standards out of a TIFF's first directory, and its size."""
    values = sources.exif.directories.get("IFD0", {})
    found = {tag: value for tag, value in values.items() if isinstance(value, bytes)}
    if exif_tags.XMP in found:
        blocks.xmp.append(found[exif_tags.XMP])
    if exif_tags.IPTC in found:
        blocks.iptc.append(iptc.iptc_of_tiff(found[exif_tags.IPTC]))
    blocks.icc = blocks.icc or found.get(exif_tags.ICC_PROFILE)
    width, height = values.get(0x0100), values.get(0x0101)
    if isinstance(width, int) and isinstance(height, int):
        sources.size = width, height
    if exif_tags.PHOTOSHOP not in found:
        return {}
    blocks.photoshop = [found[exif_tags.PHOTOSHOP]]
    return _read_photoshop(blocks)


def _read_iptc(sources: Sources, blocks: containers.Blocks, raw: dict[str, Any]) -> None:
    for block in blocks.iptc[:4]:
        for name, values in iptc.read_iptc(block, blocks.problems).items():
            sources.iptc.setdefault(name, values)
    if sources.iptc:
        raw["iptc"] = {name: v[0] if len(v) == 1 and name != "Keywords" else v for name, v in sources.iptc.items()}


def _read_xmp(sources: Sources, blocks: containers.Blocks, raw: dict[str, Any]) -> None:
    """Read the packets; what the first says holds, later ones (extended XMP) add to it."""
    budget = MAX_PACKET
    for packet in blocks.xmp[:4]:
        budget -= len(packet)
        if budget < 0 and sources.xmp:
            blocks.problem("The XMP packets together are larger than 16 MB; some were not read.")
            break
        for name, value in read_xmp(packet, blocks.problems).items():
            sources.xmp.setdefault(name, value)
    if sources.xmp:
        raw["xmp"] = sources.xmp


__all__ = ["REVISION", "Metadata", "read_metadata", "read_sidecar"]
