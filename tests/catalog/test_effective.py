"""What people see: edit, else fact, else finding; a pure function of its parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.catalog.catalog import Statement
from imager.catalog.effective import FilePlace, Row, Said, Version, effective, iso
from imager.catalog.files import FileRow
from imager.catalog.identity import tag_id
from imager.facts import Facts, Place, Region, TakenAt
from tests.catalog.libraries import ZONE, FakeRules, asset, clock, content, put, say, tag, tags

ONE, TWO = bytes(15) + b"\1", bytes(15) + b"\2"
MS = 1_600_000_000_000


def place(
    name: str = "picture.jpg", state: str = "present", modified: int = MS, sidecar: Facts | None = None
) -> FilePlace:
    return FilePlace(b"/photos", name.encode(), state, modified * 1_000_000, sidecar)


def version(own: bytes = ONE, *places: FilePlace, **facts: Any) -> Version:
    return Version(own, own[-1], own * 2, "image", Facts(**facts), b"hash", list(places) or [place()])


def said(**values: Any) -> dict[tuple[str, str], Said]:
    return {(field, ""): Said(value, clock(n + 1)) for n, (field, value) in enumerate(values.items())}


def shown(*versions: Version, edits: dict[tuple[str, str], Said] | None = None) -> Row:
    row = effective(sorted(v.id for v in versions), versions, edits or {}, FakeRules())
    assert row is not None
    return row


def at(when: int, source: str = "exif", confidence: float = 0.8, offset: int | None = None) -> TakenAt:
    return TakenAt(at=when, source=source, confidence=confidence, offset=offset)


@pytest.mark.parametrize("field", ["title", "creator", "copyright", "caption"])
def test_a_text_said_goes_before_the_files_empty_hides_and_null_is_as_found(field: str) -> None:
    fact: dict[str, Any] = {"description" if field == "caption" else field: "found"}
    values = [
        getattr(shown(version(ONE, **fact), edits=said(**{field: v})), field) for v in ("said", "", None, 5, ["x"])
    ]
    assert values == ["said", None, "found", "found", "found"]
    assert getattr(shown(version(), edits=said(**{field: None})), field) is None


def test_which_values_are_edits_is_told() -> None:
    edits = said(title="x", caption=None, favourite=True) | {("rating", "anna"): Said(3, clock(9))}
    assert shown(version(), edits=edits).said == '["favourite", "rating", "title"]'
    assert shown(version()).said is None


@pytest.mark.parametrize("value", [True, -2, 6, 10**30, 3.0, "3", None, [3], {}])
def test_a_rating_of_another_kind_is_ignored(value: Any) -> None:
    assert shown(version(rating=2), edits={("rating", "owner"): Said(value, clock(1))}).rating == 2


@pytest.mark.parametrize(
    "value", ["48,2", [48], [48, 2, 3], [91, 0], [0, 181], [True, False], ["1", "2"], None, {}, [1e308, 0], 7]
)
def test_a_position_of_another_kind_is_ignored(value: Any) -> None:
    row = shown(version(latitude=1.0, longitude=2.0, altitude=3.0), edits=said(position=value))
    assert (row.latitude, row.longitude, row.altitude) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("value", ["yesterday", "2021-13-01", 2021, None, [], "", "+275760-09-13", "x" * 9_000, "٢"])
def test_a_date_of_another_kind_is_ignored(value: Any) -> None:
    assert shown(version(dates=(at(MS),)), edits=said(taken_at=value)).taken_at == MS


@pytest.mark.parametrize("value", [1, "true", "yes", [], None, False])
def test_only_true_is_true(value: Any) -> None:
    row = shown(version(), edits=said(favourite=value, trashed=value))
    assert (row.favourite, row.state) == (0, "present")


def test_a_position_said_goes_before_the_files_with_its_own_place_and_without_the_files_altitude() -> None:
    picture = version(latitude=1.0, longitude=2.0, altitude=3.0, place=Place(city="Filetown"))
    row = shown(picture, edits=said(position=[-10, 20]))
    assert (row.latitude, row.longitude, row.altitude, row.time_zone) == (-10.0, 20.0, None, ZONE)
    assert row.place == Place(city="Testville", region="Testshire", country="Testland", country_code="TL")


def test_the_files_words_for_a_place_go_before_geocoding_and_what_they_lack_is_added() -> None:
    def named(**words: str) -> Place | None:
        return shown(version(latitude=-1.0, longitude=2.0, place=Place(**words))).place

    whole = Place(city="Testville", region="Testshire", country="Testland", country_code="TL")
    assert named(name="Old mill") == Place(
        name="Old mill", city="Testville", region="Testshire", country="Testland", country_code="TL"
    )
    assert named(city="Hamlet", country_code="TL") == Place(
        city="Hamlet", region="Testshire", country="Testland", country_code="TL"
    )
    assert named(region="Elsewhere") == Place(region="Elsewhere", country="Testland", country_code="TL")
    assert named(city="Paris", country_code="FR") == Place(city="Paris", country_code="FR"), "they disagree"
    assert shown(version(latitude=-1.0, longitude=2.0)).place == whole
    assert shown(version(place=Place(city="Nowhere"))).place == Place(city="Nowhere")


# ── when it was taken ───────────────────────────────────────────────────────────────────────────────────────


def test_the_likeliest_evidence_wins_and_says_its_source() -> None:
    row = shown(version(ONE, place("T5000.jpg"), dates=(at(1000, "xmp", 0.4), at(2000, "exif", 0.8))))
    assert (row.taken_at, row.taken_source, row.taken_confidence) == (2000, "exif", 0.8)
    row = shown(version(ONE, place("T5000.jpg"), dates=(at(1000, "xmp", 0.4),)))
    assert (row.taken_at, row.taken_source) == (5000, "name")
    row = shown(version(ONE, place("T5000.jpg"), dates=(at(1000, "xmp", 0.5),)))
    assert row.taken_source == "xmp", "of equally likely ones the file's own"


def test_without_evidence_the_oldest_of_its_files_tells_in_utc() -> None:
    row = shown(version(ONE, place(modified=MS + 9), place(modified=MS)))
    assert (row.taken_at, row.taken_offset, row.taken_source) == (MS, 0, "file")
    assert row.taken_confidence <= 0.1


def test_where_the_place_is_known_so_is_the_offset() -> None:
    here: dict[str, Any] = {"latitude": -1.0, "longitude": 2.0}
    row = shown(version(dates=(at(MS),), **here))
    assert (row.taken_at, row.taken_offset, row.time_zone) == (MS, 120, ZONE)
    row = shown(version(dates=(at(MS, offset=-300),), **here))
    assert (row.taken_at, row.taken_offset) == (MS, -300), "what the camera says of its clock stands"
    row = shown(version(dates=(at(MS),)))
    assert (row.taken_offset, row.time_zone) == (None, None)


@pytest.mark.parametrize("source", ["gps", "name", "file"])
def test_evidence_in_utc_is_told_in_the_time_of_the_place(source: str) -> None:
    row = shown(version(dates=(at(MS, source, offset=0),), latitude=-1.0, longitude=2.0))
    assert (row.taken_at, row.taken_offset) == (MS + 120 * 60_000, 120)
    row = shown(version(dates=(at(MS, source, offset=0),)))
    assert (row.taken_at, row.taken_offset) == (MS, 0)


def test_an_exif_clock_set_to_utc_stays_as_it_is() -> None:
    row = shown(version(dates=(at(MS, "exif:DateTimeOriginal", offset=0),), latitude=-1.0, longitude=2.0))
    assert (row.taken_at, row.taken_offset) == (MS, 0)


def test_a_date_said_goes_before_all_evidence() -> None:
    row = shown(version(dates=(at(MS),)), edits=said(taken_at="1950-06-01T12:00:00.250-03:30"))
    assert iso(row.taken_at, row.taken_offset) == "1950-06-01T12:00:00.250-03:30"
    assert (row.taken_source, row.taken_confidence) == ("edit", 1.0)
    row = shown(version(latitude=-1.0, longitude=2.0), edits=said(taken_at="1950-06-01"))
    assert iso(row.taken_at, row.taken_offset) == "1950-06-01T00:00:00+02:00"


@given(
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59, 59)),
    st.none() | st.integers(-1439, 1439),
)
def test_iso_writes_every_time_of_the_calendar_and_an_edit_reads_it_back(when: datetime, offset: int | None) -> None:
    milliseconds = (when - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    text = iso(milliseconds, offset)
    read = datetime.fromisoformat(text)
    assert read.replace(tzinfo=None) == when.replace(microsecond=when.microsecond // 1000 * 1000)
    assert read.utcoffset() == (None if offset is None else timedelta(minutes=offset))
    row = shown(version(), edits=said(taken_at=text))
    assert (row.taken_at, row.taken_offset) == (milliseconds, offset)


@pytest.mark.parametrize(
    ("milliseconds", "offset", "text"),
    [
        (0, None, "1970-01-01T00:00:00"),
        (-1, None, "1969-12-31T23:59:59.999"),
        (-62_135_596_800_000, 0, "0001-01-01T00:00:00+00:00"),
        (253_402_300_799_000, -720, "9999-12-31T23:59:59-12:00"),
        (-(1 << 62), None, "0001-01-01T00:00:00"),
        (1 << 62, None, "9999-12-31T23:59:59.999"),
        (5, 345, "1970-01-01T00:00:00.005+05:45"),
    ],
)
def test_iso_of_what_lies_at_the_edges(milliseconds: int, offset: int | None, text: str) -> None:
    assert iso(milliseconds, offset) == text


# ── several versions, and sidecars ──────────────────────────────────────────────────────────────────────────


def test_the_version_that_last_took_the_place_of_another_is_shown() -> None:
    large, small = version(ONE, width=400, height=300, make="Canon"), version(TWO, width=40, height=30, title="new")
    assert shown(large, small).content == 1, "else the one with most pixels"
    replaced = {("supersedes", f"{TWO.hex()}/{ONE.hex()}"): Said(1, clock(5))}
    row = shown(large, small, edits=replaced)
    assert (row.content, row.width, row.title) == (2, 40, "new")
    assert row.make == "Canon", "what it lacks comes from the other"
    back = replaced | {("supersedes", f"{ONE.hex()}/{TWO.hex()}"): Said(1, clock(6))}
    assert shown(large, small, edits=back).content == 1
    assert shown(large, small, edits={k: Said(0, s.clock) for k, s in back.items()}).content == 1


def test_hostile_supersedes_change_nothing() -> None:
    large, small = version(ONE, width=400, height=300), version(TWO, width=40, height=30)
    for element in ("", "/", "x" * 70, TWO.hex()[:31], f"{'f' * 32}/{ONE.hex()}"):
        assert shown(large, small, edits={("supersedes", element): Said(1, clock(1))}).content == 1


def test_a_position_is_taken_whole_from_one_version() -> None:
    one = version(ONE, width=400, height=300, latitude=1.0, longitude=2.0)
    other = version(TWO, latitude=5.0, longitude=6.0, altitude=7.0)
    row = shown(one, other)
    assert (row.latitude, row.longitude, row.altitude) == (1.0, 2.0, None)


def test_a_sidecar_goes_before_what_is_embedded_and_fills_nothing_in_twice() -> None:
    face = Region(name="Anna", kind="face", left=0, top=0, width=1, height=1)
    sidecar = Facts(title="sidecar", rating=5, keywords=("Sea", "Beside"), regions=(face,), dates=(at(7, "xmp", 0.8),))
    picture = version(
        ONE, place(sidecar=sidecar), width=9, title="embedded", creator="me", keywords=("sea",), dates=(at(5),)
    )
    row = shown(picture)
    assert (row.title, row.rating, row.creator, row.width, row.taken_at) == ("sidecar", 5, "me", 9, 7)
    assert row.tags == {tag_id("sea"): ("sea", "file"), tag_id("Beside"): ("Beside", "sidecar")}
    assert row.regions == [(face, "sidecar")]


def test_a_file_that_is_there_names_the_picture() -> None:
    assert shown(version(ONE, place("a.jpg", "missing"), place("b.jpg"))).name == "b.jpg"
    assert shown(version(ONE, place("a.jpg", "missing"))).state == "missing"
    assert shown(version(ONE, place("a.jpg", "missing")), edits=said(trashed=True)).state == "trashed"


# ── through the catalog ─────────────────────────────────────────────────────────────────────────────────────


def test_a_tag_taken_away_stays_away_when_the_file_is_read_again(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, keywords=("Sea", "Sun")))
    say(catalog, one, "tag", 0, tag("SEA"))
    assert tags(catalog, one) == {"Sun": "file"}
    put(catalog, content(1, keywords=("Sea", "Sun", "Wind")))
    assert tags(catalog, one) == {"Sun": "file", "Wind": "file"}
    say(catalog, one, "tag", None, tag("sea"))
    assert tags(catalog, one) == {"Sea": "file", "Sun": "file", "Wind": "file"}


def test_the_latest_reading_of_a_sidecar_replaces_its_earlier_ones(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, title="embedded"), name=b"IMG_1.JPG")
    folder = catalog.files.folder(b"/photos")
    assert folder is not None

    def read(name: bytes, facts: str) -> str | None:
        with catalog.transaction(durable=False):
            catalog.refresh(catalog.files.put_sidecars([(folder.folder, name, facts, "{}")]))
        title = asset(catalog, one)["title"]
        assert title is None or isinstance(title, str)
        return title

    assert read(b"img_1.XMP", '{"title":"first"}') == "first"
    assert read(b"img_1.XMP", '{"title":"second"}') == "second"
    assert read(b"IMG_1.jpg.xmp", '{"title":"closer"}') == "closer"
    assert read(b"IMG_2.xmp", '{"title":"of another"}') == "closer"
    with catalog.transaction(durable=False):
        catalog.refresh(catalog.files.remove_sidecars([(folder.folder, b"IMG_1.jpg.xmp")]))
    assert asset(catalog, one)["title"] == "second"


def test_effective_values_are_written_with_their_cause_or_not_at_all(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    before = catalog.db.execute("SELECT changes FROM library").get
    with pytest.raises(KeyError), catalog.transaction(durable=True):
        catalog.say_within([Statement(one, "title", "half")])
        raise KeyError
    assert asset(catalog, one)["title"] is None
    assert catalog.db.execute("SELECT count(*) FROM edits").get == 0
    assert catalog.db.execute("SELECT changes FROM library").get == before


def test_what_stays_the_same_is_not_touched(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1, title="same"))
    before = asset(catalog, one)["changed"]
    with catalog.transaction(durable=False):
        assert catalog.refresh([one]) == []
    say(catalog, one, "title", "same")
    assert asset(catalog, one)["changed"] == before + 1, "it is an edit now, and says so"
    say(catalog, one, "title", "same")
    assert asset(catalog, one)["changed"] == before + 1


def test_a_picture_that_moves_to_another_name_keeps_what_was_said(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1), name=b"old.jpg")
    say(catalog, one, "title", "kept")
    number = asset(catalog, one)["asset"]
    folder = catalog.files.folder(b"/photos")
    assert folder is not None
    with catalog.transaction(durable=False):
        row = catalog.files.in_folder(folder.folder)[b"old.jpg"]
        catalog.files.remove([(folder.folder, b"old.jpg")])
        catalog.files.put([(folder.folder, FileRow(b"new.jpg", *row[1:]))])
        catalog.refresh([one], files_changed=True)
    row_now = asset(catalog, one)
    assert (row_now["asset"], row_now["title"], row_now["name"]) == (number, "kept", "new.jpg")


def test_the_number_of_an_asset_is_never_given_twice(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    number = asset(catalog, one)["asset"]
    say(catalog, one, "purged", True)
    (other,) = put(catalog, content(2))
    assert asset(catalog, other)["asset"] > number
