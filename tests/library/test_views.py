"""A library as each of its members sees it: exactly what they may see, and nothing done that they may not do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from imager import access
from imager.access import Principal
from imager.catalog.identity import format_id
from imager.errors import ForbiddenError, NotFoundError, UsageError
from imager.library import Library
from imager.query import model as q
from imager.search.chunks import Chunk
from tests.access.scenes import MEMBERS, PICTURES, ROLES, Scene, scenes
from tests.library.made import Made, build

VIEWER, EDITOR, OWNING = 1, 2, 3
UNKNOWN = "0" * 32


class Reading:
    """What the rules say of one member of a scene, read slowly."""

    def __init__(self, scene: Scene, member: str) -> None:
        self.scene = scene
        self.member = member
        self.rank = scene.rank(member, None)
        self.sees = {n for n in range(1, PICTURES + 1) if scene.sees(member, n)}
        self.albums = {n for n in scene.albums if scene.open(n) and scene.rank(member, n)}

    def rank_of(self, picture: int) -> int:
        if picture not in self.sees:
            return 0
        through = [min(EDITOR, self.scene.rank(self.member, album)) for album in self.scene.holding(picture)]
        return max(self.rank, *through, 0)

    def rank_on(self, album: int) -> int:
        return self.scene.rank(self.member, album) if album in self.albums else 0

    def inside(self, album: int) -> set[int]:
        """What an album shows of what is seen."""
        if self.scene.albums[album][3]:
            return self.sees
        return {n for held, n in self.scene.members if held == album} & self.sees

    def nested(self, album: int) -> set[int]:
        """What an album and all that is nested in it show."""
        below = [n for n in self.albums if self.scene.albums[n][0] == album]
        return self.inside(album).union(*(self.nested(n) for n in below))


def _each(folder: str, scene: Scene) -> Iterator[tuple[Made, Reading, Library]]:
    made = build(Path(folder) / "library", scene)
    with made.library:
        for member in MEMBERS:
            yield made, Reading(scene, member), made.library.asked_by(Principal(member))


@settings(max_examples=15)
@given(scene=scenes())
def test_everybody_is_shown_what_they_may_see_and_nothing_else(scene: Scene) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for made, reading, view in _each(folder, scene):
            _check_pictures(made, reading, view)
            _check_time_and_place(made, reading, view)
            _check_albums(made, reading, view)
            _check_one_by_one(made, reading, view)


def _check_pictures(made: Made, reading: Reading, view: Library) -> None:
    sees, owns = reading.sees, reading.rank == OWNING
    sql, bindings = access.visible_sql(view.principal)
    rows = view.catalog.db.execute(f"SELECT a.id FROM assets AS a WHERE {sql}", bindings)
    assert {made.picture(format_id(own)) for (own,) in rows} == sees
    page = view.search("", limit=1)
    found = [made.picture(hit.id) for hit in page.hits]
    while page.next:
        page = view.search("", limit=1, after=page.next)
        found += [made.picture(hit.id) for hit in page.hits]
    assert sorted(found) == sorted(sees)
    assert page.total == len(sees)
    tags = {value["value"]: value["count"] for value in page.facets["tags"]}
    assert tags == {f"tag {n}": 1 for n in sees} | ({"all": len(sees)} if sees else {})
    assert all((hit.path is not None) == owns for hit in page.hits)
    assert owns or page.facets["folders"] == []
    named = {name for name, _ in view._names(view.index, view._seen(view.index)).tags("tag")}
    assert named == {f"tag {n}" for n in sees}
    stats = view.stats()
    assert (stats["pictures"], stats["located"], stats["albums"]) == (len(sees), len(sees), len(reading.albums))
    assert {t["value"]: t["count"] for t in stats["tags"]} == tags
    assert (stats["failed"], stats["library"]) == ((0, str(view.folder)) if owns else (None, None))


def _check_time_and_place(made: Made, reading: Reading, view: Library) -> None:
    sees = reading.sees
    assert {made.picture(row.id) for row in view.timeline().rows} == sees
    for counts in (view.years(), view.months(), view.days()):
        assert sum(c.count for c in counts) == len(sees)
    chunks = [view.chunk(month.month, 0, month.version) for month in view.versions()]
    ids = [own for chunk in chunks if isinstance(chunk, Chunk) for own in chunk.ids]
    assert sorted(made.picture(format_id(own)) for own in ids) == sorted(sees)
    assert view.skeleton() == view.skeleton(q.Query(q.All()))
    clusters = view.clusters(zoom=22)
    assert sorted(made.picture(c.asset) for c in clusters) == sorted(sees)


def _check_albums(made: Made, reading: Reading, view: Library) -> None:
    listed = {album["id"]: album for album in view.albums()}
    assert set(listed) == {made.albums[n] for n in reading.albums}
    offered = {name for name, _ in view._names(view.index, view._seen(view.index)).albums("")}
    assert offered == {f"Album {n}" for n in reading.albums}
    for number, own in made.albums.items():
        found = {made.picture(hit.id) for hit in view.search(f'album:"Album {number}"').hits}
        assert found == {made.picture(row.id) for row in view.timeline(q.Query(q.Album(f"Album {number}"))).rows}
        if number not in reading.albums:
            assert found == set()
            assert view.search(q.Query(q.Not(q.Album(own)))).total == len(reading.sees)
            for reference in (own, f"Album {number}"):
                with pytest.raises(NotFoundError, match="no album"):
                    view.album(reference)
            continue
        inside = reading.inside(number)
        known = view.album(own)
        assert found == reading.nested(number)
        assert known["count"] == listed[own]["count"] == len(inside)
        assert {made.picture(p["id"]) for p in known["pictures"]} == inside
        assert reading.rank == OWNING or all(p["path"] is None for p in known["pictures"])
        assert known["cover"] is None or made.picture(known["cover"]) in inside
        shown_above = [f"Album {n}" for n in _above(reading.scene, number) if n in reading.albums]
        assert known["path"] == [*shown_above, f"Album {number}"]


def _above(scene: Scene, album: int) -> list[int]:
    parent = scene.albums[album][0]
    return [] if parent is None else [*_above(scene, parent), parent]


def _check_one_by_one(made: Made, reading: Reading, view: Library) -> None:
    for number, own in made.pictures.items():
        if number in reading.sees:
            known = view.show(own)
            assert view.sees(own) == (view.find(own), bytes.fromhex(known["sha256"]))
            assert bool(known["files"]) == (reading.rank == OWNING)
            shown = {made.albums[n] for n in reading.scene.holding(number) if n in reading.albums}
            assert {album["id"] for album in known["albums"]} == shown
            spoken_of = {edit["element"] for edit in view.history(own) if edit["field"] == "album"}
            if reading.rank == 0:
                assert spoken_of <= {f"Album {n}" for n in reading.albums}
            continue
        assert view.sees(own) is None
        for look in (view.find, view.show, view.history, view.thumbnail, view.original):
            assert _text(lambda: look(own)) == _text(lambda: look(UNKNOWN)).replace(UNKNOWN, own)  # noqa: B023


def _text(call: Callable[[], Any]) -> str:
    with pytest.raises(NotFoundError) as error:
        call()
    return str(error.value)


@settings(max_examples=8)
@given(scene=scenes())
def test_nothing_is_done_but_what_the_rules_let_somebody_do(scene: Scene) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for made, reading, view in _each(folder, scene):
            for what, call, seen, allowed in _writes(made, reading, view):
                expected = "done" if allowed else "forbidden" if seen else "not there"
                assert _attempt(made.library, call) == expected, f"{reading.member}: {what}"


def _writes(made: Made, reading: Reading, view: Library) -> Iterator[tuple[str, Callable[[], Any], bool, bool]]:
    """What is tried: its name, the call, whether what it is about is seen, whether it may be done."""
    scene, owns = reading.scene, reading.rank == OWNING
    for n, own in made.pictures.items():
        rank, seen = reading.rank_of(n), n in reading.sees
        edits = seen and rank >= EDITOR
        private = scene.private.get(n)
        yield f"tag {n}", lambda own=own: view.tag(own, "x"), seen, edits  # type: ignore[misc]
        yield f"untag {n}", lambda own=own: view.untag(own, "all"), seen, edits  # type: ignore[misc]
        yield f"rate {n}", lambda own=own: view.set(own, "rating", 3), seen, edits  # type: ignore[misc]
        yield f"trash {n}", lambda own=own: view.set(own, "trashed", True), seen, edits  # type: ignore[misc]
        yield f"separate {n}", lambda own=own: view.separate(own), seen, edits  # type: ignore[misc]
        hides, tells = (owns, edits) if private is None else (seen, seen)
        yield f"hide {n}", lambda own=own: view.set_private(own), seen, seen and hides  # type: ignore[misc]
        yield f"hide {n}", lambda own=own: view.set(own, "private", "yes"), seen, seen and hides  # type: ignore[misc]
        yield f"tell {n}", lambda own=own: view.set_private(own, private=False), seen, seen and tells  # type: ignore[misc]
        if not owns:
            yield f"erase {n}", lambda own=own: view.erase(own), seen, False  # type: ignore[misc]
        other = n % PICTURES + 1
        both = seen and other in reading.sees
        joins = both and edits and reading.rank_of(other) >= EDITOR and (owns or private == scene.private.get(other))
        if both or not seen or edits:  # else which of two refusals comes first
            pair = (own, made.pictures[other])
            yield f"join {n} {other}", lambda pair=pair: view.join(*pair), both, joins  # type: ignore[misc]
    for n, album in made.albums.items():
        rank, seen = reading.rank_on(n), n in reading.albums
        parent = scene.albums[n][0]
        edits, disposes = rank >= EDITOR, rank >= OWNING or (seen and reading.rank >= EDITOR)
        leaves = reading.rank if parent is None else scene.rank(reading.member, parent)
        yield f"rename {n}", lambda a=album: view.rename_album(a, "new"), seen, edits  # type: ignore[misc]
        yield f"describe {n}", lambda a=album: view.describe_album(a, "new"), seen, edits  # type: ignore[misc]
        yield f"cover {n}", lambda a=album: view.set_album_cover(a, None), seen, edits  # type: ignore[misc]
        yield f"unquery {n}", lambda a=album: view.set_album_query(a, None), seen, edits  # type: ignore[misc]
        yield (
            f"query {n}",
            lambda a=album: view.set_album_query(a, "all"),  # type: ignore[misc]
            seen,
            edits and reading.rank >= VIEWER,
        )
        yield f"make in {n}", lambda a=album: view.create_album("new", within=a)[1], seen, edits  # type: ignore[misc]
        yield f"delete {n}", lambda a=album: view.delete_album(a), seen, disposes  # type: ignore[misc]
        moves = disposes and leaves >= EDITOR and reading.rank >= EDITOR
        yield f"move {n}", lambda a=album: view.move_album(a, None), seen, moves  # type: ignore[misc]
        for m, own in made.pictures.items():
            both = seen and m in reading.sees
            if both or not seen or edits:
                puts = both and edits and reading.rank_of(m) >= EDITOR
                pair = (album, own)
                yield f"put {m} in {n}", lambda p=pair: view.add_to_album(*p), both, puts  # type: ignore[misc]
                yield f"take {m} of {n}", lambda p=pair: view.remove_from_album(*p), both, puts  # type: ignore[misc]
    yield "make", lambda: view.create_album("new")[1], True, reading.rank >= EDITOR


def _attempt(library: Library, call: Callable[[], Any]) -> str:
    """What comes of it; what was said is taken back."""
    before = library.catalog.db.execute("SELECT count(*) FROM edits").get
    try:
        batch = call()
    except (ForbiddenError, NotFoundError) as error:
        assert library.catalog.db.execute("SELECT count(*) FROM edits").get == before
        return "forbidden" if isinstance(error, ForbiddenError) else "not there"
    except UsageError:  # it was let through, and made no sense
        return "done"
    if batch is not None:
        library.catalog.undo(batch)
    return "done"


# ── every method ────────────────────────────────────────────────────────────────────────────────────────────────

PARTS = {"asked_by", "catalog", "close", "folder", "index", "open", "principal", "store"}
"""What is for programs that hold a library, and never handed on to who asks."""

Call = Callable[[Library, str, str, Path], Any]
LOOKS: dict[str, Call] = {
    "album": lambda v, _, a, __: v.album(a),
    "albums": lambda v, *_: v.albums(),
    "chunk": lambda v, *_: v.chunk("1970-01", 0, 0),
    "clusters": lambda v, *_: v.clusters(),
    "complete": lambda v, *_: [c for c in v.complete("tag:t") if c.kind == "tag"],
    "days": lambda v, *_: v.days(),
    "find": lambda v, p, *_: v.find(p),
    "history": lambda v, p, *_: v.history(p),
    "months": lambda v, *_: v.months(),
    "original": lambda v, p, *_: v.original(p),
    "search": lambda v, *_: v.search().hits,
    "sees": lambda v, p, *_: v.sees(p),
    "show": lambda v, p, *_: v.show(p),
    "skeleton": lambda v, *_: v.skeleton(),
    "histogram": lambda v, *_: v.histogram()["bars"],
    "stats": lambda v, *_: v.stats()["pictures"],
    "thumbnail": lambda v, p, *_: v.thumbnail(p),
    "timeline": lambda v, *_: v.timeline().rows,
    "understood": lambda v, *_: v.understood("").chips,
    "versions": lambda v, *_: v.versions(),
    "years": lambda v, *_: v.years(),
}
EDITS: dict[str, Call] = {
    "add_to_album": lambda v, p, a, _: v.add_to_album(a, p),
    "create_album": lambda v, *_: v.create_album("new"),
    "delete_album": lambda v, _, a, __: v.delete_album(a),
    "describe_album": lambda v, _, a, __: v.describe_album(a, "x"),
    "join": lambda v, p, *_: v.join(p, p),
    "move_album": lambda v, _, a, __: v.move_album(a, None),
    "order_album": lambda v, p, a, _: v.order_album(a, p, before=p),
    "remove_from_album": lambda v, p, a, _: v.remove_from_album(a, p),
    "rename_album": lambda v, _, a, __: v.rename_album(a, "x"),
    "separate": lambda v, p, *_: v.separate(p),
    "set": lambda v, p, *_: v.set(p, "title", "x"),
    "set_album_cover": lambda v, p, a, _: v.set_album_cover(a, p),
    "set_album_query": lambda v, _, a, __: v.set_album_query(a, None),
    "tag": lambda v, p, *_: v.tag(p, "x"),
    "untag": lambda v, p, *_: v.untag(p, "x"),
}
MANAGES: dict[str, Call] = {
    "add": lambda v, _, __, f: list(v.add(f / "nothing")),
    "add_files": lambda v, _, __, f: list(v.add_files(f / "nothing", f / "nothing" / "x.jpg")),
    "doctor": lambda v, *_: v.doctor(repair=False),
    "erase": lambda v, p, *_: v.erase(p),
    "export": lambda v, _, __, f: list(v.export(f / "out")),
    "failed": lambda v, *_: v.failed(),
    "forget": lambda v, _, __, f: v.forget(f / "nothing"),
    "retry": lambda v, *_: list(v.retry()),
    "set_private": lambda v, p, *_: v.set_private(p),
    "take": lambda v, _, __, f: v.take(f / "nothing"),
    "watch": lambda v, *_: v.watch(),
}
OWN = {"undo"}
"""What takes having said it oneself; tested below."""


def test_a_method_that_is_new_has_to_say_what_it_takes() -> None:
    library = {name for name in dir(Library) if not name.startswith("_")} | {"catalog", "folder", "principal", "store"}
    assert library == PARTS | LOOKS.keys() | EDITS.keys() | MANAGES.keys() | OWN


@pytest.mark.parametrize("name", sorted(LOOKS | EDITS | MANAGES))
@pytest.mark.parametrize("role", [None, "viewer", "editor", "owner"])
def test_each_method_takes_what_it_is_said_to_take(tmp_path: Path, role: access.Role | None, name: str) -> None:
    scene = Scene({1: (None, True, False, False)}, {(1, 1)}, {}, {("anna", 0): role} if role else {})
    made = build(tmp_path / "library", scene)
    needed, call = next((n, c[name]) for n, c in ((1, LOOKS), (2, EDITS), (3, MANAGES)) if name in c)
    rank = 0 if role is None else 1 + ROLES.index(role)
    with made.library as library:
        view = library.asked_by(Principal("anna"))
        try:
            found = call(view, made.pictures[1], made.albums[1], tmp_path)
        except ForbiddenError:
            assert rank < needed, "it was refused"
            assert role is not None or name in MANAGES or name == "create_album", "it told that there is something"
        except NotFoundError:
            assert role is None or name in ("add", "add_files", "forget", "take", "original"), "it is there"
        except UsageError:
            assert rank >= needed
        else:
            assert rank >= needed or not found or name in ("chunk", "skeleton"), "it was let through"
            if name in ("chunk", "skeleton") and not rank:
                assert found == call(library.asked_by(Principal("ben")), "", "", tmp_path)
