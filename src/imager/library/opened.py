"""Opening a library, and what everything that can be done with it stands on: finding, looking, the index."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import platformdirs

from imager.catalog import OWNER, Catalog
from imager.catalog.exchange import mend_clock
from imager.catalog.identity import parse_id
from imager.errors import ImagerError, NotFoundError
from imager.ingest.events import Event
from imager.ingest.store import Store
from imager.ingest.volumes import is_network_filesystem
from imager.rules import DefaultRules

if TYPE_CHECKING:
    from imager.query.model import Query
    from imager.search.index import Index
    from imager.search.timeline import Mask
    from imager.search.vocabulary import LibraryVocabulary

# What only some calls need is imported by them: 'imager search' should not wait for it.

MARK = "imager-library"
"""Name of the file that makes a folder a library, so that its own pictures are never ingested."""

_MARK_TEXT = (
    "This folder is an Imager library: catalog.db is the catalog, 'derived' holds previews that can be made again.\n"
)


_REMEMBERED = 4
"""Queries whose pictures are kept in mind: a byte for each picture of the library."""

PathLike = str | bytes | os.PathLike[str]


def default_folder() -> Path:
    """Where the library lies unless one is named: `IMAGER_LIBRARY`, else the user's data folder."""
    named = os.environ.get("IMAGER_LIBRARY")
    return Path(named) if named else platformdirs.user_data_path("imager", appauthor=False) / "library"


class Opened:
    """A library's parts: its folder, catalog, previews, and the index that is opened when somebody looks."""

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

    def _path(self, content: int) -> str | None:
        """Where a content lies, or lay."""
        return next((os.fsdecode(path) for path, _ in self.catalog.files.paths_of(content)), None)


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
