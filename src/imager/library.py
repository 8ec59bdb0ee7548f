"""Library: open one, and everything hangs on it. The public Python API.

from imager import Library

with Library.open("~/Pictures/library") as library:
    for event in library.add("~/Pictures"):
        print(event)
    for hit in library.search("lisbon sunset").hits:
        print(hit.path, hit.why)
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import platformdirs

from imager import editing
from imager.catalog import OWNER, Catalog, read
from imager.catalog.exchange import mend_clock
from imager.catalog.files import Problem
from imager.catalog.identity import format_id, parse_id
from imager.errors import ImagerError, NotFoundError
from imager.ingest.events import Event
from imager.ingest.store import Store
from imager.ingest.volumes import is_network_filesystem
from imager.rules import DefaultRules

if TYPE_CHECKING:
    from imager.doctor import Diagnosis
    from imager.export import Exported, Taken
    from imager.export import Failed as NotExported
    from imager.export import Report as ExportReport
    from imager.export.run import Layout
    from imager.ingest.run import Run
    from imager.organise.albums import Album
    from imager.query.complete import Completion
    from imager.query.model import Box, Query
    from imager.search import Page
    from imager.search.chunks import Chunk, Gone
    from imager.search.index import Index
    from imager.search.maps import Cluster
    from imager.search.skeleton import Month
    from imager.search.timeline import DayCount, Mask, MonthCount, TimelinePage, YearCount
    from imager.search.vocabulary import LibraryVocabulary

# What only some calls need is imported by them: 'imager search' should not wait for it.

MARK = "imager-library"
"""Name of the file that makes a folder a library, so that its own pictures are never ingested."""

_MARK_TEXT = (
    "This folder is an Imager library: catalog.db is the catalog, 'derived' holds previews that can be made again.\n"
)

_SOON = 2.0
"""Seconds after which what a run has found can be found by words."""

_LARGE = 10_000  # pictures; a run leaves the index of so many ready for the next search
_IS_LARGE = "SELECT assets > ? FROM library"

_SHOWN = """SELECT c.sha256, a.thumbhash FROM assets AS a CROSS JOIN contents AS c ON c.content = a.content
WHERE a.asset = ?"""

_REMEMBERED = 4
"""Queries whose pictures are kept in mind: a byte for each picture of the library."""

PathLike = str | bytes | os.PathLike[str]


def default_folder() -> Path:
    """Where the library lies unless one is named: `IMAGER_LIBRARY`, else the user's data folder."""
    named = os.environ.get("IMAGER_LIBRARY")
    return Path(named) if named else platformdirs.user_data_path("imager", appauthor=False) / "library"


class Library:
    """A library: its catalog, its previews, and what can be done with them. Use `Library.open`."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        """Wrap an opened catalog."""
        self.folder = folder
        self.catalog = catalog
        self.store = Store(folder / "derived")
        self._runs: list[Generator[Event]] = []
        self._index: Index | None = None
        self._masks: dict[Any, Mask] = {}
        self._vocabulary: LibraryVocabulary | None = None

    @classmethod
    def open(cls, folder: PathLike | None = None, *, create: bool = True, now: Callable[[], int] | None = None) -> Self:
        """Open the library in a folder, made when `create` and it does not exist yet.

        `now` replaces the system's clock (milliseconds since 1970). ImagerError says why where it can't be opened:
        it does not exist, is of a newer Imager, lies on a network file system, is no library.
        """
        path = Path(os.fsdecode(folder)).expanduser().absolute() if folder is not None else default_folder().absolute()
        try:
            os.fspath(path).encode()
        except UnicodeEncodeError:
            raise ImagerError(
                f"{path} can't hold a library: its name is not UTF-8. Choose another folder; pictures may lie anywhere."
            ) from None
        if not (path / "catalog.db").exists():
            if not create:
                raise NotFoundError(f"There is no library in {path}. 'imager add FOLDER' makes one.")
            if path.exists() and (not path.is_dir() or any(p.name != MARK for p in path.iterdir())):
                raise ImagerError(f"{path} is not an empty folder. Choose another one for the library.")
        _refuse_network(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            mark = path / MARK
            if not mark.exists():
                mark.write_text(_MARK_TEXT, encoding="utf-8")
        except OSError as error:
            raise ImagerError(f"The library {path} can't be used: {error.strerror or error}.") from error
        catalog = Catalog(path / "catalog.db", DefaultRules(), now=now)
        mend_clock(catalog)
        return cls(path, catalog)

    def close(self) -> None:
        """Close the library, ending runs whose events nobody follows any more; a second time does nothing."""
        for run in self._runs:
            run.close()
        self._runs.clear()
        if self._index is not None:
            self._index.save()
            self._index.close()
            self._index = None
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ── adding ──────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, *paths: PathLike, workers: int | None = None, nice: int = 0) -> Iterator[Event]:
        """Bring folders and files into the library; yields typed events, `Finished` with the report last.

        Originals are only read. May be closed or interrupted at any time and repeated: work is not done twice.
        `workers` is the number of processes (one a core), `nice` lowers their priority. NotFoundError names a path
        that does not exist; StorageFullError ends the run when the disk is full.
        """
        yield from self._followed(self._run([absolute(path) for path in paths], workers=workers, nice=nice))

    def retry(self, *, workers: int | None = None) -> Iterator[Event]:
        """Look again at the files that failed; events as of `add`."""
        roots = [problem.path for problem in self.failed() if os.path.lexists(problem.path)]
        if roots:
            yield from self._followed(self._run(roots, workers=workers, retry=True))

    def watch(
        self,
        *paths: PathLike,
        stop: threading.Event | None = None,
        workers: int | None = None,
        nice: int = 10,
        poll: float | None = None,
        quiet: float | None = None,
    ) -> Iterator[Event]:
        """Follow folders (all that were added on this device, if none is named) until `stop` is set.

        First `add`, then whatever changes; events as of `add`, with a `Finished` after each run that did something.
        A file is read once it has not changed for `quiet` seconds (two). `poll`: look every so many seconds, rather
        than rely on the system to tell; of network drives it can't. NotFoundError names a folder that does not exist,
        UsageError says when there is none to follow.
        """
        from imager import watch
        from imager.ingest.only import Only

        still = watch.QUIET if quiet is None else quiet
        files = self.catalog.files
        known = [p for p, _ in files.roots() if os.path.isdir(p) or (not os.path.lexists(p) and files.below(p))]
        roots = watch.folders([absolute(path) for path in paths], known)

        def start(some: Sequence[bytes], only: Only | None) -> watch.Started:
            run = self._run(some, workers=workers, nice=nice, only=only, quiet=still)
            return run, self._followed(run)

        yield from watch.Watch(
            start, roots, aside=absolute(self.folder), stop=stop or threading.Event(), poll=poll, quiet=still
        ).events()

    def _run(self, roots: Sequence[bytes], *, workers: int | None, **options: Any) -> Run:
        from imager.ingest.run import Run

        return Run(self.catalog, self.store, roots, workers=workers or os.cpu_count() or 1, **options)

    def _followed(self, run: Run) -> Generator[Event]:
        """A run, with full text written on the way, and by whoever comes next if this one is cut off."""
        events = run.events()
        self._runs.append(events)
        try:
            last: Event | None = None
            indexed = time.monotonic()
            for event in events:
                if last is not None:
                    yield last
                last = event
                if time.monotonic() - indexed > _SOON:
                    self.catalog.index(seconds=0.0)
                    indexed = time.monotonic()
            if events not in self._runs:
                return  # the library was closed meanwhile
            self.catalog.index()
            if self._index is not None or self.catalog.db.execute(_IS_LARGE, (_LARGE,)).get:
                self.index.save()
            if last is not None:
                yield last
        finally:
            if events in self._runs:
                self._runs.remove(events)
                events.close()
                self.catalog.connection.checkpoint()

    def failed(self) -> list[Problem]:
        """The files that gave no asset, with stage and reason, by path."""
        return list(self.catalog.files.failed())

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    def search(self, words: Query | str = "", *, limit: int = 50, after: str | None = None) -> Page:
        """The pictures that meet a query, best first, and how they divide; see `imager.search.service.search`."""
        from imager.search.service import search

        index = self.index
        with index.lock:
            seen = self._seen(index)
            names = self._names(index, seen)
            return search(index, self.catalog, words, limit=limit, after=after, visible=seen, vocabulary=names)

    def complete(self, text: str, cursor: int | None = None, *, limit: int = 10) -> list[Completion]:
        """What may be meant by a search text that is still being typed, the cursor standing there (at its end)."""
        from imager.query.complete import complete

        index = self.index
        with index.lock:
            names = self._names(index, self._seen(index))
            return complete(text, len(text) if cursor is None else cursor, names, limit=limit)

    def show(self, reference: PathLike) -> dict[str, Any]:
        """All that is known of the picture with that id, or of which a file lies at that path."""
        return read.describe(self.catalog, self.find(reference))

    def thumbnail(self, reference: PathLike) -> bytes | None:
        """A small JPEG of a picture, upright, if need be a blur of its colours; None where there is not even that."""
        from imager.ingest.thumbhash import blurred

        row = self.catalog.db.execute(_SHOWN, (self.find(reference),)).fetchone()
        if row is None:
            return None
        try:
            return self.store.path(row[0], "thumbnail").read_bytes()
        except OSError:
            return None if row[1] is None else blurred(row[1])

    def stats(self) -> dict[str, Any]:
        """What the library holds: how many pictures, from when to when, its cameras, places and tags."""
        return read.stats(self.catalog) | {"library": os.fspath(self.folder)}

    def history(self, reference: PathLike) -> list[dict[str, Any]]:
        """What people said of a picture, latest first."""
        return read.history(self.catalog, self.find(reference))

    def find(self, reference: PathLike) -> int:
        """The number of the asset that an id or a path names; NotFoundError names it otherwise."""
        text = os.fsdecode(reference)
        identifier = parse_id(text)
        if identifier is not None and (asset := self.catalog.resolve(identifier)) is not None:
            return asset
        row = self.catalog.files.at(absolute(reference))
        if row is not None and row.content is not None:
            for i in self.catalog.files.ids_of([row.content]):
                if (asset := self.catalog.resolve(i)) is not None:
                    return asset
        if row is not None and row.state == "failed":
            raise NotFoundError(f"{text} could not be read: {row.reason} (while: {row.stage}).")
        if identifier is None and os.path.lexists(absolute(reference)):
            raise NotFoundError(f"{text} is not in the library. 'imager add' brings it in.")
        raise NotFoundError(f"There is no picture {text} in the library.")

    # ── time and place ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def index(self) -> Index:
        """What searches look at, as the catalog is now; made when it is first asked for."""
        from imager.search.index import Index

        if self._index is None:
            self._index = Index.open(self.catalog, self.folder / "index")
        else:
            self._index.refresh()
        return self._index

    @contextmanager
    def _looking(self, query: Query | str | None) -> Iterator[tuple[Index, Mask | None]]:
        """The index and a query's pictures in it, of those that the owner sees; None: all that are present."""
        from imager.search.service import resolve
        from imager.search.timeline import selected

        index = self.index
        with index.lock:
            seen = self._seen(index)
            if query is None or query == "":
                yield index, seen if seen is None else seen & selected(index, None)
                return
            # Page after page asks for the same. Nothing may have changed since, wherever; nor may it be another day.
            db = self.catalog.db
            state = (index.version, db.pragma("data_version"), db.total_changes(), date.today())
            if (mask := self._masks.pop((query, state), None)) is None:
                mask = resolve(index, self.catalog, query, visible=seen, vocabulary=self._names(index, seen))
            self._masks[query, state] = mask
            while len(self._masks) > _REMEMBERED:
                del self._masks[next(iter(self._masks))]
            yield index, mask

    def _seen(self, index: Index) -> Mask | None:
        """The pictures that the owner sees; None: all."""
        from imager.access import Principal, visible_mask

        members = index.names["private"]
        own = members.index(OWNER) if OWNER in members else None
        return visible_mask(Principal(OWNER), self.catalog, index.size, index.columns.private, own)

    def _names(self, index: Index, seen: Mask | None) -> LibraryVocabulary:
        """What is known by name, remembered while nothing changes."""
        from imager.search.vocabulary import LibraryVocabulary

        if self._vocabulary is None or self._vocabulary.version != index.version:
            self._vocabulary = LibraryVocabulary(index, self.catalog, seen)
        return self._vocabulary

    def years(self, query: Query | str | None = None) -> list[YearCount]:
        """How many of a query's pictures (None: all) were taken in each year, newest first."""
        from imager.search import timeline

        with self._looking(query) as found:
            return timeline.years(*found)

    def months(self, query: Query | str | None = None) -> list[MonthCount]:
        """How many of them were taken in each month, newest first."""
        from imager.search import timeline

        with self._looking(query) as found:
            return timeline.months(*found)

    def days(self, query: Query | str | None = None) -> list[DayCount]:
        """How many of them were taken on each day, newest first."""
        from imager.search import timeline

        with self._looking(query) as found:
            return timeline.days(*found)

    def timeline(
        self,
        query: Query | str | None = None,
        *,
        after: str | None = None,
        before: str | None = None,
        at: str | int | None = None,
        limit: int = 200,
    ) -> TimelinePage:
        """A page of a query's pictures, newest first: the newest, or those beside a place; see `search.timeline.page`.

        `at` is a date to jump to: 'aug 2021', '2021-08', or ms by the clock on the wall.
        """
        from imager.search import timeline

        if isinstance(at, str):
            at = timeline.moment(at, datetime.fromtimestamp(self.catalog.now() / 1000))
        with self._looking(query) as found:
            return timeline.page(*found, after=after, before=before, at=at, limit=limit)

    def skeleton(self, query: Query | str | None = None) -> bytes:
        """Three bytes for each of a query's pictures, and its months with their versions; see `search.skeleton`."""
        from imager.search.skeleton import skeleton

        with self._looking(query) as found:
            return skeleton(*found)

    def versions(self, query: Query | str | None = None) -> list[Month]:
        """The months of a query's skeleton alone, with their versions: which of them have changed."""
        from imager.search import skeleton

        with self._looking(query) as found:
            return skeleton.months(*found)

    def chunk(self, month: str, number: int, version: int, query: Query | str | None = None) -> Chunk | Gone:
        """A piece of a month of a query's skeleton, in that version, or what became of it; see `search.chunks`."""
        from imager.search.chunks import chunk

        with self._looking(query) as found:
            return chunk(*found, month, number, version)

    def clusters(self, query: Query | str | None = None, *, box: Box | None = None, zoom: int = 2) -> list[Cluster]:
        """A query's pictures on a map, one cluster a cell of its grid, the largest first; see `search.maps`."""
        from imager.search import maps

        with self._looking(query) as found:
            return maps.clusters(*found, box or maps.WORLD, zoom)

    # ── saying ──────────────────────────────────────────────────────────────────────────────────────────────

    def tag(self, reference: PathLike, *names: str) -> str:
        """Give a picture tags ('Family', or 'Animals|Dogs' for a tag within another); returns the batch to undo."""
        return editing.tag(self.catalog, [self.find(reference)], names, put=True)

    def untag(self, reference: PathLike, *names: str) -> str:
        """Take tags away, whoever gave them (the file, too)."""
        return editing.tag(self.catalog, [self.find(reference)], names, put=False)

    def set(self, reference: PathLike, field: str, value: Any) -> str:
        """Say a value: `editing.FIELDS` lists the fields and what they take. None: as found in the file again."""
        return editing.say(self.catalog, [self.find(reference)], field, value)

    def set_private(self, *references: PathLike, private: bool = True) -> str:
        """Hide pictures from everybody else who uses the library, or let them be seen again."""
        return editing.say(self.catalog, [self.find(r) for r in references], "private", private)

    def undo(self, batch: str | None = None) -> str:
        """Take back what was said last on this device, or a batch by its name (an undo's name: redo)."""
        return editing.undo(self.catalog, batch)

    def join(self, reference: PathLike, other: PathLike) -> str:
        """Say that two pictures are one, as versions of each other."""
        return editing.join(self.catalog, self.find(reference), self.find(other))

    def separate(self, reference: PathLike) -> str:
        """Say that the versions joined in a picture are pictures of their own, also those that a rule joined."""
        return editing.separate(self.catalog, self.find(reference))

    def erase(self, reference: PathLike) -> None:
        """Remove a picture from the library for good, with all that is known of it; its files stay where they are.

        Only its hash is kept, so that no scan brings it back; naming the file itself in `add` does.
        """
        editing.erase(self.catalog, self.store, self.find(reference))

    def forget(self, path: PathLike) -> int:
        """Let go of missing files at or below a path; pictures left without any place go too. How many files."""
        return editing.forget(self.catalog, self.store, absolute(path))

    # ── albums ──────────────────────────────────────────────────────────────────────────────────────────────

    def albums(self) -> list[dict[str, Any]]:
        """All albums, each followed by what is nested in it: id, name, path, count, cover; of smart ones the query."""
        from imager.organise import albums

        held = albums.counts(self.catalog)
        return [albums.described(self.catalog, a, self._count(a, held)) for a in albums.tree(self.catalog)]

    def album(self, reference: str, *, limit: int = 50, after: str | None = None) -> dict[str, Any]:
        """The album of that id, name or path ('Trips/2021'), with a page of its pictures; `after`: the page's 'next'.

        NotFoundError where there is none, UsageError with the candidates where several are called so.
        """
        from imager.organise import albums

        album = albums.find(self.catalog, reference)
        known = albums.described(self.catalog, album, self._count(album, albums.counts(self.catalog)))
        following = None
        if album.query is None:
            held = albums.pictures(self.catalog, album, limit=limit + 1, after=after or "")
            following = held[limit - 1].position if len(held) > limit else None
            shown = [(format_id(m.id), self._path(m.content)) for m in held[:limit]]
        elif (query := albums.query_of(album)) is not None:
            page = self.search(query, limit=limit, after=after)
            following = page.next
            shown = [(hit.id, hit.path) for hit in page.hits]
        else:
            raise ImagerError(f"The query of {album.name} is of a newer Imager. Install that: pip install -U imager")
        return known | {"pictures": [{"id": i, "path": path} for i, path in shown], "next": following}

    def create_album(
        self, name: str, *, within: str | None = None, query: Query | str | None = None
    ) -> tuple[str, str]:
        """Make an album, in another one or at the top; with a query it shows what that finds. Its id, and the batch."""
        from imager.organise import albums

        parent = None if within is None else albums.find(self.catalog, within)
        album, batch = albums.create(self.catalog, name, parent=parent, query=_understood(query))
        return format_id(album.id), batch

    def rename_album(self, reference: str, name: str) -> str:
        """Call an album otherwise."""
        from imager.organise import albums

        return albums.rename(self.catalog, albums.find(self.catalog, reference), name)

    def describe_album(self, reference: str, text: str) -> str:
        """Say what an album is about; '' takes that away."""
        from imager.organise import albums

        return albums.describe(self.catalog, albums.find(self.catalog, reference), text)

    def set_album_cover(self, reference: str, picture: PathLike | None) -> str:
        """Choose the picture that stands for an album; None: its first again."""
        from imager.organise import albums

        asset = None if picture is None else self.find(picture)
        return albums.set_cover(self.catalog, albums.find(self.catalog, reference), asset)

    def set_album_query(self, reference: str, query: Query | str | None) -> str:
        """Make an album show what a query finds, or (None) again what was put into it."""
        from imager.organise import albums

        return albums.set_query(self.catalog, albums.find(self.catalog, reference), _understood(query))

    def move_album(
        self, reference: str, within: str | None, *, before: str | None = None, after: str | None = None
    ) -> str:
        """Nest an album in another (None: at the top), before or after one that is there, or where its name belongs."""
        from imager.organise import albums

        album, parent, earlier, later = (
            None if name is None else albums.find(self.catalog, name) for name in (reference, within, after, before)
        )
        assert album is not None
        return albums.move(self.catalog, album, parent, before=later, after=earlier)

    def delete_album(self, reference: str) -> str:
        """Delete an album; what is nested in it is hidden with it, pictures stay. Undoing brings all of it back."""
        from imager.organise import albums

        return albums.delete(self.catalog, albums.find(self.catalog, reference))

    def add_to_album(self, album: str, *pictures: PathLike, query: Query | str | None = None) -> str | None:
        """Put pictures into an album, and all that a query finds; the batch, None where all were in it already."""
        from imager.organise import albums

        found = [self.find(picture) for picture in pictures]
        more = [] if query is None else self._chosen(query, None)
        return albums.add(self.catalog, albums.find(self.catalog, album), found + more)

    def remove_from_album(self, album: str, *pictures: PathLike, query: Query | str | None = None) -> str | None:
        """Take pictures out of an album, and all that a query finds; the batch, None where none was in it."""
        from imager.organise import albums

        found = [self.find(picture) for picture in pictures]
        more = [] if query is None else self._chosen(query, None)
        return albums.remove(self.catalog, albums.find(self.catalog, album), found + more)

    def order_album(
        self, album: str, picture: PathLike, *, before: PathLike | None = None, after: PathLike | None = None
    ) -> str:
        """Put a picture of an album before or after another one of it."""
        from imager.organise import albums

        earlier, later = (None if one is None else self.find(one) for one in (after, before))
        found = albums.find(self.catalog, album)
        return albums.reorder(self.catalog, found, self.find(picture), before=later, after=earlier)

    def _count(self, album: Album, held: dict[int, int]) -> int | None:
        """How many pictures an album shows; None for a query of a newer Imager."""
        from imager.organise import albums

        if album.query is None:
            return held.get(album.number, 0)
        query = albums.query_of(album)
        if query is None:
            return None
        with self._looking(query) as (index, mask):
            return int((index.columns.state == 1 if mask is None else mask).sum())

    def _path(self, content: int) -> str | None:
        """Where a content lies, or lay."""
        return next((os.fsdecode(path) for path, _ in self.catalog.files.paths_of(content)), None)

    # ── leaving and coming back ─────────────────────────────────────────────────────────────────────────────

    def export(
        self,
        folder: PathLike,
        query: Query | str = "",
        *,
        album: str | None = None,
        layout: Layout = "folders",
        sidecars: bool = True,
        jsonl: bool = False,
        link: bool = False,
    ) -> Iterator[Exported | NotExported | ExportReport]:
        """Write copies of a query's pictures (all, by default) into a folder, with XMP sidecars beside them.

        `album`: only those in that album. `layout`: 'folders' as they lie now, or 'dates'. `jsonl`: also everything
        that is known and was said of them, for `take`. `link`: hard links instead of copies. The report comes last.
        What lies in the folder already is kept; UsageError where the library reads that folder itself.
        """
        from imager.export import export

        yield from export(
            self.catalog,
            self.folder,
            self._chosen(query, album),
            absolute(folder),
            layout=layout,
            sidecars=sidecars,
            jsonl=jsonl,
            link=link,
            asked=query if isinstance(query, str) else "",
        )

    def _chosen(self, query: Query | str, album: str | None) -> list[int]:
        """The numbers of a query's pictures, of those in an album where one is named; newest first."""
        from imager.query import model
        from imager.query.text import parse

        asked: Query | str | None = query
        if album is not None:
            from imager.organise import albums

            where = parse(query).query.where if isinstance(query, str) else query.where
            asked = model.Query(model.All((model.Album(albums.find(self.catalog, album).hex), where)))
        with self._looking(asked) as (index, mask):
            order = index.order
            found = order[mask[order]] if mask is not None else order[index.columns.state[order] == 1]
            return [int(number) for number in found]

    def take(self, path: PathLike) -> Taken:
        """Take in what an export's JSON lines (a file, or its folder) say that people said: values, tags, albums.

        Pictures are added before or afterwards, in any order. ImagerError names the line that is wrong; then nothing
        is taken. Only take what comes from somebody you trust: it speaks in the owner's name.
        """
        from imager.export import take_lines

        return take_lines(self.catalog, Path(os.fsdecode(absolute(path))))

    # ── soundness ───────────────────────────────────────────────────────────────────────────────────────────

    def doctor(self, *, repair: bool = True) -> Diagnosis:
        """Check everything; mend what can be made again."""
        from imager import doctor

        return doctor.examine(self.catalog, self.store, repair=repair)


def _understood(query: Query | str | None) -> Query | None:
    """A query as such, whether it was given so or as text."""
    from imager.query.text import parse

    return parse(query).query if isinstance(query, str) else query


def absolute(path: PathLike) -> bytes:
    """An absolute path as bytes; '~' is the home folder, links are left as they are."""
    return os.path.abspath(os.path.expanduser(os.fsencode(path)))


def _refuse_network(path: Path) -> None:
    existing = path
    while not existing.exists():
        existing = existing.parent
    kind = is_network_filesystem(os.fsencode(existing))
    if kind is not None:
        raise ImagerError(
            f"{path} lies on a network file system ({kind}), where SQLite can't keep a catalog safe. "
            "Put the library on a disk of this computer; the pictures themselves may lie anywhere."
        )
