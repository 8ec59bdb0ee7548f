"""The log of edits: the same set of edits means the same, in whatever order and however often it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imager.catalog import Catalog, Edit
from imager.catalog.catalog import canonical
from imager.catalog.connection import fetch
from imager.catalog.edits import admit as log_only
from imager.catalog.edits import cancelled_by_log
from imager.catalog.identity import LOG, asset_id, tag_id
from imager.catalog.joins import components, edge
from tests.catalog.libraries import (
    Devices,
    admit,
    albums,
    asset,
    cancelled,
    clock,
    content,
    edit,
    log,
    put,
    put_within,
    tag,
    tags,
)
from tests.catalog.oracle import Expected

PICTURES = [
    content(1, title="From the file", keywords=("Beach", "Family|Anna"), rating=2),
    content(2, width=50, keywords=("beach",)),
    content(3, rating=1),
    content(4, width=60),
]
IDS = [asset_id(p.sha256) for p in PICTURES]
TAGS = ["Beach", "Cats", "Straße"]
ALBUMS = [bytes(15) + bytes((n,)) for n in (1, 2, 3)]


class _UndoError(Exception):
    """Rolls back what an example wrote, so that one catalog serves all of them."""


@st.composite
def logs(draw: st.DrawFn) -> list[Edit]:
    """Logs of all kinds of edit by three devices and two people, in the order of their names."""
    names = draw(
        st.lists(
            st.tuples(st.integers(1, 9), st.integers(0, 1), st.sampled_from([1, 2, 0xFFFFFFFFFFFF])),
            min_size=5,
            max_size=20,
            unique=True,
        )
    )
    clocks = [clock(*name) for name in names]
    edits = []
    for n, (_, _, device) in enumerate(names):
        target, field, element, value = draw(statements(clocks))
        own = [c for c in clocks if c.endswith(clocks[n][-12:]) and c <= clocks[n]]
        batch = draw(st.sampled_from(own))
        author = draw(st.sampled_from(["owner", "owner", "anna"]))
        edits.append(Edit(device, clocks[n], target, field, element, canonical(value), author, batch))
    return edits


def statements(clocks: list[str]) -> st.SearchStrategy[tuple[bytes, str, str, Any]]:
    """Target, field, element, value."""
    one, clocked = st.sampled_from([IDS[0]] * 4 + IDS), st.sampled_from(clocks)
    tagged = st.sampled_from([tag(t) for t in TAGS])
    album, texts = st.sampled_from(ALBUMS), st.sampled_from(["Trips", "A|B", "", None, 5])
    nested = st.sampled_from([i.hex() for i in ALBUMS])
    pairs = st.tuples(one, one).filter(lambda p: p[0] != p[1])
    return st.one_of(
        st.tuples(one, st.just("title"), st.just(""), st.sampled_from(["a", "b", "", None, 7])),
        st.tuples(one, st.just("rating"), st.sampled_from(["owner", "anna"]), st.sampled_from([0, 5, None, "x", 99])),
        st.tuples(one, st.sampled_from(["favourite", "trashed"]), st.just(""), st.sampled_from([True, False, None])),
        st.tuples(one, st.just("tag"), tagged, st.sampled_from([1, 0, None])),
        st.tuples(
            st.sampled_from([tag_id(t) for t in TAGS]),
            st.just("name"),
            st.just(""),
            st.sampled_from(["BEACH", "cats", "Strasse", None, "no such tag"]),
        ),
        pairs.flatmap(
            lambda p: st.tuples(
                st.just(edge(*p)[0]), st.just("same_as"), st.just(edge(*p)[1]), st.sampled_from([1, 1, 0, None])
            )
        ),
        pairs.map(lambda p: (p[0], "supersedes", f"{p[0].hex()}/{p[1].hex()}", 1)),
        st.tuples(one, st.just("title"), st.just(""), st.sampled_from(["c", "d", ""])),
        st.tuples(one, st.just("private"), st.just(""), st.sampled_from(["anna", "", None, 1])),
        st.tuples(one, st.just("album"), nested, st.sampled_from([1, 1, "V", "E3", "W0", "", 0, None, 2, []])),
        st.tuples(album, st.sampled_from(["album.name", "album.name", "album.description"]), st.just(""), texts),
        st.tuples(
            album, st.just("album.parent"), st.just(""), st.one_of(nested, nested, st.sampled_from([None, "x", 5]))
        ),
        st.tuples(album, st.just("album.parent"), st.just(""), nested),
        st.tuples(album, st.just("album.deleted"), st.just(""), st.sampled_from([True, False, None, 1])),
        st.tuples(album, st.just("album.position"), st.just(""), st.sampled_from(["V", "V0", "", None, 5])),
        st.tuples(st.sampled_from(ALBUMS), st.just("purged"), st.just(""), st.just(True)),
        st.tuples(one, st.just("purged"), st.just(""), st.sampled_from([True, True, None])),
        st.tuples(st.just(LOG), st.sampled_from(["cancel", "cancel_batch"]), clocked, st.just(True)),
        st.tuples(st.just(LOG), st.sampled_from(["cancel", "cancel_batch"]), clocked, st.just(True)),
        st.tuples(st.just(LOG), st.just("withdraw"), clocked, st.just(True)),
    )


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Edit], list[Any]]:
    """A log, and the steps in which it and the pictures arrive: edits in any order, some twice, in any portions."""
    edits = draw(logs())
    steps: list[Any] = [*edits, *draw(st.lists(st.sampled_from(edits), max_size=4)), *PICTURES]
    return edits, draw(st.permutations(steps))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(arrival=arrivals(), portion=st.integers(1, 6))
def test_any_order_and_repetition_of_edits_and_pictures_gives_what_the_design_says(
    catalog: Catalog, arrival: tuple[list[Edit], list[Any]], portion: int
) -> None:
    edits, steps = arrival
    expected = Expected(edits, PICTURES)
    for state in _arrived(catalog, steps, portion):
        assert {c: e.value for c, e in log(catalog).items()} == expected.values
        assert cancelled(catalog) == expected.cancelled == cancelled_by_log(catalog.db)
        assert sorted(components(catalog.db, IDS).values()) == sorted(
            c for c in expected.components if set(c) & set(IDS)
        )
        assert state == expected.assets
        said = dict(fetch(catalog.db, "SELECT id, name FROM tags WHERE said"))
        assert said == expected.tag_names
        assert albums(catalog) == expected.albums
        assert catalog.refresh(IDS) == [], "what was computed step by step is what is computed at once"


def _arrived(catalog: Catalog, steps: list[Any], portion: int) -> Iterator[dict[bytes, dict[str, Any]]]:
    with pytest.raises(_UndoError), catalog.transaction(durable=False):
        for start in range(0, len(steps), portion):
            part = steps[start : start + portion]
            catalog.admit_within([s for s in part if isinstance(s, Edit)])
            put_within(catalog, *(s for s in part if not isinstance(s, Edit)))
        yield _shown(catalog)
        raise _UndoError


def _shown(catalog: Catalog) -> dict[bytes, dict[str, Any]]:
    sql = """SELECT a.id, a.asset, a.title, a.rating, a.favourite, a.private, a.state, c.sha256
    FROM assets AS a JOIN contents AS c USING (content)"""
    of = "SELECT t.id, x.source FROM asset_tags AS x JOIN tags AS t USING (tag) WHERE x.asset = ?"
    return {
        i: {
            "shown": asset_id(sha256),
            "members": catalog.members(number),
            "title": title,
            "rating": rating,
            "favourite": bool(favourite),
            "private": private,
            "state": state,
            "tags": dict(fetch(catalog.db, of, (number,))),
        }
        for i, number, title, rating, favourite, private, state, sha256 in fetch(catalog.db, sql)
    }


def test_the_latest_edit_that_stands_is_the_value(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, title="fact"))
    admit(catalog, edit(one, "title", "second", at=2), edit(one, "title", "first", at=1))
    assert asset(catalog, one)["title"] == "second"
    admit(catalog, edit(one, "title", "", at=3))
    assert asset(catalog, one)["title"] is None, "said to be empty, it is hidden"
    admit(catalog, edit(one, "title", None, at=4))
    assert asset(catalog, one)["title"] == "fact", "as found"


def test_undoing_an_undo_brings_back_what_was_undone(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    said = edit(one, "title", "said", at=1)
    undone = edit(LOG, "cancel", True, said.clock, at=2)
    redone = edit(LOG, "cancel", True, undone.clock, at=3)
    again = edit(LOG, "cancel_batch", True, redone.batch, at=4)
    for step, title in ((said, "said"), (undone, None), (redone, "said"), (again, None)):
        admit(catalog, step)
        assert asset(catalog, one)["title"] == title


def test_an_undo_leaves_the_later_edit_of_somebody_else(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    mine = edit(one, "title", "mine", at=1)
    admit(catalog, mine, edit(one, "title", "hers", at=2, device=2, author="anna"))
    admit(catalog, edit(LOG, "cancel_batch", True, mine.batch, at=3))
    assert asset(catalog, one)["title"] == "hers"


def test_a_cancel_only_names_what_was_said_before_it(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    said = edit(one, "title", "said", at=5)
    admit(catalog, edit(LOG, "cancel", True, said.clock, at=4), said)
    assert asset(catalog, one)["title"] == "said"


def test_two_cancels_that_name_each_other_have_one_answer(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    early, late = clock(2), clock(3)
    said = edit(one, "title", "said", at=1)
    circle = [edit(LOG, "cancel", True, late, at=2, batch=early), edit(LOG, "cancel", True, early, at=3)]
    admit(catalog, said, edit(LOG, "cancel", True, said.clock, at=2, counter=1), *circle)
    assert cancelled(catalog) == {early, said.clock}


def test_a_withdrawal_counts_only_from_the_author_and_stands_for_good(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    said = edit(one, "title", "said", at=9)
    admit(catalog, said, edit(LOG, "withdraw", True, said.clock, at=1, author="anna", device=2))
    assert asset(catalog, one)["title"] == "said"
    own = edit(LOG, "withdraw", True, said.clock, at=2)
    admit(catalog, own, edit(LOG, "cancel", True, own.clock, at=3), edit(LOG, "withdraw", True, own.clock, at=4))
    assert asset(catalog, one)["title"] is None


def test_the_rating_shown_is_the_latest_vote_by_anybody(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, rating=1))
    admit(catalog, edit(one, "rating", 4, "anna", at=2, device=2, author="anna"))
    admit(catalog, edit(one, "rating", 3, "owner", at=1))
    assert asset(catalog, one)["rating"] == 4
    admit(catalog, edit(one, "rating", None, "anna", at=3, device=2, author="anna"))
    assert asset(catalog, one)["rating"] == 3, "hers is taken back, his stands"
    admit(catalog, edit(one, "rating", None, "owner", at=4))
    assert asset(catalog, one)["rating"] == 1


def test_edits_merge_into_what_was_erased_but_never_revive_it(catalog: Catalog) -> None:
    one, _ = put(catalog, content(1), content(2))
    admit(catalog, edit(one, "purged", True, at=5))
    assert catalog.resolve(one) is None
    admit(catalog, edit(one, "title", "early", at=4, device=2), edit(one, "title", "late", at=6))
    assert catalog.resolve(one) is None
    assert log(catalog)[clock(4, device=2)].value is None
    assert log(catalog)[clock(6)].value == '"late"'


def test_no_cancel_brings_back_what_was_erased(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    tombstone = edit(one, "purged", True, at=5)
    admit(catalog, tombstone, edit(LOG, "cancel_batch", True, tombstone.batch, at=6))
    assert catalog.resolve(one) is None


def test_erasing_one_picture_spares_what_it_was_joined_with(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    target, element = edge(one, other)
    admit(catalog, edit(target, "same_as", 1, element, at=1), edit(one, "purged", True, at=2))
    assert asset(catalog, other)["content"] == 2
    assert catalog.members(catalog.resolve(other) or 0) == [other]


def test_a_person_separates_for_good_what_rules_join(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    target, element = edge(one, other)
    admit(catalog, edit(target, "same_as", 0, element, at=1000))
    admit(catalog, edit(target, "same_as", 1, element, at=0, counter=7, device=9, author="imager"))
    assert catalog.resolve(one) != catalog.resolve(other)


def test_joined_pictures_read_as_one_and_all_ids_resolve(catalog: Catalog) -> None:
    ids = sorted(put(catalog, *(content(n, keywords=(f"k{n}",)) for n in range(4))))
    say_before = edit(ids[3], "title", "of the fourth", at=1)
    joins = [
        edit(*_join(a, b), at=2 + n) for n, (a, b) in enumerate([(ids[0], ids[3]), (ids[3], ids[1]), (ids[1], ids[2])])
    ]
    admit(catalog, say_before, *joins)
    assert len({catalog.resolve(i) for i in ids}) == 1
    assert asset(catalog, ids[2])["id"] == ids[0]
    assert asset(catalog, ids[0])["title"] == "of the fourth"
    assert set(tags(catalog, ids[0])) == {"k0", "k1", "k2", "k3"}
    admit(catalog, edit(LOG, "cancel", True, joins[1].clock, at=9))
    assert catalog.resolve(ids[0]) == catalog.resolve(ids[3]) != catalog.resolve(ids[1]) == catalog.resolve(ids[2])


def _join(one: bytes, other: bytes) -> Any:
    target, element = edge(one, other)
    return target, "same_as", 1, element


def test_an_id_whose_picture_is_not_here_joins_those_that_are(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    absent = bytes(15) + b"\1"
    admit(catalog, edit(*_join(absent, one), at=1), edit(*_join(absent, other), at=2))
    assert catalog.resolve(one) == catalog.resolve(other) == catalog.resolve(absent)
    assert catalog.joined(catalog.resolve(one) or 0) == sorted([absent, one, other])


def test_an_id_that_passes_from_one_asset_to_another_is_never_there_twice(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    lowest, second = bytes(15) + b"\1", bytes(15) + b"\2"
    admit(catalog, edit(*_join(lowest, one), at=1), edit(*_join(second, other), at=2))
    numbers = [asset(catalog, i)["asset"] for i in (one, other)]
    change = [
        edit(lowest, "same_as", 0, one.hex(), at=3),
        edit(second, "same_as", 0, other.hex(), at=4),
        edit(*_join(lowest, other), at=5),
        edit(*_join(second, one), at=6),
    ]
    admit(catalog, *change)
    assert asset(catalog, other)["id"] == lowest
    assert asset(catalog, one)["id"] == second
    assert [asset(catalog, i)["content"] for i in (one, other)] == [1, 2]
    assert [asset(catalog, i)["asset"] for i in (one, other)] == numbers, "each keeps its number"


@pytest.mark.parametrize("turn", [1, -1])
def test_of_separated_pictures_the_one_that_keeps_the_id_keeps_the_number(catalog: Catalog, turn: int) -> None:
    ids = sorted(put(catalog, content(1), content(2)))
    target, element = edge(*ids)
    admit(catalog, edit(target, "same_as", 1, element, at=1))
    number = catalog.resolve(ids[0])
    with catalog.transaction(durable=False) as db:
        log_only(db, [edit(target, "same_as", 0, element, at=2)])
        catalog.refresh(ids[::turn])
    assert catalog.resolve(ids[0]) == number != catalog.resolve(ids[1])


def test_an_element_in_another_spelling_joins_nothing(catalog: Catalog) -> None:
    one, other = sorted(put(catalog, content(1), content(2)))
    for n, element in enumerate([other.hex().upper(), other.hex() + " ", f"{other.hex()[:16]} {other.hex()[16:]}"]):
        admit(catalog, edit(one, "same_as", 1, element, at=n))
    assert catalog.resolve(one) != catalog.resolve(other)


def test_edits_said_before_their_picture_arrives_take_effect_when_it_does(catalog: Catalog) -> None:
    picture = content(1)
    one = asset_id(picture.sha256)
    admit(catalog, edit(one, "title", "waiting", at=1), edit(one, "tag", 1, tag("Beach"), at=2))
    assert catalog.resolve(one) is None
    put(catalog, picture)
    assert asset(catalog, one)["title"] == "waiting"
    assert tags(catalog, one) == {tag("Beach"): "edit"}, "nobody has said yet how that tag is spelt"
    admit(catalog, edit(tag_id("Beach"), "name", "Beach", at=3))
    assert tags(catalog, one) == {"Beach": "edit"}


def test_a_name_that_is_not_the_tags_own_is_ignored(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, keywords=("Dogs",)))
    admit(catalog, edit(tag_id("Dogs"), "name", "Cats", at=1), edit(one, "name", "Dogs", at=2))
    assert tags(catalog, one) == {"Dogs": "file"}


def test_a_file_spells_a_tag_that_only_its_id_was_known_of(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    admit(catalog, edit(one, "tag", 1, tag("zebra"), at=1))
    put(catalog, content(2, keywords=("  zebra ",)))
    assert tags(catalog, one) == {"zebra": "edit"}
    catalog.index()
    assert catalog.db.execute("SELECT count(*) FROM words WHERE words MATCH 'zebra'").get == 2


def test_files_that_spell_a_tag_differently_agree_in_any_order(devices: Devices) -> None:
    names = []
    for n, order in enumerate([("cats", "CATS"), ("CATS", "cats")]):
        catalog = devices.open(f"library{n}")
        for m, name in enumerate(order):
            put(catalog, content(m, keywords=(name,)))
        names.append(catalog.db.execute("SELECT name FROM tags").get)
    assert names == ["CATS", "CATS"]


def test_a_long_chain_of_undoing_is_settled_without_trying_everything(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    said = edit(one, "title", "said", at=1)
    chain = [said]
    for n in range(400):
        chain.append(edit(LOG, "cancel", True, chain[-1].clock, at=2 + n))
    counted = _Steps(catalog)
    admit(catalog, *chain)
    assert asset(catalog, one)["title"] == "said"
    admit(catalog, edit(LOG, "cancel", True, chain[-1].clock, at=999))
    assert asset(catalog, one)["title"] is None
    assert counted.statements < 40 * len(chain), "the work grows with the chain, not with its square"


def test_a_thousand_cancels_of_one_edit_are_settled_at_once(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    said = edit(one, "title", "said", at=1)
    counted = _Steps(catalog)
    admit(catalog, said, *(edit(LOG, "cancel", True, said.clock, at=2 + n) for n in range(1000)))
    assert asset(catalog, one)["title"] is None
    assert counted.statements < 20 * 1000


class _Steps:
    """Counts the statements that a catalog runs."""

    def __init__(self, catalog: Catalog) -> None:
        self.statements = 0
        catalog.db.set_exec_trace(self._count)

    def _count(self, *_: Any) -> bool:
        self.statements += 1
        return True
