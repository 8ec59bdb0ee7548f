"""Builds blocks of metadata and the files around them, for tests: the writers to which the readers answer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 16: "Q"}
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 12
POINTERS = {"Exif": 0x8769, "GPS": 0x8825, "Interop": 0xA005}

Entry = tuple[int, int, Any]


def _pack(order: str, kind: int, value: Any) -> tuple[int, bytes]:
    """The count and the bytes of a value."""
    if isinstance(value, bytes):
        return len(value) // SIZES[kind], value
    if isinstance(value, str):
        data = value.encode() + b"\0"
        return len(data), data
    if kind in (RATIONAL, SRATIONAL):
        pairs = value if isinstance(value[0], Sequence) else [value]
        code = "I" if kind == RATIONAL else "i"
        return len(pairs), b"".join(struct.pack(f"{order}2{code}", *pair) for pair in pairs)
    numbers = value if isinstance(value, Sequence) else [value]
    return len(numbers), struct.pack(f"{order}{len(numbers)}{CODES[kind]}", *numbers)


def tiff(
    ifd0: Sequence[Entry] = (),
    *,
    exif: Sequence[Entry] = (),
    gps: Sequence[Entry] = (),
    interop: Sequence[Entry] = (),
    ifd1: Sequence[Entry] = (),
    order: str = "<",
) -> bytes:
    """A TIFF of these directories; `order` is struct's sign for the byte order."""
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8))
    children: dict[str, Sequence[Entry]] = {"Exif": exif, "GPS": gps}

    def write(entries: Sequence[Entry], within: dict[str, Sequence[Entry]]) -> int:
        """Append a directory; gives where the link to the next one stands."""
        start = len(out)
        held = {name: entry for name, entry in within.items() if entry}
        total = len(entries) + len(held)
        out.extend(bytes(2 + 12 * total + 4))
        records = []
        for tag, kind, value in entries:
            count, data = _pack(order, kind, value)
            if len(data) > 4:
                offset = len(out)
                out.extend(data + b"\0" * (len(data) & 1))
                data = struct.pack(order + "I", offset)
            records.append((tag, kind, count, data.ljust(4, b"\0")))
        for name, child in held.items():
            records.append((POINTERS[name], LONG, 1, struct.pack(order + "I", len(out))))
            write(child, {"Interop": interop} if name == "Exif" else {})
        struct.pack_into(order + "H", out, start, total)
        for i, record in enumerate(sorted(records)):
            struct.pack_into(order + "HHI4s", out, start + 2 + 12 * i, *record)
        return start + 2 + 12 * total

    link = write(ifd0, children)
    if ifd1:
        struct.pack_into(order + "I", out, link, len(out))
        write(ifd1, {})
    return bytes(out)


def segment(marker: int, data: bytes) -> bytes:
    """A JPEG marker segment."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes, size: tuple[int, int] = (640, 480), tail: bytes = b"\x12\x34\xff\xd9") -> bytes:
    """A JPEG as far as its first scan: these segments, a frame of that width and height, a scan."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, size[1], size[0], 1) + b"\1\x11\0")
    return b"\xff\xd8" + b"".join(segments) + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + tail


def app1(block: bytes) -> bytes:
    """A JPEG segment of EXIF."""
    return segment(0xE1, b"Exif\0\0" + block)


def xmp_segment(packet: bytes) -> bytes:
    """A JPEG segment of XMP."""
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def extended_xmp(guid: bytes, data: bytes, piece: int) -> list[bytes]:
    """Extended XMP in segments of `piece` bytes."""
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid
    return [
        segment(0xE1, head + struct.pack(">II", len(data), at) + data[at : at + piece])
        for at in range(0, len(data), piece)
    ]


def photoshop_segment(resources: bytes) -> bytes:
    """A JPEG segment of Photoshop resources."""
    return segment(0xED, b"Photoshop 3.0\0" + resources)


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """One of Photoshop's image resource blocks."""
    label = bytes([len(name)]) + name
    label += b"\0" * (len(label) & 1)
    return b"8BIM" + struct.pack(">H", number) + label + struct.pack(">I", len(data)) + data + b"\0" * (len(data) & 1)


def iim(*sets: tuple[int, int, bytes]) -> bytes:
    """IPTC data sets of record, number and value."""
    out = b""
    for record, number, value in sets:
        length = struct.pack(">H", len(value)) if len(value) < 0x8000 else struct.pack(">HI", 0x8004, len(value))
        out += bytes([0x1C, record, number]) + length + value
    return out


NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
}


def xmp(body: str = "", attributes: str = "") -> bytes:
    """An XMP packet with this content and these attributes of its description."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def bag(name: str, items: Sequence[str], kind: str = "Bag") -> str:
    """A property that is a list."""
    return f"<{name}><rdf:{kind}>{''.join(f'<rdf:li>{item}</rdf:li>' for item in items)}</rdf:{kind}></{name}>"


def alt(name: str, **languages: str) -> str:
    """A property with alternatives by language; `x_default` is 'x-default'."""
    items = "".join(
        f'<rdf:li xml:lang="{language.replace("_", "-")}">{text}</rdf:li>' for language, text in languages.items()
    )
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, after: Sequence[bytes] = ()) -> bytes:
    """A PNG of one grey pixel with these chunks before and after its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + b"".join(after) + chunk(b"IEND", b"")


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP container of these chunks; it holds no picture."""
    body = b"".join(k + struct.pack("<I", len(d)) + d + b"\0" * (len(d) & 1) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def gif(*, comment: bytes = b"", packet: bytes = b"") -> bytes:
    """A GIF with a comment, XMP and one picture block."""
    out = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    if packet:
        trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
        out += b"\x21\xff\x0bXMP DataXMP" + packet + trailer
    if comment:
        parts = [comment[at : at + 255] for at in range(0, len(comment), 255)]
        out += b"\x21\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    return out + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0\x3b"


def box(kind: bytes, data: bytes) -> bytes:
    """An ISO base media box."""
    return struct.pack(">I", len(data) + 8) + kind + data


def heif(*, exif: bytes = b"", packet: bytes = b"", brand: bytes = b"heic", in_idat: bool = False) -> bytes:
    """A HEIF whose only items are metadata."""
    items = []
    if exif:
        items.append((b"Exif", b"Exif\0", struct.pack(">I", 6) + b"Exif\0\0" + exif))
    if packet:
        items.append((b"mime", b"mime\0application/rdf+xml\0", packet))
    infe = b"".join(
        box(b"infe", b"\2\0\0\0" + struct.pack(">HH", i, 0) + tail) for i, (_, tail, _) in enumerate(items, 1)
    )
    iinf = box(b"iinf", b"\0\0\0\0" + struct.pack(">H", len(items)) + infe)
    ftyp = box(b"ftyp", brand + b"\0\0\0\0mif1" + brand)
    payload = b"".join(data for _, _, data in items)

    def meta(start: int) -> bytes:
        iloc = b"\1\0\0\0\x44\0" + struct.pack(">H", len(items))
        for i, (_, _, data) in enumerate(items, 1):
            iloc += struct.pack(">HHHHII", i, int(in_idat), 0, 1, start, len(data))
            start += len(data)
        return box(b"meta", b"\0\0\0\0" + iinf + box(b"iloc", iloc) + (box(b"idat", payload) if in_idat else b""))

    begin = 0 if in_idat else len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(begin) + (b"" if in_idat else box(b"mdat", payload))


def jxl(*boxes: bytes) -> bytes:
    """A JPEG XL container of these boxes; it holds no picture."""
    return box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"".join(boxes) + box(b"jxlc", b"\xff\x0a")
