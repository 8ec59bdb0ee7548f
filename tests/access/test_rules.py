"""Who sees what: SQL and mask say the same, which is what the rules say; nobody else sees anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from imager import access
from imager.access import Action, Principal
from imager.catalog import OWNER, RULES, Catalog, Statement
from imager.errors import NotFoundError, UsageError
from tests.access.scenes import MEMBERS, PICTURES, Scene, scenes
from tests.catalog.libraries import Devices, content, put, say


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    made = Devices(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def catalog(devices: Devices) -> Catalog:
    made = devices.open()
    put(made, *(content(n) for n in range(PICTURES)))
    return made


def _set_up(db: apsw.Connection, scene: Scene) -> None:
    for table in ("grants", "album_assets", "albums"):
        db.execute(f"DELETE FROM {table}")
    for album, (parent, named, deleted, smart) in scene.albums.items():
        db.execute(
            "INSERT INTO albums (album, id, name, parent, deleted, query) VALUES (?, ?, ?, ?, ?, ?)",
            (album, album.to_bytes(16), "x" if named else None, parent, int(deleted), "{}" if smart else None),
        )
    for album, asset in scene.members:
        db.execute("INSERT INTO album_assets VALUES (?, 'V', ?)", (album, asset))
    db.execute("UPDATE assets SET private = NULL")
    for asset, member in scene.private.items():
        db.execute("UPDATE assets SET private = ? WHERE asset = ?", (member, asset))
    for (member, album), role in scene.grants.items():
        db.execute("INSERT INTO grants VALUES (?, ?, ?)", (member, album, role))


def _by_sql(catalog: Catalog, member: str) -> set[int]:
    condition, bindings = access.visible_sql(Principal(member))
    return {n for (n,) in catalog.db.execute(f"SELECT a.asset FROM assets AS a WHERE {condition}", bindings)}


def _by_mask(catalog: Catalog, member: str, private: dict[int, str]) -> set[int]:
    codes = np.zeros(PICTURES + 1, np.uint16)
    for asset, whose in private.items():
        codes[asset] = 1 + MEMBERS.index(whose)
    own = 1 + MEMBERS.index(member) if member in private.values() else None
    mask = access.visible_mask(Principal(member), catalog, len(codes), codes, own)
    everything = set(range(1, PICTURES + 1))
    return everything if mask is None else everything & set(np.flatnonzero(mask).tolist())


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(scene=scenes())
def test_sql_and_mask_say_what_the_rules_say(catalog: Catalog, scene: Scene) -> None:
    _set_up(catalog.db, scene)
    for member in MEMBERS:
        expected = {asset for asset in range(1, PICTURES + 1) if scene.sees(member, asset)}
        assert _by_sql(catalog, member) == expected
        assert _by_mask(catalog, member, scene.private) == expected
        principal = Principal(member)
        assert {n for n in range(PICTURES + 3) if access.may(principal, "view", catalog, asset=n)} == expected
        for needed, action in enumerate(("view", "edit", "manage"), 1):
            _check(catalog, scene, member, action, needed)  # type: ignore[arg-type]


def _check(catalog: Catalog, scene: Scene, member: str, action: Action, needed: int) -> None:
    """What may be done with albums, the library and pictures, by the rank that it takes."""
    principal = Principal(member)
    for album in (None, *scene.albums):
        assert access.may(principal, action, catalog, album=album) == (scene.rank(member, album) >= needed)
    every = {album for album in scene.albums if scene.open(album)}
    shown = access.visible_albums(principal, catalog)
    assert (every if shown is None else shown) == {album for album in every if scene.rank(member, album)}
    for asset in range(1, PICTURES + 1):
        through = [None] if action == "manage" else [None, *scene.holding(asset)]
        allowed = scene.sees(member, asset) and any(scene.rank(member, album) >= needed for album in through)
        assert access.may(principal, action, catalog, asset=asset) == allowed


def test_whoever_is_unknown_sees_nothing_and_may_do_nothing(catalog: Catalog) -> None:
    say(catalog, bytes(15) + b"\1", "album.name", "Open")
    stranger = Principal("nobody")
    actions: tuple[Action, ...] = ("view", "edit", "manage")
    assert _by_sql(catalog, "nobody") == set()
    for action in actions:
        assert not access.may(stranger, action, catalog)
        assert not access.may(stranger, action, catalog, asset=1)
        assert not access.may(stranger, action, catalog, album=1)
        assert not access.may(stranger, action, catalog, album=99)
    mask = access.visible_mask(stranger, catalog, PICTURES + 1, np.zeros(PICTURES + 1, np.uint16), None)
    assert mask is not None
    assert not mask.any()


def test_the_owner_of_a_new_library_sees_all_of_it_without_a_mask(catalog: Catalog) -> None:
    assert _by_sql(catalog, OWNER) == set(range(1, PICTURES + 1))
    assert access.visible_mask(Principal(), catalog, PICTURES + 1, np.zeros(PICTURES + 1, np.uint16), None) is None
    assert access.role_on(Principal(), catalog) == "owner"
    assert access.granted(catalog) == [(OWNER, 0, "owner")]


def test_a_picture_said_to_be_private_is_hidden_from_the_owner_too(catalog: Catalog) -> None:
    one = catalog.members(2)[0]
    batch = catalog.say([Statement(one, "private", "anna")], author="anna")
    access.grant(catalog, "anna", "viewer")
    assert _by_sql(catalog, OWNER) == {1, 3, 4, 5, 6}
    assert _by_sql(catalog, "anna") == {1, 2, 3, 4, 5, 6}
    catalog.undo(batch)
    assert _by_sql(catalog, OWNER) == {1, 2, 3, 4, 5, 6}


def test_an_album_opens_what_is_nested_in_it_until_it_is_deleted_or_the_role_is_taken(catalog: Catalog) -> None:
    outer, inner, picture = bytes(15) + b"\1", bytes(15) + b"\2", catalog.members(3)[0]
    say(catalog, outer, "album.name", "Outer")
    catalog.say([Statement(inner, "album.name", "Inner"), Statement(inner, "album.parent", outer.hex())])
    say(catalog, picture, "album", 1, inner.hex())
    number = catalog.db.execute("SELECT album FROM albums WHERE id = ?", (outer,)).get
    before = catalog.db.execute("SELECT changes FROM library").get
    access.grant(catalog, "anna", "editor", album=number)
    assert catalog.db.execute("SELECT changes FROM library").get > before, "who keeps masks has to notice"
    assert _by_sql(catalog, "anna") == {3}
    assert access.may(Principal("anna"), "edit", catalog, asset=3)
    assert not access.may(Principal("anna"), "manage", catalog, asset=3)
    say(catalog, outer, "album.deleted", True)
    assert _by_sql(catalog, "anna") == set()
    catalog.undo()
    assert _by_sql(catalog, "anna") == {3}
    access.revoke(catalog, "anna", album=number)
    assert _by_sql(catalog, "anna") == set()
    access.revoke(catalog, "anna", album=number)


def test_a_library_keeps_an_owner_and_roles_are_known_ones(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="only owner"):
        access.revoke(catalog, OWNER)
    with pytest.raises(UsageError, match="only owner"):
        access.grant(catalog, OWNER, "viewer")
    with pytest.raises(UsageError, match="no role 'king'"):
        access.grant(catalog, "anna", "king")  # type: ignore[arg-type]
    for nobody in ("", RULES):
        with pytest.raises(UsageError, match="needs a member"):
            access.grant(catalog, nobody, "viewer")
    with pytest.raises(NotFoundError):
        access.grant(catalog, "anna", "viewer", album=7)
    access.grant(catalog, "anna", "owner")
    access.grant(catalog, OWNER, "viewer")
    assert access.granted(catalog) == [("anna", 0, "owner"), (OWNER, 0, "viewer")]


def test_whether_one_picture_is_seen_is_found_without_reading_others(catalog: Catalog) -> None:
    condition, bindings = access.visible_sql(Principal("anna"))
    sql = f"EXPLAIN QUERY PLAN SELECT 1 FROM assets AS a WHERE a.asset = 1 AND {condition}"
    steps = [row[3] for row in catalog.db.execute(sql, bindings)]
    assert "SEARCH a USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert any(step.startswith("SEARCH x USING") for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") and step not in ("SCAN CONSTANT ROW", "SCAN reached")]


def test_a_mask_reaches_as_far_as_it_is_asked_for(catalog: Catalog) -> None:
    say(catalog, bytes(15) + b"\1", "album.name", "All")
    for n in range(1, PICTURES + 1):
        say(catalog, catalog.members(n)[0], "album", 1, (bytes(15) + b"\1").hex())
    access.grant(catalog, "anna", "viewer", album=1)
    private: Any = np.zeros(4, np.uint16)
    mask = access.visible_mask(Principal("anna"), catalog, 4, private, None)
    assert mask is not None
    assert mask.tolist() == [False, True, True, True]
