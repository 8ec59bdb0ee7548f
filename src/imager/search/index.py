"""The index: everything that a search needs to know of every picture, in arrays that follow the catalog.

It lies beside the catalog as one generation file (sidecar.py) that all processes map; what changed since it was written
is read from the catalog and patched into this process's own pages. It may be deleted at any time: the catalog is the
truth, and opening makes it anew. It never writes to the catalog.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import numpy as np
from numpy.typing import NDArray

from imager.catalog import Catalog
from imager.catalog.connection import Connection, explained, fetch, many
from imager.search import build, lineage, segments, sidecar, words
from imager.search.columns import Columns, Names
from imager.search.filenames import FileNames, Gathering
from imager.search.harvest import harvest
from imager.search.lists import Lists
from imager.search.order import Order
from imager.search.profiles import Profiles
from imager.search.sidecar import DamagedError, Generation, Writer

LEAST_SPARE: Final = 65_536
"""Rows in a generation for assets that come after it, or a tenth if that is more."""

_WORTH_SAVING = 10_000  # changed assets, or a fiftieth if that is more
_AT_ONCE = 5_000  # assets that are followed at a time
_REBUILD_FROM = 20_000  # changed assets, if they are a quarter of all
_CACHE_KB = 16_384
_MAPPED = (2 << 30) - 65_536  # bytes of the catalog, as its connections have it
_LISTS = ("tags", "people", "folders")

_LIBRARY = "SELECT changes, assets FROM library"
_CHANGED = "SELECT asset FROM assets WHERE changed > ?"
_DEPARTED = "SELECT asset FROM departed WHERE changed > ?"
_SAID_TAGS = "SELECT json_group_array(json_array(tag, name)) FROM tags WHERE said"
_SOME_PLACES = build.PLACES + " WHERE place IN (SELECT value FROM carray(?))"


class Index:
    """All pictures of a library, as they stood when `version` was the catalog's number of changes.

    A mask is an array of bool of length `size`. Arrays are not to be written to, and `columns`, `tags`, `words` … are
    to be asked for anew after `refresh` and `save`. Whoever shares it between threads holds `lock` while it refreshes
    and reads.
    """

    columns: Columns
    tags: Lists
    people: Lists
    folders: Lists
    words: words.Words
    file_names: FileNames
    """Of all assets but those in `changed`."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        """Use `open`."""
        self.lock = threading.RLock()
        self.version = -1
        self.size = 1
        self._folder = folder
        self._connection = Connection(catalog.path, read_only=True)
        self._db = self._connection.db
        self._db.pragma("cache_size", -_CACHE_KB)
        self._looked = 0.0
        self._data_version = -1
        self._base = -1
        self._changed: set[int] = set()
        self._said = ""

    @classmethod
    def open(cls, catalog: Catalog, folder: Path) -> Index:
        """The index in `folder`, up to date; made if there is none that fits the catalog."""
        index = cls(catalog, folder)
        try:
            index.refresh()
        except BaseException:
            index.close()
            raise
        return index

    def close(self) -> None:
        """Close the connection to the catalog. Arrays that somebody still holds stay readable."""
        self._connection.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── What it shows ───────────────────────────────────────────────────────────────────────────────────

    @property
    def order(self) -> NDArray[np.uint32]:
        """All assets, in whatever state, by (taken descending, asset descending)."""
        return self._order.assets

    @property
    def order_taken(self) -> NDArray[np.int64]:
        """When they were taken, in the same order."""
        return self._order.taken

    @property
    def names(self) -> dict[str, list[str]]:
        """Texts of the codes in columns: 'kind', 'make_model', 'lens', 'creator', 'private'. Code 0 is none."""
        return self._names.names

    @property
    def profiles(self) -> Profiles:
        """What the codes of the column `profile` stand for."""
        return self._names.profiles

    @property
    def changed(self) -> NDArray[np.int64]:
        """The assets that changed since the generation was made, or are no more, in order."""
        return np.array(sorted(self._changed), np.int64)

    def place(self, number: int) -> build.Place:
        """(name, city, region, country, country code) of a place; empty where nothing is known."""
        return self._places.get(number, ("", "", "", "", ""))

    @property
    def places(self) -> dict[int, build.Place]:
        """All places by number."""
        return self._places

    # ── Following the catalog ───────────────────────────────────────────────────────────────────────────

    def refresh(self, *, stale: float = 0.0) -> bool:
        """Come to the state of the catalog; returns whether anything changed.

        It does not even look if it did so less than `stale` seconds ago. ImagerError where the catalog can't be read.
        """
        with self.lock:
            if stale and time.monotonic() - self._looked < stale:
                return False
            try:
                return self._refresh()
            except apsw.Error as error:
                raise explained(error, self._connection.path) from error
            finally:
                self._looked = time.monotonic()

    def _refresh(self) -> bool:
        seen = self._db.execute("PRAGMA data_version").get
        if seen == self._data_version:
            return False
        before, built = self.version, False
        with self._reading():
            changes, highest = self._db.execute(_LIBRARY).get
            if self.version < 0:
                self._load()
            if self.version < 0 or changes < self.version or self._far():
                built = True
                with _no_garbage():
                    self._build(changes, highest)
            self._follow(changes, highest)
            self._data_version = self._db.execute("PRAGMA data_version").get
        if built:  # all of the catalog was read, and is mapped now
            self._db.pragma("mmap_size", 0)
            self._db.pragma("mmap_size", _MAPPED)
        return before != self.version

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """All that is read is of one moment."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def _load(self) -> bool:
        """Take the newest generation that fits, if there is one."""
        for path in sidecar.generations(self._folder):
            with contextlib.suppress(DamagedError, OSError, ValueError, KeyError, TypeError):
                generation = Generation.open(path)
                if lineage.fits(self._db, generation.facts):
                    self._take(generation)
                    return True
        return False

    def _take(self, generation: Generation) -> None:
        """Show what a generation holds."""
        facts = generation.facts
        size = facts["size"]
        columns = Columns.read(generation, size)
        names = Names(generation.text("names"), Profiles.of(generation.array("profiles")))
        places = {number: tuple(parts) for number, *parts in generation.text("places")}
        lists = {name: Lists.read(generation, name) for name in _LISTS}
        order = Order(generation.array("order"), generation.array("order_taken"))
        found, file_names = words.Words.read(generation, columns.room), FileNames.read(generation)
        self.columns, self._names, self._places, self._order, self.words = columns, names, places, order, found
        self.tags, self.people, self.folders = lists["tags"], lists["people"], lists["folders"]
        self.file_names = file_names
        self._generation, self.size, self.version, self._base = generation, size, facts["reach"], facts["reach"]
        self._changed, self._said = set(), ""

    def _far(self) -> bool:
        """Whether so much changed that making all anew is quicker."""
        enough = max(_REBUILD_FROM, self.size // 4)
        sql = "SELECT count(*) FROM (SELECT 1 FROM assets WHERE changed > ? LIMIT ?)"
        return bool(self._db.execute(sql, (self.version, enough)).get == enough)

    def _follow(self, changes: int, highest: int) -> None:
        """Take in what changed since `version`. May be done again where it was cut off."""
        if changes != self.version:
            gone = np.array([a for (a,) in self._db.execute(_DEPARTED, (self.version,))], np.int64)
            changed = np.array([a for (a,) in self._db.execute(_CHANGED, (self.version,))], np.int64)
            self._grow(highest + 1)
            self._remove(np.sort(gone[gone < self.size]))
            changed.sort()
            for start in range(0, len(changed), _AT_ONCE):
                self._update(changed[start : start + _AT_ONCE])
            self._changed.update(gone.tolist(), changed.tolist())
        self._respell()
        self.version = changes

    def _grow(self, size: int) -> None:
        self.size = max(self.size, size)
        self.columns.grow(self.size)
        for lists in (self.tags, self.people, self.folders):
            lists.grow(self.size)
        self.words.grow(self.size)

    def _remove(self, gone: NDArray[np.int64]) -> None:
        gone = gone[self.columns.state[gone] != 0]
        if not len(gone):
            return
        nothing = np.zeros(0, np.int64)
        self._order = self._order.changed((gone, self.columns.taken[gone]), (nothing, nothing))
        self.columns.remove(gone)
        for lists in (self.tags, self.people, self.folders):
            lists.put((asset, ()) for asset in gone.tolist())
        self.words.put(gone, ())

    def _update(self, assets: NDArray[np.int64]) -> None:
        """Read these assets anew: everything first, so that nothing is half done when the catalog can't be read."""
        rows = list(build.some_rows(self._db, assets, self._names))
        lists = [(own, build.some_lists(self._db, name, assets, own)) for name, own in self._lists()]
        documents = list(build.some_documents(self._db, assets))
        wanted = {int(place) for _, values in rows for place in np.unique(values["place"])}
        places = fetch(self._db, _SOME_PLACES, (many(wanted),)) if wanted else []
        for some, values in rows:
            there = self.columns.state[some] != 0
            moved = ~there | (self.columns.taken[some] != values["taken"])
            before, after = some[there & moved], values["taken"][moved]
            self._order = self._order.changed((before, self.columns.taken[before]), (some[moved], after))
            self.columns.put(some, values)
        for own, numbers in lists:
            own.put(numbers)
        self.words.put(assets, documents)
        self._places.update((number, tuple(parts)) for number, *parts in places)

    def _lists(self) -> list[tuple[str, Lists]]:
        return list(zip(_LISTS, (self.tags, self.people, self.folders), strict=True))

    def _respell(self) -> None:
        """Names that people gave tags: saying one touches no picture."""
        said = self._db.execute(_SAID_TAGS).get
        if said != self._said:
            self._said = said
            for tag, name in json.loads(said):
                if tag in self.tags.codes:
                    self.tags.code(tag, name)

    # ── Generations ─────────────────────────────────────────────────────────────────────────────────────

    def _build(self, changes: int, highest: int) -> None:
        """Make all anew."""
        db, names = self._db, Names.empty()
        columns = build.all_columns(db, highest + 1, names)
        places = {number: tuple(parts) for number, *parts in db.execute(build.PLACES)}
        tags, people = build.all_tags(db, highest + 1), build.all_people(db, highest + 1)
        owner = build.owners(db)
        folders = build.all_folders(db, owner, highest + 1)
        there = np.flatnonzero(columns.state)
        order = Order.of(there, columns.taken[there])

        def write(writer: Writer) -> None:
            files = Gathering()
            found = harvest(
                db, owner, columns, names.names, places, {"tags": tags, "people": people, "folder": folders}, files
            )
            segments.write(writer, found.postings(), found.vocabulary)
            lists = {"tags": tags, "people": people, "folders": folders}
            files.names().owned(owner).write(writer)
            self._write(writer, changes, columns, names, places, lists, order)

        if not self._to_file(changes, write):
            buffer = io.BytesIO()
            write(Writer(buffer))
            self._take(Generation(buffer.getbuffer()))

    def _to_file(self, reach: int, write: Callable[[Writer], None]) -> bool:
        """Write a generation and show it; False where another process is writing, or the folder can't be written to."""
        with sidecar.locked(self._folder) as mine:
            if not mine:
                return False
            try:
                with sidecar.created(self._folder, reach) as (file, path):
                    write(Writer(file))
                generation = Generation.open(path)
            except (OSError, DamagedError):
                return False
            sidecar.tidy(self._folder, path)
        self._take(generation)
        return True

    def _write(
        self,
        writer: Writer,
        reach: int,
        columns: Columns,
        names: Names,
        places: dict[int, build.Place],
        lists: dict[str, Lists],
        order: Order,
    ) -> None:
        """All but the words."""
        size = len(columns.state)
        spare = max(LEAST_SPARE, size // 10)
        columns.write(writer, size, spare)
        writer.text("names", names.names)
        writer.array("profiles", names.profiles.table)
        writer.text("places", [[number, *parts] for number, parts in places.items()])
        for name, own in lists.items():
            own.write(writer, name, size, spare)
        writer.array("order", order.assets)
        writer.array("order_taken", order.taken)
        writer.finish(lineage.facts(self._db, reach, size))

    def save(self, *, force: bool = False) -> bool:
        """Write what it shows as a new generation, if more than a fiftieth (and 10,000) of all assets changed.

        False where it was not worth it (`force`: it is), another process is writing or has just written one (which it
        then goes on from), or the folder can't be written to.
        """
        with self.lock:
            if not self._changed and self._generation.path is not None:
                return False
            if not force and len(self._changed) <= max(_WORTH_SAVING, self.size // 50):
                return False
            with self._reading():
                if self._taken_over():
                    return False
                return self._to_file(self.version, self._write_all)

    def _taken_over(self) -> bool:
        """Go on from what another process has saved, if it reaches further than what this one goes on from."""
        changes, highest = self._db.execute(_LIBRARY).get
        own = self._generation.path
        for path in sidecar.generations(self._folder)[:1]:
            reach = sidecar.reach_of(path)
            if path != own and (reach > self._base or (own is None and reach == self._base)) and self._load():
                self._follow(changes, highest)
                return True
        return False

    def _write_all(self, writer: Writer) -> None:
        self.words.write(writer)
        changed = self.changed
        self.file_names.replaced(changed, build.some_files(self._db, changed)).write(writer)
        lists = dict(self._lists())
        self._write(writer, self.version, self.columns, self._names, self._places, lists, self._order)

    def verify(self) -> list[str]:
        """Names of the parts of its file that the disk has damaged; to be deleted then, it is made anew."""
        return self._generation.verify()


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Have Python look for no garbage: millions of short-lived objects make it look all the time, and none is left."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
