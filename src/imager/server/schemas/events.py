"""What is told to who listens."""

from __future__ import annotations

from typing import Any, Final

KINDS: Final[dict[str, str]] = {
    "hello": "The first event for who did not say what they saw last.",
    "reset": "Some of what happened is not known any more: load anew what is shown.",
    "asset.added": "`id`, `state`: a picture arrived.",
    "asset.changed": "`id`, `state`: something of a picture is another now.",
    "asset.removed": "`id`: a picture is not there any more, or not for who listens.",
    "library.changed": "Many pictures changed at once: ask for the months that changed.",
    "album.changed": "`id`, `deleted`: an album, or what is in it, is another now.",
    "job.progress": "`id`, `kind`, `state`, `done`, `total` of one of the listener's jobs.",
    "job.done": "The same, once it is over.",
    "scan.done": "The report of a scan, or of what was noticed in a folder that is followed; for owners.",
    "scan.failed": "`path`, `reason`: a file that gave no picture, or a folder that can't be read; for owners.",
}
"""The kinds of events, and what their data is."""

EXAMPLE: Final = (
    "id: 1767225600000001\nevent: asset.changed\n"
    'data: {"id":"6f1ed002-ab55-8591-9014-709e51c0d2c7","state":"present"}\n\n'
)


STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Server-sent events. The data of each is a JSON object:\n\n"
        + "\n".join(f"- `{kind}`: {text}" for kind, text in KINDS.items()),
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
