"""What requests of TUS 1.0 say (tus.io/protocols/resumable-upload): core, creation, creation-with-upload, expiration,
checksum and termination. Only reading of headers is here; all errors are problems with the statuses that it names.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from imager.server.problems import ProblemError

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,expiration,checksum,termination"
ALGORITHMS: Final = ("sha1", "sha256")
MEDIA_TYPE: Final = "application/offset+octet-stream"
HEADERS: Final = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}

_LONGEST: Final = 8_192  # of Upload-Metadata, in characters
_KEYS: Final = frozenset(("filename", "name", "filetype", "type", "sha256", "modified", "lastModified"))


class TusError(ProblemError):
    """A problem, as TUS wants it answered."""

    def __init__(self, status: int, title: str, detail: str, kind: str, **more: str) -> None:
        """`more`: headers, with '_' for '-'."""
        headers = HEADERS | {name.replace("_", "-"): value for name, value in more.items()}
        super().__init__(status, title, detail, kind=kind, headers=headers)


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request should add up to."""

    algorithm: str
    digest: bytes

    def begin(self) -> Any:
        """A hash to feed with the bytes."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def check_version(headers: Mapping[str, str]) -> None:
    """Refuse (412) who speaks another version, or none."""
    if headers.get("tus-resumable") != VERSION:
        raise TusError(
            412, "Another version of TUS", f"This server speaks TUS {VERSION}; say so in Tus-Resumable.", "tus-version",
            Tus_Version=VERSION,
        )  # fmt: skip


def length(headers: Mapping[str, str], largest: int) -> int:
    """How long the upload will be, in bytes; 400 where that is not said, 413 where it is too long."""
    if "upload-defer-length" in headers:
        raise TusError(400, "The length must be known", "Say the length of the file in Upload-Length.", "tus-length")
    value = number(headers, "upload-length")
    if value > largest:
        raise TusError(
            413, "Too large", f"A file may have up to {largest:,} bytes.", "too-large", Tus_Max_Size=str(largest)
        )
    return value


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that is a count of bytes; 400 where it is missing, or none."""
    text = headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise TusError(400, "Not a length", f"{name.title()} must be a number of bytes.", "tus-length")
    return int(text)


def metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """What the client says of the file, of what is known here: 'name', 'type', 'sha256' (hexadecimal), 'modified'.

    400 for what is no Upload-Metadata.
    """
    text = headers.get("upload-metadata", "")
    if len(text) > _LONGEST:
        raise TusError(400, "Too much metadata", f"Upload-Metadata may have {_LONGEST} characters.", "tus-metadata")
    found: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        key, _, value = pair.strip().partition(" ")
        try:
            said = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise TusError(
                400, "Not readable metadata", "Upload-Metadata must be pairs of a key and a value in base64.",
                "tus-metadata",
            ) from None  # fmt: skip
        if not key or key in found:
            raise TusError(400, "Not readable metadata", "A key of Upload-Metadata is empty or twice.", "tus-metadata")
        if key in _KEYS:
            found[key] = said
    return described(found)


def described(said: Mapping[str, str]) -> dict[str, str]:
    """The same under one name each; 400 for a SHA-256 that is none."""
    found = {
        "name": said.get("filename") or said.get("name") or "",
        "type": said.get("filetype") or said.get("type") or "",
        "sha256": said.get("sha256", "").strip().lower(),
        "modified": said.get("modified") or said.get("lastModified") or "",
    }
    if found["sha256"] and (len(found["sha256"]) != 64 or not set(found["sha256"]) <= set("0123456789abcdef")):
        raise TusError(400, "Not a SHA-256", "sha256 must be 64 hexadecimal digits.", "tus-metadata")
    return {key: value[:1_000] for key, value in found.items() if value}


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """What the bytes of a request should add up to, if it says so; 400 for an algorithm that is not supported."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.strip().partition(" ")
    if algorithm in ALGORITHMS:
        try:
            digest = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) == hashlib.new(algorithm, usedforsecurity=False).digest_size:
            return Checksum(algorithm, digest)
    raise TusError(
        400, "Not a checksum that is known here", f"Upload-Checksum takes {' or '.join(ALGORITHMS)}, in base64.",
        "tus-checksum", Tus_Checksum_Algorithm=",".join(ALGORITHMS),
    )  # fmt: skip


def encoded(said: Mapping[str, str]) -> str:
    """Metadata as Upload-Metadata has them."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items() if value)


def expires(milliseconds: int) -> str:
    """A moment as Upload-Expires has it (RFC 9110, section 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(milliseconds / 1000, UTC).replace(microsecond=0), usegmt=True)
