"""Full text: what was said is found, what was renamed by its new name only, and cut-off work resumes."""

from __future__ import annotations

from typing import Any

import pytest

from imager.catalog import Catalog, Statement, words
from imager.catalog.files import FileRow
from imager.catalog.identity import asset_id, tag_id
from imager.facts import Region
from tests.catalog.libraries import Devices, admit, content, edit, found, put, say, tag


def _number(catalog: Catalog, one: bytes) -> int:
    number = catalog.resolve(one)
    assert number is not None
    return number


def test_everything_that_describes_a_picture_is_found(catalog: Catalog) -> None:
    face = Region(name="Anna Mustermann", kind="face", left=0, top=0, width=0.1, height=0.1)
    picture = content(
        1,
        title="Morgenröte",
        description="a boat",
        keywords=("Animals|Dogs",),
        make="Canon",
        model="EOS R5",
        lens="RF 50",
        creator="Bert",
        regions=(face,),
        latitude=-1.0,
        longitude=1.0,
    )
    (one,) = put(catalog, picture, folder=b"/photos/Urlaub", name=b"IMG_0001.JPG")
    assert not found(catalog, "boat"), "ingest writes full text behind"
    catalog.index()
    for word in [
        "morgenrote",
        "boat",
        "dogs",
        "anna",
        "canon",
        "r5",
        "50",
        "bert",
        "testland",
        "testville",
        "urlaub",
        "img",
        "0001",
    ]:
        assert found(catalog, word) == {_number(catalog, one)}, word


def test_what_was_said_is_found_and_what_was_before_is_not(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, title="former", keywords=("gone",)))
    catalog.index()
    batch = catalog.say(
        [
            Statement(one, "title", "present"),
            Statement(one, "tag", 0, tag("gone")),
            Statement(tag_id("here"), "name", "here"),
            Statement(one, "tag", 1, tag("here")),
        ]
    )
    number = {_number(catalog, one)}
    catalog.index()
    assert [found(catalog, w) for w in ("present", "here", "former", "gone")] == [number, number, set(), set()]
    catalog.undo(batch)
    catalog.index()
    assert [found(catalog, w) for w in ("present", "here", "former", "gone")] == [set(), set(), number, number]
    assert not words.behind(catalog.db)


def test_a_renamed_file_is_found_by_its_new_name_only(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1), folder=b"/old", name=b"former.jpg")
    catalog.index()
    with catalog.transaction(durable=False):
        old = catalog.files.folder(b"/old")
        assert old is not None
        row = catalog.files.in_folder(old.folder)[b"former.jpg"]
        new = catalog.files.put_folder(b"/new", "new", "disk")
        catalog.files.put([(new, FileRow(b"present.jpg", *row[1:]))])
        catalog.files.remove([(old.folder, b"former.jpg")])
        catalog.refresh([one], files_changed=True)
    catalog.index()
    number = {_number(catalog, one)}
    assert [found(catalog, w) for w in ("present", "new", "former", "old")] == [number, number, set(), set()]


def test_joined_pictures_are_one_document_and_separated_ones_two(catalog: Catalog) -> None:
    one, other = sorted(put(catalog, content(1, keywords=("first",)), content(2, keywords=("second",))))
    catalog.index()
    say(catalog, one, "same_as", 1, other.hex())
    catalog.index()
    assert found(catalog, "first second") == {_number(catalog, one)}
    assert len(found(catalog, "first") | found(catalog, "second")) == 1
    say(catalog, one, "same_as", 0, other.hex())
    catalog.index()
    assert found(catalog, "first second") == set()
    assert len(found(catalog, "first") | found(catalog, "second")) == 2


def test_what_is_gone_is_not_found(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, title="secret"))
    catalog.index()
    say(catalog, one, "purged", True)
    assert found(catalog, "secret") == set()
    assert catalog.db.execute("SELECT count(*) FROM words").get == 0


def test_a_document_follows_the_name_of_a_tag_that_arrives_late(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    admit(catalog, edit(one, "tag", 1, tag("Zebra"), at=1))
    catalog.index()
    assert found(catalog, "zebra") == set()
    admit(catalog, edit(tag_id("Zebra"), "name", "Zebra", at=2))
    catalog.index()
    assert found(catalog, "zebra") == {_number(catalog, one)}


def test_an_edit_during_ingest_leaves_nothing_behind_unwritten(catalog: Catalog) -> None:
    one, other = put(catalog, content(1, title="first"), content(2, title="second"))
    say(catalog, one, "title", "said")
    assert words.behind(catalog.db), "the other picture is not written yet"
    catalog.index()
    assert found(catalog, "said") == {_number(catalog, one)}
    assert found(catalog, "second") == {_number(catalog, other)}
    assert found(catalog, "first") == set()


def test_writing_goes_in_portions_and_resumes_where_it_was_cut_off(catalog: Catalog, devices: Devices) -> None:
    for n in range(10):
        put(catalog, content(n, title=f"number{n}"))
    assert words.index_some(catalog.connection, 3)
    assert sum(bool(found(catalog, f"number{n}")) for n in range(10)) == 3
    catalog.close()
    again = devices.open()
    assert again.index(seconds=0.0) is False, "what is left fits one portion"
    assert all(found(again, f"number{n}") for n in range(10))
    assert not words.index_some(again.connection)


def test_writing_that_is_killed_in_the_middle_repeats_that_portion(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(catalog, content(1, title="whole"))

    class Killed(BaseException):
        pass

    def kill(*_: Any) -> bool:
        raise Killed

    catalog.db.set_commit_hook(kill)
    with pytest.raises(Killed):
        catalog.index()
    catalog.db.set_commit_hook(None)
    assert found(catalog, "whole") == set()
    catalog.index()
    assert len(found(catalog, "whole")) == 1


def test_rebuilding_gives_the_same_documents(catalog: Catalog) -> None:
    ids = put(catalog, *(content(n, title=f"number{n}", keywords=("all",)) for n in range(5)))
    say(catalog, ids[0], "title", "said")
    catalog.index()
    catalog.db.execute("INSERT INTO words (words) VALUES ('delete-all')")
    words.rebuild(catalog.connection)
    assert len(found(catalog, "all")) == 5
    assert found(catalog, "said") == {_number(catalog, ids[0])}
    assert found(catalog, "number0") == set()
    catalog.db.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def test_merging_in_small_steps_ends_and_changes_nothing(catalog: Catalog) -> None:
    ids = put(catalog, content(1))
    for n in range(60):
        say(catalog, ids[0], "title", f"word{n}")
        words.index_some(catalog.connection)
    segments = "SELECT count(DISTINCT segid) FROM words_idx"
    before = catalog.db.execute(segments).get
    steps = 0
    while words.merge_some(catalog.connection, 1):
        steps += 1
        assert steps < 1_000
    assert catalog.db.execute(segments).get < before
    assert found(catalog, "word59") == {_number(catalog, ids[0])}
    assert found(catalog, "word58") == set()


def test_names_that_are_not_utf_8_are_indexed_as_far_as_they_can_be(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1), name=b"caf\xe9 terrace.jpg")
    catalog.index()
    assert found(catalog, "terrace") == {_number(catalog, one)}


def test_a_picture_that_is_joined_brings_the_names_of_its_files_along(catalog: Catalog) -> None:
    """Also where nothing else of the asset changes: that row stays as it was."""
    one, other = sorted(put(catalog, content(1), content(2)))
    put(catalog, *(c for c in (content(1), content(2)) if asset_id(c.sha256) == one), name=b"first.jpg")
    put(
        catalog, *(c for c in (content(1), content(2)) if asset_id(c.sha256) == other), folder=b"/z", name=b"second.jpg"
    )
    catalog.index()
    say(catalog, one, "same_as", 1, other.hex())
    catalog.index()
    assert found(catalog, "first second") == {_number(catalog, one)}
    catalog.undo()
    catalog.index()
    assert found(catalog, "first second") == set()
    assert found(catalog, "second") == {_number(catalog, other)}
