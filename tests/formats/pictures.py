"""Pictures in every format, drawn by the tests themselves."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pylibjxl
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels = NDArray[np.uint8]

RED, GREEN, BLUE, YELLOW = (230, 20, 20), (20, 200, 30), (20, 40, 220), (250, 230, 20)

# 64 × 48 in HEVC, drawn as `corners` and encoded with x265: no encoder is among what the tests install.
_HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA
ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAGQAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt
AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA
AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j
bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp
eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAGxtZGF0AAAAYCgBr1j5Et3/1hP/nTSHDVy8cw1P9QgLsZ5+gNra
mVBNx3qhPMeX7nHQjadrolQHeGIqPWpAb1CFA7EzcjixUZ07jQBF4BMmR6IO7JLVouxIwQBW9rsu57LpaLwPWcc5wA==
"""

EVERY_FORMAT = ("jpeg", "png", "webp", "gif", "tiff", "bmp", "heif", "avif", "jxl")


def corners(width: int = 64, height: int = 48) -> Pixels:
    """Four coloured quarters: red and green above, blue and yellow below."""
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, : width // 2] = RED
    array[: height // 2, width // 2 :] = GREEN
    array[height // 2 :, : width // 2] = BLUE
    array[height // 2 :, width // 2 :] = YELLOW
    return array


def photo(width: int = 400, height: int = 300, seed: int = 1) -> Pixels:
    """Something like a photograph: gradients, shapes and noise, so that no part of it is empty."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [128 + 90 * np.sin(x / (20 + 9 * i) + i) * np.cos(y / (31 - 5 * i)) for i in range(3)]
    noise = rng.normal(0, 8, (height, width, 1))
    return np.clip(np.stack(planes, 2) + noise, 0, 255).astype(np.uint8)


def scene(width: int = 400, height: int = 300, seed: int = 1) -> Pixels:
    """Something composed like a photograph: much that is large, less that is small, as in nature."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for octave in range(2, 7):
        coarse = rng.normal(0, 60 / octave**1.5, (2**octave, 2**octave, 3)).astype(np.float32)
        for band in range(3):
            plane = Image.fromarray(coarse[:, :, band]).resize((width, height), Image.Resampling.BICUBIC)
            total[:, :, band] += np.asarray(plane)
    return np.clip(total + 128, 0, 255).astype(np.uint8)


def saved(array: Pixels | Image.Image, kind: str, **options: Any) -> bytes:
    """Encode by Pillow; `kind` is its name of the format."""
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def heic() -> bytes:
    """`corners()` as HEIC."""
    return base64.b64decode(_HEIC)


def example(name: str, array: Pixels | None = None) -> bytes:
    """A picture in the format of that name, `corners` unless told (HEIF: always that)."""
    array = corners() if array is None else array
    match name:
        case "heif":
            return heic()
        case "jxl":
            return bytes(pylibjxl.encode(array, effort=3))
        case "jpeg":
            return saved(array, "JPEG", quality=92, subsampling=0)
        case "avif":
            return saved(array, "AVIF", quality=90, speed=10)
        case "webp":
            return saved(array, "WEBP", quality=92, method=0)
        case "gif":
            return saved(Image.fromarray(array).quantize(64), "GIF")
        case "tiff":
            return saved(array, "TIFF", compression="tiff_lzw")
    return saved(array, name.upper())


def srgb_profile() -> bytes:
    """An sRGB profile by Little CMS."""
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def swapped_profile() -> bytes:
    """A valid RGB profile unlike sRGB: its red and blue primaries are exchanged."""
    profile = bytearray(srgb_profile().replace(b"sRGB", b"test").replace("sRGB".encode("utf-16-be"), b"\0t" * 4))
    count = int.from_bytes(profile[128:132], "big")
    entries = {profile[132 + 12 * i : 136 + 12 * i].hex(): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ".hex()], entries[b"bXYZ".hex()]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)
