"""Reads HEIF and AVIF (ISO/IEC 23008-12): the size of the primary picture, and HEVC pixels by libheif.

Boxes are read here only as far as the size, so that it can be judged before a decoder sees the file.
"""

from __future__ import annotations

import numpy as np

from imager.errors import UnreadableError
from imager.formats.codec_common import CUT_OFF, Header, Pixels, as_rgb, big, halved, halving

_MOST_BOXES = 20_000
_MOST_ITEMS = 20_000
_Span = tuple[int, int]
_Boxes = list[tuple[bytes, _Span]]


def read_header(data: bytes) -> Header:
    """Find the primary item's size (`pitm`, `ipma`, `ispe`), cropped and turned as it says; else the track's.

    Raises UnreadableError if there is neither.
    """
    top = _boxes(data, (0, len(data)))
    tracks = [span for moov in _all(top, b"moov") for span in _all(_boxes(data, moov), b"trak")]
    frames = max([1, *(_samples(data, track) for track in tracks)])
    sizes = [_primary_size(data, (start + 4, end)) for start, end in _all(top, b"meta")]
    sizes += [_track_size(data, track) for track in tracks]
    for size in sizes:
        if size is not None:
            return Header(width=size[0], height=size[1], frames=frames, upright=True)
    raise UnreadableError(CUT_OFF)


def decode(data: bytes, header: Header, long_side: int) -> Pixels:
    """Decode the primary picture of a HEIF, turned and cropped as the container says, in 8 bits.

    Depth maps, gain maps and thumbnails are other items and are passed over.
    """
    import pi_heif
    from pi_heif import options

    from imager.formats.codec_colour import profile_space

    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    file = pi_heif.open_heif(data, convert_hdr_to_8bit=True)
    image = file[file.primary_index]
    if image.size[0] * image.size[1] > header.width * header.height:
        raise UnreadableError("its header contradicts itself about the size")
    width, height = image.size
    # pi_heif's array is a view of memory that dies with `image`: what leaves this function must be a copy.
    array = halved(as_rgb(np.asarray(image)), halving(width, height, long_side)).copy()
    icc = image.info.get("icc_profile")
    return Pixels(
        array=array,
        icc=icc if profile_space(icc) == "RGB" else None,
        width=width,
        height=height,
        upright=True,
    )


def _boxes(data: bytes, span: _Span) -> _Boxes:
    """List the boxes within a span: their types, and where their contents lie (ISO/IEC 14496-12, 4.2)."""
    at, end = span
    found: _Boxes = []
    while at + 8 <= end and len(found) < _MOST_BOXES:
        size, content = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, content = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        stop = end if size == 0 else at + size
        if stop < content:
            break
        found.append((data[at + 4 : at + 8], (content, min(stop, end))))
        at = stop
    return found


def _all(boxes: _Boxes, kind: bytes) -> list[_Span]:
    return [span for name, span in boxes if name == kind]


def _inside(data: bytes, span: _Span, *path: bytes) -> _Span | None:
    """Follow a path of box types down; the first of each."""
    for kind in path:
        span = next(iter(_all(_boxes(data, span), kind)), (-1, -1))
        if span[0] < 0:
            return None
    return span


def _primary_size(data: bytes, meta: _Span) -> tuple[int, int] | None:
    """Read width and height of the primary item, as shown: its properties apply in the order of their list."""
    pitm, ipco = _inside(data, meta, b"pitm"), _inside(data, meta, b"iprp", b"ipco")
    ipma = _inside(data, meta, b"iprp", b"ipma")
    if pitm is None or ipco is None or ipma is None:
        return None
    primary = big(data, pitm[0] + 4, 2 if data[pitm[0]] == 0 else 4)
    properties = _boxes(data, ipco)
    size: tuple[int, int] | None = None
    for index in _associations(data, ipma, primary):
        if not 0 < index <= len(properties):
            continue
        kind, (start, _) = properties[index - 1]
        if kind == b"ispe":
            size = big(data, start + 4, 4), big(data, start + 8, 4)
        elif kind == b"clap" and size is not None:  # a crop, as fractions
            across = big(data, start, 4) // max(1, big(data, start + 4, 4))
            down = big(data, start + 8, 4) // max(1, big(data, start + 12, 4))
            size = min(size[0], across), min(size[1], down)
        elif kind == b"irot" and size is not None and big(data, start, 1) & 1:
            size = size[::-1]
    return size


def _associations(data: bytes, ipma: _Span, item: int) -> list[int]:
    """List the numbers of an item's properties (the `ipma` box)."""
    at, end = ipma
    version, wide = big(data, at, 1), big(data, at + 3, 1) & 1
    entries = big(data, at + 4, 4)
    at += 8
    for _ in range(min(entries, _MOST_ITEMS)):
        if at >= end:
            break
        number = big(data, at, 4 if version else 2)
        at += 4 if version else 2
        count = big(data, at, 1)
        width = 2 if wide else 1
        if number == item:
            mask = 0x7FFF if wide else 0x7F
            return [big(data, at + 1 + i * width, width) & mask for i in range(count)]
        at += 1 + count * width
    return []


def _track_size(data: bytes, track: _Span) -> tuple[int, int] | None:
    """Read the size in a track's header: 16.16 fixed point, its last eight bytes."""
    header = _inside(data, track, b"tkhd")
    if header is None or header[1] - header[0] < 84:
        return None
    return big(data, header[1] - 8, 2), big(data, header[1] - 4, 2)


def _samples(data: bytes, track: _Span) -> int:
    """Read how many pictures a track holds (the `stsz` box)."""
    box = _inside(data, track, b"mdia", b"minf", b"stbl", b"stsz")
    return big(data, box[0] + 8, 4) if box is not None else 1
