"""Albums as people arrange them: made, nested, ordered, filled and emptied, and all of it undone."""

from __future__ import annotations

import pytest

from imager import access
from imager.access import Principal
from imager.catalog import Catalog
from imager.catalog.connection import fetch
from imager.catalog.contents import Content
from imager.catalog.identity import asset_id, format_id
from imager.errors import NotFoundError, UsageError
from imager.facts import TakenAt
from imager.organise import albums
from imager.organise.albums import Album
from imager.query import codec
from imager.query.model import Query, Tag
from tests.catalog.libraries import Devices, content, log, put, say, sync

MINUTE = 60_000


def taken(number: int, minute: int) -> Content:
    return content(number, dates=(TakenAt(at=minute * MINUTE, source="exif", confidence=0.9),))


@pytest.fixture
def four(catalog: Catalog) -> list[int]:
    """Four pictures, taken one minute after the other, but arrived otherwise."""
    ids = put(catalog, taken(3, 3), taken(1, 1), taken(4, 4), taken(2, 2))
    numbers = [catalog.resolve(i) for i in ids]
    assert None not in numbers
    by_time: list[int] = [number for n in (1, 3, 0, 2) if (number := numbers[n]) is not None]
    return by_time


def make(catalog: Catalog, name: str, parent: Album | None = None) -> Album:
    return albums.create(catalog, name, parent=parent)[0]


def paths(catalog: Catalog) -> list[str]:
    return ["/".join(album.path) for album in albums.tree(catalog)]


def held(catalog: Catalog, album: Album) -> list[int]:
    return [member.asset for member in albums.pictures(catalog, album, limit=1_000)]


def test_albums_are_listed_as_a_tree_by_name(catalog: Catalog) -> None:
    trips = make(catalog, " Trips ")
    for name in ("2022", "2021"):
        make(catalog, name, trips)
    make(catalog, "école")
    make(catalog, "Animals")
    assert paths(catalog) == ["Animals", "Trips", "Trips/2021", "Trips/2022", "école"]
    assert trips.created == 1_700_000_000_000


def test_an_album_is_found_by_id_name_or_path(catalog: Catalog) -> None:
    trips, family = make(catalog, "Trips"), make(catalog, "Family")
    ours, theirs = make(catalog, "2021", trips), make(catalog, "2021", family)
    slashed = make(catalog, "AC/DC", trips)
    for album in (ours, theirs, slashed):
        assert albums.find(catalog, album.hex) == albums.find(catalog, format_id(album.id)) == album
    assert albums.find(catalog, "trips/2021") == ours
    assert albums.find(catalog, "/FAMILY/2021/") == theirs
    assert albums.find(catalog, "ac/dc") == slashed
    inner = make(catalog, "Family", trips)
    assert albums.find(catalog, "Family") == family, "the path from the top goes before the end of another"
    assert albums.find(catalog, "Trips/Family") == inner
    with pytest.raises(UsageError, match=rf"Family/2021 \({format_id(theirs.id)}\); Trips/2021 \({format_id(ours.id)}"):
        albums.find(catalog, "2021")
    for nothing in ("", "/", "2022", "rips", "00" * 16):
        with pytest.raises(NotFoundError, match="There is no album"):
            albums.find(catalog, nothing)


def test_what_is_put_in_stands_by_time_until_it_is_put_elsewhere(catalog: Catalog, four: list[int]) -> None:
    one, two, three, last = four
    album = make(catalog, "All")
    albums.add(catalog, album, [last, two, one])
    assert held(catalog, album) == [one, two, last]
    albums.reorder(catalog, album, last, before=two)
    assert held(catalog, album) == [one, last, two]
    albums.add(catalog, album, [three])
    assert held(catalog, album) == [one, last, two, three], "what comes later stands by its time"
    albums.reorder(catalog, album, one, after=three)
    assert held(catalog, album) == [last, two, three, one]
    assert len([e for e in log(catalog).values() if e.field == "album"]) == 6, "one edit moves one picture"
    for _ in range(2):
        catalog.undo()
    assert held(catalog, album) == [one, last, two]
    say(catalog, catalog.members(two)[0], "taken_at", "1970-01-01T00:00:00")
    assert held(catalog, album) == [two, one, last], "a place by time follows the time"


def test_pictures_of_one_moment_stand_as_the_camera_counted_them(catalog: Catalog) -> None:
    same = [content(n, dates=(TakenAt(at=5, source="exif", confidence=0.9),)) for n in range(3)]
    numbers = []
    for picture, name in zip(same, (b"IMG_0010.JPG", b"IMG_0009.JPG", b"IMG_0011.JPG"), strict=True):
        (own,) = put(catalog, picture, name=name)
        numbers.append(catalog.resolve(own) or 0)
    album = make(catalog, "Burst")
    albums.add(catalog, album, numbers)
    assert held(catalog, album) == [numbers[1], numbers[0], numbers[2]]


def test_adding_and_removing_say_only_what_changes(catalog: Catalog, four: list[int]) -> None:
    album = make(catalog, "Some")
    assert albums.add(catalog, album, four[:2]) is not None
    albums.reorder(catalog, album, four[1], before=four[0])
    assert albums.add(catalog, album, [*four[:2], four[0]]) is None
    assert held(catalog, album) == [four[1], four[0]], "who is in keeps its place"
    assert albums.remove(catalog, album, four[2:]) is None
    assert albums.remove(catalog, album, four) is not None
    assert held(catalog, album) == []
    catalog.undo()
    assert held(catalog, album) == [four[1], four[0]]
    assert albums.add(catalog, album, []) is None
    assert albums.add(catalog, album, [99]) is None


def test_deleting_hides_what_is_nested_and_undo_brings_all_of_it_back(catalog: Catalog, four: list[int]) -> None:
    outer = make(catalog, "Outer")
    inner = make(catalog, "Inner", outer)
    albums.add(catalog, inner, four)
    batch = albums.delete(catalog, outer)
    assert paths(catalog) == []
    with pytest.raises(NotFoundError):
        albums.find(catalog, inner.hex)
    assert catalog.db.execute("SELECT count(*) FROM assets WHERE state = 'present'").get == 4
    catalog.undo(batch)
    assert paths(catalog) == ["Outer", "Outer/Inner"]
    assert held(catalog, inner) == four
    again = make(catalog, "Inner")
    assert again.number not in (outer.number, inner.number)


def test_an_album_is_moved_beside_others_or_where_its_name_belongs(catalog: Catalog) -> None:
    a, b, c = (make(catalog, name) for name in "abc")
    albums.move(catalog, c, None, before=b)
    assert paths(catalog) == ["a", "c", "b"]
    albums.move(catalog, a, None, after=c)
    assert paths(catalog) == ["c", "a", "b"]
    albums.move(catalog, b, a)
    assert paths(catalog) == ["c", "a", "a/b"]
    albums.move(catalog, c, a, after=albums.find(catalog, "b"))
    assert paths(catalog) == ["a", "a/b", "a/c"]
    albums.move(catalog, albums.find(catalog, "c"), None)
    assert paths(catalog) == ["a", "a/b", "c"]
    a, b, c = (albums.find(catalog, name) for name in "abc")
    for into in (a, b):
        with pytest.raises(UsageError, match="into itself"):
            albums.move(catalog, a, into)
    with pytest.raises(UsageError, match="does not lie beside"):
        albums.move(catalog, c, a, before=a)


def test_names_and_descriptions_are_cleaned_and_needed(catalog: Catalog) -> None:
    album = make(catalog, "a\n\tb\udce9 e\u0301")
    assert album.name == "a b? \u00e9"
    for nothing in ("", " \n", "\0"):
        with pytest.raises(UsageError, match="needs a name"):
            make(catalog, nothing)
        with pytest.raises(UsageError, match="needs a name"):
            albums.rename(catalog, album, nothing)
    with pytest.raises(UsageError, match="already"):
        make(catalog, "A B? É")
    albums.rename(catalog, album, "New")
    albums.describe(catalog, album, " What it is\nabout ")
    found = albums.find(catalog, "New")
    assert (found.id, found.description) == (album.id, "What it is about")
    albums.describe(catalog, album, "")
    assert albums.find(catalog, "New").description is None
    for _ in range(3):
        catalog.undo()
    assert albums.find(catalog, album.name).description is None


def test_an_album_has_a_cover_that_is_there(catalog: Catalog, four: list[int]) -> None:
    album = make(catalog, "Covered")
    assert albums.cover(catalog, album) is None
    albums.add(catalog, album, four)
    assert albums.cover(catalog, album) == (four[0], catalog.members(four[0])[0])
    albums.set_cover(catalog, album, four[2])
    chosen = albums.find(catalog, "Covered")
    assert albums.cover(catalog, chosen) == (four[2], catalog.members(four[2])[0])
    say(catalog, catalog.members(four[2])[0], "trashed", True)
    assert albums.cover(catalog, chosen) == (four[0], catalog.members(four[0])[0])
    albums.set_cover(catalog, album, None)
    assert albums.find(catalog, "Covered").cover is None


def test_what_is_counted_and_listed_is_there(catalog: Catalog, four: list[int]) -> None:
    album, other = make(catalog, "One"), make(catalog, "Other")
    albums.add(catalog, album, four)
    albums.add(catalog, other, four[:1])
    say(catalog, catalog.members(four[1])[0], "trashed", True)
    assert albums.counts(catalog) == {album.number: 3, other.number: 1}
    assert held(catalog, album) == [four[0], four[2], four[3]]
    first = albums.pictures(catalog, album, limit=2)
    rest = albums.pictures(catalog, album, limit=2, after=first[-1].position)
    assert [member.asset for member in first + rest] == [four[0], four[2], four[3]]
    assert first[0].id == asset_id(taken(1, 1).sha256)


def test_private_pictures_of_others_are_neither_counted_nor_listed_nor_on_the_cover(
    catalog: Catalog, four: list[int]
) -> None:
    album, anna = make(catalog, "All"), Principal("anna")
    albums.add(catalog, album, four)
    say(catalog, catalog.members(four[0])[0], "private", "anna")
    access.grant(catalog, "anna", "viewer")
    assert albums.counts(catalog) == {album.number: 3}
    assert albums.counts(catalog, anna) == {album.number: 4}
    assert held(catalog, album) == four[1:]
    assert [m.asset for m in albums.pictures(catalog, album, limit=9, principal=anna)] == four
    assert (albums.cover(catalog, album) or (0,))[0] == four[1]
    assert (albums.cover(catalog, album, anna) or (0,))[0] == four[0]
    albums.set_cover(catalog, album, four[0])
    chosen = albums.find(catalog, "All")
    assert (albums.cover(catalog, chosen) or (0,))[0] == four[1]
    assert albums.pictures(catalog, album, limit=9, principal=Principal("nobody")) == []


def test_an_album_is_described(catalog: Catalog, four: list[int]) -> None:
    trips = make(catalog, "Trips")
    albums.add(catalog, trips, four)
    known = albums.described(catalog, trips, 4)
    assert known == {
        "id": format_id(trips.id),
        "name": "Trips",
        "path": ["Trips"],
        "description": None,
        "smart": False,
        "query": None,
        "count": 4,
        "cover": format_id(catalog.members(four[0])[0]),
    }
    smart, _ = albums.create(catalog, "Sea", parent=trips, query=Query(Tag("Sea")))
    known = albums.described(catalog, smart, None)
    assert (known["path"], known["smart"], known["query"]) == (["Trips", "Sea"], True, "tag:Sea")
    say(catalog, smart.id, "album.query", {"version": 99, "of": "the future"})
    newer = albums.find(catalog, "Sea")
    assert albums.query_of(newer) is None
    assert albums.described(catalog, newer, None)["query"] is None


def test_a_smart_album_keeps_its_query_and_takes_no_pictures(catalog: Catalog, four: list[int]) -> None:
    query = Query(Tag("Sea"))
    smart, _ = albums.create(catalog, "Sea", query=query)
    assert codec.from_json(smart.query) == query
    with pytest.raises(UsageError, match="what its query finds"):
        albums.add(catalog, smart, four)
    with pytest.raises(UsageError, match="what its query finds"):
        albums.remove(catalog, smart, four)
    with pytest.raises(UsageError, match="what its query finds"):
        albums.reorder(catalog, smart, four[0], before=four[1])
    assert albums.cover(catalog, smart) is None
    albums.set_query(catalog, smart, None)
    plain = albums.find(catalog, "Sea")
    assert plain.query is None
    albums.add(catalog, plain, four)
    albums.set_query(catalog, plain, Query(Tag("Beach")))
    assert codec.from_json(albums.find(catalog, "Sea").query) == Query(Tag("Beach"))


def test_only_pictures_of_the_album_are_ordered(catalog: Catalog, four: list[int]) -> None:
    album = make(catalog, "Two")
    albums.add(catalog, album, four[:2])
    for asset, beside in ((four[0], four[2]), (four[2], four[0])):
        with pytest.raises(NotFoundError, match="in Two"):
            albums.reorder(catalog, album, asset, before=beside)
    with pytest.raises(UsageError, match="another picture"):
        albums.reorder(catalog, album, four[0])
    with pytest.raises(UsageError, match="another picture"):
        albums.reorder(catalog, album, four[0], after=four[0])


def test_two_devices_that_put_pictures_at_the_same_place_agree_and_can_go_on(devices: Devices) -> None:
    one, other = devices.open("one", "one"), devices.open("two", "two")
    pictures = [taken(n, n) for n in range(5)]
    for catalog in (one, other):
        put(catalog, *(pictures if catalog is one else reversed(pictures)))
    ids = [asset_id(p.sha256) for p in pictures]
    album = make(one, "Shared")
    albums.add(one, album, [one.resolve(i) or 0 for i in ids])
    sync(one, other)
    theirs = albums.find(other, album.hex)
    for catalog, moved in ((one, 3), (other, 4)):
        here = album if catalog is one else theirs
        albums.reorder(catalog, here, catalog.resolve(ids[moved]) or 0, before=catalog.resolve(ids[1]))
    sync(one, other)
    agreed = [member.id for member in albums.pictures(one, album, limit=9)]
    assert agreed == [member.id for member in albums.pictures(other, theirs, limit=9)]
    assert agreed[0] == ids[0]
    assert set(agreed[1:3]) == {ids[3], ids[4]}
    between = agreed[1:3]
    albums.reorder(one, album, one.resolve(ids[2]) or 0, after=one.resolve(between[0]))
    sync(one, other)
    want = [ids[0], between[0], ids[2], between[1], ids[1]]
    for catalog, here in ((one, album), (other, theirs)):
        assert [member.id for member in albums.pictures(catalog, here, limit=9)] == want


def test_many_pictures_are_one_batch_in_several_transactions(catalog: Catalog) -> None:
    put(catalog, *(taken(n, n) for n in range(1_201)))
    album = make(catalog, "Many")
    commits = []
    catalog.db.set_commit_hook(lambda: commits.append(1) or False)  # type: ignore[func-returns-value]
    batch = albums.add(catalog, album, range(1, 1_202))
    catalog.db.set_commit_hook(None)
    assert len(commits) >= 3
    assert albums.counts(catalog) == {album.number: 1_201}
    assert fetch(catalog.db, "SELECT DISTINCT batch FROM edits WHERE field = 'album'") == [(batch,)]
    catalog.undo()
    assert albums.counts(catalog) == {}
