"""Opening a library, who asks it, and what everything that can be done with it stands on: finding pictures.

A `Library` is a view: what one member sees of a library and may do with it. The view that opened the library is its
owner's; `asked_by` gives those of others, on the same parts. Every public method asks here before it looks or writes:
`find` for what is seen, `_picture` for what is done with a picture, `_need` for what is done with the library.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import platformdirs

from imager import access
from imager.access import Action, Principal
from imager.catalog import RULES, Catalog
from imager.catalog.exchange import mend_clock
from imager.catalog.identity import parse_id
from imager.errors import ForbiddenError, ImagerError, NotFoundError, UsageError
from imager.ingest.events import Event
from imager.ingest.store import Store
from imager.ingest.volumes import is_network_filesystem
from imager.rules import DefaultRules

if TYPE_CHECKING:
    from imager.library.narrow import SeenVocabulary
    from imager.search.index import Index
    from imager.search.timeline import Mask

# What only some calls need is imported by them: 'imager search' should not wait for it.

MARK = "imager-library"
"""Name of the file that makes a folder a library, so that its own pictures are never ingested."""

_MARK_TEXT = (
    "This folder is an Imager library: catalog.db is the catalog, 'derived' holds previews that can be made again.\n"
)

PathLike = str | bytes | os.PathLike[str]


def default_folder() -> Path:
    """Where the library lies unless one is named: `IMAGER_LIBRARY`, else the user's data folder."""
    named = os.environ.get("IMAGER_LIBRARY")
    return Path(named) if named else platformdirs.user_data_path("imager", appauthor=False) / "library"


_SEES: Final = """SELECT a.asset, c.sha256, a.private,
  EXISTS (SELECT 1 FROM grants AS g WHERE g.member = ?2 AND g.album = 0)
FROM versions AS v CROSS JOIN assets AS a ON a.asset = v.asset CROSS JOIN contents AS c ON c.content = a.content
WHERE v.id = ?1"""
_ID: Final = "SELECT id FROM assets WHERE asset = ?"
_MEMBERS: Final = 256  # of whom it is kept in mind which albums they see
_DOING: Final[dict[Action, str]] = {"view": "do that", "edit": "change it", "manage": "do that with it"}


@dataclass(slots=True)
class Shared:
    """What all views of an opened library have in common beside its folder, catalog and store."""

    runs: list[Generator[Event]] = field(default_factory=list)
    index: Index | None = None
    masks: dict[Any, Mask] = field(default_factory=dict)  # by member, query and the state of the library
    seen: dict[str, tuple[Any, Mask | None]] = field(default_factory=dict)  # by member: that state, and what they see
    albums: dict[str, tuple[Any, frozenset[int] | None]] = field(default_factory=dict)  # by member, as `seen`
    vocabularies: dict[str, SeenVocabulary] = field(default_factory=dict)  # by member


class Opened:
    """A library's parts: its folder, catalog, previews, and the index that is opened when somebody looks."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        """Wrap an opened catalog, as its owner sees it."""
        self.folder = folder
        self.catalog = catalog
        self.store = Store(folder / "derived")
        self.principal = Principal()
        self._shared = Shared()
        self._opened_it = True

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

    def asked_by(self, principal: Principal) -> Self:
        """The same library as a member sees it, who may do with it what `imager.access` says and nothing else.

        What they may not see is not there (NotFoundError); what they see but may not do is a ForbiddenError. Edits
        carry the member as their author. All parts are shared with the view that this is asked of, so it is to be used
        in the same thread; closing it closes nothing.
        """
        if principal.member in ("", RULES):
            raise UsageError(f"{principal.member!r} is no member who could ask.")
        view = copy.copy(self)
        view.principal = principal
        view._opened_it = False
        return view

    def close(self) -> None:
        """Close the library, ending runs whose events nobody follows any more; a second time does nothing.

        Only the view that opened it does so.
        """
        if not self._opened_it:
            return
        shared = self._shared
        for run in shared.runs:
            run.close()
        shared.runs.clear()
        if shared.index is not None:
            shared.index.save()
        self._drop_index()
        self.catalog.close()

    def _drop_index(self) -> None:
        """Let go of the index, and of all that was remembered of it."""
        shared = self._shared
        if shared.index is not None:
            shared.index.close()
            shared.index = None
        shared.masks.clear()
        shared.vocabularies.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def find(self, reference: PathLike) -> int:
        """The number of the asset that an id or a path names; NotFoundError names it otherwise.

        What the asker may not see is not there. Only owners of the library name pictures by their files.
        """
        text = os.fsdecode(reference)
        if (asset := self._of_id(text, "view")) is not None:
            return asset
        if self._owns and (asset := self._at(reference)) is not None:
            return asset
        raise NotFoundError(f"There is no picture {text} in the library.")

    def _of_id(self, text: str, action: Action) -> int | None:
        """The picture with that id, if the asker may do that with it."""
        identifier = parse_id(text)
        asset = None if identifier is None else self.catalog.resolve(identifier)
        return asset if asset is not None and self._may(action, asset=asset) else None

    def _at(self, reference: PathLike) -> int | None:
        """The picture whose file lies at a path; NotFoundError says why it is none, where there is more to say."""
        text, path = os.fsdecode(reference), absolute(reference)
        row = self.catalog.files.at(path)
        if row is not None and row.content is not None:
            for i in self.catalog.files.ids_of([row.content]):
                if (asset := self.catalog.resolve(i)) is not None and self._may("view", asset=asset):
                    return asset
        if row is not None and row.state == "failed":
            raise NotFoundError(f"{text} could not be read: {row.reason} (while: {row.stage}).")
        if parse_id(text) is None and os.path.lexists(path):
            raise NotFoundError(f"{text} is not in the library. 'imager add' brings it in.")
        return None

    def sees(self, asset_id: str) -> tuple[int, bytes] | None:
        """The number of the picture with that id and the SHA-256 of its shown content; None where it is not seen.

        For whoever serves previews: one statement for members of the library, two for those of albums.
        """
        if (identifier := parse_id(asset_id)) is None:
            return None
        db, member = self.catalog.db, self.principal.member
        row = db.execute(_SEES, (identifier, member)).get
        if row is None:  # its own picture may not be here, but one that it was joined with
            asset = self.catalog.resolve(identifier)
            row = None if asset is None else db.execute(_SEES, (db.execute(_ID, (asset,)).get, member)).get
        if row is None:
            return None
        asset, sha256, private, of_library = row
        if private not in (None, member):
            return None
        if not of_library:
            shown = self._albums_seen() or frozenset()
            if shown.isdisjoint(access.albums_holding(self.catalog, asset)):
                return None
        return asset, sha256

    # ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _owns(self) -> bool:
        """Whether the asker is an owner of the library, and may know where files lie."""
        return self._may("manage")

    def _albums_seen(self) -> frozenset[int] | None:
        """The albums (by number) that the asker sees, remembered while nothing changes; None: all."""
        known, member = self._shared.albums, self.principal.member
        state = self.catalog.db.pragma("data_version"), self.catalog.db.total_changes()
        if member not in known or known[member][0] != state:
            if len(known) > _MEMBERS:
                known.clear()
            known[member] = state, access.visible_albums(self.principal, self.catalog)
        return known[member][1]

    def _may(self, action: Action, *, album: int | None = None, asset: int | None = None) -> bool:
        return access.may(self.principal, action, self.catalog, album=album, asset=asset)

    def _need(self, action: Action) -> None:
        """Refuse what the asker may not do with the library."""
        if not self._may(action):
            role = "an owner" if action == "manage" else "an editor" if action == "edit" else "a member"
            raise ForbiddenError(f"Only {role} of the library may do that.")

    def _picture(self, reference: PathLike, action: Action) -> int:
        """`find`, for what the asker wants to do with a picture; ForbiddenError where they may only see it."""
        asset = self._of_id(os.fsdecode(reference), action)
        if asset is None:
            asset = self.find(reference)
            self._need_picture(asset, action)
        return asset

    def _need_picture(self, asset: int, action: Action) -> None:
        if not self._may(action, asset=asset):
            raise ForbiddenError(f"You may look at this picture, but not {_DOING[action]}.")


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
