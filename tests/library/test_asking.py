"""Who asks a library: views share its parts, edits have authors, and there is no way round what one may not see."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from imager import access
from imager.access import Principal
from imager.catalog import OWNER, RULES
from imager.catalog.connection import fetch
from imager.errors import ForbiddenError, ImagerError, NotFoundError, UsageError
from imager.library import Library
from imager.query import model as q
from imager.search import cursor
from tests.access.scenes import PICTURES, Scene
from tests.library.made import Made, build

OPEN = (None, True, False, False)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """Anna edits album 2, which lies in album 1 and has pictures 1 and 2, and sees 3, which has 3 and 4.

    Ben edits the library, dora looks at it. Picture 5 is ben's alone, and in album 2; picture 6 is in none.
    """
    scene = Scene(
        {1: OPEN, 2: (1, True, False, False), 3: OPEN},
        {(2, 1), (2, 2), (2, 5), (3, 3), (3, 4), (1, 1)},
        {5: "ben"},
        {
            (OWNER, 0): "owner",
            ("anna", 2): "editor",
            ("anna", 3): "viewer",
            ("ben", 0): "editor",
            ("dora", 0): "viewer",
        },
    )
    made = build(tmp_path / "library", scene)
    with made.library:
        yield made


def _as(made: Made, member: str) -> Library:
    return made.library.asked_by(Principal(member))


def _said(made: Made, batch: str) -> list[tuple[str, str, str]]:
    return fetch(made.library.catalog.db, "SELECT field, element, author FROM edits WHERE batch = ?", (batch,))


# ── views ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_views_share_the_parts_and_only_the_one_that_opened_them_closes_them(made: Made) -> None:
    with _as(made, "anna") as view:
        assert view.index is made.library.index
        assert (view.catalog, view.store, view.folder) == (
            made.library.catalog,
            made.library.store,
            made.library.folder,
        )
        assert view.search().total == 4
    assert made.library.search().total == PICTURES - 1
    assert _as(made, "ben").search().total == PICTURES


def test_what_is_remembered_of_one_member_is_not_shown_to_another(made: Made) -> None:
    for _ in range(2):
        for member, total in (("anna", 4), (OWNER, 5), ("ben", 6), ("nobody", 0)):
            view = _as(made, member)
            assert len(view.timeline("tag:all").rows) == total
            assert sum(year.count for year in view.years()) == total


def test_a_role_that_is_given_or_taken_shows_at_once(made: Made) -> None:
    view = _as(made, "eve")
    assert (view.search().total, view.sees(made.pictures[1])) == (0, None)
    access.grant(made.library.catalog, "eve", "viewer")
    assert view.search().total == len(view.timeline("tag:all").rows) == 5
    assert view.sees(made.pictures[1]) is not None
    access.revoke(made.library.catalog, "eve")
    access.grant(made.library.catalog, "eve", "viewer", album=_number(made, 2))
    assert (view.search().total, view.search('album:"Album 2"').total, view.stats()["albums"]) == (2, 2, 1)
    assert view.sees(made.pictures[1]) is not None
    access.revoke(made.library.catalog, "eve", album=_number(made, 2))
    assert (view.search().total, view.sees(made.pictures[1]), view.albums()) == (0, None, [])
    assert view.timeline("tag:all").rows == []


@pytest.mark.parametrize("member", ["", RULES])
def test_nobody_and_the_rules_are_no_members_who_could_ask(made: Made, member: str) -> None:
    with pytest.raises(UsageError, match="no member"):
        made.library.asked_by(Principal(member))


# ── what edits say of who said them ─────────────────────────────────────────────────────────────────────────────


def test_edits_carry_their_author_and_a_rating_is_a_vote_of_its_own(made: Made) -> None:
    anna, ben, one = _as(made, "anna"), _as(made, "ben"), made.pictures[1]
    assert _said(made, anna.set(one, "rating", 2)) == [("rating", "anna", "anna")]
    assert _said(made, ben.set(one, "rating", 4)) == [("rating", "ben", "ben")]
    assert ben.show(one)["rating"] == 4
    ben.set(one, "rating", None)
    assert ben.show(one)["rating"] == 2
    assert {author for *_, author in _said(made, anna.tag(one, "New"))} == {"anna"}
    assert {author for *_, author in _said(made, anna.rename_album("Album 2", "Sea"))} == {"anna"}
    assert {author for *_, author in _said(made, anna.create_album("In it", within="Sea")[1])} == {"anna"}
    assert {author for *_, author in _said(made, anna.remove_from_album("Sea", one) or "")} == {"anna"}
    three, four = made.pictures[3], made.pictures[4]
    assert [author for *_, author in _said(made, ben.join(three, four))] == ["ben"]
    assert [author for *_, author in _said(made, ben.separate(three))] == ["ben"]
    assert _said(made, ben.set_private(made.pictures[5], private=False)) == [("private", "", "ben")]
    made.library.erase(one)
    assert ("purged", OWNER) in fetch(made.library.catalog.db, "SELECT field, author FROM edits")


def test_a_private_picture_is_that_of_who_said_so(made: Made) -> None:
    access.grant(made.library.catalog, "eve", "owner")
    _as(made, "eve").set_private(made.pictures[6])
    assert _as(made, "eve").show(made.pictures[6])["private"] == "eve"
    with pytest.raises(NotFoundError):
        made.library.show(made.pictures[6])


# ── taking back ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_takes_back_their_own_and_owners_what_others_said(made: Made) -> None:
    anna, ben, one = _as(made, "anna"), _as(made, "ben"), made.pictures[1]
    by_ben, by_anna = ben.set(one, "title", "Ben's"), anna.set(one, "caption", "Anna's")
    by_ben_too = ben.set(one, "creator", "Ben")
    with pytest.raises(NotFoundError) as hidden:
        anna.undo(by_ben)
    with pytest.raises(NotFoundError) as unknown:
        anna.undo(by_ben[:-1] + ("0" if by_ben[-1] != "0" else "1"))
    assert str(hidden.value)[:30] == str(unknown.value)[:30]
    assert anna.undo() == by_anna, "the last that she said, not the last of all"
    with pytest.raises(NotFoundError, match="nothing to undo"):
        anna.undo()
    with pytest.raises(NotFoundError):
        _as(made, "dora").undo(by_ben)
    made.library.undo(by_ben)
    known = made.library.show(one)
    assert (known["title"], known["caption"], known["creator"]) == (None, None, "Ben")
    assert ben.undo() == by_ben_too


def test_an_undo_is_taken_back_as_what_it_took_back(made: Made) -> None:
    anna, one = _as(made, "anna"), made.pictures[1]
    batch = anna.set(one, "caption", "Anna's")
    anna.undo(batch)
    undone_by = anna.history(one)[0]["undone_by"]
    anna.undo(undone_by)
    assert anna.show(one)["caption"] == "Anna's"
    access.grant(made.library.catalog, "anna", "viewer", album=_number(made, 2))
    for name in (batch, undone_by):
        with pytest.raises(ForbiddenError, match="any more"):
            anna.undo(name)
    assert anna.show(one)["caption"] == "Anna's"


def test_owners_take_back_nothing_of_what_they_do_not_see(made: Made) -> None:
    batch = _as(made, "ben").set(made.pictures[5], "title", "Mine")
    with pytest.raises(NotFoundError, match="no edit"):
        made.library.undo(batch)
    hidden = fetch(made.library.catalog.db, "SELECT batch FROM edits WHERE field = 'private'")[0][0]
    with pytest.raises(NotFoundError, match="no edit"):
        made.library.undo(hidden)
    assert _as(made, "ben").undo() == batch


def test_who_deletes_an_album_of_their_own_brings_it_back(made: Made) -> None:
    access.grant(made.library.catalog, "eve", "owner", album=_number(made, 2))
    eve = _as(made, "eve")
    eve.delete_album("Album 2")
    assert eve.albums() == []
    eve.undo()
    assert [album["name"] for album in eve.albums()] == ["Album 2"]


def test_an_album_is_moved_by_who_may_change_where_it_lies_and_where_it_will(made: Made) -> None:
    access.grant(made.library.catalog, "eve", "owner", album=_number(made, 1))
    access.grant(made.library.catalog, "fay", "owner", album=_number(made, 2))
    eve, fay = _as(made, "eve"), _as(made, "fay")
    eve.create_album("Beside", within="Album 1")
    eve.move_album("Album 2", "Beside")
    assert [album["path"] for album in eve.albums()][-1] == ["Album 1", "Beside", "Album 2"]
    with pytest.raises(ForbiddenError, match="the place where"):
        eve.move_album("Album 2", None)
    with pytest.raises(ForbiddenError, match="the place where"):
        fay.move_album("Album 2", None)
    fay.create_album("Inside", within="Album 2")
    with pytest.raises(UsageError, match="into itself"):
        eve.move_album("Album 2", "Inside")
    _as(made, "ben").move_album("Album 2", None)
    with pytest.raises(ForbiddenError, match="not yours"):
        _as(made, "anna").move_album("Album 2", None)


# ── ways round ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_owners_name_pictures_by_their_files(made: Made) -> None:
    path = made.library.show(made.pictures[1])["files"][0]["path"]
    assert made.library.find(path) == made.library.find(made.pictures[1])
    for member in ("anna", "ben", "dora", "nobody"):
        for name in (path, "/", "/etc/hostname", __file__):
            with pytest.raises(NotFoundError) as error:
                _as(made, member).show(name)
            assert str(error.value) == f"There is no picture {name} in the library."
    hidden = made.library.catalog.files.paths_of(5)[0][0]
    with pytest.raises(NotFoundError, match="There is no picture"):
        made.library.find(hidden)


def test_what_one_only_sees_is_not_put_where_one_may_edit(made: Made) -> None:
    anna = _as(made, "anna")
    with pytest.raises(ForbiddenError):
        anna.add_to_album("Album 2", made.pictures[3])
    with pytest.raises(ForbiddenError):
        anna.add_to_album("Album 2", query="")
    with pytest.raises(NotFoundError):
        anna.add_to_album("Album 2", made.pictures[6])
    assert anna.add_to_album("Album 2", made.pictures[1]) is None, "it is in there"


def test_joining_hides_nothing_from_others(made: Made) -> None:
    ben = _as(made, "ben")
    with pytest.raises(ForbiddenError, match="private"):
        ben.join(made.pictures[5], made.pictures[6])
    ben.join(made.pictures[1], made.pictures[6])
    assert ben.search().total == PICTURES - 1
    ben.separate(made.pictures[6])
    assert ben.search().total == PICTURES


def test_who_sees_one_album_saves_no_query_and_asks_for_no_other(made: Made) -> None:
    anna = _as(made, "anna")
    for name in ("Album 1", made.albums[1]):
        assert anna.search(f'album:"{name}"').hits == []
        assert anna.search(f'tag:all -album:"{name}"').total == 4
        assert anna.years(q.Query(q.Album(name))) == []
    with pytest.raises(ForbiddenError):
        anna.set_album_query("Album 2", 'album:"Album 1"')
    with pytest.raises(ForbiddenError):
        anna.create_album("x", within="Album 2", query='album:"Album 1"')
    found = anna.search('album:"Album 2"', limit=1)
    assert (found.total, [chip["kind"] for chip in found.chips]) == (2, ["album"])
    assert anna.search('album:"Album 2"', after=found.next).total == 2


def test_a_cursor_that_somebody_made_asks_for_no_album_that_they_do_not_see(made: Made) -> None:
    anna = _as(made, "anna")
    begun = cursor.decode(anna.search("", limit=1).next or "", "")

    def forged(album: str) -> str:
        return cursor.encode(dataclasses.replace(begun, query=q.Query(q.Album(album))), "")

    with pytest.raises(UsageError, match="is none"):
        anna.search("", after=forged("Album 1"))
    assert anna.search("", after=forged(made.albums[2].replace("-", ""))).total == 2
    assert made.library.search("", after=forged("Album 1")).total == 2


def test_paths_and_errors_name_no_album_above_that_is_not_seen(made: Made) -> None:
    anna = _as(made, "anna")
    assert [album["path"] for album in anna.albums()] == [["Album 2"], ["Album 3"]]
    anna.create_album("In it", within="Album 2")
    with pytest.raises(UsageError, match=r"There is an album Album 2/in it already|There is an album Album 2/In it"):
        anna.create_album("in it", within="Album 2")
    assert [edit["element"] for edit in anna.history(made.pictures[1]) if edit["field"] == "album"] == ["Album 2"]
    assert [album["name"] for album in anna.show(made.pictures[1])["albums"]] == ["Album 2"]
    with pytest.raises(ForbiddenError):
        anna.move_album("Album 2", "Album 3")


def test_words_are_not_completed_for_who_does_not_see_all(made: Made) -> None:
    made.library.set(made.pictures[6], "title", "Zanzibar")
    assert [c.text for c in _as(made, "ben").complete("zanz") if c.kind == "word"] == ["zanzibar"]
    assert [c for c in _as(made, "anna").complete("zanz") if c.kind == "word"] == []
    _as(made, "ben").set(made.pictures[5], "title", "Quagga")
    _as(made, "ben").set(made.pictures[5], "trashed", True)
    assert [c for c in made.library.complete("quag") if c.kind == "word"] == [], "it is ben's alone"


# ── for servers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_picture_of_an_id_and_what_it_shows_are_told_at_once(made: Made) -> None:
    library, one = made.library, made.pictures[1]
    content = library.catalog.db.execute("SELECT sha256 FROM contents WHERE content = 1").get
    assert library.sees(one) == library.sees(one.replace("-", "").upper()) == (1, content)
    assert library.sees("no id") is library.sees("0" * 32) is library.sees(made.pictures[5]) is None
    library.join(one, made.pictures[2])
    assert library.sees(one) == library.sees(made.pictures[2]) is not None


def test_whoever_sees_a_picture_may_have_its_file(tmp_path: Path, made: Made) -> None:
    catalog, anna = made.library.catalog, _as(made, "anna")
    with pytest.raises(NotFoundError, match="not there just now"):
        anna.original(made.pictures[1])
    name = Path(made.library.show(made.pictures[1])["files"][0]["path"]).name
    (tmp_path / name).write_bytes(b"x")
    catalog.db.execute("UPDATE folders SET path = ?", (bytes(tmp_path),))
    assert anna.original(made.pictures[1]) == tmp_path / name
    with pytest.raises(NotFoundError, match="no picture"):
        anna.original(made.pictures[6])
    catalog.db.execute("UPDATE folders SET offline = 1")
    with pytest.raises(ImagerError, match="not there just now"):
        anna.original(made.pictures[1])


def _number(made: Made, album: int) -> int:
    sql = "SELECT album FROM albums WHERE name = ?"
    number: int = made.library.catalog.db.execute(sql, (f"Album {album}",)).get
    return number
