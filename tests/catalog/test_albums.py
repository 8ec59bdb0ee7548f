"""Albums follow from the log: nesting without circles, places in order, and nothing else is touched by them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imager.catalog import Catalog, Edit, Statement, read
from imager.catalog.albums import KEY, Placed, key_of, places
from imager.catalog.connection import fetch
from imager.catalog.contents import drop
from imager.catalog.effective import Said
from imager.catalog.identity import LOG, format_id
from tests.catalog.libraries import admit, albums, asset, clock, content, edit, put, say

A, B, C = (bytes(15) + bytes((n,)) for n in (1, 2, 3))


def _changes(catalog: Catalog) -> int:
    return int(catalog.db.execute("SELECT changes FROM library").get)


def _parents(catalog: Catalog) -> dict[bytes, bytes | None]:
    sql = "SELECT a.id, p.id FROM albums AS a LEFT JOIN albums AS p ON p.album = a.parent"
    return dict(fetch(catalog.db, sql))


def test_an_album_is_what_was_said_last_of_it(catalog: Catalog) -> None:
    admit(
        catalog,
        edit(A, "album.name", " Trips ", at=2),
        edit(A, "album.name", "Earlier", at=1),
        edit(A, "album.description", "Where we went", at=3),
        edit(A, "album.query", {"version": 1}, at=4),
        edit(A, "album.cover", "ab" * 16, at=5),
        edit(A, "album.position", "V", at=6),
        edit(A, "album.unheard_of", "x", at=7),
        edit(A, "album.name", "of an element", "x", at=8),
    )
    row = catalog.db.execute("SELECT name, description, query, cover, position, created, deleted FROM albums").get
    assert row == ("Trips", "Where we went", '{"version":1}', b"\xab" * 16, "V", 1, 0)


@pytest.mark.parametrize("value", [5, "", "  ", "\0", None, [], {}, True])
def test_an_album_without_a_text_for_a_name_has_none(catalog: Catalog, value: Any) -> None:
    admit(catalog, edit(A, "album.name", value, at=1), edit(A, "album.parent", value, at=2))
    assert albums(catalog) == {}


def test_hostile_values_hurt_nobody(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    strange: list[Any] = [10**30, 1e308, [], {}, {"x": []}, True, "\ud800", "\0", "x" * 9_000, "0" * 32, "z" * 5_000]
    fields = [f"album.{name}" for name in ("name", "parent", "position", "query", "description", "cover", "deleted")]
    edits = [
        edit(target, field, value, at=n * 100 + m, counter=k)
        for n, field in enumerate(fields, 1)
        for m, value in enumerate(strange)
        for k, target in enumerate((A, one))
    ]
    edits += [
        edit(one, "album", v, e, at=5_000 + n) for n, (v, e) in enumerate(itertools.product(strange, [A.hex(), "x"]))
    ]
    admit(catalog, *edits)
    assert asset(catalog, one)["state"] == "present"
    (position,) = {p for (p,) in catalog.db.execute("SELECT position FROM album_assets")}
    assert KEY.fullmatch(key_of(position))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_circles_are_cut_alike_in_any_order_and_by_any_portions(catalog: Catalog, data: st.DataObject) -> None:
    ids = [bytes(15) + bytes((n,)) for n in range(1, 6)]
    count = data.draw(st.integers(2, 14))
    edits: list[Edit] = []
    for n in range(count):
        if edits and data.draw(st.integers(0, 4)) == 0:
            said = data.draw(st.sampled_from(edits))
            edits.append(edit(LOG, "cancel", True, said.clock, at=10 + n))
        else:
            within = data.draw(st.sampled_from([i.hex() for i in ids] + [None]))
            edits.append(edit(data.draw(st.sampled_from(ids)), "album.parent", within, at=10 + n))
    results = []
    for arrival in (edits, data.draw(st.permutations(edits)), data.draw(st.permutations(edits))):
        size = data.draw(st.integers(1, len(edits)))
        with pytest.raises(ZeroDivisionError), catalog.transaction(durable=False) as db:
            for start in range(0, len(edits), size):
                catalog.admit_within(arrival[start : start + size])
            nesting = {i: (parent, cut) for i, parent, cut in _nesting(catalog)}
            results.append({e.target: nesting[e.target] for e in edits if e.target != LOG})
            for i in nesting:  # from each, up and up comes to an end
                at, steps = i, 0
                while (above := nesting[at][0]) is not None:
                    at, steps = above, steps + 1
                    assert steps <= len(nesting)
            assert catalog.db.execute("SELECT count(*) FROM albums WHERE cut AND parent IS NOT NULL").get == 0
            _ = 1 / int(db is None)
    assert results[0] == results[1] == results[2]


def _nesting(catalog: Catalog) -> list[tuple[bytes, bytes | None, int]]:
    sql = "SELECT a.id, p.id, a.cut FROM albums AS a LEFT JOIN albums AS p ON p.album = a.parent"
    return fetch(catalog.db, sql)


def test_the_circle_of_two_devices_is_cut_where_it_was_closed_and_mended_when_that_is_undone(catalog: Catalog) -> None:
    admit(catalog, edit(A, "album.parent", B.hex(), at=1), edit(B, "album.parent", A.hex(), at=2, device=2))
    assert _parents(catalog) == {A: B, B: None}
    late = edit(A, "album.parent", B.hex(), at=3)
    admit(catalog, late)
    assert _parents(catalog) == {A: None, B: A}, "said again, that is what was said last"
    admit(catalog, edit(A, "album.parent", C.hex(), at=4))
    assert _parents(catalog) == {A: C, B: A, C: None}
    admit(catalog, edit(C, "album.parent", C.hex(), at=5))
    assert _parents(catalog) == {A: C, B: A, C: None}


def test_a_place_by_time_lies_among_keys_that_people_gave(catalog: Catalog) -> None:
    def place(value: Any, at: int = 0, name: str = "", own: bytes = A) -> str:
        return places({("album", C.hex()): Said(value, clock(1))}, Placed(own, at, name))[C]

    times = [-(10**18), -(10**12), 0, 1, 1_600_000_000_000, 10**18]
    by_time = [place(1, at) for at in times]
    assert by_time == sorted(by_time)
    assert all(KEY.fullmatch(key_of(p)) for p in by_time)
    named = [place(1, 5, name) for name in ("a.jpg", "IMG_0002.JPG", "IMG_0010.JPG", "P3_99999999999.JPG")]
    assert named == sorted(named)
    assert place("V", own=A) < place("V", own=b"\xff" * 16) < place("V1", own=A)
    assert key_of(place("V")) == "V"
    for odd in ("", "0", "V0", "a b", "é", "x" * 5_000):
        assert place(odd, 5) == place(1, 5), "no key: by time"
    nowhere: list[Any] = [0, None, False, 2, -1, [], {}]
    for out in nowhere:
        assert places({("album", C.hex()): Said(out, clock(1))}, Placed(A, 0, "")) == {}


def test_joined_pictures_are_in_what_any_of_them_is_in_and_part_again(catalog: Catalog) -> None:
    one, other = sorted(put(catalog, content(1), content(2)))
    catalog.say([Statement(i, "album.name", n) for i, n in ((A, "a"), (B, "b"))])
    say(catalog, one, "album", 1, A.hex())
    say(catalog, other, "album", 1, B.hex())
    batch = say(catalog, one, "same_as", 1, other.hex())
    assert [known["pictures"] for known in albums(catalog).values()] == [[one], [one]]
    say(catalog, other, "album", 0, A.hex())
    assert [known["pictures"] for known in albums(catalog).values()] == [[], [one]], "the later wins"
    catalog.undo(batch)
    assert [known["pictures"] for known in albums(catalog).values()] == [[one], [other]]


def test_what_is_erased_or_forgotten_is_in_no_album(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    say(catalog, A, "album.name", "a")
    catalog.say([Statement(i, "album", 1, A.hex()) for i in (one, other)])
    say(catalog, one, "purged", True)
    assert albums(catalog)[A]["pictures"] == [other]
    with catalog.transaction(durable=False) as db:
        drop(db, catalog.resolve(other) or 0)
    assert catalog.db.execute("SELECT count(*) FROM album_assets").get == 0
    put(catalog, content(2))
    assert albums(catalog)[A]["pictures"] == [other], "what was said of it stayed in the log"


def test_albums_touch_no_documents_but_whoever_follows_changes_notices(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    say(catalog, A, "album.name", "a")
    before, row = _changes(catalog), asset(catalog, one)
    say(catalog, one, "album", 1, A.hex())
    assert asset(catalog, one) == row, "neither changed nor full text behind it"
    assert _changes(catalog) == before + 1
    assert catalog.db.execute("SELECT changed FROM albums").get == before + 1
    say(catalog, one, "album", 1, A.hex())
    assert _changes(catalog) == before + 1, "nothing new was said"
    say(catalog, A, "album.name", "b")
    assert catalog.db.execute("SELECT changed FROM albums").get == _changes(catalog) == before + 2


def test_a_picture_tells_which_albums_it_is_in_and_its_history_names_them(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    number = catalog.resolve(one) or 0
    say(catalog, A, "album.name", "Outer")
    catalog.say([Statement(B, "album.name", "Inner"), Statement(B, "album.parent", A.hex())])
    catalog.say([Statement(one, "album", 1, i.hex()) for i in (A, B, C)])
    inner, outer = {"id": format_id(B), "name": "Inner"}, {"id": format_id(A), "name": "Outer"}
    assert read.describe(catalog, number)["albums"] == [inner, outer]
    assert {h["element"] for h in read.history(catalog, number)} == {"Inner", "Outer", C.hex()}
    say(catalog, A, "album.deleted", True)
    assert read.describe(catalog, number)["albums"] == []
    catalog.undo()
    say(catalog, A, "album.query", {"version": 1})
    assert read.describe(catalog, number)["albums"] == [inner], "a smart album shows what its query finds"
