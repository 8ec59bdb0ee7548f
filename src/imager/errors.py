"""Errors that people meet: each says what is wrong, names the thing, and says what to do.

Whatever Imager raises on purpose derives from `ImagerError`; the command line prints its text and nothing
else. `status` is the exit status: 1 where something could not be done, 2 where the request itself was wrong.
"""

from __future__ import annotations


class ImagerError(Exception):
    """Something could not be done; the text is for people."""

    status = 1


class UsageError(ImagerError):
    """The request itself makes no sense."""

    status = 2


class NotFoundError(ImagerError):
    """What was named does not exist here."""


class ForbiddenError(ImagerError):
    """Who asks may see this, but not do that with it. What they may not see is not there: `NotFoundError`."""


class UnreadableError(ImagerError):
    """A file can't be read as what it claims to be; the text is the reason, without the file's name."""


class TooLargeError(UnreadableError):
    """Decoding the file would take more memory than is allowed (a decompression bomb, most often)."""


class StorageFullError(ImagerError):
    """The disk is full; nothing was lost, and the run can be repeated once there is room."""
