"""Small random libraries to search in, with something of everything that can be asked for."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imager.catalog import Catalog
from imager.catalog.identity import tag_id
from imager.facts import Colour, Facts, Place, Region, TakenAt
from imager.query import codec
from imager.query import model as q
from imager.search.index import Index
from tests.catalog.libraries import Devices, content, put_within, say
from tests.search.oracle import Oracle

DAY = 86_400_000
# Two letters: of such words nothing is taken for misspelt.
WORDS = ("ab", "Ba", "cá", "de", "x1", "abba", "东京", "东京塔", "東", "ที่รัก", "straße", "of", "to", "on")
TAGS = ("ab", "Nature", "Nature|Trees", "Nature|Trees|Cá", "Trees", "❤", "Red Door", "de|ab")
PEOPLE = ("Ana", "Ana Ba", "Čedo", "de")
CAMERAS = (("FUJIFILM", "X-T4"), ("Canon", "Canon EOS R"), ("Canon", "Canon EOS R5"), (None, None))
LENSES = ("XF 35mm", "RF 50", None)
CREATORS = ("Ana", "ab de", None)
NAMES = ("IMG_0001.JPG", "ab.jpg", "Ba de.png", "cá-x1.jpeg", "东京.heic", "ab [1].jpg", "IMG_0002.JPG", "noext")
FOLDERS = ("/photos", "/photos/Holiday", "/photos/Holiday/2021", "/photos/ab", "/photos/ab de/x1")
PLACES = (
    Place(city="Paris", region="Île-de-France", country="France", country_code="FR"),
    Place(name="Old Town", city="Ab", country="Germany", country_code="DE"),
    Place(city="Paris", region="Texas", country="USA", country_code="US"),
)
POSITIONS = ((48.85, 2.35), (48.86, 2.36), (-33.9, 151.2), (0.0, 179.95), (0.0, -179.95), (89.9, 10.0), (-80.0, 0.0))
LABS = ((0.5, 0.1, 0.1), (0.52, 0.12, 0.08), (0.9, 0.0, 0.0), (0.3, -0.05, -0.2))


def random_facts(rng: random.Random) -> Facts:
    """What a picture may say of itself."""

    def some(pool: Sequence[Any], most: int) -> list[Any]:
        return [rng.choice(pool) for _ in range(rng.randrange(most + 1))]

    position = rng.choice((*POSITIONS, None, None))
    make, model = rng.choice(CAMERAS)
    width, height = rng.choice(((40, 30), (30, 40), (100, 99), (80, 30), (30, 30), (None, None)))
    people = dict.fromkeys(some(PEOPLE, 2))
    return Facts(
        width=width,
        height=height,
        duration=rng.choice((None, None, 0.5, 12.0)),
        make=make,
        model=model,
        lens=rng.choice(LENSES),
        creator=rng.choice(CREATORS),
        iso=rng.choice((None, 100, 800)),
        f_number=rng.choice((None, 1.8, 5.6)),
        exposure_time=rng.choice((None, 0.001, 2.0)),
        focal_length=rng.choice((None, 35.0)),
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        rating=rng.choice((None, -1, 0, 3, 5)),
        title=" ".join(some(WORDS, 2)) or None,
        description=" ".join(some(WORDS, 4)) or None,
        keywords=tuple(dict.fromkeys(some(TAGS, 3))),
        regions=tuple(Region(name=name, kind="face", left=0.1, top=0.1, width=0.1, height=0.1) for name in people),
        place=rng.choice((*PLACES, None, None)) if position is None else None,
        dates=(
            TakenAt(
                at=rng.choice((0, 18_000, 18_030, 18_059, 18_365, 11_016, -40_000)) * DAY + rng.choice((0, 0, 7_000)),
                source="exif:DateTimeOriginal",
                confidence=0.95,
            ),
        ),
    )


def add_random(catalog: Catalog, rng: random.Random, count: int, start: int = 0) -> list[bytes]:
    """Bring random pictures in; some are missing, some trashed, some of several files."""
    ids = []
    for number in range(start, start + count):
        colours = [
            Colour(name=rng.choice((*q.COLOURS[:4], "beige")), lab=rng.choice(LABS), share=rng.choice((0.05, 0.2, 0.5)))
            for _ in range(rng.randrange(4))
        ]
        made = content(f"{start} {number}", kind=rng.choice(("image", "image", "video", "raw")))
        made = replace(
            made,
            bytes=rng.choice((1_000, 2_000_000)),
            facts=random_facts(rng),
            derived=replace(made.derived, colours=tuple(colours)),
        )
        state = rng.choice(("present", "present", "present", "missing"))
        with catalog.transaction(durable=False):
            for _ in range(rng.choice((1, 1, 2))):
                # A path is that of one picture; who replaces another's file would have to say so.
                folder = b"/%d%s/%d" % (start, rng.choice(FOLDERS).encode(), number)
                (own,) = put_within(catalog, made, folder=folder, name=rng.choice(NAMES).encode(), state=state)
        ids.append(own)
        if rng.random() < 0.15:
            say(catalog, own, "trashed", True)
        if rng.random() < 0.2:
            say(catalog, own, "favourite", True)
        if rng.random() < 0.2:
            say(catalog, own, "tag", 1, tag_element(catalog, rng.choice(TAGS)))
    return ids


def tag_element(catalog: Catalog, name: str) -> str:
    """The element of an edit that gives a tag, which is here from now on."""
    own = tag_id(name)
    with catalog.transaction(durable=False) as db:
        db.execute("INSERT OR IGNORE INTO tags (id, name) VALUES (?, ?)", (own, name))
    return own.hex()


def add_albums(catalog: Catalog, rng: random.Random) -> None:
    """Albums of all sorts: nested, deleted, below a deleted one, smart, and two whose queries name each other."""

    def smart(condition: q.Condition) -> str:
        return json.dumps(codec.to_json(q.Query(condition)))

    rows: list[tuple[int, str | None, int | None, str | None, int]] = [
        (1, "Summer", None, None, 0),
        (2, "Beach", 1, None, 0),
        (3, "Gone", None, None, 1),
        (4, "Below", 3, None, 0),
        (5, "ab", None, smart(q.Text("ab")), 0),
        (6, "One", 1, smart(q.AnyOf((q.Album("Two"), q.Tag("Nature")))), 0),
        (7, "Two", None, smart(q.AnyOf((q.Album("One"), q.Has("favourite")))), 0),
        (8, "Broken", None, '{"where": {"no": 1}}', 0),
        (9, "Binned", None, smart(q.State("trashed")), 0),
        (10, "summer", None, None, 0),
    ]
    with catalog.transaction(durable=False) as db:
        for number, name, parent, query, deleted in rows:
            db.execute(
                "INSERT INTO albums (album, id, name, parent, query, deleted) VALUES (?, ?, ?, ?, ?, ?)",
                (number, bytes([number]) * 16, name, parent, query, deleted),
            )
        assets = [asset for (asset,) in db.execute("SELECT asset FROM assets")]
        for number in (1, 2, 3, 4, 10):
            for asset in rng.sample(assets, len(assets) // 4):
                db.execute("INSERT OR IGNORE INTO album_assets VALUES (?, ?, ?)", (number, rng.choice("ab"), asset))


class Made:
    """A random library, its index, and what the oracle knows of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._patch = pytest.MonkeyPatch()
        self.devices = Devices(folder, self._patch)
        self.catalog: Catalog = self.devices.open()
        self.rng = random.Random(seed)
        self.ids = add_random(self.catalog, self.rng, 40)
        add_albums(self.catalog, self.rng)
        self.catalog.index()
        self.index = Index.open(self.catalog, folder / "index")
        self.index.save(force=True)
        # What follows is known to neither full text nor the generation.
        self.ids += add_random(self.catalog, self.rng, 12, start=100)
        for own in self.rng.sample(self.ids, 6):
            say(self.catalog, own, "title", "ab de")
        self.index.refresh()
        self.oracle = Oracle(self.catalog)

    def close(self) -> None:
        self.index.close()
        self.devices.close()
        self._patch.undo()
