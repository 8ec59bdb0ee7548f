"""A library to try Imager with: pictures that look like photographs, in folders that look like a person's.

`trips` plans them, `scenes` paints them (`nature`, `coast`, `town`, `flowers`; on a `canvas`, out of common
`elements`), `metadata` says what cameras and people would have written. Nothing is downloaded, and nobody's
pictures are needed.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imager.demo.metadata import exif, xmp
from imager.demo.scenes import paint
from imager.demo.trips import Shot, plan
from imager.errors import ImagerError, StorageFullError, UsageError

__all__ = ["draw"]


def draw(
    folder: str,
    *,
    count: int = 300,
    seed: int = 7,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Draw `count` picture files below a folder, which is made if need be; how many were drawn by this call.

    Files that are there already are kept, so that an interrupted run goes on where it was. The same count and
    seed give the same pictures, and with the same versions of the libraries the same bytes. `on_progress` is
    told how many are done and how many there will be. Raises `UsageError` for a count below 1,
    `StorageFullError` when the disk is full, `ImagerError` when the folder can't be written.
    """
    return _draw(folder, count, seed, on_progress, 1.0)


def _draw(folder: str, count: int, seed: int, on_progress: Callable[[int, int], None] | None, scale: float) -> int:
    """`draw` at a scale: tests draw small."""
    if count < 1:
        raise UsageError(f"A demo needs at least one picture, not {count}.")
    if seed < 0:
        raise UsageError(f"The seed must not be negative, as {seed} is.")
    shots = plan(count, seed)
    missing = [shot for shot in shots if not os.path.exists(_at(folder, shot.path))]
    done = len(shots) - len(missing)
    if on_progress:
        on_progress(done, len(shots))
    try:
        # Painting is numpy's and OpenCV's work, which leaves Python's lock alone: threads are enough.
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
            painted = [pool.submit(_write, folder, s, scale) for s in missing if s.copy_of is None]
            try:
                for future in as_completed(painted):
                    future.result()
                    done += 1
                    if on_progress:
                        on_progress(done, len(shots))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        for shot in missing:
            if shot.copy_of is not None:
                _put(folder, shot.path, partial(shutil.copyfile, _at(folder, shot.copy_of)))
                done += 1
                if on_progress:
                    on_progress(done, len(shots))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError("The disk is full. Make room and run it again: it goes on there.") from error
        raise ImagerError(f"The demo can't be written to {folder}: {error.strerror or error}.") from error
    return len(missing)


def _at(folder: str, path: str) -> str:
    return os.path.join(folder, *path.split("/"))


def _put(folder: str, path: str, write: Callable[[str], object]) -> None:
    """Let a file be written under another name, and give it its own when it is whole."""
    target = _at(folder, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    part = f"{target}.part"
    write(part)
    os.replace(part, target)


def _write(folder: str, shot: Shot, scale: float) -> None:
    """Paint a picture and write it, and before it the sidecar that belongs to it."""
    packet = xmp(shot)
    if shot.metadata == "sidecar" and packet is not None:
        sidecar = f"{shot.path.rpartition('.')[0]}.xmp"
        _put(folder, sidecar, partial(_write_bytes, packet))
        packet = None
    width, height = (max(48, round(side * scale)) for side in (shot.width, shot.height))
    pixels = paint(shot.painter, shot.light, width, height, shot.seed)
    if shot.orientation == 6:
        pixels = np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE), np.uint8)
    elif shot.orientation == 8:
        pixels = np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE), np.uint8)
    if shot.metadata == "none":
        packet = None
    _put(folder, shot.path, partial(_encode, shot, pixels, packet))


def _write_bytes(content: bytes, path: str) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _encode(shot: Shot, pixels: NDArray[np.uint8], packet: bytes | None, part: str) -> None:
    """Write a picture as what its name says, with its metadata."""
    options: dict[str, Any] = {} if shot.metadata == "none" else {"exif": exif(shot)}
    kind = shot.path.rpartition(".")[2].lower()
    if kind == "png":
        options["compress_level"] = 3
        if packet is not None:
            info = PngInfo()
            info.add_itxt("XML:com.adobe.xmp", packet.decode())
            options["pnginfo"] = info
    elif packet is not None:
        options["xmp"] = packet
    if kind != "png":
        options |= {"quality": 88} if kind == "jpg" else {"quality": 84, "method": 1}
    with open(part, "wb") as file:
        Image.fromarray(pixels).save(file, format={"jpg": "JPEG"}.get(kind, kind.upper()), **options)
