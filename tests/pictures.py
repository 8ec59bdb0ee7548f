"""Small pictures that differ as photographs do, made quickly and once: for tests that care for files, not pixels."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

_TAGS = {"make": 0x010F, "model": 0x0110, "description": 0x010E, "orientation": 0x0112}
_TAKEN, _EXIF = 0x9003, 0x8769


@lru_cache(maxsize=64)
def scene(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Soft blobs of colour: another seed gives a picture that looks quite different."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


@lru_cache(maxsize=256)
def jpeg(
    seed: int = 1,
    *,
    size: tuple[int, int] = (64, 48),
    quality: int = 85,
    taken: str | None = None,
    **exif: Any,
) -> bytes:
    """A JPEG; `taken` is '2021:07:04 15:30:00', `exif` may have make, model, description and orientation."""
    block = Image.Exif()
    for name, value in exif.items():
        block[_TAGS[name]] = value
    if taken is not None:
        block.get_ifd(_EXIF)[_TAKEN] = taken
    return saved(scene(seed, size), "JPEG", quality=quality, exif=block.tobytes() if exif or taken else b"")


@lru_cache(maxsize=64)
def png(seed: int = 1, size: tuple[int, int] = (64, 48)) -> bytes:
    """A PNG."""
    return saved(scene(seed, size), "PNG")


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture's bytes in the format that Pillow calls `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sidecar(*, rating: int | None = None, title: str | None = None, tags: tuple[str, ...] = ()) -> bytes:
    """An XMP sidecar."""
    bag = "".join(f"<rdf:li>{tag}</rdf:li>" for tag in tags)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        + (f' xmp:Rating="{rating}"' if rating is not None else "")
        + ">"
        + (f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>' if title else "")
        + (f"<dc:subject><rdf:Bag>{bag}</rdf:Bag></dc:subject>" if tags else "")
        + "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
