"""Every condition finds what its meaning, written out plainly, says: by the index, for any library."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imager.query import model as q
from imager.search import evaluate, phrases, stored
from imager.search.evaluate import matching
from imager.search.tokens import tokens
from tests.search.conditions import conditions
from tests.search.libraries import Made

_quick = settings(max_examples=200, deadline=None, derandomize=True)


def found(made: Made, condition: q.Condition, visible: set[int] | None = None) -> set[int]:
    mask = None
    if visible is not None:
        mask = np.zeros(made.index.size, bool)
        mask[list(visible)] = True
    return {int(n) for n in np.flatnonzero(matching(condition, made.index, made.catalog, visible=mask))}


@_quick
@given(condition=conditions)
@example(condition=q.All((q.Not(q.Text("ab de", "phrase")), q.Text("ab"))))
@example(condition=q.Not(q.AnyOf((q.File("*"), q.State("trashed")))))
def test_a_condition_finds_what_it_means(made: Made, condition: q.Condition) -> None:
    assert found(made, condition) == made.oracle.matching(condition)


@_quick
@given(condition=conditions, seed=st.integers(0, 100))
def test_nothing_is_found_that_may_not_be_seen(made: Made, condition: q.Condition, seed: int) -> None:
    visible = {asset for asset in made.oracle.pictures if random.Random(seed * 1_000 + asset).random() < 0.5}
    assert found(made, condition, visible) == made.oracle.matching(condition, visible)


@_quick
@given(condition=conditions)
def test_words_side_by_side_are_the_same_by_full_text_as_by_reading(made: Made, condition: q.Condition) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phrases, "READ", 0)
        patch.setattr(evaluate, "MANY", 0)
        patch.setattr(stored, "_FILES", 0)
        assert found(made, condition) == made.oracle.matching(condition)


def test_albums_that_name_each_other_come_to_an_end(made: Made) -> None:
    for name in ("One", "Two", "Summer"):
        assert found(made, q.Album(name)) == made.oracle.matching(q.Album(name))
    assert found(made, q.Album("One"))


def test_an_album_that_is_deleted_or_broken_holds_nothing(made: Made) -> None:
    for name in ("Gone", "Below", "Broken"):
        assert found(made, q.Album(name)) == set()


def test_pictures_that_are_not_present_are_found_by_their_state_alone(made: Made) -> None:
    states = {asset: p.row["state"] for asset, p in made.oracle.pictures.items()}
    assert {states[a] for a in found(made, q.All())} == {"present"}
    assert {states[a] for a in found(made, q.Not(q.State("trashed")))} == {"present"}
    assert {states[a] for a in found(made, q.State("missing"))} == {"missing"}
    assert {states[a] for a in found(made, q.AnyOf((q.State("missing"), q.All())))} == {"present", "missing", "trashed"}


@given(name=st.text(st.characters(max_codepoint=127), max_size=20))
def test_names_in_ascii_are_compared_by_the_same_words_as_others(name: str) -> None:
    assert phrases.whole(name) == (" ".join(tokens(name)) or name.casefold().strip())
