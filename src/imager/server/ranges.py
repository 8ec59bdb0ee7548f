"""Which bytes of a file are asked for: `Range` and `If-Range`, as RFC 9110 (sections 13.1.5 and 14) has them.

A server may answer any request for ranges with all of the file, and that is done with whatever is not understood: other
units, several ranges, nonsense. Several ranges at once are a classic way to make a server work; no player sends them.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_BYTES: Final = re.compile(r"[ \t]*bytes[ \t]*=[ \t]*([0-9]{0,19})[ \t]*-[ \t]*([0-9]{0,19})[ \t]*", re.ASCII | re.I)


class Span(NamedTuple):
    """Bytes of a file: from `start` up to, not including, `end`."""

    start: int
    end: int


class UnsatisfiableError(ValueError):
    """The range lies behind the end of the file: 416."""


def asked(header: str | None, size: int) -> Span | None:
    """The one range that a `Range` header asks for, of a file of `size` bytes; None: all of it.

    UnsatisfiableError where nothing of it is there.
    """
    match = None if header is None else _BYTES.fullmatch(header)
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        if int(last) == 0 or size == 0:
            raise UnsatisfiableError
        return Span(max(0, size - int(last)), size)
    start = int(first)
    if last and int(last) < start:
        return None  # no range at all: passed over
    if start >= size:
        raise UnsatisfiableError
    return Span(start, min(int(last) + 1, size) if last else size)


def holds(if_range: str | None, etag: str) -> bool:
    """Whether a range may be given: what the client has of the file is of the same bytes, or it does not ask.

    Only strong entity tags compare as equal here; dates never do, since a file may change twice within a second.
    """
    return if_range is None or (if_range.strip() == etag and not etag.startswith("W/"))
