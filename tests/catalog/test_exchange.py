"""Two libraries that exchanged their logs agree, and clocks that are wrong are mended."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imager.catalog import RULES, Catalog, Edit, Statement
from imager.catalog.clock import MAX_AHEAD, parse
from imager.catalog.exchange import give, mend_clock, take, well_formed
from imager.catalog.identity import LOG, asset_id, tag_id
from imager.catalog.joins import edge
from tests.catalog.libraries import (
    NOW,
    Devices,
    Wall,
    asset,
    clock,
    content,
    edit,
    log,
    put,
    say,
    seen,
    sync,
    tag,
)

PICTURES = [content(n, title=f"t{n}", keywords=(f"k{n}", "all")) for n in range(4)]
IDS = [asset_id(p.sha256) for p in PICTURES]
ALBUMS = [bytes(15) + bytes((n,)) for n in (1, 2, 3)]


def _acted(catalog: Catalog, wall: Wall, draw: random.Random) -> None:
    """Something that a person does."""
    wall.now += draw.choice([0, 0, 1, 50, -30])
    one, other = draw.sample(IDS, 2)
    action = draw.randrange(9)
    if action == 0:
        say(catalog, one, "title", draw.choice(["a", "b", "", None]))
    elif action == 1:
        say(catalog, one, "rating", draw.randrange(6), draw.choice(["owner", "anna"]))
    elif action == 2:
        name = draw.choice(["All", "New"])
        catalog.say([Statement(tag_id(name), "name", name), Statement(one, "tag", draw.choice([0, 1, 1]), tag(name))])
    elif action == 3:
        target, element = edge(one, other)
        joins = Statement(target, "same_as", draw.choice([1, 1, 0]), element)
        catalog.say([joins], author=draw.choice([RULES, "owner"]))
    elif action == 4:
        say(catalog, one, "purged", True)
    elif action == 7:
        album, within = draw.sample(ALBUMS, 2)
        named = Statement(album, "album.name", draw.choice("xyz"))
        catalog.say([named, Statement(album, "album.parent", draw.choice([within.hex(), within.hex(), None]))])
    elif action == 8:
        say(catalog, one, "album", draw.choice([1, 1, 0, "V", "k2"]), draw.choice(ALBUMS).hex())
    else:
        names = sorted(log(catalog))
        catalog.undo(draw.choice(names) if names and action == 5 else None)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000))
def test_libraries_that_exchanged_their_logs_agree_on_every_id_and_value(
    devices: Devices, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    draw = random.Random(seed)
    walls = [Wall(NOW), Wall(NOW + 40), Wall(NOW - 3000)]
    folder = tmp_path_factory.mktemp("pair").name
    both = [devices.open(f"{folder}-{n}", f"{folder}-{n}", now=wall) for n, wall in enumerate(walls)]
    try:
        for n, catalog in enumerate(both):
            put(catalog, *(PICTURES if n else PICTURES[:2]))
        for _ in range(16):
            n = draw.randrange(3)
            _acted(both[n], walls[n], draw)
            if draw.random() < 0.4:
                giver, taker = draw.sample(both, 2)
                _part_taken(giver, taker, draw)
        put(both[0], *PICTURES[2:])
        for one, other in ((0, 1), (1, 2), (0, 2), (1, 2)):
            sync(both[one], both[other])
        first, *others = ((log(c), seen(c), c.last_clocks()) for c in both)
        assert all(other == first for other in others)
    finally:
        for catalog in both:
            catalog.close()


def _part_taken(giver: Catalog, taker: Catalog, draw: random.Random) -> None:
    """A peer takes the beginning of what it lacks of each device, in portions mixed with each other, some twice."""
    streams: dict[int, list[Edit]] = {}
    for said in give(giver, taker.last_clocks()):
        streams.setdefault(said.device, []).append(said)
    waiting = [stream[: draw.randint(0, len(stream))] for stream in streams.values()]
    while any(waiting):
        stream = draw.choice([w for w in waiting if w])
        size = draw.randint(1, 3)
        portion = stream[:size]
        take(taker, portion)
        if draw.random() < 0.3:
            assert take(taker, portion) == 0, "a second time is none"
        del stream[:size]


@pytest.fixture
def pair(devices: Devices) -> tuple[Catalog, Catalog]:
    return devices.open("one", "one"), devices.open("two", "two")


def test_the_future_is_held_back_until_its_time_comes(pair: tuple[Catalog, Catalog]) -> None:
    ahead, right = pair
    (one,) = put(ahead, content(1))
    put(right, content(1))
    _wall(ahead).now += MAX_AHEAD
    say(ahead, one, "title", "just in time")
    _wall(ahead).now += 1
    say(ahead, one, "title", "from the future")
    assert take(right, give(ahead, {})) == 1
    assert asset(right, one)["title"] == "just in time"
    _wall(right).now += 1
    assert take(right, give(ahead, right.last_clocks())) == 1
    assert asset(right, one)["title"] == "from the future"


def test_a_clock_from_the_future_does_not_drag_others_along(pair: tuple[Catalog, Catalog]) -> None:
    one, _ = pair
    far = edit(IDS[0], "title", "far", at=NOW + 100 * MAX_AHEAD, device=7)
    with one.transaction(durable=True):
        one.admit_within([far])
    assert parse(say(one, IDS[0], "title", "now")).milliseconds <= NOW + MAX_AHEAD


def test_a_device_says_again_what_it_said_in_the_future(devices: Devices, pair: tuple[Catalog, Catalog]) -> None:
    wrong, peer = pair
    one, other = put(wrong, content(1, title="fact"), content(2))
    put(peer, content(1, title="fact"), content(2))
    say(wrong, one, "title", "before")
    _wall(wrong).now = _wall(peer).now = NOW + 1_000 * MAX_AHEAD
    say(wrong, one, "title", "ahead")
    wrong.undo()
    kept = say(wrong, one, "caption", "kept")
    wrong.undo(kept)
    wrong.undo(list(log(wrong))[-1])
    say(wrong, other, "title", "of the other")
    sync(wrong, peer)  # the peer's clock was wrong too, and took all of it
    _wall(wrong).now = _wall(peer).now = NOW + 5_000
    devices.be("one")
    before = seen(wrong)
    old = wrong.device
    assert mend_clock(wrong) == 6
    assert mend_clock(wrong) == 0, "a second time there is nothing to do"
    assert seen(wrong) == before, "what people see stays as it was"
    assert wrong.device.files == old.files
    assert {wrong.device.people, wrong.device.rules}.isdisjoint({old.people, old.rules})
    assert parse(say(wrong, one, "creator", "later")).milliseconds < NOW + MAX_AHEAD
    sync(wrong, peer)
    assert seen(peer) == seen(wrong)
    third = devices.open("three", "three", now=Wall(NOW + 6_000))
    put(third, content(1, title="fact"), content(2))
    sync(wrong, third)
    assert seen(third) == seen(wrong), "who never took the future sees the same"


def test_what_another_process_said_under_the_old_number_is_mended_too(devices: Devices, wall: Wall) -> None:
    one, other = devices.open(now=wall), devices.open(now=wall)
    (picture,) = put(one, content(1))
    wall.now = NOW + 1_000 * MAX_AHEAD
    say(one, picture, "title", "ahead")
    wall.now = NOW
    assert mend_clock(one) == 1
    say(other, picture, "title", "still under the old number")
    assert mend_clock(one) == 1
    assert asset(one, picture)["title"] == "still under the old number"
    again = devices.open(now=wall)
    assert mend_clock(again) == 0
    assert again.device == one.device


def test_what_was_erased_in_the_future_is_not_said_again(devices: Devices, wall: Wall) -> None:
    one = devices.open(now=wall)
    (picture,) = put(one, content(1))
    wall.now = NOW + 1_000 * MAX_AHEAD
    say(one, picture, "title", "secret")
    say(one, picture, "purged", True)
    wall.now = NOW
    mend_clock(one)
    assert one.resolve(picture) is None
    assert not [e for e in log(one).values() if e.field == "title" and e.value is not None]


def test_rules_speak_before_all_people_even_at_the_epoch(devices: Devices) -> None:
    catalog = devices.open(now=Wall(0))
    one, other = put(catalog, content(1), content(2))
    target, element = edge(one, other)
    catalog.say([Statement(target, "same_as", 0, element)])
    for _ in range(3):
        catalog.say([Statement(target, "same_as", 1, element)], author=RULES)
    assert catalog.resolve(one) != catalog.resolve(other)
    catalog.undo()
    assert catalog.resolve(one) == catalog.resolve(other)


def test_the_name_of_an_edit_is_never_given_twice(devices: Devices, wall: Wall) -> None:
    one, other = devices.open(now=wall), devices.open(now=wall)
    names = []
    for step in (0, 0, -5, 0, -NOW, 7):
        wall.now += step
        for catalog in (one, other):
            names.append(say(catalog, IDS[0], "title", "x"))
            names.append(catalog.say([Statement(IDS[0], "favourite", True)], author=RULES))
    assert len(set(names)) == len(names) == len(log(one))


GOOD = edit(IDS[0], "title", "x", at=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"device": 2},
        {"device": True},
        {"device": "1"},
        {"clock": GOOD.clock.upper() + " "},
        {"clock": None},
        {"batch": "yesterday"},
        {"target": b"short"},
        {"target": "sixteen letters!"},
        {"field": ""},
        {"author": ""},
        {"author": "\ud800"},
        {"element": None},
        {"element": 7},
        {"value": "{"},
        {"value": "NaN"},
        {"value": ' "x"'},
        {"value": '{"b":1,"a":2}'},
        {"value": "[" * 100_000},
        {"value": "9" * 10_000},
        {"value": 7},
    ],
)
def test_an_edit_of_another_form_is_passed_over(catalog: Catalog, change: dict[str, Any]) -> None:
    assert well_formed(GOOD)
    bad = GOOD._replace(**change)
    assert not well_formed(bad)
    later = edit(IDS[0], "title", "y", at=NOW + 1)
    assert take(catalog, [bad, later]) == 1


def test_hostile_values_hurt_nobody(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, title="fact", rating=3))
    strange: list[Any] = [10**30, -(10**30), 1e308, [], {}, True, "\ud800", "\0", "x" * 100_000, [[[]]], "9999-99-99"]
    fields = ["title", "caption", "rating", "favourite", "trashed", "taken_at", "position", "tag", "purged", "name"]
    edits = [
        edit(one, field, value, element, at=n * 100 + m, counter=k)
        for n, field in enumerate(fields)
        for m, value in enumerate(strange)
        for k, element in enumerate(["", one.hex(), "\0", "é" * 1000])
    ]
    edits += [edit(LOG, field, value, at=9_000 + n) for n, field in enumerate(fields) for value in strange[:1]]
    assert take(catalog, edits) == len(edits)
    catalog.index()
    assert catalog.resolve(one) is None or asset(catalog, one)["rating"] == 3


def test_everything_is_given_in_the_order_of_clocks_and_only_what_is_lacking(pair: tuple[Catalog, Catalog]) -> None:
    one, other = pair
    for n in range(5):
        say(one, IDS[0], "title", str(n))
    given_ = list(give(one, {}))
    assert [e.clock for e in given_] == sorted(e.clock for e in given_)
    take(other, given_[:2])
    assert list(give(one, other.last_clocks())) == given_[2:]
    assert clock(parse(given_[0].clock).milliseconds, 0, one.device.people) == given_[0].clock


def _wall(catalog: Catalog) -> Wall:
    assert isinstance(catalog.now, Wall)
    return catalog.now
