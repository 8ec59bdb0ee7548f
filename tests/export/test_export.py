"""An export holds everything: what comes out of one library goes into another without loss."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imager.errors import ImagerError, NotFoundError, UsageError
from imager.export import Exported, Failed, Report
from imager.library import Library
from tests.ingest.scenes import NOW, Scene
from tests.pictures import jpeg, png, saved, sidecar
from tests.pictures import scene as drawn

REGIONS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><mwg-rs:Regions rdf:parseType="Resource">'
    '<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Anna Øst" mwg-rs:Type="Face">'
    '<mwg-rs:Area stArea:x="0.2513" stArea:y="0.5" stArea:w="0.1" stArea:h="0.2001" stArea:unit="normalized"/>'
    '</rdf:Description></rdf:li><rdf:li><rdf:Description mwg-rs:Name="Rex &amp; 犬" mwg-rs:Type="Pet">'
    '<mwg-rs:Area stArea:x="0.9" stArea:y="0.1" stArea:w="0.4" stArea:h="0.1" stArea:unit="normalized"/>'
    "</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    "<dc:subject><rdf:Bag><rdf:li>Beside</rdf:li></rdf:Bag></dc:subject>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()

SAME = (
    *("title", "caption", "rating", "latitude", "longitude", "altitude", "place", "creator", "copyright", "taken_at"),
    *("taken_at_utc", "time_zone", "width", "height", "make", "model", "sha256", "orientation", "mime", "kind"),
)
"""What files and sidecars alone bring along."""
EVERYTHING = (*SAME, "favourite", "edited", "state", "id", "versions", "description", "colours", "metadata", "dates")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Library]:
    """Another library."""
    with Library.open(tmp_path / "other", now=lambda: NOW + 1_000_000) as library:
        yield library


def filled(scene: Scene) -> dict[str, str]:
    """A library with several formats, edits of every field, and what is awkward to write; ids by name."""
    library = scene.library
    scene.write("trip/a.jpg", jpeg(1, taken="2021:07:04 15:30:00", make="Acme", description="From the file"))
    scene.write("trip/turned.jpg", jpeg(2, orientation=6, size=(80, 48)))
    scene.write("trip/turned.xmp", REGIONS)
    scene.write("mirrored.jpg", jpeg(9, orientation=7, size=(80, 48)))
    scene.write("mirrored.jpg.xmp", REGIONS)
    scene.write("b.png", png(3))
    scene.write("деревня/村.webp", saved(drawn(4), "WEBP"))
    scene.write("c.tif", saved(drawn(6), "TIFF"))
    scene.write(b"caf\xe9.jpg", jpeg(7))
    scene.write("tags.jpg", jpeg(8))
    scene.write("tags.xmp", sidecar(rating=2, title="Wrong", tags=("One", "Two", "A/B")))
    scene.write("zero.jpg", jpeg(10, taken="2019:01:01 10:00:00"))
    scene.write("v1.jpg", jpeg(11))
    scene.write("v2.jpg", jpeg(12, size=(96, 72)))
    scene.write("old.jpg", jpeg(13, taken="2020:05:05 05:05:05"))
    scene.add()
    a, b, tags = scene.path("trip/a.jpg"), scene.path("b.png"), scene.path("tags.jpg")
    library.set(a, "title", 'Ein "Titel" <mit> & Zeichen')
    library.set(a, "caption", "第一行\nзвук ]]> & 'x'\n  مرحبا 👩‍👩‍👧")
    library.set(a, "rating", -1)
    library.set(a, "creator", "Ann; Bob")
    library.set(a, "copyright", "© 2021 Ann & Bob")
    library.set(a, "position", [48.8584, 2.29450001])
    library.set(a, "favourite", True)
    library.tag(a, "Animals", "Animals|Dogs|Rex", "Dogs", "Été|à la mer", "写真")
    library.set(b, "taken_at", "1650-02-03T04:05:06.789")
    library.set(b, "caption", "Default")
    library.set(scene.path("деревня/村.webp"), "taken_at", "2001-01-01T00:00:00+05:45")
    library.untag(tags, "Two")
    library.tag(tags, "A|B")
    library.set(tags, "title", "")
    library.set(scene.path("zero.jpg"), "position", [0, 0])
    library.set(scene.path("old.jpg"), "taken_at", "2010-10-10T10:10:10")
    library.undo()
    library.join(scene.path("v1.jpg"), scene.path("v2.jpg"))
    return {os.path.basename(hit.path or ""): hit.id for hit in library.search("", limit=1000).hits}


def export(library: Library, folder: Path, **options: Any) -> tuple[Report, list[Exported], list[Failed]]:
    events = list(library.export(folder, **options))
    assert isinstance(events[-1], Report)
    return (
        events[-1],
        [e for e in events if isinstance(e, Exported)],
        [e for e in events if isinstance(e, Failed)],
    )


def known(library: Library, reference: str, *fields: str) -> dict[str, Any]:
    shown = library.show(reference)
    people = sorted((p["name"], p["kind"], p["box"]) for p in shown["people"])
    return {field: shown[field] for field in fields} | {
        "tags": sorted(tag["name"] for tag in shown["tags"]),
        "people": people,
    }


def said(library: Library, reference: str) -> list[dict[str, Any]]:
    """The history, but for the names of tags that were only taken away: no log has those."""
    return [
        e | ({"element": ""} if e["field"] == "tag" and e["value"] == 0 else {}) for e in library.history(reference)
    ]


def everything(folder: Path) -> dict[str, bytes]:
    return {os.path.relpath(p, folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_files_and_sidecars_alone_bring_back_all_that_is_effective(scene: Scene, other: Library) -> None:
    ids = filled(scene)
    before = everything(scene.photos)
    out = scene.folder / "out"
    report, exported, failed = export(scene.library, out)
    assert (report.pictures, report.copied, report.sidecars, failed) == (11, 12, 12, [])
    assert everything(scene.photos) == before
    assert not list(out.rglob("*.partial"))
    list(other.add(out, workers=1))
    assert other.failed() == []
    assert other.stats()["pictures"] == 12  # only the log says that two of them are one
    for name, own in ids.items():
        if name not in ("v1.jpg", "v2.jpg"):
            assert known(other, own, *SAME) == known(scene.library, own, *SAME), name
    assert known(other, ids["b.png"], "taken_at")["taken_at"] == "1650-02-03T04:05:06.789"
    assert other.show(ids["turned.jpg"])["people"][0]["name"] == "Anna Øst"
    assert [t["name"] for t in other.show(ids["tags.jpg"])["tags"]] == ["A/B", "A|B", "One"]
    assert {os.path.relpath(e.file, out) for e in exported} >= {"photos/trip/a.jpg", "photos/деревня/村.webp"}


@pytest.mark.parametrize("first", ["files", "lines"])
def test_with_the_json_lines_another_library_equals_this_one(scene: Scene, other: Library, first: str) -> None:
    ids = filled(scene)
    out = scene.folder / "out"
    export(scene.library, out, jsonl=True)
    if first == "files":
        list(other.add(out, workers=1))
        taken = other.take(out)
    else:
        taken = other.take(out / "imager.jsonl")
        list(other.add(out, workers=1))
    assert (taken.pictures, taken.new, other.take(out).new) == (11, taken.edits, 0)
    assert other.stats()["pictures"] == 11
    for own in ids.values():
        assert known(other, own, *EVERYTHING) == known(scene.library, own, *EVERYTHING)
        assert said(other, own) == said(scene.library, own)
    assert other.doctor(repair=False).ok


def test_albums_come_along_nested_ordered_and_described(scene: Scene, other: Library) -> None:
    from imager.organise import albums

    for n in range(4):
        scene.write(f"{n}.jpg", jpeg(n))
    scene.add()
    assets = [scene.library.find(scene.path(f"{n}.jpg")) for n in range(4)]
    catalog = scene.library.catalog
    trips, _ = albums.create(catalog, "Trips")
    sea, _ = albums.create(catalog, "Sea", parent=trips)
    albums.describe(catalog, sea, "Im Sommer")
    albums.add(catalog, sea, assets[:3])
    albums.remove(catalog, sea, assets[1:2])
    albums.reorder(catalog, sea, assets[2], before=assets[0])
    out = scene.folder / "out"
    report, *_ = export(scene.library, out, album="Sea", jsonl=True)
    assert report.pictures == 2
    list(other.add(out, workers=1))
    other.take(out)

    def tree(library: Library) -> list[tuple[Any, ...]]:
        return [
            (a.path, a.description, [held.id for held in albums.pictures(library.catalog, a, limit=9)])
            for a in albums.tree(library.catalog)
        ]

    assert tree(other) == tree(scene.library)
    records = [json.loads(text) for text in (out / "imager.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [r["albums"] for r in records if r["record"] == "picture"] == [["Trips|Sea"]] * 2
    assert [r["name"] for r in records if r["record"] == "album"] == ["Trips|Sea", "Trips"]


def test_only_what_matches_is_exported_in_folders_by_date(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1, taken="2021:07:04 15:30:00", description="harbour"))
    scene.write("b.jpg", jpeg(2, taken="2020:12:31 23:59:59", description="harbour"))
    scene.write("c.jpg", jpeg(3, description="mountain"))
    scene.add()
    out = scene.folder / "out"
    export(scene.library, out, query="harbour", layout="dates", sidecars=False)
    assert set(everything(out)) == {"2021/2021-07/a.jpg", "2020/2020-12/b.jpg"}
    status = os.stat(out / "2021/2021-07/a.jpg")
    assert status.st_mtime_ns == os.stat(scene.path("a.jpg")).st_mtime_ns
    with pytest.raises(UsageError, match="--layout"):
        export(scene.library, out, layout="heaps")


def test_an_export_is_repeated_without_writing_anything_and_brings_sidecars_up_to_date(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.add()
    out = scene.folder / "out"
    export(scene.library, out, jsonl=True)
    before = everything(out)
    (out / "photos" / ".b.jpg.01234567.partial").write_bytes(b"cut off")
    os.remove(out / "photos" / "b.jpg")  # as if it had been interrupted
    report, *_ = export(scene.library, out, jsonl=True)
    assert (report.kept, report.copied, report.sidecars) == (1, 1, 0)
    assert everything(out) == before
    scene.library.set(scene.path("a.jpg"), "title", "New")
    report, *_ = export(scene.library, out)
    assert (report.kept, report.sidecars) == (2, 1)
    assert b"New" in (out / "photos" / "a.jpg.xmp").read_bytes()


def test_nothing_else_is_written_over(scene: Scene) -> None:
    scene.write("one/a.jpg", jpeg(1))
    scene.write("two/a.jpg", jpeg(2))
    scene.write("two/A.JPG", jpeg(3))
    scene.write("b.jpg", jpeg(4))
    scene.add()
    for path in scene.photos.rglob("*.*"):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    scene.add()
    out = scene.folder / "out"
    folder = out / "2017" / "2017-07"
    folder.mkdir(parents=True)
    (folder / "a (2).jpg").write_bytes(b"mine")
    (folder / "b.jpg.xmp").write_bytes(b"<x:xmpmeta>from elsewhere</x:xmpmeta>")
    for _ in range(2):
        export(scene.library, out, layout="dates")
        names = {name for name in os.listdir(folder) if not name.endswith(".xmp")}
        assert len(names) == 5
        assert len({name.lower() for name in names}) == 5
        assert (folder / "a (2).jpg").read_bytes() == b"mine"
        assert b"elsewhere" in (folder / "b.jpg.xmp").read_bytes()
        assert (folder / "b (2).jpg").read_bytes() == jpeg(4)
        pictures = {(folder / name).read_bytes() for name in names}
        assert pictures == {jpeg(1), jpeg(2), jpeg(3), jpeg(4), b"mine"}
    (out / "imager.jsonl").write_bytes(b"mine\n")
    with pytest.raises(UsageError, match="no export of Imager"):
        export(scene.library, out, jsonl=True)
    assert (out / "imager.jsonl").read_bytes() == b"mine\n"


def test_links_are_made_where_they_are_asked_for(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()
    out = scene.folder / "out"
    report, *_ = export(scene.library, out, link=True)
    assert (report.linked, report.bytes) == (1, 0)
    assert os.path.samefile(out / "photos" / "a.jpg", scene.path("a.jpg"))


def test_no_export_into_what_the_library_reads(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()
    for folder in (scene.photos, scene.photos / "out", scene.folder, scene.folder / "library" / "out"):
        with pytest.raises(UsageError, match="Choose another folder"):
            export(scene.library, folder)
    os.symlink(scene.photos, scene.folder / "link")
    with pytest.raises(UsageError, match="Choose another folder"):
        export(scene.library, scene.folder / "link" / "out")
    (scene.folder / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="not a folder"):
        export(scene.library, scene.folder / "file")
    assert set(everything(scene.photos)) == {"a.jpg"}


def test_what_is_not_there_or_changed_is_told_and_the_rest_is_exported(scene: Scene) -> None:
    for n in range(3):
        scene.write(f"{n}.jpg", jpeg(n))
    scene.add()
    os.remove(scene.path("0.jpg"))
    scene.write("1.jpg", jpeg(8))
    out = scene.folder / "out"
    report, exported, failed = export(scene.library, out, jsonl=True, sidecars=False)
    assert [os.path.basename(e.path) for e in exported] == ["2.jpg"]
    assert {os.path.basename(f.path): f.reason[:20] for f in failed} == {
        "0.jpg": "it could not be copi",
        "1.jpg": "it has changed since",
    }
    assert report.failed == failed
    assert set(everything(out)) == {"photos/2.jpg", "imager.jsonl"}


def test_control_characters_that_xml_can_not_hold_are_left_out_and_told(scene: Scene, other: Library) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()
    scene.library.set(scene.path("a.jpg"), "caption", "be\x07fore \x1b[31m\ufffe &amp; <!-- ]]> after\x00")
    out = scene.folder / "out"
    _, _, failed = export(scene.library, out)
    assert "4 characters" in failed[0].reason
    list(other.add(out, workers=1))
    own = scene.show("a.jpg")["id"]
    assert other.show(own)["caption"] == "before [31m &amp; <!-- ]]> after"


def test_what_another_program_changes_in_an_exported_sidecar_counts(scene: Scene, other: Library) -> None:
    scene.write("a.jpg", jpeg(1, taken="2021:07:04 15:30:00"))
    scene.add()
    scene.library.tag(scene.path("a.jpg"), "Sea")
    out = scene.folder / "out"
    export(scene.library, out)
    path = out / "photos" / "a.jpg.xmp"
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        "<dc:subject><rdf:Bag><rdf:li>Sea", "<dc:subject><rdf:Bag><rdf:li>Added</rdf:li><rdf:li>Sea"
    ).replace("DateTimeOriginal>2021", "DateTimeOriginal>2011")
    path.write_text(text, encoding="utf-8")
    list(other.add(out, workers=1))
    shown = other.show(scene.show("a.jpg")["id"])
    assert [t["name"] for t in shown["tags"]] == ["Added", "Sea"]
    assert shown["taken_at"] == "2011-07-04T15:30:00"


def test_sidecars_are_sound_xml_with_the_standard_properties(scene: Scene) -> None:
    from defusedxml.ElementTree import fromstring

    filled(scene)
    out = scene.folder / "out"
    export(scene.library, out)
    for path in out.rglob("*.xmp"):
        fromstring(path.read_bytes())
    text = (out / "photos" / "trip" / "a.jpg.xmp").read_text(encoding="utf-8")
    for piece in (
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Ein &quot;Titel&quot; &lt;mit&gt; &amp; Zeichen</rdf:li>',
        "<xmp:Rating>-1</xmp:Rating>",
        "<exif:GPSLatitude>48,51.504000000N</exif:GPSLatitude>",
        "<exif:DateTimeOriginal>2021-07-04T15:30:00+02:00</exif:DateTimeOriginal>",
        "<photoshop:City>Paris",
        "<Iptc4xmpCore:CountryCode>FR</Iptc4xmpCore:CountryCode>",
        "<rdf:li>Animals|Dogs|Rex</rdf:li>",
        "<rdf:li>Animals/Dogs/Rex</rdf:li>",
        "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>",
        "<xmpMM:PreservedFileName>a.jpg</xmpMM:PreservedFileName>",
        "<imager:Favourite>True</imager:Favourite>",
    ):
        assert piece in text
    turned = (out / "photos" / "trip" / "turned.jpg.xmp").read_text(encoding="utf-8")
    assert '<mwg-rs:AppliedToDimensions stDim:w="80" stDim:h="48" stDim:unit="pixel"/>' in turned
    assert 'stArea:x="0.251300000" stArea:y="0.500000000"' in turned
    guessed = (out / "photos" / "c.tif.xmp").read_text(encoding="utf-8")
    assert "DateTimeOriginal" not in guessed  # only the file's own time is known


HEAD = '{"record":"export","version":1}\n'
EDIT = {
    "device": 7,
    "clock": "0180000000000-0000-000000000007",
    "target": "00" * 16,
    "field": "title",
    "element": "",
    "value": '"x"',
    "author": "owner",
    "batch": "0180000000000-0000-000000000007",
}


def picture(**changed: Any) -> str:
    return json.dumps({"record": "picture", "edits": [EDIT | changed]}) + "\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("\n", "line 1: it is no JSON"),
        ("[]\n", "line 1: it is no JSON object"),
        ("{}\n", "line 1: this is no export"),
        ('{"record":"export","version":99}\n', "line 1: a newer Imager"),
        ('{"record":"export","version":"1"}\n', "line 1: a newer Imager"),
        (HEAD + '{"record":"picture"', "line 2: it is no JSON"),
        (HEAD + "[" * 100_000 + "\n", "line 2: it is no JSON"),
        (HEAD + '{"record":"virus"}\n', "line 2: there are no records of the kind 'virus'"),
        (HEAD + '{"record":"picture"}\n', "line 2: it has no list of edits"),
        (HEAD + '{"record":"picture","edits":[3]}\n', "line 2: one of its edits is none"),
        (HEAD + picture(extra=1), "line 2: one of its edits is none"),
        (HEAD + picture() + picture(target="zz"), "line 3: one of its edits is none"),
        (HEAD + picture() + picture(clock="yesterday"), "line 3: the edit 'yesterday'"),
        (HEAD + picture(value="{"), "line 2: the edit"),
        (HEAD + picture(device=1 << 70), "line 2: the edit"),
        (HEAD + picture(field="purged", value="true"), "line 2: it would erase"),
        (HEAD + picture(author="\ud800"), "line 2: the edit"),
    ],
)
def test_lines_that_are_wrong_are_named_and_nothing_is_taken(scene: Scene, text: str, complaint: str) -> None:
    path = scene.folder / "imager.jsonl"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ImagerError, match="Nothing was taken in") as caught:
        scene.library.take(path)
    assert complaint in str(caught.value)
    assert scene.library.catalog.db.execute("SELECT count(*) FROM edits").get == 0


def test_lines_that_are_not_there_are_named(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match=r"imager\.jsonl"):
        scene.library.take(scene.folder)


def test_a_full_disk_ends_an_export_and_leaves_nothing_half_done(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    out = scene.folder / "out"
    with pytest.raises(ImagerError, match="is full"):
        export(scene.library, out, jsonl=True)
    monkeypatch.undo()
    assert everything(out) == {}
    shutil.rmtree(out)


def test_what_is_exported_can_be_shown_by_others(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()
    out = scene.folder / "out"
    export(scene.library, out)
    with Image.open(io.BytesIO((out / "photos" / "a.jpg").read_bytes())) as image:
        assert image.size == (64, 48)
