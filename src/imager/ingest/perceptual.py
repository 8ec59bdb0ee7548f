"""Numbers that tell how alike two pictures look, how sharp one is, and how it is exposed.

The perceptual hash is the DCT hash of C. Zauner, 'Implementation and Benchmarking of Perceptual Image Hash
Functions' (2010), 3.1: low frequencies of a 32 × 32 picture, each against their median. Sharpness is the
variance of the Laplacian (J. L. Pech-Pacheco and others, ICPR 2000).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 32
_LOW = 8
_BAND, _PERIOD = 32, 128  # rows that are looked at for sharpness, of how many
_BLACK, _WHITE = 2, 253


def phash(grey: NDArray[np.uint8]) -> bytes:
    """Hash H × W luminance to 8 bytes, the most significant bit first; small changes flip few bits.

    It survives scaling and compression, not crops or rotation. `grey` may be of any size; a small one that
    was made by averaging is as good as the picture itself.
    """
    square = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(square.astype(np.float32))[:_LOW, :_LOW]
    # Rounding keeps a flat picture's noise of 1e-6 from deciding its bits.
    low = np.round(low, 2)
    return np.packbits(low > np.median(low)).tobytes()


def hamming(a: bytes, b: bytes) -> int:
    """Count the bits in which two hashes of equal length differ. Raises ValueError for unequal ones."""
    if len(a) != len(b):
        raise ValueError("hashes of different lengths can't be compared")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def sharpness(rgb: NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of H × W × 3 pixels' 8-bit luminance.

    Of large pictures a quarter of the rows, in bands over the whole height, stands for all.
    """
    height = rgb.shape[0]
    bands = (
        [rgb]
        if height <= 2 * _PERIOD
        else [rgb[top : top + _BAND] for top in range(_PERIOD // 4, height - _BAND + 1, _PERIOD)]
    )
    count, total, squares = 0, 0.0, 0.0
    for band in bands:
        edges = cv2.Laplacian(cv2.cvtColor(band, cv2.COLOR_RGB2GRAY), cv2.CV_16S)
        count += edges.size
        total += cv2.sumElems(edges)[0]
        squares += cv2.norm(edges) ** 2
    return squares / count - (total / count) ** 2


def exposure(grey: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean luminance, 0 … 1, and the share of pixels that are black or white."""
    clipped = grey.size - cv2.countNonZero(cv2.inRange(grey, _BLACK + 1, _WHITE - 1))
    return cv2.mean(grey)[0] / 255, clipped / grey.size
