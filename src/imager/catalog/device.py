"""Which device this is, for one library. Kept outside the library, so that a copied library is a new device.

A small file a library in the user's configuration folder holds three random 48-bit numbers: one under which files
are seen here, one under which people speak, one under which Imager's own rules do. It is found by the library's id *and* its place: the same library
copied to another folder or machine gets numbers of its own, and two devices can never write under one name. A
library that was moved, not copied (its old place is gone, its catalog is the same inode), stays the same device.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import platformdirs

_BITS = 48


@dataclass(frozen=True, slots=True)
class Device:
    """The numbers under which this device writes to a library, what people call it, and where that lies."""

    files: int
    people: int
    rules: int
    name: str
    place: str
    inode: int


def config_folder() -> Path:
    """Where Imager keeps what belongs to this user on this device; `IMAGER_CONFIG` overrides the usual place."""
    named = os.environ.get("IMAGER_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("imager", appauthor=False)


def this_device(library: bytes, catalog: Path) -> Device:
    """The device that we are for the library of that id whose catalog is that file; a new one when first asked.

    Two processes that ask at once get the same answer: the file appears whole or not at all, and the first stays.
    """
    place = str(catalog.resolve())
    path = _path(library, place)
    return _read(path) or _moved_here(library, catalog, path) or _create(path, _new(catalog))


def renew(library: bytes, catalog: Path) -> Device:
    """New numbers to speak under, once the old one has spoken from the future (see exchange.py); files stay."""
    old = this_device(library, catalog)
    path = _path(library, old.place)
    path.unlink(missing_ok=True)
    return _create(path, replace(_new(catalog), files=old.files))


def _path(library: bytes, place: str) -> Path:
    key = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return config_folder() / "devices" / f"{library.hex()}-{key}.json"


def _new(catalog: Path) -> Device:
    return Device(
        files=secrets.randbits(_BITS),
        people=secrets.randbits(_BITS),
        rules=secrets.randbits(_BITS),
        name=platform.node() or "this device",
        place=str(catalog.resolve()),
        inode=catalog.stat().st_ino,
    )


def _moved_here(library: bytes, catalog: Path, path: Path) -> Device | None:
    inode = catalog.stat().st_ino
    for other in sorted(path.parent.glob(f"{library.hex()}-*.json")):
        known = _read(other)
        if known is not None and known.inode == inode and not Path(known.place).exists():
            device = _create(path, replace(known, place=str(catalog.resolve())))
            other.unlink(missing_ok=True)
            return device
    return None


def _read(path: Path) -> Device | None:
    try:
        return Device(**json.loads(path.read_text(encoding="utf-8", errors="surrogateescape")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        # A damaged file must not stop anyone: a new number is always right, an old one used twice never.
        path.unlink(missing_ok=True)
        return None


def _create(path: Path, device: Device) -> Device:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(device), file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails when another process was first
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            temporary.replace(path)
    temporary.unlink(missing_ok=True)
    return _read(path) or device
