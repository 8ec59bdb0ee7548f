"""Reads IPTC (the Information Interchange Model) and the Photoshop resource blocks that it lies in.

`containers` finds the blocks, `normalise` makes facts of the data sets. IPTC-NAA IIM 4.2; Adobe Photoshop
File Formats Specification, 'Image Resource Blocks'.
"""

from __future__ import annotations

from typing import Any, Final

from imager.formats.exif import summary
from imager.formats.text import decode

MAX_SETS: Final = 20_000
MAX_VALUE: Final = 1 << 20
MAX_RESOURCES: Final = 2_000

IPTC_RESOURCE: Final = 0x0404
EXIF_RESOURCE: Final = 0x0422
XMP_RESOURCE: Final = 0x0424
ICC_RESOURCE: Final = 0x040F

NAMES: Final[dict[int, str]] = {
    0x015A: "CodedCharacterSet",
    0x0200: "ApplicationRecordVersion",
    0x0203: "ObjectTypeReference",
    0x0204: "ObjectAttributeReference",
    0x0205: "ObjectName",
    0x0207: "EditStatus",
    0x020A: "Urgency",
    0x020C: "SubjectReference",
    0x020F: "Category",
    0x0214: "SupplementalCategories",
    0x0216: "FixtureIdentifier",
    0x0219: "Keywords",
    0x021A: "ContentLocationCode",
    0x021B: "ContentLocationName",
    0x021E: "ReleaseDate",
    0x0223: "ReleaseTime",
    0x0228: "SpecialInstructions",
    0x0237: "DateCreated",
    0x023C: "TimeCreated",
    0x023E: "DigitalCreationDate",
    0x023F: "DigitalCreationTime",
    0x0241: "OriginatingProgram",
    0x0246: "ProgramVersion",
    0x024B: "ObjectCycle",
    0x0250: "By-line",
    0x0255: "By-lineTitle",
    0x025A: "City",
    0x025C: "Sub-location",
    0x025F: "Province-State",
    0x0264: "Country-PrimaryLocationCode",
    0x0265: "Country-PrimaryLocationName",
    0x0267: "OriginalTransmissionReference",
    0x0269: "Headline",
    0x026E: "Credit",
    0x0273: "Source",
    0x0274: "CopyrightNotice",
    0x0276: "Contact",
    0x0278: "Caption-Abstract",
    0x027A: "Writer-Editor",
    0x0287: "LanguageIdentifier",
}

#: Binary data sets; everything else is text.
_NUMBERS: Final = {0x0100, 0x0114, 0x0116, 0x0200}
_UTF8: Final = b"\x1b%G"

Iptc = dict[str, list[str]]


def read_iptc(data: bytes, problems: list[str]) -> Iptc:
    """Read data sets by name, values in the file's order; damage is noted and what precedes it is kept.

    Where 1:90 declares UTF-8 the text is that; otherwise UTF-8 is tried and then Windows' and ISO's Latin-1,
    since most writers that declare nothing write one of these.
    """
    result: Iptc = {}
    position = 0
    for _ in range(MAX_SETS):
        if position >= len(data):
            break
        if data[position] != 0x1C or position + 5 > len(data):
            if data[position:].strip(b"\0"):
                problems.append("The IPTC data is damaged.")
            break
        key = int.from_bytes(data[position + 1 : position + 3], "big")
        length = int.from_bytes(data[position + 3 : position + 5], "big")
        position += 5
        if length & 0x8000:
            width = length & 0x7FFF
            if width > 8:
                problems.append("The IPTC data is damaged.")
                break
            length = int.from_bytes(data[position : position + width], "big")
            position += width
        value = data[position : position + length]
        if len(value) < length:
            problems.append("The IPTC data is cut off.")
        position += length
        name = NAMES.get(key) or f"{key >> 8}:{key & 255}"
        result.setdefault(name, []).append(_text(key, value))
    else:
        problems.append("There are too many IPTC entries; the rest was not read.")
    return result


def _text(key: int, value: bytes) -> str:
    if key in _NUMBERS:
        return str(int.from_bytes(value[:8], "big"))
    if key == 0x015A:
        return "UTF-8" if value == _UTF8 else value.hex()
    return decode(value[:MAX_VALUE])


def iptc_of_tiff(value: bytes) -> bytes:
    """IPTC as TIFF's tag 33723 holds it: old writers call it LONG and swap the bytes of each four."""
    if value[:1] != b"\x1c" and value[3:4] == b"\x1c":
        swapped = bytearray(len(value) & ~3)
        for i in range(4):
            swapped[i::4] = value[3 - i : len(swapped) : 4]
        return bytes(swapped)
    return value


def read_resources(data: bytes, problems: list[str]) -> dict[int, bytes]:
    """Read Photoshop's image resource blocks by their number; the first of each."""
    result: dict[int, bytes] = {}
    position = 0
    for _ in range(MAX_RESOURCES):
        if position + 12 > len(data):
            break
        if data[position : position + 4] not in (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa"):
            if data[position:].strip(b"\0"):
                problems.append("The Photoshop data is damaged.")
            break
        number = int.from_bytes(data[position + 4 : position + 6], "big")
        name_length = data[position + 6] + 1
        position += 6 + name_length + (name_length & 1)
        length = int.from_bytes(data[position : position + 4], "big")
        position += 4
        if position + length > len(data):
            problems.append("The Photoshop data is cut off.")
        result.setdefault(number, data[position : position + length])
        position += length + (length & 1)
    return result


def resources_to_json(resources: dict[int, bytes]) -> dict[str, Any]:
    """Resources that no other reader takes, by their number; long ones as length and digest."""
    taken = (IPTC_RESOURCE, EXIF_RESOURCE, XMP_RESOURCE, ICC_RESOURCE)
    return {
        f"0x{number:04X}": value.hex() if len(value) <= 64 else summary(value)
        for number, value in resources.items()
        if number not in taken
    }
