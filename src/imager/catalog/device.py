"""Which device this is, for one library. Kept outside the library, so that a copied library is a new device.

A small file a library in the user's configuration folder holds three random 48-bit numbers: one under which files
are seen here, one under which people speak, one under which Imager's own rules do. It is found by the library's id
*and* its place: the same library copied to another folder or machine gets numbers of its own, and two devices can
never write under one name. A library that was moved, not copied (its old place is gone, its catalog is the same inode
of the same file system), stays the same device. Where another file took the catalog's place (a backup was put back,
most likely), the device keeps its files, but speaks under new numbers: it may have forgotten which names it gave.
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

from imager.errors import ImagerError

_BITS = 48


@dataclass(frozen=True, slots=True)
class Device:
    """The numbers under which this device writes to a library, what people call it, and where that lies."""

    files: int
    people: int
    rules: int
    name: str
    place: str
    library: str  # id, in hexadecimal
    volume: int  # of the catalog's file, as the operating system numbers it
    inode: int
    former: tuple[int, ...] = ()
    """Numbers under which people spoke here before."""


def config_folder() -> Path:
    """Where Imager keeps what belongs to this user on this device; `IMAGER_CONFIG` overrides the usual place."""
    named = os.environ.get("IMAGER_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("imager", appauthor=False)


def this_device(library: bytes, catalog: Path) -> Device:
    """The device that we are for the library of that id whose catalog is that file; a new one when first asked.

    Two processes that ask at once get the same answer: the file appears whole or not at all, and the first stays.
    ImagerError where the configuration folder can't be used.
    """
    place = str(catalog.resolve())
    path = _path(library.hex(), place)
    try:
        known = _read(path)
        if known is not None:
            stat = catalog.stat()
            return known if (known.volume, known.inode) == (stat.st_dev, stat.st_ino) else _replaced(known, catalog)
        return _moved_here(library, catalog, path) or _create(path, _new(library, catalog))
    except OSError as error:
        raise ImagerError(
            f"Imager's settings in {config_folder()} can't be used: {error.strerror or error}. "
            "Mend that, or name another folder in the environment variable IMAGER_CONFIG."
        ) from error


def renew(old: Device) -> Device:
    """New numbers to speak under, once the old one has spoken from the future (see exchange.py); files stay."""
    new = replace(
        old,
        people=secrets.randbits(_BITS),
        rules=secrets.randbits(_BITS),
        former=(*old.former, old.people),
    )
    path = _path(old.library, old.place)
    temporary = _written(path, new)
    temporary.replace(path)
    return new


def _replaced(known: Device, catalog: Path) -> Device:
    stat = catalog.stat()
    at = replace(known, volume=stat.st_dev, inode=stat.st_ino)
    # Some systems number volumes anew at every start: then it is the same file all the same.
    if known.inode == stat.st_ino:
        temporary = _written(_path(at.library, at.place), at)
        temporary.replace(_path(at.library, at.place))
        return at
    return renew(at)


def _path(library: str, place: str) -> Path:
    key = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return config_folder() / "devices" / f"{library}-{key}.json"


def _new(library: bytes, catalog: Path) -> Device:
    stat = catalog.stat()
    return Device(
        files=secrets.randbits(_BITS),
        people=secrets.randbits(_BITS),
        rules=secrets.randbits(_BITS),
        name=platform.node() or "this device",
        place=str(catalog.resolve()),
        library=library.hex(),
        volume=stat.st_dev,
        inode=stat.st_ino,
    )


def _moved_here(library: bytes, catalog: Path, path: Path) -> Device | None:
    stat = catalog.stat()
    for other in sorted(path.parent.glob(f"{library.hex()}-*.json")):
        known = _read(other)
        if (
            known is not None
            and (known.volume, known.inode) == (stat.st_dev, stat.st_ino)
            and not os.path.lexists(known.place)
        ):
            device = _create(path, replace(known, place=str(catalog.resolve())))
            other.unlink(missing_ok=True)
            return device
    return None


def _read(path: Path) -> Device | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except ValueError:
        text = ""
    device = _parsed(text)
    if device is None:
        # A damaged file must not stop anyone: a new number is always right, an old one used twice never.
        path.unlink(missing_ok=True)
    return device


def _parsed(text: str) -> Device | None:
    try:
        device = Device(**json.loads(text))
        device = replace(device, former=tuple(device.former))
    except (ValueError, TypeError, RecursionError):
        return None
    numbers = (device.files, device.people, device.rules, *device.former)
    texts = (device.name, device.place, device.library)
    whole = (device.volume, device.inode)
    good = (
        all(type(n) is int and 0 <= n < 1 << _BITS for n in numbers)
        and all(type(t) is str for t in texts)
        and all(type(w) is int for w in whole)
    )
    return device if good else None


def _create(path: Path, device: Device) -> Device:
    temporary = _written(path, device)
    try:
        os.link(temporary, path)  # fails when another process was first
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            temporary.replace(path)
    temporary.unlink(missing_ok=True)
    return _read(path) or device


def _written(path: Path, device: Device) -> Path:
    """A temporary file beside `path`, safely on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(device), file)
        file.flush()
        os.fsync(file.fileno())
    return temporary
