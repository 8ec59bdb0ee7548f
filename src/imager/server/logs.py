"""Structured logs: one JSON object a line on standard error, for whatever collects them.

What is logged names routes, statuses, times, and who asked by the id of their session or key. Never the address of a
page with its query, a body, a token, a place, a file's name or the text of an unexpected error, which may hold any of
these.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON; what `extra={"imager": {...}}` has stands beside time, level and event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        said |= getattr(record, "imager", {})
        if record.exc_info and record.exc_info[1] is not None:
            said |= _where(record.exc_info[1])
        return json.dumps(said, default=str)


def _where(error: BaseException) -> dict[str, Any]:
    """What an error is and where it was raised, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }


class _Ours(logging.Filter):
    """Of other libraries' records, only that there was one: their texts may hold anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("imager"):
            record.msg, record.args = f"from {record.name}", ()
        return True


def begin(*, quiet: bool) -> None:
    """Log to standard error from now on; `quiet`: only what needs looking at. With IMAGER_DEBUG set, all of errors."""
    handler = logging.StreamHandler(sys.stderr)
    if not os.environ.get("IMAGER_DEBUG"):
        handler.setFormatter(JsonFormatter())
        handler.addFilter(_Ours())
    for name in ("imager", "uvicorn", "asyncio", "fastapi", "strawberry"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO if name == "imager" and not quiet else logging.WARNING)
