"""What kind of file the bytes are: the first question of ingest, answered from the beginning of the file.

Never from the file's ending: `ends_like_picture` only tells whether a file that is not recognised was meant
to be a picture, so that people hear of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from imager.formats.codec_tiff_ifd import is_raw

HEAD = 4096  # bytes that suffice to recognise nearly everything; more of the file does no harm


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: Imager's name for it, its media type, and the kind of thing it holds."""

    name: str  # 'jpeg', 'png', 'webp', 'gif', 'tiff', 'bmp', 'heif', 'avif', 'jxl'
    mime: str
    kind: str  # 'image'


JPEG = Format("jpeg", "image/jpeg", "image")
PNG = Format("png", "image/png", "image")
WEBP = Format("webp", "image/webp", "image")
GIF = Format("gif", "image/gif", "image")
TIFF = Format("tiff", "image/tiff", "image")
BMP = Format("bmp", "image/bmp", "image")
HEIC = Format("heif", "image/heic", "image")
HEIF = Format("heif", "image/heif", "image")
AVIF = Format("avif", "image/avif", "image")
JXL = Format("jxl", "image/jxl", "image")

_ENDINGS = frozenset(
    b"jpg jpeg jpe jfif png apng webp gif tif tiff bmp dib heic heif heics heifs hif avif avifs jxl".split()
)

# Brands of ISO/IEC 23008-12 (HEIF) and of AVIF. A file is one of these only if its major brand is not that of
# a film or of a RAW format, which may list picture brands among the compatible ones.
_HEIC_BRANDS = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"])
_HEIF_BRANDS = frozenset([b"mif1", b"mif2", b"msf1", b"miaf"])
_AVIF_BRANDS = frozenset([b"avif", b"avis"])
_BMP_HEADERS = frozenset([12, 16, 40, 52, 56, 64, 108, 124])


def recognise(head: bytes) -> Format | None:
    """Tell the format of a file from its first bytes (`HEAD` of them, or more), or None if it is no picture.

    RAW files of cameras that are TIFF inside (NEF, CR2, DNG, ARW, ORF, RW2, PEF …) are not TIFF pictures.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None if is_raw(head) else TIFF
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return BMP
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return JXL
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    return None


def ends_like_picture(name: bytes) -> bool:
    """Tell whether a file name has the ending of a picture that Imager reads, in any case of letters."""
    stem, dot, ending = name.rpartition(b".")
    return bool(dot and stem) and ending.lower() in _ENDINGS


def _of_brands(head: bytes) -> Format | None:
    """Tell HEIF and AVIF from films and others by the `ftyp` box (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(head[:4], "big"), len(head), 1024)
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, size - 3, 4)}
    if major in _AVIF_BRANDS:
        return AVIF
    if major in _HEIC_BRANDS:
        return HEIC
    if major in _HEIF_BRANDS:
        if compatible & _AVIF_BRANDS:
            return AVIF
        return HEIC if compatible & _HEIC_BRANDS else HEIF
    return None
