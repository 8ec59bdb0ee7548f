"""Dump a small library of the present schema as SQL: `python -m tests.catalog.released.make > NNNN.sql`.

Two devices' worth of edits, an undo, a join, tags of a file and of a person, albums, a private picture, full text.
Everything is synthetic and comes out the same each time, so that a diff shows what a change of the schema changed.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import apsw.shell

from imager.catalog import Catalog
from imager.catalog import device as devices
from imager.catalog.device import Device
from imager.catalog.identity import LOG, asset_id, tag_id
from imager.catalog.joins import edge
from tests.catalog.libraries import FakeRules, Wall, admit, content, edit, put, tag

PICTURES = [
    content(
        1,
        title="Title of the file",
        description="From the file",
        keywords=("Beach", "Sea"),
        latitude=-1.0,
        longitude=2.0,
    ),
    content(2),
    content(3, width=10, make="Canon", model="Canon EOS R5"),
]
IDS = [asset_id(p.sha256) for p in PICTURES]
TRIPS, BEACHES = bytes(15) + b"\1", bytes(15) + b"\2"


def fill(catalog: Catalog) -> None:
    """What the library holds."""
    put(catalog, *PICTURES)
    one, other, joined = IDS
    undone = edit(other, "title", "Said in error", at=3_000)
    target, element = edge(other, joined)
    admit(
        catalog,
        edit(one, "title", "Said by a person", at=1_000),
        edit(one, "rating", 4, "owner", at=1_001),
        edit(tag_id("Anna"), "name", "Anna", at=2_000, device=2),
        edit(one, "tag", 1, tag("Anna"), at=2_000, counter=1, device=2),
        edit(one, "tag", 0, tag("Sea"), at=2_001, device=2),
        undone,
        edit(LOG, "cancel_batch", True, undone.batch, at=3_001),
        edit(target, "same_as", 1, element, at=0, counter=1, device=3, author="imager"),
        edit(TRIPS, "album.name", "Trips", at=4_000),
        edit(BEACHES, "album.name", "Beaches", at=4_001),
        edit(BEACHES, "album.parent", TRIPS.hex(), at=4_002),
        edit(one, "album", "V", BEACHES.hex(), at=4_003),
        edit(other, "album", 1, BEACHES.hex(), at=4_004),
        edit(other, "private", "anna", at=4_005, device=2, author="anna"),
    )
    catalog.index()


def dump() -> str:
    """The library as SQL."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMAGER_CONFIG"] = folder
        devices.this_device = lambda _id, path: Device(7, 8, 9, "desk", str(path), "00" * 16, 1, 1)  # type: ignore[assignment]
        catalog = Catalog(Path(folder) / "catalog.db", FakeRules(), now=Wall())
        with catalog.transaction(durable=True) as db:
            db.execute("UPDATE library SET id = zeroblob(16), created = 0")
        fill(catalog)
        output = io.StringIO()
        apsw.shell.Shell(stdout=output, db=catalog.db).process_command(".dump")  # type: ignore[no-untyped-call]
        catalog.close()
        # The comments at its head tell the machine and the time.
        return "".join(line for line in output.getvalue().splitlines(keepends=True) if not line.startswith("-- "))


def load(dump_of: Path, path: Path) -> None:
    """Make a catalog of a dump."""
    db = apsw.Connection(str(path))
    db.execute(dump_of.read_text(encoding="utf-8"))
    db.close()


if __name__ == "__main__":
    sys.stdout.write(dump())
