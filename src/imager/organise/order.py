"""Keys for orders that people make: text between any two of which there is always room for more.

A key is a fraction between 0 and 1, its digits in base 62 written without the point: 'V' is a half. It never ends in
'0', so that fractions and their texts sort alike (bytewise), on every device, and one edit moves one thing. Keys grow
by a digit for about every five that are put at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence

from imager.catalog.albums import DIGITS, KEY

_VALUES = {digit: value for value, digit in enumerate(DIGITS)}
_BASE = len(DIGITS)


def between(low: str | None, high: str | None) -> str:
    """A key after `low` and before `high`; None: the beginning, the end. ValueError where nothing lies between."""
    return spread(low, high, 1)[0]


def spread(low: str | None, high: str | None, count: int) -> list[str]:
    """So many keys between two, in order and far apart, as short as that allows. ValueError as for `between`."""
    for key in (low, high):
        if key is not None and not KEY.fullmatch(key):
            raise ValueError(f"not a key: {key[:60]!r}")
    if low is not None and high is not None and low >= high:
        raise ValueError(f"nothing lies between {low[:60]!r} and {high[:60]!r}")
    length = 1 + _common(low or "", high or "")
    while True:
        first = 0 if low is None else _number(low[:length].ljust(length, "0"))
        end = _BASE**length if high is None else _number(high[:length].ljust(length, "0")) + (len(high) > length)
        if end - first > count:
            break
        length += 1
    step, rest = divmod(end - first, count + 1)
    numbers = (first + step * n + rest * n // (count + 1) for n in range(1, count + 1))
    return [_digits(number, length).rstrip("0") for number in numbers]


def insert(keys: Sequence[str | None], at: int) -> dict[int, str]:
    """Keys that put something before the `at`-th of others, which have these keys and are in order; None: has none yet.

    The new one's is under -1. Others need one if they stand before it and have none, or if they have the same as what
    stands before it (two devices may have given it): theirs are under their places.
    """
    start, end = at, at
    while start > 0 and keys[start - 1] is None:
        start -= 1
    low = keys[start - 1] if start > 0 else None
    while low is not None and end < len(keys) and (tied := keys[end]) is not None and tied <= low:
        end += 1
    high = keys[end] if end < len(keys) else None
    places = [*range(start, at), -1, *range(at, end)]
    return dict(zip(places, spread(low, high, len(places)), strict=True))


def _common(low: str, high: str) -> int:
    """How many digits two keys begin with alike: no shorter key lies between them."""
    return next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), 0) if low and high else 0


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * _BASE + _VALUES[digit]
    return number


def _digits(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, _BASE)
        text = DIGITS[digit] + text
    return text
