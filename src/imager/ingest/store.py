"""The previews and thumbnails of a library: files beside the catalog, named by the hash of what they show.

They can be made again from the originals, so they are written whole (temporary file, rename) but not forced to disk;
`imager doctor` remakes what a loss of power took.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from imager.errors import ImagerError, StorageFullError

CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# Previews made by Imager; safe to delete.\n"
"""Content of CACHEDIR.TAG (bford.info/cachedir): backups and Imager itself pass such folders over."""

KINDS = ("preview", "thumbnail")


class Store:
    """Where the derivatives of one library lie."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """`folder` is made when first needed."""
        self.folder = Path(folder)

    def path(self, sha256: bytes, kind: str) -> Path:
        """Where the preview or thumbnail of these contents lies, or would."""
        name = sha256.hex()
        return self.folder / name[:3] / f"{name}.{kind}.jpg"

    def create(self) -> None:
        """Make the folder, marked as a cache; errors as of `put`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tag = self.folder / "CACHEDIR.TAG"
            if not tag.exists():
                tag.write_bytes(CACHE_TAG)
        except OSError as error:
            raise self._explained(error) from error

    def put(self, sha256: bytes, kind: str, data: bytes) -> None:
        """Write a derivative; it appears whole or not at all.

        StorageFullError when there is no room, ImagerError when it can't be written for another reason: neither is
        the picture's fault.
        """
        path = self.path(sha256, kind)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            try:
                temporary.write_bytes(data)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(data)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise self._explained(error) from error

    def _explained(self, error: OSError) -> ImagerError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageFullError(
                f"The disk that holds {self.folder} is full. Nothing was lost: make room and run the same command "
                "again."
            )
        return ImagerError(
            f"The previews in {self.folder} can't be written ({error.strerror or error}). Check that the folder is "
            "yours, then run the same command again."
        )

    def sound(self, sha256: bytes, kind: str, size: int) -> bool:
        """Whether a derivative is there with the size that it had, and ends as a JPEG ends."""
        try:
            with self.path(sha256, kind).open("rb") as file:
                file.seek(0, os.SEEK_END)
                if file.tell() != size:
                    return False
                file.seek(-2, os.SEEK_END)
                return file.read(2) == b"\xff\xd9"
        except OSError:
            return False

    def remove(self, sha256: bytes) -> None:
        """Delete what was derived from these contents."""
        for kind in KINDS:
            self.path(sha256, kind).unlink(missing_ok=True)

    def leftovers(self) -> list[Path]:
        """Temporary files of writers that were killed."""
        return sorted(self.folder.glob("???/.*.tmp")) if self.folder.is_dir() else []
